//! One entry of a task's list of waits. The polling thread notes a wait, any thread may clear it, a reader looks at any
//! time and gets the facts of one wait, or none.
use std::panic::Location;

use super::sync::atomic::{
    AtomicPtr, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// What is waited for, since when and where.
#[derive(Default)]
pub(crate) struct Entry {
    /// Kind and id, and perhaps in which poll; 0 when the entry is free.
    on: AtomicU64,
    /// Ticks; tells apart two waits for the same, one after the other.
    since: AtomicU64,
    /// Null where who noted it was not told.
    site: AtomicPtr<Location<'static>>,
}

impl Entry {
    /// For a new task.
    pub(crate) fn reset(&self) {
        self.on.store(0, Release);
    }

    /// What it says is waited for.
    #[inline]
    pub(crate) fn on(&self) -> u64 {
        self.on.load(Relaxed)
    }

    /// Notes a wait. By the polling thread, which found the entry free, or what it says out of date.
    ///
    /// Whoever reads one of the facts sees the zero, or what came after it, behind an acquire fence; and the start comes
    /// after the place, so that a start never goes with an earlier place.
    #[inline]
    pub(crate) fn begin(&self, on: u64, since: u64, site: Option<&'static Location<'static>>) {
        self.on.store(0, Relaxed);
        fence(Release);
        self.site.store(site.map_or(std::ptr::null_mut(), |site| std::ptr::from_ref(site).cast_mut()), Relaxed);
        self.since.store(since, Release);
        self.on.store(on, Release);
    }

    /// The wait for `on` is over, if it still is what is said here. By the polling thread, beside which nobody notes.
    #[inline]
    pub(crate) fn end(&self, on: u64) {
        if self.on.load(Relaxed) == on {
            self.on.store(0, Release);
        }
    }

    /// The same by any thread: an exchange that finds it here comes before whatever replaces it.
    pub(crate) fn end_from_elsewhere(&self, on: u64) {
        let _ = self.on.compare_exchange(on, 0, Release, Relaxed);
    }

    /// The wait for `from` goes on as one for `to`; false when it is not said here any more.
    pub(crate) fn renew(&self, from: u64, to: u64) -> bool {
        self.on.compare_exchange(from, to, Release, Relaxed).is_ok()
    }

    /// Since when, as it said last.
    pub(crate) fn since(&self) -> u64 {
        self.since.load(Relaxed)
    }

    /// Where the wait was that began then, if it was the last one here, and is over. By the thread that ended it.
    pub(crate) fn ended_at(&self, since: u64) -> Option<&'static Location<'static>> {
        if self.on() != 0 || self.since() != since {
            return None;
        }
        // SAFETY: only ever null or a `&'static Location`.
        unsafe { self.site.load(Relaxed).as_ref() }
    }

    /// What is waited for, since when and where; `None` when the entry is free, or changes.
    pub(crate) fn read(&self) -> Option<(u64, u64, Option<&'static Location<'static>>)> {
        let on = self.on.load(Acquire);
        if on == 0 {
            return None;
        }
        let since = self.since.load(Acquire);
        let site = self.site.load(Relaxed);
        fence(Acquire);
        // In this order: with a later wait for the same comes its start.
        let same = self.on.load(Acquire) == on && self.since.load(Relaxed) == since;
        // SAFETY: only ever null or a `&'static Location`.
        let site = unsafe { site.as_ref() };
        same.then_some((on, since, site))
    }
}
