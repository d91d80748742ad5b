//! A bank that gives each booking a limit of time. The faulty one changes the account, writes to its ledger and changes the
//! account again, so that a booking that takes too long is given up half way; the healthy one writes first.
use std::{io, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::Mutex,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "cancelled-holding",
    rule: Some("cancelled-holding"),
    about: "a bank that gives up bookings after 40 ms, some of them between two changes of an account it has locked",
    source: include_str!("cancelled_holding.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

const ACCOUNTS: usize = 4;
const LIMIT: Duration = Duration::from_millis(40);

#[derive(Default)]
struct Account {
    available: i64,
    booked: i64,
}

type Bank = Arc<[Mutex<Account>; ACCOUNTS]>;

/// `BOOK 3 17`: the account and the amount.
fn fields(order: &str) -> Option<(usize, i64)> {
    let mut fields = order.split(' ').skip(1);
    Some((fields.next()?.parse().ok().filter(|&n| n < ACCOUNTS)?, fields.next()?.parse().ok()?))
}

/// One line in the ledger, which is slow now and then.
async fn ledger(amount: i64) {
    sleep(Duration::from_millis(if amount % 6 == 0 { 200 } else { 5 })).await; // <- open: cancelled-holding
}

async fn book_between_changes(account: &Mutex<Account>, amount: i64) -> i64 {
    let mut account = account.lock().await; // <- fault: cancelled-holding
    account.available -= amount;
    ledger(amount).await;
    account.booked += amount;
    account.available + account.booked
}

async fn book(account: &Mutex<Account>, amount: i64) -> i64 {
    ledger(amount).await;
    let mut account = account.lock().await;
    account.available -= amount;
    account.booked += amount;
    account.available + account.booked
}

fn answer(booked: Option<i64>) -> String {
    booked.map_or_else(|| "LATE".to_owned(), |balance| format!("BOOKED {balance}"))
}

/// A teller for each account.
async fn tellers() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    let tellers = loopback::clients(ACCOUNTS as u64, address, Duration::from_millis(30), |teller, number| {
        format!("BOOK {teller} {}", number + teller)
    });
    Ok((listener, tellers))
}

async fn faulty() -> io::Result<()> {
    let (listener, _tellers) = tellers().await?;
    let bank: Bank = Arc::default();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let bank = Arc::clone(&bank);
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, move |order| {
            let bank = Arc::clone(&bank);
            async move {
                let Some((account, amount)) = fields(&order) else { return "WHAT".to_owned() };
                answer(timeout(LIMIT, book_between_changes(&bank[account], amount)).await.ok())
            }
        }));
    }
}

async fn healthy() -> io::Result<()> {
    let (listener, _tellers) = tellers().await?;
    let bank: Bank = Arc::default();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let bank = Arc::clone(&bank);
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, move |order| {
            let bank = Arc::clone(&bank);
            async move {
                let Some((account, amount)) = fields(&order) else { return "WHAT".to_owned() };
                answer(timeout(LIMIT, book(&bank[account], amount)).await.ok())
            }
        }));
    }
}
