//! One hold at a time, and the sums of those that were in its place. Whoever has claimed the place is its only writer until
//! the hold ends, so these are plain stores.
use std::{
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed},
    },
};

use super::EXCLUSIVE;
use crate::recorder::{
    lock::{location, set_location},
    since::Since,
    thread::Holder,
};

/// Lies in the slot of each lock, and in each [`Entry`](super::Entry).
#[repr(C)]
pub(in crate::recorder) struct HoldFacts {
    pub(in crate::recorder) since: Since,
    /// 0 outside of any task.
    pub(in crate::recorder) task: AtomicU64,
    pub(in crate::recorder) site: AtomicPtr<Location<'static>>,
    /// Acquisitions.
    pub(in crate::recorder) acquires: AtomicU64,
    // Completed holds.
    pub(in crate::recorder) hold_total: AtomicU64,
    /// Those that took not long.
    pub(in crate::recorder) short_holds: AtomicU32,
    /// The [`Holder::mark`], and in the top bit whether nobody else can hold it; of a mutex, whether its guard may move.
    pub(in crate::recorder) mark: AtomicU16,

    // What fits in here of the lock itself.
    /// A [`LockKind`](crate::recorder::lock::LockKind).
    pub(in crate::recorder) kind: AtomicU8,
    /// Of a `Notify` and a `SetOnce`: 1 when who comes next need not wait. Of a mutex: what became of its guards. Of what
    /// several may hold: [`SHARED`](super::SHARED) and more.
    pub(in crate::recorder) ready: AtomicU8,
}

#[derive(Clone, Copy)]
pub(super) struct Hold {
    pub(super) holder: Holder,
    pub(super) site: Option<&'static Location<'static>>,
    pub(super) permits: u32,
    pub(super) exclusive: bool,
}

/// What was counted of holds; times in ticks.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::recorder) struct Sums {
    pub(in crate::recorder) acquires: u64,
    pub(in crate::recorder) hold_total: u64,
    /// Wraps.
    pub(in crate::recorder) short_holds: u32,
}

/// One reading of a hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HoldReading {
    pub(crate) task: u64,
    /// `None` where it is not known.
    pub(crate) site: Option<&'static Location<'static>>,
    pub(crate) since: u64,
    pub(crate) permits: u32,
    pub(crate) exclusive: bool,
}

impl HoldFacts {
    /// For a new lock.
    pub(in crate::recorder) fn reset(&self) {
        for counter in [&self.task, &self.acquires, &self.hold_total] {
            counter.store(0, Relaxed);
        }
        set_location(&self.site, None);
        self.short_holds.store(0, Relaxed);
        self.mark.store(0, Relaxed);
        self.kind.store(0, Relaxed);
        self.ready.store(0, Relaxed);
        self.since.reset();
    }

    /// A hold begins, for whom this was claimed. `permits` notes how many it has of them.
    #[inline]
    pub(super) fn begin(&self, hold: Hold, since: u64, permits: impl FnOnce()) {
        self.since.begin(since, || {
            self.task.store(hold.holder.task, Relaxed);
            set_location(&self.site, hold.site);
            self.mark.store(hold.holder.mark & !EXCLUSIVE | if hold.exclusive { EXCLUSIVE } else { 0 }, Relaxed);
            permits();
        });
    }

    #[inline]
    pub(super) fn count_acquire(&self) {
        self.acquires.store(self.acquires.load(Relaxed) + 1, Relaxed);
    }

    /// A hold ends after `took` ticks; if it is a long one, its lock counts it.
    #[inline]
    pub(super) fn count_hold(&self, took: u64, short: bool) {
        self.hold_total.store(self.hold_total.load(Relaxed) + took, Relaxed);
        if short {
            self.short_holds.store(self.short_holds.load(Relaxed).wrapping_add(1), Relaxed);
        }
    }

    #[inline]
    pub(super) fn is_exclusive(&self) -> bool {
        self.mark.load(Relaxed) & EXCLUSIVE != 0
    }

    #[inline]
    pub(super) fn holder(&self) -> Holder {
        Holder { task: self.task.load(Relaxed), mark: self.mark.load(Relaxed) & !EXCLUSIVE }
    }

    pub(super) fn sums(&self) -> Sums {
        Sums {
            acquires: self.acquires.load(Acquire),
            hold_total: self.hold_total.load(Relaxed),
            short_holds: self.short_holds.load(Relaxed),
        }
    }

    /// The hold, and what `more` reads with it; `permits` tells how many permits it has, and is told whether it keeps all
    /// others out.
    pub(super) fn read<R>(&self, permits: impl Fn(bool) -> u32, more: impl Fn() -> R) -> Option<(HoldReading, R)> {
        let read = self.since.read(|| {
            let exclusive = self.is_exclusive();
            (self.task.load(Relaxed), location(&self.site), permits(exclusive), exclusive, more())
        });
        read.map(|(since, (task, site, permits, exclusive, more))| {
            (HoldReading { task, site, since, permits, exclusive }, more)
        })
    }
}

impl Sums {
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            acquires: self.acquires + other.acquires,
            hold_total: self.hold_total + other.hold_total,
            short_holds: self.short_holds.wrapping_add(other.short_holds),
        }
    }
}
