//! The poll that a thread is in: which task, since when. Written by that thread only, read by anybody at any time.
use super::sync::atomic::{
    AtomicPtr, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// The task in poll and the poll's start. The start is 0 outside of any poll, and tells one poll from the next.
pub(crate) struct InPoll<T: 'static> {
    pub(super) task: AtomicPtr<T>,
    /// In ticks.
    pub(super) started: AtomicU64,
}

impl<T: 'static> InPoll<T> {
    /// A poll begins; the thread is in none.
    #[inline]
    pub(crate) fn begin(&self, task: &'static T, started: u64) {
        // The start of the poll before this one is gone already, so a reader never sees it with this task.
        self.task.store(std::ptr::from_ref(task).cast_mut(), Release);
        self.started.store(started, Release);
    }

    /// The thread is in no poll.
    #[inline]
    pub(crate) fn end(&self) {
        self.started.store(0, Release);
    }

    /// What `of` says of the task in poll, and the poll's start; `None` when the thread is in none. The start is read on
    /// both sides of the task, so that one poll's task never gets another poll's start. Polls so short that this does not
    /// settle in a few tries are left out.
    pub(crate) fn read<R>(&self, of: impl Fn(&'static T) -> R) -> Option<(R, u64)> {
        (0..8)
            .find_map(|_| {
                let started = self.started.load(Acquire);
                // SAFETY: null, or what `begin` was given.
                let task = unsafe { self.task.load(Acquire).as_ref() }.map(&of);
                fence(Acquire);
                let same = self.started.load(Relaxed) == started;
                same.then_some(task.filter(|_| started != 0).map(|task| (task, started)))
            })
            .flatten()
    }

    /// For a new thread.
    pub(crate) fn reset(&self) {
        self.task.store(std::ptr::null_mut(), Relaxed);
        self.started.store(0, Relaxed);
    }
}
