//! What tests of tasks that libraries spawn have in common.
use std::time::{Duration, Instant};

use crate::{
    recorder::{
        self, Recorder,
        thread::{WorkerReading, worker_name},
    },
    tokio::runtime::{Builder, Runtime},
};

/// The one recorder of this process.
pub(crate) fn recorder() -> &'static Recorder {
    recorder::start(recorder::DEFAULT_LIMIT_BYTES);
    recorder::active().unwrap()
}

/// A watched runtime whose threads have that name.
pub(crate) fn runtime(name: &str, workers: usize) -> Runtime {
    recorder();
    Builder::new_multi_thread().worker_threads(workers).thread_name(name).enable_all().build().unwrap()
}

/// The workers of a runtime whose threads have that name.
pub(crate) fn workers(name: &str) -> Vec<WorkerReading> {
    let all = recorder().workers.all().filter_map(|(_, slot)| slot.read());
    all.filter(|worker| worker_name(worker.name) == name).collect()
}

/// Asks until it is so, for at most a minute.
pub(crate) fn wait_for(mut what: impl FnMut() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(began.elapsed() < Duration::from_mins(1), "it does not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A sleep that the probe does not see.
pub(crate) fn pause(millis: u64) -> ::tokio::time::Sleep {
    ::tokio::time::sleep(Duration::from_millis(millis))
}
