//! Who waits for a lock, and waits that ended. On a line of their own, which those who wait write; with what stays as it is,
//! or is needed rarely.
use std::{
    panic::Location,
    sync::atomic::{AtomicPtr, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed},
};

use super::LockSlot;
#[cfg(feature = "console")]
use crate::recorder::longest::Moment;
use crate::recorder::{
    histogram::is_long, holds::HoldsSlot, lazy::Lazy, lock_details::LockDetails, longest::Longest, names::Name,
    owner::Owner,
};

/// In each slot of a lock.
#[repr(C, align(64))]
pub(super) struct Waits {
    pub(super) owner: Owner,
    /// Taken when several hold it at the same time.
    pub(super) holds: Lazy<HoldsSlot>,
    /// Of what several may hold: how many permits there are; `u32::MAX` for that many or more.
    pub(super) permits: AtomicU32,
    pub(super) hold_max_site: AtomicPtr<Location<'static>>,
    /// Id of the site, which every lock has; there are not more than fit.
    pub(super) site: AtomicU16,
    pub(super) name: Name,
    pub(super) details: Lazy<LockDetails>,

    pub(super) counts: WaitCounts,
    /// Waits that ended with what was waited for; of a `Notify`, those that took not long.
    pub(super) contended: AtomicU64,
    pub(super) total: AtomicU64,
    pub(super) max: Longest,
    #[cfg(feature = "console")]
    pub(super) made_at: Moment,
}

/// Who waits, below, and waits that ended and took not long, above, which wrap: so that a wait that ends is one locked
/// instruction for both.
#[derive(Default)]
pub(super) struct WaitCounts(pub(super) AtomicU64);

pub(super) const SHORT_WAIT: u64 = 1 << 32;

impl WaitCounts {
    pub(super) fn reset(&self) {
        self.0.store(0, Relaxed);
    }

    #[inline]
    fn begins(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    #[inline]
    fn ended(&self, short: bool) {
        self.0.fetch_add((u64::from(short) * SHORT_WAIT).wrapping_sub(1), Relaxed);
    }

    /// Who waits, and short waits that ended.
    pub(super) fn read(&self) -> (u32, u32) {
        let counts = self.0.load(Relaxed);
        (counts as u32, (counts / SHORT_WAIT) as u32)
    }
}

impl LockSlot {
    /// A thread outside of any task begins to wait, for what `blocking_lock` and the like do.
    #[inline]
    pub(crate) fn wait_begins(&'static self) {
        self.waits.counts.begins();
        self.mark();
    }

    /// A wait of `waited` ticks ended, with one of several holds or without.
    #[inline]
    pub(crate) fn wait_ended(&'static self, waited: u64, acquired: bool) {
        let waits = &self.waits;
        if acquired {
            waits.contended.fetch_add(1, Relaxed);
        }
        waits.total.fetch_add(waited, Relaxed);
        waits.max.raise_shared(waited);
        self.waits_no_more(waited);
    }

    /// A wait of `waited` ticks ended with the lock, which nobody else can hold: so the caller is the only one here.
    #[inline]
    pub(crate) fn wait_won(&'static self, waited: u64) {
        let waits = &self.waits;
        waits.contended.store(waits.contended.load(Relaxed) + 1, Relaxed);
        waits.total.store(waits.total.load(Relaxed) + waited, Relaxed);
        waits.max.raise(waited);
        self.waits_no_more(waited);
    }

    /// A wait of `waited` ticks for a lock that only one can hold ended without it.
    #[cold]
    pub(crate) fn wait_given_up(&'static self, waited: u64) {
        if let Some(details) = self.details() {
            let up = &details.given_up;
            up.total.fetch_add(waited, Relaxed);
            up.max.fetch_max(waited, Relaxed);
        }
        self.waits_no_more(waited);
    }

    #[inline]
    fn waits_no_more(&'static self, waited: u64) {
        let long = is_long(waited);
        if long {
            self.long_wait(waited);
        }
        self.waits.counts.ended(!long);
        self.mark();
    }

    #[cold]
    fn long_wait(&self, waited: u64) {
        if let Some(details) = self.details() {
            details.long_waits.record_shared(waited);
        }
    }
}
