//! One thread that polls tasks.
use std::time::Duration;

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
}

/// One thread that polls tasks.
#[derive(Debug, Clone, Default)]
pub struct Worker {
    /// Its id.
    pub id: WorkerId,
    /// What it is for.
    pub kind: WorkerKind,
    /// The thread's name.
    pub name: String,
    /// The poll in progress: which task, since when.
    pub poll: Option<(TaskId, Stamp)>,
    /// Completed polls.
    pub polls: u64,
    /// Time in completed polls.
    pub busy: Duration,
    /// Share of the last second or so spent in polls, 0 to 1.
    pub busy_share: f64,
}
