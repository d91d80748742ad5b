//! A mutex's slot, and one hold of the mutex.
use std::{
    any::type_name,
    panic::Location,
    sync::atomic::{
        AtomicPtr,
        Ordering::{AcqRel, Acquire},
    },
};

use crate::recorder::{
    Recorder, active, clock,
    lock::{LockKind, LockSlot},
    site::{OutputKind, SiteInfo, SiteKind},
};

/// Where a lock was made, and its slot, which it gets when it is first used while something records.
pub(super) struct Watch {
    made: &'static Location<'static>,
    /// Null until it is known; [`NONE`] when there was no slot to be had.
    slot: AtomicPtr<LockSlot>,
}

const NONE: *mut LockSlot = std::ptr::dangling_mut();

impl Watch {
    pub(super) const fn new(made: &'static Location<'static>) -> Self {
        Self { made, slot: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// The slot, of a lock for a `T`.
    #[inline]
    pub(super) fn slot<T: ?Sized>(&self) -> Option<&'static LockSlot> {
        let recorder = active()?;
        let slot = self.slot.load(Acquire);
        if slot.is_null() { self.register(recorder, type_name::<T>()) } else { known(slot) }
    }

    #[cold]
    fn register(&self, recorder: &'static Recorder, type_name: &'static str) -> Option<&'static LockSlot> {
        let info = SiteInfo {
            kind: SiteKind::Lock,
            location: self.made,
            type_name,
            output: OutputKind::Unknown,
            future_bytes: 0,
        };
        let made = LockSlot::register(recorder, &info, LockKind::Mutex);
        let slot = made.map_or(NONE, |slot| std::ptr::from_ref(slot).cast_mut());
        match self.slot.compare_exchange(std::ptr::null_mut(), slot, AcqRel, Acquire) {
            Ok(_) => made,
            Err(theirs) => {
                if let Some(made) = made {
                    made.retire();
                }
                known(theirs)
            }
        }
    }
}

#[inline]
fn known(slot: *mut LockSlot) -> Option<&'static LockSlot> {
    // SAFETY: neither null nor `NONE`, so it comes from a `&'static LockSlot`.
    (slot != NONE).then(|| unsafe { &*slot })
}

impl Drop for Watch {
    #[inline]
    fn drop(&mut self) {
        let slot = *self.slot.get_mut();
        if !slot.is_null()
            && let Some(slot) = known(slot)
        {
            slot.retire();
        }
    }
}

/// One hold of a mutex. Dropping it notes the release, then releases.
pub(super) struct Hold<'a> {
    slot: Option<&'static LockSlot>,
    _guard: ::tokio::sync::MutexGuard<'a, ()>,
}

impl<'a> Hold<'a> {
    /// Notes that the lock was acquired at `site`.
    #[inline]
    pub(super) fn begin(
        guard: ::tokio::sync::MutexGuard<'a, ()>,
        slot: Option<&'static LockSlot>,
        site: &'static Location<'static>,
    ) -> Self {
        if let Some(slot) = slot {
            slot.acquired(site);
        }
        Self { slot, _guard: guard }
    }

    /// The hold without its borrow of the mutex.
    ///
    /// # Safety
    /// The mutex must stay where it is, and alive, until the hold is dropped.
    pub(super) unsafe fn detach(self) -> Hold<'static> {
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
        self.slot.wait_ended(clock::ticks().wrapping_sub(self.since), self.acquired);
    }
}
