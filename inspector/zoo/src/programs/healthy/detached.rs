//! Tasks detached on purpose, as idiomatic servers do: daemons that live as long as the process, and a task for each
//! connection. All of them return `()`, so nothing is lost with their handles.
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::{interval, sleep};

use crate::{Program, loopback};

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/detached",
    rule: None,
    about: "an echo server with detached connection tasks and daemons",
    source: include_str!("detached.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

async fn healthy() -> io::Result<()> {
    let (listener, address) = loopback::listen().await?;
    let answered = Arc::new(AtomicU64::new(0));

    let flushed = Arc::clone(&answered);
    tokio::spawn(async move {
        let mut clock = interval(Duration::from_millis(250));
        loop {
            clock.tick().await;
            std::hint::black_box(flushed.load(Ordering::Relaxed));
        }
    });
    // Clients that come, ask 20 times, and leave.
    for visitor in 0..10_u64 {
        tokio::spawn(async move {
            loop {
                let visit = loopback::client(address, Duration::from_millis(3), Some(20), |number| {
                    format!("hello {visitor} {number}")
                });
                if visit.await.is_err() {
                    sleep(Duration::from_millis(50)).await;
                }
            }
        });
    }
    loop {
        let (stream, _) = listener.accept().await?;
        let answered = Arc::clone(&answered);
        tokio::spawn(async move {
            let count = |request| {
                answered.fetch_add(1, Ordering::Relaxed);
                std::future::ready(request)
            };
            if let Err(error) = loopback::answer(stream, count).await {
                eprintln!("connection: {error}");
            }
        });
    }
}
