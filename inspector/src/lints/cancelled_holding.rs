//! A future that is dropped while it holds a lock, in the middle of what it does under it.
use std::collections::HashMap;
use std::time::Duration;

use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::{Evidence, Severity, words};
use crate::model::{CutShort, DropKind, Lock, Seen, SiteId};
use crate::text;

const TIMES: Threshold =
    Threshold::count("times", 2, "so many holds cut short within a minute, of a lock that is used on, are a warning");
const APART: Threshold =
    Threshold::millis("apart", 1000, "if they are this far apart, so that they are not all of one shutdown");

/// Where at least this share of the holds over an await are cut short, that is what is wrong with them.
const SHARE: f64 = 0.2;
/// To drop a future takes no longer, from its wait to its guard.
const WHILE_DROPPED: Duration = Duration::from_secs(1);

pub(super) const RULE: Rule = Rule {
    id: "cancelled-holding",
    severity: Severity::Warn,
    summary: "futures are dropped at an .await while they hold a lock",
    explain: EXPLAIN,
    thresholds: &[TIMES, APART],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(1),
    subsumed_by: &[],
    evaluate,
};

const EXPLAIN: &str = "\
A future held the guard of a lock at an `.await`, and was dropped there: another branch of its `select!` was first, its
`timeout` passed, its token was cancelled, or its task was aborted. The line that is named is the one that acquired the
guard.

Why it hurts
  The guard is let go of, as it must be, but what was being changed under it stays half changed: money has left one
  account and has not reached the other, a connection has sent its question and will give the answer to the next one who
  asks. Nobody is told, and the next to lock it goes on with what there is.

WRONG
  let change = async {
      let mut account = account.lock().await;
      account.available -= amount;
      ledger.write(amount).await?;                  // dropped here when the time is up
      account.booked += amount;
      Ok(())
  };
  timeout(Duration::from_millis(50), change).await??;

RIGHT
  ledger.write(amount).await?;                      // may be dropped: nothing has changed yet
  let mut account = account.lock().await;           // from here on no await
  account.available -= amount;
  account.booked += amount;

  // or let it come to its end whoever still waits for it
  let change = tokio::spawn(change);
  timeout(Duration::from_millis(50), change).await???;

Thresholds
  times = 2        so many holds cut short within a minute, of a lock that is used on, are a warning
  apart = 1.00 s   if they are this far apart, so that they are not all of one shutdown

Only guards that keep all others out count: who reads leaves nothing half done, and permits of a semaphore come back
whole. Nor does a lock with nothing in it, or one with a receiver in it, under which one waits for a message; nor a send
that is given up while it waits for room, since nothing was sent by then, and that is what a timeout is for.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let cut_short = cx.model.locks.values().filter(|lock| !lock.recent_cut_short.is_empty());
    out.extend(cut_short.filter(|lock| has_state(cx, lock)).filter_map(|lock| judge(cx, lock)));
}

/// Whether there is anything in the lock that could be left half changed.
fn has_state(cx: &Cx, lock: &Lock) -> bool {
    let name = cx.model.sites.get(&lock.site).map_or("", |site| &*site.name);
    let outer = name.split('<').next().unwrap_or(name);
    name != "()" && !["Receiver", "Listener", "JoinSet"].iter().any(|what| outer.ends_with(what))
}

fn judge(cx: &Cx, lock: &Lock) -> Option<Candidate> {
    let model = cx.model;
    let (first, last) = lock.recent_cut_short.ends()?;
    let times = lock.recent_cut_short.iter().map(|hold| hold.count).fold(0, u64::saturating_add);
    // Who held it until then has given it back; whoever has acquired it since goes on with what there is.
    let used_on = lock.acquires > first.acquires || times > 1;
    let apart = last.at.since(first.at);
    let warns = times >= cx.count(&TIMES) && apart >= cx.span(&APART) && used_on;

    let (site, worst) = most_often(lock.recent_cut_short.iter())?;
    let place = words::place(model, site);
    let made_at = words::place(model, lock.site);
    let line = if place.is_empty() { made_at } else { place };
    let subject = words::lock_subject(model, lock, place);
    let group = if line.is_empty() { format!("{:?}", lock.id) } else { line.to_owned() };
    let dropped_at = words::place(model, worst.dropped_at);
    let at = if dropped_at.is_empty() { String::new() } else { format!(" at {}", text::file_line(dropped_at)) };
    let by = match worst.by {
        DropKind::Select => format!("by the select!{at}"),
        DropKind::Timeout => format!("by the timeout{at}"),
        DropKind::Token => format!("when their token was cancelled{at}"),
        DropKind::Task if at.is_empty() => "with their tasks".to_owned(),
        DropKind::Task => format!("with their tasks, spawned{at},"),
    };
    let locked = words::at(place);
    let instead = match worst.by {
        DropKind::Timeout => format!("put the timeout{at} around its JoinHandle"),
        DropKind::Select => format!("put its JoinHandle into the select!{at}"),
        DropKind::Token => format!("wait for the token{at} beside its JoinHandle"),
        DropKind::Task => "let the task that may be aborted only await its JoinHandle".to_owned(),
    };
    let held = words::kind_and_name(lock, &subject);
    // The wait is given up before the guard; what was seen before that is of an earlier hold.
    let since = first.at.before(WHILE_DROPPED);
    let given_up = model.seen_since(Seen::GivenUp, lock.site, since).map_or("", |(place, _)| place);
    let held = match given_up {
        "" => held,
        place => format!("{held} and waited at {}", text::file_line(place)),
    };
    let message = if times == 1 {
        let by = by.replace("their t", "its t").replace("tasks", "task");
        format!("a future was dropped {by} while it held {held}: what it guards may be half changed")
    } else {
        format!(
            "{} futures were dropped {by} while they held {held}: what it guards may be half changed",
            text::count(times)
        )
    };
    let took = Evidence::span("held_for_ns", worst.took);
    let mut evidence = vec![
        Evidence::count("cut_short_1m", times).at_least(cx.limit_text(&TIMES)),
        Evidence { text: format!("{} when last dropped", took.text), ..took },
        Evidence::count("acquires_since", lock.acquires.saturating_sub(last.acquires)).aside(),
        Evidence::words("dropped_location", dropped_at),
        Evidence::span("apart_ns", apart).at_least(cx.limit_text(&APART)).aside(),
        Evidence::words("acquired_location", place),
        Evidence::words("awaited_location", given_up),
        Evidence::words("created_location", made_at),
    ];
    evidence.retain(|evidence| !evidence.text.is_empty() && evidence.text != "0");
    let mut causes = vec![group.clone()];
    let suspended = lock.recent_suspended.iter().map(|hold| hold.count).fold(0, u64::saturating_add);
    if warns && times as f64 >= suspended as f64 * SHARE {
        causes.push(made_at.to_owned());
    }
    causes.retain(|place| !place.is_empty());
    Some(Candidate {
        message,
        evidence,
        advice: format!(
            "tokio::spawn the whole change that locks{locked}, and {instead}: dropping the handle does not stop the change."
        )
        .into(),
        count: Count::Events(lock.recent_cut_short.iter().map(|hold| (hold.at, hold.count)).collect()),
        hurt: times,
        causes,
        ..Candidate::enter(subject, &group, if warns { Severity::Warn } else { Severity::Info })
    })
}

/// The acquiring line whose holds are cut short most often, and the newest of those.
fn most_often<'a>(holds: impl Iterator<Item = &'a CutShort>) -> Option<(SiteId, &'a CutShort)> {
    let mut by_site: HashMap<SiteId, (u64, &CutShort)> = HashMap::new();
    for hold in holds {
        let known = by_site.entry(hold.site).or_insert((0, hold));
        *known = (known.0.saturating_add(hold.count), hold);
    }
    let (site, (_, newest)) = by_site.into_iter().max_by_key(|&(site, (times, _))| (times, site))?;
    Some((site, newest))
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;
    use crate::model::{CutShort, DropKind};

    fn lock_of(what: &str) -> (Judged, LockId) {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/bank.rs:9:20", what);
        let lock = judged.target.lock(made);
        judged.settle();
        (judged, lock)
    }

    /// A hold is cut short now, and the lock is used `after` times since.
    fn cut_short(judged: &mut Judged, lock: LockId, by: DropKind, after: u64) {
        let site = judged.target.call_site("src/bank.rs:31:40");
        let dropped_at = judged.target.call_site("src/bank.rs:52:9");
        let at = judged.target.now;
        judged.target.lock_state(lock, |lock| {
            lock.acquires += 1;
        });
        let newest = CutShort { at, took: ms(20), site, by, dropped_at, ..CutShort::default() };
        judged.target.cut_short(lock, newest);
        judged.tick(ms(100));
        judged.target.lock_state(lock, |lock| lock.acquires += after);
        judged.tick(ms(100));
    }

    #[test]
    fn a_lock_that_is_let_go_of_by_timeouts_again_and_again_is_named() {
        let (mut judged, lock) = lock_of("bank::Account");
        cut_short(&mut judged, lock, DropKind::Timeout, 10);
        assert_eq!(judged.only("cancelled-holding").severity, Severity::Info);
        judged.run(ms(1000));
        cut_short(&mut judged, lock, DropKind::Timeout, 10);
        let finding = judged.only("cancelled-holding");
        assert_eq!((finding.severity, finding.count), (Severity::Warn, 2));
        assert_eq!(finding.subject.location, "src/bank.rs:31:40");
        assert_eq!(
            finding.message,
            "2 futures were dropped by the timeout at bank.rs:52 while they held Mutex `Account`: what it guards may be half \
             changed"
        );
        judged.run(ms(62_000));
        judged.expect_nothing();
    }

    #[test]
    fn the_await_at_which_it_was_dropped_is_told_where_it_is_known() {
        let (mut judged, lock) = lock_of("bank::Account");
        let made = judged.target.model.locks[&lock].site;
        judged.target.seen(Seen::GivenUp, made, "src/bank.rs:33:9", StackCause::Unknown);
        cut_short(&mut judged, lock, DropKind::Timeout, 10);
        let finding = judged.only("cancelled-holding");
        assert_eq!(
            finding.message,
            "a future was dropped by the timeout at bank.rs:52 while it held Mutex `Account` and waited at bank.rs:33: what \
             it guards may be half changed"
        );
        assert_eq!(evidence(&finding, "awaited_location").text, "src/bank.rs:33:9");
    }

    #[test]
    fn an_await_of_an_earlier_hold_is_not_told_of_this_one() {
        let (mut judged, lock) = lock_of("bank::Account");
        let made = judged.target.model.locks[&lock].site;
        judged.target.seen(Seen::GivenUp, made, "src/bank.rs:33:9", StackCause::Unknown);
        judged.run(ms(5000));
        cut_short(&mut judged, lock, DropKind::Timeout, 10);
        let finding = judged.only("cancelled-holding");
        assert!(finding.message.contains("while it held Mutex `Account`: "), "{}", finding.message);
    }

    #[test]
    fn tasks_that_are_all_aborted_at_once_raise_no_alarm() {
        let (mut judged, lock) = lock_of("bank::Account");
        for _ in 0..3 {
            cut_short(&mut judged, lock, DropKind::Task, 0);
        }
        judged.run(ms(5000));
        judged.expect_no_alarm();
    }

    #[test]
    fn what_cannot_be_half_changed_is_nothing() {
        for what in ["()", "tokio::sync::mpsc::Receiver<bank::Job>", "async_inspect::Receiver<Mutex<bank::Job>>"] {
            let (mut judged, lock) = lock_of(what);
            for _ in 0..4 {
                cut_short(&mut judged, lock, DropKind::Select, 10);
                judged.run(ms(1000));
            }
            judged.expect_nothing();
        }
    }
}
