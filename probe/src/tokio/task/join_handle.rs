//! [`JoinHandle`].
use std::{
    fmt,
    future::Future,
    panic::{Location, RefUnwindSafe, UnwindSafe},
    pin::Pin,
    task::{Context, Poll},
};

use super::{AbortHandle, JoinError, abort_handle::note_abort, watch::CallSite};
use crate::recorder::{
    handle::flag,
    task::TaskRef,
    wait::{PolledWait, WaitKind, awaited_at},
    waker,
};

/// Permission to join on a task; see [`tokio::task::JoinHandle`](::tokio::task::JoinHandle).
///
/// Watched: whether it is awaited, aborted, or dropped before the task ended, whether anybody saw the task's result, and
/// what waits for it.
pub struct JoinHandle<T> {
    inner: ::tokio::task::JoinHandle<T>,
    /// None of a task that is not watched: one word to write and to look at, whatever is within.
    joined: Option<Joined>,
}

/// What the handle knows of its task.
struct Joined {
    task: TaskRef,
    waiting: PolledWait,
}

impl Drop for Joined {
    #[inline]
    fn drop(&mut self) {
        self.task.slot().handle_dropped(true);
    }
}

impl Joined {
    #[inline(never)]
    fn polled(&mut self, cx: &Context<'_>, ready: bool, polled: CallSite) {
        let slot = self.task.slot();
        if ready {
            self.waiting.over();
            slot.handle_joined();
        } else {
            slot.handle_did(flag::HANDLE_AWAITED);
            waker::awaits(cx);
            let spawned = slot.site().info.location.location();
            let at = spawned.map_or(polled, |spawned| awaited_at(polled, spawned));
            self.waiting.pending(WaitKind::Join, slot.id(), at);
        }
    }
}

impl<T> JoinHandle<T> {
    #[inline]
    pub(crate) fn new(inner: ::tokio::task::JoinHandle<T>, task: Option<TaskRef>) -> Self {
        Self { inner, joined: task.map(|task| Joined { task, waiting: PolledWait::new() }) }
    }

    fn task(&self) -> Option<&TaskRef> {
        self.joined.as_ref().map(|joined| &joined.task)
    }

    /// Aborts the task; see [`JoinHandle::abort`](::tokio::task::JoinHandle::abort).
    #[track_caller]
    pub fn abort(&self) {
        self.abort_at(Some(Location::caller()));
    }

    /// The same at a place that may not be known.
    pub(crate) fn abort_at(&self, place: Option<CallSite>) {
        note_abort(self.task(), place, || self.inner.is_finished());
        self.inner.abort();
    }

    /// Whether the task ended; see [`JoinHandle::is_finished`](::tokio::task::JoinHandle::is_finished).
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// A handle that can abort the task; see [`JoinHandle::abort_handle`](::tokio::task::JoinHandle::abort_handle).
    #[must_use = "abort handles do nothing unless `.abort` is called"]
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle::new(self.inner.abort_handle(), self.task().cloned())
    }

    /// The task's id; see [`JoinHandle::id`](::tokio::task::JoinHandle::id).
    pub fn id(&self) -> super::Id {
        self.inner.id()
    }

    /// tokio's own handle. What becomes of the result is not watched from here on.
    pub fn into_inner(self) -> ::tokio::task::JoinHandle<T> {
        if let Some(task) = self.task() {
            task.slot().handle_did(flag::HANDLE_AWAITED | flag::RESULT_TAKEN);
        }
        self.inner
    }
}

impl<T> From<JoinHandle<T>> for ::tokio::task::JoinHandle<T> {
    fn from(handle: JoinHandle<T>) -> Self {
        handle.into_inner()
    }
}

impl<T> From<::tokio::task::JoinHandle<T>> for JoinHandle<T> {
    /// For a task that was spawned through tokio itself, and is not watched.
    fn from(inner: ::tokio::task::JoinHandle<T>) -> Self {
        Self::new(inner, None)
    }
}

impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let inner = Pin::new(&mut this.inner);
        // Asked first: then tokio writes the result where the caller wants it.
        let Some(joined) = &mut this.joined else { return inner.poll(cx) };
        let poll = inner.poll(cx);
        joined.polled(cx, poll.is_ready(), Location::caller());
        poll
    }
}

impl<T: fmt::Debug> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> crate::Named for JoinHandle<T> {
    fn set_name(&self, name: &str) {
        if let Some(task) = self.task() {
            task.slot().set_name(name);
        }
    }
}
