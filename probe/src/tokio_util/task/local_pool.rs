//! [`LocalPoolHandle`].
use std::{fmt, future::Future, panic::Location};

use crate::{
    recorder::{
        poll::{Tracked, made_there},
        task::TaskKind,
    },
    tokio::task::{
        JoinHandle,
        watch::{self, CallSite},
    },
};

/// A pool of threads for `!Send` tasks, which are watched; see
/// [`tokio_util::task::LocalPoolHandle`](::tokio_util::task::LocalPoolHandle).
///
/// Watched: the tasks. What becomes of their results is not.
#[derive(Clone)]
pub struct LocalPoolHandle {
    inner: ::tokio_util::task::LocalPoolHandle,
}

impl LocalPoolHandle {
    /// See [`LocalPoolHandle::new`](::tokio_util::task::LocalPoolHandle::new).
    ///
    /// # Panics
    /// When `pool_size` is 0, or there is no thread to be had.
    #[track_caller]
    pub fn new(pool_size: usize) -> Self {
        Self { inner: ::tokio_util::task::LocalPoolHandle::new(pool_size) }
    }

    /// See [`LocalPoolHandle::num_threads`](::tokio_util::task::LocalPoolHandle::num_threads).
    pub fn num_threads(&self) -> usize {
        self.inner.num_threads()
    }

    /// See
    /// [`LocalPoolHandle::get_task_loads_for_each_worker`](::tokio_util::task::LocalPoolHandle::get_task_loads_for_each_worker).
    pub fn get_task_loads_for_each_worker(&self) -> Vec<usize> {
        self.inner.get_task_loads_for_each_worker()
    }

    /// Spawns a task, watched; see [`LocalPoolHandle::spawn_pinned`](::tokio_util::task::LocalPoolHandle::spawn_pinned).
    #[track_caller]
    pub fn spawn_pinned<F, Fut>(&self, create_task: F) -> JoinHandle<Fut::Output>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        self.inner.spawn_pinned(watched(create_task, Location::caller())).into()
    }

    /// Spawns a task on one of the threads, watched; see
    /// [`LocalPoolHandle::spawn_pinned_by_idx`](::tokio_util::task::LocalPoolHandle::spawn_pinned_by_idx).
    ///
    /// # Panics
    /// When there is no such thread.
    #[track_caller]
    pub fn spawn_pinned_by_idx<F, Fut>(&self, create_task: F, idx: usize) -> JoinHandle<Fut::Output>
    where
        F: FnOnce() -> Fut + Send + 'static,
        Fut: Future + 'static,
        Fut::Output: Send + 'static,
    {
        self.inner.spawn_pinned_by_idx(watched(create_task, Location::caller()), idx).into()
    }

    /// tokio-util's own, of the same threads. What is spawned by it is not watched.
    pub fn into_inner(self) -> ::tokio_util::task::LocalPoolHandle {
        self.inner
    }
}

impl From<::tokio_util::task::LocalPoolHandle> for LocalPoolHandle {
    fn from(inner: ::tokio_util::task::LocalPoolHandle) -> Self {
        Self { inner }
    }
}

/// Makes the future a watched one where it will run. Its id is not known before it is polled: the handle is of another
/// task, which waits for it.
fn watched<F, Fut>(create_task: F, site: CallSite) -> impl FnOnce() -> Tracked<Fut> + Send + 'static
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future + 'static,
{
    let task = watch::register_unjoined::<Fut, Fut::Output>(TaskKind::Local, site);
    made_there(task, create_task)
}

impl fmt::Debug for LocalPoolHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
