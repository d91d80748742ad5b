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
    site::{SiteInfo, SiteKind, is_passed_on},
};

/// Where a lock was made; and from when it is first used while something records, its slot.
///
/// One word for both. Until there is a slot: the address of the place, which is even, and in the top bits, which no address
/// of a process has, the number of the lock's name, 0 for none. Then: the address of the slot and one; or [`NONE`], when
/// there was no slot to be had.
pub(super) struct Watch(AtomicPtr<()>);

type Word = *mut ();

const NONE: Word = std::ptr::without_provenance_mut(usize::MAX);
const HAS_SLOT: usize = 1;
/// Of an address. Where it has 32 bits, there is no room for a name.
const ADDRESS_BITS: u32 = 48;

const _: () = assert!(align_of::<Location<'_>>() > HAS_SLOT && align_of::<LockSlot>() > HAS_SLOT);

/// Whether there is no slot yet.
#[inline]
fn is_new(word: Word) -> bool {
    word.addr() & HAS_SLOT == 0
}

/// The number of the name of what has no slot yet.
fn name(word: Word) -> u16 {
    word.addr().checked_shr(ADDRESS_BITS).unwrap_or(0) as u16
}

fn without_name(word: Word) -> Word {
    word.map_addr(|addr| addr & usize::MAX >> usize::BITS.saturating_sub(ADDRESS_BITS))
}

fn with_name(word: Word, name: u16) -> Word {
    without_name(word).map_addr(|addr| addr | usize::from(name).checked_shl(ADDRESS_BITS).unwrap_or(0))
}

impl Watch {
    pub(super) const fn new(made: &'static Location<'static>) -> Self {
        Self(AtomicPtr::new(std::ptr::from_ref(made).cast_mut().cast()))
    }

    /// The slot, of a mutex for a `T`, which is used at `used`.
    #[inline]
    pub(super) fn mutex<T: ?Sized>(&self, used: &'static Location<'static>) -> Option<&'static LockSlot> {
        let recorder = active()?;
        let word = self.0.load(Acquire);
        if is_new(word) {
            self.register(word, type_name::<T>(), Some(used), |info, name| {
                LockSlot::register(recorder, info, LockKind::Mutex, |slot| slot.name_first(name))
            })
        } else {
            known(word)
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
        let word = self.0.load(Acquire);
        if is_new(word) {
            self.register(word, type_name::<T>(), used, move |info, name| {
                LockSlot::register(recorder, info, kind, |slot| slot.name_first(name)).inspect(|slot| first(slot))
            })
        } else {
            known(word)
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
        let word = self.0.load(Acquire);
        let slot = if is_new(word) {
            self.register(word, type_name::<T>(), used, |info, name| {
                LockSlot::register_shared(recorder, info, kind, permits(), |slot| slot.name_first(name))
            })
        } else {
            known(word)
        };
        Shared::of(slot?)
    }

    /// The slot, if there is one by now.
    #[inline]
    pub(super) fn slot_if_known(&self) -> Option<&'static LockSlot> {
        let word = self.0.load(Acquire);
        if is_new(word) { None } else { known(word) }
    }

    /// As [`Watch::slot_if_known`], of what several may hold.
    #[inline]
    pub(super) fn shared_if_known(&self) -> Option<Shared> {
        Shared::of(self.slot_if_known()?)
    }

    /// What the app calls the lock from now on. Costs nothing later: until there is a slot, the name lies where its address
    /// will.
    pub(super) fn set_name(&self, name: &str) {
        let id = names::id(name);
        let named = |word| is_new(word).then(|| with_name(word, id));
        if let Err(word) = self.0.fetch_update(AcqRel, Acquire, named)
            && let Some(slot) = known(word)
        {
            slot.rename(id);
        }
    }

    #[cold]
    fn register(
        &self,
        new: Word,
        type_name: &'static str,
        used: Option<&'static Location<'static>>,
        register: impl FnOnce(&SiteInfo, u16) -> Option<&'static LockSlot>,
    ) -> Option<&'static LockSlot> {
        recorder::found_drop_in();
        // `Arc::default()` says that the lock was made in the standard library: then the first line that uses it is the
        // nearest to the one that made it.
        // SAFETY: new, so without its name it comes from a `&'static Location`.
        let made = unsafe { &*without_name(new).cast::<Location<'static>>() };
        let made = if is_passed_on(made) { used.unwrap_or(made) } else { made };
        let info = SiteInfo::of_thing(SiteKind::Lock, made, type_name);
        let slot = register(&info, name(new));
        let word = slot.map_or(NONE, |slot| {
            let word: Word = std::ptr::from_ref(slot).cast_mut().cast();
            word.map_addr(|addr| addr | HAS_SLOT)
        });
        let mut expected = new;
        while let Err(theirs) = self.0.compare_exchange(expected, word, AcqRel, Acquire) {
            if !is_new(theirs) {
                if let Some(slot) = slot {
                    slot.retire();
                }
                return known(theirs);
            }
            // Named meanwhile.
            if let Some(slot) = slot {
                slot.rename(name(theirs));
            }
            expected = theirs;
        }
        slot
    }
}

/// The slot of what is not new.
#[inline]
fn known(word: Word) -> Option<&'static LockSlot> {
    // SAFETY: neither new nor `NONE`, so without the bit it comes from a `&'static LockSlot`.
    (word != NONE).then(|| unsafe { &*word.map_addr(|addr| addr & !HAS_SLOT).cast::<LockSlot>() })
}

impl Drop for Watch {
    #[inline]
    fn drop(&mut self) {
        let word = *self.0.get_mut();
        if !is_new(word)
            && let Some(slot) = known(word)
        {
            slot.retire();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_given_while_the_lock_becomes_known_is_its_name() {
        crate::testing::recorder();
        for round in 0..200 {
            let watch = Watch::new(Location::caller());
            let name = format!("lock_watch::{}", round % 8);
            std::thread::scope(|scope| {
                scope.spawn(|| watch.set_name(&name));
                scope.spawn(|| watch.mutex::<u8>(Location::caller()));
            });
            let slot = watch.slot_if_known().expect("it was used");
            assert_eq!(names::text(slot.read().expect("it is there").name), name);
        }
    }
}
