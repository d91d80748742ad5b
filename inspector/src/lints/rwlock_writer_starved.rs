//! A writer that waits for readers.
use std::time::Duration;

use super::culprit::Culprit;
use super::rule::{Candidate, Cx, Rule, Threshold};
use super::{Evidence, Severity, wait_graph, words};
use crate::model::{Lock, LockKind};
use crate::text;

const HELD: Threshold =
    Threshold::millis("held", 1000, "a reader has held the lock for longer than this, and a writer waits");

pub(super) const RULE: Rule = Rule {
    id: "rwlock-writer-starved",
    severity: Severity::Warn,
    summary: "a writer waits for an RwLock that readers keep for long",
    explain: EXPLAIN,
    thresholds: &[HELD],
    enter_after: Duration::from_millis(500),
    leave_after: Duration::from_secs(2),
    subsumed_by: &[
        "deadlock",
        "self-deadlock",
        "sync-lock-in-async",
        "block-on-in-async",
        "blocked-worker",
        "receiver-stalled",
        "channel-saturated",
        "lock-hog",
    ],
    evaluate,
};

const EXPLAIN: &str = "\
A task wants to write to what an `RwLock` guards, and a reader has kept it for more than a second. The line that is
named is the reader's.

Why it hurts
  tokio's `RwLock` is fair: once a writer waits, all who come after it wait too, readers included. One slow reader and
  one writer are enough to stop everybody.

WRONG
  let rates = state.rates.read().await;
  for client in &clients {
      client.send(&rates).await?;                   // a slow client keeps the writer out, and all readers behind it
  }

RIGHT
  let rates = state.rates.read().await.clone();     // or an Arc inside, cloned; the guard goes at the end of the line
  for client in &clients {
      client.send(&rates).await?;
  }

  // a value that is replaced as a whole: watch
  let rates = state.rates.borrow().clone();

Thresholds
  held = 1.00 s   a reader has held the lock for longer than this, and a writer waits
";

/// Whether this rule has to say what is wrong with the lock now: readers have it, and a writer waits.
pub(super) fn is_about(lock: &Lock) -> bool {
    lock.kind == LockKind::RwLock
        && lock.waiting_writers > 0
        && !lock.holders.is_empty()
        && lock.holders.iter().all(|holder| !holder.exclusive)
}

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    out.extend(cx.model.locks.values().filter(|lock| is_about(lock)).filter_map(|lock| judge(cx, lock)));
}

fn judge(cx: &Cx, lock: &Lock) -> Option<Candidate> {
    let model = cx.model;
    let reader = lock.holders.iter().min_by_key(|holder| (holder.since, holder.task))?;
    let held = model.lasted(reader.since);
    if held <= cx.span(&HELD) || cx.is_stuck(reader.task) {
        return None;
    }
    let place = words::place(model, reader.site);
    let made_at = words::place(model, lock.site);
    let group = if made_at.is_empty() { format!("{:?}", lock.id) } else { made_at.to_owned() };
    let subject = words::lock_subject(model, lock, place);
    let readers = lock.waiters.saturating_sub(lock.waiting_writers);
    let (writers, it) = match lock.waiting_writers {
        1 => ("1 writer waits".to_owned(), "it"),
        n => (format!("{} writers wait", text::count(n.into())), "them"),
    };
    let behind = match readers {
        0 => String::new(),
        1 => format!(", and 1 reader queues behind {it}"),
        n => format!(", and {} readers queue behind {it}", text::count(n.into())),
    };
    let at = if place.is_empty() { String::new() } else { format!(" taken at {}", text::file_line(place)) };
    let who = if reader.task.0 == 0 { words::no_task(model).to_owned() } else { words::task(model, reader.task) };
    let mut evidence = vec![
        Evidence::span("read_held_for_ns", held).over(cx.limit_text(&HELD)),
        Evidence::count("waiting_writers", lock.waiting_writers.into()),
        Evidence::count("waiting_readers", readers.into()),
        Evidence::count("readers", lock.holder_count.into()).aside(),
        Evidence::words("acquired_location", place),
        Evidence::words("created_location", made_at),
    ];
    if reader.task.0 != 0 {
        evidence.push(Evidence::task("holder_task", reader.task));
    }
    let slow = match words::at(&words::long_wait_place(model, reader.task, held)) {
        at if at.is_empty() => "anything slow".to_owned(),
        at => format!("the wait{at}"),
    };
    let mut further = wait_graph::behind(model, reader.task);
    further.extend(wait_graph::told_of_knot(model, lock, reader.task).map(|l| words::place(model, l.site).to_owned()));
    further.retain(|place| *place != group);
    Some(Candidate {
        message: format!(
            "{who} has kept a read guard of RwLock `{}` for {}: {writers} for it{behind}",
            subject.name,
            text::duration(held)
        ),
        evidence,
        advice: format!(
            "Clone what is read, or keep an Arc of it in the lock and clone that, and drop the guard{at} before {slow}."
        )
        .into(),
        began: Some(reader.since),
        passing: true,
        hurt: lock.waiters.into(),
        behind: further,
        culprit: Culprit::of("reader", reader.task),
        ..Candidate::enter(subject, &group, Severity::Warn)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn read_lock() -> (Judged, LockId) {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/state.rs:9:9", "shop::Rates");
        let lock = judged.target.lock_of(LockKind::RwLock, made);
        let spawned = judged.target.spawn_site("src/push.rs:3:3", "shop::push::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(spawned);
        let site = judged.target.call_site("src/push.rs:20:35");
        judged.settle();
        let since = judged.target.now;
        judged.target.lock_state(lock, |lock| {
            (lock.holder, lock.holder_site, lock.held_since) = (task, site, Some(since));
            lock.holders = vec![Holder { task, site, since, ..Holder::default() }];
            lock.holder_count = 1;
        });
        judged.target.task_state(task, |task| (task.state, task.state_since) = (TaskState::Idle, since));
        (judged, lock)
    }

    #[test]
    fn a_writer_that_waits_for_a_slow_reader_is_found_at_the_readers_line() {
        let (mut judged, lock) = read_lock();
        judged.target.lock_state(lock, |lock| (lock.waiters, lock.waiting_writers) = (6, 1));
        judged.run(ms(1000));
        judged.expect_nothing();
        judged.run(ms(1000));
        let finding = judged.only("rwlock-writer-starved");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/push.rs:20:35"));
        assert!(
            finding.message.starts_with("`push` #")
                && finding.message.contains(" has kept a read guard of RwLock `Rates` for ")
                && finding.message.ends_with(": 1 writer waits for it, and 5 readers queue behind it"),
            "{}",
            finding.message
        );
        judged.target.lock_state(lock, |lock| (lock.waiters, lock.waiting_writers) = (0, 0));
        judged.run(ms(2500));
        judged.expect_no_alarm();
    }

    #[test]
    fn a_long_reader_that_keeps_nobody_out_is_nothing() {
        let (mut judged, _) = read_lock();
        judged.run(ms(9000));
        judged.expect_no_alarm();
    }

    #[test]
    fn a_reader_is_told_to_drop_its_guard_before_the_wait_that_has_lasted_and_not_before_the_one_it_is_met_in() {
        let (mut judged, lock) = read_lock();
        judged.run(ms(100));
        let task = judged.target.model.locks[&lock].holders[0].task;
        let lines = ["src/push.rs:21:9", "src/push.rs:22:9"].map(|line| judged.target.call_site(line));
        let waits_at = |judged: &mut Judged, site: SiteId| {
            let since = judged.target.now;
            let on = WaitFor::Timer(ms(60_000));
            judged.target.task_state(task, |task| {
                task.state_since = since;
                task.waits = [Wait { on, site, since }].into();
            });
        };
        judged.target.lock_state(lock, |lock| (lock.waiters, lock.waiting_writers) = (6, 1));
        judged.run(ms(2000));
        let mut said = std::collections::BTreeSet::new();
        for n in 0..20 {
            waits_at(&mut judged, lines[n % 2]);
            judged.run(ms(2500));
            if n > 1 {
                said.insert(judged.only("rwlock-writer-starved").advice.clone());
            }
        }
        assert!(said.len() == 1 && said.iter().all(|advice| advice.ends_with(" before anything slow.")), "{said:?}");
        waits_at(&mut judged, lines[0]);
        judged.run(ms(60_000));
        let advice = &judged.only("rwlock-writer-starved").advice;
        assert!(advice.ends_with(" before the wait at push.rs:21."), "{advice}");
    }

    #[test]
    fn writers_that_come_and_go_are_nothing() {
        let (mut judged, lock) = read_lock();
        let mut n = 0;
        judged.every(ms(9000), |target| {
            n += 1;
            target.lock_state(lock, |lock| {
                (lock.waiters, lock.waiting_writers) = (n % 2, n % 2);
            });
        });
        judged.expect_no_alarm_of("rwlock-writer-starved");
    }
}
