//! One hold of an `RwLock`.
use ::tokio::sync as raw;

use crate::recorder::holds::Held;

/// One of several holds to read.
pub(super) struct ReadHold<'a> {
    /// `None` while nothing records. Before `_guard`: the end is noted before others can begin.
    _held: Option<Held>,
    _guard: raw::RwLockReadGuard<'a, ()>,
}

/// The only hold.
pub(super) struct WriteHold<'a> {
    held: Option<Held>,
    guard: raw::RwLockWriteGuard<'a, ()>,
}

impl<'a> ReadHold<'a> {
    #[inline]
    pub(super) fn new(held: Option<Held>, guard: raw::RwLockReadGuard<'a, ()>) -> Self {
        Self { _held: held, _guard: guard }
    }

    /// The hold without its borrow of the lock.
    ///
    /// # Safety
    /// The lock must stay where it is, and alive, until the hold is dropped.
    pub(super) unsafe fn detach(self) -> ReadHold<'static> {
        // SAFETY: only the lifetime differs, and the caller vouches for it.
        unsafe { std::mem::transmute::<ReadHold<'a>, ReadHold<'static>>(self) }
    }
}

impl<'a> WriteHold<'a> {
    #[inline]
    pub(super) fn new(held: Option<Held>, guard: raw::RwLockWriteGuard<'a, ()>) -> Self {
        Self { held, guard }
    }

    /// As [`ReadHold::detach`].
    ///
    /// # Safety
    /// As there.
    pub(super) unsafe fn detach(self) -> WriteHold<'static> {
        if let Some(held) = &self.held {
            held.may_move();
        }
        // SAFETY: as in `ReadHold::detach`.
        unsafe { std::mem::transmute::<WriteHold<'a>, WriteHold<'static>>(self) }
    }

    /// Lets others read, and nobody write in between.
    pub(super) fn downgrade(mut self) -> ReadHold<'a> {
        // Before others can come in.
        if let Some(held) = &mut self.held {
            held.downgrade();
        }
        ReadHold { _held: self.held, _guard: self.guard.downgrade() }
    }
}
