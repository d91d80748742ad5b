//! A search service whose index is behind std's mutex. In the faulty one a rebuild holds it for long, while searches
//! wait for it on the runtime's own threads; the healthy one rebuilds first and holds it for a moment.
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use tokio::{net::TcpListener, task::JoinSet, task::spawn_blocking, time::sleep};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "sync-lock-in-async",
    rule: Some("sync-lock-in-async"),
    about: "a search service whose std Mutex is held for 600 ms by each rebuild of the index",
    source: include_str!("sync_lock_in_async.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

type Index = Arc<Mutex<HashMap<u64, u64>>>;

/// Reads everything from the disk again.
fn read_all(generation: u64) -> HashMap<u64, u64> {
    thread::sleep(Duration::from_millis(600));
    (0..1_000).map(|document| (document, document ^ generation)).collect()
}

fn search(index: &Index, query: &str) -> String {
    let index = index.lock().unwrap_or_else(PoisonError::into_inner); // <- fault: sync-lock-in-async
    let found = index.get(&(query.len() as u64 * 31 % 1_000));
    format!("{query} {}", found.copied().unwrap_or_default())
}

fn rebuild_under_lock(index: &Index, generation: u64) {
    let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
    *index = read_all(generation);
}

fn rebuild_and_swap(index: &Index, generation: u64) {
    let fresh = read_all(generation);
    *index.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
}

async fn rebuild_now_and_then(index: Index, rebuild: fn(&Index, u64)) {
    for generation in 0.. {
        let index = Arc::clone(&index);
        if spawn_blocking(move || rebuild(&index, generation)).await.is_err() {
            return;
        }
        sleep(Duration::from_millis(500)).await;
    }
}

async fn searchers() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    let searchers = loopback::clients(3, address, Duration::from_millis(40), |searcher, number| {
        format!("FIND {searcher} {number}")
    });
    Ok((listener, searchers))
}

async fn serve(rebuild: fn(&Index, u64)) -> io::Result<()> {
    let (listener, _searchers) = searchers().await?;
    let index = Index::default();
    let mut tasks = JoinSet::new();
    let rebuilding = tokio::spawn(rebuild_now_and_then(Arc::clone(&index), rebuild));
    while !rebuilding.is_finished() {
        let (stream, _) = listener.accept().await?;
        let index = Arc::clone(&index);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(loopback::answer(stream, move |query| std::future::ready(search(&index, &query))));
    }
    Ok(rebuilding.await?)
}

async fn faulty() -> io::Result<()> {
    serve(rebuild_under_lock).await
}

async fn healthy() -> io::Result<()> {
    serve(rebuild_and_swap).await
}
