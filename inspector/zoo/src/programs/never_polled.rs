//! A server that flushes its metrics on a runtime of their own. The faulty one spawns the flushing there and never runs
//! that runtime; the healthy one gives it a thread.
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    runtime::{Builder, Runtime},
    task::JoinSet,
    time::interval,
};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "never-polled",
    rule: Some("never-polled"),
    about: "a server whose metrics are flushed by a task on a current-thread runtime that nobody runs",
    source: include_str!("never_polled.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

async fn flush(requests: Arc<AtomicU64>) {
    let mut clock = interval(Duration::from_millis(200));
    loop {
        clock.tick().await;
        std::hint::black_box(requests.swap(0, Ordering::Relaxed));
    }
}

fn background() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_time().build()
}

async fn visitors() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    let visitors =
        loopback::clients(4, address, Duration::from_millis(20), |visitor, number| format!("HELLO {visitor} {number}"));
    Ok((listener, visitors))
}

async fn serve(listener: TcpListener, requests: Arc<AtomicU64>) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let requests = Arc::clone(&requests);
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, move |hello| {
            requests.fetch_add(1, Ordering::Relaxed);
            std::future::ready(hello)
        }));
    }
}

async fn faulty() -> io::Result<()> {
    let (listener, _visitors) = visitors().await?;
    let requests = Arc::<AtomicU64>::default();
    let background = background()?;
    let _flushing = background.spawn(flush(Arc::clone(&requests))); // <- fault: never-polled
    let served = serve(listener, requests).await;
    background.shutdown_background();
    served
}

async fn healthy() -> io::Result<()> {
    let (listener, _visitors) = visitors().await?;
    let requests = Arc::<AtomicU64>::default();
    let background = background()?;
    let flushed = Arc::clone(&requests);
    thread::spawn(move || background.block_on(flush(flushed)));
    serve(listener, requests).await
}
