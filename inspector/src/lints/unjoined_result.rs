//! Results that are kept and never asked for.
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::task_leak::{least, rise};
use super::{Confidence, Evidence, Severity, words};
use crate::model::{Site, SiteKind};
use crate::text;

const KEPT: Threshold = Threshold::count("kept", 1000, "more results of a site than this are kept");
const SECONDS: Threshold = Threshold::count("seconds", 4, "and they become more for so many seconds, in all of them");

pub(super) const RULE: Rule = Rule {
    id: "unjoined-result",
    severity: Severity::Warn,
    summary: "tasks have ended, their handles are kept, and nobody asks for the results",
    explain: EXPLAIN,
    thresholds: &[KEPT, SECONDS],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(2),
    subsumed_by: &["blocked-worker", "sync-lock-in-async", "block-on-in-async", "deadlock", "self-deadlock"],
    evaluate,
};

const EXPLAIN: &str = "\
Tasks of one spawn site end, their `JoinHandle`s (or the `JoinSet` they are in) are kept, and their results pile up.

Why it hurts
  A task that has ended stays in memory, with its result, until its handle is awaited or dropped. A `JoinSet` that is
  only ever added to grows for ever. And nobody learns of the errors and panics that are in there.

WRONG
  let mut connections = JoinSet::new();
  loop {
      let (stream, _) = listener.accept().await?;
      connections.spawn(serve(stream));             // never joined: grows with every connection
  }

RIGHT
  loop {
      select! {
          Ok((stream, _)) = listener.accept() => { connections.spawn(serve(stream)); }
          Some(ended) = connections.join_next() => if let Err(error) = ended { warn!(%error); }
      }
  }

Thresholds
  kept    = 1000   more results of a site than this are kept
  seconds = 4      and they become more for so many seconds, in all of them
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let low = cx.count(&KEPT) / 2;
    let sites = cx.model.sites.values().filter(|site| site.kind == SiteKind::Spawn && site.unjoined > low);
    out.extend(sites.filter_map(|site| judge(cx, site)));
}

fn judge(cx: &Cx, site: &Site) -> Option<Candidate> {
    let kept = site.unjoined;
    let subject = words::site_subject(site);
    let group = site.location.clone();
    let seconds = cx.count(&SECONDS).clamp(2, 58) as usize;
    let growth = rise(&site.unjoined_s, seconds).unwrap_or_default();
    // All of them together may be joined at the end; whoever goes on spawning has no such end.
    let spawns = site.spawned_s.points().rev().take(seconds).all(|n| n > 0.0)
        && site.spawned_s.recent_sum(seconds) * 2.0 > growth;
    let grows = growth > 0.0 && least(&site.unjoined_s, seconds) > 0.0;
    if kept <= cx.count(&KEPT) || !grows || !spawns {
        return Some(Candidate::stay(subject, &group)).filter(|_| least(&site.unjoined_s, 1) > 0.0);
    }
    let rate = growth / seconds as f64;
    let mut evidence = vec![
        Evidence::count("kept_results", kept).over(cx.limit_text(&KEPT)),
        Evidence::bytes("kept_bytes", kept.saturating_mul(site.future_bytes.into())),
        Evidence::rate("growth_per_s", rate).over("0/s").aside(),
        Evidence::count("live_tasks", site.live()).aside(),
    ];
    let at = words::at(&site.location);
    let spawned = site.spawned_s.recent_mean(seconds);
    // Where every one is kept, that is one figure and not two.
    if (spawned - rate).abs() > spawned / 20.0 {
        evidence.push(Evidence::rate("spawned_per_s", spawned));
    }
    Some(Candidate {
        message: format!(
            "nobody joins the tasks of `{}`: {} have ended and stay in memory with their results, {} more every second",
            subject.name,
            text::count(kept),
            text::count(rate.round() as u64)
        ),
        evidence,
        advice: format!(
            "Before each spawn{at}, take the finished ones out of the JoinSet: `while let Some(done) = set.try_join_next() {{ .. \
             }}`. Where nobody wants the results, use a TaskTracker instead."
        )
        .into(),
        confidence: Confidence::Certain,
        hurt: kept,
        ..Candidate::enter(subject, &group, Severity::Warn)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn quiet() -> (Judged, SiteId) {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/serve.rs:8:9", "shop::serve::{{closure}}", OutputKind::Unit);
        judged.settle();
        (judged, site)
    }

    fn ends(target: &mut Fixture, site: SiteId, n: usize) -> Vec<TaskId> {
        let tasks: Vec<_> = (0..n).map(|_| target.task(site)).collect();
        for &task in &tasks {
            target.task_state(task, |task| task.state = TaskState::Done);
        }
        target.totals(site, |totals| {
            (totals.spawned, totals.finished) = (totals.spawned + n as u64, totals.finished + n as u64);
        });
        tasks
    }

    #[test]
    fn a_set_that_only_grows_is_named_by_its_spawn_line() {
        let (mut judged, site) = quiet();
        judged.every(ms(5000), |target| drop(ends(target, site, 40)));
        let finding = judged.only("unjoined-result");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/serve.rs:8:9"));
        assert!(
            finding.message.starts_with("nobody joins the tasks of `serve`: ")
                && finding
                    .message
                    .ends_with(" have ended and stay in memory with their results, 400 more every second"),
            "{}",
            finding.message
        );
        judged.run(ms(5000));
        judged.expect_nothing();
    }

    #[test]
    fn a_batch_that_ends_bit_by_bit_and_is_joined_at_the_end_is_nothing() {
        let (mut judged, site) = quiet();
        let tasks: Vec<_> = (0..3000).map(|_| judged.target.task(site)).collect();
        judged.target.totals(site, |totals| totals.spawned = 3000);
        let mut left = tasks.into_iter();
        judged.every(ms(8000), |target| {
            for task in left.by_ref().take(30) {
                target.task_state(task, |task| task.state = TaskState::Done);
            }
        });
        judged.expect_nothing();
    }

    #[test]
    fn a_set_that_is_joined_as_it_goes_is_nothing() {
        let (mut judged, site) = quiet();
        let mut before = Vec::new();
        judged.every(ms(8000), |target| {
            let now = ends(target, site, 200);
            for task in std::mem::replace(&mut before, now) {
                target.gone_task(task);
            }
        });
        judged.expect_nothing();
    }
}
