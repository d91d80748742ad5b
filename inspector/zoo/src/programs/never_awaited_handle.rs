//! An order service that mails receipts. The faulty one spawns each mail and forgets it, failures included; the
//! healthy one collects the results.
use std::{fmt, io, time::Duration};

use tokio::{
    task::JoinSet,
    time::{interval, sleep},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "never-awaited-handle",
    rule: Some("never-awaited-handle"),
    about: "an order service that spawns its receipt mails and throws away their Result",
    source: include_str!("never_awaited_handle.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

#[derive(Debug)]
struct Bounced {
    order: u64,
}

impl fmt::Display for Bounced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the receipt of order {} came back", self.order)
    }
}

async fn mail_receipt(order: u64) -> Result<(), Bounced> {
    sleep(Duration::from_millis(15 + order % 20)).await;
    if order % 9 == 8 { Err(Bounced { order }) } else { Ok(()) }
}

async fn faulty() -> io::Result<()> {
    let mut orders = interval(Duration::from_millis(25));
    for order in 0.. {
        orders.tick().await;
        tokio::spawn(mail_receipt(order)); // <- fault: never-awaited-handle
    }
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let mut orders = interval(Duration::from_millis(25));
    let mut mails = JoinSet::new();
    let mut next_order = 0;
    let mut bounced = 0_u64;
    loop {
        tokio::select! {
            _ = orders.tick() => {
                mails.spawn(mail_receipt(next_order));
                next_order += 1;
            }
            Some(mail) = mails.join_next() => match mail {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    bounced += 1;
                    if bounced.is_power_of_two() {
                        eprintln!("{error}; {bounced} so far");
                    }
                }
                Err(error) => eprintln!("a mail task failed: {error}"),
            },
        }
    }
}
