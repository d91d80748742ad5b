//! Faults side by side.
use std::{
    future::{pending, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::{
    sync::{Mutex, mpsc},
    time::sleep,
};

pub(crate) async fn run() {
    tokio::spawn(render()); // <- fault: long-poll
    tokio::spawn(spin()); // <- fault: busy-self-wake
    report();
    transfers();
    archive();
    upload().await;
    pending().await
}

/// Computes on a worker thread.
async fn render() {
    loop {
        std::thread::sleep(Duration::from_millis(400));
        sleep(Duration::from_millis(300)).await;
    }
}

/// Asks again and again, by a wake of its own: that of a `yield_now` comes from the runtime.
async fn spin() {
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        Poll::<()>::Pending
    })
    .await;
}

/// Eight tasks that work for long under one lock.
fn report() {
    let orders = Arc::new(Mutex::new(0_u64)); // <- fault: lock-contention
    for _ in 0..8 {
        let orders = Arc::clone(&orders);
        tokio::spawn(async move {
            loop {
                let mut orders = orders.lock().await;
                sleep(Duration::from_millis(20)).await;
                *orders += 1;
                drop(orders);
                sleep(Duration::from_millis(5)).await;
            }
        });
    }
}

/// One task that holds a lock over an await for long, and one that waits for it.
fn archive() {
    let files = Arc::new(Mutex::new(0_u64)); // <- fault: lock-hog
    for pause in [0, 500] {
        let files = Arc::clone(&files);
        tokio::spawn(async move {
            loop {
                sleep(Duration::from_millis(pause)).await;
                let mut files = files.lock().await;
                sleep(Duration::from_millis(2500)).await;
                *files += 1;
            }
        });
    }
}

/// Two tasks that take two locks in opposite orders.
fn transfers() {
    let (from, to) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2))); // <- fault: deadlock
    for (first, second) in [(Arc::clone(&from), Arc::clone(&to)), (to, from)] {
        tokio::spawn(async move {
            // Both run up to here when an inspector is attached, too.
            loop {
                sleep(Duration::from_millis(100)).await;
                let first = first.lock().await;
                sleep(Duration::from_millis(700)).await;
                let second = second.lock().await;
                drop((first, second));
            }
        });
    }
}

/// A bounded channel whose receiver takes two seconds for a message.
async fn upload() {
    let (jobs, mut taken) = mpsc::channel(2);
    tokio::spawn(async move {
        while taken.recv().await.is_some() {
            sleep(Duration::from_secs(2)).await;
        }
    });
    for sender in 0..4 {
        let jobs = jobs.clone();
        tokio::spawn(async move { while jobs.send(sender).await.is_ok() {} }); // <- fault: channel-saturated
    }
}
