//! Slots that nobody uses, in a list for each few threads: two threads that take and give back slots of their own meet
//! nowhere. Nothing is kept for a thread elsewhere, so a thread that ends leaves nothing behind, and whoever finds no room has
//! looked at all there is.
use super::{
    free_list::{FreeList, Taken},
    numbers::NUMBERS,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

/// One for each number that a thread may have.
pub(super) const STRIPES: usize = NUMBERS;

/// A list each; a thread's is the one of its number.
pub(crate) struct Stripes(pub(super) [FreeList; STRIPES]);

impl Stripes {
    fn of(&self, thread: usize) -> &FreeList {
        &self.0[thread % STRIPES]
    }

    /// Gives slots to a thread's list that are linked already; `next` is the link of the last.
    #[inline]
    pub(crate) fn push(&self, thread: usize, slots: Taken, next: &AtomicU32) {
        self.of(thread).push(slots, next);
    }

    /// A slot of the thread's own list; `next` gives the link of the slot at an index.
    #[inline]
    pub(crate) fn pop<'a>(&self, thread: usize, next: impl Fn(u32) -> Option<&'a AtomicU32>) -> Option<u32> {
        self.of(thread).pop(next)
    }

    /// A slot of another list that has more than `n` and `left`, of which `n` are the thread's from then on: where one thread
    /// makes what another drops, they meet once for so many.
    pub(crate) fn refill<'a>(
        &self,
        thread: usize,
        n: usize,
        left: usize,
        next: impl Fn(u32) -> Option<&'a AtomicU32>,
    ) -> Option<u32> {
        let slots = (1..STRIPES).find_map(|further| self.of(thread + further).pop_some(n, left, &next))?;
        if slots.first != slots.last {
            // The links of what is in no list are nobody else's.
            let rest = next(slots.first)?.load(Relaxed);
            self.push(thread, Taken { first: rest - 1, last: slots.last }, next(slots.last)?);
        }
        Some(slots.first)
    }

    /// A slot of any list.
    pub(crate) fn pop_any<'a>(&self, next: impl Fn(u32) -> Option<&'a AtomicU32>) -> Option<u32> {
        self.0.iter().find_map(|list| list.pop(&next))
    }
}
