//! Waits that go on and on, as only a target that means harm has them.
use super::*;
use crate::lints::wait_graph::LOOKS;

/// So many tasks, each with a lock that the next one waits for. The first waits for a timer, or for the last one's lock.
fn chain(tasks: usize, closed: bool) -> Judged {
    let mut judged = Judged::new();
    let made = judged.target.lock_site("src/bank.rs:9:9", "bank::Account");
    let spawned = judged.target.spawn_site("src/bank.rs:40:9", "bank::pay::{{closure}}", OutputKind::Unit);
    let (holds, waits) = (judged.target.call_site("src/bank.rs:30:20"), judged.target.call_site("src/bank.rs:31:18"));
    let locks: Vec<LockId> = (0..tasks).map(|_| judged.target.lock(made)).collect();
    let tasks: Vec<TaskId> = locks.iter().map(|_| judged.target.task(spawned)).collect();
    judged.settle();
    let since = judged.target.now;
    for (n, (&lock, &task)) in locks.iter().zip(&tasks).enumerate() {
        judged.target.lock_state(lock, |lock| {
            (lock.holder, lock.holder_site, lock.held_since, lock.waiters) = (task, holds, Some(since), 1);
        });
        let on = match n.checked_sub(1) {
            Some(before) => WaitFor::Lock(locks[before]),
            None if closed => WaitFor::Lock(locks[locks.len() - 1]),
            None => WaitFor::Timer(Duration::ZERO),
        };
        judged.target.task_state(task, |task| {
            (task.state, task.state_since) = (TaskState::Idle, since);
            task.waits = [Wait { on, site: waits, since }].into();
        });
    }
    judged.run(ms(2000));
    judged
}

/// Looks that one judgement of such a chain takes.
fn looks(tasks: usize, closed: bool) -> usize {
    let mut judged = chain(tasks, closed);
    LOOKS.set(0);
    judged.tick(ms(100));
    LOOKS.get()
}

#[test]
fn a_chain_takes_looks_by_its_length_and_not_by_the_square_of_it() {
    for closed in [false, true] {
        let (short, long) = (looks(200, closed), looks(800, closed));
        assert!(short >= 200, "{short}");
        assert!(long <= short * 5, "{short} looks at a chain of 200, {long} at one of 800");
    }
}

#[test]
fn a_long_chain_that_ends_is_no_deadlock_and_a_long_circle_is_one() {
    chain(300, false).expect_no_alarm_of("deadlock");
    assert_eq!(chain(300, true).only("deadlock").cycle.len(), 300);
}
