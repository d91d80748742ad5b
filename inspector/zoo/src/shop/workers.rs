//! Background workers: thumbnails, and the balance at the bank.
use std::{sync::Arc, thread, time::Duration};

use tokio::{
    task::{JoinSet, spawn_blocking},
    time::interval,
};

use super::{Shop, faults::Which, prices};
use crate::work::compute;

pub(super) fn start(background: &mut JoinSet<()>, shop: &Arc<Shop>) {
    background.spawn(make_thumbnails(Arc::clone(shop))); // <- fault: long-poll
    background.spawn(reconcile(Arc::clone(shop)));
    background.spawn(prices::keep_current(Arc::clone(shop)));
}

fn scale(picture: u64) -> u64 {
    compute(Duration::from_millis(20 + picture % 3 * 10))
}

async fn make_thumbnails(shop: Arc<Shop>) {
    let mut pictures = interval(Duration::from_millis(200));
    for picture in 0.. {
        pictures.tick().await;
        if shop.faults.on(Which::LongPoll) {
            scale(picture); // <- open: long-poll
        } else if let Err(error) = spawn_blocking(move || scale(picture)).await {
            eprintln!("thumbnail {picture}: {error}");
        }
    }
}

/// The bank's SDK: returns when the bank has answered.
fn ask_bank() -> u64 {
    thread::sleep(Duration::from_millis(400)); // <- fault: blocked-worker
    100_000
}

async fn reconcile(shop: Arc<Shop>) {
    let mut clock = interval(Duration::from_secs(1));
    loop {
        clock.tick().await;
        if shop.faults.on(Which::BlockedWorker) {
            ask_bank();
        } else if let Err(error) = spawn_blocking(ask_bank).await {
            eprintln!("bank: {error}");
        }
    }
}
