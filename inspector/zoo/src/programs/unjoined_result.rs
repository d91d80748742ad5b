//! A crawler that keeps its fetches in a set. The faulty one never takes any out, the healthy one as it goes.
use std::{io, time::Duration};

use tokio::{
    task::JoinSet,
    time::{interval, sleep},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "unjoined-result",
    rule: Some("unjoined-result"),
    about: "a crawler whose JoinSet only grows, by 600 pages a second",
    source: include_str!("unjoined_result.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

async fn fetch(page: u64) -> usize {
    sleep(Duration::from_millis(3 + page % 5)).await;
    (page % 900) as usize
}

const PER_TICK: u64 = 12;
/// The faulty one stops here, so that a forgotten demo does not eat the machine.
const FORGOTTEN: usize = 200_000;

async fn faulty() -> io::Result<()> {
    let mut clock = interval(Duration::from_millis(20));
    let mut fetches = JoinSet::new();
    for tick in 0.. {
        clock.tick().await;
        for n in 0..PER_TICK {
            if fetches.len() < FORGOTTEN {
                fetches.spawn(fetch(tick * PER_TICK + n)); // <- fault: unjoined-result
            }
        }
    }
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let mut clock = interval(Duration::from_millis(20));
    let mut fetches = JoinSet::new();
    let mut bytes = 0;
    for tick in 0.. {
        clock.tick().await;
        for n in 0..PER_TICK {
            fetches.spawn(fetch(tick * PER_TICK + n));
        }
        while let Some(fetched) = fetches.try_join_next() {
            bytes += fetched.unwrap_or(0);
        }
        std::hint::black_box(bytes);
    }
    Ok(())
}
