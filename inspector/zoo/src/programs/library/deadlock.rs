//! A warehouse behind axum, whose handlers move goods between two shelves. The faulty ones lock the shelf they take from
//! first; the healthy ones lock both in one order.
use std::{io, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, State},
    routing::post,
};
use tokio::{
    sync::{Mutex, MutexGuard},
    task::JoinSet,
    time::sleep,
};

use crate::{Program, loopback, shop::Client};

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "library/deadlock",
    rule: Some("deadlock"),
    about: "axum handlers that lock the shelf they take from, then the one they bring to, in whatever order that is",
    source: include_str!("deadlock.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

struct Warehouse {
    north: Mutex<u32>,
    south: Mutex<u32>,
}

impl Warehouse {
    fn new() -> Arc<Self> {
        Arc::new(Self { north: Mutex::new(1_000), south: Mutex::new(1_000) })
    }
}

/// The forklift is on its way.
async fn drive() {
    sleep(Duration::from_millis(15)).await;
}

fn carry(mut from: MutexGuard<'_, u32>, mut to: MutexGuard<'_, u32>) -> String {
    *from = from.saturating_sub(1);
    *to += 1;
    format!("{from} {to}")
}

async fn carry_at_once(State(warehouse): State<Arc<Warehouse>>, Path(to): Path<String>) -> String {
    let (from, to) =
        if to == "south" { (&warehouse.north, &warehouse.south) } else { (&warehouse.south, &warehouse.north) };
    let from = from.lock().await;
    drive().await;
    carry(from, to.lock().await) // <- fault: deadlock
}

async fn carry_in_order(State(warehouse): State<Arc<Warehouse>>, Path(to): Path<String>) -> String {
    drive().await;
    let north = warehouse.north.lock().await;
    let south = warehouse.south.lock().await;
    if to == "south" { carry(north, south) } else { carry(south, north) }
}

async fn serve(service: Router) -> io::Result<()> {
    let (listener, address) = loopback::listen().await?;
    let mut drivers = JoinSet::new();
    for driver in 0..4 {
        drivers.spawn(async move {
            let client = Client::new(address);
            let path = if driver % 2 == 0 { "/south" } else { "/north" };
            loop {
                // A driver who is not answered asks on.
                let _ = client.post(path).await;
                sleep(Duration::from_millis(40)).await;
            }
        });
    }
    axum::serve(listener, service).await
}

async fn faulty() -> io::Result<()> {
    serve(Router::new().route("/{to}", post(carry_at_once)).with_state(Warehouse::new())).await
}

async fn healthy() -> io::Result<()> {
    serve(Router::new().route("/{to}", post(carry_in_order)).with_state(Warehouse::new())).await
}
