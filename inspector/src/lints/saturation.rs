//! How full the threads of a runtime are, and who fills them.
use std::collections::BTreeMap;
use std::time::Duration;

use super::words;
use crate::model::{Model, RuntimeKind, SiteId, TaskState, Worker, WorkerKind};

/// A worker counts as full from this share of its time in polls.
const FULL: f64 = 0.9;
/// From this share of time without a CPU, it is the machine that is full.
const STOLEN: f64 = 0.5;

/// Threads that run spawned tasks.
pub(super) fn workers(model: &Model) -> impl Iterator<Item = &Worker> {
    model.workers.values().filter(|worker| worker.kind == WorkerKind::Worker)
}

/// Whether every worker has been in polls for nearly all of the last second, on a CPU: one that was ready to run and got
/// none is full because of the machine.
pub(super) fn all_full(model: &Model) -> bool {
    let mut any = false;
    workers(model).all(|worker| {
        any = true;
        worker.busy_share >= FULL && worker.cpu_wait_lately < STOLEN
    }) && any
}

/// Tasks that wait for a worker: those that are seen one by one, or what the runtimes count where that is more, since
/// it has the tasks of libraries too. What lies in the workers' own queues is told under `--cfg tokio_unstable` only.
pub(super) fn queued(model: &Model) -> u64 {
    let seen = model.states.get(TaskState::Scheduled) + model.states.get(TaskState::New);
    let runtimes = model.runtimes.values().filter(|runtime| runtime.kind == RuntimeKind::MultiThread);
    let told = runtimes.map(|r| r.global_queue.saturating_add(r.detail.map_or(0, |detail| detail.local_queues)));
    told.fold(0, u64::saturating_add).max(seen)
}

/// Threads of the blocking pools that have a job, and jobs without one, by the runtimes' own counts; `None` where these
/// do not tell.
pub(super) fn pools(model: &Model) -> Option<(u64, u64)> {
    let told = model.runtimes.values().filter_map(|runtime| runtime.detail);
    told.map(|d| (u64::from(d.blocking_threads.saturating_sub(d.blocking_idle)), d.blocking_queue))
        .reduce(|a, b| (a.0 + b.0, a.1.saturating_add(b.1)))
}

/// `delay` without what the machine adds to it by giving the workers no CPU.
pub(super) fn own(model: &Model, delay: Duration) -> Duration {
    let stolen = workers(model).map(|worker| worker.cpu_wait_lately).fold(0.0, f64::max);
    delay.mul_f64((1.0 - stolen).clamp(0.0, 1.0))
}

/// Sites whose tasks are in a poll now, those with the most first.
pub(super) fn in_polls(model: &Model) -> Vec<(SiteId, u64)> {
    let mut sites: BTreeMap<SiteId, u64> = BTreeMap::new();
    for (task, _) in workers(model).filter_map(|worker| worker.poll) {
        if let Some(task) = model.tasks.get(&task) {
            *sites.entry(task.site).or_default() += 1;
        }
    }
    let mut sites: Vec<_> = sites.into_iter().collect();
    sites.sort_by_key(|&(site, polls)| (std::cmp::Reverse(polls), site));
    sites
}

/// Places where the tasks that are in polls now were spawned.
pub(super) fn places_in_polls(model: &Model) -> Vec<String> {
    let places = in_polls(model).into_iter().map(|(site, _)| words::place(model, site).to_owned());
    places.filter(|place| !place.is_empty()).collect()
}
