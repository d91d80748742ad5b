//! Nothing comes from nothing: healthy programs that are stopped and continued, or that get hardly any CPU, or of which
//! the probe can show next to nothing, raise no warning and no alarm.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod watched;

use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{task::JoinSet, time::sleep};
use watched::{Attached, Watched, describe, serious, turn, turn_beside_others};

/// Programs with timers, queues, locks held over awaits, limits of time: what a stop upsets.
const CALM: &[&str] = &[
    "healthy/actors",
    "healthy/chat",
    "healthy/pipeline",
    "healthy/reload",
    "healthy/timers",
    "healthy/worker-pool",
    "lock-held-across-await",
    "channel-saturated",
    "lock-hog",
    "receiver-stalled",
    "semaphore-exhausted",
];

fn findings(program: &Watched, attached: &Attached) -> Vec<String> {
    let found = attached.seen.values().filter(|(_, finding)| serious(finding));
    found.map(|(after, finding)| format!("{}: after {after:.1?}: {}", program.name, describe(finding))).collect()
}

fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_stopped_for_three_seconds_and_continued_has_no_findings() {
    let _turn = turn_beside_others();
    let mut watches = JoinSet::new();
    for name in CALM {
        let program = Watched::healthy(name);
        watches.spawn(async move {
            let pid = Pid::from_raw(program.pid().cast_signed()).unwrap();
            let mut attached = program.attach().await;
            attached.watch_until(Duration::from_secs(5)).await;
            let before = attached.watch.judged.model.now;
            kill_process(pid, Signal::STOP).unwrap();
            tokio::spawn(async move {
                sleep(Duration::from_secs(3)).await;
                kill_process(pid, Signal::CONT).unwrap();
            });
            attached.watch_until(Duration::from_secs(13)).await;
            assert!(
                attached.watch.judged.model.between(before, attached.watch.judged.model.now) < Duration::from_secs(6),
                "it was stopped"
            );
            findings(&program, &attached)
        });
    }
    assert_none(&watches.join_all().await.concat());
}

/// Programs whose workers are always in a poll, so that each stop falls into one.
const BUSY: &[&str] =
    &["lock-contention", "long-poll", "runtime-saturated", "starved-task", "healthy/chat", "healthy/storm"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_stopped_for_moments_again_and_again_has_no_findings() {
    let _turn = turn();
    // Two at a time: of more, the polls are long for want of a CPU, which is another test's.
    for names in BUSY.chunks(2) {
        let mut watches = JoinSet::new();
        for name in names {
            let program = Watched::healthy(name);
            watches.spawn(async move {
                let pid = Pid::from_raw(program.pid().cast_signed()).unwrap();
                let mut attached = program.attach().await;
                attached.watch_until(Duration::from_secs(2)).await;
                let stops = tokio::spawn(async move {
                    for span in [60, 350, 110, 160, 210, 80, 300, 130] {
                        kill_process(pid, Signal::STOP).unwrap();
                        sleep(Duration::from_millis(span)).await;
                        kill_process(pid, Signal::CONT).unwrap();
                        sleep(Duration::from_millis(700)).await;
                    }
                });
                attached.watch_until(Duration::from_secs(11)).await;
                stops.await.unwrap();
                findings(&program, &attached)
            });
        }
        assert_none(&watches.join_all().await.concat());
    }
}

/// Threads that keep every core busy, until it is dropped.
struct Saturated(Arc<AtomicBool>);

impl Saturated {
    fn by(threads: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        for _ in 0..threads {
            let over = Arc::clone(&over);
            thread::spawn(move || {
                let mut n = 0_u64;
                while !over.load(Relaxed) {
                    n = black_box(n.wrapping_mul(31).wrapping_add(7));
                }
            });
        }
        Self(over)
    }
}

impl Drop for Saturated {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_with_no_cpu_to_give_makes_no_findings() {
    let _turn = turn();
    let _saturated = Saturated::by(14);
    let names = ["healthy/actors", "healthy/worker-pool", "lock-hog", "receiver-stalled"];
    let mut watches = JoinSet::new();
    for name in names {
        let program = Watched::healthy(name);
        watches.spawn(async move {
            let mut attached = program.attach().await;
            attached.watch_until(Duration::from_secs(12)).await;
            assert!(!attached.watch.judged.model.tasks.is_empty(), "{name}: nothing was seen");
            findings(&program, &attached)
        });
    }
    assert_none(&watches.join_all().await.concat());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_with_next_to_no_memory_makes_no_findings() {
    let _turn = turn_beside_others();
    let mut watches = JoinSet::new();
    for name in CALM.iter().chain(&["healthy/storm"]) {
        let program = Watched::healthy_with(name, &[("ASYNC_INSPECT_MEMORY", "1")]);
        watches.spawn(async move {
            let mut attached = program.attach().await;
            attached.watch_until(Duration::from_secs(10)).await;
            (attached.watch.judged.model.loss.total(), findings(&program, &attached))
        });
    }
    let (shed, found): (Vec<u64>, Vec<Vec<String>>) = watches.join_all().await.into_iter().unzip();
    assert_none(&found.concat());
    assert!(shed.iter().any(|&shed| shed > 100), "hardly anything was shed: {shed:?}");
}
