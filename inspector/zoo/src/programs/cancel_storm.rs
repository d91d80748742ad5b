//! A search that asks several backends. The faulty one gives them less time than they take, and aborts nearly every task;
//! the healthy one gives them what they need.
use std::{io, time::Duration};

use tokio::{
    task::JoinSet,
    time::{interval, sleep, timeout},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "cancel-storm",
    rule: Some("cancel-storm"),
    about: "a search that aborts its backend tasks after 5 ms, of the 8 to 15 ms that they take",
    source: include_str!("cancel_storm.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

async fn ask(backend: u64) -> u64 {
    sleep(Duration::from_millis(8 + backend % 8)).await; // <- open: cancel-storm
    backend
}

/// What came within the limit of time.
async fn search_hastily(number: u64) -> u64 {
    let mut asked = JoinSet::new();
    for backend in 0..3 {
        asked.spawn(ask(number + backend)); // <- fault: cancel-storm
    }
    collect(asked, Duration::from_millis(5)).await
}

async fn search(number: u64) -> u64 {
    let mut asked = JoinSet::new();
    for backend in 0..3 {
        asked.spawn(ask(number + backend));
    }
    collect(asked, Duration::from_millis(500)).await
}

async fn collect(mut asked: JoinSet<u64>, limit: Duration) -> u64 {
    let mut found = 0;
    let all = async {
        while let Some(answer) = asked.join_next().await {
            found += answer.unwrap_or_default();
        }
    };
    let _ = timeout(limit, all).await;
    asked.abort_all();
    found
}

async fn faulty() -> io::Result<()> {
    let mut searches = interval(Duration::from_millis(40));
    for number in 0.. {
        searches.tick().await;
        std::hint::black_box(search_hastily(number).await);
    }
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let mut searches = interval(Duration::from_millis(40));
    for number in 0.. {
        searches.tick().await;
        std::hint::black_box(search(number).await);
    }
    Ok(())
}
