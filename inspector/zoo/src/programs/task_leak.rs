//! A notifier that pushes news to subscribers. The faulty one spawns a task for each push, whatever is in flight, and a
//! dead subscriber keeps its task for ever; the healthy one bounds what is in flight and gives each push a limit of time.
use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{interval, sleep, timeout},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "task-leak",
    rule: Some("task-leak"),
    about: "a notifier that spawns 600 pushes a second, most of which never end",
    source: include_str!("task_leak.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

/// Of five subscribers four are gone, and their sockets do not say so.
async fn push(news: u64) {
    let answer = if news.is_multiple_of(5) { Duration::from_millis(5) } else { Duration::from_hours(1) };
    sleep(answer).await;
}

const PER_TICK: u64 = 12;
const TICK: Duration = Duration::from_millis(20);
/// The faulty one stops here, so that a forgotten demo does not eat the machine.
const FORGOTTEN: usize = 200_000;

async fn faulty() -> io::Result<()> {
    let mut clock = interval(TICK);
    let mut pushes = JoinSet::new();
    for tick in 0.. {
        clock.tick().await;
        while pushes.try_join_next().is_some() {}
        for n in 0..PER_TICK {
            if pushes.len() < FORGOTTEN {
                pushes.spawn(push(tick * PER_TICK + n)); // <- fault: task-leak
            }
        }
    }
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let mut clock = interval(TICK);
    let mut pushes = JoinSet::new();
    let in_flight = Arc::new(Semaphore::new(64));
    for tick in 0.. {
        clock.tick().await;
        while pushes.try_join_next().is_some() {}
        for n in 0..PER_TICK {
            let Ok(permit) = Arc::clone(&in_flight).try_acquire_owned() else { break };
            pushes.spawn(async move {
                let _permit = permit;
                timeout(Duration::from_millis(100), push(tick * PER_TICK + n)).await
            });
        }
    }
    Ok(())
}
