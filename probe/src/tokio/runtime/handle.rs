//! [`Handle`].
use std::{fmt, future::Future, panic::Location};

use super::{EnterGuard, Id, RuntimeFlavor, RuntimeMetrics, TryCurrentError, root};
use crate::{
    recorder::{
        poll::{Tracked, blocking},
        task::TaskKind,
    },
    tokio::task::{JoinHandle, watch::Spawning},
};

/// A handle to a runtime; what is spawned or run through it is watched. See
/// [`tokio::runtime::Handle`](::tokio::runtime::Handle).
#[derive(Clone)]
pub struct Handle {
    inner: ::tokio::runtime::Handle,
}

impl Handle {
    /// See [`Handle::enter`](::tokio::runtime::Handle::enter).
    pub fn enter(&self) -> EnterGuard<'_> {
        self.inner.enter()
    }

    /// See [`Handle::current`](::tokio::runtime::Handle::current).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn current() -> Self {
        ::tokio::runtime::Handle::current().into()
    }

    /// See [`Handle::try_current`](::tokio::runtime::Handle::try_current).
    ///
    /// # Errors
    /// Outside of a runtime.
    pub fn try_current() -> Result<Self, TryCurrentError> {
        ::tokio::runtime::Handle::try_current().map(Self::from)
    }

    /// Spawns a task, watched; see [`Handle::spawn`](::tokio::runtime::Handle::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut spawning = Spawning::of::<F, F::Output>(TaskKind::Async, Location::caller());
        let task = spawning.task();
        let handle = self.inner.spawn(Tracked::new(future, task));
        spawning.end(handle)
    }

    /// Runs a closure where it may block, watched; see
    /// [`Handle::spawn_blocking`](::tokio::runtime::Handle::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let mut spawning = Spawning::of::<F, R>(TaskKind::Blocking, Location::caller());
        let task = spawning.task();
        let handle = self.inner.spawn_blocking(blocking(task, func));
        spawning.end(handle)
    }

    /// Runs a future to its end, watched as a root; see [`Handle::block_on`](::tokio::runtime::Handle::block_on).
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        // Not from within a closure, which would be the caller that a panic names.
        self.inner.block_on(root(future, Location::caller()))
    }

    /// See [`Handle::runtime_flavor`](::tokio::runtime::Handle::runtime_flavor).
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        self.inner.runtime_flavor()
    }

    /// See [`Handle::id`](::tokio::runtime::Handle::id).
    pub fn id(&self) -> Id {
        self.inner.id()
    }

    /// See [`Handle::name`](::tokio::runtime::Handle::name).
    pub fn name(&self) -> Option<&str> {
        self.inner.name()
    }

    /// See [`Handle::metrics`](::tokio::runtime::Handle::metrics).
    pub fn metrics(&self) -> RuntimeMetrics {
        self.inner.metrics()
    }

    /// tokio's own handle; what is spawned through it is not watched.
    pub fn into_inner(self) -> ::tokio::runtime::Handle {
        self.inner
    }

    pub(crate) fn as_inner(&self) -> &::tokio::runtime::Handle {
        &self.inner
    }
}

#[cfg(all(
    tokio_unstable,
    feature = "taskdump",
    target_os = "linux",
    any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64", target_arch = "s390x")
))]
impl Handle {
    /// See [`Handle::dump`](::tokio::runtime::Handle::dump).
    pub fn dump(&self) -> impl Future<Output = super::Dump> {
        self.inner.dump()
    }

    #[doc(hidden)]
    pub fn is_tracing() -> bool {
        ::tokio::runtime::Handle::is_tracing()
    }
}

impl From<::tokio::runtime::Handle> for Handle {
    fn from(inner: ::tokio::runtime::Handle) -> Self {
        Self { inner }
    }
}

impl From<Handle> for ::tokio::runtime::Handle {
    fn from(handle: Handle) -> Self {
        handle.inner
    }
}

impl std::panic::UnwindSafe for Handle {}
impl std::panic::RefUnwindSafe for Handle {}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
