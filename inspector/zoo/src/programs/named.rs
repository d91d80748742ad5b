//! An outbox in which everything goes by the name that it was given. In the faulty one a mailer panics on a mail without an
//! address and nobody looks; in the healthy one such mails are put aside.
use std::{io, sync::Arc, time::Duration};

use async_inspect_probe::Named;
use tokio::{
    sync::{Mutex, Semaphore, mpsc, oneshot},
    task::JoinSet,
    time::sleep,
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "named",
    rule: Some("lost-panic"),
    about: "an outbox whose tasks, locks and channels have names, and a mailer that panics unseen",
    source: include_str!("named.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

type Mail = Option<&'static str>;

/// Mails that were sent since the program began.
static SENT: Mutex<u64> = Mutex::const_new(0);

/// What all parts of the outbox share.
struct Office {
    ledger: Mutex<u64>,
    lines: Semaphore,
}

/// Sends mails until there are no more.
async fn send_all(office: Arc<Office>, mut mails: mpsc::Receiver<Mail>, put_aside: bool) {
    while let Some(mail) = mails.recv().await {
        if mail.is_none() && put_aside {
            continue;
        }
        let Ok(_line) = office.lines.acquire().await else { return };
        std::hint::black_box(mail.expect("a mail has an address").len());
        *office.ledger.lock().await += 1;
        *SENT.lock().await += 1;
    }
}

/// A queue that stays empty, those who wait beside it, and the office that they share.
fn open(tasks: &mut JoinSet<()>) -> Arc<Office> {
    let office = Arc::new(Office { ledger: Mutex::new(0).named("ledger"), lines: Semaphore::new(3).named("uplinks") });
    SENT.set_name("sent");
    let (returns, mut returned) = mpsc::channel::<Mail>(8).named("returns");
    let (receipt, received) = oneshot::channel::<u64>().named("receipt");
    tasks.spawn(async move { while returned.recv().await.is_some() {} }).named("sorter");
    tasks.spawn(async move { returns.closed().await }).named("keeper");
    tasks.spawn(async move { drop(received.await) }).named("clerk");
    tasks.spawn({
        let office = Arc::clone(&office);
        async move {
            // The receipt is for a million mails.
            while *office.ledger.lock().await < 1_000_000 {
                sleep(Duration::from_millis(50)).await;
            }
            let _ = receipt.send(1_000_000);
        }
    });
    office
}

async fn post(queue: mpsc::Sender<Mail>) {
    for number in 0.. {
        sleep(Duration::from_millis(20)).await;
        let mail = (number % 50 != 49).then_some("42 Long Road");
        if queue.send(mail).await.is_err() {
            return;
        }
    }
}

async fn faulty() -> io::Result<()> {
    let mut tasks = JoinSet::new().named("desk");
    let office = open(&mut tasks);
    loop {
        let (queue, mails) = mpsc::channel(8).named("mails");
        let work = send_all(Arc::clone(&office), mails, false);
        tokio::spawn(work).named("mailer"); // <- fault: lost-panic
        post(queue).await;
    }
}

async fn healthy() -> io::Result<()> {
    let mut tasks = JoinSet::new().named("desk");
    let office = open(&mut tasks);
    let (queue, mails) = mpsc::channel(8).named("mails");
    let mailer = tokio::spawn(send_all(office, mails, true)).named("mailer");
    post(queue).await;
    mailer.await.map_err(io::Error::other)
}
