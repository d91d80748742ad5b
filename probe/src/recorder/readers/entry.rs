//! How far one receiver is. Whoever has claimed an entry is its only writer until it leaves; a reader looks at any time and
//! gets the facts of one receiver, or none.
use std::panic::Location;

use super::{
    ReaderReading,
    sync::atomic::{
        AtomicPtr, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
        fence,
    },
};

type CallSite = &'static Location<'static>;

/// A receiver's place. Where a channel has but one receiver, or none of them is told from the others, it is that one's
/// without being claimed, and `passed` is just a count.
#[derive(Default)]
pub(crate) struct Entry {
    /// Messages that the receiver has passed, plus one; 0 when the entry is free, and [`CLAIMED`] while the facts of the one
    /// before are taken away. In the top bits, which of those it is that had the entry: two may be equally far.
    pub(crate) passed: AtomicU64,
    /// When it last asked, in which task, and where.
    pub(crate) asked_at: AtomicU64,
    pub(crate) task: AtomicU64,
    pub(crate) site: AtomicPtr<Location<'static>>,
}

/// Bits in which messages are counted: a million a second for eight years.
const COUNT_BITS: u32 = 48;
const COUNT: u64 = (1 << COUNT_BITS) - 1;
const CLAIMED: u64 = COUNT;

impl Entry {
    /// For a new channel.
    pub(crate) fn reset(&self) {
        self.leave();
    }

    /// Claims it for a receiver that has passed so many messages; false when it is another's.
    pub(crate) fn claim(&self, passed: u64) -> bool {
        let word = self.passed.load(Relaxed);
        let owner = (word & !COUNT).wrapping_add(1 << COUNT_BITS);
        let free = word & COUNT == 0;
        if !free || self.passed.compare_exchange(word, owner | CLAIMED, Acquire, Relaxed).is_err() {
            return false;
        }
        // Whoever reads one of these sees behind an acquire fence that the receiver before is gone.
        fence(Release);
        self.asks(0, 0, None);
        self.passed.store(owner | at(passed), Release);
        true
    }

    /// Its receiver asks, in `task`, at `site`.
    #[inline]
    pub(crate) fn asks(&self, at: u64, task: u64, site: Option<CallSite>) {
        self.asked_at.store(at, Relaxed);
        self.task.store(task, Relaxed);
        self.site.store(site.map_or(std::ptr::null_mut(), |site| std::ptr::from_ref(site).cast_mut()), Relaxed);
    }

    /// Its receiver passes `n` messages.
    #[inline]
    pub(crate) fn pass(&self, n: u64) {
        self.passed.store(self.passed.load(Relaxed) + n, Release);
    }

    /// Its receiver has passed so many messages, or more; whether that is new.
    pub(crate) fn pass_all(&self, passed: u64) -> bool {
        let word = self.passed.load(Relaxed);
        let behind = word & COUNT < at(passed);
        if behind {
            self.passed.store(word & !COUNT | at(passed), Release);
        }
        behind
    }

    /// Its receiver goes.
    pub(crate) fn leave(&self) {
        self.passed.store(self.passed.load(Relaxed) & !COUNT, Release);
    }

    /// How far its receiver is; `None` when it is free, or changes hands.
    pub(crate) fn read(&self) -> Option<ReaderReading> {
        let word = self.passed.load(Acquire);
        let count = word & COUNT;
        if count == 0 || count == CLAIMED {
            return None;
        }
        // SAFETY: only ever null or a `&'static Location`.
        let site = unsafe { self.site.load(Relaxed).as_ref() };
        let (asked_at, task) = (self.asked_at.load(Relaxed), self.task.load(Relaxed));
        fence(Acquire);
        let same = self.passed.load(Relaxed) & !COUNT == word & !COUNT;
        same.then_some(ReaderReading { passed: count - 1, asked_at, task, site })
    }

    /// How far the only receiver of a channel is, whose entry is not claimed.
    pub(crate) fn read_alone(&self) -> ReaderReading {
        ReaderReading {
            passed: self.passed.load(Acquire),
            asked_at: self.asked_at.load(Relaxed),
            task: self.task.load(Relaxed),
            // SAFETY: only ever null or a `&'static Location`.
            site: unsafe { self.site.load(Relaxed).as_ref() },
        }
    }
}

/// So many messages passed, in an entry.
fn at(passed: u64) -> u64 {
    (passed + 1).min(CLAIMED - 1)
}
