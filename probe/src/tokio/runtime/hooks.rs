//! What the runtime calls: the app's functions, and with them the probe's, which tell of parked workers and, under
//! `--cfg tokio_unstable`, of tasks that are spawned past the drop-in. While nothing is recorded, the probe's cost a load.
use std::sync::Arc;

#[cfg(tokio_unstable)]
use super::TaskMeta;
use crate::recorder::{
    active,
    thread::{self, WorkerKind},
};
#[cfg(tokio_unstable)]
use crate::recorder::{foreign, peek};

/// The functions that the app has set where the probe has one of its own; tokio keeps only one of each.
#[derive(Clone, Default)]
#[allow(clippy::struct_field_names, reason = "each goes by the name of tokio's method")]
pub(super) struct Hooks {
    pub(super) on_thread_park: Option<Arc<dyn Fn() + Send + Sync>>,
    pub(super) on_thread_unpark: Option<Arc<dyn Fn() + Send + Sync>>,
    #[cfg(tokio_unstable)]
    pub(super) on_task_spawn: Option<TaskHook>,
    #[cfg(tokio_unstable)]
    pub(super) on_before_task_poll: Option<TaskHook>,
    #[cfg(tokio_unstable)]
    pub(super) on_after_task_poll: Option<TaskHook>,
    #[cfg(tokio_unstable)]
    pub(super) on_task_terminate: Option<TaskHook>,
}

#[cfg(tokio_unstable)]
type TaskHook = Arc<dyn Fn(&TaskMeta<'_>) + Send + Sync>;

impl Hooks {
    /// Sets them in `builder`, for a runtime whose threads are of that kind.
    pub(super) fn install(&self, builder: &mut ::tokio::runtime::Builder, kind: WorkerKind) {
        let app = self.on_thread_park.clone();
        builder.on_thread_park(move || {
            if let Some(recorder) = active() {
                thread::parks(recorder, kind);
            }
            if let Some(app) = &app {
                app();
            }
        });
        let app = self.on_thread_unpark.clone();
        builder.on_thread_unpark(move || {
            if let Some(app) = &app {
                app();
            }
            if active().is_some() {
                thread::unparked();
            }
        });
        #[cfg(tokio_unstable)]
        self.install_task_hooks(builder);
    }

    /// The app's functions stay out of the time that a poll is said to take.
    #[cfg(tokio_unstable)]
    fn install_task_hooks(&self, builder: &mut ::tokio::runtime::Builder) {
        let app = self.on_task_spawn.clone();
        builder.on_task_spawn(move |task| {
            if let Some(recorder) = active() {
                foreign::spawned(recorder, peek::task_id(task.id()), task.spawned_at());
            }
            if let Some(app) = &app {
                app(task);
            }
        });
        let app = self.on_before_task_poll.clone();
        builder.on_before_task_poll(move |task| {
            if let Some(app) = &app {
                app(task);
            }
            if let Some(recorder) = active() {
                foreign::poll_begins(recorder, peek::task_id(task.id()), || task.spawned_at());
            }
        });
        let app = self.on_after_task_poll.clone();
        builder.on_after_task_poll(move |task| {
            if active().is_some() {
                foreign::poll_ended(peek::task_id(task.id()));
            }
            if let Some(app) = &app {
                app(task);
            }
        });
        let app = self.on_task_terminate.clone();
        builder.on_task_terminate(move |task| {
            if let Some(app) = &app {
                app(task);
            }
            if let Some(recorder) = active() {
                foreign::terminated(recorder, peek::task_id(task.id()), || task.spawned_at());
            }
        });
    }
}
