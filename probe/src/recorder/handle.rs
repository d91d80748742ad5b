//! What became of a task's result: the task's side and the handle's side each say what they did, in one byte, and the one
//! that comes last finds out whether a failure was lost.
use super::sync::atomic::{
    AtomicU8,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// Bits of a [`Handle`].
pub(crate) mod flag {
    /// Somebody can still get the result.
    pub(crate) const HANDLE_HELD: u8 = 1;
    /// Somebody waited for it at least once.
    pub(crate) const HANDLE_AWAITED: u8 = 2;
    /// The handle went before the task ended.
    pub(crate) const HANDLE_DROPPED: u8 = 4;
    pub(crate) const ABORTED: u8 = 8;
    /// Somebody got the result, or the `JoinError`.
    pub(crate) const RESULT_TAKEN: u8 = 16;
    pub(crate) const ENDED: u8 = 32;
    /// It returned an `Err`.
    pub(crate) const FAILED: u8 = 64;
    pub(crate) const PANICKED: u8 = 128;
}

/// Bits of [`flag`].
#[derive(Default)]
pub(crate) struct Handle(AtomicU8);

/// A failure that nobody saw, or will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Panic,
    Error,
}

/// What the handle left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    /// It was gone already, or never held.
    Before,
    /// The task runs on; whether the handle was ever awaited, or used to abort it.
    Running { used: bool },
    /// The task has ended, and this was not seen of it.
    Ended { lost: Option<Lost> },
}

impl Handle {
    /// Of a new task that nobody else knows of yet.
    pub(crate) fn begin(&self) {
        self.0.store(0, Relaxed);
    }

    /// A handle (or a set) can get the result; while nobody else knows of the task.
    pub(crate) fn held(&self) {
        self.0.store(self.0.load(Relaxed) | flag::HANDLE_HELD, Relaxed);
    }

    /// Bits of [`flag`].
    #[inline]
    pub(crate) fn flags(&self) -> u8 {
        self.0.load(Acquire)
    }

    /// The task ended, once; `how` is of [`flag`]. What is lost if there is no handle any more.
    #[inline]
    pub(crate) fn ended(&self, how: u8) -> Option<Lost> {
        let before = self.0.fetch_or(how | flag::ENDED, AcqRel);
        if before & (flag::HANDLE_HELD | flag::RESULT_TAKEN) == 0 { lost(before | how) } else { None }
    }

    /// Somebody waits for the task, or called `abort`, as `which` says; whether that is new.
    pub(crate) fn did(&self, which: u8) -> bool {
        self.0.load(Relaxed) & which != which && self.0.fetch_or(which, Relaxed) & which != which
    }

    /// Somebody got the result, and the handle is of no use any more.
    #[inline]
    pub(crate) fn joined(&self) {
        let mut flags = self.0.load(Relaxed);
        loop {
            let joined = (flags | flag::HANDLE_AWAITED | flag::RESULT_TAKEN) & !flag::HANDLE_HELD;
            match self.0.compare_exchange_weak(flags, joined, AcqRel, Relaxed) {
                Ok(_) => return,
                Err(now) => flags = now,
            }
        }
    }

    /// The handle (or the set) went. Only the first call does anything: a set and a result that it carries may both let
    /// go.
    #[inline]
    pub(crate) fn dropped(&self) -> Dropped {
        if self.0.load(Relaxed) & flag::HANDLE_HELD == 0 {
            return Dropped::Before;
        }
        let before = self.0.fetch_and(!flag::HANDLE_HELD, AcqRel);
        if before & flag::HANDLE_HELD == 0 {
            Dropped::Before
        } else if before & flag::ENDED == 0 {
            self.0.fetch_or(flag::HANDLE_DROPPED, Relaxed);
            Dropped::Running { used: before & (flag::HANDLE_AWAITED | flag::ABORTED) != 0 }
        } else {
            Dropped::Ended { lost: if before & flag::RESULT_TAKEN == 0 { lost(before) } else { None } }
        }
    }
}

fn lost(flags: u8) -> Option<Lost> {
    if flags & flag::PANICKED != 0 {
        Some(Lost::Panic)
    } else if flags & flag::FAILED != 0 {
        Some(Lost::Error)
    } else {
        None
    }
}
