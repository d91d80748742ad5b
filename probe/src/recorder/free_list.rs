//! Slots that nobody uses, linked by index. Any thread may push and pop at any time.
use super::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// Head of the list: a tag above the first free index plus one, 0 for none. The tag tells a list that looks the same from
/// one that is: between a look at the first slots and the exchange, others may take them and give them back.
#[derive(Default)]
pub(crate) struct FreeList(pub(super) AtomicU64);

/// Slots that are out of the list, linked from the first to the last.
#[derive(Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) first: u32,
    pub(crate) last: u32,
}

impl Taken {
    pub(crate) fn one(index: u32) -> Self {
        Self { first: index, last: index }
    }
}

impl FreeList {
    /// Puts slots first that are linked already; `next` is the link of the last.
    #[inline]
    pub(crate) fn push(&self, slots: Taken, next: &AtomicU32) {
        let mut head = self.0.load(Relaxed);
        loop {
            next.store(head as u32, Relaxed);
            match self.0.compare_exchange_weak(head, next_tag(head) | u64::from(slots.first + 1), Release, Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes the first slot; `next` gives the link of the slot at an index.
    #[inline]
    pub(crate) fn pop<'a>(&self, next: impl Fn(u32) -> Option<&'a AtomicU32>) -> Option<u32> {
        self.pop_some(1, 0, next).map(|slots| slots.first)
    }

    /// Takes the first `n` slots if there are `left` more, or else none.
    #[inline]
    pub(crate) fn pop_some<'a>(
        &self,
        n: usize,
        left: usize,
        next: impl Fn(u32) -> Option<&'a AtomicU32>,
    ) -> Option<Taken> {
        let mut head = self.0.load(Acquire);
        loop {
            let first = (head as u32).checked_sub(1)?;
            // Links are followed while others may change them; then the tag has changed too, and nothing comes of it: neither
            // of slots that were found, nor of an end of the list, which may be another list's.
            let Some((last, after)) = follow(first, n, left, &next) else {
                // What was read of links comes before this: see the fence of who took them.
                fence(Acquire);
                let now = self.0.load(Acquire);
                if now == head {
                    return None;
                }
                head = now;
                continue;
            };
            match self.0.compare_exchange_weak(head, next_tag(head) | u64::from(after), Acquire, Acquire) {
                Ok(_) => {
                    // What the new owner stores, links too, comes after the id that the last one took away: see `Owner`.
                    fence(Release);
                    return Some(Taken { first, last });
                }
                Err(now) => head = now,
            }
        }
    }
}

/// The last of `n` slots from the first on, and its link; `None` if there are not `left` more.
#[inline]
fn follow<'a>(first: u32, n: usize, left: usize, next: impl Fn(u32) -> Option<&'a AtomicU32>) -> Option<(u32, u32)> {
    let link = |index| Some(next(index)?.load(Relaxed));
    let (mut last, mut after) = (first, link(first)?);
    let mut beyond = after;
    for taken in 1..n + left {
        let index = beyond.checked_sub(1)?;
        beyond = link(index)?;
        if taken < n {
            (last, after) = (index, beyond);
        }
    }
    Some((last, after))
}

fn next_tag(head: u64) -> u64 {
    (head & !u64::from(u32::MAX)).wrapping_add(1 << 32)
}
