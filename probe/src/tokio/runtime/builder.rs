//! [`Builder`].
use std::{fmt, io, sync::Arc, time::Duration};

#[cfg(tokio_unstable)]
use super::{HistogramConfiguration, HistogramScale, RngSeed, TaskMeta, UnhandledPanic};
use super::{LocalOptions, LocalRuntime, Runtime, hooks::Hooks};
use crate::recorder::{self, thread::WorkerKind};

/// Builds a runtime; see [`tokio::runtime::Builder`](::tokio::runtime::Builder).
///
/// Every method does what tokio's does. [`Builder::build`] also starts the probe when `ASYNC_INSPECT` says so.
pub struct Builder {
    inner: ::tokio::runtime::Builder,
    hooks: Hooks,
    /// What the runtime's threads are. `None` for a builder that was tokio's: it may have functions of the app's that the
    /// probe's would replace, so it gets none.
    kind: Option<WorkerKind>,
}

/// Methods that hand their values on to tokio's builder.
macro_rules! settings {
    ($($(#[$meta:meta])* $name:ident($($value:ident: $type:ty)?);)*) => {
        impl Builder {
            $(
                #[doc = concat!("See [`Builder::", stringify!($name), "`](::tokio::runtime::Builder::", stringify!($name), ").")]
                $(#[$meta])*
                #[track_caller]
                pub fn $name(&mut self, $($value: $type)?) -> &mut Self {
                    self.inner.$name($($value)?);
                    self
                }
            )*
        }
    };
}

/// Methods that hand a function on to tokio's builder.
macro_rules! hooks {
    ($($(#[$meta:meta])* $name:ident($($bound:tt)*);)*) => {
        impl Builder {
            $(
                #[doc = concat!("See [`Builder::", stringify!($name), "`](::tokio::runtime::Builder::", stringify!($name), ").")]
                $(#[$meta])*
                pub fn $name<F>(&mut self, f: F) -> &mut Self
                where
                    F: $($bound)* + Send + Sync + 'static,
                {
                    self.inner.$name(f);
                    self
                }
            )*
        }
    };
}

/// Methods that set a function where the probe has one of its own.
macro_rules! shared_hooks {
    ($($(#[$meta:meta])* $name:ident($($bound:tt)*);)*) => {
        impl Builder {
            $(
                #[doc = concat!("See [`Builder::", stringify!($name), "`](::tokio::runtime::Builder::", stringify!($name), ").")]
                $(#[$meta])*
                pub fn $name<F>(&mut self, f: F) -> &mut Self
                where
                    F: $($bound)* + Send + Sync + 'static,
                {
                    if self.kind.is_some() {
                        self.hooks.$name = Some(Arc::new(f));
                    } else {
                        self.inner.$name(f);
                    }
                    self
                }
            )*
        }
    };
}

settings! {
    enable_all();
    enable_io();
    enable_time();
    worker_threads(val: usize);
    max_blocking_threads(val: usize);
    thread_name(val: impl Into<String>);
    name(val: impl Into<String>);
    thread_stack_size(val: usize);
    thread_keep_alive(duration: Duration);
    global_queue_interval(val: u32);
    event_interval(val: u32);
    max_io_events_per_tick(capacity: usize);
    max_io_events_per_busy_tick(capacity: usize);
    #[cfg(feature = "test-util")]
    start_paused(start_paused: bool);
    #[cfg(tokio_unstable)]
    enable_sharded_blocking_queue();
    #[cfg(tokio_unstable)]
    enable_alt_timer();
    #[cfg(tokio_unstable)]
    enable_eager_driver_handoff();
    #[cfg(all(tokio_unstable, feature = "io-uring", feature = "fs", target_os = "linux"))]
    enable_io_uring();
    #[cfg(tokio_unstable)]
    unhandled_panic(behavior: UnhandledPanic);
    #[cfg(tokio_unstable)]
    disable_lifo_slot();
    #[cfg(tokio_unstable)]
    rng_seed(seed: RngSeed);
    #[cfg(tokio_unstable)]
    enable_metrics_poll_time_histogram();
    #[cfg(tokio_unstable)]
    metrics_poll_time_histogram_configuration(configuration: HistogramConfiguration);
    #[cfg(tokio_unstable)]
    #[doc(hidden)]
    #[deprecated(note = "as in tokio: `poll_count_histogram` is named `poll_time_histogram` now")]
    #[expect(deprecated, reason = "that is what it is for")]
    enable_metrics_poll_count_histogram();
    #[cfg(tokio_unstable)]
    #[deprecated(note = "as in tokio: use `metrics_poll_time_histogram_configuration`")]
    #[expect(deprecated, reason = "that is what it is for")]
    metrics_poll_count_histogram_scale(histogram_scale: HistogramScale);
    #[cfg(tokio_unstable)]
    #[deprecated(note = "as in tokio: use `metrics_poll_time_histogram_configuration`")]
    #[expect(deprecated, reason = "that is what it is for")]
    metrics_poll_count_histogram_resolution(resolution: Duration);
    #[cfg(tokio_unstable)]
    #[deprecated(note = "as in tokio: use `metrics_poll_time_histogram_configuration`")]
    #[expect(deprecated, reason = "that is what it is for")]
    metrics_poll_count_histogram_buckets(buckets: usize);
    #[cfg(all(tokio_unstable, feature = "schedule-latency"))]
    track_task_schedule_latency();
    #[cfg(all(tokio_unstable, feature = "schedule-latency"))]
    enable_metrics_schedule_latency_histogram();
    #[cfg(all(tokio_unstable, feature = "schedule-latency"))]
    metrics_schedule_latency_histogram_configuration(configuration: HistogramConfiguration);
}

hooks! {
    thread_name_fn(Fn() -> String);
    on_thread_start(Fn());
    on_thread_stop(Fn());
}

shared_hooks! {
    on_thread_park(Fn());
    on_thread_unpark(Fn());
    #[cfg(tokio_unstable)]
    on_task_spawn(Fn(&TaskMeta<'_>));
    #[cfg(tokio_unstable)]
    on_before_task_poll(Fn(&TaskMeta<'_>));
    #[cfg(tokio_unstable)]
    on_after_task_poll(Fn(&TaskMeta<'_>));
    #[cfg(tokio_unstable)]
    on_task_terminate(Fn(&TaskMeta<'_>));
}

impl Builder {
    /// See [`Builder::new_current_thread`](::tokio::runtime::Builder::new_current_thread).
    pub fn new_current_thread() -> Self {
        Self::new(::tokio::runtime::Builder::new_current_thread(), WorkerKind::BlockOn)
    }

    /// See [`Builder::new_multi_thread`](::tokio::runtime::Builder::new_multi_thread).
    pub fn new_multi_thread() -> Self {
        Self::new(::tokio::runtime::Builder::new_multi_thread(), WorkerKind::Worker)
    }

    fn new(inner: ::tokio::runtime::Builder, kind: WorkerKind) -> Self {
        Self { inner, hooks: Hooks::default(), kind: Some(kind) }
    }

    fn install_hooks(&mut self) {
        recorder::found_drop_in();
        if let Some(kind) = self.kind {
            self.hooks.install(&mut self.inner, kind);
        }
    }

    /// Builds the runtime, and starts the probe when `ASYNC_INSPECT` says so and nothing started it before. A probe that
    /// cannot start is no error here: it says so on stderr. See [`Builder::build`](::tokio::runtime::Builder::build).
    ///
    /// # Errors
    /// When the system gives no threads or drivers.
    pub fn build(&mut self) -> io::Result<Runtime> {
        crate::start::from_environment();
        self.install_hooks();
        self.inner.build().map(Runtime::from)
    }

    /// As [`Builder::build`], for a runtime of `!Send` tasks. See
    /// [`Builder::build_local`](::tokio::runtime::Builder::build_local).
    ///
    /// # Errors
    /// When the system gives no drivers.
    pub fn build_local(&mut self, options: LocalOptions) -> io::Result<LocalRuntime> {
        crate::start::from_environment();
        self.install_hooks();
        self.inner.build_local(options).map(LocalRuntime::from)
    }

    /// tokio's own builder, with all that was set.
    pub fn into_inner(mut self) -> ::tokio::runtime::Builder {
        self.install_hooks();
        self.inner
    }
}

impl From<::tokio::runtime::Builder> for Builder {
    fn from(inner: ::tokio::runtime::Builder) -> Self {
        Self { inner, hooks: Hooks::default(), kind: None }
    }
}

impl From<Builder> for ::tokio::runtime::Builder {
    fn from(builder: Builder) -> Self {
        builder.into_inner()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
