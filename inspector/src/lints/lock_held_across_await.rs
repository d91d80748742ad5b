//! A guard that lives through a suspension.
use std::collections::HashMap;
use std::time::Duration;

use super::culprit::Culprit;
use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::rwlock_writer_starved;
use super::saturation::{own, too_often};
use super::{Evidence, LocationRole, Severity, wait_graph, words};
use crate::model::{Lock, SiteId, SuspendedHold, TaskState};
use crate::text;

const WAITERS: Threshold = Threshold::millis(
    "with-waiters",
    10,
    "a hold across an await, or a wait for it, that is longer than this hurts those who wait",
);
const TOTAL: Threshold =
    Threshold::millis("total", 100, "such holds are a warning when they took this long together within 10 s");
const TIMES: Threshold = Threshold::count("times", 2, "and there were as many");
const ONGOING: Threshold =
    Threshold::millis("ongoing", 1000, "a hold that goes on, with waiters, is a warning after this time");
const ALONE: Threshold =
    Threshold::millis("alone", 50, "holds across an await longer than this are worth a word even if nobody waits");

/// What is judged.
const WINDOW: Duration = Duration::from_secs(10);
/// The newest hold must be no older, so that what has stopped clears.
const FRESH: Duration = Duration::from_secs(5);
/// Of fewer such holds nobody can say what is the rule with them.
const MANY: u64 = 5;
/// A hold that nobody minds is told of after so long.
const ALONE_ONGOING: Duration = Duration::from_secs(1);

pub(super) const RULE: Rule = Rule {
    id: "lock-held-across-await",
    severity: Severity::Warn,
    summary: "a lock is held while its holder is suspended at an .await",
    explain: EXPLAIN,
    thresholds: &[WAITERS, TOTAL, TIMES, ONGOING, ALONE],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(1),
    subsumed_by: &[
        "deadlock",
        "self-deadlock",
        "lock-hog",
        "rwlock-writer-starved",
        "cancelled-holding",
        "receiver-stalled",
        "blocked-worker",
        "channel-saturated",
    ],
    evaluate,
};

const EXPLAIN: &str = "\
A task acquired a lock and then awaited something else while it held the guard. The line that is named is the one that
acquires.

Why it hurts
  The lock is taken for as long as the await takes: a query, a request, a sleep. All others queue behind something
  that has nothing to do with what the lock protects. If the await depends, even indirectly, on one of those who
  wait, nothing moves ever again.

WRONG
  let mut cache = state.cache.lock().await;
  if !cache.contains_key(&key) {
      let value = database.load(&key).await?;       // everybody waits for the database
      cache.insert(key, value);
  }

RIGHT
  if !state.cache.lock().await.contains_key(&key) { // the guard goes at the end of the line
      let value = database.load(&key).await?;       // nobody waits
      state.cache.lock().await.insert(key, value);
  }

Thresholds
  with-waiters = 10.0 ms   a hold across an await, or a wait for it, that is longer than this hurts those who wait
  total        = 100 ms    such holds are a warning when they took this long together within 10 s
  times        = 2         and there were as many
  ongoing      = 1.00 s    a hold that goes on, with waiters, is a warning after this time
  alone        = 50.0 ms   holds across an await longer than this are worth a word even if nobody waits

A hold that nobody waits for is `info`. A lock around the receiver of a channel is held while its holder waits for a
message, which is what it is for; so is a `OnceCell` while its value is made.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let locks = cx.model.locks.values();
    let held = |lock: &&Lock| {
        // A cell that is being set is held by the one who makes its value, which is what the others wait for.
        lock.kind.guards()
            && !words::is_queue(cx.model, lock)
            && (!lock.recent_suspended.is_empty() || lock.held_since.is_some())
    };
    out.extend(locks.filter(held).filter_map(|lock| judge(cx, lock)));
}

/// Holds of one lock over awaits, of one kind.
#[derive(Default)]
struct Holds<'a> {
    recent: Vec<&'a SuspendedHold>,
    fresh: bool,
}

impl<'a> Holds<'a> {
    fn of(cx: &Cx, lock: &'a Lock, which: impl Fn(&SuspendedHold) -> bool) -> Self {
        let age = |hold: &SuspendedHold| cx.model.now.since(hold.at);
        let recent: Vec<_> = lock.recent_suspended.iter().filter(|h| age(h) <= WINDOW && which(h)).collect();
        let fresh = recent.iter().any(|hold| age(hold) <= FRESH);
        Self { recent, fresh }
    }

    fn times(&self) -> u64 {
        self.recent.iter().map(|hold| hold.count).fold(0, u64::saturating_add)
    }

    fn total(&self) -> Duration {
        self.recent.iter().map(|hold| hold.total).fold(Duration::ZERO, Duration::saturating_add)
    }

    fn longest(&self) -> Duration {
        self.recent.iter().map(|hold| hold.took).max().unwrap_or_default()
    }

    /// The acquiring line that took the most.
    fn worst_site(&self) -> SiteId {
        let mut by_site: HashMap<SiteId, Duration> = HashMap::new();
        for hold in &self.recent {
            let total = by_site.entry(hold.site).or_default();
            *total = total.saturating_add(hold.total);
        }
        by_site.into_iter().max_by_key(|&(site, total)| (total, site)).map(|(site, _)| site).unwrap_or_default()
    }
}

/// How long the present hold has lasted, if its task is suspended now.
fn ongoing(cx: &Cx, lock: &Lock) -> Option<Duration> {
    let since = lock.held_since?;
    let holder = cx.model.tasks.get(&lock.holder)?;
    if rwlock_writer_starved::is_about(lock) {
        return None;
    }
    let suspended = holder.state == TaskState::Idle && holder.state_since >= since;
    // A holder that waits for one that waits for it is `deadlock`, which says more.
    let never = suspended && cx.is_stuck(holder.id);
    (suspended && !never).then(|| cx.model.lasted(since))
}

fn judge(cx: &Cx, lock: &Lock) -> Option<Candidate> {
    let model = cx.model;
    let limit = cx.span(&WAITERS);
    let waits = lock.wait_p99().unwrap_or_default();
    // What a full machine adds to holds and waits is no fault of the lock's.
    let over = |time| own(model, time) > limit;
    let alone = Holds::of(cx, lock, |hold| hold.took > cx.span(&ALONE));
    // But it makes some of them so long, not nearly all.
    let all = Holds::of(cx, lock, |_| true).times();
    let as_a_rule = all >= MANY && too_often(model, alone.times() as f64 / all as f64);
    let long = |hold: &SuspendedHold| over(hold.took) || over(waits) || as_a_rule && hold.took > cx.span(&ALONE);
    let hurting = Holds::of(cx, lock, |hold| hold.waiters > 0 && long(hold));
    let ongoing = ongoing(cx, lock);
    let waited_for = ongoing.filter(|&held| lock.waiters > 0 && held > cx.span(&ONGOING));

    let often = hurting.fresh && hurting.times() >= cx.count(&TIMES) && hurting.total() >= cx.span(&TOTAL);
    let made_at = words::place(model, lock.site);
    let group = if made_at.is_empty() { format!("{:?}", lock.id) } else { made_at.to_owned() };
    let unheeded = ongoing.filter(|&held| held > ALONE_ONGOING);
    let (holds, location, severity) = if waited_for.is_some() {
        (hurting, lock.holder_site, Severity::Warn)
    } else if often {
        let site = hurting.worst_site();
        (hurting, site, Severity::Warn)
    } else if unheeded.is_some() || alone.fresh && alone.times() >= cx.count(&TIMES) {
        let site = if unheeded.is_some() { lock.holder_site } else { alone.worst_site() };
        (alone, site, Severity::Info)
    } else {
        let near = hurting.fresh || alone.fresh;
        return near.then(|| Candidate::stay(words::lock_subject(model, lock, ""), &group));
    };

    let subject = words::lock_subject(model, lock, words::place(model, location));
    let name = words::kind_and_name(lock, &subject);
    let present = waited_for.or(unheeded.filter(|_| !often));
    let waiters = if present.is_some() {
        lock.waiters
    } else {
        holds.recent.iter().map(|hold| hold.waiters).max().unwrap_or_default().max(lock.waiters)
    };
    // Of several holds it is the most that ever waited, which need not be so now.
    let most = if present.is_none() && holds.times() > 1 { "up to " } else { "" };
    let wait = match waiters {
        0 => "nobody waits for it".to_owned(),
        1 if most.is_empty() => "1 task waits for it".to_owned(),
        1 => "up to 1 task waits for it".to_owned(),
        n => format!("{most}{} wait for it", text::counted(n.into(), "task")),
    };
    // Of how many, as far as that is known.
    let all = lock.acquires_s.recent_sum(WINDOW.as_secs() as usize) as u64;
    let times = match all {
        n if n > holds.times() => format!("in {} of {} holds in 10 s", text::count(holds.times()), text::count(n)),
        _ => format!("{} times in 10 s", text::count(holds.times())),
    };
    let message = match present {
        Some(held) => format!("{name} has been held across an .await for {}; {wait}", text::duration(held)),
        None if holds.times() == 1 => {
            format!("{name} was held across an .await for {}; {wait}", text::duration(holds.longest()))
        }
        None => {
            format!("{name} was held across an .await for up to {}, {times}; {wait}", text::duration(holds.longest()))
        }
    };

    let threshold = if severity == Severity::Warn { &WAITERS } else { &ALONE };
    let longest = holds.longest().max(present.unwrap_or_default());
    let mut evidence = vec![
        Evidence::span("held_across_await_ns", longest).over(cx.limit_text(threshold)),
        Evidence::count("waiters", waiters.into()),
        Evidence::count("holds_across_await_10s", holds.times()).aside(),
        Evidence::words("acquired_location", words::place(model, location)),
        Evidence::words("created_location", made_at),
    ];
    if !waits.is_zero() {
        evidence.insert(1, Evidence::percentile("wait_p99_ns", waits));
    }
    // Who has it now, by the line that is accused, does what the others did.
    let holder = model.tasks.get(&lock.holder).filter(|_| present.is_some() || lock.holder_site == location);
    if let Some(holder) = holder {
        evidence.push(Evidence::task("holder_task", holder.id));
        if let Some(wait) = holder.waits.first() {
            evidence.push(Evidence::words("holder_waits", words::wait(model, wait.on)));
            evidence.push(Evidence::words("holder_waits_location", words::place(model, wait.site)));
        }
    }
    let at = if subject.role == LocationRole::Made {
        String::new()
    } else {
        format!(" taken at {}", text::file_line(&subject.location))
    };
    // What is awaited now, if that is anything else than the lock, or was at other such holds.
    let now = present.and(holder).map(|holder| words::long_wait_place(model, holder.id, present.unwrap_or_default()));
    let seen = lock.awaited.filter(|seen| seen.acquired == location).map(|seen| words::place(model, seen.site));
    let awaited = now.as_deref().filter(|place| !place.is_empty()).or(seen).unwrap_or_default();
    if holder.is_none() && !awaited.is_empty() {
        evidence.push(Evidence::words("awaited_location", awaited));
    }
    let awaits = match text::file_line(awaited) {
        "" => "the .await".to_owned(),
        place => format!("the wait at {place}"),
    };
    let advice =
        format!("Drop the guard{at} before {awaits}: copy out what is needed, and lock again to store the result.");
    let events = holds.recent.iter().map(|hold| (hold.at, hold.count)).collect();
    let onset = present.and(lock.held_since);
    let behind = if present.is_some() { wait_graph::behind(model, lock.holder) } else { Vec::new() };
    Some(Candidate {
        message,
        evidence,
        advice: advice.into(),
        passing: true,
        onset,
        count: Count::Events(events),
        hurt: u64::from(waiters),
        behind,
        culprit: holder.and_then(|holder| Culprit::of("holder", holder.id)),
        ..Candidate::enter(subject, &group, severity)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn quiet() -> (Judged, LockId, SiteId) {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/state.rs:12:9", "shop::Cache");
        let lock = judged.target.lock(made);
        let acquiring = judged.target.call_site("src/cache.rs:31:40");
        judged.settle();
        (judged, lock, acquiring)
    }

    fn hold(target: &mut Fixture, lock: LockId, site: SiteId, took: Duration, waiters: u32) {
        let at = target.now;
        target.lock_state(lock, |lock| {
            lock.acquires += 1;
            lock.suspended_holds += 1;
            lock.last_suspended = took;
            lock.last_suspended_at = at;
            lock.last_suspended_site = site;
            lock.last_suspended_waiters = waiters;
        });
    }

    /// A task that has held the lock since now, and sleeps.
    fn begin_hold(judged: &mut Judged, lock: LockId, acquiring: SiteId, waiters: u32) -> TaskId {
        let site = judged.target.spawn_site("src/main.rs:3:3", "shop::refresh::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(site);
        let now = judged.target.now;
        judged.target.lock_state(lock, |lock| {
            lock.holder = task;
            lock.holder_site = acquiring;
            lock.held_since = Some(now);
            lock.waiters = waiters;
        });
        task
    }

    #[test]
    fn holds_with_waiters_are_named_with_the_acquiring_line() {
        let (mut judged, lock, acquiring) = quiet();
        for _ in 0..8 {
            judged.every(ms(200), |_| {});
            hold(&mut judged.target, lock, acquiring, ms(150), 12);
            judged.run(ms(100));
        }
        let finding = judged.only("lock-held-across-await");
        assert_eq!(finding.severity, Severity::Warn);
        assert_eq!(finding.subject.kind, SubjectKind::Lock(lock));
        assert_eq!(finding.subject.location, "src/cache.rs:31:40");
        assert_eq!(
            finding.message,
            "Mutex `Cache` was held across an .await for up to 150 ms, 8 times in 10 s; up to 12 tasks wait for it"
        );
        assert_eq!(finding.count, 8);
        assert_eq!(evidence(&finding, "waiters").value, 12);
        assert_eq!(evidence(&finding, "held_across_await_ns").limit, "> 10.0 ms");
    }

    #[test]
    fn what_is_awaited_meanwhile_is_told_when_it_was_met() {
        let (mut judged, lock, acquiring) = quiet();
        let place = judged.target.channel_site("src/main.rs:5:5", "shop::Job");
        let channel = judged.target.channel(place, None);
        let [brief, long] = ["src/cache.rs:32:20", "src/cache.rs:33:20"].map(|line| judged.target.call_site(line));
        let awaits = |judged: &mut Judged, task, site| {
            let wait = Wait { on: WaitFor::Recv(channel), site, since: judged.target.now };
            judged.target.task_state(task, |task| task.waits = [wait].into());
        };
        for n in 0..8 {
            let task = begin_hold(&mut judged, lock, acquiring, 12);
            awaits(&mut judged, task, brief);
            judged.run(ms(20));
            awaits(&mut judged, task, long);
            // The last ones are met early in that wait.
            judged.run(ms(if n < 5 { 130 } else { 10 }));
            judged.target.task_state(task, |task| task.waits.clear());
            judged.target.lock_state(lock, |lock| (lock.held_since, lock.holder) = (None, TaskId(0)));
            hold(&mut judged.target, lock, acquiring, ms(150), 12);
            judged.run(ms(100));
        }
        let finding = judged.only("lock-held-across-await");
        let advice = "Drop the guard taken at cache.rs:31 before the wait at cache.rs:33: copy out what is needed";
        assert!(finding.advice.starts_with(advice), "{}", finding.advice);
        assert_eq!(evidence(&finding, "awaited_location").value, "src/cache.rs:33:20");
    }

    #[test]
    fn of_holds_that_are_a_hog_now_and_then_something_is_said_all_the_time() {
        let (mut judged, lock, acquiring) = quiet();
        for n in 0..24 {
            let task = begin_hold(&mut judged, lock, acquiring, 4);
            // Every sixth is long enough for `lock-hog`.
            let took = ms(if n % 6 == 2 { 1300 } else { 800 });
            let mut lasted = Duration::ZERO;
            while lasted < took {
                judged.run(ms(100));
                lasted += ms(100);
                assert!(n < 4 || !judged.active().is_empty(), "hold {n}: {:?}", judged.engine.findings());
            }
            judged.target.lock_state(lock, |lock| (lock.held_since, lock.holder) = (None, TaskId(0)));
            judged.target.gone_task(task);
            hold(&mut judged.target, lock, acquiring, took, 4);
            judged.run(ms(50));
            assert!(n < 4 || !judged.active().is_empty(), "after hold {n}: {:?}", judged.engine.findings());
        }
        let rules: Vec<&str> = judged.engine.findings().iter().map(|finding| finding.rule).collect();
        assert!(rules.contains(&"lock-hog") && rules.contains(&"lock-held-across-await"), "{rules:?}");
    }

    #[test]
    fn a_crowded_machine_makes_some_holds_long_and_not_nearly_all() {
        for (every, expected) in [(1, Some(Severity::Warn)), (4, Some(Severity::Info))] {
            let (mut judged, lock, acquiring) = quiet();
            let worker = judged.target.worker("tokio-worker-1");
            for n in 0..12 {
                judged.every(ms(200), |target| {
                    target.worker_state(worker, |worker| {
                        worker.busy += ms(20);
                        worker.cpu_wait += ms(20);
                    });
                });
                hold(&mut judged.target, lock, acquiring, if n % every == every - 1 { ms(90) } else { ms(2) }, 4);
            }
            judged.run(ms(100));
            let told = judged.active().first().map(|finding| finding.severity);
            assert_eq!(told, expected, "{every}");
        }
    }

    #[test]
    fn a_hold_that_goes_on_says_who_holds_and_what_that_waits_for() {
        let (mut judged, lock, acquiring) = quiet();
        // Which speaks for holds of a second and more.
        let mut settings = Settings::default();
        settings.switch_off("lock-hog").expect("a rule");
        judged.engine = Engine::new(settings);
        let task = begin_hold(&mut judged, lock, acquiring, 3);
        let place = judged.target.channel_site("src/main.rs:5:5", "shop::Job");
        let channel = judged.target.channel(place, None);
        let since = judged.target.now;
        judged
            .target
            .task_state(task, |task| task.waits = [Wait { on: WaitFor::Recv(channel), site: acquiring, since }].into());
        judged.run(ms(400));
        judged.expect_nothing();
        judged.run(ms(700));
        let finding = judged.only("lock-held-across-await");
        assert_eq!((finding.severity, finding.since), (Severity::Warn, since));
        assert_eq!(finding.message, "Mutex `Cache` has been held across an .await for 1.10 s; 3 tasks wait for it");
        assert_eq!(evidence(&finding, "holder_task").value, task.0.to_string());
        assert_eq!(evidence(&finding, "holder_waits").text, "for a message from channel `Job`");
    }

    #[test]
    fn a_hold_that_nobody_waits_for_is_no_alarm() {
        let (mut judged, lock, acquiring) = quiet();
        begin_hold(&mut judged, lock, acquiring, 0);
        judged.run(ms(3000));
        let finding = judged.only("lock-held-across-await");
        assert_eq!(finding.severity, Severity::Info);
        assert!(finding.message.ends_with("nobody waits for it"), "{}", finding.message);
    }

    #[test]
    fn a_cell_is_held_by_the_one_who_makes_its_value() {
        let (mut judged, _, acquiring) = quiet();
        let made = judged.target.lock_site("src/db.rs:12:9", "shop::Db");
        let cell = judged.target.lock_of(LockKind::OnceCell, made);
        begin_hold(&mut judged, cell, acquiring, 30);
        judged.run(ms(5000));
        judged.expect_nothing();
    }

    #[test]
    fn one_long_hold_at_start_up_is_nothing() {
        let (mut judged, lock, acquiring) = quiet();
        hold(&mut judged.target, lock, acquiring, ms(300), 0);
        judged.run(ms(10_000));
        judged.expect_nothing();
    }

    #[test]
    fn a_holder_that_works_without_awaiting_is_not_suspended() {
        let (mut judged, lock, acquiring) = quiet();
        let task = begin_hold(&mut judged, lock, acquiring, 3);
        judged.target.task_state(task, |task| task.state = TaskState::Running);
        judged.run(ms(3000));
        judged.expect_no_alarm_of("lock-held-across-await");
    }

    #[test]
    fn a_holder_that_is_not_shown_may_be_working() {
        let (mut judged, lock, acquiring) = quiet();
        let now = judged.target.now;
        judged.target.loss(Loss { tasks: 5, ..Loss::default() });
        judged.target.lock_state(lock, |lock| {
            lock.holder = TaskId(77_777);
            lock.holder_site = acquiring;
            lock.held_since = Some(now);
            lock.waiters = 5;
        });
        judged.run(ms(5000));
        judged.expect_no_alarm_of("lock-held-across-await");
    }

    #[test]
    fn it_speaks_for_the_contention_that_it_makes() {
        let (mut judged, lock, acquiring) = quiet();
        judged.every(ms(6000), |target| {
            hold(target, lock, acquiring, ms(90), 10);
            target.lock_state(lock, |lock| {
                lock.contended += 1;
                lock.wait_hist.0[13] += 1;
                lock.wait_max = ms(900);
                lock.waiters = 10;
            });
        });
        judged.only("lock-held-across-await");
        judged.target.lock_state(lock, |lock| lock.waiters = 0);
        judged.run(ms(6500));
        judged.expect_nothing();
        assert_eq!(judged.engine.findings().len(), 1, "nothing else was ever said: {:#?}", judged.engine.findings());
    }
}
