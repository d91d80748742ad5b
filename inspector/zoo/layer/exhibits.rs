//! Some of each thing that the layer tells of, in a state that stays.
use std::{future::pending, pin::pin, sync::Arc, task::Poll, time::Duration};

use tokio::{
    sync::{Barrier, Mutex, RwLock, Semaphore, mpsc, oneshot},
    task::{spawn_blocking, yield_now},
    time::{sleep, timeout},
};

/// Shows them until the process is killed.
pub(crate) fn run() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime needs threads").block_on(show());
}

async fn show() {
    locks().await;
    permits().await;
    channels().await;
    answers().await;
    tasks().await;
    println!("listening on 127.0.0.1:1");
    pending().await
}

async fn locks() {
    let mutex = Arc::new(Mutex::new(0)); // <- exhibit: mutex
    let adders: Vec<_> = (0..4)
        .map(|_| {
            let mutex = Arc::clone(&mutex);
            tokio::spawn(async move {
                for _ in 0..25 {
                    *mutex.lock().await += 1;
                    yield_now().await;
                }
            })
        })
        .collect();
    for adder in adders {
        adder.await.unwrap();
    }
    let holder = Arc::clone(&mutex);
    tokio::spawn(async move {
        let _guard = holder.lock().await;
        pending::<()>().await; // <- exhibit: holder
    });
    settle().await;
    let waiter = Arc::clone(&mutex);
    tokio::spawn(async move { *waiter.lock().await += 1 });
    settle().await;
    assert!(timeout(Duration::from_millis(5), mutex.lock()).await.is_err());
    assert!(mutex.try_lock().is_err());

    let rw = Arc::new(RwLock::new(0)); // <- exhibit: rwlock
    for _ in 0..10 {
        *rw.write().await += 1;
        assert!(*rw.read().await > 0);
    }
    for _ in 0..2 {
        let rw = Arc::clone(&rw);
        tokio::spawn(async move {
            let _guard = rw.read().await;
            pending::<()>().await;
        });
    }
    settle().await;
    tokio::spawn(async move { *rw.write().await += 1 });

    let barrier = Arc::new(Barrier::new(3)); // <- exhibit: barrier
    for _ in 0..2 {
        let barrier = Arc::clone(&barrier);
        tokio::spawn(async move { barrier.wait().await });
    }
    settle().await;
}

async fn permits() {
    let semaphore = Arc::new(Semaphore::new(5)); // <- exhibit: semaphore
    for _ in 0..20 {
        let _two = semaphore.acquire_many(2).await.unwrap();
    }
    semaphore.acquire_many(3).await.unwrap().forget();
    tokio::spawn(async move { semaphore.acquire_many(4).await.map(drop) });
    settle().await;
}

async fn channels() {
    let (sender, mut receiver) = mpsc::channel(4);
    for n in 0..12 {
        sender.send(n).await.unwrap();
        if n < 8 {
            receiver.recv().await.unwrap();
        }
    }
    for n in 0..2 {
        let sender = sender.clone();
        tokio::spawn(async move { sender.send(n).await });
    }
    settle().await;
    // One of the two that wait gets its room.
    receiver.recv().await.unwrap();
    std::mem::forget((sender, receiver));
}

async fn answers() {
    for n in 0..4 {
        let (answer, asked) = oneshot::channel(); // <- exhibit: oneshot
        match n {
            0 | 1 => answer.send(n).unwrap(),
            2 => drop(answer),
            _ => {
                drop(asked);
                assert!(answer.send(n).is_err());
                continue;
            }
        }
        assert_eq!(asked.await.is_ok(), n < 2);
    }
    let (answer, asked) = oneshot::channel::<()>(); // <- exhibit: unanswered
    tokio::spawn(async move { asked.await.is_ok() });
    std::mem::forget(answer);
    settle().await;
}

async fn tasks() {
    // A thousand polls, each but the last of which wakes itself.
    let spinner = tokio::spawn(async {
        let mut left = 1000; // <- exhibit: spinner
        std::future::poll_fn(|cx| {
            left -= 1;
            if left == 0 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        pending::<()>().await;
    });
    settle().await;
    drop(spinner);
    for _ in 0..3 {
        let ended = tokio::spawn(async { yield_now().await }); // <- exhibit: ended
        ended.await.unwrap();
    }
    let panicked = tokio::spawn(async { panic!("on show") }); // <- exhibit: panicked
    assert!(panicked.await.is_err());
    spawn_blocking(|| std::thread::sleep(Duration::from_millis(1))).await.unwrap(); // <- exhibit: blocking
    let sleeper = async {
        let mut long = pin!(sleep(Duration::from_secs(3600)));
        long.as_mut().await;
    };
    tokio::task::Builder::new().name("sleeper").spawn(sleeper).unwrap(); // <- exhibit: sleeper
    settle().await;
}

/// Until what was spawned waits.
async fn settle() {
    sleep(Duration::from_millis(20)).await;
}
