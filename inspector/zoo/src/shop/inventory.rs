//! What is in stock.
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::sync::Mutex;

use super::faults::{Switches, Which};
use crate::work::compute;

/// How many different things the shop sells.
pub(super) const SKUS: u32 = 200;

/// For how long a ranking may be shown.
const FRESH: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Serialize)]
pub(super) struct Offer {
    sku: u32,
    left: u32,
}

struct Stock {
    left: HashMap<u32, u32>,
    ranking: Vec<Offer>,
    ranked: Option<Instant>,
}

pub(super) struct Inventory {
    stock: Mutex<Stock>,
    faults: Switches,
}

impl Inventory {
    pub(super) fn new(faults: Switches) -> Self {
        let left = (0..SKUS).map(|sku| (sku, 1_000)).collect();
        Self { stock: Mutex::new(Stock { left, ranking: Vec::new(), ranked: None }), faults }
    }

    /// Takes one out of stock; an empty shelf is filled up first.
    pub(super) async fn reserve(&self, sku: u32) -> Option<u32> {
        let mut stock = self.stock.lock().await;
        let left = stock.left.get_mut(&sku)?;
        *left = left.checked_sub(1).unwrap_or(1_000);
        Some(*left)
    }

    /// The ten best offers.
    pub(super) async fn offers(&self) -> Vec<Offer> {
        if self.faults.on(Which::LockContention) {
            let stock = self.stock.lock().await; // <- fault: lock-contention
            return rank(&stock.left);
        }
        let left = {
            let mut stock = self.stock.lock().await;
            if stock.ranked.is_some_and(|ranked| ranked.elapsed() < FRESH) {
                return stock.ranking.clone();
            }
            stock.ranked = Some(Instant::now());
            stock.left.clone()
        };
        let ranking = rank(&left);
        self.stock.lock().await.ranking.clone_from(&ranking);
        ranking
    }
}

/// The margin model takes a moment, however few the goods.
fn rank(left: &HashMap<u32, u32>) -> Vec<Offer> {
    compute(Duration::from_millis(2));
    let mut offers: Vec<_> = left.iter().map(|(sku, left)| Offer { sku: *sku, left: *left }).collect();
    offers.sort_unstable_by_key(|offer| (offer.left, offer.sku));
    offers.truncate(10);
    offers
}
