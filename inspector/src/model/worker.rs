//! One thread that polls tasks.
use std::sync::Arc;
use std::time::Duration;

use super::window::Window;
use super::{Stamp, TaskId};

/// Id of a [`Worker`] within one instance of a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub u64);

/// What the thread is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum WorkerKind {
    /// Worker of a runtime.
    #[default]
    Worker,
    /// A thread in `block_on`.
    BlockOn,
    /// A thread of the blocking pool.
    Blocking,
    /// A thread of which the target tells nothing but that it is in a poll.
    Untold,
}

/// One thread that polls tasks.
#[derive(Debug, Clone, Default)]
pub struct Worker {
    /// Its id.
    pub id: WorkerId,
    /// What it is for.
    pub kind: WorkerKind,
    /// The thread's name.
    pub name: Arc<str>,
    /// The poll in progress: which task, since when.
    pub poll: Option<(TaskId, Stamp)>,
    /// Of the poll in progress: how long the thread was ready to run and had no CPU; at least, where the system tells.
    pub poll_cpu_wait: Duration,
    /// Share of the time since the update before for which the thread had no CPU though it was ready to run, 0 to 1.
    pub cpu_wait_share: f64,
    /// The same over about the last second, each update counting for a little less than the one after it.
    pub cpu_wait_lately: f64,
    /// Share of about the last second for which it was on a CPU, 0 to 1; `None` where that is not told.
    pub cpu_share: Option<f64>,
    /// Completed polls.
    pub polls: u64,
    /// Time in completed polls.
    pub busy: Duration,
    /// Share of the last second or so that it was at work, 0 to 1: in polls that are watched, the one in progress included,
    /// or, where the runtime's loop tells and that is more, not parked, which has the polls of libraries' tasks in it.
    pub busy_share: f64,
    /// Polls per second over the same time.
    pub polls_per_s: f64,
    /// Times that the runtime's loop parked it, per second.
    pub parks_per_s: f64,
    /// What tokio tells of workers under `--cfg tokio_unstable` only.
    pub detail: Option<WorkerDetail>,

    /// What [`super::Model::apply`] remembers of it.
    pub(crate) track: WorkerTrack,
}

/// See [`Worker::detail`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WorkerDetail {
    /// Tasks in its own queue.
    pub local_queue: u64,
    /// Tasks that it took from other workers, per second.
    pub steals_per_s: f64,
}

/// What `apply` remembers of a thread beside what it shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct WorkerTrack {
    pub(super) generation: u32,
    pub(super) window: Window,
    pub(super) parks: Option<Window>,
    pub(super) steals: Option<Window>,
    /// Time without a CPU so far, and when it was read.
    pub(super) cpu_wait: Option<(Duration, Stamp)>,
    /// Time on a CPU so far, and when it was read.
    pub(super) cpu: Option<(Duration, Stamp)>,
}
