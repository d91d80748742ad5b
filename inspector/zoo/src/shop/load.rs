//! Customers: of six connections, four look at offers, one asks for prices, one buys.
use std::{net::SocketAddr, time::Duration};

use tokio::{task::JoinSet, time::sleep};

use super::{client::Client, inventory::SKUS};

/// Enough to show every fault, and no strain for a small machine.
pub const DEFAULT_CONNECTIONS: usize = 24;

/// Keeps this many connections busy until the process ends.
pub async fn load(shop: SocketAddr, connections: usize) {
    let mut customers = JoinSet::new();
    for number in 0..connections {
        customers.spawn(customer(shop, number));
    }
    customers.join_all().await;
}

async fn customer(shop: SocketAddr, number: usize) {
    let client = Client::new(shop);
    let first = u32::try_from(number).unwrap_or(0) * 7;
    for visit in 0_u32.. {
        let sku = first.wrapping_add(visit) % SKUS;
        let (answer, pause) = match number % 6 {
            0 => (client.post(&format!("/orders/{sku}")).await, 20),
            1 => (client.get(&format!("/quote/{sku}")).await, 15),
            _ => (client.get("/offers").await, 10),
        };
        // A shop that does not answer is asked again a little later.
        sleep(Duration::from_millis(if answer.is_ok() { pause } else { 250 })).await;
    }
}
