//! An archive that compresses files on the blocking pool. The faulty one hands over every file at once, more than the
//! pool can ever begin in time; the healthy one has as many in flight as there are threads.
use std::{io, sync::Arc, thread, time::Duration};

use tokio::{
    runtime::Builder,
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
    time::interval,
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "blocking-pool-saturated",
    rule: Some("blocking-pool-saturated"),
    about: "an archive that hands every file to spawn_blocking at once, with 4 threads in the pool",
    source: include_str!("blocking_pool_saturated.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

const THREADS: usize = 4;

/// Compresses one file, most of which is waiting for the disk.
fn compress(file: u64) -> u64 {
    thread::sleep(Duration::from_millis(120));
    file * 3 / 4
}

/// On a runtime with a small pool, as small machines have.
async fn on_a_small_pool<A: Future<Output = ()> + Send + 'static>(archive: A) -> io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).max_blocking_threads(THREADS).enable_time().build()?;
    let archiving = runtime.spawn(archive);
    let archived = archiving.await;
    runtime.shutdown_background();
    Ok(archived?)
}

async fn archive_all_at_once() {
    let mut arriving = interval(Duration::from_secs(1));
    let mut jobs = JoinSet::new();
    for day in 0.. {
        arriving.tick().await;
        for file in 0..60 {
            jobs.spawn_blocking(move || compress(day * 60 + file)); // <- fault: blocking-pool-saturated
        }
        while jobs.try_join_next().is_some() {}
    }
}

async fn archive_as_room_comes() {
    let room = Arc::new(Semaphore::new(THREADS));
    let mut jobs = JoinSet::new();
    for file in 0.. {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        jobs.spawn(async move {
            let _permit = permit;
            spawn_blocking(move || compress(file)).await
        });
        while jobs.try_join_next().is_some() {}
    }
}

async fn faulty() -> io::Result<()> {
    on_a_small_pool(archive_all_at_once()).await
}

async fn healthy() -> io::Result<()> {
    on_a_small_pool(archive_as_room_comes()).await
}
