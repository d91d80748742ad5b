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
    self, active,
    holds::Shared,
    lock::{LockKind, LockSlot},
    names,
    site::{SiteInfo, SiteKind, is_in_std},
};

/// Where a lock was made, and its slot, which it gets when it is first used while something records.
pub(super) struct Watch {
    made: &'static Location<'static>,
    /// Until it is known, the number of the lock's name in place of an address, null for none; [`NONE`] when there was no
    /// slot to be had.
    slot: AtomicPtr<LockSlot>,
}

const NONE: *mut LockSlot = std::ptr::without_provenance_mut(usize::MAX);

/// Whether there is only a name, or not even that: no slot lies that low.
#[inline]
fn is_new(slot: *mut LockSlot) -> bool {
    u16::try_from(slot.addr()).is_ok()
}

impl Watch {
    pub(super) const fn new(made: &'static Location<'static>) -> Self {
        Self { made, slot: AtomicPtr::new(std::ptr::null_mut()) }
    }

    /// The slot, of a mutex for a `T`, which is used at `used`.
    #[inline]
    pub(super) fn mutex<T: ?Sized>(&self, used: &'static Location<'static>) -> Option<&'static LockSlot> {
        let recorder = active()?;
        let slot = self.slot.load(Acquire);
        if is_new(slot) {
            self.register(slot, type_name::<T>(), Some(used), |info, name| {
                LockSlot::register(recorder, info, LockKind::Mutex, |slot| slot.name_first(name))
            })
        } else {
            known(slot)
        }
    }

    /// The slot, of something for a `T` that is not held, which is used at `used` if that is known; `first` is told of it
    /// when it is new.
    #[inline]
    pub(super) fn event<T: ?Sized>(
        &self,
        kind: LockKind,
        used: Option<&'static Location<'static>>,
        first: impl FnOnce(&'static LockSlot),
    ) -> Option<&'static LockSlot> {
        let recorder = active()?;
        let slot = self.slot.load(Acquire);
        if is_new(slot) {
            self.register(slot, type_name::<T>(), used, |info, name| {
                LockSlot::register(recorder, info, kind, |slot| slot.name_first(name)).inspect(|slot| first(slot))
            })
        } else {
            known(slot)
        }
    }

    /// The slot, of a lock of another kind for a `T`, with so many permits, which is used at `used` if that is known.
    #[inline]
    pub(super) fn shared<T: ?Sized>(
        &self,
        kind: LockKind,
        used: Option<&'static Location<'static>>,
        permits: impl FnOnce() -> u64,
    ) -> Option<Shared> {
        let recorder = active()?;
        let slot = self.slot.load(Acquire);
        let slot = if is_new(slot) {
            self.register(slot, type_name::<T>(), used, |info, name| {
                LockSlot::register_shared(recorder, info, kind, permits(), |slot| slot.name_first(name))
            })
        } else {
            known(slot)
        };
        Shared::of(slot?)
    }

    /// The slot, if there is one by now.
    pub(super) fn shared_if_known(&self) -> Option<Shared> {
        let slot = self.slot.load(Acquire);
        if is_new(slot) { None } else { Shared::of(known(slot)?) }
    }

    /// What the app calls the lock from now on. Costs nothing later: until there is a slot, the name lies where its address
    /// will.
    pub(super) fn set_name(&mut self, name: &str) {
        let slot = *self.slot.get_mut();
        if is_new(slot) {
            *self.slot.get_mut() = std::ptr::without_provenance_mut(names::id(name).into());
        } else if let Some(slot) = known(slot) {
            slot.set_name(name);
        }
    }

    #[cold]
    fn register(
        &self,
        new: *mut LockSlot,
        type_name: &'static str,
        used: Option<&'static Location<'static>>,
        register: impl FnOnce(&SiteInfo, u16) -> Option<&'static LockSlot>,
    ) -> Option<&'static LockSlot> {
        recorder::found_drop_in();
        // `Arc::default()` says that the lock was made in the standard library: then the first line that uses it is the
        // nearest to the one that made it.
        let made = if is_in_std(self.made) { used.unwrap_or(self.made) } else { self.made };
        let info = SiteInfo::of_thing(SiteKind::Lock, made, type_name);
        let made = register(&info, new.addr() as u16);
        let slot = made.map_or(NONE, |slot| std::ptr::from_ref(slot).cast_mut());
        match self.slot.compare_exchange(new, slot, AcqRel, Acquire) {
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
    // SAFETY: neither a name nor `NONE`, so it comes from a `&'static LockSlot`.
    (slot != NONE).then(|| unsafe { &*slot })
}

impl Drop for Watch {
    #[inline]
    fn drop(&mut self) {
        let slot = *self.slot.get_mut();
        if !is_new(slot)
            && let Some(slot) = known(slot)
        {
            slot.retire();
        }
    }
}
