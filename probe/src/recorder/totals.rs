//! Counts that any thread adds to, once an operation or so. Threads add each to its own part, or two that share nothing else
//! would wait for each other here; whoever reads adds the parts up.
use super::{
    numbers::{NUMBERS, is_own},
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

/// What is counted of a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Total {
    /// Tasks that were spawned, or things that were made.
    Spawned,
    Finished,
    /// Tasks without a slot.
    Shed,
    /// Ticks in polls, of tasks that are gone.
    FinishedBusy,
    FinishedPolls,
    HandlesDropped,
    ErrorsLost,
    Panics,
    PanicsLost,
    Aborted,
    /// Ticks for which the tasks among them had been there.
    AbortedAge,
    /// Oneshots that came to their receiver.
    Delivered,
    /// The sender went without a word, while the receiver was there.
    Unsent,
}

const TOTALS: usize = Total::Unsent as usize + 1;

/// A CPU that fetches a line may fetch the one beside it too.
#[derive(Debug)]
#[repr(align(128))]
struct Part([AtomicU64; TOTALS]);

impl Part {
    /// Of a number that several threads have.
    #[inline(never)]
    fn add_shared(&self, each: &[(Total, u64)]) {
        for &(total, n) in each {
            self.0[total as usize].fetch_add(n, Release);
        }
    }
}

/// All of them, 0 at first.
#[derive(Debug)]
pub(crate) struct Totals([Part; NUMBERS]);

impl Totals {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Part(std::array::from_fn(|_| AtomicU64::new(0)))))
    }

    /// Adds to each so many, one after the other, on the thread of that number, and by that thread.
    #[inline]
    pub(crate) fn add<const N: usize>(&self, thread: usize, each: [(Total, u64); N]) {
        let part = &self.0[thread % NUMBERS];
        if !is_own(thread) {
            return part.add_shared(&each);
        }
        for (total, n) in each {
            let count = &part.0[total as usize];
            // Whoever sees that one more has ended sees, behind the acquire of `get`, that it has begun.
            count.store(count.load(Relaxed).wrapping_add(n), Release);
        }
    }

    /// What was added so far. Read what has ended before what has begun: then no more have ended than begun.
    pub(crate) fn get(&self, total: Total) -> u64 {
        self.0.iter().map(|part| part.0[total as usize].load(Acquire)).sum()
    }
}
