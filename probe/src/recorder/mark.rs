//! "Changed since last looked": a bit in each slot, which its writers look at, and one in a word that 64 slots share,
//! which the reader looks at. A writer touches the shared word once between two looks, however often it writes.
use super::sync::{
    atomic::{
        AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
    settles,
};

const MARKED: u32 = 1 << 31;

/// A slot's index, and in the top bit whether the slot's bit in the shared word is set, or about to be. The index never
/// changes, so both sides just store what they mean.
#[derive(Default)]
pub(crate) struct Place(AtomicU32);

impl Place {
    /// Where the slot is: told once, before anybody else knows of it.
    pub(crate) fn set(&self, index: u32) {
        self.0.store(index, Relaxed);
    }

    /// The slot's index.
    #[inline]
    pub(crate) fn index(&self) -> u32 {
        self.0.load(Relaxed) & !MARKED
    }

    /// To be called after a change; nearly always one load of a line that the caller has. When it says so, the slot's bit
    /// is to be set by [`mark`].
    #[inline]
    pub(crate) fn is_unmarked(&self) -> bool {
        settles();
        self.0.load(Relaxed) & MARKED == 0
    }

    fn marked(&self) {
        self.0.store(self.index() | MARKED, Relaxed);
    }

    fn unmarked(&self) {
        self.0.store(self.index(), Relaxed);
    }
}

/// Sets the slot's bit.
pub(crate) fn mark(place: &Place, word: &AtomicU64) {
    place.marked();
    word.fetch_or(1 << (place.index() % 64), Release);
}

/// Takes the bits of one word; `place` gives the slot of each, and `found` is told its number within the word. What is
/// written after this marks anew.
pub(crate) fn take<'a>(word: &AtomicU64, place: impl Fn(u32) -> &'a Place, mut found: impl FnMut(u32)) {
    if word.load(Relaxed) == 0 {
        return;
    }
    let mut bits = word.swap(0, Acquire);
    while bits != 0 {
        let slot = bits.trailing_zeros();
        bits &= bits - 1;
        place(slot).unmarked();
        found(slot);
    }
}
