//! One runtime of the target, by tokio's own counters.
use std::sync::Arc;
use std::time::Duration;

use super::Stamp;
use super::window::Window;

/// Id of a [`Runtime`] within one instance of a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuntimeId(pub u64);

/// How a runtime runs its tasks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RuntimeKind {
    /// Not known.
    #[default]
    Unknown,
    /// On the thread that is in its `block_on`.
    CurrentThread,
    /// On worker threads.
    MultiThread,
}

/// One runtime.
#[derive(Debug, Clone, Default)]
pub struct Runtime {
    /// Its id.
    pub id: RuntimeId,
    /// How it runs its tasks.
    pub kind: RuntimeKind,
    /// Its own name; empty when none was given.
    pub name: Arc<str>,
    /// Worker threads.
    pub workers: u32,
    /// Tasks that have not ended, those that are not watched included.
    pub alive_tasks: u64,
    /// Tasks in the queue that all workers share.
    pub global_queue: u64,
    /// Share of the last second or so that its workers were not parked, 0 to 1, as of their last parks.
    pub awake_share: f64,
    /// Times that its workers parked, per second.
    pub parks_per_s: f64,
    /// What tokio tells under `--cfg tokio_unstable` only.
    pub detail: Option<RuntimeDetail>,

    /// What [`super::Model::apply`] remembers of it.
    pub(crate) track: RuntimeTrack,
}

/// See [`Runtime::detail`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RuntimeDetail {
    /// Tasks in the workers' own queues.
    pub local_queues: u64,
    /// Tasks that workers took from each other, per second.
    pub steals_per_s: f64,
    /// Threads of the blocking pool.
    pub blocking_threads: u32,
    /// Of these, without a job.
    pub blocking_idle: u32,
    /// Jobs without a thread.
    pub blocking_queue: u64,
}

/// What `apply` remembers of a runtime.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RuntimeTrack {
    parks: Option<Window>,
    steals: Option<Window>,
}

/// What one update says of a runtime; fields as in [`Runtime`], counters cumulative.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct RuntimeReading {
    pub id: RuntimeId,
    pub kind: RuntimeKind,
    pub name: Arc<str>,
    pub workers: u32,
    pub alive_tasks: u64,
    pub global_queue: u64,
    /// Of all workers together.
    pub awake: Duration,
    pub parks: u64,
    pub steals: u64,
    /// Rates in it are left at 0.
    pub detail: Option<RuntimeDetail>,
}

impl Runtime {
    /// The runtime as it is now; `self` is what was known of it, as of the update at `told`.
    pub(super) fn read(mut self, at: Stamp, told: Stamp, reading: RuntimeReading) -> Self {
        let RuntimeReading { id, kind, name, workers, alive_tasks, global_queue, awake, parks, steals, detail } =
            reading;
        let each = awake / workers.max(1);
        let window = self.track.parks.get_or_insert_with(|| Window::starting(at, each, parks));
        let rates = window.read(at, told, each, parks);
        let window = self.track.steals.get_or_insert_with(|| Window::starting(at, Duration::ZERO, steals));
        let steals_per_s = window.read(at, told, Duration::ZERO, steals).polls_per_s;
        Self {
            id,
            kind,
            name,
            workers,
            alive_tasks,
            global_queue,
            awake_share: rates.busy_share,
            parks_per_s: rates.polls_per_s,
            detail: detail.map(|detail| RuntimeDetail { steals_per_s, ..detail }),
            track: self.track,
        }
    }
}
