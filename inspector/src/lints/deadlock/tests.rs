//! Cycles that are made up, one after the other.
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
            task.waits = [Wait { on: WaitFor::Lock(locks[1 - n]), site: waits[n], since }].into();
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
    assert_eq!(finding.message, "Deadlock: 2 `pay` tasks wait for each other's Mutex `Account`");
    assert!(finding.advice.contains("same order"));
}

#[test]
fn tasks_of_which_one_waits_for_something_else_too_are_no_circle() {
    let Pair { mut judged, .. } = pair();
    judged.only_waits = Some(false);
    judged.run(ms(20_000));
    judged.expect_no_alarm_of("deadlock");
}

#[test]
fn a_circle_of_tasks_that_cannot_be_looked_at_is_likely_and_said_later() {
    let Pair { mut judged, .. } = pair();
    judged.only_waits = None;
    judged.run(ms(3000));
    judged.expect_no_alarm_of("deadlock");
    judged.run(ms(500));
    assert_eq!(judged.only("deadlock").confidence, Confidence::Likely);
}

#[test]
fn where_the_lines_that_wait_are_not_told_nobody_says_that_they_are_the_same() {
    let Pair { mut judged, tasks, locks, .. } = pair();
    for (n, task) in tasks.into_iter().enumerate() {
        let since = judged.target.now;
        judged.target.task_state(task, |task| {
            task.waits = [Wait { on: WaitFor::Lock(locks[1 - n]), site: SiteId(0), since }].into();
        });
    }
    judged.run(ms(1600));
    let advice = &judged.only("deadlock").advice;
    assert!(advice.starts_with("Take these locks in the same order everywhere."), "{advice}");
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
        task.waits = [Wait { on: WaitFor::Join(tasks[1]), site: waits[0], since }].into();
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
            task.waits = [Wait { on: WaitFor::Join(tasks[1 - n]), site: waits[n], since }].into();
        });
    }
    judged.run(ms(2000));
    let finding = judged.only("deadlock");
    assert_eq!(finding.cycle.len(), 2);
    assert!(finding.message.contains(" to end, `pay` #"), "{}", finding.message);
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
            task.waits = [Wait { on: WaitFor::Send(mailboxes[1 - n]), site: waits[n], since }].into();
        });
    }
    judged.run(ms(3000));
    let finding = judged.only("deadlock");
    assert_eq!(finding.subject.location, "src/bank.rs:35:18");
    assert!(finding.advice.contains("send from a task of its own"));
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
        task.waits = [Wait { on: WaitFor::Lock(locks[0]), site: waits[0], since }].into();
    });
    judged.run(ms(3000));
    let finding = judged.only("deadlock");
    assert!(finding.message.ends_with("; 11 more wait for the same"), "{}", finding.message);
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
            task.waits = [Wait { on: WaitFor::Lock(permits), site: waits[1], since }].into();
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
        task.waits = [Wait { on: WaitFor::Lock(rates), site: waits[0], since }].into();
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
        task.waits = [Wait { on: WaitFor::Read(rates), site: waits[0], since }].into();
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
                task.waits = [Wait { on: WaitFor::Lock(locks[1 - n]), site: waits[n], since }].into();
            });
        }
    }
    judged.run(ms(2000));
    assert_eq!(evidence(&judged.only("deadlock"), "alike_from_this_line").value, 9);
}
