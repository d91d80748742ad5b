//! Tasks that stay on one thread.
use std::{
    fmt,
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use super::{JoinHandle, LocalEnterGuard, watch::Spawning};
use crate::{
    recorder::{poll::Tracked, task::TaskKind},
    tokio::runtime::Runtime,
};

/// Spawns a `!Send` task, watched; see [`tokio::task::spawn_local`](::tokio::task::spawn_local).
///
/// # Panics
/// Outside of a [`LocalSet`] and of a local runtime.
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let mut spawning = Spawning::of::<F, F::Output>(TaskKind::Local, Location::caller());
    let task = spawning.task();
    let handle = ::tokio::task::spawn_local(Tracked::new(future, task));
    spawning.end(handle)
}

/// A set of tasks that run on one thread, watched one by one; see [`tokio::task::LocalSet`](::tokio::task::LocalSet).
#[derive(Default)]
pub struct LocalSet {
    inner: ::tokio::task::LocalSet,
}

impl LocalSet {
    /// See [`LocalSet::new`](::tokio::task::LocalSet::new).
    pub fn new() -> Self {
        Self { inner: ::tokio::task::LocalSet::new() }
    }

    /// See [`LocalSet::enter`](::tokio::task::LocalSet::enter).
    pub fn enter(&self) -> LocalEnterGuard {
        self.inner.enter()
    }

    /// Spawns a task onto the set, watched; see [`LocalSet::spawn_local`](::tokio::task::LocalSet::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let mut spawning = Spawning::of::<F, F::Output>(TaskKind::Local, Location::caller());
        let task = spawning.task();
        let handle = self.inner.spawn_local(Tracked::new(future, task));
        spawning.end(handle)
    }

    /// Runs a future with the set's tasks, watched as a root; see
    /// [`LocalSet::block_on`](::tokio::task::LocalSet::block_on).
    #[track_caller]
    pub fn block_on<F: Future>(&self, rt: &Runtime, future: F) -> F::Output {
        rt.block_on(self.run_until(future))
    }

    /// Runs a future with the set's tasks; see [`LocalSet::run_until`](::tokio::task::LocalSet::run_until).
    pub fn run_until<F: Future>(&self, future: F) -> impl Future<Output = F::Output> {
        self.inner.run_until(future)
    }

    /// See [`LocalSet::id`](::tokio::task::LocalSet::id).
    pub fn id(&self) -> crate::tokio::runtime::Id {
        self.inner.id()
    }

    /// See [`LocalSet::unhandled_panic`](::tokio::task::LocalSet::unhandled_panic).
    #[cfg(tokio_unstable)]
    pub fn unhandled_panic(&mut self, behavior: crate::tokio::runtime::UnhandledPanic) -> &mut Self {
        self.inner.unhandled_panic(behavior);
        self
    }

    /// tokio's own set; the tasks that are on it stay watched.
    pub fn into_inner(self) -> ::tokio::task::LocalSet {
        self.inner
    }

    pub(crate) fn as_inner(&self) -> &::tokio::task::LocalSet {
        &self.inner
    }
}

impl From<::tokio::task::LocalSet> for LocalSet {
    fn from(inner: ::tokio::task::LocalSet) -> Self {
        Self { inner }
    }
}

impl From<LocalSet> for ::tokio::task::LocalSet {
    fn from(set: LocalSet) -> Self {
        set.inner
    }
}

impl Future for LocalSet {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.inner).poll(cx)
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
