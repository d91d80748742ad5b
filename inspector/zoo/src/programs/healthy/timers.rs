//! Timers of every sort: intervals, timeouts that pass and that do not, retries with a growing pause, a debouncer.
use std::{io, time::Duration};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout},
};

use crate::Program;

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/timers",
    rule: None,
    about: "two thousand timers: intervals, timeouts, retries with a growing pause, a debouncer",
    source: include_str!("timers.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

async fn heartbeat(number: u64) {
    let mut clock = interval(Duration::from_millis(700 + number % 600));
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        clock.tick().await;
    }
}

/// Half of the answers come in time.
async fn caller(number: u64) {
    for call in 0_u64.. {
        let answer = sleep(Duration::from_millis((number + call) % 20 * 10));
        let mut pause = Duration::from_millis(10);
        if timeout(Duration::from_millis(100), answer).await.is_err() {
            for _ in 0..3 {
                sleep(pause).await;
                pause *= 2;
            }
        }
        sleep(Duration::from_millis(300)).await;
    }
}

/// Reacts once the keys have been still for a moment.
async fn debounce(mut keys: mpsc::Receiver<u64>) {
    let mut typed = 0;
    let mut still_at: Option<Instant> = None;
    loop {
        let still = async {
            match still_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            key = keys.recv() => match key {
                Some(key) => {
                    typed += key;
                    still_at = Some(Instant::now() + Duration::from_millis(60));
                }
                None => return,
            },
            () = still => {
                std::hint::black_box(std::mem::take(&mut typed));
                still_at = None;
            }
        }
    }
}

async fn type_in_bursts(keys: mpsc::Sender<u64>) {
    for key in 0.. {
        if keys.send(key).await.is_err() {
            return;
        }
        sleep(Duration::from_millis(if key % 12 == 0 { 400 } else { 25 })).await;
    }
}

async fn healthy() -> io::Result<()> {
    let mut tasks = JoinSet::new();
    for number in 0..1_900 {
        tasks.spawn(heartbeat(number));
    }
    for number in 0..100 {
        tasks.spawn(caller(number));
    }
    let (keys, typed) = mpsc::channel(8);
    tasks.spawn(debounce(typed));
    tasks.spawn(type_in_bursts(keys));
    tasks.join_all().await;
    Ok(())
}
