//! How many refer to a slot. As in an `Arc`: whoever has a reference may make another, and the last one to let go owns
//! the slot alone.
use super::sync::atomic::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// A count of references.
#[derive(Default)]
pub(crate) struct Refs(pub(super) AtomicU32);

/// So many are not there, but were forgotten: `mem::forget` of a clone takes no memory, and is safe. Such a count would come
/// round to zero with the slot in use, so it is held up here, and the slot stays taken.
const RUN_AWAY: u32 = 1 << 31;
/// Where it is held: out of reach of what threads may add or take before they look.
const HELD_UP: u32 = 3 << 30;

impl Refs {
    /// So many references, of a slot that nobody else knows of yet.
    #[inline]
    pub(crate) fn begin(&self, refs: u32) {
        self.0.store(refs, Relaxed);
    }

    /// One more, by somebody who has none, unless the slot is unused; whose it is now, is to be asked afterwards.
    pub(crate) fn retain_used(&self) -> bool {
        let mut refs = self.0.load(Relaxed);
        while refs != 0 {
            if refs >= RUN_AWAY {
                return true;
            }
            match self.0.compare_exchange_weak(refs, refs + 1, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => refs = now,
            }
        }
        false
    }

    /// One more, by whoever has one.
    #[inline]
    pub(crate) fn retain(&self) {
        if self.0.fetch_add(1, Relaxed) >= RUN_AWAY {
            self.hold_up();
        }
    }

    /// One less; says how many there were. After the last one, whatever others did with theirs has happened.
    #[inline]
    pub(crate) fn release(&self) -> u32 {
        let before = self.0.fetch_sub(1, Release);
        if before == 1 {
            fence(Acquire);
        } else if before >= RUN_AWAY {
            self.hold_up();
        }
        before
    }

    #[cold]
    fn hold_up(&self) {
        self.0.store(HELD_UP, Relaxed);
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Relaxed)
    }
}
