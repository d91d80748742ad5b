// The measured operations. This file is included once for each `tokio` that is compared: in a module where that name is
// plain tokio, in one where it is the drop-in, and in the console's own program. It must therefore name nothing but
// `super::tokio` and the standard library.
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{child::middle, tokio};

/// The measured time is cut into this many slices, of which the middle ones count: one preemption spoils one slice.
const SLICES: usize = 5;
const BATCH: usize = 100;

/// Runs `operations` of `scenario` on a runtime with `workers` workers, and says what one took in nanoseconds.
pub(crate) fn measure(scenario: &str, workers: usize, operations: usize) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_all().build().unwrap();
    let scenario = scenario.to_owned();
    let slice = (operations / SLICES).max(1);
    let spent = runtime.block_on(async move {
        // In a task, since the root future is polled by a thread that is no worker.
        let measured = tokio::spawn(async move {
            let mut spent = Vec::new();
            for _ in 0..SLICES {
                spent.push(run(&scenario, workers, slice).await.as_nanos() as f64 / slice as f64);
            }
            spent
        });
        measured.await.unwrap()
    });
    // What is left is not measured, and may be much.
    std::mem::forget(runtime);
    middle(spent)
}

async fn run(scenario: &str, workers: usize, n: usize) -> Duration {
    let start = Instant::now();
    match scenario {
        "poll" => {
            let each = n / workers / 8;
            let wake_often = || async move {
                for _ in 0..each {
                    WakeOnce(false).await;
                }
            };
            let tasks: Vec<_> = (0..workers * 8).map(|_| tokio::spawn(wake_often())).collect();
            for task in tasks {
                task.await.unwrap();
            }
        }
        "spawn-set" => {
            for _ in 0..n / BATCH {
                let mut set = tokio::task::JoinSet::new();
                for _ in 0..BATCH {
                    set.spawn(async {});
                }
                while let Some(joined) = set.join_next().await {
                    joined.unwrap();
                }
            }
        }
        "spawn-handle" => {
            for _ in 0..n / BATCH {
                let handles: Vec<_> = (0..BATCH).map(|_| tokio::spawn(async {})).collect();
                for handle in handles {
                    handle.await.unwrap();
                }
            }
        }
        "mutex" => {
            let counter = tokio::sync::Mutex::new(0_u64);
            for _ in 0..n {
                *counter.lock().await += 1;
            }
        }
        // Held across a suspension, so that the others do wait, on one worker too.
        "mutex-contended" => {
            let counter = Arc::new(tokio::sync::Mutex::new(0_usize));
            let tasks: Vec<_> = (0..8)
                .map(|_| {
                    let counter = counter.clone();
                    tokio::spawn(async move {
                        for _ in 0..n / 8 {
                            let mut counter = counter.lock().await;
                            WakeOnce(false).await;
                            *counter += 1;
                        }
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(*counter.lock().await, n / 8 * 8);
        }
        "mpsc" => {
            let (sender, mut receiver) = tokio::sync::mpsc::channel(128);
            let producer = tokio::spawn(async move {
                for i in 0..n {
                    sender.send(i).await.unwrap();
                }
            });
            let mut arrived = 0;
            while receiver.recv().await.is_some() {
                arrived += 1;
            }
            producer.await.unwrap();
            assert_eq!(arrived, n);
        }
        // In bursts, since nothing else keeps the sender from running away.
        "mpsc-unbounded" => {
            let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
            let producer = tokio::spawn(async move {
                for i in 0..n {
                    sender.send(i).unwrap();
                    if i % 128 == 127 {
                        WakeOnce(false).await;
                    }
                }
            });
            let mut arrived = 0;
            while receiver.recv().await.is_some() {
                arrived += 1;
            }
            producer.await.unwrap();
            assert_eq!(arrived, n);
        }
        // Tasks that stay: what they take is seen in the peak of the memory.
        "live" => {
            for _ in 0..n {
                drop(tokio::spawn(std::future::pending::<()>()));
            }
        }
        other => panic!("no scenario {other}"),
    }
    start.elapsed()
}

/// A future that wakes itself and is ready when it is polled again.
struct WakeOnce(bool);

impl Future for WakeOnce {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
