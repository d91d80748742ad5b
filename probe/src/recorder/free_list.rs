//! Slots that nobody uses, linked by index. Any thread may push and pop at any time.
use super::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// Head of the list: a tag above the first free index plus one, 0 for none. The tag tells a list that looks the same from
/// one that is: between a look at the first slot and the exchange, others may take that slot and give it back.
#[derive(Default)]
pub(crate) struct FreeList(pub(super) AtomicU64);

impl FreeList {
    /// Puts a slot first; `next` is the slot's own link.
    pub(crate) fn push(&self, index: u32, next: &AtomicU32) {
        let mut head = self.0.load(Relaxed);
        loop {
            next.store(head as u32, Relaxed);
            match self.0.compare_exchange_weak(head, next_tag(head) | u64::from(index + 1), Release, Relaxed) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Takes the first slot; `next` gives the link of the slot at an index.
    #[inline]
    pub(crate) fn pop<'a>(&self, next: impl Fn(u32) -> Option<&'a AtomicU32>) -> Option<u32> {
        let mut head = self.0.load(Acquire);
        loop {
            let index = (head as u32).checked_sub(1)?;
            let after = next(index)?.load(Relaxed);
            match self.0.compare_exchange_weak(head, next_tag(head) | u64::from(after), Acquire, Acquire) {
                Ok(_) => {
                    // What the new owner stores comes after the id that the last one took away: see `Owner`.
                    fence(Release);
                    return Some(index);
                }
                Err(now) => head = now,
            }
        }
    }
}

fn next_tag(head: u64) -> u64 {
    (head & !u64::from(u32::MAX)).wrapping_add(1 << 32)
}
