//! A price feed that reads each tick in a task of its own. Some ticks are malformed and the reader panics; in the
//! faulty program nobody ever looks, in the healthy one the `JoinError` is seen and counted.
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{interval, sleep},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "lost-panic",
    rule: Some("lost-panic"),
    about: "a price feed whose reader tasks panic on malformed ticks, unseen",
    source: include_str!("lost_panic.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

/// What the exchange sends: now and then without a price.
fn tick(number: u64) -> String {
    if number % 25 == 24 { "ACME".to_owned() } else { format!("ACME {}", 10_000 + number % 97) }
}

async fn read(line: String, turnover: Arc<AtomicU64>) {
    sleep(Duration::from_millis(1)).await;
    let mut fields = line.split(' ').skip(1);
    let cents: u64 = fields.next().and_then(|price| price.parse().ok()).expect("a tick carries a price");
    turnover.fetch_add(cents, Ordering::Relaxed);
}

async fn faulty() -> io::Result<()> {
    let turnover = Arc::new(AtomicU64::new(0));
    let mut exchange = interval(Duration::from_millis(40));
    for number in 0.. {
        exchange.tick().await;
        tokio::spawn(read(tick(number), Arc::clone(&turnover))); // <- fault: lost-panic
    }
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let turnover = Arc::new(AtomicU64::new(0));
    let mut exchange = interval(Duration::from_millis(40));
    let mut readers = JoinSet::new();
    let mut number = 0;
    let mut malformed = 0_u64;
    loop {
        tokio::select! {
            _ = exchange.tick() => {
                readers.spawn(read(tick(number), Arc::clone(&turnover)));
                number += 1;
            }
            Some(reader) = readers.join_next() => if reader.is_err() {
                malformed += 1;
                if malformed.is_power_of_two() {
                    eprintln!("{malformed} malformed ticks so far");
                }
            },
        }
    }
}
