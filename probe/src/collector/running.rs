//! Which polls are in progress.
use std::collections::HashMap;

use crate::recorder::{Recorder, task::TaskSlot, thread::WorkerReading};

/// Polls in progress.
#[derive(Default)]
pub(super) struct Running {
    /// Tasks in a poll, by id: their slots and when the poll began.
    pub(super) tasks: HashMap<u64, (&'static TaskSlot, u64)>,
    /// When the poll of each worker began, if it is in one, watched or not.
    workers: HashMap<u64, u64>,
}

impl Running {
    /// All of now.
    pub(super) fn now(recorder: &'static Recorder) -> Self {
        let mut running = Self::default();
        for worker in recorder.workers.all().filter_map(|(_, slot)| slot.read()) {
            running.add(&worker);
        }
        running
    }

    /// That of a worker, if it is in one.
    pub(super) fn add(&mut self, worker: &WorkerReading) {
        let began = worker.poll.map_or(worker.unwatched_since, |poll| poll.started);
        if began != 0 {
            self.workers.insert(worker.id, began);
        }
        if let Some(poll) = worker.poll.filter(|poll| poll.task_id != 0) {
            self.tasks.insert(poll.task_id, (poll.task, poll.started));
        }
    }

    /// When the poll of a task began, if it is in one.
    pub(super) fn since(&self, task: u64) -> Option<u64> {
        self.tasks.get(&task).map(|&(_, since)| since)
    }

    /// Whether a worker is in the poll that began then.
    pub(super) fn is_in(&self, worker: u64, began: u64) -> bool {
        self.workers.get(&worker) == Some(&began)
    }
}
