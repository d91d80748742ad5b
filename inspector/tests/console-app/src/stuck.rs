//! Faults of what stays as it is: tasks that never go on, or are large, locks that are kept, questions without an answer.
use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use tokio::{
    sync::{Mutex, RwLock, oneshot},
    time::sleep,
};

const MOMENT: Duration = Duration::from_millis(20);
const AGES: Duration = Duration::from_secs(3600);
/// By then an inspector is attached: it is told of what is taken from then on.
const ATTACHED: Duration = Duration::from_millis(1500);

pub(crate) async fn run() {
    forget();
    reenter();
    buffer();
    rates();
    ledger();
    ask().await;
}

/// A future that returns `Pending` and gives its waker to nobody.
fn forget() {
    let queue = vec![0_u8; 8];
    let drained = poll_fn(move |_| if queue.is_empty() { Poll::Ready(()) } else { Poll::Pending });
    tokio::spawn(drained); // <- fault: lost-waker
}

/// A task that locks what it has locked.
fn reenter() {
    let orders = Arc::new(Mutex::new(0_u64)); // <- fault: self-deadlock
    tokio::spawn(async move {
        sleep(ATTACHED).await;
        let first = orders.lock().await;
        sleep(MOMENT).await;
        let second = orders.lock().await;
        drop((first, second));
    });
}

/// A task that has its buffer within.
fn buffer() {
    let read = async {
        let buffer = [0_u8; 20_000];
        sleep(AGES).await;
        std::hint::black_box(&buffer);
    };
    tokio::spawn(read); // <- fault: large-future
}

/// One that reads for ever, and one that wants to write.
fn rates() {
    let rates = Arc::new(RwLock::new(0_u64)); // <- fault: rwlock-writer-starved
    let read = Arc::clone(&rates);
    tokio::spawn(async move {
        sleep(ATTACHED).await;
        let rates = read.read().await;
        sleep(AGES).await;
        drop(rates);
    });
    tokio::spawn(async move {
        sleep(ATTACHED * 2).await;
        *rates.write().await += 1;
    });
}

/// One that keeps its lock over a long await, with nobody waiting.
fn ledger() {
    let ledger = Mutex::new(0_u64); // <- fault: lock-held-across-await
    tokio::spawn(async move {
        sleep(ATTACHED).await;
        let mut ledger = ledger.lock().await;
        sleep(AGES).await;
        *ledger += 1;
    });
}

/// Questions that nobody answers.
async fn ask() {
    loop {
        let (answer, asked) = oneshot::channel::<u64>(); // <- fault: oneshot-abandoned
        tokio::spawn(async move {
            sleep(MOMENT).await;
            drop(answer);
        });
        assert!(asked.await.is_err());
        sleep(MOMENT * 10).await;
    }
}
