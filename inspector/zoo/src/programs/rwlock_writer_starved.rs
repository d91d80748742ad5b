//! Exchange rates behind an `RwLock`. The faulty publisher keeps them locked for reading while it sends them to a slow
//! partner; the healthy one sends a copy.
use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::RwLock,
    task::JoinSet,
    time::{interval, sleep},
};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "rwlock-writer-starved",
    rule: Some("rwlock-writer-starved"),
    about: "a publisher that reads the rates, and keeps the read lock while it sends them to a slow partner (5 s)",
    source: include_str!("rwlock_writer_starved.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

type Rates = Arc<RwLock<Vec<u64>>>;

/// The partner takes one rate at a time.
async fn send_all(rates: &[u64]) {
    for rate in rates {
        sleep(Duration::from_millis(50)).await;
        std::hint::black_box(rate);
    }
}

async fn publish_under_lock(rates: Rates) {
    loop {
        let rates = rates.read().await; // <- fault: rwlock-writer-starved
        send_all(&rates).await;
        drop(rates);
        sleep(Duration::from_millis(20)).await;
    }
}

async fn publish_copy(rates: Rates) {
    loop {
        let copy = rates.read().await.clone();
        send_all(&copy).await;
        sleep(Duration::from_millis(20)).await;
    }
}

/// The market sets a rate twice a second.
async fn follow(rates: Rates) {
    let mut market = interval(Duration::from_millis(500));
    for tick in 0_u64.. {
        market.tick().await;
        let mut rates = rates.write().await;
        let count = rates.len();
        rates[tick as usize % count] = 1_000 + tick;
    }
}

async fn rate(rates: Rates, question: String) -> String {
    let rates = rates.read().await;
    format!("{}", rates[question.len() % rates.len()])
}

async fn askers() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    let askers =
        loopback::clients(5, address, Duration::from_millis(30), |asker, number| format!("RATE {asker}{number}"));
    Ok((listener, askers))
}

async fn serve<P: Future<Output = ()> + Send + 'static>(publish: fn(Rates) -> P) -> io::Result<()> {
    let (listener, _askers) = askers().await?;
    let rates: Rates = Arc::new(RwLock::new(vec![1_000; 100]));
    let mut tasks = JoinSet::new();
    let mut publishing = JoinSet::new();
    publishing.spawn(publish(Arc::clone(&rates)));
    publishing.spawn(follow(Arc::clone(&rates)));
    loop {
        let (stream, _) = listener.accept().await?;
        let rates = Arc::clone(&rates);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(loopback::answer(stream, move |question| rate(Arc::clone(&rates), question)));
    }
}

async fn faulty() -> io::Result<()> {
    serve(publish_under_lock).await
}

async fn healthy() -> io::Result<()> {
    serve(publish_copy).await
}
