//! Every program of the zoo, each as a process of its own: the faulty ones raise their rule at the marked line within
//! five seconds of their start and nothing else, the healthy ones raise nothing in fifteen. What became of each is printed
//! (`--nocapture` shows it) and written to `target/tmp/zoo-report.txt`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod scores;
mod watched;

use std::{sync::Arc, time::Duration};

use async_inspect_zoo::{PROGRAMS, Program};
use scores::{Score, Scores};
use tokio::sync::Semaphore;
use watched::{Attached, Watched};

const WATCHED: Duration = Duration::from_secs(15);

/// Where the table is written.
const REPORT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/zoo-report.txt");

/// Those that keep a good part of a core busy, in both versions. They are run apart, or the machine itself would be
/// what is wrong.
const BUSY: &[&str] = &[
    "long-poll",
    "lock-contention",
    "busy-self-wake",
    "hot-read-lock",
    "starved-task",
    "runtime-saturated",
    "library/blocked-worker",
    "healthy/axum",
    "healthy/storm",
];

fn busy(program: &Program) -> bool {
    BUSY.contains(&program.name)
}

async fn watch(program: Watched) -> (Watched, Attached) {
    let mut attached = program.attach().await;
    attached.watch_until(WATCHED).await;
    (program, attached)
}

/// Those whose faulty version keeps all its workers busy all the time.
const FULL: &[&str] = &["starved-task", "runtime-saturated"];

/// Programs that run at the same time: more, and it is the machine that is wrong with them. A busy one counts for half of
/// it, a full one for all.
const AT_A_TIME: u32 = 8;

fn share(program: &Program) -> u32 {
    match program.name {
        name if FULL.contains(&name) => AT_A_TIME,
        _ if busy(program) => AT_A_TIME / 2,
        _ => 1,
    }
}

/// Runs them all, some at a time, and returns what became of each.
async fn run(faulty: Vec<&'static Program>, healthy: Vec<&'static Program>) -> Vec<Score> {
    let mut watches = tokio::task::JoinSet::new();
    let room = Arc::new(Semaphore::new(AT_A_TIME as usize));
    for program in faulty {
        let room = Arc::clone(&room);
        watches.spawn(async move {
            let _permit = room.acquire_many(share(program)).await;
            let (_process, attached) = watch(Watched::faulty(program.name)).await;
            Score::of_faulty(program, &attached)
        });
    }
    for program in healthy {
        let room = Arc::clone(&room);
        watches.spawn(async move {
            let _permit = room.acquire_many(share(program)).await;
            let (process, attached) = watch(Watched::healthy(program.name)).await;
            Score::of_healthy(&process.name, &attached, "")
        });
    }
    watches.join_all().await
}

/// Busy faulty programs beside calm healthy ones, then the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faulty_programs_raise_their_rule_and_healthy_ones_nothing() {
    let faulty = |is_busy| PROGRAMS.iter().filter(move |p| p.rule.is_some() && busy(p) == is_busy).collect();
    let healthy = |is_busy| PROGRAMS.iter().filter(move |p| busy(p) == is_busy).collect();
    let mut scores = Scores(run(faulty(true), healthy(false)).await);
    scores.0.extend(run(faulty(false), healthy(true)).await);
    println!("{scores}");
    std::fs::write(REPORT, scores.to_string()).unwrap();
    let complaints = scores.complaints();
    assert!(complaints.is_empty(), "\n{scores}\n{}\n", complaints.join("\n"));
}

#[test]
fn a_program_that_does_not_exist_is_a_usage_error() {
    let output = watched::run(&["zoo-program", "long-pool"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("long-poll"), "{output:?}");
}
