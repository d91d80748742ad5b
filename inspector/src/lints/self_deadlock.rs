//! A task that waits for what only it can give.
use std::time::Duration;

use super::deadlock::{self, RESTART, UNSEEN, circles};
use super::rule::{Candidate, Cx, Rule, Threshold};
use super::wait_graph::Edge;
use super::{Severity, words};
use crate::model::{SiteId, WaitFor};

const LASTING: Threshold = Threshold::millis("lasting", 1000, "each wait in the cycle has lasted longer than this");

pub(super) const RULE: Rule = Rule {
    id: "self-deadlock",
    severity: Severity::Crit,
    summary: "a task waits for a lock that it holds itself, or for its own reading",
    explain: EXPLAIN,
    thresholds: &[LASTING, UNSEEN],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_millis(500),
    subsumed_by: &[],
    evaluate: |cx, out| out.extend(circles(cx).iter().filter(|c| c.len() == 1).filter_map(|c| accuse(cx, c))),
};

const EXPLAIN: &str = "\
A task waits for a lock while it holds the guard of that same lock, or for room in a channel that only it reads.

Why it hurts
  It waits for itself, for ever. tokio's locks are not reentrant: the second `lock().await` does not know that the
  first one is the same task's. Everybody who needs the lock after that stops as well.

WRONG
  let mut orders = self.orders.lock().await;
  orders.push(order);
  self.save_all().await;                            // locks `orders` again

RIGHT
  {
      let mut orders = self.orders.lock().await;
      orders.push(order);
  }                                                 // the guard goes before anybody else may want it
  self.save_all().await;

  // or hand the guard on
  let mut orders = self.orders.lock().await;
  orders.push(order);
  save(&orders).await;

Thresholds
  lasting = 1.00 s   each wait in the cycle has lasted longer than this
  unseen  = 3.00 s   the same, where a task of it cannot be looked at for what else it may wait for

Nothing is said of a task that was looked at and waits for something else beside: of futures that it runs at once, in a
`join!` or a `FuturesUnordered`, one may hold what another waits for, and give it back.
";

fn accuse(cx: &Cx, circle: &[Edge]) -> Option<Candidate> {
    let edge = circle.first()?;
    let who = words::task(cx.model, edge.task.id);
    let waits = words::wait(cx.model, edge.wait.on);
    let at = |site: SiteId| words::at(words::place(cx.model, site));
    let (locked, again) = (edge.held.map(|(site, _)| at(site)).unwrap_or_default(), at(edge.wait.site));
    let (own, advice) = match edge.wait.on {
        WaitFor::Lock(_) | WaitFor::Read(_) => (
            format!(
                ", which it holds itself{}",
                if locked.is_empty() { locked.clone() } else { format!(": locked{locked}") }
            ),
            format!(
                "Drop the guard{} before the call that locks again{again}, or hand that call the data instead of the lock. \
                 {RESTART}",
                if locked.is_empty() { locked.clone() } else { format!(" taken{locked}") }
            ),
        ),
        WaitFor::Send(_) | WaitFor::Recv(_) => {
            (", of which it is itself the receiver".to_owned(), format!("Send from a task of its own. {RESTART}"))
        }
        _ => (", which is itself".to_owned(), "Do not give a task its own handle to await.".to_owned()),
    };
    let candidate = deadlock::judge(cx, circle, |_| format!("Deadlock: {who} waits for ever {waits}{again}{own}"))?;
    Some(Candidate { advice: advice.into(), ..candidate })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn holder() -> (Judged, TaskId, LockId, SiteId) {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/orders.rs:9:9", "shop::Orders");
        let lock = judged.target.lock(made);
        let spawned = judged.target.spawn_site("src/main.rs:40:9", "shop::place::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(spawned);
        let acquired = judged.target.call_site("src/orders.rs:20:30");
        let waiting = judged.target.call_site("src/orders.rs:28:30");
        judged.settle();
        let now = judged.target.now;
        judged.target.lock_state(lock, |lock| {
            lock.holder = task;
            lock.holder_site = acquired;
            lock.held_since = Some(now);
            lock.waiters = 1;
        });
        let since = now.after(ms(1));
        judged.target.task_state(task, |task| {
            task.state = TaskState::Idle;
            task.state_since = since;
            task.waits = [Wait { on: WaitFor::Lock(lock), site: waiting, since }].into();
        });
        (judged, task, lock, waiting)
    }

    #[test]
    fn a_task_that_locks_what_it_holds_is_named_with_both_lines() {
        let (mut judged, task, lock, _) = holder();
        judged.run(ms(2000));
        let finding = judged.only("self-deadlock");
        assert_eq!(finding.severity, Severity::Crit);
        assert_eq!(finding.subject.kind, SubjectKind::Lock(lock));
        assert_eq!(finding.subject.location, "src/orders.rs:28:30");
        let message = format!(
            "Deadlock: `place` {} waits for ever for Mutex `Orders` at orders.rs:28, which it holds itself: locked at \
             orders.rs:20",
            crate::text::task_id(task)
        );
        assert_eq!(finding.message, message);
        assert!(finding.advice.contains("taken at orders.rs:20"), "{}", finding.advice);
        assert_eq!(finding.cycle.len(), 1);
    }

    #[test]
    fn the_same_line_twice_is_a_deadlock_unless_the_guard_can_be_given_away() {
        for gives_away in [false, true] {
            let (mut judged, task, lock, waiting) = holder();
            judged.target.lock_state(lock, |lock| (lock.holder_site, lock.holder_may_move) = (waiting, gives_away));
            judged.run(ms(2000));
            let found = judged.active().iter().any(|finding| finding.rule == "self-deadlock");
            assert_eq!(found, !gives_away, "{task:?} {:#?}", judged.active());
        }
    }

    #[test]
    fn others_who_wait_for_the_lock_are_counted_and_no_findings_of_their_own() {
        let (mut judged, _, lock, _) = holder();
        judged.target.lock_state(lock, |lock| lock.waiters = 21);
        judged.run(ms(3000));
        let finding = judged.only("self-deadlock");
        assert!(finding.message.ends_with("; 20 more wait for the same"), "{}", finding.message);
    }

    #[test]
    fn a_task_that_waits_for_its_lock_in_a_select_is_not_stuck() {
        let (mut judged, task, _, site) = holder();
        let made = judged.target.channel_site("src/main.rs:5:5", "shop::Stop");
        let stop = judged.target.channel(made, None);
        let since = judged.target.now;
        judged.target.task_state(task, |task| task.waits.push(Wait { on: WaitFor::Recv(stop), site, since }));
        judged.run(ms(5000));
        judged.expect_no_alarm_of("self-deadlock");
    }

    #[test]
    fn of_futures_that_one_task_runs_at_once_one_may_give_the_lock_back() {
        let (mut judged, ..) = holder();
        judged.only_waits = Some(false);
        judged.run(ms(20_000));
        judged.expect_no_alarm_of("self-deadlock");
    }

    #[test]
    fn it_clears_when_the_lock_is_free() {
        let (mut judged, task, lock, _) = holder();
        judged.run(ms(2000));
        judged.only("self-deadlock");
        judged.target.task_state(task, |task| task.waits.clear());
        judged.target.lock_state(lock, |lock| (lock.held_since, lock.holder, lock.waiters) = (None, TaskId(0), 0));
        judged.run(ms(600));
        judged.expect_nothing();
    }
}
