//! A shop that keeps its stock and its orders behind a lock each. The faulty one takes the two in one order to sell and in
//! the other to cancel: it has one till, so that nobody has ever stood still. The healthy one has one order for both.
use std::{io, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::Mutex, task::JoinSet};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "lock-order",
    rule: Some("lock-order"),
    about: "a shop with one till, which locks its stock and then its orders to sell, and the other way round to cancel",
    source: include_str!("lock_order.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

struct Stock {
    pieces: u64,
}

struct Orders {
    open: Vec<u64>,
}

#[derive(Clone)]
struct Shop {
    stock: Arc<Mutex<Stock>>,
    orders: Arc<Mutex<Orders>>,
}

impl Shop {
    fn new() -> Self {
        Self {
            stock: Arc::new(Mutex::new(Stock { pieces: 1_000 })),
            orders: Arc::new(Mutex::new(Orders { open: Vec::new() })),
        }
    }

    async fn sell(&self, number: u64) -> u64 {
        let mut stock = self.stock.lock().await;
        let mut orders = self.orders.lock().await;
        stock.pieces = stock.pieces.saturating_sub(1);
        orders.open.push(number);
        stock.pieces
    }

    async fn cancel_orders_first(&self) -> u64 {
        let mut orders = self.orders.lock().await;
        let cancelled = orders.open.drain(..).count() as u64;
        let mut stock = self.stock.lock().await; // <- fault: lock-order
        stock.pieces += cancelled;
        stock.pieces
    }

    async fn cancel(&self) -> u64 {
        let mut stock = self.stock.lock().await;
        let mut orders = self.orders.lock().await;
        stock.pieces += orders.open.drain(..).count() as u64;
        stock.pieces
    }
}

/// One in ten cancels everything.
async fn till() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    let till = loopback::clients(1, address, Duration::from_millis(20), |_, number| {
        if number % 10 == 9 { "CANCEL".to_owned() } else { format!("SELL {number}") }
    });
    Ok((listener, till))
}

async fn faulty() -> io::Result<()> {
    let (listener, _till) = till().await?;
    let shop = Shop::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let answer = |request: String| {
            let shop = shop.clone();
            async move {
                let cancels = request == "CANCEL";
                let pieces =
                    if cancels { shop.cancel_orders_first().await } else { shop.sell(request.len() as u64).await };
                format!("LEFT {pieces}")
            }
        };
        loopback::answer(stream, answer).await?;
    }
}

async fn healthy() -> io::Result<()> {
    let (listener, _till) = till().await?;
    let shop = Shop::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let answer = |request: String| {
            let shop = shop.clone();
            async move {
                let pieces =
                    if request == "CANCEL" { shop.cancel().await } else { shop.sell(request.len() as u64).await };
                format!("LEFT {pieces}")
            }
        };
        loopback::answer(stream, answer).await?;
    }
}
