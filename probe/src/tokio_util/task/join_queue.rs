//! [`JoinQueue`].
use std::{
    fmt,
    future::{Future, poll_fn},
    panic::Location,
    task::{Context, Poll},
};

use ::tokio_util::task as raw;

use crate::{
    recorder::{active, task::TaskKind, wait::Watched},
    tokio::{
        runtime::Handle,
        task::{AbortHandle, Id, JoinError, SetAwaited, SetName, watch::Unjoined},
    },
};

/// Tasks that are awaited in the order in which they were spawned, watched one by one; see
/// [`tokio_util::task::JoinQueue`](::tokio_util::task::JoinQueue).
///
/// Watched: the tasks, and who waits for the next. What becomes of their results is not.
pub struct JoinQueue<T> {
    name: SetName,
    inner: raw::JoinQueue<T>,
}

impl<T> JoinQueue<T> {
    /// See [`JoinQueue::new`](::tokio_util::task::JoinQueue::new).
    pub const fn new() -> Self {
        Self { name: SetName::new(), inner: raw::JoinQueue::new() }
    }

    /// See [`JoinQueue::with_capacity`](::tokio_util::task::JoinQueue::with_capacity).
    pub fn with_capacity(capacity: usize) -> Self {
        Self { name: SetName::new(), inner: raw::JoinQueue::with_capacity(capacity) }
    }

    /// See [`JoinQueue::len`](::tokio_util::task::JoinQueue::len).
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`JoinQueue::is_empty`](::tokio_util::task::JoinQueue::is_empty).
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Spawns a task; see [`JoinQueue::spawn`](::tokio_util::task::JoinQueue::spawn).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let mut spawning = Unjoined::of::<F, T>(TaskKind::Async, Location::caller());
        let task = self.inner.spawn(spawning.tracked(task));
        spawning.end_abortable(task, &self.name)
    }

    /// Spawns a task on a runtime; see [`JoinQueue::spawn_on`](::tokio_util::task::JoinQueue::spawn_on).
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let mut spawning = Unjoined::of::<F, T>(TaskKind::Async, Location::caller());
        let task = self.inner.spawn_on(spawning.tracked(task), handle.as_inner());
        spawning.end_abortable(task, &self.name)
    }

    /// Spawns a `!Send` task; see [`JoinQueue::spawn_local`](::tokio_util::task::JoinQueue::spawn_local).
    ///
    /// # Panics
    /// Outside of a `LocalSet` and of a local runtime.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
        T: 'static,
    {
        let mut spawning = Unjoined::of::<F, T>(TaskKind::Local, Location::caller());
        let task = self.inner.spawn_local(spawning.tracked(task));
        spawning.end_abortable(task, &self.name)
    }

    /// Runs a closure where it may block; see [`JoinQueue::spawn_blocking`](::tokio_util::task::JoinQueue::spawn_blocking).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let mut spawning = Unjoined::of::<F, T>(TaskKind::Blocking, Location::caller());
        let task = self.inner.spawn_blocking(spawning.blocking(f));
        spawning.end_abortable(task, &self.name)
    }

    /// Runs a closure where it may block, on a runtime; see
    /// [`JoinQueue::spawn_blocking_on`](::tokio_util::task::JoinQueue::spawn_blocking_on).
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let mut spawning = Unjoined::of::<F, T>(TaskKind::Blocking, Location::caller());
        let task = self.inner.spawn_blocking_on(spawning.blocking(f), handle.as_inner());
        spawning.end_abortable(task, &self.name)
    }

    /// Waits for the first task; see [`JoinQueue::join_next`](::tokio_util::task::JoinQueue::join_next).
    #[track_caller]
    pub fn join_next(&mut self) -> impl Future<Output = Option<Result<T, JoinError>>> {
        let recording = SetAwaited(active().is_some());
        Watched::new(poll_fn(|cx| self.inner.poll_join_next(cx)), recording, Location::caller())
    }

    /// Waits for the first task, and says which; see
    /// [`JoinQueue::join_next_with_id`](::tokio_util::task::JoinQueue::join_next_with_id).
    #[track_caller]
    pub fn join_next_with_id(&mut self) -> impl Future<Output = Option<Result<(Id, T), JoinError>>> {
        let recording = SetAwaited(active().is_some());
        Watched::new(poll_fn(|cx| self.inner.poll_join_next_with_id(cx)), recording, Location::caller())
    }

    /// See [`JoinQueue::try_join_next`](::tokio_util::task::JoinQueue::try_join_next).
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        self.inner.try_join_next()
    }

    /// See [`JoinQueue::try_join_next_with_id`](::tokio_util::task::JoinQueue::try_join_next_with_id).
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        self.inner.try_join_next_with_id()
    }

    /// See [`JoinQueue::shutdown`](::tokio_util::task::JoinQueue::shutdown).
    pub fn shutdown(&mut self) -> impl Future<Output = ()> {
        self.inner.shutdown()
    }

    /// See [`JoinQueue::join_all`](::tokio_util::task::JoinQueue::join_all).
    ///
    /// # Panics
    /// When a task did, or was aborted.
    pub fn join_all(self) -> impl Future<Output = Vec<T>> {
        self.inner.join_all()
    }

    /// See [`JoinQueue::abort_all`](::tokio_util::task::JoinQueue::abort_all).
    pub fn abort_all(&mut self) {
        self.inner.abort_all();
    }

    /// See [`JoinQueue::detach_all`](::tokio_util::task::JoinQueue::detach_all).
    pub fn detach_all(&mut self) {
        self.inner.detach_all();
    }

    /// See [`JoinQueue::poll_join_next`](::tokio_util::task::JoinQueue::poll_join_next).
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.inner.poll_join_next(cx)
    }

    /// See [`JoinQueue::poll_join_next_with_id`](::tokio_util::task::JoinQueue::poll_join_next_with_id).
    pub fn poll_join_next_with_id(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(Id, T), JoinError>>> {
        self.inner.poll_join_next_with_id(cx)
    }
}

impl<T> JoinQueue<T> {
    /// tokio-util's own. Its tasks are watched on, and what is spawned into it is not.
    pub fn into_inner(self) -> raw::JoinQueue<T> {
        self.inner
    }
}

impl<T> From<JoinQueue<T>> for raw::JoinQueue<T> {
    fn from(queue: JoinQueue<T>) -> Self {
        queue.into_inner()
    }
}

impl<T> From<raw::JoinQueue<T>> for JoinQueue<T> {
    /// The tasks that are in it already are not watched.
    fn from(inner: raw::JoinQueue<T>) -> Self {
        Self { name: SetName::new(), inner }
    }
}

impl<T> crate::Named for JoinQueue<T> {
    /// Names the tasks that are spawned into it from now on.
    fn set_name(&self, name: &str) {
        self.name.set(name);
    }
}

impl<T> Default for JoinQueue<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, F> FromIterator<F> for JoinQueue<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(iter: I) -> Self {
        let mut queue = Self::new();
        for task in iter {
            queue.spawn(task);
        }
        queue
    }
}

impl<T> fmt::Debug for JoinQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
