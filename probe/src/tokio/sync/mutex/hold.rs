//! One hold of a mutex, and a wait for it.
use crate::recorder::{clock, lock::LockSlot};

/// One hold of a mutex. Dropping it notes the release, then releases.
pub(super) struct Hold<'a> {
    slot: Option<&'static LockSlot>,
    _guard: ::tokio::sync::MutexGuard<'a, ()>,
}

impl<'a> Hold<'a> {
    /// `slot` is where it is noted.
    #[inline]
    pub(super) fn new(slot: Option<&'static LockSlot>, guard: ::tokio::sync::MutexGuard<'a, ()>) -> Self {
        Self { slot, _guard: guard }
    }

    /// The hold without its borrow of the mutex.
    ///
    /// # Safety
    /// The mutex must stay where it is, and alive, until the hold is dropped.
    pub(super) unsafe fn detach(self) -> Hold<'static> {
        if let Some(slot) = self.slot {
            slot.may_move();
        }
        // SAFETY: only the lifetime differs, and the caller vouches for it.
        unsafe { std::mem::transmute::<Hold<'a>, Hold<'static>>(self) }
    }
}

impl Drop for Hold<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(slot) = self.slot {
            slot.released();
        }
    }
}

/// A thread that waits for a lock. Dropped without the lock when tokio refuses to block.
pub(super) struct BlockingWait {
    slot: &'static LockSlot,
    since: u64,
    acquired: bool,
}

impl BlockingWait {
    pub(super) fn begin(slot: &'static LockSlot) -> Self {
        slot.wait_begins();
        Self { slot, since: clock::ticks(), acquired: false }
    }

    pub(super) fn acquired(mut self) {
        self.acquired = true;
    }
}

impl Drop for BlockingWait {
    fn drop(&mut self) {
        let waited = clock::since(self.since);
        if self.acquired { self.slot.wait_won(waited) } else { self.slot.wait_given_up(waited) }
    }
}
