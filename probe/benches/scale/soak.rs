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
    println!("ready {}", target::start(64 * 1024 * 1024));
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

/// Prints the memory twice a minute, or ten times in all.
pub(crate) fn print(options: &Options) {
    let mut target = Process::own("churn", &[]);
    let address = target.ready().remove(0);
    let length = Duration::from_secs_f64(options.minutes * 60.0);
    let pause = Duration::from_secs(30).min(length / 10);
    let (began, mut before) = (Instant::now(), 0);
    println!(
        "{:>8} {:>14} {:>10} {:>12} {:>10} {:>8}",
        "seconds", "tasks so far", "tasks/s", "recorder", "RSS, MiB", "shed"
    );
    while began.elapsed() < length {
        sleep(pause);
        let totals = watch::block_on(look(&address));
        let [spawned, _, shed] = totals.tasks();
        println!(
            "{:>8.0} {spawned:>14} {:>10.0} {:>8.2} MiB {:>10.1} {shed:>8}",
            began.elapsed().as_secs_f64(),
            (spawned - before) as f64 / pause.as_secs_f64(),
            totals.cost.memory_bytes as f64 / 1024.0 / 1024.0,
            usage::of(target.id()).rss_mib
        );
        before = spawned;
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
