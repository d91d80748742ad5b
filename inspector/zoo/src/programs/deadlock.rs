//! A bank that moves money between accounts, each behind a lock of its own. The faulty one takes the two locks in the
//! order of the transfer, so that two opposite transfers wait for each other; the healthy one in the order of numbers.
use std::{io, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::Mutex, task::JoinSet, time::sleep};

use crate::{Program, loopback};

pub(super) const PROGRAM: Program = Program {
    name: "deadlock",
    rule: Some("deadlock"),
    about: "a bank whose transfers lock the paying account, then the receiving one, in whatever order that is",
    source: include_str!("deadlock.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

const ACCOUNTS: usize = 4;

struct Account {
    balance: i64,
}

type Bank = Arc<Vec<Mutex<Account>>>;

fn bank() -> Bank {
    Arc::new((0..ACCOUNTS).map(|_| Mutex::new(Account { balance: 1_000 })).collect())
}

/// `MOVE 1 3`
fn accounts(order: &str) -> Option<(usize, usize)> {
    let mut fields = order.split(' ').skip(1).map(|field| field.parse().ok().filter(|&n| n < ACCOUNTS));
    Some((fields.next()??, fields.next()??))
}

/// One line in the journal, on its way to the disk.
async fn journal() {
    sleep(Duration::from_millis(20)).await;
}

fn settle(from: &mut Account, to: &mut Account) -> String {
    from.balance -= 1;
    to.balance += 1;
    format!("OK {} {}", from.balance, to.balance)
}

async fn transfer(bank: Bank, order: String) -> String {
    let Some((from, to)) = accounts(&order) else { return "WHAT".to_owned() };
    let mut from = bank[from].lock().await;
    journal().await;
    let mut to = bank[to].lock().await; // <- fault: deadlock
    settle(&mut from, &mut to)
}

async fn transfer_in_order(bank: Bank, order: String) -> String {
    let Some((from, to)) = accounts(&order) else { return "WHAT".to_owned() };
    journal().await;
    let (low, high) = (from.min(to), from.max(to));
    let mut low_account = bank[low].lock().await;
    let mut high_account = bank[high].lock().await;
    if from == low { settle(&mut low_account, &mut high_account) } else { settle(&mut high_account, &mut low_account) }
}

/// Six tellers, each moving money back and forth between neighbours.
async fn tellers() -> io::Result<(TcpListener, JoinSet<io::Result<()>>)> {
    let (listener, address) = loopback::listen().await?;
    let tellers = loopback::clients(6, address, Duration::from_millis(25), |teller, number| {
        let (a, b) =
            ((teller as usize + number as usize) % ACCOUNTS, (teller as usize + number as usize + 1) % ACCOUNTS);
        if teller % 2 == 0 { format!("MOVE {a} {b}") } else { format!("MOVE {b} {a}") }
    });
    Ok((listener, tellers))
}

async fn faulty() -> io::Result<()> {
    let (listener, _tellers) = tellers().await?;
    let bank = bank();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let bank = Arc::clone(&bank);
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, move |order| transfer(Arc::clone(&bank), order)));
    }
}

async fn healthy() -> io::Result<()> {
    let (listener, _tellers) = tellers().await?;
    let bank = bank();
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        let bank = Arc::clone(&bank);
        while connections.try_join_next().is_some() {}
        connections.spawn(loopback::answer(stream, move |order| transfer_in_order(Arc::clone(&bank), order)));
    }
}
