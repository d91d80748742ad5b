//! Permits that never come back.
use std::time::Duration;

use super::culprit::Culprit;
use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::semaphore_exhausted::{STILL, Standstill, UNKNOWN, all_listed};
use super::{Confidence, Evidence, LocationRole, Severity, Spot, words};
use crate::model::{Holder, Lock, LockKind, Model, Task, TaskKind, WaitFor};
use crate::text;

const LASTING: Threshold =
    Threshold::millis("lasting", 1000, "permits were forgotten, and nobody has got one for so long although some wait");
const HELD: Threshold = Threshold::millis("held", 60_000, "or a permit has been held for longer than this");
const TIMES: Threshold = Threshold::count("times", 20, "and so many times as long as others are (p99)");

pub(super) const RULE: Rule = Rule {
    id: "permit-leak",
    severity: Severity::Crit,
    summary: "permits of a semaphore were forgotten, or are kept far longer than usual",
    explain: EXPLAIN,
    thresholds: &[LASTING, STILL, UNKNOWN, HELD, TIMES],
    enter_after: Duration::from_millis(500),
    leave_after: Duration::from_secs(2),
    subsumed_by: &["deadlock", "self-deadlock"],
    evaluate,
};

const EXPLAIN: &str = "\
Permits were taken from a semaphore for good, by `forget` or by tasks that have ended without giving them back, and
tasks wait for one that does not come; or one permit is kept far longer than all others are.

Why it hurts
  Each permit that does not come back makes the semaphore smaller. Nothing happens at first; the service becomes slower
  by and by, and stops with the last one.

WRONG
  let permit = limit.acquire().await?;
  permit.forget();                                  // and add_permits(1) only where all went well
  send(request).await?;
  limit.add_permits(1);

RIGHT
  let _permit = limit.acquire().await?;             // comes back however the function is left
  send(request).await?;

Thresholds
  lasting = 1.00 s   permits were forgotten, and nobody has got one for so long although some wait
  still   = 3.00 s   nobody has got a permit for so long, and some wait
  unknown = 10.0 s   where no permit has ever come back, so that nobody knows how long one is held: info until then
  held    = 1m 00s   or a permit has been held for longer than this
  times   = 20       and so many times as long as others are (p99)

Once no permit is left, it is crit: those who wait then wait for ever. While nobody waits for a permit, one that is held
for long is an info. A task that has ended may have given its permits to another one, so of these it is said as likely.
A semaphore whose permits are forgotten and added again, as a signal is, is left alone.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let semaphores = cx.model.locks.values().filter(|lock| lock.kind == LockKind::Semaphore && !lock.closed);
    out.extend(semaphores.filter_map(|lock| forgotten(cx, lock).or_else(|| left(cx, lock)).or_else(|| kept(cx, lock))));
}

fn forgotten(cx: &Cx, lock: &Lock) -> Option<Candidate> {
    let (total, before) = lock.permits_before;
    let lost = lock.forgotten.saturating_sub(before);
    // Some were forgotten under our eyes, and none was added.
    let leaks = lost > 0 && lock.permits_total.saturating_add(lock.forgotten) == total.saturating_add(before);
    // In the last whole second, some waited and none got one.
    let seconds = (cx.span(&LASTING).as_secs() as usize).clamp(1, 58);
    let still = lock.acquires_s.points().rev().take(seconds).all(|n| n < 0.5)
        && lock.waiters_s.points().rev().take(seconds).filter(|&n| n > 0.0).count() == seconds;
    if !leaks || lock.permits_available > 0 || lock.waiters == 0 {
        return None;
    }
    let (subject, group) = subject(cx, lock);
    if !still {
        return Some(Candidate::stay(subject, &group));
    }
    let (left, waiting) = (lock.permits_total, waiters(lock));
    let so = match left {
        0 => format!("none is left, and {waiting} for ever"),
        1 => format!("1 is left, and {waiting}"),
        n => format!("{} are left, and {waiting}", text::count(n)),
    };
    let forgot = lock.disposal.map_or("", |by| words::place(cx.model, by.site));
    let at = if forgot.is_empty() { String::new() } else { format!(" at {}", text::file_line(forgot)) };
    let of = if lost < total { format!(" of {}", text::count(total)) } else { String::new() };
    Some(Candidate {
        message: format!(
            "forget(){at} took {}{of} permit{} away from {} and nobody gave {} back: {so}",
            text::count(lost),
            if lost == 1 && of.is_empty() { "" } else { "s" },
            words::semaphore(&subject),
            if lost == 1 { "it" } else { "them" },
        ),
        evidence: vec![
            Evidence::count("permits_forgotten", lost).over("0"),
            Evidence::count("permits_left", left).aside(),
            Evidence::count("waiters", lock.waiters.into()),
            Evidence::words("forgotten_location", forgot),
        ],
        advice: format!(
            "Remove the forget(){at} and keep the permit in a variable (`let _permit = ..`) until the work ends. What is \
             forgotten comes back only with a restart."
        )
        .into(),
        open: Spot::of(forgot, LocationRole::Forgotten),
        culprit: lock.disposal.map(|by| Culprit::who_did("last forgotten by", &by)),
        count: Count::Total(lost),
        hurt: lock.waiters.into(),
        ..Candidate::enter(subject, &group, if left == 0 { Severity::Crit } else { Severity::Warn })
    })
}

/// All who have the permits have ended, and those have not come back with them.
fn left(cx: &Cx, lock: &Lock) -> Option<Candidate> {
    let model = cx.model;
    let oldest = lock.holders.iter().min_by_key(|holder| (holder.since, holder.task))?;
    if lock.waiters == 0 || lock.permits_available > 0 || !all_listed(lock) {
        return None;
    }
    let standstill = Standstill::of(cx, lock);
    if !standstill.stands || !holders_have_ended(model, lock) {
        return None;
    }
    let (subject, group) = subject(cx, lock);
    let place = words::place(model, oldest.site);
    let at = if place.is_empty() { String::new() } else { format!(" acquired at {}", text::file_line(place)) };
    let semaphore = words::semaphore(&subject);
    let held = match lock.permits_total {
        1 => format!("the only permit of {semaphore}{at} was taken by a task that has ended since"),
        n => format!("all {} permits of {semaphore} were taken by tasks that have ended since", text::count(n)),
    };
    Some(Candidate {
        message: format!(
            "{held}, and none has come back for {}: {}",
            text::duration(standstill.nothing_for),
            waiters(lock)
        ),
        evidence: vec![
            Evidence::span("nothing_acquired_for_ns", standstill.nothing_for).at_least(cx.limit_text(&STILL)),
            Evidence::span("longest_hold_ns", standstill.held).aside(),
            Evidence::count("permits_total", lock.permits_total),
            Evidence::count("waiters", lock.waiters.into()),
            Evidence::words("holder_location", place),
        ],
        advice: format!(
            "Find what keeps the permit{at} beyond its task: mem::forget, Box::leak, a static, a cycle of Arcs. If another \
             task was given it, put a timeout around what that does with it."
        )
        .into(),
        open: Spot::of(place, LocationRole::Acquired),
        // Another task may have been given it, of which nothing tells.
        confidence: Confidence::Likely,
        hurt: lock.waiters.into(),
        ..Candidate::enter(subject, &group, if standstill.unknown { Severity::Info } else { Severity::Warn })
    })
}

/// Whether all who have acquired what is held have ended. Of one that is not there any more it is taken to be so where all
/// tasks are kept, and those that wait for the same are no library's: of these nothing is known but what they wait for.
fn holders_have_ended(model: &Model, lock: &Lock) -> bool {
    /// All may be a million.
    const LOOK: usize = 2048;
    let waits = |task: &&Task| task.waits.iter().any(|wait| wait.on == WaitFor::Lock(lock.id));
    let all_seen = || {
        let mut waiting = model.tasks.values().filter(waits).take(LOOK);
        model.loss.tasks == 0 && waiting.all(|task| task.kind != TaskKind::Unwatched)
    };
    let ended =
        |holder: &Holder| holder.task.0 != 0 && model.tasks.get(&holder.task).is_none_or(|task| task.state.ended());
    lock.holders.iter().all(ended) && (lock.holders.iter().all(|h| model.tasks.contains_key(&h.task)) || all_seen())
}

fn kept(cx: &Cx, lock: &Lock) -> Option<Candidate> {
    let model = cx.model;
    let holder: &Holder = lock.holders.iter().min_by_key(|holder| (holder.since, holder.task))?;
    let held = model.lasted(holder.since);
    if held <= cx.span(&HELD) {
        return None;
    }
    let usual = lock.hold_hist.quantile(0.99, lock.hold_max)?;
    let times = u32::try_from(cx.count(&TIMES)).unwrap_or(u32::MAX);
    if held <= usual.saturating_mul(times) || lock.hold_hist.count() < 20 {
        return None;
    }
    let (subject, group) = subject(cx, lock);
    let place = words::place(model, holder.site);
    let at = if place.is_empty() { String::new() } else { format!(" acquired at {}", text::file_line(place)) };
    let kept_at = words::long_wait_place(model, holder.task, held);
    let kept = match text::file_line(&kept_at) {
        "" => "the work that is done".to_owned(),
        kept => format!("the wait at {kept}"),
    };
    // While there are others, a long hold is a fact and no harm.
    let severity = if lock.waiters > 0 { Severity::Warn } else { Severity::Info };
    Some(Candidate {
        message: format!(
            "a permit of {}{at} has been held for {}, while 99 % come back {}; {}",
            words::semaphore(&subject),
            text::duration(held),
            text::at_most(usual),
            waiters(lock)
        ),
        evidence: vec![
            Evidence::span("held_for_ns", held).over(cx.limit_text(&HELD)),
            Evidence::percentile("hold_p99_ns", usual),
            Evidence::count("waiters", lock.waiters.into()),
            Evidence::words("holder_location", place),
        ],
        advice: format!("Put a timeout around {kept} under the permit{at}, so that it comes back.").into(),
        open: Spot::of(&kept_at, LocationRole::Waits).or_else(|| Spot::of(place, LocationRole::Acquired)),
        culprit: Culprit::of("holder", holder.task),
        confidence: Confidence::Likely,
        hurt: lock.waiters.into(),
        ..Candidate::enter(subject, &group, severity)
    })
}

fn subject(cx: &Cx, lock: &Lock) -> (super::Subject, String) {
    let subject = words::lock_subject(cx.model, lock, "");
    let group = if subject.location.is_empty() { format!("{:?}", lock.id) } else { subject.location.clone() };
    (subject, group)
}

fn waiters(lock: &Lock) -> String {
    match lock.waiters {
        0 => "nobody waits".to_owned(),
        1 => "1 task waits".to_owned(),
        n => format!("{} wait", text::counted(n.into(), "task")),
    }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn semaphore() -> (Judged, LockId) {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/send.rs:9:30", "Semaphore");
        let lock = judged.target.lock_of(LockKind::Semaphore, made);
        judged.target.lock_state(lock, |lock| (lock.permits_total, lock.permits_available) = (8, 8));
        judged.settle();
        (judged, lock)
    }

    #[test]
    fn permits_forgotten_until_none_is_left_are_counted() {
        let (mut judged, lock) = semaphore();
        judged.target.lock_state(lock, |lock| {
            (lock.permits_total, lock.permits_available, lock.forgotten, lock.waiters) = (0, 0, 8, 5);
        });
        judged.run(ms(3000));
        let finding = judged.only("permit-leak");
        assert_eq!((finding.severity, finding.count), (Severity::Crit, 8));
        assert_eq!(
            finding.message,
            "forget() took 8 permits away from a semaphore and nobody gave them back: none is left, and 5 tasks wait for ever"
        );
        judged.target.lock_state(lock, |lock| (lock.permits_total, lock.permits_available) = (8, 8));
        judged.run(ms(2500));
        judged.expect_nothing();
    }

    #[test]
    fn the_line_that_forgets_them_is_named_and_who_runs_it() {
        let (mut judged, lock) = semaphore();
        let sends = judged.target.spawn_site("src/main.rs:8:5", "shop::send::{{closure}}", OutputKind::Unit);
        let (by, line) = (judged.target.task(sends), judged.target.call_site("src/send.rs:20:16"));
        judged.target.lock_state(lock, |lock| {
            (lock.permits_total, lock.permits_available, lock.forgotten, lock.waiters) = (1, 0, 7, 5);
        });
        let at = judged.target.now;
        judged.target.disposal(Disposed::Permits(lock), Disposal { at, by, spawned: sends, site: line });
        judged.target.gone_task(by);
        judged.run(ms(3000));
        let finding = judged.only("permit-leak");
        assert_eq!(
            finding.message,
            "forget() at send.rs:20 took 7 of 8 permits away from a semaphore and nobody gave them back: 1 is left, and 5 \
             tasks wait"
        );
        assert_eq!(
            finding.who().unwrap(),
            "last forgotten by: a task of send 3.00 s ago (spawned at main.rs:8, has ended)"
        );
        assert!(finding.advice.starts_with("Remove the forget() at send.rs:20 "), "{}", finding.advice);
    }

    /// All permits, held since now by tasks; others wait.
    fn taken(judged: &mut Judged, lock: LockId) -> Vec<TaskId> {
        let sends = judged.target.spawn_site("src/main.rs:8:5", "shop::send::{{closure}}", OutputKind::Unit);
        let (site, since) = (judged.target.call_site("src/send.rs:20:20"), judged.target.now);
        let tasks: Vec<TaskId> = (0..2).map(|_| judged.target.task(sends)).collect();
        judged.target.lock_state(lock, |lock| {
            lock.holders =
                tasks.iter().map(|&task| Holder { task, site, since, permits: 4, exclusive: false }).collect();
            (lock.holder_count, lock.permits_available, lock.waiters) = (2, 0, 5);
        });
        judged.run(ms(500));
        tasks
    }

    #[test]
    fn permits_of_tasks_that_have_ended_are_leaked_in_all_likelihood() {
        let (mut judged, lock) = semaphore();
        let tasks = taken(&mut judged, lock);
        judged.target.gone_task(tasks[0]);
        judged.run(ms(12_000));
        // One of them may still give its permit back.
        judged.only("semaphore-exhausted");
        judged.target.task_state(tasks[1], |task| task.state = TaskState::Done);
        judged.run(ms(1500));
        let finding = judged.only("permit-leak");
        assert_eq!((finding.severity, finding.confidence), (Severity::Warn, Confidence::Likely));
        assert!(
            finding
                .message
                .starts_with("all 8 permits of a semaphore were taken by tasks that have ended since, and none ")
                && finding.message.ends_with(": 5 tasks wait"),
            "{}",
            finding.message
        );
        assert!(finding.advice.starts_with("Find what keeps the permit acquired at send.rs:20 beyond its task: "));
    }

    #[test]
    fn who_is_not_there_has_not_ended_where_not_all_tasks_are_told() {
        for shed in [false, true] {
            let (mut judged, lock) = semaphore();
            let tasks = taken(&mut judged, lock);
            for task in tasks {
                judged.target.gone_task(task);
            }
            if shed {
                judged.target.loss(Loss { tasks: 1, ..Loss::default() });
            } else {
                // A library's task, of which nothing is known but that it waits.
                let site = judged.target.call_site("src/send.rs:20:20");
                let waiting = judged.target.task(site);
                judged.run(ms(100));
                let since = judged.target.now;
                judged.target.task_state(waiting, |task| {
                    task.waits = [Wait { on: WaitFor::Lock(lock), site, since }].into();
                });
                judged.target.model.tasks.get_mut(&waiting).expect("just made").kind = TaskKind::Unwatched;
            }
            judged.run(ms(12_000));
            judged.only("semaphore-exhausted");
        }
    }

    #[test]
    fn a_semaphore_used_as_a_signal_is_nothing() {
        let (mut judged, lock) = semaphore();
        let mut n = 0;
        judged.target.lock_state(lock, |lock| (lock.permits_total, lock.permits_available) = (0, 0));
        judged.every(ms(20_000), |target| {
            n += 1;
            target.lock_state(lock, |lock| {
                lock.waiters = 1;
                if n % 30 == 0 {
                    lock.acquires += 1;
                    lock.forgotten += 1;
                }
            });
        });
        judged.expect_nothing();
    }

    #[test]
    fn a_permit_kept_far_longer_than_others_is_named() {
        for (waiters, severity, last) in [(2, Severity::Warn, "; 2 tasks wait"), (0, Severity::Info, "; nobody waits")]
        {
            let (mut judged, lock) = semaphore();
            let since = judged.target.now;
            let site = judged.target.call_site("src/send.rs:20:20");
            judged.target.lock_state(lock, |lock| {
                lock.hold_hist.0[10] = 500;
                lock.hold_max = ms(60);
                lock.waiters = waiters;
                lock.holders = vec![Holder { since, site, permits: 1, ..Holder::default() }];
                (lock.holder_count, lock.permits_available) = (1, 7);
            });
            judged.every(ms(59_000), |target| target.lock_state(lock, |lock| lock.acquires += 1));
            judged.expect_nothing();
            judged.every(ms(3000), |target| target.lock_state(lock, |lock| lock.acquires += 1));
            let finding = judged.only("permit-leak");
            assert_eq!(finding.severity, severity);
            assert!(
                finding.message.contains("acquired at send.rs:20") && finding.message.ends_with(last),
                "{}",
                finding.message
            );
        }
    }
}
