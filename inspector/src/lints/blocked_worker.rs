//! A poll that is still running.
pub(super) mod cause;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use super::culprit::{BLOCKS, Culprit};
use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::stuck_poll::{STARTUP, has_stacks, look, may_block, may_stand, no_line, panics};
use super::{Confidence, Evidence, LocationRole, Severity, words};
use crate::model::{Frame, Stack, StackCause, Stamp, TaskId, TaskState, Worker, WorkerKind};
use crate::text;

const RUNNING: Threshold = Threshold::millis(
    "running",
    100,
    "a poll that runs longer than this, without coming to an await, blocks its thread",
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

/// A poll that ended before its stack was named is told of for so long.
const FRESH: Duration = Duration::from_secs(3);

/// From so many earlier ones on in ten seconds, it is told how often it happens rather than how long this one lasts.
const AGAIN: u64 = 2;

/// A poll that got a CPU for less than this part of its time is starved.
const STARVED: u32 = 10;

struct Blocked<'a> {
    worker: &'a Worker,
    task: TaskId,
    since: Stamp,
    /// Now, as long as it goes on.
    until: Stamp,
}

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let model = cx.model;
    let limit = cx.span(&RUNNING);
    // By spawn site, task or line, the first of them that says something.
    let mut by_site: BTreeMap<(u32, u64, &str), Vec<Blocked>> = BTreeMap::new();
    for worker in model.workers.values().filter(|worker| worker.kind != WorkerKind::Blocking) {
        let Some((task, since)) = worker.poll else { continue };
        // What a full machine holds up is not held up by the task; nor what piles up meanwhile, and so does not let the poll
        // come to its end, as the ticks of an interval do.
        let lasted = model.lasted(since);
        if lasted.saturating_sub(worker.poll_cpu_wait) <= limit.max(lasted / STARVED) {
            continue;
        }
        let stack = model.stacks.iter().rfind(|stack| stack.worker == worker.id && stack.poll_started == since);
        if stack.is_some_and(|s| may_block(s) || panics(s) || matches!(s.cause, StackCause::Lock | StackCause::BlockOn))
        {
            // It may; or there is a rule that says more.
            continue;
        }
        if stack.is_none() && model.lasted(since) <= limit.saturating_add(look(cx)) {
            continue;
        }
        let blocked = Blocked { worker, task, since, until: model.now };
        let line = stack.and_then(Stack::user_frame).map_or("", |frame| frame.location.as_str());
        let key = match model.tasks.get(&task) {
            Some(known) if may_stand(model, known.id, model.now, cx.span(&STARTUP)) => continue,
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
    for (stack, worker) in model.stacks.iter().filter_map(|stack| Some((stack, model.workers.get(&stack.worker)?))) {
        if let Some((site, line)) = was_blocked(cx, stack, worker) {
            let blocked = Blocked { worker, task: stack.task, since: stack.poll_started, until: stack.at };
            by_site.entry((site, 0, line)).or_default().push(blocked);
        }
    }
    out.extend(by_site.into_values().filter_map(|blocked| accuse(cx, blocked)));
}

/// The spawn site, or 0, and, where that is a library's, the line of a poll that ended before its stack was named, if that
/// stack shows that it blocked: where the machine is busy, the names come late.
fn was_blocked<'a>(cx: &Cx<'a>, stack: &'a Stack, worker: &Worker) -> Option<(u32, &'a str)> {
    let model = cx.model;
    let line = || stack.user_frame().map_or("", |frame| frame.location.as_str());
    let came_late = model.between(stack.at, stack.told) > model.target.tick * 3;
    let group = match model.tasks.get(&stack.task) {
        Some(known) if known.site.0 == 0 || may_stand(model, known.id, stack.at, cx.span(&STARTUP)) => return None,
        // One that was named in time was told of while it lasted, as a poll that goes on.
        Some(known) if words::is_named(model, known.site) && !(stack.told == model.now && came_late) => return None,
        Some(known) if words::is_named(model, known.site) => (known.site.0, ""),
        Some(known) => (known.site.0, line()),
        None if stack.task.0 == 0 => (0, line()),
        None => return None,
    };
    // How much of a poll that computed was for want of a CPU is not known any more.
    let blocks = waits(stack.cause) || stack.cause == StackCause::Cpu && worker.cpu_wait_lately < 0.1;
    let is_over = worker.poll != Some((stack.task, stack.poll_started)) && worker.kind != WorkerKind::Blocking;
    (blocks
        && is_over
        && !may_block(stack)
        && !panics(stack)
        && model.now.since(stack.at) <= FRESH
        && model.between(stack.poll_started, stack.at) > cx.span(&RUNNING))
    .then_some(group)
}

/// Whether the thread stands in one line, which is what to look at first. Where it computes, each look shows another line.
fn waits(cause: StackCause) -> bool {
    matches!(cause, StackCause::Sleep | StackCause::File | StackCause::Dns | StackCause::Wait)
}

/// Whether tasks of the same spawn site stood in `line` at nearly every look, at several polls: it computes, but in what
/// is called there.
fn keeps_to(cx: &Cx, task: TaskId, line: &Frame) -> bool {
    const POLLS: usize = 3;
    let model = cx.model;
    let site = |task: TaskId| model.tasks.get(&task).map(|task| task.site).filter(|site| site.0 != 0);
    let is_alike = |other: TaskId| other == task || site(task).is_some_and(|known| site(other) == Some(known));
    let lines = model.stacks.iter().filter(|stack| is_alike(stack.task)).filter_map(Stack::user_frame);
    let (here, elsewhere): (Vec<_>, Vec<_>) =
        lines.partition(|frame| text::place::line(&frame.location) == text::place::line(&line.location));
    here.len() >= POLLS && here.len() >= 3 * elsewhere.len()
}

/// Polls that blocked as well, and have ended.
#[derive(Default)]
struct Times {
    count: u64,
    total: Duration,
}

impl Times {
    fn mean(&self) -> Duration {
        self.total / u32::try_from(self.count.max(1)).unwrap_or(u32::MAX)
    }
}

/// Those of the same spawn site within ten seconds.
fn how_often(cx: &Cx, task: TaskId) -> Times {
    const WINDOW: Duration = Duration::from_secs(10);
    let (model, limit) = (cx.model, cx.span(&RUNNING));
    let site = model.tasks.get(&task).and_then(|task| model.sites.get(&task.site));
    let polls = site.iter().flat_map(|site| site.recent_slow.iter());
    let blocked = polls.filter(|slow| slow.longest > limit && model.now.since(slow.at) <= WINDOW);
    blocked.fold(Times::default(), |times, slow| Times {
        count: times.count.saturating_add(slow.count),
        total: times.total.saturating_add(slow.total.max(slow.longest)),
    })
}

fn accuse(cx: &Cx, mut blocked: Vec<Blocked>) -> Option<Candidate> {
    let model = cx.model;
    // Those that go on first, of them the longest.
    blocked.sort_by_key(|blocked| (Reverse(blocked.until), blocked.since, blocked.worker.id));
    let polls = blocked.iter().map(|blocked| (blocked.since, 1)).collect();
    let goes_on = blocked.first()?.until == model.now;
    if goes_on {
        blocked.retain(|blocked| blocked.until == model.now);
    }
    let longest = blocked.first()?;
    let running = model.between(longest.since, longest.until);
    let stack = model.stacks.iter().rfind(|s| s.worker == longest.worker.id && s.poll_started == longest.since);
    let line = stack.and_then(Stack::user_frame);
    let cause = stack.map_or(StackCause::Unknown, |stack| stack.cause);
    let mut subject = words::poll_subject(model, longest.task, line);
    // Many lines of one site are one fault, and it is known before its line is.
    let group = subject.location.clone();
    let is_the_line = |frame: &&Frame| waits(cause) || keeps_to(cx, longest.task, frame);
    if let Some(frame) = line.filter(|frame| !frame.location.is_empty()).filter(is_the_line) {
        subject = subject.at(&frame.location, LocationRole::Blocks);
    }
    let workers = model.workers.values().filter(|worker| worker.kind == WorkerKind::Worker).count();
    let waiting = model.states.get(TaskState::Scheduled) + model.states.get(TaskState::New);

    let who = &subject.name;
    let in_what = if longest.task.0 == 0 { " (in a task that a library spawned)" } else { "" };
    let function = line.filter(|frame| frame.is_named()).map(Frame::name).filter(|name| name != who);
    let place = line.map(|frame| text::file_line(&frame.location)).filter(|place| !place.is_empty());
    let parts = [
        cause::doing(cause).map(str::to_owned),
        function.as_ref().map(|name| format!("in `{name}`")),
        // It may go by that line.
        place.filter(|place| place != who).map(|place| format!("at {place}")),
    ];
    let what = match (line, parts.into_iter().flatten().collect::<Vec<_>>().join(" ")) {
        (None, what) if what.is_empty() => ", without an await".to_owned(),
        (_, what) if what.is_empty() => String::new(),
        (_, what) => format!("{} {what}", if cause == StackCause::Unknown { "" } else { ":" }),
    };
    let lasting = text::duration(running);
    let name = text::head(&longest.worker.name, 32);
    let thread = match (longest.worker.kind, name.as_str()) {
        (WorkerKind::Worker, _) if workers == 1 => "the only worker thread".to_owned(),
        (WorkerKind::Worker, _) if workers > 1 && goes_on => format!("1 of {workers} worker threads"),
        (WorkerKind::Worker, _) | (_, "") => "a worker thread".to_owned(),
        (_, name) => format!("thread `{name}`"),
    };
    let effects = match waiting {
        0 => String::new(),
        1 => "; 1 task waits for a worker".to_owned(),
        n => format!("; {} wait for a worker", text::counted(n, "task")),
    };
    let message = match blocked.len() {
        _ if !goes_on => format!("`{who}`{in_what} blocked {thread} for {lasting} and longer{what}"),
        1 => format!("`{who}`{in_what} has blocked {thread} for {lasting}{what}{effects}"),
        n if workers == 0 => format!("`{who}` blocks {n} threads, the longest for {lasting}{what}{effects}"),
        2 if workers == 2 => format!("`{who}` blocks both worker threads, the longest for {lasting}{what}{effects}"),
        n if n == workers => format!("`{who}` blocks all {n} worker threads, the longest for {lasting}{what}{effects}"),
        n => format!("`{who}` blocks {n} of {workers} worker threads, the longest for {lasting}{what}{effects}"),
    };
    let times = how_often(cx, longest.task);
    // What happens again and again is no news by how long it has lasted this time, unless this time is worse.
    let as_ever = (blocked.len() == 1 || !goes_on) && running <= times.mean().saturating_mul(2);
    let polls_lately = times.count.saturating_add(if goes_on { blocked.len() as u64 } else { 0 });
    let message = if times.count >= AGAIN && as_ever {
        let thread = match longest.worker.kind {
            WorkerKind::Worker if workers > 1 => "its worker thread",
            _ => thread.as_str(),
        };
        format!(
            "`{who}`{in_what} blocks {thread} again and again, {} times in 10 s for {} on average{what}{}",
            text::count(polls_lately),
            text::duration(times.mean()),
            if goes_on { &effects } else { "" },
        )
    } else {
        message
    };
    let at_once = Evidence::count("blocked_workers", if goes_on { blocked.len() as u64 } else { 0 });
    let mut evidence = vec![
        Evidence::span("poll_running_ns", running).over(cx.limit_text(&RUNNING)),
        Evidence::words("worker", name).aside(),
        match longest.task.0 {
            0 => Evidence::words("blocking_task", "of a library, which is not watched").aside(),
            _ => Evidence::task("blocking_task", longest.task),
        },
        if goes_on && blocked.len() > 1 { at_once } else { at_once.aside() },
        Evidence::count("waiting_tasks", waiting).aside(),
    ];
    if workers > 0 {
        evidence.insert(4, Evidence::count("workers", workers as u64).aside());
    }
    if !model.target.sees("workers") {
        evidence.push(Evidence::words("not_told", "whether it is in block_in_place, or its thread has no CPU"));
    }
    if let Some(frame) = line {
        // What is most telling comes first.
        evidence.insert(1, Evidence::words("blocked_location", frame.location.as_str()));
        if frame.is_named() {
            let whole = Evidence::words("blocked_function", text::head(&frame.function, 200));
            evidence.insert(2, Evidence { text: frame.name(), ..whole });
        }
    }
    evidence.extend(stack.and_then(no_line));
    if let Some(doing) = cause::doing(cause) {
        evidence.insert(1, Evidence::words("blocked_by", doing));
    }
    if times.count > 0 {
        evidence.insert(1, Evidence::count("blocked_polls_10s", polls_lately));
        evidence.insert(2, Evidence::span("blocked_mean_ns", times.mean()));
    }
    let spawned_at = words::spawn_place(model, longest.task).to_owned();
    if !spawned_at.is_empty() && spawned_at != subject.location {
        evidence.push(Evidence::words("spawned_location", spawned_at.as_str()));
    }
    let mut causes = vec![subject.location.clone(), group.clone(), spawned_at];
    causes.retain(|place| !place.is_empty());
    causes.dedup();
    let onset = Some(longest.since);
    Some(Candidate {
        causes,
        message,
        evidence,
        advice: cause::advice(cause, function.as_deref()),
        culprit: Culprit::of(BLOCKS, longest.task).filter(|_| goes_on),
        onset,
        count: Count::Events(polls),
        // It may be in `block_in_place`, which only the thread tells.
        confidence: if model.target.sees("workers") { Confidence::Certain } else { Confidence::Likely },
        hurt: waiting + blocked.len() as u64,
        tasks: blocked.iter().map(|blocked| blocked.task).filter(|task| task.0 != 0).collect(),
        ..Candidate::enter(subject, &group, Severity::Crit)
    })
}
