//! A receipt for each order.
use std::{fmt, time::Duration};

use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use super::{
    faults::{Switches, Which},
    orders::Order,
};

#[derive(Debug)]
struct Bounced(Order);

impl fmt::Display for Bounced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the receipt of order {} (sku {}) came back", self.0.number, self.0.sku)
    }
}

async fn mail(order: Order) -> Result<(), Bounced> {
    sleep(Duration::from_millis(20)).await;
    if order.number % 50 == 49 { Err(Bounced(order)) } else { Ok(()) }
}

pub(super) fn start(background: &mut JoinSet<()>, faults: &Switches) -> mpsc::Sender<Order> {
    let (receipts, packed) = mpsc::channel(256);
    background.spawn(send_receipts(packed, faults.clone()));
    receipts
}

async fn send_receipts(mut packed: mpsc::Receiver<Order>, faults: Switches) {
    let mut mails = JoinSet::new();
    let mut bounced = 0_u64;
    loop {
        tokio::select! {
            order = packed.recv() => {
                let Some(order) = order else { return };
                if faults.on(Which::NeverAwaitedHandle) {
                    tokio::spawn(mail(order)); // <- fault: never-awaited-handle
                } else {
                    mails.spawn(mail(order));
                }
            }
            Some(mail) = mails.join_next() => if let Ok(Err(error)) = mail {
                bounced += 1;
                if bounced.is_power_of_two() {
                    eprintln!("{error}; {bounced} so far");
                }
            },
        }
    }
}
