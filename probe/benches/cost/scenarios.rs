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
    let spent = runtime.block_on(slices(scenario.to_owned(), workers, operations));
    // What is left is not measured, and may be much.
    std::mem::forget(runtime);
    middle(spent)
}

/// The same on the runtime that this is awaited on: what an operation took in each slice.
pub(crate) async fn slices(scenario: String, workers: usize, operations: usize) -> Vec<f64> {
    // Whole batches, for each of the tasks where there are several: some scenarios do nothing less.
    let batch = BATCH * workers * 2;
    let slice = (operations / SLICES / batch).max(1) * batch;
    // In a task, since the root future is polled by a thread that is no worker.
    let measured = tokio::spawn(async move {
        let mut spent = Vec::new();
        for _ in 0..SLICES {
            spent.push(run(&scenario, workers, slice).await.as_nanos() as f64 / slice as f64);
        }
        spent
    });
    measured.await.unwrap()
}

/// One slice of `n` operations.
async fn run(scenario: &str, workers: usize, n: usize) -> Duration {
    let scenario = begin(scenario, workers, n);
    let start = Instant::now();
    scenario.await;
    start.elapsed()
}

/// Each is a future of its own, as in a service: were they all in one, the compiler would put all their states together, and
/// what one costs would hang on what else is there.
fn begin(scenario: &str, workers: usize, n: usize) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    match scenario {
        "poll" => Box::pin(poll(workers, n)),
        "spawn-set" => Box::pin(spawn_set(n)),
        "spawn-handle" => Box::pin(spawn_handle(n)),
        "spawn-handle-64" => Box::pin(spawn_handle_64(n)),
        "spawn-blocking" => Box::pin(spawn_blocking(n)),
        "mutex" => Box::pin(mutex(n)),
        "mutex-contended" => Box::pin(mutex_contended(n)),
        "rwlock-read" => Box::pin(rwlock_read(n)),
        "semaphore" => Box::pin(semaphore(n)),
        "semaphore-held" => Box::pin(semaphore_held(n)),
        "mpsc" => Box::pin(mpsc(n)),
        "mpsc-unbounded" => Box::pin(mpsc_unbounded(n)),
        "oneshot" => Box::pin(oneshot(n)),
        "broadcast" => Box::pin(broadcast(n)),
        "watch" => Box::pin(watch(n)),
        "notify" => Box::pin(notify(n)),
        "sleep" => Box::pin(sleep(n)),
        "each-spawn" => Box::pin(several(workers, n, spawn_handle)),
        "each-mutex" => Box::pin(several(workers, n, mutex)),
        "each-new-mutex" => Box::pin(several(workers, n, new_mutex)),
        "each-new-mpsc" => Box::pin(several(workers, n, new_mpsc)),
        "each-oneshot" => Box::pin(several(workers, n, oneshot)),
        "shared-rwlock" => Box::pin(shared_rwlock(workers, n)),
        "shared-semaphore" => Box::pin(shared_semaphore(workers, n)),
        "shared-mpsc" => Box::pin(shared_mpsc(workers, n)),
        "live" => Box::pin(async move { live(n) }),
        "live-locks" => Box::pin(live_locks(n)),
        "live-rwlocks" => Box::pin(live_rwlocks(n)),
        "live-semaphores" => Box::pin(live_semaphores(n)),
        "live-channels" => Box::pin(live_channels(n)),
        other => panic!("no scenario {other}"),
    }
}

async fn poll(workers: usize, n: usize) {
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

/// As many tasks as keep all workers at it, each with its part of `n`.
async fn several<F: Future<Output = ()> + Send + 'static>(workers: usize, n: usize, each: impl Fn(usize) -> F) {
    let tasks = workers * 2;
    let tasks: Vec<_> = (0..tasks).map(|_| tokio::spawn(each(n / tasks))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn new_mutex(n: usize) {
    for i in 0..n {
        let lock = Box::new(tokio::sync::Mutex::new(i));
        *lock.lock().await += 1;
        drop(std::hint::black_box(lock));
    }
}

async fn new_mpsc(n: usize) {
    for i in 0..n {
        let (sender, mut receiver) = tokio::sync::mpsc::channel(2);
        sender.send(i).await.unwrap();
        assert_eq!(receiver.recv().await, Some(i));
    }
}

async fn shared_rwlock(workers: usize, n: usize) {
    let lock = Arc::new(tokio::sync::RwLock::new(1_usize));
    let read = |n| {
        let lock = lock.clone();
        async move {
            let mut sum = 0;
            for _ in 0..n {
                sum += *lock.read().await;
            }
            assert_eq!(sum, n);
        }
    };
    several(workers, n, read).await;
}

async fn shared_semaphore(workers: usize, n: usize) {
    let permits = Arc::new(tokio::sync::Semaphore::new(64));
    let acquire = |n| {
        let permits = permits.clone();
        async move {
            for _ in 0..n {
                drop(permits.acquire().await.unwrap());
            }
        }
    };
    several(workers, n, acquire).await;
}

async fn shared_mpsc(workers: usize, n: usize) {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(128);
    let consumer = tokio::spawn(async move { while receiver.recv().await.is_some() {} });
    let send = |n| {
        let sender = sender.clone();
        async move {
            for i in 0..n {
                sender.send(i).await.unwrap();
            }
        }
    };
    several(workers, n, send).await;
    drop(sender);
    consumer.await.unwrap();
}

async fn spawn_set(n: usize) {
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

async fn spawn_handle(n: usize) {
    for _ in 0..n / BATCH {
        let handles: Vec<_> = (0..BATCH).map(|_| tokio::spawn(async {})).collect();
        for handle in handles {
            handle.await.unwrap();
        }
    }
}

/// Of a task that has something with it, as most have: an `async {}` is one byte, which goes in a register.
async fn spawn_handle_64(n: usize) {
    let words = [n as u64; 7];
    for _ in 0..n / BATCH {
        let count = |_| {
            tokio::spawn(async move {
                let words = std::hint::black_box(&words);
                words[0] + words[6]
            })
        };
        let handles: Vec<_> = (0..BATCH).map(count).collect();
        for handle in handles {
            assert_eq!(handle.await.unwrap(), 2 * n as u64);
        }
    }
}

async fn spawn_blocking(n: usize) {
    for _ in 0..n {
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }
}

async fn mutex(n: usize) {
    let counter = tokio::sync::Mutex::new(0_u64);
    for _ in 0..n {
        *counter.lock().await += 1;
    }
}

/// Held across a suspension, so that the others do wait, on one worker too.
async fn mutex_contended(n: usize) {
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

async fn rwlock_read(n: usize) {
    let lock = tokio::sync::RwLock::new(1_usize);
    let mut sum = 0;
    for _ in 0..n {
        sum += *lock.read().await;
    }
    assert_eq!(sum, n);
}

async fn semaphore(n: usize) {
    let permits = tokio::sync::Semaphore::new(4);
    for _ in 0..n {
        drop(permits.acquire().await.unwrap());
    }
}

/// As where it limits how many requests are on their way.
async fn semaphore_held(n: usize) {
    let semaphore = tokio::sync::Semaphore::new(64);
    let mut held = std::collections::VecDeque::new();
    for _ in 0..32 {
        held.push_back(semaphore.acquire().await.unwrap());
    }
    for _ in 0..n {
        held.push_back(semaphore.acquire().await.unwrap());
        drop(held.pop_front());
    }
}

async fn mpsc(n: usize) {
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

/// In bursts, since nothing else keeps the sender from running away.
async fn mpsc_unbounded(n: usize) {
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

async fn oneshot(n: usize) {
    for i in 0..n {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        sender.send(i).unwrap();
        assert_eq!(receiver.await.unwrap(), i);
    }
}

/// In bursts that fit, since a broadcast does not keep its sender waiting.
async fn broadcast(n: usize) {
    let (sender, mut receiver) = tokio::sync::broadcast::channel(128);
    for _ in 0..n / BATCH {
        for i in 0..BATCH {
            sender.send(i).unwrap();
        }
        for i in 0..BATCH {
            assert_eq!(receiver.recv().await.unwrap(), i);
        }
    }
}

async fn watch(n: usize) {
    let (sender, mut receiver) = tokio::sync::watch::channel(0);
    for i in 0..n {
        sender.send(i).unwrap();
        receiver.changed().await.unwrap();
        assert_eq!(*receiver.borrow_and_update(), i);
    }
}

/// Two tasks that wake each other.
async fn notify(n: usize) {
    let (call, answer) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let echo = tokio::spawn({
        let (call, answer) = (call.clone(), answer.clone());
        async move {
            for _ in 0..n / 2 {
                call.notified().await;
                answer.notify_one();
            }
        }
    });
    for _ in 0..n / 2 {
        call.notify_one();
        answer.notified().await;
    }
    echo.await.unwrap();
}

/// Begun and given up, as most timers of a service are.
async fn sleep(n: usize) {
    for _ in 0..n {
        let mut sleep = std::pin::pin!(tokio::time::sleep(Duration::from_hours(1)));
        std::future::poll_fn(|cx| {
            assert!(sleep.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
    }
}

/// Tasks that stay: what they take is seen in the peak of the memory.
fn live(n: usize) {
    for _ in 0..n {
        drop(tokio::spawn(std::future::pending::<()>()));
    }
}

async fn live_locks(n: usize) {
    let locks: Vec<_> = (0..n).map(tokio::sync::Mutex::new).collect();
    for lock in &locks {
        *lock.lock().await += 1;
    }
    std::mem::forget(locks);
}

async fn live_rwlocks(n: usize) {
    let locks: Vec<_> = (0..n).map(tokio::sync::RwLock::new).collect();
    for lock in &locks {
        assert!(*lock.read().await < n);
    }
    std::mem::forget(locks);
}

async fn live_semaphores(n: usize) {
    let semaphores: Vec<_> = (0..n).map(|_| tokio::sync::Semaphore::new(4)).collect();
    for semaphore in &semaphores {
        drop(semaphore.acquire().await.unwrap());
    }
    std::mem::forget(semaphores);
}

async fn live_channels(n: usize) {
    let channels: Vec<_> = (0..n).map(|_| tokio::sync::mpsc::channel::<u64>(1)).collect();
    for (sender, _) in &channels {
        sender.send(1).await.unwrap();
    }
    std::mem::forget(channels);
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
