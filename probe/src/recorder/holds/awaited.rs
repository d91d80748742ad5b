//! Waits for what several may hold.
use std::sync::atomic::Ordering::Relaxed;

use super::Shared;
use crate::recorder::{
    clock,
    wait::{Awaited, WaitKind},
};

/// How a lock is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Any permits.
    Permits,
    Read,
    Write,
}

/// An `await` for a lock that can be shared. Only for locks that outlive it, as a borrow or an `Arc` of the lock shows.
pub(crate) struct SharedAwaited {
    pub(crate) lock: Shared,
    pub(crate) mode: Mode,
}

impl Awaited for SharedAwaited {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        let kind = if self.mode == Mode::Read { WaitKind::LockRead } else { WaitKind::Lock };
        Some((kind, self.lock.0.id()))
    }

    fn pending(&self) {
        self.lock.wait_begins(self.mode);
    }

    fn ended(&self, waited: u64, completed: bool) {
        self.lock.wait_ended(self.mode, waited, completed);
    }
}

impl Shared {
    /// Whether nobody is in the way, as far as is noted: a hold is noted a moment after it began. Looking takes nothing, as a
    /// try would.
    pub(crate) fn seems_free(self, mode: Mode) -> bool {
        let in_the_way = match mode {
            Mode::Write => self.is_held(),
            Mode::Read | Mode::Permits => self.0.writer().is_some(),
        };
        !in_the_way && self.0.waiters() == 0
    }

    /// Somebody begins to wait for it.
    pub(crate) fn wait_begins(self, mode: Mode) {
        if mode == Mode::Write
            && let Some(beside) = self.0.holds_or_take()
        {
            beside.waiting_writers.fetch_add(1, Relaxed);
        }
        self.0.wait_begins();
    }

    /// A wait of `waited` ticks ended, with the lock or without.
    pub(crate) fn wait_ended(self, mode: Mode, waited: u64, acquired: bool) {
        if mode == Mode::Write
            && let Some(beside) = self.0.holds()
        {
            beside.waiting_writers.fetch_sub(1, Relaxed);
        }
        self.0.wait_ended(waited, acquired);
    }

    /// A thread begins to wait, for what `blocking_read` and the like do.
    pub(crate) fn blocks(self, mode: Mode) -> Blocking {
        self.wait_begins(mode);
        Blocking { lock: self, mode, since: clock::ticks(), acquired: false }
    }
}

/// A thread that waits. Dropped without [`Blocking::acquired`] when tokio refuses to block.
pub(crate) struct Blocking {
    lock: Shared,
    mode: Mode,
    since: u64,
    acquired: bool,
}

impl Blocking {
    pub(crate) fn acquired(mut self) {
        self.acquired = true;
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        self.lock.wait_ended(self.mode, clock::since(self.since), self.acquired);
    }
}
