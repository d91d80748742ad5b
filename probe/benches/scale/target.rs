//! The target: many live tasks, of which some tick once a second; one in ten of those uses a lock and a channel.
use std::{io::Read, sync::Arc, time::Duration};

use async_inspect_probe::tokio;

/// Locks, and channels, at most.
const THINGS: usize = 10_000;
/// Memory for what is recorded.
pub(crate) const LIMIT: u64 = 1024 * 1024 * 1024;

/// `TASKS ACTIVE`: says `ready TARGET` when they all live, and ends with stdin.
pub(crate) fn run(args: &[String]) {
    let [tasks, active] = args else { panic!("TASKS ACTIVE, not {args:?}") };
    let (tasks, active): (usize, usize) = (tasks.parse().unwrap(), active.parse().unwrap());
    let target = start(LIMIT);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async move { tokio::spawn(async move { live(tasks, active) }).await.unwrap() });
    println!("ready {target}");
    until_stdin_ends();
    std::process::exit(0);
}

/// Starts the probe; what to attach to.
pub(crate) fn start(limit: u64) -> String {
    start_as(async_inspect_probe::Builder::new().memory_limit(limit))
}

/// The same with what else is said of it.
pub(crate) fn start_as(probe: async_inspect_probe::Builder) -> String {
    probe.listen("127.0.0.1:0").unwrap().start().unwrap().target().to_owned()
}

/// Blocks this thread, which is no worker and runs no root, for as long as the driver lives: a poll that is blocked is looked
/// at, and what its stack is named by would be in all that is measured.
pub(crate) fn until_stdin_ends() {
    let _ = std::io::stdin().lock().read_to_end(&mut Vec::new());
}

fn live(tasks: usize, active: usize) {
    let things = (active / 10).min(THINGS);
    let mut users: Vec<_> = (0..things)
        .map(|_| {
            let (sender, mut receiver) = tokio::sync::mpsc::channel::<()>(16);
            drop(tokio::spawn(async move { while receiver.recv().await.is_some() {} }));
            (Arc::new(tokio::sync::Mutex::new(0_u64)), sender)
        })
        .collect();
    for i in 0..active {
        let user = users.pop();
        drop(tokio::spawn(async move {
            // Spread over the second.
            tokio::time::sleep(Duration::from_micros(i as u64 * 1_000_000 / active as u64)).await;
            let mut second = tokio::time::interval(Duration::from_secs(1));
            loop {
                second.tick().await;
                if let Some((lock, sender)) = &user {
                    *lock.lock().await += 1;
                    sender.send(()).await.unwrap();
                }
            }
        }));
    }
    for _ in active + things..tasks {
        drop(tokio::spawn(std::future::pending::<()>()));
    }
}
