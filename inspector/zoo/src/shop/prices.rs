//! What things cost, and the worker that asks the supplier.
use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::Mutex,
    time::{interval, sleep},
};

use super::{Shop, faults::Which, inventory::SKUS};

pub(super) struct Prices {
    cents: Mutex<HashMap<u32, u64>>,
}

impl Prices {
    pub(super) fn new() -> Self {
        Self { cents: Mutex::new((0..SKUS).map(|sku| (sku, 999)).collect()) }
    }

    pub(super) async fn quote(&self, sku: u32) -> Option<u64> {
        self.cents.lock().await.get(&sku).copied()
    }
}

/// A round trip to the supplier.
async fn ask_supplier(round: u64) -> u64 {
    sleep(Duration::from_millis(90)).await;
    999 + round % 7
}

/// Brings the prices up to date four times a second.
pub(super) async fn keep_current(shop: Arc<Shop>) {
    let mut clock = interval(Duration::from_millis(250));
    for round in 0.. {
        clock.tick().await;
        if shop.faults.on(Which::LockHeldAcrossAwait) {
            let mut cents = shop.prices.cents.lock().await; // <- fault: lock-held-across-await
            let price = ask_supplier(round).await;
            cents.values_mut().for_each(|cents| *cents = price);
        } else {
            let price = ask_supplier(round).await;
            shop.prices.cents.lock().await.values_mut().for_each(|cents| *cents = price);
        }
    }
}
