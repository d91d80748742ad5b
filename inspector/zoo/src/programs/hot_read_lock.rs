//! A price list that every request reads a hundred times. The faulty one has it behind one tokio mutex; the healthy one
//! behind a snapshot that is swapped as a whole.
use std::{
    collections::HashMap,
    io,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    sync::Mutex,
    task::JoinSet,
    time::{interval, sleep},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "hot-read-lock",
    rule: Some("hot-read-lock"),
    about: "a price list behind one mutex, read by forty tasks thousands of times a second",
    source: include_str!("hot_read_lock.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

type Prices = HashMap<u64, u64>;

const READERS: u64 = 40;
const READS: u64 = 100;

fn prices() -> Prices {
    (0..1_000).map(|article| (article, 900 + article % 100)).collect()
}

/// The price of something that consists of this and that: a handful of look-ups under the lock.
fn total(prices: &Prices, article: u64) -> u64 {
    (0..40).filter_map(|part| prices.get(&((article * 31 + part * 7) % 1_000))).sum()
}

async fn price(prices: &Mutex<Prices>, article: u64) -> u64 {
    total(&*prices.lock().await, article)
}

async fn baskets<P: Future<Output = u64>>(price: impl Fn(u64) -> P) {
    let mut clock = interval(Duration::from_millis(400));
    loop {
        clock.tick().await;
        let mut basket = 0;
        for article in 0..READS {
            basket += price(article).await;
        }
        std::hint::black_box(basket);
        sleep(Duration::from_millis(1)).await;
    }
}

async fn faulty() -> io::Result<()> {
    let prices = Arc::new(Mutex::new(prices())); // <- fault: hot-read-lock
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let prices = Arc::clone(&prices);
        readers.spawn(async move { baskets(|article| price(&prices, article)).await });
    }
    readers.join_all().await;
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let prices = Arc::new(RwLock::new(Arc::new(prices())));
    let mut readers = JoinSet::new();
    for _ in 0..READERS {
        let prices = Arc::clone(&prices);
        readers.spawn(async move {
            baskets(|article| {
                let now = Arc::clone(&prices.read().unwrap_or_else(PoisonError::into_inner));
                std::future::ready(total(&now, article))
            })
            .await;
        });
    }
    readers.join_all().await;
    Ok(())
}
