//! Holds that the `tracing` layer is told of. It is told that something was acquired when it was, and that something was
//! let go after it was: so the next holder may be told of before. And it is not told which of several holds ended.
use std::sync::atomic::Ordering::Relaxed;

use super::{At, Hold, HoldFacts, HoldsSlot, LISTED, POOLED, Shared, held::give_back};
use crate::recorder::{clock, thread};

impl Shared {
    /// The task in poll, if there is one, has acquired it.
    pub(crate) fn told_acquired(self, permits: u32, exclusive: bool) {
        let hold = Hold { holder: thread::holder(), site: None, permits, exclusive };
        // Ended by `told_let_go`.
        if let Some(at) = self.0.claim() {
            self.0.begin_at(at, hold, clock::ticks(), true);
        } else {
            self.0.unlisted_begins(permits, true);
        }
        self.0.mark();
    }

    /// The same by one who keeps all others out.
    pub(crate) fn told_acquired_alone(self) {
        self.told_acquired(self.all(), true);
    }

    /// All permits there are, as who keeps all others out has.
    fn all(self) -> u32 {
        self.0.permits().load(Relaxed)
    }

    /// A hold has ended: one of those by the task in poll, if it has any. Where it has none, its guard has come from
    /// elsewhere. If then it cannot be told which hold it was, it is not said any more who holds.
    pub(crate) fn told_let_go(self, exclusive: bool) {
        if self.in_progress() == 0 {
            // It is told so of new locks too.
            return;
        }
        // Others may end the very hold that was found.
        let ended = (0..LISTED).find_map(|_| self.find_hold(exclusive).map(|at| self.end_hold(at)));
        if ended != Some(true) {
            self.listed(exclusive).for_each(|at| self.list_no_more(at));
            self.0.unlisted_ends(if exclusive { self.all() } else { 1 });
        }
        self.0.mark();
    }

    fn facts(self, at: At) -> Option<&'static HoldFacts> {
        at.facts(self.0)
    }

    fn listed(self, exclusive: bool) -> impl Iterator<Item = At> {
        let entries = self.0.holds().into_iter().flat_map(HoldsSlot::entries).map(At::Entry);
        std::iter::once(At::Lock).chain(entries).filter(move |at| {
            self.facts(*at).is_some_and(|facts| {
                let is_exclusive = facts.is_exclusive();
                facts.since.goes_on() && is_exclusive == exclusive
            })
        })
    }

    /// Those of the task in poll.
    fn of_this_task(self, exclusive: bool) -> impl Iterator<Item = At> {
        let task = thread::holder().task;
        self.listed(exclusive).filter(move |at| self.facts(*at).is_some_and(|facts| facts.task.load(Relaxed) == task))
    }

    /// Which hold it is that the task in poll has let go, as far as can be told.
    fn find_hold(self, exclusive: bool) -> Option<At> {
        let since = |at: &At| self.facts(*at).map(|facts| facts.since.get());
        let newest = self.of_this_task(exclusive).max_by_key(since);
        newest.or_else(|| {
            self.listed(exclusive).next().filter(|_| self.listed(exclusive).count() == 1 && self.in_progress() == 1)
        })
    }

    /// The time of a hold is counted, and it is listed no more; false when somebody else has done so.
    fn end_hold(self, at: At) -> bool {
        let Some(since) = self.facts(at).and_then(|facts| facts.since.claim_back()) else { return false };
        self.0.count_hold(at, since);
        give_back(self.0, at, 0);
        true
    }

    /// A hold goes on, of which nothing is known any more.
    fn list_no_more(self, at: At) {
        let Some(facts) = self.facts(at).filter(|facts| facts.since.claim_back().is_some()) else { return };
        let permits = self.0.permits_at(at);
        if let At::Entry(_) = at {
            self.0.permits_less(permits);
        }
        facts.since.end();
        self.0.unlisted_begins(permits, false);
    }

    fn in_progress(self) -> u64 {
        let beside = self.0.holds().map_or(0, HoldsSlot::holders);
        u64::from(!self.0.own.since.is_free()) + u64::from(self.0.shed_permits()) + beside
    }

    /// Of a semaphore: its permits are told of as one pool.
    pub(crate) fn told_pool(self) {
        self.0.own.ready.fetch_or(POOLED, Relaxed);
    }

    /// That many permits there are, in all.
    pub(crate) fn told_total(self, permits: u64) {
        self.0.permits().store(u32::try_from(permits).unwrap_or(u32::MAX), Relaxed);
        self.0.mark();
    }

    /// Permits were taken from the pool.
    pub(crate) fn told_taken(self, permits: u64) {
        if let Some(beside) = self.0.holds_or_take() {
            beside.extra.fetch_add(permits, Relaxed);
        } else {
            self.0.count_shed_permits(u32::try_from(permits).unwrap_or(u32::MAX));
        }
        self.0.mark();
    }

    /// Permits came back to the pool; among them may be such as were taken without a word, and new ones.
    pub(crate) fn told_returned(self, permits: u64) {
        if let Some(beside) = self.0.holds() {
            let _ = beside.extra.try_update(Relaxed, Relaxed, |held| Some(held.saturating_sub(permits)));
        } else {
            self.0.discount_shed_permits(u32::try_from(permits).unwrap_or(u32::MAX));
        }
        self.0.mark();
    }
}
