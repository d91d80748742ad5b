//! The queue between the till and the packers.
use std::time::Duration;

use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use super::faults::{Switches, Which};

#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) number: u64,
    pub(super) sku: u32,
}

pub(super) type Orders = mpsc::Sender<Order>;

pub(super) fn start(background: &mut JoinSet<()>, faults: &Switches, mail: mpsc::Sender<Order>) -> Orders {
    let (orders, queue) = mpsc::channel(64); // <- fault: channel-saturated
    background.spawn(pack(queue, faults.clone(), mail));
    orders
}

/// Packs what has gathered in one go; with the fault on, one at a time.
async fn pack(mut queue: mpsc::Receiver<Order>, faults: Switches, mail: mpsc::Sender<Order>) {
    let mut parcel = Vec::with_capacity(64);
    loop {
        let most = if faults.on(Which::ChannelSaturated) { 1 } else { 64 };
        let taken = queue.recv_many(&mut parcel, most).await; // <- open: channel-saturated
        if taken == 0 {
            return;
        }
        sleep(Duration::from_millis(if most == 1 { 20 } else { 2 })).await;
        for order in parcel.drain(..) {
            if mail.send(order).await.is_err() {
                return;
            }
        }
    }
}
