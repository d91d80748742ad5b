//! A mirror that fetches from other servers, four at a time. Some of them never answer: the faulty one waits for them for
//! ever, and so loses a permit each time; the healthy one gives each a limit of time.
use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{interval, sleep, timeout},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "semaphore-exhausted",
    rule: Some("semaphore-exhausted"),
    about: "a mirror with 4 fetches at a time, some of which never end",
    source: include_str!("semaphore_exhausted.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

const AT_A_TIME: usize = 4;

/// Every eighth server does not answer.
async fn fetch(server: u64) -> u64 {
    let answer = if server % 8 == 7 { Duration::from_hours(1) } else { Duration::from_millis(5) };
    sleep(answer).await;
    server * 3
}

async fn mirror_without_end(fetches: Arc<Semaphore>, server: u64) {
    let Ok(_permit) = fetches.acquire().await else { return };
    std::hint::black_box(fetch(server).await);
}

async fn mirror(fetches: Arc<Semaphore>, server: u64) {
    let Ok(_permit) = fetches.acquire().await else { return };
    let _ = std::hint::black_box(timeout(Duration::from_millis(60), fetch(server)).await);
}

/// Requests for forty pages a second, no more than fifty open.
async fn requests<M: Future<Output = ()> + Send + 'static>(
    fetches: Arc<Semaphore>,
    mirror: fn(Arc<Semaphore>, u64) -> M,
) {
    let mut clock = interval(Duration::from_millis(25));
    let mut open = JoinSet::new();
    for server in 0.. {
        clock.tick().await;
        while open.try_join_next().is_some() {}
        if open.len() < 50 {
            open.spawn(mirror(Arc::clone(&fetches), server));
        }
    }
}

async fn faulty() -> io::Result<()> {
    let fetches = Arc::new(Semaphore::new(AT_A_TIME)); // <- fault: semaphore-exhausted
    requests(fetches, mirror_without_end).await;
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let fetches = Arc::new(Semaphore::new(AT_A_TIME));
    requests(fetches, mirror).await;
    Ok(())
}
