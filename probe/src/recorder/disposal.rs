//! Who did away with something last: aborted a task, dropped the sender of a oneshot or the last receiver of a channel,
//! forgot a permit. Noted at such moments only.
use std::{
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::{clock, site::Site, task::TaskSlot, thread, unfinished};

/// The newest one. The task may have ended by the time that it is told, so where it was spawned is kept as well.
#[derive(Debug, Default)]
pub(crate) struct Disposal {
    /// Ticks; 0 before the first.
    at: AtomicU64,
    by: AtomicU64,
    spawned: AtomicPtr<Site>,
}

/// One reading of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DisposalReading {
    /// Ticks.
    pub(crate) at: u64,
    /// The task; 0 outside of any.
    pub(crate) by: u64,
    /// Where that was spawned; `None` where it is not known.
    pub(crate) spawned: Option<&'static Site>,
    /// The line that did it; `None` where it is not known, as a drop tells none.
    pub(crate) site: Option<&'static Location<'static>>,
}

impl Disposal {
    /// Forgets what was.
    pub(super) fn reset(&self) {
        self.at.store(0, Relaxed);
        self.by.store(0, Relaxed);
        self.spawned.store(std::ptr::null_mut(), Relaxed);
    }

    /// The task in poll has just done so, or the one whose future is being dropped. Two that do so at once may mix their
    /// facts, each still true.
    #[cold]
    pub(super) fn note(&self) {
        let task = unfinished::dropped_task().or_else(thread::current_task);
        let spawned = task.map_or(std::ptr::null(), |task| std::ptr::from_ref(task.site()));
        self.by.store(task.map_or_else(|| thread::holder().task, TaskSlot::id), Relaxed);
        self.spawned.store(spawned.cast_mut(), Relaxed);
        self.at.store(clock::ticks(), Release);
    }

    /// `site` is the line, which is kept beside it where there may be one. `None` before the first.
    pub(super) fn read(&self, site: Option<&'static Location<'static>>) -> Option<DisposalReading> {
        let at = self.at.load(Acquire);
        (at > 0).then(|| DisposalReading {
            at,
            by: self.by.load(Relaxed),
            // SAFETY: null, or a site, which is never freed.
            spawned: unsafe { self.spawned.load(Relaxed).as_ref() },
            site,
        })
    }
}
