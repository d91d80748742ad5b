//! What a lock keeps of its slot.
use std::{
    any::type_name,
    panic::Location,
    sync::atomic::{
        AtomicPtr,
        Ordering::{AcqRel, Acquire},
    },
};

use crate::recorder::{
    active,
    holds::Shared,
    lock::{LockKind, LockSlot},
    site::{SiteInfo, SiteKind},
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

    /// The slot, of a mutex for a `T`.
    #[inline]
    pub(super) fn mutex<T: ?Sized>(&self) -> Option<&'static LockSlot> {
        let recorder = active()?;
        let slot = self.slot.load(Acquire);
        if slot.is_null() {
            self.register(type_name::<T>(), |info| LockSlot::register(recorder, info, LockKind::Mutex))
        } else {
            known(slot)
        }
    }

    /// The slot, of something for a `T` that is not held; `first` is told of it when it is new.
    #[inline]
    pub(super) fn event<T: ?Sized>(
        &self,
        kind: LockKind,
        first: impl FnOnce(&'static LockSlot),
    ) -> Option<&'static LockSlot> {
        let recorder = active()?;
        let slot = self.slot.load(Acquire);
        if slot.is_null() {
            self.register(type_name::<T>(), |info| LockSlot::register(recorder, info, kind).inspect(|slot| first(slot)))
        } else {
            known(slot)
        }
    }

    /// The slot, of a lock of another kind for a `T`, with so many permits.
    #[inline]
    pub(super) fn shared<T: ?Sized>(&self, kind: LockKind, permits: impl FnOnce() -> u64) -> Option<Shared> {
        let recorder = active()?;
        let slot = self.slot.load(Acquire);
        let slot = if slot.is_null() {
            self.register(type_name::<T>(), |info| LockSlot::register_shared(recorder, info, kind, permits()))
        } else {
            known(slot)
        };
        Shared::of(slot?)
    }

    /// The slot, if there is one by now.
    pub(super) fn shared_if_known(&self) -> Option<Shared> {
        let slot = self.slot.load(Acquire);
        if slot.is_null() { None } else { Shared::of(known(slot)?) }
    }

    #[cold]
    fn register(
        &self,
        type_name: &'static str,
        register: impl FnOnce(&SiteInfo) -> Option<&'static LockSlot>,
    ) -> Option<&'static LockSlot> {
        let info = SiteInfo::of_thing(SiteKind::Lock, self.made, type_name);
        let made = register(&info);
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
