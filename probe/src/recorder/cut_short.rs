//! Holds that keep all others out, and end because the future that has the guard is dropped unfinished.
use std::{
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU8, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::{
    lock::{LockSlot, location, set_location},
    unfinished::{self, Dropping},
};

/// How many there were of one lock; facts about the newest. Ticks.
pub(super) struct CutShort {
    times: AtomicU64,
    held: AtomicU64,
    at: AtomicU64,
    site: AtomicPtr<Location<'static>>,
    /// A [`By`](unfinished::By).
    by: AtomicU8,
    dropped_at: AtomicPtr<Location<'static>>,
}

/// One reading of a lock's; times in ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CutShortReading {
    pub(crate) times: u64,
    pub(crate) held: u64,
    pub(crate) at: u64,
    pub(crate) site: Option<&'static Location<'static>>,
    pub(crate) by: u8,
    pub(crate) dropped_at: Option<&'static Location<'static>>,
}

impl CutShort {
    /// For a new lock.
    pub(super) fn reset(&self) {
        for counter in [&self.times, &self.held, &self.at] {
            counter.store(0, Relaxed);
        }
        self.by.store(0, Relaxed);
        set_location(&self.site, None);
        set_location(&self.dropped_at, None);
    }

    /// `None` while there was none.
    pub(super) fn read(&self) -> Option<CutShortReading> {
        let times = self.times.load(Acquire);
        (times > 0).then(|| CutShortReading {
            times,
            held: self.held.load(Relaxed),
            at: self.at.load(Relaxed),
            site: location(&self.site),
            by: self.by.load(Relaxed),
            dropped_at: location(&self.dropped_at),
        })
    }
}

impl LockSlot {
    /// A hold that keeps all others out ends after `held` ticks; if that is because its future is dropped unfinished, it is
    /// noted. Called while it is held.
    #[inline]
    pub(super) fn may_be_cut_short(&self, held: u64, now: u64, site: &AtomicPtr<Location<'static>>) {
        if let Some(what) = unfinished::dropping() {
            self.note_cut_short(what, held, now, location(site));
        }
    }

    #[cold]
    fn note_cut_short(&self, what: Dropping, held: u64, now: u64, site: Option<&'static Location<'static>>) {
        if now.saturating_sub(held) > what.since {
            return;
        }
        if let Some(made) = self.site() {
            made.gives_up(what.gave_up_since(now.saturating_sub(held)), now);
        }
        if let Some(details) = self.details() {
            let cut_short = &details.cut_short;
            cut_short.held.store(held, Relaxed);
            cut_short.at.store(now, Relaxed);
            set_location(&cut_short.site, site);
            cut_short.by.store(what.by as u8, Relaxed);
            set_location(&cut_short.dropped_at, what.at);
            cut_short.times.store(cut_short.times.load(Relaxed) + 1, Release);
        }
    }
}
