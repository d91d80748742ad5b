//! Who could get a notification, and who waits for one. Nobody holds a `Notify`, so this lies where holds are counted.
//!
//! Many may be woken at once, so that each fact is a locked instruction; hence several facts in one word.
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use super::{LockSlot, SHORT_WAIT};
use crate::recorder::histogram::is_long;

/// In `hold_total`, above who is expected: one that waits.
const WAITING: u64 = 1 << 32;

/// Those that wait for a `Notify`.
pub(super) struct Waiting {
    pub(super) all: u32,
    /// Those that asked for the future and awaited it at once.
    pub(super) at_once: u32,
}

impl LockSlot {
    /// So many more, or less, are expected.
    #[inline]
    pub(crate) fn expect(&self, change: i32) {
        self.own.hold_total.fetch_add(i64::from(change).cast_unsigned(), Relaxed);
    }

    /// Of a `Notify`: futures that a notification could reach, polled or not. Of a `Barrier`: tasks that it waits for.
    #[inline]
    pub(crate) fn expecting(&self) -> u32 {
        self.own.hold_total.load(Relaxed) as u32
    }

    /// Of a `Notify`: one of those that are expected waits from now on. Its future was awaited at once when it was asked for,
    /// or not, which is the rarer case and counted apart, in `short_holds`.
    #[inline]
    pub(crate) fn expected_waits(&'static self, at_once: bool) {
        if !at_once {
            self.own.short_holds.fetch_add(1, Relaxed);
        }
        self.own.hold_total.fetch_add(WAITING, Release);
        self.mark();
    }

    /// Such a wait, of `waited` ticks, is over, since a notification came, or was given up.
    #[inline]
    pub(crate) fn expected_no_more(&'static self, waited: u64, at_once: bool, came: bool) {
        self.own.hold_total.fetch_sub(WAITING + 1, Relaxed);
        if !at_once {
            self.own.short_holds.fetch_sub(1, Release);
        }
        let waits = &self.waits;
        waits.total.fetch_add(waited, Relaxed);
        waits.max.raise_shared(waited);
        match (is_long(waited), came) {
            (true, _) => self.expected_long(waited, came),
            (false, true) => _ = waits.contended.fetch_add(1, Relaxed),
            (false, false) => _ = waits.counts.0.fetch_add(SHORT_WAIT, Relaxed),
        }
        self.mark();
    }

    #[cold]
    fn expected_long(&self, waited: u64, came: bool) {
        match self.details() {
            Some(details) => {
                details.long_waits.record_shared(waited);
                details.long_came.fetch_add(came.into(), Relaxed);
            }
            // It came all the same.
            None if came => self.count_acquire(),
            None => {}
        }
    }

    /// Of a `Notify`: who waits.
    pub(super) fn waiting(&self) -> Waiting {
        // Those who did not await it at once are counted before they wait and until after: so none of them is taken for one
        // that did.
        let others = || self.own.short_holds.load(Acquire);
        let before = others();
        let all = (self.own.hold_total.load(Acquire) / WAITING) as u32;
        Waiting { all, at_once: all.saturating_sub(before.max(others())) }
    }
}
