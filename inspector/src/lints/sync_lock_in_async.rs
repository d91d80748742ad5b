//! A task that waits for a blocking lock.
use std::time::Duration;

use super::culprit::Culprit;
use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::stuck_poll::{Place, STARTUP, places};
use super::{Evidence, LocationRole, Severity, Spot, words};
use crate::model::StackCause;
use crate::text;

const BLOCKED: Threshold =
    Threshold::millis("blocked", 100, "a poll has stood in a blocking lock for longer than this");

pub(super) const RULE: Rule = Rule {
    id: "sync-lock-in-async",
    severity: Severity::Crit,
    summary: "a task blocks its worker thread in a std or parking_lot lock",
    explain: EXPLAIN,
    thresholds: &[BLOCKED, STARTUP],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(3),
    subsumed_by: &[],
    evaluate: |cx, out| {
        out.extend(places(cx, StackCause::Lock, cx.span(&STARTUP)).iter().filter_map(|place| accuse(cx, place)));
    },
};

const EXPLAIN: &str = "\
The stack of a poll that does not end stands in a blocking lock: std's `Mutex` or `RwLock`, or parking_lot's.

Why it hurts
  A task that waits for such a lock does not give its thread back. The worker runs nothing else until the holder lets
  go, and the holder may be a task that waits for this very worker: then nothing moves again.

WRONG
  let mut index = state.index.lock().unwrap();      // std::sync::Mutex; a rebuild holds it for 400 ms
  index.insert(key, value);

RIGHT
  let fresh = rebuild();                            // without the lock
  *state.index.lock().unwrap() = fresh;             // held for a moment: then a std Mutex is fine, and fast

  // where it must be held for long, or over an await
  let mut index = state.index.lock().await;         // tokio::sync::Mutex
  // or never wait for it: an Arc that is swapped

Thresholds
  blocked = 100 ms   a poll has stood in a blocking lock for longer than this
  startup = 5.00 s   for so long after its start, what `main` does between awaits is set-up, not a fault

Nothing is said without a stack that shows it, more than once.
";

fn accuse(cx: &Cx, place: &Place) -> Option<Candidate> {
    if place.longest <= cx.span(&BLOCKED) {
        return None;
    }
    let subject = place.subject(cx);
    let (who, at) = (&subject.name, place.at());
    let lasting = text::duration(place.longest);
    let lock = kind(place);
    let message = match place.now {
        0 => format!("`{who}` waited {lasting} for a {lock} {at}, and its worker stood still with it"),
        1 => format!("`{who}` has waited {lasting} for a {lock} {at}, and its worker stands still with it"),
        n => format!("`{who}` waits for a {lock} {at}, up to {lasting}, and {n} workers stand still with it"),
    };
    let group = place.location.clone();
    let mut evidence = place.evidence(&cx.limit_text(&BLOCKED));
    let kept_by = place.may_be_kept_by();
    let (mut holder, mut open) = ("whoever holds that lock for so long".to_owned(), None);
    if let Some((one, times, of)) = kept_by {
        let site = cx.model.sites.get(&one.spawned);
        let name = site
            .map_or_else(|| words::task(cx.model, one.task), |site| format!("`{}`", words::site_subject(site).name));
        let location = site.map_or("", |site| site.location.as_str());
        let spawned =
            if location.is_empty() { String::new() } else { format!(" (spawned at {})", text::file_line(location)) };
        let why = format!("it alone ran all through {times} of {of} such waits");
        let whole = Evidence::words("may_be_held_by", format!("{name}{spawned}: {why}"));
        evidence.insert(1, Evidence { text: why, ..whole });
        holder = format!("{name}, which very likely holds that lock for so long");
        open = Spot::of(location, LocationRole::Spawned);
    }
    Some(Candidate {
        message,
        evidence,
        advice: format!(
            "Change {holder}. It must compute and wait before it locks, and lock only to \
             swap the result in."
        )
        .into(),
        open,
        culprit: kept_by.map(|(one, ..)| Culprit::spawned("likely holder", one.task, one.spawned)),
        onset: Some(place.stack.poll_started),
        count: Count::Events(place.polls.iter().map(|&at| (at, 1)).collect()),
        hurt: place.now.max(1),
        causes: place.causes(cx),
        ..Candidate::enter(subject, &group, Severity::Crit)
    })
}

/// Whose lock it is, as the calls below the app's own line tell.
fn kind(place: &Place) -> &'static str {
    let inner = || place.stack.frames.iter().take_while(|frame| !frame.user).map(|frame| frame.function.as_str());
    let of = |parts: &[&str]| inner().any(|function| parts.iter().any(|of| function.contains(of)));
    let (rw_lock, mutex) = (of(&["::rwlock::", "::raw_rwlock::"]), of(&["::mutex::", "::raw_mutex::"]));
    match (of(&["parking_lot", "lock_api::"]), of(&["std::sync::", "std::sys::"])) {
        (true, _) if rw_lock => "parking_lot RwLock",
        (true, _) if mutex => "parking_lot Mutex",
        (true, _) => "parking_lot lock",
        (_, true) if rw_lock => "std RwLock",
        (_, true) if mutex => "std Mutex",
        (_, true) => "std lock",
        _ => "blocking lock",
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;
    use crate::model::StackCause;

    #[test]
    fn a_poll_that_stands_in_a_blocking_lock_is_named_with_its_line() {
        let mut judged = Judged::new();
        let (task, worker) = blocked_poll(&mut judged);
        judged.run(ms(100));
        stack(&mut judged, worker, task, StackCause::Lock, 1, "src/index.rs:20:35");
        judged.run(ms(100));
        judged.expect_nothing();
        stack(&mut judged, worker, task, StackCause::Lock, 2, "src/index.rs:20:35");
        judged.run(ms(200));
        let finding = judged.only("sync-lock-in-async");
        assert_eq!(finding.severity, Severity::Crit);
        assert_eq!(finding.subject.location, "src/index.rs:20:35");
        assert_eq!(
            finding.message,
            "`look_up` has waited 400 ms for a blocking lock at index.rs:20, and its worker stands still with it"
        );
        assert_eq!(evidence(&finding, "blocked_for_ns").limit, "> 100 ms");
    }

    #[test]
    fn the_only_one_who_has_run_since_before_may_be_the_holder_and_is_named_when_it_has_ended() {
        for others in [1, 2] {
            let mut judged = Judged::new();
            let rebuild = judged.target.spawn_site("src/index.rs:50:9", "shop::rebuild::{{closure}}", OutputKind::Unit);
            let mut jobs = Vec::new();
            for n in 0..others {
                let (job, thread) = (judged.blocking(rebuild), judged.target.worker(&format!("tokio-blocking-{n}")));
                let since = judged.target.now;
                judged.target.worker_state(thread, |thread| thread.poll = Some((job, since)));
                jobs.push((job, thread));
            }
            judged.run(ms(100));
            let (task, worker) = blocked_poll(&mut judged);
            judged.run(ms(200));
            stack(&mut judged, worker, task, StackCause::Lock, 3, "src/index.rs:20:35");
            judged.run(ms(200));
            let sync_lock = |judged: &Judged| {
                judged.active().into_iter().find(|f| f.rule == "sync-lock-in-async").expect("it").clone()
            };
            let found = sync_lock(&judged);
            let told = found.evidence.iter().find(|one| one.name == "may_be_held_by");
            assert_eq!((told.is_some(), found.who().is_some()), (others == 1, others == 1), "{found:#?}");
            if let Some(told) = told {
                assert_eq!(told.text, "it alone ran all through 1 of 1 such waits");
                assert_eq!(found.line().0, "src/index.rs:50:9");
                assert!(found.advice.contains("Change `rebuild`, which very likely holds"), "{}", found.advice);
                assert!(found.who().unwrap().starts_with("likely holder: #"), "{:?}", found.who());
            }
            judged.target.worker_state(worker, |worker| worker.poll = None);
            for (job, thread) in jobs {
                judged.target.worker_state(thread, |thread| thread.poll = None);
                judged.target.gone_task(job);
            }
            judged.run(ms(300));
            let ended = "likely holder: a task of rebuild (spawned at index.rs:50, has ended)";
            assert_eq!(sync_lock(&judged).who(), (others == 1).then_some(ended));
        }
    }

    #[test]
    fn which_lock_it_is_is_told_where_the_calls_tell() {
        for (inner, lock) in [
            ("std::sys::sync::mutex::futex::Mutex::lock_contended", "std Mutex"),
            ("std::sys::sync::rwlock::futex::RwLock::read_contended", "std RwLock"),
            ("parking_lot::raw_mutex::RawMutex::lock_slow", "parking_lot Mutex"),
            ("parking_lot::raw_rwlock::RawRwLock::lock_shared_slow", "parking_lot RwLock"),
            ("std::sys::pal::unix::futex::futex_wait", "std lock"),
        ] {
            let mut judged = Judged::new();
            let (task, worker) = blocked_poll(&mut judged);
            let started = judged.target.model.now;
            let mut stack = made_stack(started, worker, task, StackCause::Lock, 3, "src/index.rs:20:35");
            stack.frames.insert(1, Frame { function: inner.into(), ..Frame::default() });
            judged.target.stack(stack);
            judged.run(ms(200));
            let said = judged.only("sync-lock-in-async").message;
            assert!(said.contains(&format!(" for a {lock} at index.rs:20")), "{said}");
        }
    }

    #[test]
    fn without_line_tables_the_task_is_named_and_not_taken_for_the_line() {
        let mut judged = Judged::new();
        let (task, worker) = blocked_poll(&mut judged);
        let started = judged.target.model.now;
        let mut stack = made_stack(started, worker, task, StackCause::Lock, 3, "");
        stack.frames[1].user = false;
        judged.target.stack(stack);
        judged.run(ms(400));
        let finding = judged.only("sync-lock-in-async");
        assert!(finding.message.contains("lock in the task spawned at look_up.rs:12"), "{}", finding.message);
        assert!(evidence(&finding, "blocked_location").text.contains("no line tables"));
    }

    #[test]
    fn a_lock_of_the_runtimes_own_is_nothing_of_the_apps() {
        let mut judged = Judged::new();
        let (task, worker) = blocked_poll(&mut judged);
        let started = judged.target.model.now;
        let mut stack = made_stack(started, worker, task, StackCause::Lock, 3, "src/index.rs:20:35");
        let inner =
            ["std::sys::sync::mutex::futex::Mutex::lock_contended", "tokio::runtime::blocking::pool::Spawner::spawn"];
        let frame =
            |function: &str| crate::model::Frame { function: function.into(), ..crate::model::Frame::default() };
        stack.frames.splice(1..1, inner.map(frame));
        judged.target.stack(stack);
        judged.run(ms(3000));
        judged.expect_nothing();
    }

    #[test]
    fn it_clears_after_the_poll_ended() {
        let mut judged = Judged::new();
        let (task, worker) = blocked_poll(&mut judged);
        stack(&mut judged, worker, task, StackCause::Lock, 3, "src/index.rs:20:35");
        judged.run(ms(600));
        judged.only("sync-lock-in-async");
        judged.target.worker_state(worker, |worker| worker.poll = None);
        judged.run(ms(9000));
        judged.expect_nothing();
    }

    #[test]
    fn without_a_stack_or_with_another_cause_it_says_nothing() {
        let mut judged = Judged::new();
        let (task, worker) = blocked_poll(&mut judged);
        judged.run(ms(1000));
        judged.expect_no_alarm_of("sync-lock-in-async");
        stack(&mut judged, worker, task, StackCause::Cpu, 3, "src/index.rs:20:35");
        judged.run(ms(1000));
        judged.only("blocked-worker");
    }

    #[test]
    fn main_may_wait_for_a_lock_while_it_sets_things_up() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/main.rs:1:1", "main", OutputKind::Unit);
        let task = judged.root(site);
        let worker = judged.target.worker("main");
        let since = judged.target.now;
        judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
        judged.run(ms(200));
        stack(&mut judged, worker, task, StackCause::Lock, 3, "src/index.rs:20:35");
        judged.run(ms(4000));
        judged.expect_nothing();
        judged.run(ms(2000));
        judged.only("sync-lock-in-async");
    }

    #[test]
    fn a_task_in_block_in_place_may_block() {
        let mut judged = Judged::new();
        let (task, worker) = blocked_poll(&mut judged);
        let started = judged.target.model.now;
        let mut stack = made_stack(started, worker, task, StackCause::Lock, 3, "src/index.rs:20:35");
        stack.frames.push(crate::model::Frame {
            function: "tokio::task::blocking::block_in_place".into(),
            ..crate::model::Frame::default()
        });
        judged.target.stack(stack);
        judged.run(ms(3000));
        judged.expect_nothing();
    }
}
