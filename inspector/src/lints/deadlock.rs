//! Tasks that wait for each other in a circle.
use std::collections::BTreeSet;
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::wait_graph::{Edge, Knots};
use super::{Confidence, Evidence, Severity, Subject, WaitStep, words};
use crate::model::{Model, Task, Wait, WaitFor};
use crate::text;

const LASTING: Threshold = Threshold::millis("lasting", 1000, "each wait in the circle has lasted longer than this");

/// Steps that are told in the message; the evidence has them all.
const TOLD: usize = 3;

pub(super) const RULE: Rule = Rule {
    id: "deadlock",
    severity: Severity::Crit,
    summary: "tasks wait for each other in a circle and can never go on",
    explain: EXPLAIN,
    thresholds: &[LASTING],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_millis(500),
    subsumed_by: &[],
    evaluate: |cx, out| out.extend(circles(cx).iter().filter(|c| c.len() > 1).filter_map(|c| accuse(cx, c))),
};

const EXPLAIN: &str = "\
Each of some tasks waits for what the next one has: a lock it holds, room in a channel that it should be reading, its
end. The last waits for the first. The line that is named is the wait that closed the circle.

Why it hurts
  None of them can go on, ever. What they hold stays taken, and whoever comes later and needs it stops too. There is no
  panic, no error and no load: requests simply never end.

WRONG
  async fn transfer(from: &Mutex<Account>, to: &Mutex<Account>) {
      let mut from = from.lock().await;
      let mut to = to.lock().await;                 // another task has `to` and waits for `from`
      from.move_to(&mut to);
  }

RIGHT
  async fn transfer(from: &Account, to: &Account) {
      let (first, second) = if from.id < to.id { (from, to) } else { (to, from) };
      let (first, second) = (first.lock().await, second.lock().await);   // everybody in the same order
  }

  // or: hold one at a time
  let amount = from.lock().await.take();            // the guard goes at the end of the line
  to.lock().await.put(amount);

  // channels: never wait for room while the one who makes room may wait for you
  if let Err(TrySendError::Full(job)) = peer.try_send(job) { postponed.push(job); }

Thresholds
  lasting = 1.00 s   each wait in the circle has lasted longer than this

A task that waits for several things is stuck only if all of them are in the circle. Where any wait is not visible as a
whole, nothing is said.
";

/// All circles, each once, the one with the lowest task first.
pub(super) fn circles<'a>(cx: &Cx<'a>) -> Vec<Vec<Edge<'a>>> {
    let model = cx.model;
    let limit = cx.span(&LASTING);
    let locks = model.locks.values().filter(|lock| {
        let held = lock.held_since.is_some_and(|since| model.lasted(since) > limit);
        lock.waiters > 0 && (held || !lock.holders.is_empty())
    });
    let full = model.channels.values().filter(|channel| channel.saturated());
    // Of those who share a lock, any may be in the circle.
    let holders = locks.flat_map(|lock| lock.holders.iter().map(|holder| holder.task).chain([lock.holder]));
    let joins = |task: &&Task| {
        let lasts = |wait: &Wait| matches!(wait.on, WaitFor::Join(_)) && model.lasted(wait.since) > limit;
        task.waits.iter().any(lasts)
    };
    let starts =
        holders.chain(full.map(|channel| channel.receiver_task)).chain(model.joining().filter(joins).map(|t| t.id));
    let mut knots = Knots::new(model);
    let mut seen = BTreeSet::new();
    let mut circles = Vec::new();
    for start in starts.filter(|task| task.0 != 0) {
        if !knots.is_stuck(start) {
            continue;
        }
        let circle = knots.circle(start);
        if circle.first().is_some_and(|first| seen.insert(first.task.id)) {
            circles.push(circle);
        }
    }
    circles.sort_by_key(|circle| circle.first().map(|edge| edge.task.id));
    circles
}

fn accuse(cx: &Cx, circle: &[Edge]) -> Option<Candidate> {
    let told: Vec<String> = circle.iter().take(TOLD).map(|edge| tell(cx.model, edge)).collect();
    let more = match circle.len().saturating_sub(TOLD) {
        0 => String::new(),
        n => format!(" and {} on", text::counted(n as u64, "task")),
    };
    let told = told.join(", which waits ");
    let first = circle.first()?;
    let head = words::task(cx.model, first.task.id);
    let n = circle.len();
    judge(cx, circle, |lasting| {
        format!("{n} tasks have waited for each other for {lasting}: {head} waits {told}{more}")
    })
}

/// `for lock "Account" at bank.rs:31, taken by "pay" #7`
fn tell(model: &Model, edge: &Edge) -> String {
    let place = match words::place(model, edge.wait.site) {
        "" => String::new(),
        place => format!(" at {}", words::short_place(place)),
    };
    let next = words::task(model, edge.next);
    match edge.wait.on {
        WaitFor::Lock(_) | WaitFor::Read(_) => {
            format!("{}{place}, taken by {next}", words::wait(model, edge.wait.on))
        }
        WaitFor::Join(_) | WaitFor::Oneshot(_) | WaitFor::Timer(_) => {
            format!("{}{place}", words::wait(model, edge.wait.on))
        }
        WaitFor::Send(_) | WaitFor::Recv(_) => {
            format!("{}{place}, received from by {next}", words::wait(model, edge.wait.on))
        }
    }
}

/// What is common to circles of any length.
pub(super) fn judge(cx: &Cx, circle: &[Edge], message: impl FnOnce(&str) -> String) -> Option<Candidate> {
    let model = cx.model;
    let closing = circle.iter().max_by_key(|edge| (edge.since(), edge.task.id))?;
    let lasting = model.lasted(closing.since());
    if lasting <= cx.span(&LASTING) {
        return None;
    }
    let mut subject = subject(model, closing);
    // Where the awaiting line is not told, the one that made what is awaited is kept.
    match words::place(model, closing.wait.site) {
        "" => {}
        line => line.clone_into(&mut subject.location),
    }

    // Whoever else waits for the same things.
    let waiting: u64 = circle
        .iter()
        .map(|edge| match edge.wait.on {
            WaitFor::Lock(id) | WaitFor::Read(id) => model.locks.get(&id).map_or(0, |lock| lock.waiters),
            WaitFor::Send(id) => model.channels.get(&id).map_or(0, |channel| channel.blocked_senders),
            WaitFor::Recv(_) | WaitFor::Join(_) | WaitFor::Oneshot(_) | WaitFor::Timer(_) => 1,
        })
        .map(|waiters| u64::from(waiters.saturating_sub(1)))
        .sum();
    let mut message = message(&text::duration(lasting));
    if waiting > 0 {
        let verb = if waiting == 1 { "waits" } else { "wait" };
        message.extend(["; ", &text::count(waiting), " more ", verb, " behind them"]);
    }
    let steps: Vec<WaitStep> = circle.iter().map(|edge| step(model, edge)).collect();
    let evidence = vec![
        Evidence::span("deadlocked_for_ns", lasting).over(cx.limit_text(&LASTING)),
        Evidence::count("tasks_in_cycle", circle.len() as u64),
        Evidence::count("waiting_behind", waiting),
        Evidence::list("cycle", circle.iter().zip(&steps).map(|(edge, step)| line(cx, edge, step)).collect()),
    ];

    // Circles that stand at the same lines are alike.
    let place = |(edge, step): (&'_ Edge, &'_ WaitStep)| match step.location.as_str() {
        "" => words::made_at(model, edge.wait.on).to_owned(),
        line => line.to_owned(),
    };
    let lines: BTreeSet<String> = circle.iter().zip(&steps).map(place).collect();
    let group = lines.into_iter().collect::<Vec<_>>().join(" ");
    let mut causes = vec![group.clone()];
    for edge in circle {
        causes.push(words::made_at(model, edge.wait.on).to_owned());
        causes.push(words::spawn_place(model, edge.task.id).to_owned());
    }
    causes.retain(|place| !place.is_empty());
    let sure = circle.iter().all(|edge| edge.wait.on.lock().is_some());
    Some(Candidate {
        message,
        evidence,
        advice: advice(circle).into(),
        onset: Some(closing.since()),
        // A receiver may have been given to another task since it was last asked.
        confidence: if sure { Confidence::Certain } else { Confidence::Likely },
        hurt: circle.len() as u64 + waiting,
        causes,
        twice: true,
        cycle: steps,
        ..Candidate::enter(subject, &group, Severity::Crit)
    })
}

fn subject(model: &Model, edge: &Edge) -> Subject {
    let (lock, channel, task) = match edge.wait.on {
        WaitFor::Lock(id) | WaitFor::Read(id) => (model.locks.get(&id), None, edge.task.id),
        WaitFor::Send(id) | WaitFor::Recv(id) => (None, model.channels.get(&id), edge.task.id),
        WaitFor::Join(id) => (None, None, id),
        WaitFor::Oneshot(_) | WaitFor::Timer(_) => (None, None, edge.task.id),
    };
    match (lock, channel) {
        (Some(lock), _) => words::lock_subject(model, lock, ""),
        (_, Some(channel)) => words::channel_subject(model, channel),
        _ => words::task_subject(model, task),
    }
}

fn step(model: &Model, edge: &Edge) -> WaitStep {
    let (held_location, held_since) = match edge.held {
        Some((site, since)) => (words::place(model, site).to_owned(), Some(since)),
        None => (String::new(), None),
    };
    WaitStep {
        task: edge.task.id,
        name: words::task_name(model, edge.task.id),
        on: edge.wait.on,
        thing: words::wait(model, edge.wait.on),
        location: words::place(model, edge.wait.site).to_owned(),
        since: edge.wait.since,
        held_location,
        held_since,
    }
}

/// One step as a line of the evidence.
fn line(cx: &Cx, edge: &Edge, step: &WaitStep) -> String {
    let who = words::task(cx.model, step.task);
    let waited = text::duration(cx.model.lasted(step.since));
    let at = if step.location.is_empty() { String::new() } else { format!(" at {}", step.location) };
    let held = match (step.held_since, step.held_location.as_str()) {
        (Some(since), place) if !place.is_empty() => {
            let ago = text::duration(cx.model.lasted(since));
            format!(", which {} took {ago} ago at {place}", words::task(cx.model, edge.next))
        }
        _ => String::new(),
    };
    format!("{who} has waited {waited} {}{at}{held}", step.thing)
}

fn advice(circle: &[Edge]) -> &'static str {
    let any = |is: fn(&WaitFor) -> bool| circle.iter().any(|edge| is(&edge.wait.on));
    if any(|on| matches!(on, WaitFor::Join(_))) {
        "Do not await a task while holding what it needs: drop the guard (or take the messages) before awaiting its handle."
    } else if any(|on| matches!(on, WaitFor::Send(_) | WaitFor::Recv(_))) {
        "Do not wait for room while whoever makes room may wait for you: use try_send and keep what does not fit, or send \
         from a task of its own."
    } else {
        "Take these locks in the same order everywhere, or drop the first guard before you wait for the second lock."
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    type Change = fn(&mut Judged, TaskId, SiteId);

    /// Two tasks; each holds a lock since now, and waits for the other's.
    struct Pair {
        judged: Judged,
        tasks: [TaskId; 2],
        locks: [LockId; 2],
        waits: [SiteId; 2],
    }

    fn pair() -> Pair {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/bank.rs:9:9", "bank::Account");
        let locks = [judged.target.lock(made), judged.target.lock(made)];
        let site = judged.target.spawn_site("src/bank.rs:40:9", "bank::pay::{{closure}}", OutputKind::Unit);
        let tasks = [judged.target.task(site), judged.target.task(site)];
        let holds = judged.target.call_site("src/bank.rs:30:20");
        let waits = [judged.target.call_site("src/bank.rs:31:18"), judged.target.call_site("src/bank.rs:35:18")];
        judged.settle();
        let now = judged.target.now;
        for n in 0..2 {
            judged.target.lock_state(locks[n], |lock| {
                lock.holder = tasks[n];
                lock.holder_site = holds;
                lock.held_since = Some(now);
                lock.waiters = 1;
            });
            let since = now.after(ms(n as u64 * 50));
            judged.target.task_state(tasks[n], |task| {
                task.state = TaskState::Idle;
                task.state_since = since;
                task.waits = vec![Wait { on: WaitFor::Lock(locks[1 - n]), site: waits[n], since }];
            });
        }
        Pair { judged, tasks, locks, waits }
    }

    #[test]
    fn two_tasks_that_hold_what_the_other_wants_are_named_with_every_line() {
        let Pair { mut judged, tasks, locks, .. } = pair();
        let began = judged.target.now;
        judged.run(ms(1000));
        judged.expect_nothing();
        judged.run(ms(600));
        let finding = judged.only("deadlock");
        assert_eq!((finding.severity, finding.confidence), (Severity::Crit, Confidence::Certain));
        assert_eq!(finding.subject.kind, SubjectKind::Lock(locks[0]), "the wait that closed the circle");
        assert_eq!(finding.subject.location, "src/bank.rs:35:18");
        assert_eq!(finding.since, began.after(ms(50)));
        let cycle: Vec<_> = finding.cycle.iter().map(|step| (step.task, step.on, step.location.as_str())).collect();
        assert_eq!(
            cycle,
            [
                (tasks[0], WaitFor::Lock(locks[1]), "src/bank.rs:31:18"),
                (tasks[1], WaitFor::Lock(locks[0]), "src/bank.rs:35:18")
            ]
        );
        assert_eq!(finding.cycle[0].held_location, "src/bank.rs:30:20");
        assert!(finding.message.starts_with("2 tasks have waited for each other for 1."), "{}", finding.message);
        assert!(finding.message.contains("at bank.rs:31, taken by `pay`"), "{}", finding.message);
        assert!(finding.advice.contains("same order"));
    }

    #[test]
    fn it_clears_when_one_of_them_gives_up() {
        let Pair { mut judged, tasks, locks, .. } = pair();
        judged.run(ms(2000));
        judged.only("deadlock");
        judged.target.task_state(tasks[0], |task| task.waits.clear());
        judged.target.lock_state(locks[1], |lock| lock.waiters = 0);
        judged.target.lock_state(locks[0], |lock| (lock.waiters, lock.held_since) = (0, None));
        judged.run(ms(1000));
        judged.expect_nothing();
    }

    #[test]
    fn a_task_that_may_go_on_by_something_else_is_in_no_circle() {
        // A select! with a message.
        let select: Change = |judged, task, site| {
            let made = judged.target.channel_site("src/bank.rs:5:5", "bank::Stop");
            let stop = judged.target.channel(made, Some(1));
            let since = judged.target.now;
            judged.target.task_state(task, |t| t.waits.push(Wait { on: WaitFor::Recv(stop), site, since }));
        };
        // A select! with more than is listed.
        let more: Change = |judged, task, _| judged.target.task_state(task, |task| task.flags.more_waits = true);
        // A limit of time.
        let timeout: Change = |judged, task, site| {
            let since = judged.target.now;
            judged.target.task_state(task, |t| t.waits.push(Wait { on: WaitFor::Timer(Duration::ZERO), site, since }));
        };
        // In the middle of a poll, or about to be in one.
        let runs: Change = |judged, task, _| judged.target.task_state(task, |task| task.state = TaskState::Running);
        let woken: Change = |judged, task, _| judged.target.task_state(task, |task| task.state = TaskState::Scheduled);
        for change in [select, more, timeout, runs, woken] {
            let Pair { mut judged, tasks, waits, .. } = pair();
            change(&mut judged, tasks[1], waits[1]);
            judged.run(ms(10_000));
            assert!(judged.active().iter().all(|f| f.rule != "deadlock"), "{:#?}", judged.active());
        }
    }

    #[test]
    fn a_holder_that_is_not_shown_closes_no_circle() {
        let Pair { mut judged, tasks, .. } = pair();
        judged.target.loss(Loss { tasks: 1, ..Loss::default() });
        judged.target.gone_task(tasks[1]);
        judged.run(ms(10_000));
        assert!(judged.active().iter().all(|f| f.rule != "deadlock"), "{:#?}", judged.active());
    }

    #[test]
    fn one_look_is_not_enough_however_old_it_is() {
        let Pair { mut judged, tasks, .. } = pair();
        judged.target.tick(ms(5000));
        judged.engine.evaluate(&judged.target.model);
        judged.expect_nothing();
        judged.target.task_state(tasks[0], |task| task.waits.clear());
        judged.tick(ms(100));
        judged.expect_no_alarm_of("deadlock");
    }

    #[test]
    fn a_task_that_awaits_another_while_it_holds_what_that_needs() {
        let Pair { mut judged, tasks, locks, waits } = pair();
        let since = judged.target.now;
        judged.target.lock_state(locks[1], |lock| (lock.holder, lock.held_since, lock.waiters) = (TaskId(0), None, 0));
        judged.target.task_state(tasks[0], |task| {
            task.waits = vec![Wait { on: WaitFor::Join(tasks[1]), site: waits[0], since }];
        });
        judged.run(ms(2000));
        let finding = judged.only("deadlock");
        assert_eq!(finding.confidence, Confidence::Likely);
        assert!(finding.advice.contains("await a task"), "{}", finding.advice);
        // By reference, it may be a select! that has gone on to something else.
        let spawned = judged.target.model.tasks[&tasks[1]].site;
        judged.target.task_state(tasks[0], |task| task.waits[0].site = spawned);
        judged.run(ms(1000));
        judged.expect_no_alarm_of("deadlock");
    }

    #[test]
    fn tasks_that_await_each_other_hold_nothing_and_are_found() {
        let Pair { mut judged, tasks, locks, waits } = pair();
        let since = judged.target.now;
        for n in 0..2 {
            judged.target.lock_state(locks[n], |lock| {
                (lock.holder, lock.held_since, lock.waiters) = (TaskId(0), None, 0);
            });
            judged.target.task_state(tasks[n], |task| {
                task.waits = vec![Wait { on: WaitFor::Join(tasks[1 - n]), site: waits[n], since }];
            });
        }
        judged.run(ms(2000));
        let finding = judged.only("deadlock");
        assert_eq!(finding.cycle.len(), 2);
        assert!(finding.message.contains("to end at bank.rs:31"), "{}", finding.message);
        judged.target.gone_task(tasks[1]);
        judged.run(ms(1000));
        judged.expect_nothing();
    }

    #[test]
    fn two_actors_that_send_to_each_other_with_full_mailboxes() {
        let Pair { mut judged, tasks, locks, waits } = pair();
        let made = judged.target.channel_site("src/actors.rs:3:3", "bank::Message");
        for lock in locks {
            judged.target.lock_state(lock, |lock| (lock.holder, lock.held_since, lock.waiters) = (TaskId(0), None, 0));
        }
        let since = judged.target.now;
        let mailboxes = [judged.target.channel(made, Some(4)), judged.target.channel(made, Some(4))];
        for n in 0..2 {
            judged.target.channel_state(mailboxes[n], |channel| {
                channel.sent = 4;
                channel.blocked_senders = 1;
                channel.sends_blocked = 1;
                channel.receiver_task = tasks[n];
                channel.last_recv_at = Some(since);
            });
            judged.target.task_state(tasks[n], |task| {
                task.waits = vec![Wait { on: WaitFor::Send(mailboxes[1 - n]), site: waits[n], since }];
            });
        }
        judged.run(ms(3000));
        let finding = judged.only("deadlock");
        assert_eq!(finding.subject.location, "src/bank.rs:35:18");
        assert!(finding.advice.contains("try_send"));
    }

    #[test]
    fn those_who_wait_behind_the_circle_are_its_effects() {
        let Pair { mut judged, tasks, locks, waits } = pair();
        let since = judged.target.now;
        let spawned = judged.target.spawn_site("src/report.rs:3:3", "bank::report::{{closure}}", OutputKind::Unit);
        let made = judged.target.lock_site("src/report.rs:9:9", "bank::Report");
        let (report, late) = (judged.target.lock(made), judged.target.task(spawned));
        judged.target.lock_state(locks[0], |lock| lock.waiters = 12);
        judged.target.lock_state(report, |lock| {
            lock.holder = late;
            lock.holder_site = waits[0];
            lock.held_since = Some(since);
            lock.waiters = 3;
        });
        judged.target.task_state(late, |task| {
            task.state_since = since.after(ms(1));
            task.waits = vec![Wait { on: WaitFor::Lock(locks[0]), site: waits[0], since }];
        });
        judged.run(ms(3000));
        let finding = judged.only("deadlock");
        assert!(finding.message.ends_with("; 11 more wait behind them"), "{}", finding.message);
        assert_eq!(finding.cycle.len(), 2);
        assert!(tasks.contains(&finding.cycle[0].task));
    }

    /// Holds of a lock that several may have, since now.
    fn shared(judged: &mut Judged, lock: LockId, holders: &[TaskId], site: SiteId) {
        let since = judged.target.now;
        judged.target.lock_state(lock, |lock| {
            (lock.holder, lock.held_since) = (TaskId(0), None);
            lock.holders = holders.iter().map(|&task| Holder { task, site, since, ..Holder::default() }).collect();
            lock.holder_count = holders.len() as u32;
            (lock.permits_total, lock.permits_available) = (holders.len() as u64, 0);
        });
    }

    #[test]
    fn tasks_that_hold_one_permit_each_and_wait_for_another() {
        let Pair { mut judged, tasks, waits, .. } = pair();
        let made = judged.target.lock_site("src/pool.rs:9:9", "Semaphore");
        let permits = judged.target.lock_of(LockKind::Semaphore, made);
        shared(&mut judged, permits, &tasks, waits[0]);
        judged.target.lock_state(permits, |lock| lock.waiters = 2);
        let since = judged.target.now;
        for task in tasks {
            judged.target.task_state(task, |task| {
                task.waits = vec![Wait { on: WaitFor::Lock(permits), site: waits[1], since }];
            });
        }
        judged.run(ms(3000));
        let cycle: Vec<_> = judged.only("deadlock").cycle.iter().map(|step| step.task).collect();
        assert_eq!(cycle, tasks);
        // Who comes back to the same line for the next one may have given the first away.
        for task in tasks {
            judged.target.task_state(task, |task| task.waits[0].site = waits[0]);
        }
        judged.run(ms(1000));
        judged.expect_no_alarm_of("deadlock");
        judged.expect_no_alarm_of("self-deadlock");
    }

    #[test]
    fn a_writer_waits_for_every_reader_one_of_which_waits_for_it() {
        let Pair { mut judged, tasks, locks, waits } = pair();
        let made = judged.target.lock_site("src/state.rs:9:9", "bank::Rates");
        let rates = judged.target.lock_of(LockKind::RwLock, made);
        let spawned = judged.target.spawn_site("src/report.rs:3:3", "bank::report::{{closure}}", OutputKind::Unit);
        let free = judged.target.task(spawned);
        // The first holds the mutex and wants to write; the second reads, with another, and wants the mutex.
        shared(&mut judged, rates, &[free, tasks[1]], waits[0]);
        judged.target.lock_state(rates, |lock| (lock.waiters, lock.waiting_writers) = (1, 1));
        judged.target.lock_state(locks[1], |lock| (lock.holder, lock.held_since, lock.waiters) = (TaskId(0), None, 0));
        let since = judged.target.now;
        judged.target.task_state(tasks[0], |task| {
            task.waits = vec![Wait { on: WaitFor::Lock(rates), site: waits[0], since }];
        });
        judged.run(ms(3000));
        let finding = judged.only("deadlock");
        assert_eq!(finding.cycle.len(), 2);
        assert!(finding.cycle.iter().all(|step| step.task != free), "{:#?}", finding.cycle);
    }

    #[test]
    fn who_reads_and_wants_to_read_again_waits_for_itself_where_a_writer_came_between() {
        let Pair { mut judged, tasks, locks, waits } = pair();
        for lock in locks {
            judged.target.lock_state(lock, |lock| (lock.holder, lock.held_since, lock.waiters) = (TaskId(0), None, 0));
        }
        judged.target.task_state(tasks[1], |task| task.waits.clear());
        let made = judged.target.lock_site("src/state.rs:9:9", "bank::Rates");
        let rates = judged.target.lock_of(LockKind::RwLock, made);
        shared(&mut judged, rates, &[tasks[0]], waits[1]);
        let since = judged.target.now;
        judged.target.lock_state(rates, |lock| lock.waiters = 1);
        judged.target.task_state(tasks[0], |task| {
            task.waits = vec![Wait { on: WaitFor::Read(rates), site: waits[0], since }];
        });
        judged.run(ms(2000));
        judged.expect_no_alarm_of("self-deadlock");
        judged.target.lock_state(rates, |lock| (lock.waiters, lock.waiting_writers) = (2, 1));
        judged.run(ms(1000));
        judged.only("self-deadlock");
    }

    #[test]
    fn ten_pairs_at_the_same_lines_are_one_finding() {
        let Pair { mut judged, waits, .. } = pair();
        let made = judged.target.lock_site("src/bank.rs:9:9", "bank::Account");
        let site = judged.target.spawn_site("src/bank.rs:40:9", "bank::pay::{{closure}}", OutputKind::Unit);
        let since = judged.target.now;
        for _ in 0..9 {
            let locks = [judged.target.lock(made), judged.target.lock(made)];
            let tasks = [judged.target.task(site), judged.target.task(site)];
            for n in 0..2 {
                judged.target.lock_state(locks[n], |lock| {
                    (lock.holder, lock.held_since, lock.waiters) = (tasks[n], Some(since), 1);
                });
                judged.target.task_state(tasks[n], |task| {
                    task.waits = vec![Wait { on: WaitFor::Lock(locks[1 - n]), site: waits[n], since }];
                });
            }
        }
        judged.run(ms(2000));
        assert_eq!(evidence(&judged.only("deadlock"), "alike_from_this_line").value, 9);
    }
}
