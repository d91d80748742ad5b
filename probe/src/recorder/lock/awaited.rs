//! What an await of a lock tells the lock.
use super::LockSlot;
use crate::recorder::wait::{Awaited, WaitKind};

/// An `await` for something that is not held: a notification, a barrier, a value, a cancellation, the end of all tasks. Only for what outlives it.
pub(crate) struct EventAwaited(pub(crate) Option<&'static LockSlot>);

impl Awaited for EventAwaited {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        LockAwaited(self.0?).target()
    }

    fn pending(&self) {
        if let Some(event) = self.0 {
            event.wait_begins();
        }
    }

    fn ended(&self, waited: u64, completed: bool) {
        if let Some(event) = self.0 {
            event.wait_ended(waited, completed);
        }
    }
}

/// An `await` for a lock that only one can hold. Only for locks that outlive it, as a borrow or an `Arc` of the lock shows.
pub(crate) struct LockAwaited(pub(crate) &'static LockSlot);

impl Awaited for LockAwaited {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        Some((WaitKind::Lock, self.0.id()))
    }

    fn pending(&self) {
        self.0.wait_begins();
    }

    fn ended(&self, waited: u64, completed: bool) {
        if completed { self.0.wait_won(waited) } else { self.0.wait_given_up(waited) }
    }
}

/// An `await` for such a lock, if it is watched.
impl Awaited for Option<LockAwaited> {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        self.as_ref()?.target()
    }

    #[inline]
    fn waits(&self) -> bool {
        self.is_some()
    }

    fn pending(&self) {
        if let Some(lock) = self {
            lock.pending();
        }
    }

    fn ended(&self, waited: u64, completed: bool) {
        if let Some(lock) = self {
            lock.ended(waited, completed);
        }
    }
}
