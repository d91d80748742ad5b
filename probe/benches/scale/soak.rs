//! Churn: everything that can be watched is made, used and dropped, over and over, and the memory stays.
use std::{
    sync::Arc,
    thread::sleep,
    time::{Duration, Instant},
};

use async_inspect_probe::tokio;

use crate::{
    options::Options,
    process::Process,
    target, usage,
    watch::{self, Totals},
};

/// Says `ready TARGET` and churns until stdin ends.
pub(crate) fn target() {
    // What a stack is named by stays from the first of them on, and would hide what grows.
    let probe = async_inspect_probe::Builder::new().memory_limit(64 * 1024 * 1024).stacks(false);
    println!("ready {}", target::start_as(probe));
    std::thread::spawn(|| {
        target::until_stdin_ends();
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        loop {
            let mut set = tokio::task::JoinSet::new();
            for n in 0..200_u64 {
                set.spawn(one(n));
            }
            set.join_all().await;
            // A service at half its power, not a benchmark of spawning.
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
}

async fn one(n: u64) {
    let lock = Arc::new(tokio::sync::Mutex::new(n));
    let (sender, mut receiver) = tokio::sync::mpsc::channel(2);
    let (tell, told) = tokio::sync::oneshot::channel();
    let (shout, mut heard) = tokio::sync::broadcast::channel(4);
    let (set, mut seen) = tokio::sync::watch::channel(0);
    let done = Arc::new(tokio::sync::Notify::new());
    let inner = tokio::spawn({
        let (lock, done) = (lock.clone(), done.clone());
        async move {
            let mut guard = lock.lock().await;
            tokio::task::yield_now().await;
            *guard += 1;
            sender.send(n).await.unwrap();
            tell.send(n).unwrap();
            shout.send(n).unwrap();
            set.send(n).unwrap();
            done.notify_one();
            if n.is_multiple_of(50) {
                std::future::pending::<()>().await;
            }
        }
    });
    let shared = tokio::sync::RwLock::new(n);
    *shared.write().await += 1;
    let (one, two) = (shared.read().await, shared.read().await);
    drop((one, two));
    let permits = tokio::sync::Semaphore::new(2);
    let (first, second) = (permits.acquire().await.unwrap(), permits.acquire().await.unwrap());
    let third = tokio::time::timeout(Duration::from_micros(1), permits.acquire()).await;
    assert!(third.is_err());
    drop((first, second));
    if n.is_multiple_of(10) {
        assert_eq!(tokio::task::spawn_blocking(move || n).await.unwrap(), n);
        let mut set = tokio::task::JoinSet::new();
        for _ in 0..4 {
            set.spawn(tokio::time::sleep(Duration::from_hours(1)));
        }
        set.abort_all();
        while set.join_next().await.is_some() {}
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    receiver.recv().await.unwrap();
    told.await.unwrap();
    heard.recv().await.unwrap();
    seen.changed().await.unwrap();
    done.notified().await;
    let given_up = tokio::time::timeout(Duration::from_micros(1), lock.lock()).await;
    drop(given_up);
    inner.abort();
    let _ = inner.await;
}

/// What the last third of the time may take more than the one before, in MiB: of the recorder, two chunks of its slots; of the
/// process, the allocator's slack too, and what one look at it more or less takes.
const RECORDER_SLACK_MIB: f64 = 0.25;
const PROCESS_SLACK_MIB: f64 = 1.0;

/// Prints the memory twice a minute, or twelve times in all.
///
/// # Panics
/// Where it grew, or something was shed.
pub(crate) fn print(options: &Options) {
    let mut target = Process::own("churn", &[]);
    let address = target.ready().remove(0);
    let length = Duration::from_secs_f64(options.minutes * 60.0);
    let pause = Duration::from_secs(30).min(length / 12);
    let (began, mut before, mut taken) = (Instant::now(), 0, Vec::new());
    println!(
        "{:>8} {:>14} {:>10} {:>12} {:>10} {:>8}",
        "seconds", "tasks so far", "tasks/s", "recorder", "RSS, MiB", "shed"
    );
    while began.elapsed() < length {
        sleep(pause);
        let totals = watch::block_on(look(&address));
        let (spawned, shed) = (totals.tasks()[0], totals.shed());
        let [recorder, rss] = [totals.cost.memory_bytes as f64 / 1024.0 / 1024.0, usage::of(target.id()).rss_mib];
        println!(
            "{:>8.0} {spawned:>14} {:>10.0} {recorder:>8.2} MiB {rss:>10.1} {shed:>8}",
            began.elapsed().as_secs_f64(),
            (spawned - before) as f64 / pause.as_secs_f64(),
        );
        before = spawned;
        taken.push([recorder, rss]);
        assert_eq!(shed, 0, "there is room for all");
    }
    let third = taken.len() / 3;
    for (what, i, slack) in [("the recorder", 0, RECORDER_SLACK_MIB), ("the process", 1, PROCESS_SLACK_MIB)] {
        let most = |of: &[[f64; 2]]| of.iter().map(|taken| taken[i]).fold(0.0, f64::max);
        let [second, last] = [most(&taken[third..taken.len() - third]), most(&taken[taken.len() - third..])];
        assert!(last <= second + slack, "{what} grew from {second:.2} to {last:.2} MiB");
    }
}

/// Attaches, as somebody would now and then, and goes.
async fn look(address: &str) -> Totals {
    let mut stream = watch::attach(address).await;
    let mut totals = Totals::default();
    for _ in 0..20 {
        totals.add(&watch::next_unpacked(&mut stream).await);
    }
    totals
}
