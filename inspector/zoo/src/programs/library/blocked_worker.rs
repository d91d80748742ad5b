//! An axum service that signs documents, which takes the CPU for a while. The faulty handler does so itself, the healthy
//! one in the blocking pool.
use std::{
    hint::black_box,
    io,
    time::{Duration, Instant},
};

use axum::{Router, routing::get};
use tokio::{
    task::{JoinSet, spawn_blocking},
    time::sleep,
};

use crate::{Program, loopback, shop::Client};

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "library/blocked-worker",
    rule: Some("blocked-worker"),
    about: "an axum handler that signs a document (600 ms of computing) itself",
    source: include_str!("blocked_worker.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

const EFFORT: Duration = Duration::from_millis(600);

/// Squares until the effort was made, as many times as this machine can.
fn sign(seed: u64) -> u64 {
    let began = Instant::now();
    (0..u64::MAX).take_while(|_| began.elapsed() < EFFORT).fold(seed, |sign, n| black_box(sign ^ n.wrapping_mul(n))) // <- fault: blocked-worker
}

async fn sign_inline() -> String {
    sign(7).to_string()
}

async fn sign_off_thread() -> String {
    spawn_blocking(|| sign(7)).await.map_or_else(|error| error.to_string(), |signature| signature.to_string())
}

async fn serve(service: Router) -> io::Result<()> {
    let (listener, address) = loopback::listen().await?;
    let mut authors = JoinSet::new();
    authors.spawn(async move {
        let client = Client::new(address);
        loop {
            // An author who is not answered asks on.
            let _ = client.get("/").await;
            sleep(Duration::from_millis(400)).await;
        }
    });
    axum::serve(listener, service).await
}

async fn faulty() -> io::Result<()> {
    serve(Router::new().route("/", get(sign_inline))).await
}

async fn healthy() -> io::Result<()> {
    serve(Router::new().route("/", get(sign_off_thread))).await
}
