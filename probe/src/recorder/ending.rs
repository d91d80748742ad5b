//! What tasks are told to end by: a `CancellationToken`, one of a tree, and a `TaskTracker`. Both are slots of the lock
//! table, since they are waited for as locks are; here is what only they have.
use std::{
    any::type_name,
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU32, AtomicU64,
        Ordering::{AcqRel, Relaxed, Release},
    },
};

use super::{
    active, clock,
    lock::{LockKind, LockSlot, location, set_location},
    site::{SiteInfo, SiteKind},
    thread,
};

/// In a [`LockSlot`] of either kind.
pub(super) struct Ending {
    /// The token that it is a child of, whose slot it keeps; null for none.
    parent: AtomicPtr<LockSlot>,
    /// Those who keep the slot: handles, and children.
    refs: AtomicU32,
    /// Handles of a token; what a tracker tracks.
    members: AtomicU32,
    /// Ticks when it was cancelled or closed itself; 0 when it was not.
    at: AtomicU64,
    site: AtomicPtr<Location<'static>>,
    by: AtomicU64,
}

/// One reading of it; `at` in ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EndingReading {
    /// Id of the parent; 0 for none.
    pub(crate) parent: u64,
    pub(crate) members: u32,
    pub(crate) at: u64,
    pub(crate) site: Option<&'static Location<'static>>,
    pub(crate) by: u64,
}

impl Ending {
    pub(super) fn reset(&self) {
        self.parent.store(std::ptr::null_mut(), Relaxed);
        self.refs.store(1, Relaxed);
        self.members.store(0, Relaxed);
        self.at.store(0, Relaxed);
        set_location(&self.site, None);
        self.by.store(0, Relaxed);
    }

    fn parent(&self) -> Option<&'static LockSlot> {
        // SAFETY: null, or a slot, which is never freed.
        unsafe { self.parent.load(Relaxed).as_ref() }
    }

    /// `None` for other kinds.
    pub(super) fn read(&self, kind: u8) -> Option<EndingReading> {
        (kind >= LockKind::CancellationToken as u8).then(|| EndingReading {
            parent: self.parent().map_or(0, LockSlot::id),
            members: self.members.load(Relaxed),
            at: self.at.load(Relaxed),
            site: location(&self.site),
            by: self.by.load(Relaxed),
        })
    }
}

/// A hold on the slot of a token or a tracker.
pub(crate) struct EndingRef(&'static LockSlot);

impl Clone for EndingRef {
    fn clone(&self) -> Self {
        self.0.ending.refs.fetch_add(1, Relaxed);
        Self(self.0)
    }
}

impl Drop for EndingRef {
    fn drop(&mut self) {
        let mut slot = self.0;
        while slot.ending.refs.fetch_sub(1, AcqRel) == 1 {
            let parent = slot.ending.parent();
            slot.retire();
            match parent {
                // It was kept for its children.
                Some(parent) => slot = parent,
                None => break,
            }
        }
    }
}

impl EndingRef {
    /// The slot of a new token, made at `made`; `None` while nothing is recorded, and at the ceiling.
    pub(crate) fn token<T>(parent: Option<&EndingRef>, made: &'static Location<'static>) -> Option<Self> {
        Self::new::<T>(LockKind::CancellationToken, made, |token| {
            if let Some(parent) = parent {
                // A reference of the slot's own.
                parent.0.ending.refs.fetch_add(1, Relaxed);
                token.ending.parent.store(std::ptr::from_ref(parent.0).cast_mut(), Relaxed);
            }
        })
    }

    /// The slot of a new tracker, made at `made`; `None` as above.
    pub(crate) fn tracker<T>(made: &'static Location<'static>) -> Option<Self> {
        Self::new::<T>(LockKind::TaskTracker, made, |_| ())
    }

    fn new<T>(
        kind: LockKind,
        made: &'static Location<'static>,
        prepare: impl FnOnce(&'static LockSlot),
    ) -> Option<Self> {
        let info = SiteInfo::of_thing(SiteKind::Lock, made, type_name::<T>());
        LockSlot::register(active()?, &info, kind, prepare).map(Self)
    }

    pub(crate) fn slot(&self) -> &'static LockSlot {
        self.0
    }

    /// So many handles, or things that are tracked, came or went.
    pub(crate) fn members(&self, change: i32) {
        self.0.ending.members.fetch_add(change.cast_unsigned(), Relaxed);
        self.0.mark();
    }

    /// It is cancelled or closed at `site`, by the task in poll if there is one.
    #[cold]
    pub(crate) fn ends(&self, site: &'static Location<'static>) {
        let ending = &self.0.ending;
        set_location(&ending.site, Some(site));
        ending.by.store(thread::current_task_id(), Relaxed);
        ending.at.store(clock::ticks(), Release);
        self.0.set_ready(true);
        self.0.mark();
    }

    /// Somebody saw that it is cancelled, by itself or with its parent.
    #[inline]
    pub(crate) fn seen_to_end(&self) {
        self.0.set_ready(true);
    }

    /// A tracker is open again.
    pub(crate) fn goes_on(&self) {
        self.0.ending.at.store(0, Release);
        self.0.set_ready(false);
        self.0.mark();
    }
}
