//! A poll that is still running.
use std::collections::BTreeMap;
use std::time::Duration;

use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::stuck_poll::{has_stacks, may_block};
use super::{Confidence, Evidence, Severity, words};
use crate::model::{Stack, StackCause, Stamp, Task, TaskId, TaskKind, TaskState, Worker, WorkerKind};
use crate::text;

const RUNNING: Threshold = Threshold::millis(
    "running",
    100,
    "a poll that runs longer than this, without coming to an await, blocks its thread",
);
const STARTUP: Threshold = Threshold::millis(
    "startup",
    5000,
    "for so long after its start, what `main` does between awaits is set-up, not a fault",
);

pub(super) const RULE: Rule = Rule {
    id: "blocked-worker",
    severity: Severity::Crit,
    summary: "a task blocks its worker thread: its poll is still running",
    explain: EXPLAIN,
    thresholds: &[RUNNING, STARTUP],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(3),
    subsumed_by: &["sync-lock-in-async", "block-on-in-async"],
    evaluate,
};

const EXPLAIN: &str = "\
A task is in the middle of a poll and has not come to an `.await` for a long time. As long as that lasts, its worker
thread runs nothing else.

Why it hurts
  A runtime has a handful of worker threads for all of its tasks. A task gives its thread back only where it awaits
  something that is not ready. While one computes, sleeps or reads a file in the blocking way, every task that waits
  for the thread waits too, timers and accepted connections included. As many such tasks as there are workers stop
  the whole service.

WRONG
  async fn sign_in(form: Form) -> Reply {
      let hash = bcrypt(&form.password);            // 300 ms of computing on a worker thread
      std::thread::sleep(BACK_OFF);                 // the thread sleeps, and all of its tasks with it
      reply(hash).await
  }

RIGHT
  async fn sign_in(form: Form) -> Result<Reply, JoinError> {
      let hash = tokio::task::spawn_blocking(move || bcrypt(&form.password)).await?;
      tokio::time::sleep(BACK_OFF).await;
      Ok(reply(hash).await)
  }

Thresholds
  running = 100 ms   a poll that runs longer than this, without coming to an await, blocks its thread
  startup = 5.00 s   for so long after its start, what `main` does between awaits is set-up, not a fault

Work in `spawn_blocking` has threads of its own and is never accused.
";

struct Blocked<'a> {
    worker: &'a Worker,
    task: TaskId,
    since: Stamp,
}

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let model = cx.model;
    let limit = cx.span(&RUNNING);
    // By spawn site, task or line, the first of them that says something.
    let mut by_site: BTreeMap<(u32, u64, &str), Vec<Blocked>> = BTreeMap::new();
    for worker in model.workers.values().filter(|worker| worker.kind != WorkerKind::Blocking) {
        let Some((task, since)) = worker.poll else { continue };
        // What a full machine holds up is not held up by the task.
        if model.lasted(since).saturating_sub(worker.poll_cpu_wait) <= limit {
            continue;
        }
        let stack = model.stacks.iter().rfind(|stack| stack.worker == worker.id && stack.poll_started == since);
        if stack.is_some_and(|s| may_block(s) || matches!(s.cause, StackCause::Lock | StackCause::BlockOn)) {
            // It may; or there is a rule that says more.
            continue;
        }
        if stack.is_none() && model.lasted(since) <= limit.saturating_add(look(cx)) {
            continue;
        }
        let blocked = Blocked { worker, task, since };
        let line = stack.and_then(Stack::user_frame).map_or("", |frame| frame.location.as_str());
        let key = match model.tasks.get(&task) {
            Some(known) if is_set_up(cx, known) => continue,
            Some(known) if words::is_named(model, known.site) => (known.site.0, 0, ""),
            // A library's may be in a `block_in_place` of its own tokio, which only the stack tells.
            Some(known) if known.site.0 != 0 && stack.is_none() && has_stacks(cx) => continue,
            Some(known) if known.site.0 != 0 => (known.site.0, 0, line),
            Some(_) => (0, task.0, ""),
            // Of a library's, which the probe does not see: it tells of them only with the stack that proves it.
            None if task.0 == 0 && stack.is_some() => (0, 0, line),
            // Not shown one by one: the thread is blocked all the same. Otherwise its birth is on its way.
            None if model.loss.tasks > 0 => (0, task.0, ""),
            None => continue,
        };
        by_site.entry(key).or_default().push(blocked);
    }
    out.extend(by_site.into_values().filter_map(|blocked| accuse(cx, blocked)));
}

/// How long a look at the poll's stack is waited for, since it may tell that another rule has more to say. The first one
/// takes the probe longer: it reads the symbols.
fn look(cx: &Cx) -> Duration {
    let model = cx.model;
    if !has_stacks(cx) {
        Duration::ZERO
    } else if model.stacks.is_empty() {
        Duration::from_secs(3)
    } else {
        Duration::from_secs(2)
    }
}

/// Jobs of the blocking pool may block; `main` may set things up.
fn is_set_up(cx: &Cx, task: &Task) -> bool {
    task.kind == TaskKind::Blocking
        || task.kind == TaskKind::Root && cx.model.lasted(task.spawned_at) < cx.span(&STARTUP)
}

fn accuse(cx: &Cx, mut blocked: Vec<Blocked>) -> Option<Candidate> {
    let model = cx.model;
    blocked.sort_by_key(|blocked| (blocked.since, blocked.worker.id));
    let longest = blocked.first()?;
    let running = model.lasted(longest.since);
    let stack = model.stacks.iter().rfind(|s| s.worker == longest.worker.id && s.poll_started == longest.since);
    let line = stack.and_then(Stack::user_frame);
    let subject = words::poll_subject(model, longest.task, line);
    let workers = model.workers.values().filter(|worker| worker.kind == WorkerKind::Worker).count();
    let waiting = model.states.get(TaskState::Scheduled) + model.states.get(TaskState::New);

    let place = match line.map(|frame| frame.location.as_str()) {
        // It goes by that line.
        Some(place) if words::short_place(place) == subject.name => String::new(),
        Some(place) if !place.is_empty() => format!(" at {}", words::short_place(place)),
        _ => ", without an await".to_owned(),
    };
    let who = &subject.name;
    let lasting = text::duration(running);
    let name = text::head(&longest.worker.name, 32);
    let thread = match (longest.worker.kind, name.as_str()) {
        (WorkerKind::Worker, _) | (_, "") => "a worker thread".to_owned(),
        (_, name) => format!("thread `{name}`"),
    };
    let effects = match waiting {
        0 => String::new(),
        1 => "; 1 task waits for a worker".to_owned(),
        n => format!("; {} wait for a worker", text::counted(n, "task")),
    };
    let message = match blocked.len() {
        1 => format!("`{who}` has blocked {thread} for {lasting}{place}{effects}"),
        n if workers == 0 => format!("`{who}` blocks {n} threads, the longest for {lasting}{place}{effects}"),
        n if n == workers => format!("`{who}` blocks all {n} workers, the longest for {lasting}{place}{effects}"),
        n => format!("`{who}` blocks {n} of {workers} workers, the longest for {lasting}{place}{effects}"),
    };
    let mut evidence = vec![
        Evidence::span("poll_running_ns", running).over(cx.limit_text(&RUNNING)),
        Evidence::words("worker", name),
        match longest.task.0 {
            0 => Evidence::words("blocking_task", "one that a library spawned; it is not watched"),
            _ => Evidence::task("blocking_task", longest.task),
        },
        Evidence::count("blocked_workers", blocked.len() as u64),
        Evidence::count("waiting_tasks", waiting),
    ];
    if workers > 0 {
        evidence.insert(4, Evidence::count("workers", workers as u64));
    }
    if !model.target.sees("workers") {
        evidence.push(Evidence::words("not_told", "whether it is in block_in_place, or its thread has no CPU"));
    }
    let cause = stack.map_or(StackCause::Unknown, |stack| stack.cause);
    if let Some(frame) = line {
        // What is most telling comes first.
        evidence.insert(1, Evidence::words("blocked_location", frame.location.as_str()));
        if frame.is_named() {
            evidence.insert(2, Evidence::words("blocked_function", text::head(&frame.function, 200)));
        }
    }
    if let Some(doing) = doing(cause) {
        evidence.insert(1, Evidence::words("blocked_by", doing));
    }
    let group = subject.location.clone();
    let mut causes = vec![group.clone(), words::spawn_place(model, longest.task).to_owned()];
    causes.retain(|place| !place.is_empty());
    causes.dedup();
    let onset = Some(longest.since);
    Some(Candidate {
        causes,
        message,
        evidence,
        advice: advice(cause).into(),
        onset,
        count: Count::Events(blocked.iter().map(|blocked| (blocked.since, 1)).collect()),
        // It may be in `block_in_place`, which only the thread tells.
        confidence: if model.target.sees("workers") { Confidence::Certain } else { Confidence::Likely },
        hurt: waiting + blocked.len() as u64,
        ..Candidate::enter(subject, &group, Severity::Crit)
    })
}

/// What the stack shows, in words.
fn doing(cause: StackCause) -> Option<&'static str> {
    match cause {
        StackCause::Unknown => None,
        StackCause::Sleep => Some("std::thread::sleep"),
        StackCause::Lock => Some("a blocking lock"),
        StackCause::BlockOn => Some("block_on"),
        StackCause::File => Some("a file"),
        StackCause::Dns => Some("a name look-up"),
        StackCause::Cpu => Some("computing"),
        StackCause::Wait => Some("a blocking socket, channel or join"),
    }
}

fn advice(cause: StackCause) -> &'static str {
    match cause {
        StackCause::Unknown => {
            "Run blocking calls and long computations in tokio::task::spawn_blocking, and use the async forms of sleep, \
             file and network calls."
        }
        StackCause::Sleep => "Use tokio::time::sleep(..).await in place of std::thread::sleep.",
        StackCause::Lock => {
            "Hold the blocking lock only for moments and never while waiting for something; where it must be waited for, \
             use tokio::sync::Mutex."
        }
        StackCause::BlockOn => "Await the future in place of calling block_on inside of a task.",
        StackCause::File => "Use tokio::fs, or read and write files in tokio::task::spawn_blocking.",
        StackCause::Dns => "Use tokio::net::lookup_host, or connect by name through tokio::net.",
        StackCause::Cpu => "Run the computation in tokio::task::spawn_blocking (or rayon), and await its result.",
        StackCause::Wait => {
            "Use tokio's socket, channel or JoinHandle and await it, or make the blocking call in \
             tokio::task::spawn_blocking."
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;
    use crate::model::{Frame, Stack, StackCause};

    fn blocked() -> (Judged, SiteId, TaskId) {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/sign_in.rs:12:9", "shop::sign_in::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(site);
        let worker = judged.target.worker("tokio-worker-1");
        judged.target.worker("tokio-worker-2");
        judged.settle();
        let since = judged.target.now;
        judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
        judged.target.task_state(task, |task| {
            task.state = TaskState::Running;
            task.state_since = since;
        });
        (judged, site, task)
    }

    fn unblock(judged: &mut Judged) {
        for worker in judged.target.model.workers.keys().copied().collect::<Vec<_>>() {
            judged.target.worker_state(worker, |worker| worker.poll = None);
        }
    }

    #[test]
    fn a_poll_that_does_not_end_is_named_with_its_place_and_its_worker() {
        let (mut judged, site, task) = blocked();
        judged.run(ms(100));
        judged.expect_nothing();
        judged.run(ms(300));
        let finding = judged.only("blocked-worker");
        assert_eq!(finding.severity, Severity::Crit);
        assert_eq!(finding.subject.kind, SubjectKind::Site(site));
        assert_eq!(finding.subject.location, "src/sign_in.rs:12:9");
        assert_eq!(finding.message, "`sign_in` has blocked a worker thread for 400 ms, without an await");
        assert_eq!(evidence(&finding, "poll_running_ns").value, 400_000_000);
        assert_eq!(evidence(&finding, "poll_running_ns").limit, "> 100 ms");
        assert_eq!(evidence(&finding, "blocking_task").value, task.0.to_string());
        assert_eq!(finding.count, 1);
    }

    #[test]
    fn where_a_stack_was_taken_the_blocking_line_is_named_and_the_advice_fits_it() {
        let (mut judged, _, task) = blocked();
        let started = judged.target.now;
        let worker = judged.target.model.workers.values().find(|w| w.name == "tokio-worker-1").expect("it").id;
        judged.target.stack(Stack {
            worker,
            task,
            poll_started: started,
            at: started.after(ms(150)),
            cause: StackCause::Sleep,
            samples: 1,
            frames: vec![
                Frame { function: "std::thread::sleep".into(), ..Frame::default() },
                Frame { function: "shop::back_off".into(), location: "src/back_off.rs:7:5".into(), user: true },
            ],
        });
        judged.run(ms(400));
        let finding = judged.only("blocked-worker");
        assert_eq!(finding.message, "`sign_in` has blocked a worker thread for 400 ms at back_off.rs:7");
        assert_eq!(finding.subject.location, "src/sign_in.rs:12:9");
        assert_eq!(evidence(&finding, "blocked_location").value, "src/back_off.rs:7:5");
        assert_eq!(evidence(&finding, "blocked_by").text, "std::thread::sleep");
        assert!(finding.advice.contains("tokio::time::sleep"));
    }

    #[test]
    fn tasks_that_wait_for_a_worker_are_its_effects() {
        let (mut judged, site, _) = blocked();
        for _ in 0..31 {
            let task = judged.target.task(site);
            judged.target.task_state(task, |task| task.state = TaskState::Scheduled);
        }
        judged.run(ms(500));
        let finding = judged.only("blocked-worker");
        assert!(finding.message.ends_with("; 31 tasks wait for a worker"), "{}", finding.message);
        assert_eq!(evidence(&finding, "waiting_tasks").value, 31);
    }

    #[test]
    fn it_clears_three_seconds_after_the_poll_ended() {
        let (mut judged, ..) = blocked();
        judged.run(ms(500));
        unblock(&mut judged);
        judged.run(ms(2500));
        assert!(judged.only("blocked-worker").active());
        judged.run(ms(1000));
        judged.expect_nothing();
        assert_eq!(judged.engine.findings().len(), 1, "kept for a while");
    }

    #[test]
    fn a_handler_that_blocks_for_each_request_is_one_finding_that_counts() {
        let (mut judged, site, _) = blocked();
        let worker = judged.target.worker("tokio-worker-3");
        for _ in 0..10 {
            let task = judged.target.task(site);
            let since = judged.target.now;
            judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
            judged.run(ms(300));
            judged.target.worker_state(worker, |worker| worker.poll = None);
            judged.target.gone_task(task);
            judged.run(ms(700));
        }
        let finding = judged.only("blocked-worker");
        assert_eq!(finding.count, 11);
    }

    #[test]
    fn jobs_of_the_blocking_pool_may_block() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
        let task = judged.target.task(site);
        let worker = judged.target.worker("tokio-blocking-1");
        let since = judged.target.now;
        judged.target.worker_state(worker, |worker| {
            worker.kind = WorkerKind::Blocking;
            worker.poll = Some((task, since));
        });
        judged.run(ms(20_000));
        judged.expect_nothing();
    }

    #[test]
    fn main_may_set_things_up_for_a_while_after_its_start() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/main.rs:1:1", "main", OutputKind::Unit);
        let task = judged.root(site);
        let worker = judged.target.worker("main");
        let since = judged.target.now;
        judged.target.worker_state(worker, |worker| {
            worker.kind = WorkerKind::BlockOn;
            worker.poll = Some((task, since));
        });
        judged.run(ms(4000));
        judged.expect_nothing();
        judged.run(ms(2000));
        assert_eq!(judged.only("blocked-worker").severity, Severity::Crit);
    }

    #[test]
    fn a_machine_that_stood_still_blames_nobody() {
        let (mut judged, ..) = blocked();
        judged.tick(ms(60_000));
        judged.expect_nothing();
        unblock(&mut judged);
        judged.run(ms(1000));
        judged.expect_nothing();
    }

    /// A handler of a web framework sleeps, in a task that the framework spawned.
    fn handler_sleeps(judged: &mut Judged, task: TaskId) -> Stamp {
        let worker = judged.target.worker("tokio-worker-1");
        let since = judged.target.now;
        judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
        judged.target.stack(Stack {
            worker,
            task,
            poll_started: since,
            at: since.after(ms(100)),
            cause: StackCause::Sleep,
            samples: 1,
            frames: vec![
                Frame { function: "std::thread::sleep".into(), ..Frame::default() },
                Frame { function: "shop::slow_handler".into(), location: "src/http.rs:14:9".into(), user: true },
                Frame { function: "axum::handler::call".into(), ..Frame::default() },
            ],
        });
        since
    }

    #[test]
    fn a_handler_in_a_task_that_nobody_watches_is_accused_at_its_own_line() {
        let mut judged = Judged::new();
        judged.settle();
        handler_sleeps(&mut judged, TaskId(0));
        judged.run(ms(100));
        judged.expect_nothing();
        judged.run(ms(300));
        let finding = judged.only("blocked-worker");
        assert_eq!(finding.message, "`slow_handler` has blocked a worker thread for 400 ms at http.rs:14");
        assert_eq!(finding.subject.location, "src/http.rs:14:9");
        assert!(evidence(&finding, "blocking_task").text.contains("not watched"));
        unblock(&mut judged);
        judged.run(ms(4000));
        judged.expect_nothing();
    }

    #[test]
    fn a_handler_is_accused_at_its_own_line_rather_than_where_the_framework_spawned_its_task() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("/registry/src/axum-0.8.0/src/serve/mod.rs:390:9", "", OutputKind::Unknown);
        let task = judged.target.task(site);
        judged.settle();
        handler_sleeps(&mut judged, task);
        judged.run(ms(400));
        let finding = judged.only("blocked-worker");
        assert_eq!(finding.subject.kind, SubjectKind::Site(site));
        assert_eq!(
            (finding.subject.name.as_str(), finding.subject.location.as_str()),
            ("slow_handler", "src/http.rs:14:9")
        );
        assert_eq!(evidence(&finding, "blocking_task").value, task.0.to_string());

        // The long poll that it was is the same fault, by the name of the place where the framework spawned it.
        unblock(&mut judged);
        let at = judged.target.now;
        judged.target.totals(site, |totals| {
            (totals.slow_polls, totals.slow_poll_total) = (1, ms(400));
            (totals.last_slow_poll, totals.last_slow_poll_at, totals.last_slow_poll_task) = (ms(400), at, task);
        });
        judged.run(ms(2000));
        judged.only("blocked-worker");
    }

    #[test]
    fn a_librarys_task_is_not_accused_before_its_stack_has_come_where_stacks_are_taken() {
        for (stacks, findings) in [(true, 0), (false, 1)] {
            let mut judged = Judged::new();
            judged.target.model.target.capabilities.retain(|name| stacks || name != "stacks");
            if stacks && !judged.target.model.target.capabilities.iter().any(|name| name == "stacks") {
                judged.target.model.target.capabilities.push("stacks".into());
            }
            let site = judged.target.spawn_site("src/axum/serve.rs:390:9", "", OutputKind::Unknown);
            let task = judged.target.task(site);
            let worker = judged.target.worker("tokio-worker-1");
            judged.settle();
            let since = judged.target.now;
            judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
            judged.run(ms(5000));
            assert_eq!(judged.engine.findings().len(), findings);
        }
    }

    #[test]
    fn a_poll_that_nobody_watches_is_not_accused_without_the_stack_that_proves_it() {
        let mut judged = Judged::new();
        let worker = judged.target.worker("tokio-worker-1");
        judged.settle();
        let since = judged.target.now;
        judged.target.worker_state(worker, |worker| worker.poll = Some((TaskId(0), since)));
        judged.run(ms(5000));
        judged.expect_nothing();
    }

    #[test]
    fn a_thread_blocked_by_a_task_that_is_not_shown_is_still_blocked() {
        let mut judged = Judged::new();
        let worker = judged.target.worker("tokio-worker-1");
        judged.settle();
        let since = judged.target.now;
        judged.target.worker_state(worker, |worker| worker.poll = Some((TaskId(999), since)));
        judged.run(ms(500));
        judged.expect_nothing();
        judged.target.loss(Loss { tasks: 1, ..Loss::default() });
        judged.run(ms(500));
        let finding = judged.only("blocked-worker");
        assert_eq!((finding.subject.kind, finding.subject.location.as_str()), (SubjectKind::Task(TaskId(999)), ""));
    }
}
