//! [`Runtime`].
use std::{fmt, future::Future, panic::Location, time::Duration};

use super::{EnterGuard, Handle, RuntimeMetrics, root};
use crate::{
    recorder::{
        poll::{Tracked, blocking},
        runtimes::{self, Registered},
        task::TaskKind,
        thread,
    },
    tokio::task::{JoinHandle, watch::Spawning},
};

/// The runtime; what is spawned on it and run by it is watched. See
/// [`tokio::runtime::Runtime`](::tokio::runtime::Runtime).
pub struct Runtime {
    inner: ::tokio::runtime::Runtime,
    handle: Handle,
    /// Dropped after the runtime itself.
    _registered: Registered,
}

impl Runtime {
    /// A multi-threaded runtime with everything enabled; starts the probe when `ASYNC_INSPECT` says so. See
    /// [`Runtime::new`](::tokio::runtime::Runtime::new).
    ///
    /// # Errors
    /// When the system gives no threads or drivers.
    pub fn new() -> std::io::Result<Self> {
        super::Builder::new_multi_thread().enable_all().build()
    }

    /// See [`Runtime::handle`](::tokio::runtime::Runtime::handle).
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Spawns a task, watched; see [`Runtime::spawn`](::tokio::runtime::Runtime::spawn).
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
    /// [`Runtime::spawn_blocking`](::tokio::runtime::Runtime::spawn_blocking).
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

    /// Runs a future to its end, watched as a root; see [`Runtime::block_on`](::tokio::runtime::Runtime::block_on).
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _in_loop = thread::InLoop;
        // Not from within a closure, which would be the caller that a panic names.
        self.inner.block_on(root(future, Location::caller()))
    }

    /// See [`Runtime::enter`](::tokio::runtime::Runtime::enter).
    pub fn enter(&self) -> EnterGuard<'_> {
        self.inner.enter()
    }

    /// See [`Runtime::shutdown_timeout`](::tokio::runtime::Runtime::shutdown_timeout).
    pub fn shutdown_timeout(self, duration: Duration) {
        self.inner.shutdown_timeout(duration);
    }

    /// See [`Runtime::shutdown_background`](::tokio::runtime::Runtime::shutdown_background).
    pub fn shutdown_background(self) {
        self.inner.shutdown_background();
    }

    /// See [`Runtime::metrics`](::tokio::runtime::Runtime::metrics).
    pub fn metrics(&self) -> RuntimeMetrics {
        self.inner.metrics()
    }

    /// tokio's own runtime; what is spawned through it is not watched.
    pub fn into_inner(self) -> ::tokio::runtime::Runtime {
        self.inner
    }
}

impl From<::tokio::runtime::Runtime> for Runtime {
    fn from(inner: ::tokio::runtime::Runtime) -> Self {
        let registered = runtimes::register(inner.handle());
        let handle = inner.handle().clone().into();
        Self { inner, handle, _registered: registered }
    }
}

impl From<Runtime> for ::tokio::runtime::Runtime {
    fn from(runtime: Runtime) -> Self {
        runtime.inner
    }
}

impl std::panic::UnwindSafe for Runtime {}
impl std::panic::RefUnwindSafe for Runtime {}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
