//! Slots that nobody uses, in a list for each few threads: two threads that take and give back slots of their own meet
//! nowhere. A thread whose number is nobody else's keeps a few where only it looks, which costs it no locked instruction; when
//! it ends, they are kept for the next of that number. But for these, whoever finds no room has looked at all there is.
use super::{
    free_list::{FreeList, Taken},
    numbers::{NUMBERS, is_own},
    sync::atomic::{
        AtomicU32,
        Ordering::{Relaxed, Release},
        fence,
    },
};

/// One for each number that a thread may have.
pub(super) const STRIPES: usize = NUMBERS;
/// Slots that a thread keeps for itself at most: enough for what comes and goes at once, and few enough that what all keep is
/// a part of one chunk.
const KEPT: u32 = 64;

/// A list each; a thread's is the one of its number.
pub(crate) struct Stripes(pub(super) [Stripe; STRIPES]);

/// On lines of its own, since threads are to share none.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Stripe {
    free: FreeList,
    kept: Kept,
}

impl Stripe {
    /// Of a list without slots, and of no first one that is kept and how many there are.
    pub(crate) const fn of(free: FreeList, first: AtomicU32, len: AtomicU32) -> Self {
        Self { free, kept: Kept { first, len } }
    }
}

/// What only the one thread of a number takes and gives back; how numbers are handed on brings all of it to the next thread.
#[derive(Default)]
struct Kept {
    /// Index of the first, plus one; 0 for none.
    first: AtomicU32,
    len: AtomicU32,
}

impl Kept {
    /// Whether there is room for one more, which then is the first; `next` is its link.
    #[inline]
    fn push(&self, slot: u32, next: &AtomicU32) -> bool {
        let len = self.len.load(Relaxed);
        if len >= KEPT {
            return false;
        }
        next.store(self.first.load(Relaxed), Relaxed);
        self.first.store(slot + 1, Relaxed);
        self.len.store(len + 1, Relaxed);
        true
    }

    #[inline]
    fn pop<'a>(&self, next: impl Fn(u32) -> Option<&'a AtomicU32>) -> Option<u32> {
        let first = self.first.load(Relaxed).checked_sub(1)?;
        self.first.store(next(first)?.load(Relaxed), Relaxed);
        self.len.store(self.len.load(Relaxed) - 1, Relaxed);
        // As in `FreeList::pop`, of what this thread or the last one of its number took away.
        fence(Release);
        Some(first)
    }
}

impl Stripes {
    fn of(&self, thread: usize) -> &Stripe {
        &self.0[thread % STRIPES]
    }

    /// Gives a slot back; `next` is its link.
    #[inline]
    pub(crate) fn give_back(&self, thread: usize, slot: u32, next: &AtomicU32) {
        if !(is_own(thread) && self.of(thread).kept.push(slot, next)) {
            self.push(thread, Taken::one(slot), next);
        }
    }

    /// Gives slots to a thread's list that are linked already; `next` is the link of the last.
    #[inline(never)]
    pub(crate) fn push(&self, thread: usize, slots: Taken, next: &AtomicU32) {
        self.of(thread).free.push(slots, next);
    }

    /// A slot that the thread keeps; `next` gives the link of the slot at an index.
    #[inline]
    pub(crate) fn pop_kept<'a>(&self, thread: usize, next: impl Fn(u32) -> Option<&'a AtomicU32>) -> Option<u32> {
        if is_own(thread) { self.of(thread).kept.pop(next) } else { None }
    }

    /// A slot of the thread's list.
    pub(crate) fn pop<'a>(&self, thread: usize, next: impl Fn(u32) -> Option<&'a AtomicU32>) -> Option<u32> {
        self.of(thread).free.pop(next)
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
        let slots = (1..STRIPES).find_map(|further| self.of(thread + further).free.pop_some(n, left, &next))?;
        if slots.first != slots.last {
            // The links of what is in no list are nobody else's.
            let rest = next(slots.first)?.load(Relaxed);
            self.push(thread, Taken { first: rest - 1, last: slots.last }, next(slots.last)?);
        }
        Some(slots.first)
    }

    /// A slot of any list.
    pub(crate) fn pop_any<'a>(&self, next: impl Fn(u32) -> Option<&'a AtomicU32>) -> Option<u32> {
        self.0.iter().find_map(|stripe| stripe.free.pop(&next))
    }
}
