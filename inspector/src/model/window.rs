//! Rates over about the last second, from cumulative counters that are read at uneven times.
use std::time::Duration;

use super::Stamp;

/// Three readings of two counters: the one that rates are worked out from, its successor, and the newest.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Window {
    from: Point,
    next: Point,
    last: Point,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Point {
    at: Stamp,
    busy: Duration,
    polls: u64,
}

/// Rates over a [`Window`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Rates {
    /// 0 to 1.
    pub(super) busy_share: f64,
    pub(super) polls_per_s: f64,
}

impl Window {
    /// After this time without a reading, nothing has happened for as long as rates look back.
    pub(super) const SPAN: Duration = Duration::from_secs(1);
    /// Age at which `next` takes the place of `from`: rates then look back 0.6 to 1.3 s.
    const SHIFT: Duration = Duration::from_millis(700);
    /// A shorter time says little of a rate: one poll in the first millisecond is not a thousand a second.
    const SHORTEST: Duration = Duration::from_millis(250);

    /// Begins with a reading.
    pub(super) fn starting(at: Stamp, busy: Duration, polls: u64) -> Self {
        let point = Point { at, busy, polls };
        Self { from: point, next: point, last: point }
    }

    /// When the newest reading was made.
    pub(super) fn last_at(&self) -> Stamp {
        self.last.at
    }

    /// Takes a reading in. The counters are known to have stood still between the last reading and the update before this
    /// one, which came at `told`: after a link that was lost, that is long ago, and who knows when they moved.
    pub(super) fn read(&mut self, at: Stamp, told: Stamp, busy: Duration, polls: u64) -> Rates {
        if at.since(self.last.at) >= Self::SPAN {
            let from = Point { at: at.before(Self::SPAN).min(told).max(self.last.at), ..self.last };
            (self.from, self.next) = (from, from);
        } else if at.since(self.next.at) >= Self::SHIFT {
            (self.from, self.next) = (self.next, self.last);
        }
        self.last = Point { at, busy, polls };
        let span = at.since(self.from.at).max(Self::SHORTEST).as_secs_f64();
        Rates {
            busy_share: (busy.saturating_sub(self.from.busy).as_secs_f64() / span).min(1.0),
            polls_per_s: polls.saturating_sub(self.from.polls) as f64 / span,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn steady_work_shows_its_rate_at_every_reading() {
        let mut window = Window::starting(Stamp(0), Duration::ZERO, 0);
        for tick in 1..100 {
            let rates = window.read(
                Stamp(tick * 100 * MS),
                Stamp((tick - 1) * 100 * MS),
                Duration::from_millis(tick * 25),
                tick * 7,
            );
            if tick > 3 {
                assert!((rates.busy_share - 0.25).abs() < 1e-9, "tick {tick}: {rates:?}");
                assert!((rates.polls_per_s - 70.0).abs() < 1e-6, "tick {tick}: {rates:?}");
            }
        }
    }

    #[test]
    fn one_poll_after_a_long_rest_counts_against_a_whole_second() {
        let mut window = Window::starting(Stamp(0), Duration::ZERO, 0);
        let rates = window.read(Stamp(60_000 * MS), Stamp(59_900 * MS), Duration::from_millis(10), 1);
        assert!((rates.busy_share - 0.01).abs() < 1e-9 && (rates.polls_per_s - 1.0).abs() < 1e-9, "{rates:?}");
    }

    #[test]
    fn what_was_done_while_the_link_was_lost_counts_against_all_that_time() {
        let mut window = Window::starting(Stamp(0), Duration::ZERO, 0);
        let told = Stamp(100 * MS);
        window.read(told, Stamp(0), Duration::from_millis(25), 1);
        let rates = window.read(Stamp(60_100 * MS), told, Duration::from_millis(15_025), 601);
        assert!((rates.busy_share - 0.25).abs() < 1e-9 && (rates.polls_per_s - 10.0).abs() < 1e-9, "{rates:?}");
        let rates = window.read(Stamp(60_200 * MS), Stamp(60_100 * MS), Duration::from_millis(15_050), 602);
        assert!((rates.busy_share - 0.25).abs() < 1e-9 && (rates.polls_per_s - 10.0).abs() < 1e-2, "{rates:?}");
    }

    #[test]
    fn a_counter_that_falls_is_no_negative_rate() {
        let mut window = Window::starting(Stamp(0), Duration::from_secs(9), 9);
        assert_eq!(window.read(Stamp(500 * MS), Stamp(400 * MS), Duration::ZERO, 0), Rates::default());
    }
}
