//! A pool of workers behind a semaphore: jobs come in bursts, each waits for a permit, which moves into its task.
use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{interval, sleep},
};

use crate::{Program, work::compute};

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/worker-pool",
    rule: None,
    about: "jobs in bursts of 60, eight at a time behind a semaphore whose permits move into their tasks",
    source: include_str!("worker_pool.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

async fn job(number: u64) -> u64 {
    let found = compute(Duration::from_micros(200)) ^ number;
    sleep(Duration::from_millis(20 + number % 30)).await;
    found
}

async fn healthy() -> io::Result<()> {
    let pool = Arc::new(Semaphore::new(8));
    let mut bursts = interval(Duration::from_millis(900));
    let mut jobs = JoinSet::new();
    for burst in 0_u64.. {
        bursts.tick().await;
        // One burst whose tasks wait for their permits, one that waits before it spawns.
        for number in 0..60 {
            let pool = Arc::clone(&pool);
            if burst.is_multiple_of(2) {
                jobs.spawn(async move {
                    let _permit = pool.acquire().await;
                    job(number).await
                });
            } else if let Ok(permit) = pool.acquire_owned().await {
                jobs.spawn(async move {
                    let found = job(number).await;
                    drop(permit);
                    found
                });
            }
        }
        while jobs.try_join_next().is_some() {}
    }
    Ok(())
}
