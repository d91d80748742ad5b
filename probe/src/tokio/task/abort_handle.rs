//! [`AbortHandle`].
use std::{
    fmt,
    panic::{self, Location},
};

use super::watch::CallSite;
use crate::recorder::task::TaskRef;

/// Permission to abort a task; an abort is noted as such. See [`tokio::task::AbortHandle`](::tokio::task::AbortHandle).
#[derive(Clone)]
pub struct AbortHandle {
    inner: ::tokio::task::AbortHandle,
    task: Option<TaskRef>,
}

impl AbortHandle {
    #[inline]
    pub(crate) fn new(inner: ::tokio::task::AbortHandle, task: Option<TaskRef>) -> Self {
        Self { inner, task }
    }

    /// Aborts the task; see [`AbortHandle::abort`](::tokio::task::AbortHandle::abort).
    #[track_caller]
    pub fn abort(&self) {
        self.abort_at(Some(Location::caller()));
    }

    /// The same at a place that may not be known.
    pub(crate) fn abort_at(&self, place: Option<CallSite>) {
        note_abort(self.task.as_ref(), place, || self.inner.is_finished());
        self.inner.abort();
    }

    /// Whether the task ended; see [`AbortHandle::is_finished`](::tokio::task::AbortHandle::is_finished).
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// The task's id; see [`AbortHandle::id`](::tokio::task::AbortHandle::id).
    pub fn id(&self) -> super::Id {
        self.inner.id()
    }

    /// tokio's own handle; an abort through it shows as a cancelled task only.
    pub fn into_inner(self) -> ::tokio::task::AbortHandle {
        self.inner
    }
}

/// Notes that a task is aborted at `place`, if there is still something to abort.
pub(super) fn note_abort(task: Option<&TaskRef>, place: Option<CallSite>, is_finished: impl FnOnce() -> bool) {
    if let Some(task) = task
        && !is_finished()
    {
        task.slot().abort_called(place);
    }
}

impl crate::Named for AbortHandle {
    fn set_name(&self, name: &str) {
        if let Some(task) = &self.task {
            task.slot().set_name(name);
        }
    }
}

impl From<AbortHandle> for ::tokio::task::AbortHandle {
    fn from(handle: AbortHandle) -> Self {
        handle.into_inner()
    }
}

impl From<::tokio::task::AbortHandle> for AbortHandle {
    fn from(inner: ::tokio::task::AbortHandle) -> Self {
        Self::new(inner, None)
    }
}

impl panic::UnwindSafe for AbortHandle {}
impl panic::RefUnwindSafe for AbortHandle {}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
