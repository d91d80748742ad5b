//! A payment gateway whose bank speaks through a synchronous SDK. The faulty one calls it from an async task.
use std::{io, net::SocketAddr, thread, time::Duration};

use tokio::{
    net::TcpListener,
    task::{JoinSet, spawn_blocking},
};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "blocked-worker",
    rule: Some("blocked-worker"),
    about: "a payment gateway that calls a synchronous bank SDK (350 ms a call) inside an async task",
    source: include_str!("blocked_worker.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

/// The bank's SDK: returns when the bank has answered.
fn settle(payment: &str) -> String {
    thread::sleep(Duration::from_millis(350)); // <- fault: blocked-worker
    format!("SETTLED {payment}")
}

async fn pay_inline(payment: String) -> String {
    settle(&payment)
}

async fn pay_off_thread(payment: String) -> String {
    spawn_blocking(move || settle(&payment)).await.unwrap_or_else(|error| format!("FAILED {error}"))
}

fn shoppers(gateway: SocketAddr) -> JoinSet<io::Result<()>> {
    loopback::clients(3, gateway, Duration::from_millis(250), |shopper, number| format!("PAY {shopper}-{number}"))
}

async fn gateway() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    Ok((listener, shoppers(address)))
}

async fn faulty() -> io::Result<()> {
    let (listener, _shoppers) = gateway().await?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, pay_inline));
    }
}

async fn healthy() -> io::Result<()> {
    let (listener, _shoppers) = gateway().await?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, pay_off_thread));
    }
}
