//! Since when something goes on, of which facts lie beside it: a hold of a lock. Written by one at a time, who has claimed
//! it or is alone for another reason; read by anybody at any time.
//!
//! A reader gets the facts of one hold with that hold's start, or nothing. Facts are plain stores behind a release fence,
//! and the start is read again behind an acquire fence: whoever got a fact of a later hold sees then that the earlier one
//! is over. No two that were acquired begin at the same tick where one follows the other, so a start that is the same is the
//! same hold, or a part of it: permits that were split off begin when the whole did, and of two parts that follow each other
//! in one place a reader may get the facts mixed, which are of one lock and one acquisition.
use super::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// In ticks; 0 when free, [`CLAIMED`] while the facts are being written.
#[derive(Default)]
pub(crate) struct Since(AtomicU64);

const CLAIMED: u64 = 1;

impl Since {
    /// For something new that nobody else knows of.
    pub(crate) fn reset(&self) {
        self.0.store(0, Release);
    }

    /// The caller's from now on, if it was free. What those had written who were here before has happened then.
    #[inline]
    pub(crate) fn claim(&self) -> bool {
        self.0.load(Relaxed) == 0 && self.0.compare_exchange(0, CLAIMED, Acquire, Relaxed).is_ok()
    }

    /// It goes on since `at`, with the facts that `facts` stores.
    #[inline]
    pub(crate) fn begin(&self, at: u64, facts: impl FnOnce()) {
        fence(Release);
        facts();
        self.0.store(at, Release);
    }

    /// It is over, and this is free.
    #[inline]
    pub(crate) fn end(&self) {
        self.0.store(0, Release);
    }

    /// Since when, for who has claimed it and has not ended it, or for a look that need not be exact; 0 when free.
    #[inline]
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Whether it is free, or will not have been.
    pub(crate) fn is_free(&self) -> bool {
        self.0.load(Acquire) == 0
    }

    /// Whether it goes on, with its facts in place.
    #[cfg(feature = "layer")]
    pub(crate) fn goes_on(&self) -> bool {
        self.0.load(Acquire) > CLAIMED
    }

    /// Claims it of somebody else, of whom it is known that what goes on is over; says since when it did. `None` when it
    /// does not go on, or has been seen to.
    #[cfg_attr(not(feature = "layer"), allow(dead_code, reason = "others end what they began"))]
    pub(crate) fn claim_back(&self) -> Option<u64> {
        let since = self.0.load(Acquire);
        (since > CLAIMED && self.0.compare_exchange(since, CLAIMED, Acquire, Relaxed).is_ok()).then_some(since)
    }

    /// Since when and what `facts` says of it; `None` when it is free. What begins and ends so fast that a few tries find
    /// no such moment is left out.
    pub(crate) fn read<R>(&self, facts: impl Fn() -> R) -> Option<(u64, R)> {
        for _ in 0..8 {
            let since = self.0.load(Acquire);
            if since <= CLAIMED {
                return None;
            }
            let facts = facts();
            fence(Acquire);
            if self.0.load(Relaxed) == since {
                return Some((since, facts));
            }
        }
        None
    }
}
