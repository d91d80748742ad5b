//! What happened lately, as readings tell of it: each stands for all that happened between two of them.
//!
//! It is bounded by time, as the windows are that rules look through, and not by a number of readings: the last ten seconds
//! are there reading by reading, the rest of a minute second by second.
use std::collections::VecDeque;
use std::time::Duration;

use super::Stamp;

/// How long anything is kept.
const KEPT: Duration = Duration::from_mins(1);
/// How long reading by reading.
const WHOLE: Duration = Duration::from_secs(10);
/// Readings that come faster than this are joined: no probe is so fast, and no other target may fill our memory.
const APART: Duration = Duration::from_millis(50);

/// Something that happens again and again.
pub trait Event {
    /// When it happened, the last time.
    fn at(&self) -> Stamp;
    /// Says that it did so then.
    fn set_at(&mut self, at: Stamp);
    /// Becomes this and what happened `before`, in one.
    fn join(&mut self, before: Self);
}

/// Events of the last minute, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recent<E> {
    events: VecDeque<E>,
    /// When the newest reading came.
    told: Stamp,
}

impl<E: Event> Recent<E> {
    /// A reading that came at `now` tells of something new.
    pub(crate) fn push(&mut self, mut event: E, now: Stamp) {
        let newest = self.events.back().map_or(Stamp(0), Event::at);
        event.set_at(event.at().min(now).max(newest.min(now)));
        if now.since(self.told) < APART
            && let Some(before) = self.events.pop_back()
        {
            event.join(before);
        } else {
            self.told = now;
        }
        self.events.push_back(event);
    }

    /// It is `now`: what is old goes, what is older than the windows of ten seconds is joined by the second. To be called
    /// once a second.
    pub(super) fn age(&mut self, now: Stamp) {
        let (old, whole) = (now.before(KEPT), now.before(WHOLE));
        while self.events.front().is_some_and(|event| event.at() < old) {
            self.events.pop_front();
        }
        // What was joined already stands alone in its second, so this looks at little more than what has just become older.
        let mut n = self.events.partition_point(|event| event.at() < whole);
        while n > 1 {
            let (before, after) = (self.events[n - 2].at(), self.events[n - 1].at());
            if after.since(before) >= Duration::from_secs(1) {
                n -= 1;
                continue;
            }
            if let Some(before) = self.events.remove(n - 2) {
                self.events[n - 2].join(before);
            }
            n -= 1;
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.events.clear();
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &E> + ExactSizeIterator {
        self.events.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The oldest and the newest.
    pub fn ends(&self) -> Option<(&E, &E)> {
        self.events.front().zip(self.events.back())
    }
}

impl<E> From<Vec<E>> for Recent<E> {
    fn from(events: Vec<E>) -> Self {
        Self { events: events.into(), told: Stamp(0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    struct Times(Stamp, u64);

    impl Event for Times {
        fn at(&self) -> Stamp {
            self.0
        }

        fn set_at(&mut self, at: Stamp) {
            self.0 = at;
        }

        fn join(&mut self, before: Self) {
            self.1 += before.1;
        }
    }

    fn at(ms: u64) -> Stamp {
        Stamp(1_000_000_000_000).after(Duration::from_millis(ms))
    }

    /// Told of one every so many milliseconds, for so long.
    fn told(every: u64, until: u64) -> Recent<Times> {
        let mut recent = Recent::default();
        let mut second = 0;
        for now in (0..until).step_by(every as usize) {
            recent.push(Times(at(now), 1), at(now));
            if now / 1000 > second {
                second = now / 1000;
                recent.age(at(now));
            }
        }
        recent
    }

    fn within(recent: &Recent<Times>, span: Duration, now: Stamp) -> u64 {
        recent.iter().filter(|event| now.since(event.0) <= span).map(|event| event.1).sum()
    }

    #[test]
    fn every_reading_of_ten_seconds_is_there_and_every_event_of_a_minute() {
        let recent = told(100, 90_001);
        assert_eq!(within(&recent, WHOLE, at(90_000)), 101);
        assert!((600..=612).contains(&within(&recent, KEPT, at(90_000))), "{recent:?}");
        assert!(recent.iter().len() < 170, "{}", recent.iter().len());
    }

    #[test]
    fn readings_without_a_pause_are_counted_and_take_no_memory_without_end() {
        let recent = told(1, 90_001);
        assert!(within(&recent, WHOLE, at(90_000)) >= 9_950);
        assert!(recent.iter().len() < 320, "{}", recent.iter().len());
    }

    #[test]
    fn no_event_is_in_the_future_or_before_one_that_was_told_of_earlier() {
        let mut recent = Recent::default();
        recent.push(Times(at(900), 1), at(100));
        recent.push(Times(at(3), 1), at(300));
        assert_eq!(recent.iter().map(|event| event.0).collect::<Vec<_>>(), [at(100), at(100)]);
        recent.age(at(61_000));
        assert!(recent.is_empty());
    }
}
