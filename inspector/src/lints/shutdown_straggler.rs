//! Tasks that do not end although they were told to.
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::culprit::Culprit;
use super::rule::{Candidate, Cx, Rule, Threshold};
use super::{Confidence, Evidence, LocationRole, Severity, words};
use crate::model::{Ended, Lock, LockKind, Model, SiteId, Stamp, Task, TaskId, TaskKind, TaskState, WaitFor};
use crate::text;

const STUCK: Threshold =
    Threshold::millis("stuck", 3000, "so long after it was told to end, a task still waits for what may never come");
const ALIVE: Threshold = Threshold::millis("alive", 5000, "so long after it was told to end, a task is still there");
/// How long a tracker's tasks were there when it was closed, or that was only the beginning of a join.
const OPEN: Duration = Duration::from_secs(1);
/// A token that was cancelled no longer than that before a tracker was closed belongs to the same shutdown.
const TOGETHER: Duration = Duration::from_secs(10);

pub(super) const RULE: Rule = Rule {
    id: "shutdown-straggler",
    severity: Severity::Warn,
    summary: "tasks go on although their token was cancelled or their tracker closed",
    explain: EXPLAIN,
    thresholds: &[STUCK, ALIVE],
    enter_after: Duration::from_millis(200),
    leave_after: Duration::from_millis(500),
    subsumed_by: &["deadlock", "self-deadlock"],
    evaluate,
};

const EXPLAIN: &str = "\
A CancellationToken was cancelled, or a TaskTracker closed, and seconds later tasks that listen to that token or are
tracked by that tracker have not ended.

Why it hurts
  Whoever waits for them (tracker.wait(), a join) does not go on, so the shutdown takes until it is killed, and then
  what was in flight is lost. A token that is cancelled to stop one request leaks that request's task.

WRONG
  tokio::select! {
      () = token.cancelled() => {}
      served = serve(&mut connection) => return served,
  }
  acks.recv().await;                                // nobody sends any more: no way out

RIGHT
  tokio::select! {                                  // each wait has a way out
      () = token.cancelled() => {}
      served = serve(&mut connection) => return served,
  }
  let _ = timeout(GRACE, acks.recv()).await;        // and the last one an end

  tracker.close();
  if timeout(GRACE, tracker.wait()).await.is_err() {
      // say who is left, then abort or exit
  }

Thresholds
  stuck = 3.00 s   so long after it was told to end, a task still waits for what may never come
  alive = 5.00 s   so long after it was told to end, a task is still there

A task listens to a token that lies in its own future, or that it cloned for itself, once it has asked for it. Whoever
waits for other tasks to end is not to blame. A tracker that is closed may be a mere join: its tasks count when who
closed it had cancelled a token too, or listened to one that was; else only those who wait for what may never come,
where somebody waits for the tracker and its tasks were there for a second when it was closed.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let model = cx.model;
    let mut sites: BTreeMap<SiteId, Vec<Straggler>> = BTreeMap::new();
    // A task of both is one straggler.
    let mut seen: HashSet<TaskId> = HashSet::new();
    let with_tasks = |lock: &&Lock| lock.kind.ends_tasks() && model.scopes.count(lock.id) > 0;
    let mut scopes: Vec<_> = model.locks.values().filter(with_tasks).collect();
    // A token says more than a tracker.
    scopes.sort_by_key(|lock| (lock.kind == LockKind::TaskTracker, lock.id));
    for lock in scopes {
        let Some(ended) = model.ended(lock.id) else { continue };
        let told = lock.kind == LockKind::CancellationToken || is_shutdown(model, lock, ended.at);
        if !told && !is_waited_for(model, lock, ended.at) {
            continue;
        }
        if model.lasted(ended.at) <= cx.span(&STUCK).min(cx.span(&ALIVE)) {
            continue;
        }
        for task in model.scopes.tasks(lock.id).filter_map(|id| model.tasks.get(&id)) {
            if let Some(stuck) = straggles(cx, task, ended.at, told)
                && seen.insert(task.id)
            {
                sites.entry(task.site).or_default().push(Straggler { task, scope: lock, ended, stuck });
            }
        }
    }
    out.extend(sites.into_values().filter_map(|found| judge(cx, &found)));
}

/// A task that should have ended.
struct Straggler<'a> {
    task: &'a Task,
    scope: &'a Lock,
    ended: Ended,
    /// It waits for what may never come; otherwise it is merely still there.
    stuck: bool,
}

/// Whether a tracker was closed in the course of a shutdown: who did so had cancelled a token too, or listened to one that
/// was.
fn is_shutdown(model: &Model, tracker: &Lock, closed: Stamp) -> bool {
    let cancelled_then = |token: &&Lock| token.closed_at.is_some_and(|at| at.after(TOGETHER) >= closed);
    let tokens = model.locks.values().filter(|lock| lock.kind == LockKind::CancellationToken);
    let listened_to = model.tasks.get(&tracker.closed_by).map(|task| task.token);
    tokens.filter(cancelled_then).any(|token| token.closed_by == tracker.closed_by)
        || listened_to.and_then(|token| model.ended(token)).is_some()
}

/// Whether somebody waits for the tasks of a closed tracker, and more than that: one that is closed as soon as it was
/// filled is waited for as a join is.
fn is_waited_for(model: &Model, tracker: &Lock, closed: Stamp) -> bool {
    let first = model.scopes.tasks(tracker.id).filter_map(|id| model.tasks.get(&id)).map(|task| task.spawned_at).min();
    tracker.waiters > 0 && first.is_some_and(|first| closed.since(first) >= OPEN)
}

/// Whether a task should have ended by now, and how it fails to. `told` is false when only a tracker was closed.
fn straggles(cx: &Cx, task: &Task, ended: Stamp, told: bool) -> Option<bool> {
    let model = cx.model;
    let since = |at: Stamp| model.lasted(at);
    let waits_for_others = |on: WaitFor| match on {
        WaitFor::Join(_) | WaitFor::Closed(_) | WaitFor::OneshotClosed(_) => true,
        WaitFor::Lock(id) => model.locks.get(&id).is_none_or(|lock| lock.kind == LockKind::TaskTracker),
        _ => false,
    };
    if task.kind == TaskKind::Root
        || task.state.ended()
        || task.spawned_at > ended
        || task.waits.iter().any(|wait| waits_for_others(wait.on))
    {
        return None;
    }
    let may_end = |on: WaitFor| match on {
        WaitFor::Timer(_) => true,
        // Who has it may give it back; where nobody does, another rule says so.
        WaitFor::Lock(id) | WaitFor::Read(id) => {
            model.locks.get(&id).is_none_or(|lock| lock.kind.guards() || lock.kind == LockKind::Semaphore)
        }
        _ => false,
    };
    let waits = !task.waits.is_empty() && !task.flags.more_waits;
    let stuck = task.state == TaskState::Idle
        && waits
        && !task.waits.iter().any(|wait| may_end(wait.on))
        && since(task.state_since.max(ended)) > cx.span(&STUCK);
    let alive = told && since(ended) > cx.span(&ALIVE);
    (stuck || alive).then_some(stuck)
}

fn judge(cx: &Cx, found: &[Straggler]) -> Option<Candidate> {
    let model = cx.model;
    // Who waits for something is more telling than who is merely there.
    let first = found.iter().min_by_key(|one| (!one.stuck, one.ended.at, one.task.id))?;
    let site = model.sites.get(&first.task.site)?;
    let (scope, ended) = (first.scope, first.ended);
    let ago = model.now.since(ended.at);
    let mut subject = words::site_subject(site);
    if found.len() == 1 && !first.task.name.is_empty() {
        subject.name = text::head(&first.task.name, 48);
    }
    let wait = first.task.waits.iter().find(|wait| !words::place(model, wait.site).is_empty());
    let awaited_at = wait.map_or("", |wait| words::place(model, wait.site));
    subject = subject.at(awaited_at, LocationRole::Waits);
    let (thing, done) = match scope.kind {
        LockKind::TaskTracker => ("tracker", "closed"),
        _ => ("token", "cancelled"),
    };
    let done_at = words::place(model, ended.site);
    let at = if done_at.is_empty() { String::new() } else { format!(" at {}", text::file_line(done_at)) };
    let who = match found.len() {
        1 => format!("`{}` has not ended", subject.name),
        n => format!("{} tasks of `{}` have not ended", text::count(n as u64), subject.name),
    };
    let alike = |on: WaitFor| {
        let thing = words::wait(model, on);
        found.iter().filter(|one| one.task.waits.iter().any(|wait| words::wait(model, wait.on) == thing)).count()
    };
    let doing = match (wait, first.task.state) {
        (Some(wait), _) => {
            let verb = match (alike(wait.on), found.len()) {
                (1, 1) => "it waits".to_owned(),
                (1, n) => format!("1 of {} waits", text::count(n as u64)),
                (n, all) if n == all => "all wait".to_owned(),
                (n, all) => format!("{} of {} wait", text::count(n as u64), text::count(all as u64)),
            };
            format!("{verb} {}", words::wait(model, wait.on))
        }
        (None, TaskState::Running) if found.len() == 1 => "it is being polled".to_owned(),
        (None, TaskState::Running) => "one is being polled".to_owned(),
        (None, _) => String::new(),
    };
    let doing = if doing.is_empty() { doing } else { format!(": {doing}") };
    // Whoever waits for a tracker waits for all of its tasks.
    let tracked = found.iter().filter_map(|one| model.locks.get(&one.task.tracker));
    let so =
        if tracked.into_iter().any(|tracker| tracker.waiters > 0) { ", so tracker.wait() does not return" } else { "" };
    let group = if awaited_at.is_empty() { site.location.clone() } else { awaited_at.to_owned() };
    Some(Candidate {
        message: format!(
            "{who} since {} {thing} was {done}{at}{doing}{so}",
            if found.len() == 1 { "its" } else { "their" },
        ),
        evidence: vec![
            Evidence::span(if done == "closed" { "closed_ago_ns" } else { "cancelled_ago_ns" }, ago)
                .over(cx.limit_text(if first.stuck { &STUCK } else { &ALIVE })),
            Evidence::count("tasks", found.len() as u64),
            Evidence::words(if done == "closed" { "closed_location" } else { "cancelled_location" }, done_at),
            Evidence::words(
                if done == "closed" { "tracker_created_location" } else { "token_created_location" },
                words::place(model, scope.site),
            )
            .aside(),
            Evidence::words("spawned_location", site.location.as_str()),
            Evidence::task("task", first.task.id),
            Evidence::list("waits", first.task.waits.iter().map(|wait| words::wait(model, wait.on)).collect()),
            Evidence::words("wait_location", awaited_at),
        ],
        advice: advice(scope, wait.map(|wait| wait.on), awaited_at).into(),
        culprit: Culprit::of("straggler", first.task.id),
        confidence: if first.stuck { Confidence::Certain } else { Confidence::Likely },
        onset: Some(ended.at),
        hurt: found.len() as u64,
        ..Candidate::enter(subject, &group, Severity::Warn)
    })
}

fn advice(scope: &Lock, on: Option<WaitFor>, awaited_at: &str) -> String {
    let at = if awaited_at.is_empty() { String::new() } else { format!(" at {}", text::file_line(awaited_at)) };
    let way_out = match (on, scope.kind) {
        (Some(WaitFor::Recv(_)), LockKind::CancellationToken) => {
            format!("Put the recv(){at} and token.cancelled() into one select!.")
        }
        (Some(WaitFor::Recv(_)), _) => {
            format!("Drop all senders of that channel at shutdown, so that the recv(){at} returns None.")
        }
        (_, LockKind::CancellationToken) => {
            format!("Put the wait{at} and token.cancelled() into one select!.")
        }
        _ => format!("Put the wait{at} into a select! with a token that is cancelled at shutdown."),
    };
    format!("{way_out} Until then, bound the shutdown itself with a timeout.")
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    struct Shutdown {
        judged: Judged,
        token: LockId,
        tracker: LockId,
        task: TaskId,
        wait: SiteId,
        channel: ChannelId,
    }

    /// A worker that listens to a token and is tracked, and has waited for a message for two seconds.
    fn service() -> Shutdown {
        let mut judged = Judged::new();
        let target = &mut judged.target;
        let (made, by) = (
            target.lock_site("src/main.rs:9:17", "CancellationToken"),
            target.lock_site("src/main.rs:10:19", "TaskTracker"),
        );
        let (token, tracker) = (target.token(made, LockId(0)), target.lock_of(LockKind::TaskTracker, by));
        let spawned = target.spawn_site("src/worker.rs:20:9", "shop::worker::{{closure}}", OutputKind::Unit);
        let task = target.task(spawned);
        let wait = target.call_site("src/worker.rs:44:14");
        let made = target.channel_site("src/main.rs:12:18", "Ack");
        let channel = target.channel(made, Some(8));
        let since = target.now;
        target.task_state(task, |task| {
            (task.token, task.tracker) = (token, tracker);
            task.waits = [Wait { on: WaitFor::Recv(channel), site: wait, since }].into();
        });
        judged.settle();
        judged.run(ms(2000));
        Shutdown { judged, token, tracker, task, wait, channel }
    }

    impl Shutdown {
        fn end(&mut self, lock: LockId) {
            let site = self.judged.target.call_site("src/main.rs:77:11");
            let now = self.judged.target.now;
            self.judged.target.lock_state(lock, |lock| {
                (lock.closed, lock.closed_at, lock.closed_site, lock.waiters) = (true, Some(now), site, 1);
            });
        }

        fn waits_for(&mut self, on: Option<WaitFor>) {
            let (since, site) = (self.judged.target.now, self.wait);
            self.judged.target.task_state(self.task, |task| {
                task.state_since = since;
                task.waits = on.map(|on| Wait { on, site, since }).into_iter().collect();
            });
        }
    }

    #[test]
    fn a_task_that_waits_on_after_its_token_was_cancelled_is_named_by_the_awaiting_line() {
        let mut service = service();
        service.end(service.token);
        service.judged.run(ms(2900));
        service.judged.expect_nothing();
        service.judged.run(ms(600));
        let finding = service.judged.only("shutdown-straggler");
        assert_eq!(finding.subject.location, "src/worker.rs:44:14");
        assert_eq!((finding.severity, finding.confidence), (Severity::Warn, Confidence::Certain));
        assert!(
            finding.message.starts_with(
                "`worker` has not ended since its token was cancelled at main.rs:77: it waits for a message from channel `Ack`"
            ),
            "{}",
            finding.message
        );
        service.judged.target.gone_task(service.task);
        service.judged.run(ms(700));
        service.judged.expect_nothing();
    }

    #[test]
    fn a_child_token_is_cancelled_with_its_parent() {
        let mut service = service();
        let made = service.judged.target.lock_site("src/worker.rs:18:25", "CancellationToken");
        let child = service.judged.target.token(made, service.token);
        service.judged.target.task_state(service.task, |task| (task.token, task.tracker) = (child, LockId(0)));
        service.judged.run(ms(200));
        service.end(service.token);
        service.judged.run(ms(3600));
        let finding = service.judged.only("shutdown-straggler");
        assert!(finding.evidence.iter().any(|e| e.name == "token_created_location" && e.text == "src/worker.rs:18:25"));
    }

    #[test]
    fn a_closed_tracker_alone_tells_of_tasks_that_are_stuck() {
        let mut service = service();
        service.judged.target.task_state(service.task, |task| task.token = LockId(0));
        service.end(service.tracker);
        service.judged.run(ms(3600));
        assert!(service.judged.only("shutdown-straggler").message.contains("its tracker was closed"));
    }

    #[test]
    fn a_task_with_a_timer_has_a_little_longer_and_needs_to_have_been_told() {
        for told in [true, false] {
            let mut service = service();
            service.waits_for(Some(WaitFor::Timer(ms(500))));
            service.judged.target.task_state(service.task, |task| task.token = LockId(0));
            service.end(service.tracker);
            if told {
                service.end(service.token);
            }
            service.judged.run(ms(4900));
            service.judged.expect_nothing();
            service.judged.run(ms(600));
            if told {
                assert_eq!(service.judged.only("shutdown-straggler").confidence, Confidence::Likely);
            } else {
                service.judged.run(ms(20_000));
                service.judged.expect_nothing();
            }
        }
    }

    #[test]
    fn tasks_that_end_in_time_and_those_who_wait_for_tasks_are_no_stragglers() {
        let mut service = service();
        service.end(service.token);
        service.judged.run(ms(1000));
        service.waits_for(Some(WaitFor::Join(TaskId(0))));
        service.judged.run(ms(10_000));
        service.judged.expect_nothing();
        let tracker = service.tracker;
        service.waits_for(Some(WaitFor::Lock(tracker)));
        service.judged.run(ms(10_000));
        service.judged.expect_nothing();
        service.judged.target.task_state(service.task, |task| task.state = TaskState::Done);
        service.judged.run(ms(10_000));
        service.judged.expect_no_alarm();
    }

    #[test]
    fn a_tracker_that_is_closed_when_it_is_full_is_a_join() {
        let mut service = service();
        let spawned = service.judged.target.spawn_site("src/batch.rs:7:9", "shop::job::{{closure}}", OutputKind::Unit);
        let made = service.judged.target.lock_site("src/batch.rs:5:19", "TaskTracker");
        let tracker = service.judged.target.lock_of(LockKind::TaskTracker, made);
        let (job, site, channel) = (service.judged.target.task(spawned), service.wait, service.channel);
        let since = service.judged.target.now;
        service.judged.target.task_state(job, |task| {
            task.tracker = tracker;
            task.waits = [Wait { on: WaitFor::Recv(channel), site, since }].into();
        });
        service.judged.run(ms(100));
        service.end(tracker);
        service.judged.run(ms(20_000));
        service.judged.expect_nothing();
    }
}
