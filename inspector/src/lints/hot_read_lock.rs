//! A lock that very many want, each for a moment.
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::{Evidence, Severity, words};
use crate::model::{Lock, Series};
use crate::text;

const RATE: Threshold = Threshold::count("rate", 2000, "the lock is acquired more often than this in a second");
const WAITING: Threshold =
    Threshold::count("waiting", 1, "and on average more tasks than this wait for it at any time");
const HOLD: Threshold = Threshold::millis("hold", 1, "although each keeps it for less than this (p99)");

/// What is judged, in seconds.
const WINDOW: usize = 3;
/// A task that is woken for the lock takes about as long to come.
const WAKE: Duration = Duration::from_micros(20);

pub(super) const RULE: Rule = Rule {
    id: "hot-read-lock",
    severity: Severity::Warn,
    summary: "a lock is wanted so often that tasks queue for moments of it",
    explain: EXPLAIN,
    thresholds: &[RATE, WAITING, HOLD],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(2),
    subsumed_by: &[
        "deadlock",
        "self-deadlock",
        "lock-hog",
        "lock-held-across-await",
        "lock-contention",
        "rwlock-writer-starved",
        "blocked-worker",
    ],
    evaluate,
};

const EXPLAIN: &str = "\
One lock is acquired thousands of times a second. Each hold is short, but there are so many that tasks always wait.

Why it hurts
  A lock of tokio's hands itself from task to task by waking the next one: a turn through the scheduler for each hold,
  however short. Beyond some thousand holds a second, that is what the time goes into, and more workers do not help.

WRONG
  static PRICES: Mutex<HashMap<Id, Price>>;         // read by every request, ten times each
  let price = PRICES.lock().await.get(&id).copied();

RIGHT
  static PRICES: LazyLock<DashMap<Id, Price>>;      // one lock per shard
  let price = PRICES.get(&id).map(|price| *price);

  // read mostly: an Arc that is swapped, or std's RwLock, which is right for moments without an await
  let prices: Arc<HashMap<Id, Price>> = current.load_full();

Thresholds
  rate    = 2000      the lock is acquired more often than this in a second
  waiting = 1         and on average more tasks than this wait for it at any time
  hold    = 1.00 ms   although each keeps it for less than this (p99)
";

const MAP: &str = "DashMap, which has one lock per shard";

const VALUE: &str = "ArcSwap for what is mostly read, or atomics for counters";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let locks = cx.model.locks.values().filter(|lock| lock.kind.guards() && lock.contended > 0);
    out.extend(locks.filter_map(|lock| judge(cx, lock)));
}

fn judge(cx: &Cx, lock: &Lock) -> Option<Candidate> {
    let model = cx.model;
    if lock.acquires_s.points().len() < WINDOW {
        return None;
    }
    let least = |series: &Series| series.points().rev().take(WINDOW).fold(f64::INFINITY, f64::min);
    let rate = wanted(lock);
    // Time waited in a second is how many wait at any time.
    let waiting = least(&lock.wait_ns_s) / 1e9;
    let hold = lock.hold_p99()?;
    let made_at = words::place(model, lock.site);
    let group = if made_at.is_empty() { format!("{:?}", lock.id) } else { made_at.to_owned() };
    let subject = words::lock_subject(model, lock, "");
    let (most, many) = (cx.count(&RATE) as f64, cx.count(&WAITING) as f64);
    if rate <= most || waiting <= many || hold >= cx.span(&HOLD) {
        let near = rate > most / 2.0 && waiting > many / 2.0;
        return near.then(|| Candidate::stay(subject, &group));
    }
    let wait = lock.wait_p99().unwrap_or_default();
    let share = (lock.contended_s.recent_sum(WINDOW) / lock.acquires_s.recent_sum(WINDOW).max(1.0)).min(1.0);
    // What is judged is the least of the seconds; what people put beside other figures is the mean.
    let mean = |series: &Series| series.recent_sum(WINDOW) / WINDOW as f64;
    let (rate, waiting) = (mean(&lock.acquires_s), mean(&lock.wait_ns_s) / 1e9);
    let others = if subject.name.contains("Map") { MAP } else { VALUE };
    let kind = lock.kind.name();
    let locked = words::place(model, lock.hold_max_site);
    // Whether a blocking lock will do: of one whose holders are not told, nobody knows.
    let across = lock.suspended_holds;
    let never = model.target.sees("holders") && across == 0;
    let at = if made_at.is_empty() { String::new() } else { format!(" at {}", text::file_line(made_at)) };
    let advice = if never {
        format!(
            "Make it a std::sync::{kind}{at}: no guard of this one was ever held over an await, and a task needs no wake and no \
             poll to get that. If that is not enough: {others}."
        )
    } else {
        format!("Instead of this {kind}{at} use {others}.")
    };
    let each = |total: Duration, n: u64| u32::try_from(n).ok().filter(|n| *n > 0).map(|n| total / n);
    let mut evidence = vec![
        Evidence::rate("acquires_per_s", rate).over(text::rate(most)).aside(),
        Evidence::mean("mean_waiters", waiting).over(many).aside(),
        // The means tell more.
        Evidence::percentile("hold_p99_ns", hold).aside(),
        Evidence::percentile("wait_p99_ns", wait).aside(),
        Evidence::share("contended_share", share),
    ];
    // Since the lock was made: where that is more than nearly all holds take now, it tells of another time.
    let taken = each(lock.hold_total, lock.acquires).filter(|mean| *mean <= hold);
    evidence.extend(taken.map(|hold| Evidence::span("hold_mean_ns", hold)));
    evidence.extend(each(lock.wait_total, lock.contended).map(|wait| Evidence::span("wait_mean_ns", wait)));
    evidence.push(Evidence::words("hold_max_location", locked));
    if model.target.sees("holders") {
        let holds = Evidence::count("suspended_holds", across);
        evidence.push(Evidence { text: if never { "never".to_owned() } else { holds.text.clone() }, ..holds }.aside());
    }
    Some(Candidate {
        message: format!(
            "tokio {} is locked {} times/s{}: {}about {waiting:.0} tasks wait at any time",
            words::kind_and_name(lock, &subject),
            text::count(rate.round() as u64),
            taken.map_or_else(String::new, |hold| format!(", for {} each", text::duration(hold))),
            // Of longer holds, it is they that take the time.
            if taken.is_some_and(|hold| hold < WAKE) {
                "to wake the next task each time takes longer than that, so "
            } else {
                ""
            },
        ),
        evidence,
        advice: advice.into(),
        hurt: waiting as u64,
        ..Candidate::enter(subject, &group, Severity::Warn)
    })
}

/// How often the lock was wanted in a second, the least of the last few: a queue that only gets shorter, as after a start at
/// which thousands of tasks want it once, is no lock that is wanted often.
fn wanted(lock: &Lock) -> f64 {
    let waiters = || lock.waiters_s.points().rev();
    let grown = waiters().zip(waiters().skip(1)).map(|(now, before)| now - before).chain([0.0]);
    let wanted = lock.acquires_s.points().rev().zip(grown).map(|(acquired, grown)| acquired + grown);
    wanted.take(WINDOW).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn taken(acquires: u64, waited: Duration) -> Judged {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/prices.rs:9:9", "HashMap<Id, Price>");
        let lock = judged.target.lock(made);
        judged.settle();
        judged.every(ms(4500), |target| {
            target.lock_state(lock, |lock| {
                lock.acquires += acquires;
                lock.contended += acquires / 2;
                lock.wait_total += waited;
                lock.wait_hist.0[3] += 10;
                lock.wait_max = ms(2);
                lock.hold_hist.0[0] += 10;
                lock.hold_max = ms(1) / 2;
            });
        });
        judged
    }

    #[test]
    fn a_lock_that_many_want_for_a_moment_is_named_by_where_it_was_made() {
        let finding = taken(1000, ms(600)).only("hot-read-lock");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/prices.rs:9:9"));
        assert!(
            finding.advice.starts_with("Make it a std::sync::Mutex at prices.rs:9")
                && finding.advice.contains("DashMap"),
            "{}",
            finding.advice
        );
        assert_eq!(evidence(&finding, "suspended_holds").text, "never");
        assert!(
            finding.message.starts_with("tokio Mutex `HashMap<Id, Price>` is locked 10.0k times/s")
                && finding.message.ends_with("about 6 tasks wait at any time"),
            "{}",
            finding.message
        );
    }

    #[test]
    fn a_queue_that_only_gets_shorter_is_nothing() {
        for (shrinks, expected) in [(500, 0), (0, 1)] {
            let mut judged = Judged::new();
            let made = judged.target.lock_site("src/prices.rs:9:9", "u64");
            let lock = judged.target.lock(made);
            judged.settle();
            judged.target.lock_state(lock, |lock| lock.waiters = 40_000);
            judged.every(ms(4500), |target| {
                target.lock_state(lock, |lock| {
                    lock.waiters -= shrinks;
                    lock.acquires += 500;
                    lock.contended += 500;
                    lock.wait_total += ms(600);
                    lock.hold_hist.0[0] += 500;
                    lock.hold_max = ms(1) / 2;
                });
            });
            assert_eq!(judged.engine.findings().len(), expected, "{shrinks}: {:?}", judged.engine.findings());
        }
    }

    #[test]
    fn a_busy_lock_that_hardly_anybody_waits_for_is_nothing() {
        taken(1000, ms(20)).expect_nothing();
        taken(50, ms(600)).expect_no_alarm_of("hot-read-lock");
    }
}
