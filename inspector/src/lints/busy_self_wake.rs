//! A task that keeps waking itself.
use std::collections::BTreeMap;
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::{Evidence, LocationRole, Severity, Spot, words};
use crate::model::{OftenPolled, Seen, SiteId};
use crate::text;

const SHARE: Threshold = Threshold::share("share", 0.5, "of its polls ended with the task having woken itself");
const RATE: Threshold = Threshold::count("rate", 1000, "and it was polled more often than this in a second");
const POLL: Threshold =
    Threshold::micros("poll", 3, "and its polls were shorter than this on average: they did nothing");

pub(super) const RULE: Rule = Rule {
    id: "busy-self-wake",
    severity: Severity::Warn,
    summary: "a task wakes itself again and again and makes no progress",
    explain: EXPLAIN,
    thresholds: &[SHARE, RATE, POLL],
    enter_after: Duration::from_secs(1),
    leave_after: Duration::from_secs(1),
    subsumed_by: &[],
    evaluate,
};

const EXPLAIN: &str = "\
A task is polled thousands of times a second, and most of these polls end with the task waking itself and having done
next to nothing: it asks over and over whether something has happened.

Why it hurts
  It takes a whole core, and every other task of its worker runs between two of its polls. It is a busy loop that looks
  like an `.await`.

WRONG
  while !ready.load(Relaxed) {
      tokio::task::yield_now().await;               // a million times a second
  }

  fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
      if self.done() { return Poll::Ready(()) }
      cx.waker().wake_by_ref();                     // asks again at once
      Poll::Pending
  }

RIGHT
  ready.notified().await;                           // Notify: woken when it is time
  let value = watch.changed().await;                // or watch, for a value

  // a future of your own: keep the waker, and let the one who makes it ready wake it
  self.waker.register(cx.waker());

Thresholds
  share = 50 %      of its polls ended with the task having woken itself
  rate  = 1000      and it was polled more often than this in a second
  poll  = 3.00 µs   and its polls were shorter than this on average: they did nothing

A loop that computes and yields between two steps is left alone: its polls take longer than a few microseconds. So is
one that rests between its bursts, as a receiver does that yields after each message.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let mut sites: BTreeMap<SiteId, Vec<OftenPolled>> = BTreeMap::new();
    for often in cx.model.polled_often().filter(|often| spins(cx, often)) {
        sites.entry(often.task.site).or_default().push(often);
    }
    out.extend(sites.into_iter().filter_map(|(site, tasks)| judge(cx, site, &tasks)));
}

fn spins(cx: &Cx, often: &OftenPolled) -> bool {
    let share = often.self_wakes as f64 / often.polls.max(1) as f64;
    let each = often.busy / u32::try_from(often.polls.clamp(1, u32::MAX.into())).unwrap_or(u32::MAX);
    often.task.polls_per_s > cx.count(&RATE) as f64
        && share > cx.share(&SHARE)
        && each < cx.span(&POLL)
        && !often.task.state.ended()
}

fn judge(cx: &Cx, site: SiteId, tasks: &[OftenPolled]) -> Option<Candidate> {
    let site = cx.model.sites.get(&site)?;
    let worst = tasks.iter().max_by(|a, b| a.task.polls_per_s.total_cmp(&b.task.polls_per_s))?;
    let subject = match tasks {
        [one] => words::subject_of_one(cx.model, site, one.task.id),
        _ => words::site_subject(site),
    };
    let each = worst.busy / u32::try_from(worst.polls.clamp(1, u32::MAX.into())).unwrap_or(u32::MAX);
    let share = (worst.self_wakes as f64 / worst.polls.max(1) as f64).min(1.0);
    let polls = format!("{} polls/s", text::count(worst.task.polls_per_s.round() as u64));
    let (name, busy) = (&subject.name, text::percent(worst.task.busy_share));
    let line = cx.model.seen(Seen::SelfWake, site.id).map_or("", |(place, _)| place);
    let at = if line.is_empty() { String::new() } else { format!(" at {}", text::file_line(line)) };
    let message = match tasks.len() {
        1 => format!(
            "`{name}` is a busy loop: it wakes itself{at} after each poll ({polls}) and takes {busy} of a worker"
        ),
        n => format!(
            "{n} `{name}` tasks are busy loops: they wake themselves{at} after each poll, the busiest of them with {polls} and \
             {busy} of a worker"
        ),
    };
    let evidence = vec![
        Evidence::rate("polls_per_s", worst.task.polls_per_s).over(text::rate(cx.count(&RATE) as f64)),
        Evidence::share("self_wake_share", share).over(cx.limit_text(&SHARE)),
        Evidence::span("mean_poll_ns", each),
        Evidence::share("busy_share", worst.task.busy_share),
        Evidence::words("woken_location", line),
        Evidence::task("task", worst.task.id),
    ];
    let group = site.location.clone();
    Some(Candidate {
        message,
        evidence,
        advice: format!(
            "In `{name}`, wait to be told instead of asking again: await a Notify or a watch channel that whoever makes it \
             ready notifies."
        )
        .into(),
        open: Spot::of(line, LocationRole::Waits),
        hurt: worst.task.polls_per_s as u64,
        tasks: tasks.iter().map(|often| often.task.id).collect(),
        ..Candidate::enter(subject, &group, Severity::Warn)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn spinning(polls: u64, self_wakes: u64, each: Duration) -> Judged {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/wait.rs:8:9", "shop::wait_for::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(site);
        judged.settle();
        spin(&mut judged, task, polls, self_wakes, each);
        judged
    }

    fn spin(judged: &mut Judged, task: TaskId, polls: u64, self_wakes: u64, each: Duration) {
        judged.every(ms(3000), |target| {
            let now = target.now;
            target.task_state(task, |task| {
                (task.state, task.state_since) = (TaskState::Scheduled, now);
                task.polls += polls;
                task.self_wakes += self_wakes;
                task.wakes += polls;
                task.busy += each * polls as u32;
            });
        });
    }

    #[test]
    fn a_task_that_asks_over_and_over_is_named() {
        let mut judged = spinning(20_000, 19_990, Duration::from_nanos(300));
        let finding = judged.only("busy-self-wake");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/wait.rs:8:9"));
        assert!(
            finding
                .message
                .starts_with("`wait_for` is a busy loop: it wakes itself after each poll (200k polls/s) and takes "),
            "{}",
            finding.message
        );
        judged.run(ms(3000));
        judged.expect_nothing();
    }

    #[test]
    fn the_line_at_which_it_asks_again_is_told_once_it_was_seen() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/wait.rs:8:9", "shop::wait_for::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(site);
        judged.target.seen(Seen::SelfWake, site, "src/wait.rs:31:21", StackCause::Unknown);
        judged.settle();
        spin(&mut judged, task, 20_000, 19_990, Duration::from_nanos(300));
        let finding = judged.only("busy-self-wake");
        assert!(finding.message.contains("it wakes itself at wait.rs:31 after each poll"), "{}", finding.message);
        assert_eq!(evidence(&finding, "woken_location").text, "src/wait.rs:31:21");
    }

    #[test]
    fn a_line_that_was_seen_long_ago_is_not_told_of_what_spins_now() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/wait.rs:8:9", "shop::wait_for::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(site);
        judged.target.seen(Seen::SelfWake, site, "src/wait.rs:31:21", StackCause::Unknown);
        judged.run(ms(61_000));
        spin(&mut judged, task, 20_000, 19_990, Duration::from_nanos(300));
        let finding = judged.only("busy-self-wake");
        assert!(finding.message.contains("it wakes itself after each poll"), "{}", finding.message);
    }

    #[test]
    fn a_computation_that_yields_is_nothing() {
        spinning(2000, 2000, Duration::from_micros(40)).expect_nothing();
    }

    #[test]
    fn a_busy_task_that_others_wake_is_nothing() {
        spinning(20_000, 200, Duration::from_nanos(800)).expect_nothing();
    }

    #[test]
    fn a_task_that_yields_now_and_then_is_nothing() {
        spinning(40, 40, Duration::from_nanos(300)).expect_nothing();
    }
}
