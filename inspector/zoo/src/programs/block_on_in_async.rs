//! A quote service on top of a library with a synchronous trait. The faulty one satisfies the trait by blocking on a
//! future inside a task; the healthy one has an asynchronous way through.
use std::{io, time::Duration};

use tokio::{net::TcpListener, task::JoinSet, time::sleep};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "block-on-in-async",
    rule: Some("block-on-in-async"),
    about: "a quote service that calls block_on inside a task to satisfy a synchronous trait",
    source: include_str!("block_on_in_async.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

/// What the library asks of us.
trait Prices {
    fn price(&self, paper: &str) -> u64;
}

struct Exchange;

impl Exchange {
    /// The exchange takes its time.
    async fn ask(&self, paper: &str) -> u64 {
        sleep(Duration::from_millis(450)).await;
        10_000 + paper.len() as u64
    }
}

impl Prices for Exchange {
    fn price(&self, paper: &str) -> u64 {
        pollster::block_on(self.ask(paper)) // <- fault: block-on-in-async
    }
}

async fn quote_through_the_library(paper: String) -> String {
    let prices: &dyn Prices = &Exchange;
    format!("{paper} {}", prices.price(&paper))
}

async fn quote(paper: String) -> String {
    format!("{paper} {}", Exchange.ask(&paper).await)
}

async fn brokers() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    // One at a time, so that a worker is left to drive the timer.
    let brokers =
        loopback::clients(1, address, Duration::from_millis(150), |broker, number| format!("QUOTE {broker} {number}"));
    Ok((listener, brokers))
}

async fn faulty() -> io::Result<()> {
    let (listener, _brokers) = brokers().await?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, quote_through_the_library));
    }
}

async fn healthy() -> io::Result<()> {
    let (listener, _brokers) = brokers().await?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, quote));
    }
}
