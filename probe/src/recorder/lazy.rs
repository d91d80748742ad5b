//! A slot of another arena, taken when it is first needed: what most entities never have costs them four bytes.
use std::marker::PhantomData;

use super::{
    arena::{Arena, Slot},
    sync::atomic::{
        AtomicU32,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

/// Index of the slot plus one; 0 before it is needed. From [`SHED`] on, there was none to be had; what is above that is a count
/// which the owner keeps in the slot's place.
pub(crate) struct Lazy<T>(pub(super) AtomicU32, pub(super) PhantomData<fn() -> T>);

/// Above all indices.
const SHED: u32 = 1 << 31;

impl<T: Slot> Lazy<T> {
    /// For a new owner.
    pub(crate) fn reset(&self) {
        self.0.store(0, Relaxed);
    }

    /// The slot, if it was needed so far.
    #[inline]
    pub(crate) fn get(&self, arena: &'static Arena<T>) -> Option<&'static T> {
        // None that an arena has, where there is no slot.
        arena.at(self.0.load(Acquire).wrapping_sub(1))
    }

    /// Whether one was needed, and there was none.
    pub(crate) fn was_shed(&self) -> bool {
        self.0.load(Relaxed) >= SHED
    }

    /// Where there was none to be had: counts `n` more in its place. What is full stays so.
    #[cold]
    pub(crate) fn count_instead(&self, n: u32) {
        self.change_count(|count| count.saturating_add(n));
    }

    /// The same, of what is no more; not below none.
    #[cold]
    pub(crate) fn discount_instead(&self, n: u32) {
        self.change_count(|count| if count == u32::MAX { count } else { count.saturating_sub(n).max(SHED) });
    }

    fn change_count(&self, change: impl Fn(u32) -> u32) {
        let mut before = self.0.load(Relaxed);
        while before >= SHED {
            match self.0.compare_exchange(before, change(before), Relaxed, Relaxed) {
                Ok(_) => return,
                Err(now) => before = now,
            }
        }
    }

    /// What was counted in its place.
    pub(crate) fn counted_instead(&self) -> u32 {
        self.0.load(Relaxed).saturating_sub(SHED)
    }

    /// The slot, made ready by `reset` when it is new; `None` at the ceiling, which is counted once for each owner.
    pub(crate) fn get_or_take(&self, arena: &'static Arena<T>, reset: impl FnOnce(&T)) -> Option<&'static T> {
        match self.0.load(Acquire) {
            0 => {}
            SHED.. => return None,
            index => return arena.at(index - 1),
        }
        let taken = arena.try_take().inspect(|&slot| reset(slot));
        let value = taken.map_or(SHED, |slot| Arena::index(slot) + 1);
        match self.0.compare_exchange(0, value, AcqRel, Acquire) {
            Ok(_) => {
                if taken.is_none() {
                    arena.count_shed();
                }
                taken
            }
            Err(theirs) => {
                if let Some(slot) = taken {
                    arena.give_back(slot);
                }
                arena.at(theirs - 1)
            }
        }
    }

    /// The owner goes.
    pub(crate) fn give_back(&self, arena: &'static Arena<T>) {
        if let Some(slot) = self.get(arena) {
            arena.give_back(slot);
        }
        self.reset();
    }
}
