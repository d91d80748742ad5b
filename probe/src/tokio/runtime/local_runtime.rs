//! [`LocalRuntime`].
use std::{fmt, future::Future, panic::Location, time::Duration};

use super::{EnterGuard, Handle, LocalOptions, RuntimeMetrics, root};
use crate::{
    recorder::{
        poll::{Tracked, blocking},
        runtimes::{self, Registered},
        task::TaskKind,
        thread,
    },
    tokio::task::{JoinHandle, watch::Spawning},
};

/// A runtime of one thread for `!Send` tasks, which are watched. See
/// [`tokio::runtime::LocalRuntime`](::tokio::runtime::LocalRuntime).
pub struct LocalRuntime {
    inner: ::tokio::runtime::LocalRuntime,
    handle: Handle,
    /// Dropped after the runtime itself.
    _registered: Registered,
}

impl LocalRuntime {
    /// A local runtime with everything enabled; starts the probe when `ASYNC_INSPECT` says so. See
    /// [`LocalRuntime::new`](::tokio::runtime::LocalRuntime::new).
    ///
    /// # Errors
    /// When the system gives no drivers.
    pub fn new() -> std::io::Result<Self> {
        super::Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
    }

    /// See [`LocalRuntime::handle`](::tokio::runtime::LocalRuntime::handle).
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Spawns a `!Send` task, watched; see [`LocalRuntime::spawn_local`](::tokio::runtime::LocalRuntime::spawn_local).
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

    /// Runs a closure where it may block, watched; see
    /// [`LocalRuntime::spawn_blocking`](::tokio::runtime::LocalRuntime::spawn_blocking).
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

    /// Runs a future to its end, watched as a root; see
    /// [`LocalRuntime::block_on`](::tokio::runtime::LocalRuntime::block_on).
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        let _in_loop = thread::InLoop;
        // Not from within a closure, which would be the caller that a panic names.
        self.inner.block_on(root(future, Location::caller()))
    }

    /// See [`LocalRuntime::enter`](::tokio::runtime::LocalRuntime::enter).
    pub fn enter(&self) -> EnterGuard<'_> {
        self.inner.enter()
    }

    /// See [`LocalRuntime::shutdown_timeout`](::tokio::runtime::LocalRuntime::shutdown_timeout).
    pub fn shutdown_timeout(self, duration: Duration) {
        self.inner.shutdown_timeout(duration);
    }

    /// See [`LocalRuntime::shutdown_background`](::tokio::runtime::LocalRuntime::shutdown_background).
    pub fn shutdown_background(self) {
        self.inner.shutdown_background();
    }

    /// See [`LocalRuntime::metrics`](::tokio::runtime::LocalRuntime::metrics).
    pub fn metrics(&self) -> RuntimeMetrics {
        self.inner.metrics()
    }

    /// tokio's own runtime; what is spawned through it is not watched.
    pub fn into_inner(self) -> ::tokio::runtime::LocalRuntime {
        self.inner
    }
}

impl From<::tokio::runtime::LocalRuntime> for LocalRuntime {
    fn from(inner: ::tokio::runtime::LocalRuntime) -> Self {
        let registered = runtimes::register(inner.handle());
        let handle = inner.handle().clone().into();
        Self { inner, handle, _registered: registered }
    }
}

impl From<LocalRuntime> for ::tokio::runtime::LocalRuntime {
    fn from(runtime: LocalRuntime) -> Self {
        runtime.inner
    }
}

impl std::panic::UnwindSafe for LocalRuntime {}
impl std::panic::RefUnwindSafe for LocalRuntime {}

impl fmt::Debug for LocalRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
