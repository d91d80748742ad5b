//! A warehouse that orders anew what runs out. The faulty one does so while it still holds the lock of its shelves,
//! which ordering takes as well; the healthy one lets go first.
use std::{io, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::Mutex, task::JoinSet};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "self-deadlock",
    rule: Some("self-deadlock"),
    about: "a warehouse that locks its shelves, and locks them again when something has run out",
    source: include_str!("self_deadlock.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

struct Shelves {
    pieces: u64,
}

type Warehouse = Arc<Mutex<Shelves>>;

async fn order_anew(warehouse: &Warehouse) {
    let mut shelves = warehouse.lock().await; // <- fault: self-deadlock
    shelves.pieces += 40;
}

async fn take_and_order(warehouse: Warehouse, order: String) -> String {
    let mut shelves = warehouse.lock().await;
    if shelves.pieces == 0 {
        order_anew(&warehouse).await;
    }
    shelves.pieces -= 1;
    format!("TAKEN {order}")
}

async fn take(warehouse: Warehouse, order: String) -> String {
    loop {
        {
            let mut shelves = warehouse.lock().await;
            if shelves.pieces > 0 {
                shelves.pieces -= 1;
                return format!("TAKEN {order}");
            }
        }
        order_anew(&warehouse).await;
    }
}

async fn pickers() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    let pickers =
        loopback::clients(4, address, Duration::from_millis(20), |picker, number| format!("ORDER {picker}-{number}"));
    Ok((listener, pickers))
}

async fn faulty() -> io::Result<()> {
    let (listener, _pickers) = pickers().await?;
    let warehouse = Arc::new(Mutex::new(Shelves { pieces: 60 }));
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let warehouse = Arc::clone(&warehouse);
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, move |order| take_and_order(Arc::clone(&warehouse), order)));
    }
}

async fn healthy() -> io::Result<()> {
    let (listener, _pickers) = pickers().await?;
    let warehouse = Arc::new(Mutex::new(Shelves { pieces: 60 }));
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let warehouse = Arc::clone(&warehouse);
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, move |order| take(Arc::clone(&warehouse), order)));
    }
}
