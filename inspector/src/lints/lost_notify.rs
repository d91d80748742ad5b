//! A notification that came before anybody waited for it.
use std::time::Duration;

use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::{Confidence, Evidence, LocationRole, Severity, Spot, words};
use crate::model::{Lock, LockId, LockKind, Model, SiteId, Stamp, Task, TaskId, WaitFor};
use crate::text;

const LASTING: Threshold = Threshold::millis(
    "lasting",
    3000,
    "notify_waiters found nobody so long ago, nobody was notified since, and some wait",
);

const RACE: Threshold =
    Threshold::millis("race", 500, "who began to wait no later than this after it, has just missed it; later: info");

pub(super) const RULE: Rule = Rule {
    id: "lost-notify",
    severity: Severity::Warn,
    summary: "notify_waiters found nobody waiting, and somebody who came later waits",
    explain: EXPLAIN,
    thresholds: &[LASTING, RACE],
    enter_after: Duration::from_millis(200),
    leave_after: Duration::from_millis(500),
    subsumed_by: &["deadlock"],
    evaluate,
};

const EXPLAIN: &str = "\
`Notify::notify_waiters` was called when nobody was waiting, and tasks that came later wait for a notification that has
already been.

Why it hurts
  `notify_waiters` wakes those who wait at that moment and stores nothing. Who looks at the condition, finds it not met,
  and only then begins to wait, may miss the one notification there is, and waits for ever.

WRONG
  if !ready.load(Acquire) {
      notify.notified().await;                      // set and notified between the look and the wait
  }

RIGHT
  let notified = notify.notified();                 // from here on nothing is missed
  if !ready.load(Acquire) {
      notified.await;
  }

  // if only one task waits: notify_one, which stores a permit; for a state rather than an event: watch
  let _ = state.wait_for(|ready| *ready).await;

Thresholds
  lasting = 3.00 s   notify_waiters found nobody so long ago, nobody was notified since, and some wait
  race    = 500 ms   who began to wait no later than this after it, has just missed it; later: info

Only those count who call `notified()` and await it in one expression: whoever calls it first and looks after that has
missed nothing, and waits for the next one. Who comes long after a notification may do so as well: an event for whoever
waits at that moment, of which the first ones reach nobody, looks the same.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let notifies = cx.model.locks.values().filter(|lock| lock.kind == LockKind::Notify);
    let lost = |lock: &&Lock| lock.lost_notifies > 0 && waiters(lock) > 0 && lock.acquires == 0;
    out.extend(notifies.filter(lost).filter_map(|lock| judge(cx, lock)));
}

/// Those that may have missed it.
fn waiters(lock: &Lock) -> u32 {
    lock.waiting_writers.min(lock.waiters)
}

/// Of those who wait for it, the one that came first, since when and where. Nothing tells whom to ask, so of very many tasks
/// it may not be found.
fn waiting(model: &Model, lock: LockId) -> Option<(Stamp, TaskId, SiteId)> {
    const LOOKED_AT: usize = 4096;
    let waits = |task: &Task| {
        let wait = task.waits.iter().find(|wait| wait.on == WaitFor::Lock(lock))?;
        Some((wait.since, task.id, wait.site))
    };
    model.tasks.values().take(LOOKED_AT).filter_map(waits).min()
}

fn judge(cx: &Cx, lock: &Lock) -> Option<Candidate> {
    let model = cx.model;
    let at = lock.last_lost_notify_at?;
    let ago = model.lasted(at);
    if ago <= cx.span(&LASTING) || lock.permits_available > 0 {
        return None;
    }
    let place = words::place(model, lock.last_lost_notify_site);
    let made_at = words::place(model, lock.site);
    let group = if made_at.is_empty() { format!("{:?}", lock.id) } else { made_at.to_owned() };
    let subject = words::lock_subject(model, lock, "").at(place, LocationRole::Notified);
    let waiters = waiters(lock);
    let (who, them) = match waiters {
        1 => ("1 task that came later waits".to_owned(), "it"),
        n => (format!("{} that came later wait", text::counted(n.into(), "task")), "them"),
    };
    let by = words::at(place);
    let waiting = waiting(model, lock.id);
    let waits_at = waiting.map_or("", |(_, _, site)| words::place(model, site));
    let there = if waits_at.is_empty() { String::new() } else { format!(" at {}", text::file_line(waits_at)) };
    // It stores one permit, which does not help several.
    let one = match waiters {
        1 => format!(". Or call notify_one{by} instead, which is remembered for one waiter"),
        _ => String::new(),
    };
    let mut evidence = vec![
        Evidence::span("lost_notify_ago_ns", ago).over(cx.limit_text(&LASTING)),
        Evidence::words("waiting_location", waits_at),
        Evidence::count("lost_notifies", lock.lost_notifies).aside(),
        Evidence::count("waiters", waiters.into()),
        Evidence::words("notify_location", place),
        Evidence::words("created_location", made_at),
    ];
    evidence.extend(waiting.map(|(_, task, _)| {
        let one = Evidence::task("waiting_task", task);
        Evidence { text: words::task(model, task), aside: false, ..one }
    }));
    // Between the look and the wait is a moment. Who came long after may have come for the next one.
    let raced = waiting.is_some_and(|(since, ..)| since.since(at) <= cx.span(&RACE));
    let severity = if raced { Severity::Warn } else { Severity::Info };
    Some(Candidate {
        message: format!(
            "notify_waiters{by} was called {} ago, when nobody waited: {who}{there}, and nothing has notified {them}",
            text::duration(ago)
        ),
        evidence,
        advice: format!(
            "Wait for a state{there} instead, which nobody can miss: a watch channel and wait_for(|ready| *ready).await{one}."
        )
        .into(),
        // Those who wait may have come for the next one.
        confidence: Confidence::Likely,
        open: Spot::of(waits_at, LocationRole::Waits),
        count: Count::Total(lock.lost_notifies),
        began: lock.last_lost_notify_at,
        hurt: waiters.into(),
        ..Candidate::enter(subject, &group, severity)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn notify() -> (Judged, LockId) {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/cache.rs:9:30", "Notify");
        let lock = judged.target.lock_of(LockKind::Notify, made);
        let site = judged.target.call_site("src/cache.rs:40:15");
        judged.settle();
        let now = judged.target.now;
        judged.target.lock_state(lock, |lock| {
            (lock.lost_notifies, lock.last_lost_notify_at, lock.last_lost_notify_site) = (1, Some(now), site);
        });
        (judged, lock)
    }

    /// Somebody begins to wait for it, now.
    fn comes(judged: &mut Judged, lock: LockId) {
        let spawned = judged.target.spawn_site("src/cache.rs:20:5", "shop::warm::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(spawned);
        let (site, since) = (SiteId(0), judged.target.now);
        judged.target.task_state(task, |task| task.waits = [Wait { on: WaitFor::Lock(lock), site, since }].into());
        judged.target.lock_state(lock, |lock| (lock.waiters, lock.waiting_writers) = (3, 3));
    }

    #[test]
    fn who_comes_long_after_it_may_wait_for_the_next_one() {
        let (mut judged, lock) = notify();
        judged.run(ms(1000));
        comes(&mut judged, lock);
        judged.run(ms(4000));
        assert_eq!(judged.only("lost-notify").severity, Severity::Info);
    }

    #[test]
    fn who_waits_for_what_has_been_is_found() {
        let (mut judged, lock) = notify();
        comes(&mut judged, lock);
        judged.run(ms(2900));
        judged.expect_nothing();
        judged.run(ms(600));
        let finding = judged.only("lost-notify");
        assert_eq!((finding.severity, finding.confidence), (Severity::Warn, Confidence::Likely));
        assert_eq!(finding.subject.location, "src/cache.rs:40:15");
        assert_eq!(
            finding.message,
            "notify_waiters at cache.rs:40 was called 3.50 s ago, when nobody waited: 3 tasks that came later wait, and \
             nothing has notified them"
        );
        assert!(!finding.advice.contains("notify_one"), "it helps one: {}", finding.advice);
        judged.target.lock_state(lock, |lock| (lock.waiters, lock.waiting_writers, lock.acquires) = (0, 0, 3));
        judged.run(ms(1000));
        judged.expect_nothing();
    }

    #[test]
    fn notifications_that_reach_somebody_now_and_then_are_events() {
        let (mut judged, lock) = notify();
        judged.target.lock_state(lock, |lock| (lock.waiters, lock.waiting_writers, lock.acquires) = (1, 1, 20));
        judged.run(ms(20_000));
        judged.expect_nothing();
    }

    #[test]
    fn who_looks_after_it_began_to_listen_waits_for_the_next_one() {
        let (mut judged, lock) = notify();
        judged.target.lock_state(lock, |lock| (lock.waiters, lock.waiting_writers) = (3, 0));
        judged.run(ms(20_000));
        judged.expect_nothing();
    }

    #[test]
    fn a_notification_that_nobody_needs_is_nothing() {
        let (mut judged, _) = notify();
        judged.run(ms(20_000));
        judged.expect_nothing();
    }
}
