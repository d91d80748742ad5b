//! Actors behind mpsc mailboxes; questions carry a oneshot or an mpsc sender for the answer.
use std::{io, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::sleep,
};

use crate::Program;

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/actors",
    rule: None,
    about: "bank accounts as actors: deposits, balances over oneshot, statements over mpsc",
    source: include_str!("actors.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

enum Message {
    Deposit(u64),
    Balance(oneshot::Sender<u64>),
    Statement(mpsc::Sender<u64>),
}

async fn account(mut mailbox: mpsc::Receiver<Message>) {
    let mut deposits = Vec::new();
    while let Some(message) = mailbox.recv().await {
        match message {
            Message::Deposit(amount) => {
                if deposits.len() == 100 {
                    let total = deposits.drain(..).sum();
                    deposits.push(total);
                }
                deposits.push(amount);
            }
            Message::Balance(answer) => {
                let _ = answer.send(deposits.iter().sum());
            }
            Message::Statement(lines) => {
                for deposit in &deposits {
                    if lines.send(*deposit).await.is_err() {
                        break;
                    }
                }
            }
        }
    }
}

/// One customer: deposits, asks for the balance, and now and then for a statement.
async fn customer(accounts: Vec<mpsc::Sender<Message>>, number: usize) {
    for visit in 0.. {
        let account = &accounts[(number + visit) % accounts.len()];
        if account.send(Message::Deposit(visit as u64)).await.is_err() {
            return;
        }
        let (answer, balance) = oneshot::channel();
        if account.send(Message::Balance(answer)).await.is_err() || balance.await.is_err() {
            return;
        }
        if visit % 10 == 0 {
            let (lines, mut statement) = mpsc::channel(8);
            if account.send(Message::Statement(lines)).await.is_err() {
                return;
            }
            while statement.recv().await.is_some() {}
        }
        sleep(Duration::from_millis(5)).await;
    }
}

async fn healthy() -> io::Result<()> {
    let mut tasks = JoinSet::new();
    let mut accounts = Vec::new();
    for _ in 0..8 {
        let (mailbox, messages) = mpsc::channel(32);
        tasks.spawn(account(messages));
        accounts.push(mailbox);
    }
    for number in 0..20 {
        tasks.spawn(customer(accounts.clone(), number));
    }
    tasks.join_all().await;
    Ok(())
}
