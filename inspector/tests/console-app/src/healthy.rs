//! The same work done well.
use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Barrier, Mutex, Notify, RwLock, Semaphore, mpsc, oneshot},
    time::{interval, sleep},
};

const MOMENT: Duration = Duration::from_millis(5);

pub(crate) async fn run() {
    tokio::spawn(render());
    let ready = Arc::new(Notify::new());
    tokio::spawn(wait(Arc::clone(&ready)));
    report();
    transfers();
    prices();
    meet();
    upload();
    let limit = Arc::new(Semaphore::new(4));
    let mut arrivals = interval(MOMENT * 5);
    loop {
        arrivals.tick().await;
        ready.notify_one();
        let limit = Arc::clone(&limit);
        // One of those whose life is short, with a question to another one.
        tokio::spawn(async move {
            let Ok(_permit) = limit.acquire().await else { return };
            let (answer, asked) = oneshot::channel();
            tokio::spawn(async move {
                sleep(MOMENT).await;
                let _ = answer.send(());
            });
            let _ = asked.await;
        });
    }
}

/// Computes, on a thread of the blocking pool.
async fn render() {
    loop {
        let rendered = tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_millis(400)));
        let _ = rendered.await;
    }
}

async fn wait(ready: Arc<Notify>) {
    loop {
        ready.notified().await;
    }
}

/// Eight tasks that hold one lock for a moment, and look at it without waiting, too.
fn report() {
    let orders = Arc::new(Mutex::new(0_u64));
    for n in 0..8 {
        let orders = Arc::clone(&orders);
        tokio::spawn(async move {
            loop {
                *orders.lock().await += 1;
                sleep(MOMENT * (n + 2)).await;
                if let Ok(orders) = orders.try_lock() {
                    assert!(*orders > 0);
                }
            }
        });
    }
}

/// Two tasks that take two locks in the same order.
fn transfers() {
    let (from, to) = (Arc::new(Mutex::new(1)), Arc::new(Mutex::new(2)));
    for _ in 0..2 {
        let (from, to) = (Arc::clone(&from), Arc::clone(&to));
        tokio::spawn(async move {
            loop {
                let first = from.lock().await;
                let second = to.lock().await;
                drop((first, second));
                sleep(MOMENT * 4).await;
            }
        });
    }
}

/// Many read, one writes.
fn prices() {
    let prices = Arc::new(RwLock::new(0));
    for n in 0..4 {
        let prices = Arc::clone(&prices);
        tokio::spawn(async move {
            loop {
                if n == 0 {
                    *prices.write().await += 1;
                } else {
                    let _ = *prices.read().await;
                }
                sleep(MOMENT * 3).await;
            }
        });
    }
}

/// Two that wait for each other now and then.
fn meet() {
    let barrier = Arc::new(Barrier::new(2));
    for n in 1..3 {
        let barrier = Arc::clone(&barrier);
        tokio::spawn(async move {
            loop {
                sleep(MOMENT * 40 * n).await;
                barrier.wait().await;
            }
        });
    }
}

/// A bounded channel whose receiver keeps up.
fn upload() {
    let (jobs, mut taken) = mpsc::channel(2);
    tokio::spawn(async move {
        while taken.recv().await.is_some() {
            sleep(MOMENT * 4).await;
        }
    });
    tokio::spawn(async move {
        while jobs.send(()).await.is_ok() {
            sleep(MOMENT * 6).await;
        }
    });
}
