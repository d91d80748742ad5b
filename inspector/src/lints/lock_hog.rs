//! A lock that one holder keeps for very long.
use std::time::Duration;

use super::culprit::Culprit;
use super::rule::{Candidate, Cx, Rule, Threshold};
use super::rwlock_writer_starved;
use super::{Evidence, Severity, wait_graph, words};
use crate::model::{Lock, Model, Task, TaskState, WaitFor};
use crate::text;

const HELD: Threshold = Threshold::millis("held", 1000, "one hold has lasted longer than this, and others wait");
const CRIT: Threshold = Threshold::millis("crit", 10_000, "longer than this: crit");

pub(super) const RULE: Rule = Rule {
    id: "lock-hog",
    severity: Severity::Crit,
    summary: "one holder keeps a lock for very long while others wait for it",
    explain: EXPLAIN,
    thresholds: &[HELD, CRIT],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(1),
    subsumed_by: &[
        "deadlock",
        "self-deadlock",
        "sync-lock-in-async",
        "block-on-in-async",
        "blocked-worker",
        "receiver-stalled",
        "channel-saturated",
    ],
    evaluate,
};

const EXPLAIN: &str = "\
A lock has been held by one task, or one thread, for seconds, and others wait for it. The line that is named is the one
that acquired.

Why it hurts
  Whoever needs the lock stands still for as long. What takes seconds is never the work on the data: it is a request, a
  sleep, a big file, a loop over everything, done while the guard happens to be alive.

WRONG
  let mut catalog = state.catalog.lock().await;
  for item in catalog.iter_mut() {
      item.stock = warehouse.ask(item.id).await?;   // a thousand requests under one guard
  }

RIGHT
  let ids: Vec<Id> = state.catalog.lock().await.ids();   // the guard goes at the end of the line
  let stock = warehouse.ask_all(&ids).await?;            // nobody waits for this
  state.catalog.lock().await.set_stock(stock);

Thresholds
  held = 1.00 s   one hold has lasted longer than this, and others wait
  crit = 10.0 s   longer than this: crit
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let locks = cx.model.locks.values();
    let held = |lock: &&Lock| {
        lock.kind.guards()
            && lock.held_since.is_some()
            && lock.waiters > 0
            && !rwlock_writer_starved::is_about(lock)
            && !is_waiting_for_work(cx, lock)
    };
    out.extend(locks.filter(held).filter_map(|lock| judge(cx, lock)));
}

/// Whether its holder waits for a message from the receiver that it guards.
fn is_waiting_for_work(cx: &Cx, lock: &Lock) -> bool {
    let receives = |task: &Task| task.waits.iter().any(|wait| matches!(wait.on, WaitFor::Recv(_)));
    words::is_queue(cx.model, lock) && cx.model.tasks.get(&lock.holder).is_some_and(receives)
}

/// Whether what its holder waits for is not what took so long, but the last of many things.
fn loops(model: &Model, holder: &Task, held: Duration) -> bool {
    model.lasted(holder.state_since) < held / 2
}

fn judge(cx: &Cx, lock: &Lock) -> Option<Candidate> {
    let model = cx.model;
    let held = model.lasted(lock.held_since?);
    if held <= cx.span(&HELD) {
        return None;
    }
    let holder = model.tasks.get(&lock.holder);
    if holder.is_some_and(|task| cx.is_stuck(task.id)) {
        return None;
    }
    let place = words::place(model, lock.holder_site);
    let made_at = words::place(model, lock.site);
    let group = if made_at.is_empty() { format!("{:?}", lock.id) } else { made_at.to_owned() };
    let subject = words::lock_subject(model, lock, place);

    let sleeps = holder.filter(|task| task.waits.is_empty()).and_then(|task| words::sleeps(model, task));
    let knot = wait_graph::own_knot(model, lock.holder);
    // What it does now is told of it by name.
    let again = match (holder, knot) {
        (_, Some(wait)) if wait.on.lock() == Some(lock.id) => " and waits for it itself".to_owned(),
        (_, Some(wait)) => format!(" and waits itself {}, which it holds as well", words::wait(model, wait.on)),
        (Some(task), None) if task.state == TaskState::Idle && loops(model, task, held) => {
            ", over one wait after another".to_owned()
        }
        _ => String::new(),
    };
    let who = match lock.holder.0 {
        0 => words::no_task(model).to_owned(),
        _ => words::task(model, lock.holder),
    };
    let waiters = match lock.waiters {
        1 => "1 task waits for the lock".to_owned(),
        n => format!("{} wait for the lock", text::counted(n.into(), "task")),
    };
    let name = words::kind_and_name(lock, &subject);
    let message = format!("{who} has held {name} for {}{again}; {waiters}", text::duration(held));
    let far = held > cx.span(&CRIT);
    let mut evidence = vec![
        Evidence::span("held_for_ns", held).over(cx.limit_text(if far { &CRIT } else { &HELD })),
        Evidence::count("waiters", lock.waiters.into()),
        Evidence::words("acquired_location", place),
        Evidence::words("created_location", made_at),
    ];
    if lock.holder.0 != 0 {
        evidence.push(Evidence::task("holder_task", lock.holder));
    }
    if let Some(wait) = holder.and_then(|task| task.waits.first()) {
        evidence.push(Evidence::words("holder_waits", words::wait(model, wait.on)));
        evidence.push(Evidence::words("holder_waits_location", words::place(model, wait.site)));
    }
    if let Some(sleeps) = sleeps.filter(|sleeps| !sleeps.location.is_empty()) {
        evidence.push(Evidence::words("holder_suspended_location", sleeps.location));
    }
    let at = if place.is_empty() { String::new() } else { format!(" taken at {}", text::file_line(place)) };
    let kept = match text::file_line(&words::long_wait_place(model, lock.holder, held)) {
        "" => "anything that takes long".to_owned(),
        kept => format!("the wait at {kept}"),
    };
    let advice = match knot {
        // Which of the futures has which guard is not told.
        Some(wait) => format!(
            "Of the futures that the task runs at once, one waits{} for what another holds: drop the guard{at} before \
             anything else is locked, or take the locks in the same order in all of them.",
            words::at(words::place(model, wait.site))
        ),
        None => {
            format!("Drop the guard{at} before {kept}: copy out what is needed, and lock again to store the result.")
        }
    };
    let mut behind = wait_graph::behind(model, lock.holder);
    behind.extend(wait_graph::told_of_knot(model, lock, lock.holder).map(|l| words::place(model, l.site).to_owned()));
    behind.retain(|place| *place != group);
    Some(Candidate {
        message,
        evidence,
        advice: advice.into(),
        onset: lock.held_since,
        hurt: lock.waiters.into(),
        behind,
        culprit: Culprit::of("holder", lock.holder),
        ..Candidate::enter(subject, &group, if far { Severity::Crit } else { Severity::Warn })
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;
    use crate::model::{Suspension, TaskDetails};

    /// A lock that a task has held since now, with `waiters`.
    fn held(state: TaskState, waiters: u32) -> (Judged, LockId, TaskId) {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/state.rs:12:9", "shop::Catalog");
        let lock = judged.target.lock(made);
        let acquiring = judged.target.call_site("src/catalog.rs:31:40");
        let spawned = judged.target.spawn_site("src/main.rs:3:3", "shop::refresh::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(spawned);
        judged.settle();
        let now = judged.target.now;
        judged.target.task_state(task, |task| (task.state, task.state_since) = (state, now));
        judged.target.lock_state(lock, |lock| {
            lock.holder = task;
            lock.holder_site = acquiring;
            lock.held_since = Some(now);
            lock.waiters = waiters;
        });
        (judged, lock, task)
    }

    #[test]
    fn a_holder_that_was_looked_at_is_told_with_what_it_awaits_and_where() {
        let (mut judged, _, task) = held(TaskState::Idle, 2);
        judged.run(ms(1500));
        let finding = judged.only("lock-hog");
        assert_eq!(finding.culprit, Some(task));
        assert!(finding.who().is_some_and(|who| who.contains("not visible")), "{:?}", finding.who());
        let calls = vec![
            Frame { function: "reqwest::async_impl::client::Pending::poll".into(), ..Frame::default() },
            Frame { function: "shop::refresh".into(), location: "src/catalog.rs:33:20".into(), user: true },
        ];
        let details =
            TaskDetails { suspensions: vec![Suspension { calls }], suspended_polls: 99, ..TaskDetails::default() };
        judged.target.model.learn(task, &details);
        judged.run(ms(100));
        let finding = judged.only("lock-hog");
        assert!(
            finding
                .who()
                .is_some_and(|who| who.contains("awaits reqwest::async_impl::client::Pending::poll at catalog.rs:33")),
            "{:?}",
            finding.who()
        );
        assert!(finding.advice.contains(" before the wait at catalog.rs:33: "), "{}", finding.advice);
        assert_eq!(evidence(&finding, "holder_suspended_location").text, "src/catalog.rs:33:20");
    }

    #[test]
    fn workers_of_one_line_that_share_a_lock_are_not_each_others_effect_only() {
        let (mut judged, lock, holder) = held(TaskState::Idle, 1);
        let site = judged.target.model.tasks[&holder].site;
        let waiter = judged.target.task(site);
        judged.run(ms(500));
        let (acquiring, since) = (judged.target.call_site("src/catalog.rs:31:40"), judged.target.now);
        judged.target.task_state(waiter, |task| {
            (task.state, task.state_since) = (TaskState::Idle, since);
            task.waits = [Wait { on: WaitFor::Lock(lock), site: acquiring, since }].into();
        });
        let made = judged.target.channel_site("src/main.rs:2:9", "shop::Job");
        let receives = judged.target.call_site("src/main.rs:4:9");
        for task in [holder, waiter] {
            let channel = judged.target.channel(made, Some(1000));
            judged.target.channel_state(channel, |channel| {
                (channel.receiver_task, channel.recv_site, channel.sent, channel.received) = (task, receives, 2, 1);
                (channel.last_send_at, channel.last_recv_at) = (Some(since), Some(since));
            });
        }
        judged.tick(ms(100));
        judged.every(ms(7000), |target| {
            let (now, channels) = (target.now, target.model.channels.keys().copied().collect::<Vec<_>>());
            for channel in channels {
                target.channel_state(channel, |channel| {
                    (channel.sent, channel.last_send_at) = (channel.sent + 2, Some(now));
                });
            }
        });
        assert!(judged.engine.folded().iter().any(|finding| finding.rule == "receiver-stalled"));
        judged.only("lock-hog");
        // Who works in between, and comes back to the lock, is held up by it all the same.
        judged.target.task_state(waiter, |task| task.waits.clear());
        judged.run(ms(1000));
        judged.only("lock-hog");
    }

    #[test]
    fn a_hold_of_seconds_with_waiters_is_a_warning_and_after_ten_critical() {
        let (mut judged, lock, task) = held(TaskState::Idle, 12);
        judged.run(ms(900));
        judged.expect_nothing();
        judged.run(ms(600));
        let finding = judged.only("lock-hog");
        assert_eq!((finding.severity, finding.subject.kind), (Severity::Warn, SubjectKind::Lock(lock)));
        assert_eq!(finding.subject.location, "src/catalog.rs:31:40");
        let id = crate::text::task_id(task);
        assert_eq!(
            finding.message,
            format!("`refresh` {id} has held Mutex `Catalog` for 1.50 s; 12 tasks wait for the lock")
        );
        judged.run(ms(9000));
        assert_eq!(judged.only("lock-hog").severity, Severity::Crit);
        judged.target.lock_state(lock, |lock| (lock.held_since, lock.holder, lock.waiters) = (None, TaskId(0), 0));
        judged.run(ms(1500));
        judged.expect_nothing();
    }

    #[test]
    fn a_lock_kept_for_good_that_nobody_wants_is_no_alarm() {
        let (mut judged, ..) = held(TaskState::Idle, 0);
        judged.run(ms(20_000));
        judged.expect_no_alarm();
    }

    #[test]
    fn workers_that_share_a_receiver_wait_for_work_and_not_for_each_other() {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/pool.rs:12:9", "tokio::sync::mpsc::bounded::Receiver<pool::Job>");
        let lock = judged.target.lock(made);
        let place = judged.target.channel_site("src/pool.rs:11:9", "pool::Job");
        let channel = judged.target.channel(place, Some(4));
        let spawned = judged.target.spawn_site("src/pool.rs:20:3", "pool::work::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(spawned);
        judged.settle();
        let (site, since) = (SiteId(0), judged.target.now);
        judged.target.task_state(task, |task| task.waits = [Wait { on: WaitFor::Recv(channel), site, since }].into());
        judged.target.lock_state(lock, |lock| {
            (lock.holder, lock.held_since, lock.waiters) = (task, Some(since), 3);
            (lock.suspended_holds, lock.last_suspended, lock.last_suspended_waiters) = (50, ms(30), 3);
            lock.last_suspended_at = since;
        });
        judged.run(ms(20_000));
        judged.expect_nothing();
        // One that works while it holds it keeps the others from theirs.
        judged.target.task_state(task, |task| task.waits.clear());
        judged.run(ms(500));
        judged.only("lock-hog");
    }

    #[test]
    fn a_job_of_the_blocking_pool_that_holds_it_is_named_too() {
        let (mut judged, ..) = held(TaskState::Running, 3);
        judged.run(ms(2000));
        assert!(judged.only("lock-hog").who().is_some_and(|who| who.ends_with(" runs, in a poll for 2.00 s")));
    }

    #[test]
    fn futures_of_one_task_that_wait_for_each_others_locks_are_one_finding() {
        for kind in [LockKind::Mutex, LockKind::RwLock] {
            let (mut judged, first, task) = held(TaskState::Idle, 1);
            // A heartbeat runs beside them, so nobody knows that it is for ever.
            judged.only_waits = Some(false);
            let made = judged.target.lock_site("src/rates.rs:9:9", "shop::Rates");
            let second = judged.target.lock_of(kind, made);
            let (line, since) = (judged.target.call_site("src/catalog.rs:40:9"), judged.target.now);
            judged.target.lock_state(second, |lock| {
                (lock.waiters, lock.holder, lock.held_since) = (1, task, Some(since));
                if kind == LockKind::RwLock {
                    lock.waiting_writers = 1;
                    lock.holders = vec![Holder { task, since, permits: 1, ..Holder::default() }];
                }
            });
            judged.every(ms(12_000), |target| {
                let now = target.now;
                target.task_state(task, |task| {
                    task.state_since = now;
                    let waits = [WaitFor::Lock(second), WaitFor::Lock(first)];
                    task.waits = waits.map(|on| Wait { on, site: line, since }).into_iter().collect();
                });
            });
            let finding = judged.only("lock-hog");
            assert_eq!((finding.severity, finding.subject.kind), (Severity::Crit, SubjectKind::Lock(first)));
            let waits = format!("and waits itself for {} `Rates`, which it holds as well; 1 task", kind.name());
            assert!(finding.message.contains(&waits), "{}", finding.message);
            assert!(finding.advice.contains("one waits at catalog.rs:40 for what another holds"), "{}", finding.advice);
            assert!(evidence(&finding, "effects").text.contains("`Rates`"), "{:?}", finding.evidence);
        }
    }

    #[test]
    fn where_the_holder_waits_for_another_hog_that_one_is_the_cause() {
        let (mut judged, first, task) = held(TaskState::Idle, 3);
        let made = judged.target.lock_site("src/other.rs:12:9", "shop::Prices");
        let second = judged.target.lock(made);
        let spawned = judged.target.spawn_site("src/other.rs:3:3", "shop::reprice::{{closure}}", OutputKind::Unit);
        let hog = judged.target.task(spawned);
        let (site, since) = (SiteId(0), judged.target.now);
        judged.target.lock_state(second, |lock| {
            (lock.holder, lock.held_since, lock.waiters) = (hog, Some(since), 1);
        });
        judged.target.task_state(task, |task| {
            task.waits = [Wait { on: WaitFor::Lock(second), site, since }].into();
        });
        judged.run(ms(2000));
        let finding = judged.only("lock-hog");
        assert_eq!(finding.subject.kind, SubjectKind::Lock(second));
        assert!(evidence(&finding, "effects").text.contains(" has held Mutex `Catalog` for "), "{first:?}");
    }
}
