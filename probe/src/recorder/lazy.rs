//! A slot of another arena, taken when it is first needed: what most entities never have costs them four bytes.
use std::marker::PhantomData;

use super::{
    arena::{Arena, Slot},
    sync::atomic::{
        AtomicU32,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

/// Index of the slot plus one; 0 before it is needed, [`NONE`] when there was none to be had.
pub(crate) struct Lazy<T>(pub(super) AtomicU32, pub(super) PhantomData<fn() -> T>);

const NONE: u32 = u32::MAX;

impl<T: Slot> Lazy<T> {
    /// For a new owner.
    pub(crate) fn reset(&self) {
        self.0.store(0, Relaxed);
    }

    /// The slot, if it was needed so far.
    #[inline]
    pub(crate) fn get(&self, arena: &'static Arena<T>) -> Option<&'static T> {
        match self.0.load(Acquire) {
            0 | NONE => None,
            index => arena.at(index - 1),
        }
    }

    /// Whether one was needed, and there was none.
    pub(crate) fn was_shed(&self) -> bool {
        self.0.load(Relaxed) == NONE
    }

    /// The slot, made ready by `reset` when it is new; `None` at the ceiling, which is counted once for each owner.
    pub(crate) fn get_or_take(&self, arena: &'static Arena<T>, reset: impl FnOnce(&T)) -> Option<&'static T> {
        match self.0.load(Acquire) {
            0 => {}
            NONE => return None,
            index => return arena.at(index - 1),
        }
        let taken = arena.try_take().inspect(|&slot| reset(slot));
        let value = taken.map_or(NONE, |slot| Arena::index(slot) + 1);
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
                (theirs != NONE).then(|| arena.at(theirs - 1))?
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
