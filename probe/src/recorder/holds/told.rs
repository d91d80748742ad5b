//! Holds that the `tracing` layer is told of. It is told that something was acquired when it was, and that something was
//! let go after it was: so the next holder may be told of before. And it is not told which of several holds ended.
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

use super::{CLAIMED, EXCLUSIVE, Entry, Shared, location};
use crate::recorder::{clock, thread};

impl Shared {
    /// The task in poll, if there is one, has acquired it.
    pub(crate) fn told_acquired(self, permits: u32, exclusive: bool) {
        self.lock.count_acquire();
        // Ended by `told_let_go`.
        std::mem::forget(self.hold(None, permits, exclusive, clock::ticks()));
    }

    /// The same by one who keeps all others out.
    pub(crate) fn told_acquired_alone(self) {
        let all = u32::try_from(self.holds.total.load(Relaxed)).unwrap_or(u32::MAX);
        self.told_acquired(all, true);
    }

    /// A hold has ended: one of those by the task in poll, if it has any. Where it has none, its guard has come from
    /// elsewhere. If then it cannot be told which hold it was, it is not said any more who holds.
    pub(crate) fn told_let_go(self, exclusive: bool) {
        let holds = self.holds;
        if self.lock.acquires() <= holds.released.load(Acquire) {
            // It is told so of new locks too.
            return;
        }
        let task = thread::holder().task;
        let is_it = |entry: &&Entry| {
            let is_exclusive = entry.mark.load(Relaxed) & EXCLUSIVE != 0;
            entry.since.load(Acquire) > CLAIMED && is_exclusive == exclusive
        };
        let listed = || holds.entries.iter().filter(is_it);
        let newest =
            listed().filter(|entry| entry.task.load(Relaxed) == task).max_by_key(|entry| entry.since.load(Relaxed));
        let alone = || listed().next().filter(|_| listed().count() == 1 && self.holds_in_progress() == 1);
        if let Some(entry) = newest.or_else(alone) {
            self.end_hold(entry);
        } else {
            listed().for_each(|entry| entry.since.store(0, Release));
        }
        if exclusive {
            holds.extra.fetch_sub(holds.total.load(Relaxed).wrapping_sub(1), Relaxed);
        }
        holds.released.fetch_add(1, Release);
        self.lock.mark();
    }

    /// The time of a hold is counted, and it is listed no more.
    fn end_hold(self, entry: &Entry) {
        let since = entry.since.load(Acquire);
        let site = location(&entry.site);
        let kept_out_others = entry.kept_out_others(self.lock);
        if since <= CLAIMED || entry.since.compare_exchange(since, 0, AcqRel, Relaxed).is_err() {
            return;
        }
        let now = clock::ticks();
        let took = now.saturating_sub(since);
        self.lock.shared_hold(took, site);
        if kept_out_others {
            self.lock.suspended(took, now, site, false);
        }
    }

    fn holds_in_progress(self) -> u64 {
        self.lock.acquires().saturating_sub(self.holds.released.load(Acquire))
    }

    /// Of a semaphore: its permits are told of as one pool.
    pub(crate) fn told_pool(self) {
        self.holds.pooled.store(true, Relaxed);
    }

    /// That many permits there are, in all.
    pub(crate) fn told_total(self, permits: u64) {
        self.holds.total.store(permits, Relaxed);
        self.lock.mark();
    }

    /// Permits were taken from the pool.
    pub(crate) fn told_taken(self, permits: u64) {
        self.holds.extra.fetch_add(permits, Relaxed);
        self.lock.mark();
    }

    /// Permits came back to the pool; among them may be such as were taken without a word, and new ones.
    pub(crate) fn told_returned(self, permits: u64) {
        let _ = self.holds.extra.try_update(Relaxed, Relaxed, |held| Some(held.saturating_sub(permits)));
        self.lock.mark();
    }
}
