//! Every program of the zoo, each as a process of its own: the faulty ones raise their rule at the marked line within
//! five seconds of their start and nothing else, the healthy ones raise nothing in fifteen.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod watched;

use std::{sync::Arc, time::Duration};

use async_inspect_zoo::{PROGRAMS, Program};
use tokio::sync::Semaphore;
use watched::{Attached, Watched, describe, serious, turn};

const ONSET: Duration = Duration::from_secs(5);
const WATCHED: Duration = Duration::from_secs(15);

/// Those that keep a good part of a core busy, in both versions. They are run apart, or the machine itself would be
/// what is wrong.
const BUSY: &[&str] = &[
    "long-poll",
    "lock-contention",
    "busy-self-wake",
    "hot-read-lock",
    "starved-task",
    "runtime-saturated",
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

/// Runs them all, some at a time, and returns what is wrong with what was found.
async fn faults_in(faulty: Vec<&'static Program>, healthy: Vec<&'static Program>) -> Vec<String> {
    let mut watches = tokio::task::JoinSet::new();
    let room = Arc::new(Semaphore::new(AT_A_TIME as usize));
    for program in faulty {
        let room = Arc::clone(&room);
        watches.spawn(async move {
            let _permit = room.acquire_many(share(program)).await;
            let (_process, attached) = watch(Watched::faulty(program.name)).await;
            complaints_about_faulty(program, &attached)
        });
    }
    for program in healthy {
        let room = Arc::clone(&room);
        watches.spawn(async move {
            let _permit = room.acquire_many(share(program)).await;
            let (process, attached) = watch(Watched::healthy(program.name)).await;
            let mut complaints = others(&process.name, &attached, "");
            if attached.model.tasks.is_empty() {
                complaints.push(format!("{}: not one task was seen", process.name));
            }
            complaints
        });
    }
    watches.join_all().await.concat()
}

fn complaints_about_faulty(program: &Program, attached: &Attached) -> Vec<String> {
    let rule = program.rule.expect("a faulty program has a rule");
    let mut complaints = others(program.name, attached, rule);
    let place = format!("{}:{}:", program.file, program.fault_line());
    let own: Vec<_> = attached.seen.values().filter(|(_, finding)| finding.rule == rule).collect();
    match own.iter().find(|(_, finding)| finding.subject.location.starts_with(&place)) {
        Some((after, _)) if *after <= ONSET => {}
        Some((after, _)) => complaints.push(format!("{}: seen only {after:?} after its start", program.name)),
        None if own.is_empty() => complaints.push(format!("{}: never seen", program.name)),
        None => complaints.push(format!("{}: seen, but not at {place}", program.name)),
    }
    for (_, finding) in own {
        if !finding.subject.location.starts_with(&place) {
            complaints.push(format!("{}: elsewhere: {}", program.name, describe(finding)));
        }
    }
    complaints
}

/// Findings of other rules than this one.
fn others(name: &str, attached: &Attached, rule: &str) -> Vec<String> {
    let others = attached.seen.values().filter(|(_, finding)| finding.rule != rule && serious(finding));
    others.map(|(after, finding)| format!("{name}: after {after:?}: {}", describe(finding))).collect()
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn busy_faulty_programs_raise_their_rule_beside_calm_healthy_ones() {
    let _turn = turn();
    let faulty = PROGRAMS.iter().filter(|program| program.rule.is_some() && busy(program)).collect();
    let healthy = PROGRAMS.iter().filter(|program| !busy(program)).collect();
    assert_none(&faults_in(faulty, healthy).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calm_faulty_programs_raise_their_rule_beside_busy_healthy_ones() {
    let _turn = turn();
    let faulty = PROGRAMS.iter().filter(|program| program.rule.is_some() && !busy(program)).collect();
    let healthy = PROGRAMS.iter().filter(|program| busy(program)).collect();
    assert_none(&faults_in(faulty, healthy).await);
}

#[test]
fn a_program_that_does_not_exist_is_a_usage_error() {
    let output = watched::run(&["zoo-program", "long-pool"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("long-poll"), "{output:?}");
}
