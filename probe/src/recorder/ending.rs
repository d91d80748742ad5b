//! What tasks are told to end by: a `CancellationToken`, one of a tree, and a `TaskTracker`. Both are slots of the lock
//! table, since they are waited for as locks are; here is what only they have, in a slot beside it.
use std::{
    any::type_name,
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU32, AtomicU64,
        Ordering::{Relaxed, Release},
    },
};

use super::{
    active,
    arena::{Head, Slot},
    clock,
    lock::{LockKind, LockSlot, location, set_location},
    refs::Refs,
    site::{SiteInfo, SiteKind},
    thread,
};

/// Beside the slot of a token or a tracker.
#[repr(C)]
pub(crate) struct EndingSlot {
    head: Head,
    /// The token that it is a child of, whose slot it keeps; null for none.
    parent: AtomicPtr<LockSlot>,
    /// Those who keep the slot: handles, and children.
    refs: Refs,
    /// Handles of a token; what a tracker tracks.
    members: AtomicU32,
    /// Ticks when it was cancelled or closed itself; 0 when it was not.
    at: AtomicU64,
    site: AtomicPtr<Location<'static>>,
    by: AtomicU64,
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for EndingSlot {
    fn head(&self) -> &Head {
        &self.head
    }
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

impl EndingSlot {
    fn reset(&self) {
        self.parent.store(std::ptr::null_mut(), Relaxed);
        self.refs.begin(1);
        self.members.store(0, Relaxed);
        self.at.store(0, Relaxed);
        set_location(&self.site, None);
        self.by.store(0, Relaxed);
    }

    fn parent(&self) -> Option<&'static LockSlot> {
        // SAFETY: null, or a slot, which is never freed.
        unsafe { self.parent.load(Relaxed).as_ref() }
    }

    /// The caller makes sure that the slot still is its token's or tracker's.
    pub(super) fn read(&self) -> EndingReading {
        EndingReading {
            parent: self.parent().map_or(0, LockSlot::id),
            members: self.members.load(Relaxed),
            at: self.at.load(Relaxed),
            site: location(&self.site),
            by: self.by.load(Relaxed),
        }
    }
}

/// A hold on the slot of a token or a tracker.
pub(crate) struct EndingRef {
    slot: &'static LockSlot,
    ending: &'static EndingSlot,
}

impl Clone for EndingRef {
    fn clone(&self) -> Self {
        self.ending.refs.retain();
        Self { slot: self.slot, ending: self.ending }
    }
}

impl Drop for EndingRef {
    fn drop(&mut self) {
        let (mut slot, mut ending) = (self.slot, self.ending);
        while ending.refs.release() == 1 {
            let parent = ending.parent();
            slot.retire();
            // It was kept for its children.
            let Some((parent, its)) = parent.and_then(|parent| Some((parent, parent.ending()?))) else { break };
            (slot, ending) = (parent, its);
        }
    }
}

impl EndingRef {
    /// The slot of a new token, made at `made`; `None` while nothing is recorded, and at the ceiling.
    pub(crate) fn token<T>(parent: Option<&EndingRef>, made: &'static Location<'static>) -> Option<Self> {
        Self::new::<T>(LockKind::CancellationToken, made, |token| {
            if let Some(parent) = parent {
                // A reference of the slot's own.
                parent.ending.refs.retain();
                token.parent.store(std::ptr::from_ref(parent.slot).cast_mut(), Relaxed);
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
        prepare: impl FnOnce(&'static EndingSlot),
    ) -> Option<Self> {
        let info = SiteInfo::of_thing(SiteKind::Lock, made, type_name::<T>());
        let recorder = active()?;
        let ending = recorder.endings.take()?;
        ending.reset();
        let registered = LockSlot::register(recorder, &info, kind, |slot| {
            prepare(ending);
            slot.set_ending(ending);
        });
        if registered.is_none() {
            recorder.endings.give_back(ending);
        }
        registered.map(|slot| Self { slot, ending })
    }

    pub(crate) fn slot(&self) -> &'static LockSlot {
        self.slot
    }

    /// So many handles, or things that are tracked, came or went.
    pub(crate) fn members(&self, change: i32) {
        self.ending.members.fetch_add(change.cast_unsigned(), Relaxed);
        self.slot.mark();
    }

    /// It is cancelled or closed at `site`, by the task in poll if there is one.
    #[cold]
    pub(crate) fn ends(&self, site: &'static Location<'static>) {
        let ending = self.ending;
        set_location(&ending.site, Some(site));
        ending.by.store(thread::current_task_id(), Relaxed);
        ending.at.store(clock::ticks(), Release);
        self.slot.set_ready(true);
        self.slot.mark();
    }

    /// Somebody saw that it is cancelled, by itself or with its parent.
    #[inline]
    pub(crate) fn seen_to_end(&self) {
        self.slot.set_ready(true);
    }

    /// A tracker is open again.
    pub(crate) fn goes_on(&self) {
        self.ending.at.store(0, Release);
        self.slot.set_ready(false);
        self.slot.mark();
    }
}
