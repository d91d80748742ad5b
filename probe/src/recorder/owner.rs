//! Whose a slot is. What a reader found in it is told only if it was one owner's from the first look to the last.
//!
//! An owner is entered after its first facts, and taken away before the slot is free. The next one's facts come after that,
//! behind the release fence of whoever takes it (`free_list`, `stripes`): a reader that got one of them sees behind
//! its acquire fence that the owner before is gone.
use super::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// The id of what has the slot; 0 while it is free. No id comes twice.
#[derive(Default)]
pub(crate) struct Owner(AtomicU64);

impl Owner {
    /// Who it is just now; 0 for nobody.
    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Readers see it from now on, with all facts that are there already.
    #[inline]
    pub(crate) fn enter(&self, id: u64) {
        self.0.store(id, Release);
    }

    /// Readers see nothing of it any more.
    #[inline]
    pub(crate) fn leave(&self) {
        self.0.store(0, Release);
    }

    /// What `facts` finds, which is given the id; `None` when the slot is free, or changes hands meanwhile.
    #[inline]
    pub(crate) fn read<R>(&self, facts: impl FnOnce(u64) -> Option<R>) -> Option<R> {
        let id = self.0.load(Acquire);
        if id == 0 {
            return None;
        }
        let facts = facts(id)?;
        fence(Acquire);
        (self.0.load(Relaxed) == id).then_some(facts)
    }
}
