//! Slots that are taken one after the other.
use loom::sync::atomic::{
    AtomicU32,
    Ordering::{Relaxed, SeqCst},
};

/// What a slot begins with.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) index: u32,
}

/// # Safety
/// None: here slots are made one by one.
pub(crate) unsafe trait Slot {
    fn head(&self) -> &Head;
}

pub(crate) struct Arena<T> {
    slots: Vec<T>,
    pub(crate) taken: AtomicU32,
    pub(crate) given_back: AtomicU32,
    pub(crate) shed: AtomicU32,
}

impl<T: Slot> Arena<T> {
    pub(crate) fn of(slots: Vec<T>) -> Self {
        let zero = || AtomicU32::new(0);
        Self { slots, taken: zero(), given_back: zero(), shed: zero() }
    }

    pub(crate) fn try_take(&self) -> Option<&T> {
        self.slots.get(self.taken.fetch_add(1, SeqCst) as usize)
    }

    pub(crate) fn give_back(&self, _slot: &T) {
        self.given_back.fetch_add(1, Relaxed);
    }

    pub(crate) fn at(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)
    }

    pub(crate) fn index(slot: &T) -> u32 {
        slot.head().index
    }

    pub(crate) fn count_shed(&self) {
        self.shed.fetch_add(1, Relaxed);
    }
}
