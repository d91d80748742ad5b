//! What a task is meant to end with: the `TaskTracker` that it is a task of, the `CancellationToken` that it listens to.
//! Beside the slots of tasks that have either; most tasks have none.
use super::{
    arena::{Head, Slot},
    sync::atomic::{
        AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

/// Ids of slots of the lock table, 0 for none. An id is never used again, so one that nobody cleared names nothing else.
#[repr(C, align(32))]
#[derive(Default)]
pub(crate) struct MembershipSlot {
    head: Head,
    token: AtomicU64,
    tracker: AtomicU64,
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for MembershipSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Token,
    Tracker,
}

impl MembershipSlot {
    pub(crate) fn reset(&self) {
        self.token.store(0, Relaxed);
        self.tracker.store(0, Release);
    }

    fn of(&self, scope: Scope) -> &AtomicU64 {
        match scope {
            Scope::Token => &self.token,
            Scope::Tracker => &self.tracker,
        }
    }

    pub(crate) fn get(&self, scope: Scope) -> u64 {
        self.of(scope).load(Acquire)
    }

    /// The first one stays until it is left.
    pub(crate) fn enter(&self, scope: Scope, id: u64) -> bool {
        self.of(scope).compare_exchange(0, id, Release, Relaxed).is_ok()
    }

    pub(crate) fn leave(&self, scope: Scope, id: u64) -> bool {
        self.of(scope).compare_exchange(id, 0, Release, Relaxed).is_ok()
    }
}
