//! A game server that also computes the ranking. The faulty one computes it in many small tasks on the same workers, so
//! that players wait for their turn; the healthy one on the blocking pool, a few at a time.
use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::Semaphore,
    task::{JoinSet, spawn_blocking, yield_now},
    time::sleep,
};

use crate::{Program, loopback, work::compute};

pub(super) const PROGRAM: Program = Program {
    name: "starved-task",
    rule: Some("starved-task"),
    about: "a game server whose workers are kept busy by 150 ranking tasks of 4 ms a step",
    source: include_str!("starved_task.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

const RANKINGS: u64 = 150;
const STEP: Duration = Duration::from_millis(4);

async fn rank_here(ranking: u64) {
    loop {
        std::hint::black_box(compute(STEP) ^ ranking);
        yield_now().await;
    }
}

async fn rank_elsewhere(ranking: u64, room: Arc<Semaphore>) {
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let step = spawn_blocking(move || {
            let _permit = permit;
            compute(STEP) ^ ranking
        });
        if step.await.is_err() {
            return;
        }
        sleep(Duration::from_secs(2)).await;
    }
}

async fn players() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    let players =
        loopback::clients(4, address, Duration::from_millis(20), |player, number| format!("MOVE {player} {number}"));
    Ok((listener, players))
}

async fn play(listener: TcpListener) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, std::future::ready));
    }
}

async fn faulty() -> io::Result<()> {
    let (listener, _players) = players().await?;
    let mut rankings = JoinSet::new();
    for ranking in 0..RANKINGS {
        rankings.spawn(rank_here(ranking)); // <- fault: starved-task
    }
    play(listener).await
}

async fn healthy() -> io::Result<()> {
    let (listener, _players) = players().await?;
    let room = Arc::new(Semaphore::new(1));
    let mut rankings = JoinSet::new();
    for ranking in 0..RANKINGS {
        rankings.spawn(rank_elsewhere(ranking, Arc::clone(&room)));
    }
    play(listener).await
}
