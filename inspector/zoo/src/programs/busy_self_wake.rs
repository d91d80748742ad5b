//! A job that waits until its cache is warm. The faulty one asks over and over whether it is, the healthy one is told.
use std::{
    collections::HashMap,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::Notify,
    task::{JoinSet, yield_now},
    time::sleep,
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "busy-self-wake",
    rule: Some("busy-self-wake"),
    about: "a job that asks over and over, by yield_now, whether the cache is warm yet",
    source: include_str!("busy_self_wake.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

#[derive(Default)]
struct Cache {
    warm: AtomicBool,
    warmed: Notify,
}

/// The database is slow today.
async fn warm_up(cache: Arc<Cache>) {
    let mut entries = HashMap::new();
    for entry in 0..20_000_u64 {
        sleep(Duration::from_millis(5)).await;
        entries.insert(entry, entry * 7);
    }
    cache.warm.store(true, Ordering::Release);
    cache.warmed.notify_waiters();
}

async fn ask_until_warm(cache: Arc<Cache>) {
    while !cache.warm.load(Ordering::Acquire) {
        yield_now().await; // <- open: busy-self-wake
    }
}

async fn wait_until_warm(cache: Arc<Cache>) {
    let warmed = cache.warmed.notified();
    if !cache.warm.load(Ordering::Acquire) {
        warmed.await;
    }
}

async fn faulty() -> io::Result<()> {
    let cache = Arc::<Cache>::default();
    let mut tasks = JoinSet::new();
    tasks.spawn(warm_up(Arc::clone(&cache)));
    tasks.spawn(ask_until_warm(cache)); // <- fault: busy-self-wake
    tasks.join_all().await;
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let cache = Arc::<Cache>::default();
    let mut tasks = JoinSet::new();
    tasks.spawn(warm_up(Arc::clone(&cache)));
    tasks.spawn(wait_until_warm(cache));
    tasks.join_all().await;
    Ok(())
}
