//! Tasks that come faster than they go.
use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::saturation::all_full;
use super::{Confidence, Evidence, LocationRole, Severity, Spot, words};
use crate::model::{Series, Site, SiteId, SiteKind, TaskState, WaitFor};
use crate::text;

const LIVE: Threshold = Threshold::count("live", 200, "fewer live tasks of a site than this are no leak");
const SECONDS: Threshold = Threshold::count("seconds", 30, "so many seconds of growth are needed");
const FAST: Threshold = Threshold::count("fast-seconds", 4, "so many, all of them, where many more begin than end");
const ALL_STAY: Threshold = Threshold::count(
    "all-stay",
    55,
    "where none has ever ended, as of connections that stay: a warning after so many seconds",
);
const MANY: Threshold = Threshold::count("many", 1000, "and there are more live ones than this");

pub(super) const RULE: Rule = Rule {
    id: "task-leak",
    severity: Severity::Warn,
    summary: "live tasks of one spawn site become more and more",
    explain: EXPLAIN,
    thresholds: &[LIVE, SECONDS, FAST, MANY, ALL_STAY],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(2),
    subsumed_by: &[
        "deadlock",
        "self-deadlock",
        "sync-lock-in-async",
        "block-on-in-async",
        "blocked-worker",
        "lock-hog",
        "lock-held-across-await",
        "lock-contention",
        "channel-saturated",
        "receiver-stalled",
        "runtime-saturated",
        "never-polled",
    ],
    evaluate,
};

const EXPLAIN: &str = "\
More tasks are spawned at one line than end, second after second.

Why it hurts
  Every task keeps its future, and what that holds, in memory. Nothing tells the spawner to slow down, so that the work
  in flight grows until memory ends; long before, everything is slow, since all of it competes for the same things.

WRONG
  loop {
      let event = source.next().await;
      tokio::spawn(handle(event));                  // however many are still at work
  }

RIGHT
  let limit = Arc::new(Semaphore::new(100));
  loop {
      let event = source.next().await;
      let permit = limit.clone().acquire_owned().await?;   // waits while a hundred are at work
      handlers.spawn(async move { handle(event).await; drop(permit); });
  }

  // and a timeout for what may never end
  timeout(LIMIT, handle(event)).await

Thresholds
  live         = 200    fewer live tasks of a site than this are no leak
  seconds      = 30     so many seconds of growth are needed
  fast-seconds = 4      so many, all of them, where many more begin than end
  many         = 1000   and there are more live ones than this
  all-stay     = 55     where none has ever ended, as of connections that stay: a warning after so many seconds

Until then that is info: what is spawned to stay may well become more for a while.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let low = cx.count(&LIVE) / 2;
    let sites = cx.model.sites.values().filter(|site| site.kind == SiteKind::Spawn && site.live() > low);
    out.extend(sites.filter_map(|site| judge(cx, site)));
}

/// The rise over the last `n` seconds; `None` while fewer are known.
pub(super) fn rise(series: &Series, n: usize) -> Option<f64> {
    let points: Vec<f64> = series.points().rev().take(n + 1).collect();
    (points.len() == n + 1).then(|| points[0] - points[n])
}

/// The least rise of any of the last `n` seconds.
pub(super) fn least(series: &Series, n: usize) -> f64 {
    let points: Vec<f64> = series.points().rev().take(n + 1).collect();
    points.windows(2).map(|pair| pair[0] - pair[1]).fold(f64::INFINITY, f64::min)
}

/// In how many of the last `n` seconds it rose.
fn rises(series: &Series, n: usize) -> usize {
    let points: Vec<f64> = series.points().rev().take(n + 1).collect();
    points.windows(2).filter(|pair| pair[0] > pair[1]).count()
}

fn judge(cx: &Cx, site: &Site) -> Option<Candidate> {
    let live = site.live();
    let subject = words::site_subject(site);
    let group = site.location.clone();
    let seconds = cx.count(&SECONDS).clamp(4, 58) as usize;
    let fast = cx.count(&FAST).clamp(3, 58) as usize;
    if site.states.get(TaskState::New) > live / 2 || all_full(cx.model) || !site.counts_ends() {
        // They are not even begun, or do not come to their end: the workers are full, or nothing drives them. Or they may have
        // ended unseen.
        return None;
    }
    let spawned = site.spawned_s.recent_mean(fast);
    let finished = site.finished_s.recent_mean(fast);

    // As a burst that begins and ends within a second fills it in part only, each has to bring its share.
    let quickly = rise(&site.live_s, fast).is_some_and(|rise| {
        let even = least(&site.live_s, fast) * fast as f64 > rise * 0.75;
        even && rise > live as f64 / 4.0 && finished * 2.0 < spawned
    });
    // Growth all along, of a fifth of what there is: less is the ebb and flow of a busy day.
    let steadily = rise(&site.live_s, seconds).is_some_and(|rise| rise > live as f64 / 5.0)
        && rises(&site.live_s, seconds) * 10 >= seconds * 9
        && rise(&site.live_s, 5).is_some_and(|rise| rise > 0.0);
    let stays = cx.count(&ALL_STAY).clamp(4, 58) as usize;
    let all_stay = site.finished == 0 && site.live_s.points().len() <= stays;
    if !(live > cx.count(&MANY) && quickly || live > cx.count(&LIVE) && steadily) {
        let rises = rise(&site.live_s, 2).is_some_and(|rise| rise > 0.0) && site.live_s.last() > Some(0.0);
        return rises.then(|| Candidate::stay(subject, &group));
    }
    let growth = (spawned - finished).max(0.0);
    let message = format!(
        "{} tasks of `{}` are alive, {} more: {} start, {} end, and nothing slows the spawning down",
        text::count(live),
        subject.name,
        text::rate(growth),
        text::rate(spawned),
        text::rate(finished),
    );
    let wait = common_wait(cx, site);
    let mut evidence = vec![
        Evidence::count("live_tasks", live).over(cx.limit_text(if steadily { &LIVE } else { &MANY })),
        Evidence::rate("growth_per_s", growth).over("0/s"),
        Evidence::rate("spawned_per_s", spawned),
        Evidence::rate("finished_per_s", finished),
        Evidence::count("idle_tasks", site.states.get(TaskState::Idle)).aside(),
    ];
    let waits = wait.is_some();
    let never_ends = match wait {
        Some(wait) => {
            evidence.insert(1, Evidence::words("most_wait", wait.told));
            // No line of a library's is to be changed, as that of a tracker that polls a bare `sleep` in its place.
            Some(wait.location).filter(|place| !words::is_librarys(place)).unwrap_or_default()
        }
        None => String::new(),
    };
    let spawn = match text::file_line(&site.location) {
        "" => "this spawn".to_owned(),
        place => format!("the spawn at {place}"),
    };
    let bound = format!("acquire a Semaphore permit before {spawn} and move it into the task");
    // The permits would all go to those that never end.
    let advice = match (waits, text::file_line(&never_ends)) {
        (false, _) => format!("Bound what is in flight: {bound}."),
        (true, place) => {
            let wait = if place.is_empty() { "what they await".to_owned() } else { format!("the wait at {place}") };
            format!("Put a timeout around {wait}, so that they end. Then bound what is in flight: {bound}.")
        }
    };
    Some(Candidate {
        message,
        evidence,
        advice: advice.into(),
        open: Spot::of(&never_ends, LocationRole::Waits),
        confidence: if steadily { Confidence::Certain } else { Confidence::Likely },
        hurt: live,
        ..Candidate::enter(subject, &group, if all_stay { Severity::Info } else { Severity::Warn })
    })
}

/// What most tasks of a site wait for.
struct CommonWait {
    /// `for a timer of 1h 00m at push.rs:26`
    told: String,
    /// Where, as `path:line:column`; empty when it is not known.
    location: String,
}

/// The same, as some of the tasks tell: all may be a million.
fn common_wait(cx: &Cx, site: &Site) -> Option<CommonWait> {
    const LOOK: usize = 2048;
    let model = cx.model;
    // By line and kind: what of that kind is waited for, as which timer, may be another one for each.
    let mut waits: HashMap<(SiteId, Discriminant<WaitFor>), (u64, WaitFor)> = HashMap::new();
    let mut idle = 0;
    for task in model.tasks.values().take(LOOK).filter(|task| task.site == site.id && task.state == TaskState::Idle) {
        idle += 1;
        if let Some(wait) = task.waits.first() {
            waits.entry((wait.site, discriminant(&wait.on))).or_insert((0, wait.on)).0 += 1;
        }
    }
    let ((line, _), (most, on)) = waits.into_iter().max_by_key(|&((line, _), (n, _))| (n, line))?;
    let location = words::place(model, line).to_owned();
    let at = if location.is_empty() { String::new() } else { format!(" at {}", text::file_line(&location)) };
    (most * 2 > idle).then(|| CommonWait { told: format!("{}{at}", words::wait(model, on)), location })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn quiet() -> (Judged, SiteId) {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/events.rs:88:9", "shop::handle::{{closure}}", OutputKind::Unit);
        judged.settle();
        (judged, site)
    }

    fn flow(target: &mut Fixture, site: SiteId, spawned: u64, finished: u64) {
        target.totals(site, |totals| {
            totals.spawned += spawned;
            totals.finished = (totals.finished + finished).min(totals.spawned);
        });
    }

    #[test]
    fn tasks_that_come_far_faster_than_they_go_are_found_within_five_seconds() {
        let (mut judged, site) = quiet();
        judged.every(ms(3500), |target| flow(target, site, 50, 5));
        judged.expect_nothing();
        judged.every(ms(1500), |target| flow(target, site, 50, 5));
        let finding = judged.only("task-leak");
        assert_eq!((finding.severity, finding.confidence), (Severity::Warn, Confidence::Likely));
        assert_eq!(finding.subject.location, "src/events.rs:88:9");
        assert!(finding.message.contains("are alive, 450/s more: 500/s start, 50/s end"), "{}", finding.message);
        judged.every(ms(4000), |target| flow(target, site, 10, 200));
        judged.expect_nothing();
    }

    #[test]
    fn what_most_of_them_wait_for_is_told() {
        let (mut judged, site) = quiet();
        let line = judged.target.call_site("src/events.rs:40:20");
        for n in 0..10 {
            let (task, since) = (judged.target.task(site), judged.target.now);
            let on = WaitFor::Timer(ms(60_000 + n));
            judged.target.task_state(task, |task| task.waits = [Wait { on, site: line, since }].into());
        }
        judged.every(ms(5000), |target| flow(target, site, 50, 5));
        let finding = judged.only("task-leak");
        assert_eq!(evidence(&finding, "most_wait").text, "for a timer of 1m 00s at events.rs:40");
    }

    #[test]
    fn nobody_is_told_to_change_a_line_of_a_library() {
        let (mut judged, site) = quiet();
        let line = judged
            .target
            .call_site("/home/me/.cargo/registry/src/registry-0123/tokio-util-0.7.20/src/task/task_tracker.rs:680:31");
        let (task, since) = (judged.target.task(site), judged.target.now);
        judged.target.task_state(task, |task| {
            task.waits = [Wait { on: WaitFor::Timer(ms(60_000)), site: line, since }].into();
        });
        judged.every(ms(5000), |target| flow(target, site, 50, 5));
        let finding = judged.only("task-leak");
        assert_eq!(finding.line().0, "src/events.rs:88:9");
        assert!(finding.advice.starts_with("Put a timeout around what they await, so that"), "{}", finding.advice);
    }

    #[test]
    fn a_slow_leak_is_found_when_it_has_lasted() {
        let (mut judged, site) = quiet();
        judged.every(ms(29_000), |target| flow(target, site, 10, 9));
        judged.expect_nothing();
        judged.every(ms(4000), |target| flow(target, site, 10, 9));
        assert_eq!(judged.only("task-leak").confidence, Confidence::Certain);
    }

    #[test]
    fn a_storm_at_start_up_is_nothing() {
        let (mut judged, site) = quiet();
        judged.every(ms(2500), |target| flow(target, site, 800, 0));
        judged.every(ms(60_000), |target| flow(target, site, 3, 3));
        judged.expect_nothing();
        assert!(judged.engine.findings().is_empty(), "{:#?}", judged.engine.findings());
    }

    #[test]
    fn tasks_of_which_none_ends_are_worth_a_word_at_first_and_a_warning_when_they_become_more_for_a_minute() {
        let (mut judged, site) = quiet();
        judged.every(ms(20_000), |target| flow(target, site, 40, 0));
        assert_eq!(judged.only("task-leak").severity, Severity::Info);
        judged.every(ms(38_000), |target| flow(target, site, 40, 0));
        assert_eq!(judged.only("task-leak").severity, Severity::Warn);
    }

    #[test]
    fn tasks_that_were_shed_are_a_leak_only_where_their_ends_are_counted() {
        for (name, leaks) in [("shop::handle::{{closure}}", true), ("", false)] {
            let mut judged = Judged::new();
            let site = judged.target.spawn_site("src/events.rs:88:9", name, OutputKind::Unit);
            judged.settle();
            judged.every(ms(6000), |target| {
                flow(target, site, 500, 50);
                target.totals(site, |totals| totals.shed += 500);
            });
            assert_eq!(!judged.engine.findings().is_empty(), leaks, "{name:?}: {:#?}", judged.engine.findings());
        }
    }

    #[test]
    fn many_short_tasks_are_nothing() {
        let (mut judged, site) = quiet();
        flow(&mut judged.target, site, 5000, 0);
        let mut n = 0;
        judged.every(ms(60_000), |target| {
            n += 1;
            let (more, less) = if n % 20 < 10 { (2000, 1900) } else { (1900, 2000) };
            flow(target, site, more, less);
        });
        judged.expect_nothing();
    }
}
