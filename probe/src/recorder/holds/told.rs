//! Holds that the `tracing` layer is told of. It is told that something was acquired when it was, and that something was
//! let go after it was: so the next holder may be told of before. And it is not told which of several holds ended.
use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::{EXCLUSIVE, Entry, Hold, LISTED, Shared};
use crate::recorder::{clock, thread};

impl Shared {
    /// The task in poll, if there is one, has acquired it.
    pub(crate) fn told_acquired(self, permits: u32, exclusive: bool) {
        let hold = Hold { holder: thread::holder(), site: None, permits, exclusive };
        if permits != 1 {
            self.holds.permits_more(permits);
        }
        // Ended by `told_let_go`.
        if let Some(entry) = self.holds.claim() {
            entry.count_acquire();
            entry.begin(hold, clock::ticks());
        } else {
            self.lock.count_acquire();
        }
        self.lock.mark();
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
        if self.holds_in_progress() == 0 {
            // It is told so of new locks too.
            return;
        }
        if exclusive {
            holds.extra.fetch_sub(holds.total.load(Relaxed).wrapping_sub(1), Relaxed);
        }
        // Others may end the very hold that was found.
        let ended = (0..LISTED).find_map(|_| self.find_hold(exclusive).map(|entry| self.end_hold(entry)));
        if ended != Some(true) {
            self.listed(exclusive).for_each(|entry| self.list_no_more(entry));
            holds.released.fetch_add(1, Relaxed);
        }
        self.lock.mark();
    }

    fn listed(self, exclusive: bool) -> impl Iterator<Item = &'static Entry> {
        self.holds.entries().filter(move |entry| {
            let is_exclusive = entry.mark.load(Relaxed) & EXCLUSIVE != 0;
            entry.since.goes_on() && is_exclusive == exclusive
        })
    }

    /// Which hold it is that the task in poll has let go, as far as can be told.
    fn find_hold(self, exclusive: bool) -> Option<&'static Entry> {
        let task = thread::holder().task;
        let of_task = self.listed(exclusive).filter(|entry| entry.task.load(Relaxed) == task);
        of_task.max_by_key(|entry| entry.since.get()).or_else(|| {
            self.listed(exclusive)
                .next()
                .filter(|_| self.listed(exclusive).count() == 1 && self.holds_in_progress() == 1)
        })
    }

    /// The time of a hold is counted, and it is listed no more; false when somebody else has done so.
    fn end_hold(self, entry: &Entry) -> bool {
        let Some(since) = entry.since.claim_back() else { return false };
        entry.count_from(since, self.lock);
        entry.since.end();
        true
    }

    /// A hold goes on, of which nothing is known any more.
    fn list_no_more(self, entry: &Entry) {
        if entry.since.claim_back().is_some() {
            entry.since.end();
            self.holds.released.fetch_sub(1, Relaxed);
        }
    }

    fn holds_in_progress(self) -> u64 {
        self.holds.in_progress() + self.unlisted()
    }

    fn unlisted(self) -> u64 {
        self.lock.acquires().wrapping_sub(self.holds.released.load(Acquire)).cast_signed().max(0) as u64
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
