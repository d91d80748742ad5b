//! A semaphore that has no permits left.
use std::time::Duration;

use super::culprit::Culprit;
use super::rule::{Candidate, Cx, Rule, Threshold};
use super::{Confidence, Evidence, LocationRole, Severity, Spot, wait_graph, words};
use crate::model::{Lock, LockKind, Model};
use crate::text;

pub(super) const STILL: Threshold =
    Threshold::millis("still", 3000, "nobody has got a permit for so long, and some wait");
const WAIT: Threshold = Threshold::millis("wait", 1000, "or waits are longer than this (p99)");
pub(super) const UNKNOWN: Threshold = Threshold::millis(
    "unknown",
    10_000,
    "where no permit has ever come back, so that nobody knows how long one is held: info until then",
);
const SECONDS: Threshold = Threshold::count("seconds", 4, "and no fewer wait than so many seconds ago");

pub(super) const RULE: Rule = Rule {
    id: "semaphore-exhausted",
    severity: Severity::Warn,
    summary: "a semaphore has no permits left, and those who want one wait for long",
    explain: EXPLAIN,
    thresholds: &[STILL, WAIT, SECONDS, UNKNOWN],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(2),
    subsumed_by: &[
        "deadlock",
        "self-deadlock",
        "permit-leak",
        "sync-lock-in-async",
        "block-on-in-async",
        "blocked-worker",
        "lock-hog",
        "receiver-stalled",
        "channel-saturated",
    ],
    evaluate,
};

const EXPLAIN: &str = "\
All permits of a semaphore are held, and tasks wait for one: either nobody has given one back for seconds, or waits have
grown longer than a second and the queue does not shrink.

Why it hurts
  A semaphore bounds what is done at a time, and a short queue in front of it is what it is for. A queue that stays, or
  grows, is work that comes in faster than it is done: every request waits for all before it.

WRONG
  let _permit = uploads.acquire().await?;
  upload(&file).await?;                             // no timeout: a dead peer keeps its permit for ever

RIGHT
  let _permit = uploads.acquire().await?;
  timeout(LIMIT, upload(&file)).await??;            // the permit comes back

  // and say no while it is time, instead of a queue without end
  let Ok(_permit) = uploads.try_acquire() else { return Err(Busy) };

Thresholds
  still   = 3.00 s   nobody has got a permit for so long, and some wait
  wait    = 1.00 s   or waits are longer than this (p99)
  seconds = 4        and no fewer wait than so many seconds ago
  unknown = 10.0 s   where no permit has ever come back, so that nobody knows how long one is held: info until then

A backlog that is being worked off is nothing. Nor is one behind a holder that sleeps and is due within `unknown`: twice
that time is given. Permits that come slowly are an info where most are forgotten and added again, as those of a rate
limit are, and where it is not told who holds them.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let semaphores = cx.model.locks.values().filter(|lock| lock.kind == LockKind::Semaphore);
    // Where it is not told how many permits there are, it is not told either that any are out. One that was made without
    // permits is a signal: where nobody is seen to hold any, those that it was given are gone by `forget`.
    let out_of_them = |lock: &Lock| match cx.model.permits(lock) {
        None => lock.holder_count > 0 || lock.permits_available == 0,
        Some(0) if holders_unseen(lock) => false,
        Some(_) => lock.holder_count > 0,
    };
    let exhausted = |lock: &&Lock| lock.waiters > 0 && !lock.closed && out_of_them(lock);
    out.extend(semaphores.filter(exhausted).filter_map(|lock| judge(cx, lock)));
}

/// Whether permits are out of which it is not told who has them, nor whether they were forgotten: the layer sees neither.
fn holders_unseen(lock: &Lock) -> bool {
    lock.holder_count > 0 && lock.holders.is_empty()
}

fn judge(cx: &Cx, lock: &Lock) -> Option<Candidate> {
    let model = cx.model;
    if lock.holders.iter().any(|holder| holder.task.0 != 0 && cx.is_stuck(holder.task)) {
        return None;
    }
    let subject = words::lock_subject(model, lock, "");
    let group = if subject.location.is_empty() { format!("{:?}", lock.id) } else { subject.location.clone() };

    let standstill = Standstill::of(cx, lock);
    let Standstill { still, stands, held, usual, unknown, .. } = standstill;

    let wait = lock.wait_p99().unwrap_or_default();
    let seconds = cx.count(&SECONDS).clamp(2, 58) as usize;
    let waiting: Vec<f64> = lock.waiters_s.points().rev().take(seconds + 1).collect();
    let lasts = waiting.len() > seconds
        && waiting.iter().all(|&n| n >= (lock.permits_total as f64).max(1.0))
        && waiting.first() >= waiting.last();
    let long = lasts && wait > cx.span(&WAIT);
    if !stands && !long {
        let near = still > 1 || wait > cx.span(&WAIT);
        return near.then(|| Candidate::stay(subject, &group));
    }

    let (total, unseen) = (model.permits(lock), holders_unseen(lock));
    let semaphore = words::semaphore(&subject);
    let all = match total {
        None => format!("no permit of {semaphore} is free (how many there are is not told)"),
        Some(_) if unseen => format!("no permit of {semaphore} is free (who holds them is not told)"),
        Some(1) => format!("the only permit of {semaphore} is held"),
        Some(n) => format!("all {} permits of {semaphore} are held", text::count(n)),
    };
    let waiters = match lock.waiters {
        1 => "1 task waits".to_owned(),
        n => format!("{} wait", text::counted(n.into(), "task")),
    };
    let nothing_for = standstill.nothing_for;
    let mut evidence = vec![
        Evidence::count("waiters", lock.waiters.into()),
        Evidence::count("permits_available", lock.permits_available).aside(),
        Evidence::rate("acquires_per_s", lock.acquires_s.recent_mean(seconds)).aside(),
    ];
    if lock.forgotten > 0 {
        evidence.insert(2, Evidence::count("permits_forgotten", lock.forgotten));
    }
    if let Some(total) = total {
        evidence.insert(2, Evidence::count("permits_total", total));
    }
    if !held.is_zero() {
        evidence.push(Evidence::span("longest_hold_ns", held).aside());
    }
    if lock.hold_hist.count() > 0 {
        // Of the permits that came back.
        evidence.push(Evidence::percentile("hold_p99_ns", usual).aside());
    }
    let by = holders_name(model, lock).map_or_else(String::new, |name| format!(" by `{name}` tasks"));
    let message = if stands {
        evidence.insert(0, Evidence::span("nothing_acquired_for_ns", nothing_for).at_least(cx.limit_text(&STILL)));
        format!("{all}{by} and none has come back for {}: {waiters} for one", text::duration(nothing_for))
    } else {
        evidence.insert(0, Evidence::percentile("wait_p99_ns", wait).over(cx.limit_text(&WAIT)));
        format!("{all}: {waiters} for one, and they do not become fewer; 99 % have got theirs {}", text::at_most(wait))
    };
    // One that was made without permits, to be given them as a signal, looks the same where they are not told. And where it
    // is not told who holds them, permits that come slowly may be those of a rate limit, which are forgotten and added again.
    let limits = is_rate_limit(lock);
    let paced = (unseen || limits) && !stands;
    let severity = if total.is_none() || paced || !long && unknown { Severity::Info } else { Severity::Warn };
    let oldest = lock.holders.iter().min_by_key(|holder| (holder.since, holder.task));
    let culprit = oldest.map(|holder| holder.task).filter(|task| task.0 != 0);
    let mut behind = Vec::new();
    let (mut at, mut open) = (String::new(), None);
    if let Some(holder) = oldest {
        let place = words::place(model, holder.site);
        open = Spot::of(place, LocationRole::Acquired);
        if !place.is_empty() {
            at = format!(" acquired at {}", text::file_line(place));
        }
        evidence.insert(1, Evidence::words("holder_location", place));
        if holder.task.0 != 0 {
            evidence.push(Evidence::task("holder_task", holder.task));
            behind = wait_graph::behind(model, holder.task);
            behind.retain(|place| *place != group);
        }
    }
    let waits = culprit.filter(|_| stands).map(|task| words::long_wait_place(model, task, held));
    let waits = waits.filter(|place| !place.is_empty());
    let kept = waits.as_deref().map(words::at).unwrap_or_default();
    let timer = culprit.and_then(|task| model.tasks.get(&task)).and_then(words::due_in);
    let advice = if let Some(timer) = timer.filter(|_| !kept.is_empty()) {
        let timer = text::duration(timer);
        format!("Shorten the timer of {timer}{kept}, or drop the permit{at} before it, so that the permit comes back.")
    } else if !kept.is_empty() {
        format!("Put a timeout around the wait{kept}, so that the permit{at} comes back.")
    } else if stands {
        format!("Put a timeout around the work that is done under the permit{at}, so that it comes back.")
    } else if limits {
        "Permits are forgotten and added again, as those of a rate limit are: add them faster, or take in less than it lets \
         through."
            .to_owned()
    } else if unseen {
        format!(
            "Where permits are forgotten and added again, as those of a rate limit are, add them faster or take in less. \
             Otherwise do less under the permit{at}."
        )
    } else {
        format!(
            "Do less under the permit{at}: do all that needs none of what it protects before, or after it is given back."
        )
    };
    Some(Candidate {
        message,
        evidence,
        advice: advice.into(),
        confidence: if long { Confidence::Certain } else { Confidence::Likely },
        hurt: lock.waiters.into(),
        behind,
        culprit: culprit.and_then(|task| Culprit::of("oldest holder", task)),
        open: waits.and_then(|place| Spot::of(&place, LocationRole::Waits)).or(open),
        passing: true,
        ..Candidate::enter(subject, &group, severity)
    })
}

/// Whether most permits do not come back, and others are added in their place: what paces those who wait is who adds them.
fn is_rate_limit(lock: &Lock) -> bool {
    let (total, before) = lock.permits_before;
    let lost = lock.forgotten.saturating_sub(before);
    let added = lock.permits_total.saturating_add(lost).saturating_sub(total);
    added > 0 && added.saturating_mul(2) >= lost && lock.forgotten.saturating_mul(2) > lock.acquires
}

/// How long nobody has got a permit, and whether that is for too long.
pub(super) struct Standstill {
    /// Whole seconds, of which the present one is not counted yet, in which some waited and none got one.
    pub(super) still: u64,
    pub(super) stands: bool,
    /// Nobody has got one for so long.
    pub(super) nothing_for: Duration,
    /// The oldest hold.
    pub(super) held: Duration,
    /// How long 99 of 100 were held that came back.
    pub(super) usual: Duration,
    /// Nothing has ever come back, and it is not known that it will not for long.
    pub(super) unknown: bool,
}

impl Standstill {
    /// By the limits [`STILL`] and [`UNKNOWN`] of the rule that asks.
    pub(super) fn of(cx: &Cx, lock: &Lock) -> Self {
        let model = cx.model;
        let still = lock.acquires_s.points().rev().zip(lock.waiters_s.points().rev());
        let still = still.take_while(|&(got, waiting)| got < 0.5 && waiting > 0.0).count() as u64;
        let oldest = lock.holders.iter().map(|holder| holder.since).min();
        let usual = lock.hold_hist.quantile(0.99, lock.hold_max).unwrap_or_default();
        // Nobody has got one since: whoever has one, has had it for as long.
        let held = oldest.map_or(Duration::from_secs(still), |since| model.lasted(since));
        // What a holder sleeps for, it comes back from.
        let holders = || lock.holders.iter().filter_map(|holder| model.tasks.get(&holder.task));
        let due = holders().filter_map(words::due_in).min();
        let comes_back = due.filter(|&due| due <= cx.span(&UNKNOWN)).unwrap_or_default();
        let limit = cx.span(&STILL).max(usual.saturating_mul(3)).max(comes_back.saturating_mul(2));
        // Where all who hold it are known, nobody has got one since the newest of them did.
        let newest = lock.holders.iter().map(|holder| holder.since).max().filter(|_| all_listed(lock));
        Self {
            still,
            stands: Duration::from_secs(still) >= cx.span(&STILL) && held > limit,
            nothing_for: newest.map_or(Duration::ZERO, |since| model.lasted(since)).max(Duration::from_secs(still)),
            held,
            usual,
            unknown: lock.hold_hist.count() == 0 && held < cx.span(&UNKNOWN) && due.is_none(),
        }
    }
}

/// Whether all who hold it are told.
pub(super) fn all_listed(lock: &Lock) -> bool {
    lock.holder_count as usize == lock.holders.len()
}

/// What all who hold a permit are called, where all of them are told and called the same.
fn holders_name(model: &Model, lock: &Lock) -> Option<String> {
    let mut names = lock.holders.iter().map(|holder| words::task_name(model, holder.task));
    let first = names.next().filter(|name| !name.is_empty() && name != "?")?;
    (all_listed(lock) && lock.holders.len() > 1 && names.all(|name| name == first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn semaphore(permits: u64) -> (Judged, LockId) {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/upload.rs:9:30", "Semaphore");
        let lock = judged.target.lock_of(LockKind::Semaphore, made);
        judged.target.lock_state(lock, |lock| (lock.permits_total, lock.permits_available) = (permits, permits));
        judged.settle();
        (judged, lock)
    }

    fn hold(target: &mut Fixture, lock: LockId, since: Stamp, waiters: u32, acquires: u64, wait_bucket: usize) {
        target.lock_state(lock, |lock| {
            lock.permits_available = 0;
            lock.holder_count = lock.permits_total as u32;
            lock.holders = vec![Holder { since, permits: 1, ..Holder::default() }];
            lock.waiters = waiters;
            lock.acquires += acquires;
            lock.contended += acquires;
            lock.wait_hist.0[wait_bucket] += acquires as u32;
            lock.wait_max = ms(30_000);
        });
    }

    #[test]
    fn permits_that_do_not_come_back_are_found() {
        let (mut judged, lock) = semaphore(4);
        let since = judged.target.now;
        judged.every(ms(2500), |target| hold(target, lock, since, 9, 0, 0));
        judged.expect_nothing();
        judged.every(ms(2000), |target| hold(target, lock, since, 9, 0, 0));
        let finding = judged.only("semaphore-exhausted");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Info, "src/upload.rs:9:30"));
        assert!(
            finding.message.starts_with("all 4 permits of a semaphore are held and none has come back for ")
                && finding.message.ends_with(": 9 tasks wait for one"),
            "{}",
            finding.message
        );
        judged.every(ms(7000), |target| hold(target, lock, since, 9, 0, 0));
        assert_eq!(judged.only("semaphore-exhausted").severity, Severity::Warn);
        judged.target.lock_state(lock, |lock| (lock.waiters, lock.holder_count) = (0, 0));
        judged.run(ms(2500));
        judged.expect_nothing();
    }

    #[test]
    fn permits_that_used_to_come_back_and_do_not_any_more_are_a_warning_at_once() {
        let (mut judged, lock) = semaphore(4);
        judged.target.lock_state(lock, |lock| (lock.hold_hist.0[3], lock.hold_max) = (100, ms(2)));
        let since = judged.target.now;
        judged.every(ms(4500), |target| hold(target, lock, since, 9, 0, 0));
        assert_eq!(judged.only("semaphore-exhausted").severity, Severity::Warn);
    }

    #[test]
    fn who_holds_the_oldest_permit_is_told_with_where_it_waits() {
        let (mut judged, lock) = semaphore(1);
        let spawned = judged.target.spawn_site("src/upload.rs:40:9", "shop::upload::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(spawned);
        let (site, since) = (judged.target.call_site("src/upload.rs:33:20"), judged.target.now);
        judged
            .target
            .task_state(task, |task| task.waits = [Wait { on: WaitFor::Timer(ms(4_000_000)), site, since }].into());
        judged.every(ms(12_000), |target| {
            hold(target, lock, since, 9, 0, 0);
            target.lock_state(lock, |lock| lock.holders[0].task = task);
        });
        let finding = judged.only("semaphore-exhausted");
        assert_eq!(finding.culprit, Some(task));
        assert!(finding.message.starts_with("the only permit of a semaphore is held"), "{}", finding.message);
        assert!(finding.advice.contains("the timer of 1h 06m at upload.rs:33"), "{}", finding.advice);
    }

    #[test]
    fn who_does_one_thing_after_the_other_under_a_permit_is_not_blamed_for_the_one_it_is_met_in() {
        let (mut judged, lock) = semaphore(1);
        let spawned = judged.target.spawn_site("src/upload.rs:40:9", "shop::upload::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(spawned);
        let since = judged.target.now;
        let (mut fixes, mut n) = (std::collections::BTreeSet::new(), 0_u64);
        let lines = ["src/upload.rs:33:20", "src/upload.rs:34:20"].map(|line| judged.target.call_site(line));
        let calls = ["src/db.rs:1:1", "src/db.rs:2:2"].map(|made| judged.target.lock_site(made, "Db"));
        let calls = calls.map(|made| judged.target.lock(made));
        judged.every(ms(3500), |target| hold(target, lock, since, 9, 0, 0));
        for _ in 0..40 {
            n += 1;
            let (at, began) = (n as usize % 2, judged.target.now);
            judged.target.task_state(task, |task| {
                (task.state, task.state_since) = (TaskState::Idle, began);
                task.waits = [Wait { on: WaitFor::Lock(calls[at]), site: lines[at], since: began }].into();
            });
            // Longer than it takes for what is new to be taken up.
            judged.every(ms(2500), |target| {
                hold(target, lock, since, 9, 0, 0);
                target.lock_state(lock, |lock| lock.holders[0].task = task);
            });
            let finding = judged.only("semaphore-exhausted");
            if n > 3 {
                fixes.insert((finding.advice.clone(), finding.open.as_ref().map(|open| open.location.clone())));
            }
        }
        assert_eq!(fixes.len(), 1, "{fixes:?}");
        assert!(fixes.iter().all(|(advice, _)| !advice.contains(":33") && !advice.contains(":34")), "{fixes:?}");
    }

    #[test]
    fn jobs_that_sleep_for_some_seconds_are_waited_for() {
        let (mut judged, lock) = semaphore(1);
        let spawned = judged.target.spawn_site("src/upload.rs:40:9", "shop::upload::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(spawned);
        let (site, since) = (SiteId(0), judged.target.now);
        judged.target.task_state(task, |task| task.waits = [Wait { on: WaitFor::Timer(ms(4000)), site, since }].into());
        judged.every(ms(6000), |target| {
            hold(target, lock, since, 9, 0, 0);
            target.lock_state(lock, |lock| lock.holders[0].task = task);
        });
        judged.expect_nothing();
    }

    #[test]
    fn waits_of_seconds_in_a_queue_that_stays_are_found() {
        let (mut judged, lock) = semaphore(2);
        judged.every(ms(6000), |target| {
            let since = target.now.before(ms(200));
            hold(target, lock, since, 40, 1, 15);
        });
        assert!(
            judged
                .only("semaphore-exhausted")
                .message
                .contains("they do not become fewer; 99 % have got theirs within ")
        );
    }

    #[test]
    fn permits_of_which_nobody_is_told_to_have_them_are_out_for_as_long_as_none_was_given() {
        let (mut judged, lock) = semaphore(4);
        let taken = |target: &mut Fixture| {
            target.lock_state(lock, |lock| (lock.permits_available, lock.holder_count, lock.waiters) = (0, 4, 9));
        };
        judged.every(ms(6000), taken);
        assert_eq!(judged.only("semaphore-exhausted").severity, Severity::Info);
        judged.every(ms(7000), taken);
        assert_eq!(judged.only("semaphore-exhausted").severity, Severity::Warn);
    }

    #[test]
    fn where_it_is_not_told_how_many_permits_there_are_none_are_said_to_be_held() {
        let (mut judged, lock) = semaphore(0);
        judged.target.model.target.capabilities.retain(|name| name != "holders");
        judged.every(ms(15_000), |target| target.lock_state(lock, |lock| lock.waiters = 4));
        let finding = judged.only("semaphore-exhausted");
        assert_eq!(finding.severity, Severity::Info);
        assert!(finding.message.contains("(how many there are is not told)"), "{}", finding.message);
        assert!(finding.evidence.iter().all(|of| of.name != "permits_total"), "{:?}", finding.evidence);
    }

    #[test]
    fn a_semaphore_made_without_permits_is_a_signal() {
        let (mut judged, lock) = semaphore(0);
        judged.every(ms(15_000), |target| target.lock_state(lock, |lock| lock.waiters = 4));
        judged.expect_nothing();
    }

    #[test]
    fn a_signal_of_which_no_holders_are_told_is_nothing() {
        let (mut judged, lock) = semaphore(0);
        judged.every(ms(15_000), |target| {
            target.lock_state(lock, |lock| (lock.permits_available, lock.holder_count, lock.waiters) = (0, 5, 3));
        });
        judged.expect_nothing();
    }

    #[test]
    fn permits_that_come_slowly_are_not_said_to_be_held_where_no_holders_are_told() {
        let (mut judged, lock) = semaphore(1);
        judged.every(ms(6000), |target| {
            hold(target, lock, Stamp::default(), 40, 1, 15);
            target.lock_state(lock, |lock| lock.holders.clear());
        });
        let finding = judged.only("semaphore-exhausted");
        assert_eq!(finding.severity, Severity::Info);
        assert!(
            finding.message.starts_with("no permit of a semaphore is free (who holds them is not told): 40 tasks"),
            "{}",
            finding.message
        );
        assert!(finding.advice.contains("a rate limit are, add them faster or take in less. Otherwise do "));
    }

    #[test]
    fn a_rate_limit_is_told_to_add_permits_faster() {
        let (mut judged, lock) = semaphore(1);
        judged.every(ms(8000), |target| {
            let since = target.now.before(ms(50));
            hold(target, lock, since, 40, 1, 15);
            target.lock_state(lock, |lock| lock.forgotten += 1);
        });
        let finding = judged.only("semaphore-exhausted");
        assert_eq!(finding.severity, Severity::Info);
        assert!(
            finding.advice.starts_with("Permits are forgotten and added again, as those of a "),
            "{}",
            finding.advice
        );
        // Of permits that come back, who holds them has to do less.
        let (mut judged, lock) = semaphore(1);
        judged.every(ms(8000), |target| hold(target, lock, target.now.before(ms(50)), 40, 1, 15));
        let finding = judged.only("semaphore-exhausted");
        assert_eq!(finding.severity, Severity::Warn);
        assert!(finding.advice.starts_with("Do less under the permit: "), "{}", finding.advice);
    }

    #[test]
    fn a_backlog_that_is_worked_off_is_nothing() {
        let (mut judged, lock) = semaphore(2);
        let mut left = 2000;
        judged.every(ms(60_000), |target| {
            left -= 1;
            let since = target.now.before(ms(200));
            hold(target, lock, since, left, 1, 15);
        });
        judged.expect_nothing();
    }

    #[test]
    fn a_short_queue_is_what_a_semaphore_is_for() {
        let (mut judged, lock) = semaphore(8);
        judged.every(ms(20_000), |target| {
            let since = target.now.before(ms(50));
            hold(target, lock, since, 12, 16, 9);
        });
        judged.expect_nothing();
    }
}
