//! Tasks that nobody runs.
use std::collections::BTreeMap;
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::{Evidence, Severity, saturation, words};
use crate::model::{Model, SiteId, Task, TaskKind, TaskState, Worker, WorkerKind};
use crate::text;

const UNPOLLED: Threshold = Threshold::millis("unpolled", 1000, "a task was spawned so long ago and not polled yet");

pub(super) const RULE: Rule = Rule {
    id: "never-polled",
    severity: Severity::Warn,
    summary: "tasks were spawned, and nothing polls them",
    explain: EXPLAIN,
    thresholds: &[UNPOLLED],
    enter_after: Duration::from_millis(500),
    leave_after: Duration::from_millis(500),
    subsumed_by: &["blocked-worker", "sync-lock-in-async", "block-on-in-async", "runtime-saturated", "starved-task"],
    evaluate,
};

const EXPLAIN: &str = "\
Tasks were spawned a while ago and have not been polled once, although workers are free: nobody runs what they were
spawned on.

Why it hurts
  Nothing of them happens. A task of a `LocalSet` runs only while the set is awaited, one of a current-thread runtime
  only inside of its `block_on`; spawning alone starts nothing there, and says nothing.

WRONG
  let background = runtime::Builder::new_current_thread().enable_all().build()?;
  background.spawn(flush_metrics());                // nobody is in background.block_on(..)

RIGHT
  std::thread::spawn(move || background.block_on(flush_metrics()));

  // a LocalSet
  let local = LocalSet::new();
  local.spawn_local(session());
  local.await;                                      // or local.run_until(..)

Thresholds
  unpolled = 1.00 s   a task was spawned so long ago and not polled yet

Nothing is said while all workers are busy: then tasks wait for their turn.
";

const LOCAL: &str = "Await the LocalSet (`local.await`, or `local.run_until(..)` around what needs it): its tasks run only \
                     meanwhile.";
const RUNTIME: &str = "Give that runtime a thread that stays in its block_on: its tasks run only meanwhile. Instead of this \
                       spawn: `thread::spawn(move || runtime.block_on(..))`.";

/// Whether some worker has nothing to do. One in a short poll will be free in a moment; one that gets no CPU is not free.
pub(super) fn a_worker_is_free(model: &Model) -> bool {
    let free = |w: &Worker| w.poll.is_none() && w.busy_share < 0.7 && w.cpu_wait_lately < 0.1;
    let mut workers = saturation::workers(model).peekable();
    if workers.peek().is_some() {
        return workers.any(free);
    }
    // Runtimes of one thread have no others; beside a runtime of many, a thread in `block_on` runs nothing but its own.
    !model.workers.values().any(|worker| worker.kind == WorkerKind::BlockOn && !free(worker))
}

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let model = cx.model;
    // Whether a worker is free is what it hangs on.
    if !model.target.sees("workers") {
        return;
    }
    let limit = cx.span(&UNPOLLED);
    let mut sites: BTreeMap<SiteId, &Task> = BTreeMap::new();
    // A `block_on` polls its future at once, or panics.
    let late = |task: &&Task| task.kind != TaskKind::Root && model.lasted(task.spawned_at) > limit;
    for task in model.unpolled().filter(late) {
        sites.entry(task.site).or_insert(task);
    }
    if !sites.is_empty() && a_worker_is_free(model) {
        out.extend(sites.into_iter().filter_map(|(site, first)| judge(cx, site, first)));
    }
}

fn judge(cx: &Cx, site: SiteId, first: &Task) -> Option<Candidate> {
    let model = cx.model;
    let site = model.sites.get(&site)?;
    // Where tasks of the same line come to their end, these wait for their turn.
    if site.finished_s.recent_sum(2) > 0.0 {
        return None;
    }
    let subject = words::site_subject(site);
    let waited = model.lasted(first.spawned_at);
    let unpolled = site.states.get(TaskState::New).max(1);
    let (who, it) = match unpolled {
        1 => (format!("`{}` was", subject.name), "it"),
        n => (format!("{} tasks of `{}` were", text::count(n), subject.name), "they"),
    };
    let were = if unpolled == 1 { "was" } else { "were" };
    let ago = format!("{}{}", if unpolled == 1 { "" } else { "up to " }, text::duration(waited));
    let (nobody, advice) = match first.kind {
        TaskKind::Local => (format!("nobody awaits the LocalSet that {it} {were} spawned on"), LOCAL),
        _ => (format!("nobody is in block_on of the runtime that {it} {were} spawned on"), RUNTIME),
    };
    let evidence = vec![
        Evidence::span("unpolled_for_ns", waited).over(cx.limit_text(&UNPOLLED)),
        Evidence::count("unpolled_tasks", unpolled).aside(),
        Evidence::task("first_task", first.id),
    ];
    let group = site.location.clone();
    // What was spawned during a poll that goes on waits in the queue of that worker, where others may not take it from.
    let since_before = model.workers.values().filter_map(|w| w.poll).filter(|&(_, since)| since <= first.spawned_at);
    let in_polls = since_before.map(|(task, _)| words::spawn_place(model, task).to_owned());
    let behind = in_polls.filter(|place| !place.is_empty() && *place != group).collect();
    Some(Candidate {
        message: format!("{who} spawned {ago} ago and never polled: {nobody}"),
        evidence,
        advice: advice.into(),
        onset: Some(first.spawned_at.after(cx.span(&UNPOLLED))),
        began: Some(first.spawned_at),
        hurt: unpolled,
        behind,
        ..Candidate::enter(subject, &group, Severity::Warn)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn unpolled(busy: bool) -> (Judged, TaskId) {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/metrics.rs:8:9", "shop::flush::{{closure}}", OutputKind::Unit);
        let worker = judged.target.worker("tokio-worker-1");
        let other = judged.target.spawn_site("src/main.rs:8:9", "shop::serve::{{closure}}", OutputKind::Unit);
        let hog = judged.target.task(other);
        judged.settle();
        let task = judged.target.task(site);
        let now = judged.target.now;
        judged.target.task_state(task, |task| (task.state, task.state_since) = (TaskState::New, now));
        judged.every(ms(900), |target| run(target, worker, hog, busy));
        judged.expect_nothing();
        judged.every(ms(1500), |target| run(target, worker, hog, busy));
        (judged, task)
    }

    fn run(target: &mut Fixture, worker: crate::model::WorkerId, task: TaskId, busy: bool) {
        let now = target.now;
        target.worker_state(worker, |worker| {
            if busy {
                worker.busy += ms(99);
                worker.polls += 20;
                worker.poll = Some((task, now));
            }
        });
    }

    #[test]
    fn a_task_that_nothing_drives_is_named_by_its_spawn_line() {
        let (mut judged, task) = unpolled(false);
        let finding = judged.only("never-polled");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/metrics.rs:8:9"));
        assert!(
            finding.message.starts_with("`flush` was spawned 2.4")
                && finding.message.ends_with("nobody is in block_on of the runtime that it was spawned on"),
            "{}",
            finding.message
        );
        judged.target.task_state(task, |task| task.state = TaskState::Idle);
        judged.run(ms(800));
        judged.expect_nothing();
    }

    #[test]
    fn while_all_workers_are_busy_tasks_wait_for_their_turn() {
        let (judged, _) = unpolled(true);
        judged.expect_no_alarm_of("never-polled");
    }

    #[test]
    fn what_a_blocked_worker_keeps_is_an_effect_of_it() {
        for before in [true, false] {
            let mut judged = Judged::new();
            let free = judged.target.worker("tokio-worker-2");
            judged.target.worker_state(free, |_| {});
            let (hog, worker) = blocked_poll(&mut judged);
            let site = judged.target.spawn_site("src/metrics.rs:8:9", "shop::flush::{{closure}}", OutputKind::Unit);
            judged.run(ms(200));
            let task = judged.target.task(site);
            let now = judged.target.now;
            judged.target.task_state(task, |task| (task.state, task.state_since) = (TaskState::New, now));
            judged.run(ms(100));
            if !before {
                let now = judged.target.now;
                judged.target.worker_state(worker, |worker| worker.poll = Some((hog, now)));
            }
            judged.run(ms(2500));
            let told = judged.active().iter().any(|finding| finding.rule == "never-polled");
            assert_eq!(told, !before, "{:#?}", judged.active());
        }
    }

    #[test]
    fn a_process_that_stood_still_has_polled_nothing() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/metrics.rs:8:9", "shop::flush::{{closure}}", OutputKind::Unit);
        judged.settle();
        let task = judged.target.task(site);
        let now = judged.target.now;
        judged.target.task_state(task, |task| (task.state, task.state_since) = (TaskState::New, now));
        judged.tick(ms(60_000));
        judged.expect_nothing();
        judged.target.task_state(task, |task| task.state = TaskState::Idle);
        judged.run(ms(1000));
        judged.expect_nothing();
    }
}
