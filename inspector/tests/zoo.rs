//! Every program of the zoo, each as a process of its own: the faulty ones raise their rule at the marked line within
//! five seconds of their start and nothing else in nine, the healthy ones raise nothing in fifteen. What became of each
//! is printed (`--nocapture` shows it) and written to `target/tmp/zoo-report.txt`.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod scores;
mod watched;

use std::{cmp::Reverse, sync::Arc, time::Duration};

use async_inspect_zoo::{PROGRAMS, Program};
use scores::{Score, Scores};
use tokio::{sync::Semaphore, task::JoinSet};
use watched::Watched;

/// How long a faulty program is watched: past the time in which its rule must speak, so that what else is said is seen.
const FAULTY: Duration = Duration::from_secs(9);

/// How long a healthy one is: past every rule's window of ten seconds. Under the unstable flag, where the programs, the
/// model and the rules are the same and only a part of the telemetry comes by another way, it is the window alone.
const HEALTHY: Duration = Duration::from_secs(if cfg!(tokio_unstable) { 10 } else { 15 });

/// Where the table is written.
const REPORT: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/zoo-report.txt");

/// Whose faulty version keeps all its workers busy all the time.
const FULL: &[&str] = &["starved-task", "runtime-saturated"];

/// Whose faulty version keeps a good part of a core busy, or is about microseconds.
const BUSY_FAULTY: &[&str] =
    &["long-poll", "lock-contention", "busy-self-wake", "hot-read-lock", "library/blocked-worker"];

/// Whose healthy version keeps a quarter of a core busy and more, be it at its start.
const BUSY_HEALTHY: &[&str] = &[
    "long-poll",
    "lock-contention",
    "starved-task",
    "runtime-saturated",
    "library/blocked-worker",
    "healthy/axum",
    "healthy/hashing",
    "healthy/storm",
];

/// Programs that run at the same time: more, and it is the machine that is wrong with them. Most take some hundredths of
/// a core; the others count for a part of it, and a full one for all.
const AT_A_TIME: u32 = 24;

/// A program in one of its two versions.
#[derive(Clone, Copy)]
struct Version {
    program: &'static Program,
    healthy: bool,
}

impl Version {
    fn share(self) -> u32 {
        let among = |names: &[&str]| names.contains(&self.program.name);
        match self.healthy {
            false if among(FULL) => AT_A_TIME,
            false if among(BUSY_FAULTY) => AT_A_TIME / 2,
            true if among(BUSY_HEALTHY) => AT_A_TIME / 4,
            _ => 1,
        }
    }

    fn span(self) -> Duration {
        if self.healthy { HEALTHY } else { FAULTY }
    }

    async fn score(self) -> Score {
        let name = self.program.name;
        let process = if self.healthy { Watched::healthy(name) } else { Watched::faulty(name) };
        let mut attached = process.attach().await;
        attached.watch_until(self.span()).await;
        if self.healthy {
            Score::of_healthy(&process.name, &attached, "")
        } else {
            Score::of_faulty(self.program, &attached)
        }
    }
}

/// Runs them all, some at a time, and returns what became of each. Those that need the most room begin, or it would have
/// to be cleared for them; of the others, those that take longest.
async fn run(mut versions: Vec<Version>) -> Vec<Score> {
    versions.sort_by_key(|version| Reverse((version.share(), version.span())));
    let mut watches = JoinSet::new();
    let room = Arc::new(Semaphore::new(AT_A_TIME as usize));
    for version in versions {
        let permit = Arc::clone(&room).acquire_many_owned(version.share()).await;
        watches.spawn(async move {
            let _permit = permit;
            version.score().await
        });
    }
    watches.join_all().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faulty_programs_raise_their_rule_and_healthy_ones_nothing() -> Result<(), String> {
    let faulty = PROGRAMS.iter().filter(|program| program.rule.is_some());
    let faulty = faulty.map(|program| Version { program, healthy: false });
    let healthy = PROGRAMS.iter().map(|program| Version { program, healthy: true });
    let scores = Scores(run(faulty.chain(healthy).collect()).await);
    println!("{scores}");
    std::fs::write(REPORT, scores.to_string()).unwrap();
    let complaints = scores.complaints();
    // Not a panic: a log that is cut keeps its end, which would be a backtrace.
    if complaints.is_empty() { Ok(()) } else { Err(complaints.join("\n")) }
}

#[test]
fn a_program_that_does_not_exist_is_a_usage_error() {
    let output = watched::run(&["zoo-program", "long-pool"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("long-poll"), "{output:?}");
}
