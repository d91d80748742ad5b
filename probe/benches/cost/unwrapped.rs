//! Tasks that nobody wraps, as a library spawns them by a tokio of its own, on a runtime of the drop-in's, whose hooks tell of
//! them.
use async_inspect_probe::tokio::runtime::Builder;

use super::{bare::scenarios::slices, child::middle};

/// As `measure` in `scenarios.rs`.
pub(crate) fn measure(scenario: &str, workers: usize, operations: usize) -> f64 {
    let runtime = Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap();
    let spent = runtime.block_on(slices(scenario.to_owned(), workers, operations));
    // What is left is not measured, and may be much.
    std::mem::forget(runtime);
    middle(spent)
}
