//! A lock that many wait for.
use std::time::Duration;

use super::culprit::Culprit;
use super::rule::{Candidate, Cx, Rule, Threshold};
use super::saturation::{own, too_often};
use super::{Evidence, Severity, words};
use crate::model::{Lock, SiteId};
use crate::text;

const SHARE: Threshold = Threshold::share("share", 0.2, "of the acquisitions had to wait");
const WAIT: Threshold = Threshold::millis("wait", 10, "and the 99th percentile of those waits is longer");
const ACQUIRES: Threshold = Threshold::count("acquires", 10, "of fewer acquisitions within 10 s, a share says nothing");
const SECONDS: Threshold =
    Threshold::count("seconds", 3, "of the last 5 s must have seen waiting, so that a burst is not taken for a habit");

/// What is judged, in seconds: where there is enough of it, the recent past, so that what was before does not count.
const WINDOW: usize = 10;
const RECENT: usize = 5;

pub(super) const RULE: Rule = Rule {
    id: "lock-contention",
    severity: Severity::Warn,
    summary: "many acquisitions of a lock wait for it, and for long",
    explain: EXPLAIN,
    thresholds: &[SHARE, WAIT, ACQUIRES, SECONDS],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(1),
    subsumed_by: &[
        "deadlock",
        "self-deadlock",
        "lock-held-across-await",
        "lock-hog",
        "rwlock-writer-starved",
        "blocked-worker",
    ],
    evaluate,
};

const EXPLAIN: &str = "\
A good share of the acquisitions of one lock find it taken, and then wait for long. The line that is named is the one
that holds it longest.

Why it hurts
  A lock serves one task at a time. Once holds add up to all of the time there is, tasks queue, and each further
  request waits for all that came before it, whatever the number of workers.

WRONG
  let mut orders = state.orders.lock().await;
  let report = render(&orders);                     // 5 ms under the lock, for every request
  orders.insert(id, order);

RIGHT
  let snapshot = state.orders.lock().await.clone(); // or an Arc inside, cloned
  let report = render(&snapshot);                   // nobody waits for this
  state.orders.lock().await.insert(id, order);

  // or many locks instead of one
  let orders: DashMap<OrderId, Order> = DashMap::new();

Thresholds
  share    = 20 %      of the acquisitions had to wait
  wait     = 10.0 ms   and the 99th percentile of those waits is longer
  acquires = 10        of fewer acquisitions within 10 s, a share says nothing
  seconds  = 3         of the last 5 s must have seen waiting, so that a burst is not taken for a habit

Where the holder is suspended at an `.await` while it holds, `lock-held-across-await` speaks for the lock.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let locks = cx.model.locks.values();
    // Who waits for a queue that several take from, waits for a message.
    let waited_for = |lock: &&Lock| {
        lock.kind.guards() && lock.contended > 0 && lock.waiters_s.last().is_some() && !words::is_queue(cx.model, lock)
    };
    out.extend(locks.filter(waited_for).filter_map(|lock| judge(cx, lock)));
}

fn judge(cx: &Cx, lock: &Lock) -> Option<Candidate> {
    let model = cx.model;
    let enough = |window: &usize| lock.acquires_s.recent_sum(*window) >= cx.count(&ACQUIRES) as f64;
    let window = [RECENT, WINDOW].into_iter().find(enough)?;
    let (acquires, contended) = (lock.acquires_s.recent_sum(window), lock.contended_s.recent_sum(window));
    let wait = lock.wait_p99()?;
    let share = (contended / acquires.max(1.0)).min(1.0);
    let seconds = lock.contended_s.points().rev().take(RECENT).filter(|&n| n > 0.0).count() as u64;
    let goes_on = lock.contended_s.recent_sum(2) > cx.share(&SHARE) / 2.0 * lock.acquires_s.recent_sum(2);
    if !goes_on {
        return None;
    }

    let location = longest_holder(cx, lock);
    let made_at = words::place(model, lock.site);
    let group = if made_at.is_empty() { format!("{:?}", lock.id) } else { made_at.to_owned() };
    let subject = words::lock_subject(model, lock, words::place(model, location));
    let (most, longest) = (cx.share(&SHARE), cx.span(&WAIT));
    let is_long = own(model, wait) > longest || wait > longest && too_often(model, share * longer_than(lock, longest));
    if share <= most || !is_long || seconds < cx.count(&SECONDS) || !holds_explain(lock, wait) {
        let near = share > most / 2.0 && wait > longest / 2;
        return near.then(|| Candidate::stay(subject, &group));
    }

    let at = if location.0 == 0 { String::new() } else { format!(" at {}", text::file_line(&subject.location)) };
    let longest = if at.is_empty() { String::new() } else { format!(", the longest{at}") };
    let hold = lock.hold_p99().unwrap_or_default();
    let message = format!(
        "{} of those who lock {} wait for it{}: it is held for up to {} at a time{longest}",
        text::percent(share),
        words::kind_and_name(lock, &subject),
        match lock.waiters {
            0 => String::new(),
            n => format!(", {} now", text::counted(n.into(), "task")),
        },
        text::duration(hold),
    );
    let split = if subject.name.contains("Map") { "one lock per shard, or DashMap" } else { "one lock for each part" };
    // Where nothing was ever awaited under it, it is not for what is awaited that it is kept.
    let busy = model.target.sees("holders") && lock.suspended_holds == 0;
    let runs = if busy { "Nothing is awaited under it, so its holders compute or block their threads. " } else { "" };
    let advice = format!(
        "{runs}Do less under the lock{at}: compute before it is taken, or copy out what is needed and drop the guard first. \
         If that is not enough, split it: {split}."
    );
    let mut evidence = vec![
        Evidence::share("contended_share", share).over(cx.limit_text(&SHARE)),
        Evidence::percentile("wait_p99_ns", wait).over(cx.limit_text(&WAIT)),
        Evidence::percentile("hold_p99_ns", hold).aside(),
        Evidence::span("hold_max_ns", lock.hold_max).aside(),
        Evidence::rate("acquires_per_s", acquires / lock.acquires_s.points().len().clamp(1, window) as f64),
        Evidence::count("waiters", lock.waiters.into()).aside(),
        Evidence::words("holder_location", words::place(model, location)),
        Evidence::words("created_location", made_at),
    ];
    if lock.holder.0 != 0 {
        evidence.push(Evidence::task("holder_task", lock.holder));
    }
    // Who has it for a moment is a chance, and has let go of it when this is read.
    let kept = lock.held_since.is_some_and(|since| model.now.since(since) > model.target.tick);
    let mut candidate = Candidate {
        message,
        evidence,
        advice: advice.into(),
        hurt: u64::from(lock.waiters).max(1),
        culprit: Culprit::of("holder", lock.holder).filter(|_| kept),
        ..Candidate::enter(subject, &group, Severity::Warn)
    };
    // Who blocks a worker while holding, is the cause.
    candidate.causes.extend([words::spawn_place(model, lock.holder).to_owned()].into_iter().filter(|p| !p.is_empty()));
    Some(candidate)
}

/// Whether holds of the window, one after the other, make waits as long as `wait`. Where they do not by far, it is a
/// thread that had no CPU, not the lock.
fn holds_explain(lock: &Lock, wait: Duration) -> bool {
    let hold = lock.hold_p99().unwrap_or_default();
    let queued = lock.contended_s.points().rev().take(WINDOW).fold(1.0, f64::max);
    hold.as_secs_f64() * queued >= wait.as_secs_f64()
}

/// The share of the waits in the window that were longer than `limit`, to a tenth.
fn longer_than(lock: &Lock, limit: Duration) -> f64 {
    let waits = lock.recent_waits();
    let at = |tenth: u32| waits.quantile(1.0 - f64::from(tenth) / 10.0, lock.wait_max);
    let tenths = (1..10).take_while(|tenth| at(*tenth).is_some_and(|wait| wait > limit));
    f64::from(tenths.last().unwrap_or(0)) / 10.0
}

/// The acquiring line to blame: that of the longest hold ever if there was one like it in the window, else that of the
/// present holder.
fn longest_holder(cx: &Cx, lock: &Lock) -> SiteId {
    let in_window = lock.recent_holds().quantile(1.0, Duration::MAX);
    let told = |site: &SiteId| cx.model.sites.contains_key(site);
    let recent = in_window.is_some_and(|longest| lock.hold_max <= longest);
    let (first, second) =
        if recent { (lock.hold_max_site, lock.holder_site) } else { (lock.holder_site, lock.hold_max_site) };
    [first, second].into_iter().find(told).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn quiet() -> (Judged, LockId, SiteId) {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/state.rs:12:9", "std::collections::HashMap<shop::Id, shop::Order>");
        let lock = judged.target.lock(made);
        let holder = judged.target.call_site("src/orders.rs:40:30");
        judged.settle();
        (judged, lock, holder)
    }

    /// In a tenth of a second: `acquires` of the lock, of which `contended` waited in the `bucket` of the histogram.
    fn use_lock(target: &mut Fixture, lock: LockId, holder: SiteId, acquires: u64, contended: u64, bucket: usize) {
        target.lock_state(lock, |lock| {
            lock.acquires += acquires;
            lock.contended += contended;
            lock.wait_hist.0[bucket] += contended as u32;
            lock.wait_max = ms(100);
            lock.hold_hist.0[6] += acquires as u32;
            lock.hold_max = ms(4);
            lock.hold_max_site = holder;
            lock.waiters = contended as u32;
        });
    }

    #[test]
    fn a_lock_that_half_of_its_users_wait_for_is_named_with_the_line_that_holds_it() {
        let (mut judged, lock, holder) = quiet();
        judged.every(ms(4500), |target| use_lock(target, lock, holder, 20, 10, 9));
        let finding = judged.only("lock-contention");
        assert_eq!(finding.severity, Severity::Warn);
        assert_eq!(finding.subject.kind, SubjectKind::Lock(lock));
        assert_eq!(finding.subject.name, "HashMap<Id, Order>");
        assert_eq!(finding.subject.location, "src/orders.rs:40:30");
        assert_eq!(evidence(&finding, "contended_share").text, "50 %");
        assert_eq!(evidence(&finding, "wait_p99_ns").limit, "> 10.0 ms");
        assert_eq!(evidence(&finding, "created_location").value, "src/state.rs:12:9");
        let message = "50 % of those who lock Mutex `HashMap<Id, Order>` wait for it, 10 tasks now: it is held for up to 4.00 ms \
                       at a time, the longest at orders.rs:40";
        assert_eq!(finding.message, message);
        let advice = "Nothing is awaited under it, so its holders compute or block their threads. Do less under the lock at \
                      orders.rs:40: ";
        assert!(finding.advice.starts_with(advice), "{}", finding.advice);
        assert!(finding.advice.ends_with("or DashMap."), "{}", finding.advice);
    }

    #[test]
    fn workers_that_take_from_one_receiver_wait_for_messages_not_for_each_other() {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/pool.rs:12:9", "async_inspect_probe::tokio::sync::mpsc::Receiver<Job>");
        let lock = judged.target.lock(made);
        let holder = judged.target.call_site("src/pool.rs:40:30");
        judged.settle();
        judged.every(ms(8000), |target| use_lock(target, lock, holder, 20, 10, 9));
        judged.expect_nothing();
    }

    #[test]
    fn short_waits_and_rare_waits_are_nothing() {
        let (mut judged, lock, holder) = quiet();
        judged.every(ms(8000), |target| use_lock(target, lock, holder, 20, 15, 5));
        judged.expect_nothing();
        let (mut judged, lock, holder) = quiet();
        judged.every(ms(8000), |target| use_lock(target, lock, holder, 100, 3, 9));
        judged.expect_nothing();
    }

    #[test]
    fn what_a_full_machine_adds_to_the_waits_is_not_the_locks() {
        let (mut judged, lock, holder) = quiet();
        let worker = judged.target.worker("tokio-worker-1");
        judged.settle();
        judged.every(ms(6000), |target| {
            target.worker_state(worker, |worker| worker.cpu_wait += ms(90));
            use_lock(target, lock, holder, 20, 10, 9);
        });
        judged.expect_nothing();
    }

    #[test]
    fn waits_that_are_long_more_often_than_the_machine_has_no_cpu_are_the_locks() {
        for (contended, found) in [(18, true), (6, false)] {
            let (mut judged, lock, holder) = quiet();
            let worker = judged.target.worker("tokio-worker-1");
            judged.every(ms(4500), |target| {
                use_lock(target, lock, holder, 20, contended, 8);
                target.worker_state(worker, |worker| {
                    (worker.busy, worker.cpu_wait) = (worker.busy + ms(90), worker.cpu_wait + ms(20));
                });
            });
            assert_eq!(judged.active().iter().any(|f| f.rule == "lock-contention"), found, "{contended} of 20 wait");
        }
    }

    #[test]
    fn two_acquisitions_are_no_share() {
        let (mut judged, lock, holder) = quiet();
        judged.tick(ms(3000));
        use_lock(&mut judged.target, lock, holder, 2, 1, 9);
        judged.run(ms(8000));
        judged.expect_nothing();
    }

    #[test]
    fn a_burst_at_start_up_is_nothing() {
        let (mut judged, lock, holder) = quiet();
        use_lock(&mut judged.target, lock, holder, 100, 99, 10);
        judged.every(ms(10_000), |target| use_lock(target, lock, holder, 10, 0, 0));
        judged.expect_nothing();
    }

    #[test]
    fn it_clears_soon_after_the_waiting_ends_and_does_not_blink_at_the_edge() {
        let (mut judged, lock, holder) = quiet();
        judged.every(ms(6000), |target| use_lock(target, lock, holder, 20, 5, 9));
        judged.only("lock-contention");
        judged.every(ms(15_000), |target| use_lock(target, lock, holder, 20, 3, 9));
        assert!(judged.only("lock-contention").active(), "between the limits it goes on");
        judged.every(ms(5000), |target| use_lock(target, lock, holder, 20, 0, 0));
        judged.expect_nothing();
        judged.every(ms(15_000), |target| use_lock(target, lock, holder, 20, 3, 9));
        judged.expect_nothing();
    }

    #[test]
    fn shards_of_one_lock_are_one_finding() {
        let (mut judged, lock, holder) = quiet();
        let made = judged.target.model.locks[&lock].site;
        let others: Vec<LockId> = (0..15).map(|_| judged.target.lock(made)).collect();
        judged.every(ms(5000), |target| {
            for &lock in others.iter().chain([&lock]) {
                use_lock(target, lock, holder, 20, 10, 9);
            }
        });
        assert_eq!(evidence(&judged.only("lock-contention"), "alike_from_this_line").value, 15);
    }
}
