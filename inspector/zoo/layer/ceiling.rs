//! More of each thing than there is room for: what the layer is told of then.
use std::{future::pending, sync::Arc, time::Duration};

use tokio::{
    sync::{Mutex, Semaphore, mpsc, oneshot},
    time::sleep,
};

/// Of each thing.
const MANY: usize = 8000;
const PERMITS: usize = 3;

/// Shows them until the process is killed.
pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime needs threads").block_on(show());
}

async fn show() {
    let first = Arc::new(Mutex::new(0)); // <- exhibit: known lock
    let mut kept = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for n in 0..MANY {
        tokio::spawn(pending::<()>()); // <- exhibit: many tasks
        let mutex = Mutex::new(n);
        *mutex.lock().await += 1;
        kept.0.push(mutex);
        let semaphore = Semaphore::new(PERMITS);
        semaphore.acquire().await.unwrap().forget();
        kept.1.push(semaphore);
        let (tx, rx) = mpsc::channel(2);
        tx.send(n).await.unwrap();
        kept.2.push((tx, rx));
        // Those have no slots, and take the places that are left.
        kept.3.push(oneshot::channel::<usize>());
    }
    // Who waits, and for what, finds no room either.
    let guard = first.lock().await;
    let waiting: Vec<_> = (0..4)
        .map(|_| {
            let first = Arc::clone(&first);
            tokio::spawn(async move { *first.lock().await += 1 }) // <- exhibit: waiting
        })
        .collect();
    let (full, mut rx) = mpsc::channel(1);
    full.send(1).await.unwrap();
    let sender = tokio::spawn(async move { full.send(2).await.unwrap() });
    sleep(Duration::from_millis(20)).await;
    drop(guard);
    for waiting in waiting {
        waiting.await.unwrap();
    }
    while rx.recv().await.is_some() {}
    sender.await.unwrap();
    assert_eq!(*first.lock().await, 4);
    let (tx, answer) = oneshot::channel();
    tokio::spawn(async move { tx.send(7).unwrap() });
    assert_eq!(answer.await.unwrap(), 7);
    println!("of each: {MANY}");
    println!("listening on 127.0.0.1:1");
    pending::<()>().await;
    drop(kept);
}
