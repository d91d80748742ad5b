//! Completed polls that were too long.
use std::time::Duration;

use super::blocked_worker::cause;
use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::stuck_poll::{STARTUP, has_stacks, is_the_runtimes, look, may_block};
use super::{Evidence, LocationRole, Severity, Spot, words};
use crate::model::{Seen, Site, SiteKind, SlowPoll, Stack, StackCause, TaskKind};
use crate::text;

const ONCE: Threshold =
    Threshold::millis("once", 50, "a poll longer than this is worth a word, the second within a minute a warning");
const LONG: Threshold = Threshold::millis("long", 100, "a poll longer than this is a warning at once");
const REPEATED: Threshold = Threshold::millis("repeated", 10, "polls longer than this are counted");
const TIMES: Threshold = Threshold::count("times", 3, "so many of them within 10 s are worth a word");
const TOTAL: Threshold = Threshold::millis("total", 100, "and a warning when they took this long together");
/// What is judged.
const WINDOW: Duration = Duration::from_secs(10);
/// The newest must be no older, so that what has stopped clears.
const FRESH: Duration = Duration::from_secs(5);

pub(super) const RULE: Rule = Rule {
    id: "long-poll",
    severity: Severity::Warn,
    summary: "tasks run too long between two awaits",
    explain: EXPLAIN,
    thresholds: &[ONCE, LONG, REPEATED, TIMES, TOTAL, STARTUP],
    // A poll of the same site that still runs may be about to speak for it.
    enter_after: Duration::from_secs(1),
    leave_after: Duration::from_millis(500),
    subsumed_by: &["blocked-worker", "sync-lock-in-async", "block-on-in-async"],
    evaluate,
};

/// Where it is known at which line it stood.
const AT_THE_LINE: &str = "Move that computation or blocking call into tokio::task::spawn_blocking(..).await.";

const EXPLAIN: &str = "\
Tasks of one spawn site ran for long between two awaits. The polls have ended; while each lasted, its worker thread ran
nothing else.

Why it hurts
  Whatever was ready on that thread waited as long: every poll of 50 ms is 50 ms of latency for the requests behind it.
  Tokio's rule of thumb is to come to an `.await` every 10 to 100 microseconds.

WRONG
  async fn report(rows: Vec<Row>) -> Report {
      rows.iter().map(render).collect()             // 40 ms without an await
  }

RIGHT
  async fn report(rows: Vec<Row>) -> Result<Report, JoinError> {
      tokio::task::spawn_blocking(move || rows.iter().map(render).collect()).await
  }

  // or, where the work must stay: give the thread back now and then
  for chunk in rows.chunks(100) {
      render_all(chunk, &mut report);
      tokio::task::yield_now().await;
  }

Thresholds
  once     = 50.0 ms   a poll longer than this is worth a word, the second within a minute a warning
  long     = 100 ms    a poll longer than this is a warning at once
  repeated = 10.0 ms   polls longer than this are counted
  times    = 3         so many of them within 10 s are worth a word
  total    = 100 ms    and a warning when they took this long together
  startup  = 5.00 s    for so long after its start, what `main` does between awaits is set-up, not a fault

A poll that still runs is `blocked-worker`, which then speaks for its site.
";

/// A poll of a library's task that takes so long had its stack taken. It alone has a line of the app's, so `blocked-worker`
/// tells of it.
const LASTING: Duration = Duration::from_millis(300);

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let sites = cx.model.sites.values();
    out.extend(sites.filter(|s| s.kind == SiteKind::Spawn && !s.recent_slow.is_empty()).filter_map(|s| judge(cx, s)));
}

fn judge(cx: &Cx, site: &Site) -> Option<Candidate> {
    let now = cx.model.now;
    let repeated = cx.span(&REPEATED);
    let lasting = !words::is_named(cx.model, site.id) && has_stacks(cx);
    let counts = |slow: &&SlowPoll| {
        slow.longest >= repeated
            && (!lasting || slow.longest <= LASTING)
            && !is_set_up(cx, slow)
            && !might_block(cx, slow)
    };
    let newest = site.recent_slow.iter().filter(counts).map(|slow| slow.at).max()?;
    if now.since(newest) > FRESH {
        return None;
    }
    let recent: Vec<&SlowPoll> =
        site.recent_slow.iter().filter(counts).filter(|slow| now.since(slow.at) <= WINDOW).collect();
    let times = recent.iter().map(|slow| slow.count).fold(0, u64::saturating_add);
    let total: Duration =
        recent.iter().map(|slow| slow.total.max(slow.longest)).fold(Duration::ZERO, Duration::saturating_add);
    let longest = recent.iter().map(|slow| slow.longest).max().unwrap_or_default();
    let once = cx.span(&ONCE);
    let in_a_minute = site.recent_slow.iter().filter(counts).filter(|slow| slow.longest > once).count();

    // Where a library spawned the task, its stack has the app's line.
    let stack = cx.model.stacks.iter().rfind(|s| s.user_frame().is_some() && recent.iter().any(|p| p.task == s.task));
    let subject = match stack {
        Some(stack) if !words::is_named(cx.model, site.id) => {
            words::poll_subject(cx.model, stack.task, stack.user_frame())
        }
        _ => words::site_subject(site),
    };
    let group = site.location.as_str();
    let often = times >= cx.count(&TIMES);
    if longest <= once && !often {
        return Some(Candidate::stay(subject, group));
    }
    // A poll that was looked at is another rule's, once its stack has its names.
    let first = recent.iter().map(|slow| slow.at).min()?;
    if stack.is_none() && longest > cx.span(&LONG) && now.since(first) <= look(cx) {
        return Some(Candidate::stay(subject, group));
    }
    let warns = in_a_minute >= 2 || longest > cx.span(&LONG) || often && total >= cx.span(&TOTAL);
    let severity = if warns { Severity::Warn } else { Severity::Info };

    let who = &subject.name;
    let lately = stack.filter(|stack| now.since(stack.at) <= WINDOW).and_then(Stack::user_frame);
    let line = lately.map(|frame| frame.location.as_str()).filter(|line| !line.is_empty());
    // Of shorter ones several looks at their site tell the line together.
    let called = cx.model.seen_since(Seen::LongPoll, site.id, now.before(WINDOW)).filter(|_| line.is_none());
    let doing = called.and_then(|(_, cause)| cause::doing(cause));
    let line = line.or(called.map(|(line, _)| line));
    let at = line.map_or_else(String::new, |line| format!(" at {}", text::file_line(line)));
    let at = doing.map_or(at.clone(), |doing| format!("{at} ({doing})"));
    let message = if times == 1 {
        let lasting = text::duration(longest);
        format!("`{who}` ran for {lasting}{at} without an await, and its worker ran nothing else meanwhile")
    } else {
        format!(
            "`{who}` runs{at} without an await for longer than {}, {} times in 10 s, up to {}: its worker runs nothing else \
             meanwhile",
            text::duration(repeated),
            text::count(times),
            text::duration(longest),
        )
    };
    let advice = match line {
        Some(_) => AT_THE_LINE.into(),
        None => format!(
            "Between two awaits of `{who}` there is a loop or a blocking call: move it into \
             tokio::task::spawn_blocking(..).await."
        ),
    };
    let mut evidence = vec![
        Evidence::span("longest_poll_ns", longest).over(cx.limit_text(if longest > once { &ONCE } else { &REPEATED })),
        Evidence::count("long_polls_10s", times).at_least(cx.limit_text(&TIMES)),
        Evidence::span("long_polls_total_10s_ns", total).at_least(cx.limit_text(&TOTAL)),
    ];
    if site.max_poll > longest {
        evidence.push(Evidence::span("max_poll_ns", site.max_poll));
    }
    evidence.extend(line.map(|line| Evidence::words("blocked_location", line)));
    evidence.extend(doing.map(|doing| Evidence::words("blocked_by", doing)));
    let last = recent.iter().max_by_key(|slow| slow.at).map(|slow| slow.task).filter(|task| task.0 != 0);
    evidence.extend(last.map(|task| Evidence::task("last_task", task)));
    // Whatever blocks it is accused at the app's line.
    let mut causes = vec![group.to_owned()];
    causes.extend(
        cx.model
            .stacks
            .iter()
            .filter(|stack| recent.iter().any(|slow| slow.task == stack.task))
            .filter_map(|stack| Some(stack.user_frame()?.location.clone())),
    );
    causes.retain(|place| !place.is_empty());
    Some(Candidate {
        causes,
        message,
        evidence,
        advice: advice.into(),
        open: line.and_then(|line| Spot::of(line, LocationRole::Blocks)),
        count: Count::Events(site.recent_slow.iter().filter(counts).map(|slow| (slow.at, slow.count)).collect()),
        tasks: recent.iter().map(|slow| slow.task).filter(|task| task.0 != 0).collect(),
        hurt: u64::try_from(total.as_millis()).unwrap_or(u64::MAX),
        ..Candidate::enter(subject, group, severity)
    })
}

/// Its stack showed it in `block_in_place`, which of a library's own nothing else tells; or in a lock of the
/// runtime's; or it panicked.
fn might_block(cx: &Cx, slow: &SlowPoll) -> bool {
    // What a panic prints is no fault of the poll's that it ended.
    if cx.model.panics.iter().any(|panic| panic.task == slow.task && panic.at <= slow.at) {
        return true;
    }
    let excused = |stack: &Stack| may_block(stack) || stack.cause == StackCause::Lock && is_the_runtimes(stack);
    cx.model.stacks.iter().any(|stack| stack.task == slow.task && excused(stack))
}

fn is_set_up(cx: &Cx, slow: &SlowPoll) -> bool {
    cx.model
        .tasks
        .get(&slow.task)
        .is_some_and(|task| task.kind == TaskKind::Root && slow.at.since(task.spawned_at) < cx.span(&STARTUP))
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;
    use crate::model::{Frame, Stack};

    fn quiet() -> (Judged, SiteId) {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/report.rs:7:5", "shop::report::{{closure}}", OutputKind::Unit);
        judged.target.task(site);
        judged.target.worker("tokio-worker-1");
        judged.settle();
        (judged, site)
    }

    fn slow_poll(judged: &mut Judged, site: SiteId, took: Duration) {
        let at = judged.target.now;
        judged.target.totals(site, |totals| {
            totals.slow_polls += 1;
            totals.slow_poll_total += took;
            totals.max_poll = totals.max_poll.max(took);
            totals.last_slow_poll = took;
            totals.last_slow_poll_at = at;
        });
    }

    #[test]
    fn a_poll_whose_stack_showed_it_in_block_in_place_is_no_long_poll() {
        for (function, expected) in [("tokio::task::blocking::block_in_place", 0), ("std::thread::sleep", 1)] {
            let (mut judged, site) = quiet();
            let task = judged.target.task(site);
            let worker = judged.target.worker("tokio-worker-1");
            let frames = vec![Frame { function: function.into(), ..Frame::default() }];
            judged.target.stack(Stack { worker, task, frames, at: judged.target.now, ..Stack::default() });
            judged.settle();
            judged.target.totals(site, |totals| totals.last_slow_poll_task = task);
            slow_poll(&mut judged, site, ms(600));
            judged.run(ms(2500));
            assert_eq!(judged.engine.findings().len(), expected, "{function}");
        }
    }

    #[test]
    fn polls_that_are_long_again_and_again_are_a_warning() {
        let (mut judged, site) = quiet();
        for _ in 0..10 {
            slow_poll(&mut judged, site, ms(30));
            judged.run(ms(200));
        }
        let finding = judged.only("long-poll");
        assert_eq!(finding.severity, Severity::Warn);
        assert_eq!(finding.subject.location, "src/report.rs:7:5");
        assert_eq!(finding.count, 10);
        assert_eq!(
            finding.message,
            "`report` runs without an await for longer than 10.0 ms, 10 times in 10 s, up to 30.0 ms: its worker runs \
             nothing else meanwhile"
        );
        assert_eq!(evidence(&finding, "long_polls_total_10s_ns").value, 300_000_000);
    }

    #[test]
    fn the_line_that_looks_at_such_polls_agree_on_is_told() {
        let (mut judged, site) = quiet();
        judged.target.seen(Seen::LongPoll, site, "src/report.rs:21:9", StackCause::Cpu);
        for _ in 0..10 {
            slow_poll(&mut judged, site, ms(14));
            judged.run(ms(200));
        }
        let finding = judged.only("long-poll");
        assert!(
            finding
                .message
                .starts_with("`report` runs at report.rs:21 (computing) without an await for longer than 10.0 ms")
        );
        assert_eq!(evidence(&finding, "blocked_location").text, "src/report.rs:21:9");
        assert!(finding.advice.starts_with("Move that computation"), "{}", finding.advice);
    }

    #[test]
    fn what_looks_showed_of_polls_of_before_is_not_told_of_those_of_now() {
        let (mut judged, site) = quiet();
        judged.target.seen(Seen::LongPoll, site, "src/report.rs:21:9", StackCause::Cpu);
        judged.run(ms(11_000));
        for _ in 0..10 {
            slow_poll(&mut judged, site, ms(14));
            judged.run(ms(200));
        }
        let finding = judged.only("long-poll");
        assert!(finding.message.starts_with("`report` runs without an await"), "{}", finding.message);
        assert_eq!(finding.open, None);
    }

    #[test]
    fn one_poll_that_is_rather_long_is_no_alarm_but_the_second_is() {
        let (mut judged, site) = quiet();
        slow_poll(&mut judged, site, ms(60));
        judged.run(ms(1200));
        assert_eq!(judged.only("long-poll").severity, Severity::Info);
        judged.run(ms(20_000));
        judged.expect_nothing();
        slow_poll(&mut judged, site, ms(60));
        judged.run(ms(1200));
        assert_eq!(judged.only("long-poll").severity, Severity::Warn);
    }

    #[test]
    fn one_poll_that_is_very_long_is_a_warning_at_once() {
        let (mut judged, site) = quiet();
        slow_poll(&mut judged, site, ms(140));
        judged.run(ms(1200));
        let finding = judged.only("long-poll");
        assert_eq!(finding.severity, Severity::Warn);
        assert_eq!(
            finding.message,
            "`report` ran for 140 ms without an await, and its worker ran nothing else meanwhile"
        );
    }

    #[test]
    fn the_names_of_the_stack_of_a_poll_that_was_looked_at_are_waited_for() {
        let (mut judged, site) = quiet();
        judged.target.model.target.capabilities.push("stacks".into());
        for _ in 0..5 {
            slow_poll(&mut judged, site, ms(350));
            judged.run(ms(500));
            judged.expect_nothing();
        }
        slow_poll(&mut judged, site, ms(350));
        judged.run(ms(2500));
        assert_eq!(judged.only("long-poll").severity, Severity::Warn);
    }

    #[test]
    fn a_librarys_poll_that_had_its_stack_taken_is_left_to_who_has_the_line() {
        for (took, stacks, expected) in [(ms(600), true, 0), (ms(600), false, 1), (ms(200), true, 1)] {
            let mut judged = Judged::new();
            let site = judged.target.spawn_site("axum-0.8.9/src/serve/mod.rs:389:5", "", OutputKind::Unknown);
            if stacks {
                judged.target.model.target.capabilities.push("stacks".into());
            }
            judged.target.task(site);
            judged.settle();
            slow_poll(&mut judged, site, took);
            judged.run(ms(4200));
            assert_eq!(judged.engine.findings().len(), expected, "{took:?} {stacks}");
        }
    }

    #[test]
    fn a_preempted_poll_now_and_then_is_nothing() {
        let (mut judged, site) = quiet();
        for _ in 0..10 {
            slow_poll(&mut judged, site, ms(12));
            judged.run(ms(6000));
            judged.expect_nothing();
        }
    }

    #[test]
    fn it_clears_within_six_seconds_of_the_last_one() {
        let (mut judged, site) = quiet();
        for _ in 0..10 {
            slow_poll(&mut judged, site, ms(30));
            judged.run(ms(200));
        }
        judged.run(ms(4000));
        assert!(judged.only("long-poll").active());
        judged.run(ms(2000));
        judged.expect_nothing();
    }

    #[test]
    fn polls_of_before_are_not_news() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/report.rs:7:5", "report", OutputKind::Unit);
        slow_poll(&mut judged, site, ms(900));
        judged.run(ms(5000));
        judged.expect_nothing();
    }

    #[test]
    fn a_poll_that_still_runs_speaks_for_those_that_ended() {
        let (mut judged, site) = quiet();
        let task = judged.target.task(site);
        let worker = *judged.target.model.workers.keys().next().unwrap();
        for _ in 0..5 {
            let since = judged.target.now;
            judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
            judged.run(ms(400));
            judged.target.worker_state(worker, |worker| worker.poll = None);
            slow_poll(&mut judged, site, ms(400));
            judged.run(ms(400));
        }
        assert_eq!(judged.only("blocked-worker").count, 5);
        judged.run(ms(30_000));
        judged.expect_nothing();
        assert!(judged.engine.findings().iter().all(|f| f.rule == "blocked-worker"), "{:?}", judged.engine.findings());
    }

    #[test]
    fn what_main_does_before_it_serves_is_nothing() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/main.rs:1:1", "main", OutputKind::Unit);
        let task = judged.root(site);
        judged.settle();
        slow_poll(&mut judged, site, ms(300));
        judged.target.totals(site, |totals| totals.last_slow_poll_task = task);
        judged.run(ms(1000));
        judged.expect_nothing();
    }
}
