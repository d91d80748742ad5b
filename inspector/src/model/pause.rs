//! Times for which nothing was heard of the target: it was stopped, the machine slept or was full, the link was gone.
//!
//! Whatever was under way seems to have lasted through such a time, and whoever had to be done by then comes late all at
//! once. Neither is anybody's fault. So ages leave pauses out, and after a long one every window that rules look through
//! begins anew, as if the inspector had just attached.
use std::time::Duration;

use super::{Model, Stamp};

/// Pauses that are kept.
const KEPT: usize = 256;
/// An update that is late by more than so many times the usual is a pause.
const LATE: u32 = 3;
/// From this length on, what was counted during a pause, and right after it, says nothing.
const LONG: Duration = Duration::from_millis(500);
/// How long a target takes to come to itself after a long pause: timers that are overdue, queues that have built up.
const SETTLING: Duration = Duration::from_secs(2);

/// One pause; it is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pause {
    from: Stamp,
    to: Stamp,
}

/// What is remembered of pauses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pauses {
    /// Oldest first.
    past: Vec<Pause>,
    /// How far apart updates usually are.
    usual: Duration,
    /// Until when the target is coming to itself.
    settling: Option<Stamp>,
}

impl Pauses {
    /// Time goes on from `before` to `now`, in a target that means to tell every `tick`.
    fn advance(&mut self, before: Stamp, now: Stamp, tick: Duration) {
        if now < before {
            // On another clock, as it were.
            self.past.clear();
            self.settling = Some(now.after(SETTLING));
            return;
        }
        let apart = now.since(before);
        let usual = self.usual.max(tick).max(Duration::from_millis(1));
        if apart > usual * LATE {
            if self.past.len() == KEPT {
                self.past.remove(0);
            }
            self.past.push(Pause { from: before.after(usual), to: now });
            if apart.saturating_sub(usual) >= LONG {
                self.settling = Some(now.after(SETTLING));
            }
        }
        // Where reading everything takes long, that is usual; one pause alone makes nothing usual.
        self.usual = (usual * 7 + apart.min(usual * 2)) / 8;
    }
}

impl Model {
    /// The time from `since` until `until` without the pauses in it.
    pub fn between(&self, since: Stamp, until: Stamp) -> Duration {
        let pauses = self.track.pauses.past.iter().rev().take_while(|pause| pause.to > since);
        let still: Duration = pauses.map(|pause| pause.to.min(until).since(pause.from.max(since))).sum();
        until.since(since).saturating_sub(still)
    }

    /// How long what began at `since` and goes on has lasted, without pauses.
    pub fn lasted(&self, since: Stamp) -> Duration {
        self.between(since, self.now)
    }

    /// Whether the target has just come out of a long pause, so that what it does says little yet.
    pub fn is_settling(&self) -> bool {
        self.track.pauses.settling.is_some()
    }

    /// When a reading of `told` was made: messages of a snapshot may be a little late, but a clock may also fall back.
    pub(super) fn time_of(&self, told: Stamp) -> Stamp {
        let fell_back = self.complete && told.after(LONG) < self.now;
        if fell_back { told } else { told.max(self.now) }
    }

    /// It is `now`.
    pub(super) fn advance(&mut self, now: Stamp) {
        if self.complete {
            self.track.pauses.advance(self.now, now, self.target.tick);
        }
        self.now = now;
    }

    /// Begins every window anew, once a target has come to itself.
    pub(super) fn settle(&mut self) {
        if self.track.pauses.settling.is_none_or(|until| self.now < until) {
            return;
        }
        self.track.pauses.settling = None;
        self.track.seconds = super::seconds::Seconds::default();
        let now = self.now;
        self.sites.values_mut().for_each(|site| site.recent_slow.clear());
        self.locks.values_mut().for_each(super::Lock::begin_windows);
        for channel in self.channels.values_mut() {
            channel.begin_windows(now);
        }
        self.oneshots.values_mut().for_each(super::Oneshots::begin_series);
        let workers = &self.workers;
        self.stacks.retain(|stack| {
            let poll = workers.get(&stack.worker).and_then(|worker| worker.poll);
            poll == Some((stack.task, stack.poll_started))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn told_every_tick_until(stamp: u64) -> Model {
        let mut model = Model { complete: true, ..Model::default() };
        model.target.tick = ms(100);
        while model.now < Stamp(stamp * 1_000_000) {
            let next = model.now.after(ms(100));
            model.advance(next);
        }
        model
    }

    #[test]
    fn what_began_before_a_pause_is_older_only_by_the_time_around_it() {
        let mut model = told_every_tick_until(1000);
        let began = model.now;
        model.advance(began.after(ms(200)));
        model.advance(began.after(ms(5200)));
        model.advance(began.after(ms(5300)));
        assert!((ms(400)..ms(450)).contains(&model.lasted(began)), "{:?}", model.lasted(began));
        assert_eq!(model.lasted(began.after(ms(3000))), ms(100), "begun in the pause");
        assert_eq!(model.between(began, began.after(ms(150))), ms(150), "ended before it");
        assert!(model.is_settling());
    }

    #[test]
    fn an_update_that_comes_a_little_late_is_no_pause() {
        let mut model = told_every_tick_until(1000);
        let began = model.now;
        model.advance(began.after(ms(290)));
        assert_eq!(model.lasted(began), ms(290));
        assert!(!model.is_settling());
    }

    #[test]
    fn a_target_that_always_takes_half_a_second_is_not_paused_all_the_time() {
        let mut model = told_every_tick_until(1000);
        for _ in 0..100 {
            let next = model.now.after(ms(500));
            model.advance(next);
        }
        let began = model.now;
        for _ in 0..4 {
            let next = model.now.after(ms(500));
            model.advance(next);
        }
        assert_eq!(model.lasted(began), ms(2000));
    }

    #[test]
    fn pauses_without_end_take_no_memory_without_end() {
        let mut model = told_every_tick_until(1000);
        for n in 0..10_000 {
            let next = model.now.after(ms(if n % 20 == 0 { 2000 } else { 100 }));
            model.advance(next);
        }
        assert_eq!(model.track.pauses.past.len(), KEPT);
        assert_eq!(model.lasted(model.now.before(ms(50))), ms(50));
    }
}
