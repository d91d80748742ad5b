//! What only some locks have: those on which somebody waits for long, that are held for long or across a suspension, or
//! whose notifications get lost. Taken with the first of these.
use std::{
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU32, AtomicU64,
        Ordering::{Relaxed, Release},
    },
};

use super::{
    arena::{Head, Slot},
    cut_short::CutShort,
    disposal::Disposal,
    histogram::LongCounts,
    lock::set_location,
};

/// Beside the slot of a lock.
#[repr(C)]
pub(crate) struct LockDetails {
    head: Head,
    // Of holds. A `Notify` has none: here `suspended_holds` counts notifications that found nobody, and
    // `last_suspended_at` and `last_suspended_site` are of the newest of them.
    pub(super) suspended_holds: AtomicU64,
    pub(super) last_suspended: AtomicU64,
    pub(super) last_suspended_at: AtomicU64,
    pub(super) last_suspended_site: AtomicPtr<Location<'static>>,
    pub(super) last_suspended_waiters: AtomicU32,
    pub(super) long_holds: LongCounts,
    pub(super) long_waits: LongCounts,
    /// Those of a `Notify` that ended with a notification.
    pub(super) long_came: AtomicU64,
    /// Waits for a mutex that ended without it.
    pub(super) given_up: GivenUp,
    pub(super) cut_short: CutShort,
    /// Of a semaphore: permits whose guard was forgotten, and who did that last.
    pub(super) forgotten: AtomicU64,
    pub(super) forgot: Disposal,
    pub(super) forgot_at: AtomicPtr<Location<'static>>,
}

/// Waits by somebody who does not hold the lock at their end, and so may not write where a holder does.
pub(super) struct GivenUp {
    pub(super) total: AtomicU64,
    pub(super) max: AtomicU64,
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for LockDetails {
    fn head(&self) -> &Head {
        &self.head
    }
}

/// One hold across a suspension, or one lost notification; times in ticks.
#[derive(Clone, Copy)]
pub(super) struct Suspended {
    pub(super) held: u64,
    pub(super) at: u64,
    pub(super) site: Option<&'static Location<'static>>,
    pub(super) waiters: u32,
}

impl LockDetails {
    /// For a new lock.
    pub(super) fn reset(&self) {
        let (up, holds, forgotten) = (&self.given_up, &self.suspended_holds, &self.forgotten);
        let last = [&self.last_suspended, &self.last_suspended_at];
        for counter in [holds, &self.long_came, &up.total, &up.max, forgotten].into_iter().chain(last) {
            counter.store(0, Relaxed);
        }
        set_location(&self.last_suspended_site, None);
        self.last_suspended_waiters.store(0, Relaxed);
        self.long_holds.reset();
        self.long_waits.reset();
        self.cut_short.reset();
        self.forgot.reset();
        set_location(&self.forgot_at, None);
    }

    /// Facts about the newest one; two that end at once may mix theirs, each still true. `alone` when nobody else can
    /// come here meanwhile.
    pub(super) fn suspended(&self, newest: Suspended, alone: bool) {
        self.last_suspended.store(newest.held, Relaxed);
        self.last_suspended_at.store(newest.at, Relaxed);
        set_location(&self.last_suspended_site, newest.site);
        self.last_suspended_waiters.store(newest.waiters, Relaxed);
        if alone {
            self.suspended_holds.store(self.suspended_holds.load(Relaxed) + 1, Release);
        } else {
            self.suspended_holds.fetch_add(1, Release);
        }
    }
}
