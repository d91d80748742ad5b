//! Tasks whose handles are thrown away.
use std::time::Duration;

use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::{Evidence, Severity, words};
use crate::model::{OutputKind, Site, SiteKind, Stamp};
use crate::text;

const LATELY: Threshold = Threshold::millis(
    "lately",
    10_000,
    "a site goes on as long as a handle was dropped, or an error lost, within this time",
);

pub(super) const RULE: Rule = Rule {
    id: "never-awaited-handle",
    severity: Severity::Warn,
    summary: "JoinHandles are dropped before their tasks end",
    explain: EXPLAIN,
    thresholds: &[LATELY],
    // A service that shuts down drops what it holds; that is no habit.
    enter_after: Duration::from_millis(500),
    leave_after: Duration::ZERO,
    subsumed_by: &["lost-panic", "block-on-in-async"],
    evaluate,
};

const UNIT: &str = "Fine for a daemon that handles its own errors; to be told when it ends or panics, keep the handle in a \
                    JoinSet or TaskTracker.";

const EXPLAIN: &str = "\
Tasks of one spawn site run on after their `JoinHandle` was dropped, or ended in an `Err` that nobody took.

Why it hurts
  The handle is the only way to learn how a task ended. Without it an error vanishes, a panic goes unseen, and at
  shutdown the task is cut off wherever it happens to be. A task that returns `()` loses little; one that returns a
  `Result` was written to be asked.

WRONG
  tokio::spawn(save(order));                        // async fn save(..) -> Result<(), Error>

RIGHT
  let saved = tokio::spawn(save(order));
  saved.await??;

  // many of them
  let mut saves = JoinSet::new();
  saves.spawn(save(order));
  while let Some(saved) = saves.join_next().await {
      if let Err(error) = saved? { warn!(%error, \"order not saved\"); }
  }

Thresholds
  lately = 10.0 s   a site goes on as long as a handle was dropped, or an error lost, within this time

Tasks that return `()` are `info`: servers detach their connections, and that is fine. The rest is `warn`.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let sites = cx.model.sites.values().filter(|site| site.kind == SiteKind::Spawn);
    out.extend(sites.filter(|s| s.handles_dropped > 0 || s.errors_lost > 0).filter_map(|site| judge(cx, site)));
}

/// Whether it was seen within the time that counts. Of what happened before attach nothing is known, except that it is
/// no older than the target.
fn lately(cx: &Cx, total: u64, last: Option<Stamp>) -> bool {
    let span = cx.span(&LATELY);
    total > 0 && (last.is_some_and(|at| cx.model.now.since(at) < span) || cx.model.now.since(Stamp(0)) < span)
}

fn judge(cx: &Cx, site: &Site) -> Option<Candidate> {
    let drops = lately(cx, site.handles_dropped, site.last_handle_dropped);
    let errors = lately(cx, site.errors_lost, site.last_error_lost);
    // What was detached once, and still runs, lasts.
    if !drops && !errors && site.detached == 0 {
        return None;
    }
    let carries = matches!(site.output, OutputKind::Result | OutputKind::Value);
    let severity = if carries || errors { Severity::Warn } else { Severity::Info };

    let subject = words::site_subject(site);
    let who = &subject.name;
    let output = match site.output {
        OutputKind::Result => "Result",
        OutputKind::Value => "value",
        OutputKind::Unit | OutputKind::Unknown => "",
    };
    let (dropped, lost) = (site.handles_dropped, site.errors_lost);
    let spawned = site.spawned.max(dropped).max(lost);
    let handles = match (dropped, spawned) {
        (1, 1) => "its JoinHandle was dropped, not awaited".to_owned(),
        (n, all) if n == all => format!("all {} JoinHandles were dropped, not awaited", text::count(all)),
        (1, all) => format!("1 of {} JoinHandles was dropped, not awaited", text::count(all)),
        (n, all) => format!("{} of {} JoinHandles were dropped, not awaited", text::count(n), text::count(all)),
    };
    let message = if lost > 0 {
        let why = if dropped > 0 { format!(": {handles}") } else { String::new() };
        let lost = text::count(lost);
        format!("{lost} of {} `{who}` ended in an `Err` that nobody saw{why}", text::counted(spawned, "task"))
    } else if carries {
        let what = if output == "Result" { "`Result`" } else { output };
        format!("nobody sees the {what} of `{who}`: {handles}")
    } else {
        format!("nobody learns how `{who}` ends, or that it panicked: {handles}")
    };
    let advice = if severity == Severity::Warn {
        let handle = if output == "value" { "use what each returns" } else { "log or handle each Err" };
        let at = words::at(&subject.location);
        format!("Spawn them into a JoinSet{at}, take them out with join_next().await, and {handle}.").into()
    } else {
        UNIT.into()
    };
    let evidence = vec![
        Evidence::count("handles_dropped", dropped).over("0"),
        Evidence::count("errors_lost", lost).aside(),
        Evidence::count("detached_live", site.detached).aside(),
        Evidence::count("spawned", site.spawned).aside(),
        Evidence::words(
            "output",
            match site.output {
                OutputKind::Unit => "none: ()",
                OutputKind::Unknown => "unknown",
                _ => output,
            },
        )
        .aside(),
    ];
    let group = subject.location.clone();
    Some(Candidate {
        message,
        evidence,
        advice,
        count: Count::Total(if dropped > 0 { dropped } else { lost }),
        hurt: lost.max(1),
        ..Candidate::enter(subject, &group, severity)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn quiet(output: OutputKind) -> (Judged, SiteId) {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/orders.rs:88:9", "shop::save_order::{{closure}}", output);
        judged.settle();
        (judged, site)
    }

    fn drop_handle(target: &mut Fixture, site: SiteId, err: bool) {
        target.totals(site, |totals| {
            totals.spawned += 1;
            totals.finished += 1;
            totals.handles_dropped += 1;
            totals.errors_lost += u64::from(err);
        });
    }

    #[test]
    fn results_thrown_away_are_a_warning_that_counts_the_errors() {
        let (mut judged, site) = quiet(OutputKind::Result);
        let mut n = 0;
        judged.every(ms(2000), |target| {
            n += 1;
            drop_handle(target, site, n % 5 == 0);
        });
        let finding = judged.only("never-awaited-handle");
        assert_eq!((finding.severity, finding.count), (Severity::Warn, 20));
        assert_eq!(finding.subject.kind, SubjectKind::Site(site));
        assert_eq!(finding.subject.location, "src/orders.rs:88:9");
        assert_eq!(
            finding.message,
            "4 of 20 tasks `save_order` ended in an `Err` that nobody saw: all 20 JoinHandles were dropped, not awaited"
        );
        assert_eq!(evidence(&finding, "errors_lost").value, 4);
    }

    #[test]
    fn detached_connections_are_one_line_and_no_alarm() {
        let (mut judged, site) = quiet(OutputKind::Unit);
        judged.every(ms(20_000), |target| {
            for _ in 0..10 {
                drop_handle(target, site, false);
            }
        });
        let finding = judged.only("never-awaited-handle");
        assert_eq!((finding.severity, finding.count), (Severity::Info, 2000));
        let handles = "all 2000 JoinHandles were dropped, not awaited";
        assert_eq!(finding.message, format!("nobody learns how `save_order` ends, or that it panicked: {handles}"));
    }

    #[test]
    fn it_clears_ten_seconds_after_the_last() {
        let (mut judged, site) = quiet(OutputKind::Result);
        judged.every(ms(2000), |target| drop_handle(target, site, false));
        judged.run(ms(9000));
        assert!(judged.only("never-awaited-handle").active());
        judged.run(ms(1500));
        judged.expect_nothing();
    }

    #[test]
    fn a_daemon_detached_before_attach_shows_while_it_runs() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/main.rs:8:5", "shop::refresh::{{closure}}", OutputKind::Result);
        let task = judged.target.task(site);
        judged.target.totals(site, |totals| {
            totals.spawned = 1;
            totals.handles_dropped = 1;
        });
        judged.target.task_state(task, |task| {
            task.flags.handle_held = false;
            task.flags.handle_dropped = true;
        });
        judged.run(ms(60_000));
        let finding = judged.only("never-awaited-handle");
        assert_eq!(finding.message, "nobody sees the `Result` of `refresh`: its JoinHandle was dropped, not awaited");
        assert_eq!(evidence(&finding, "detached_live").value, 1);
        judged.target.gone_task(task);
        judged.run(ms(500));
        judged.expect_nothing();
    }

    #[test]
    fn what_was_dropped_and_ended_before_attach_is_history() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/main.rs:8:5", "refresh", OutputKind::Result);
        drop_handle(&mut judged.target, site, true);
        judged.run(ms(3000));
        judged.expect_nothing();
    }

    #[test]
    fn handles_that_are_awaited_are_nothing() {
        let (mut judged, site) = quiet(OutputKind::Result);
        judged.every(ms(3000), |target| {
            target.totals(site, |totals| {
                totals.spawned += 5;
                totals.finished += 5;
            });
        });
        judged.expect_nothing();
    }

    #[test]
    fn an_error_that_nobody_took_is_a_warning_even_if_its_handle_was_kept() {
        let (mut judged, site) = quiet(OutputKind::Result);
        judged.target.totals(site, |totals| totals.errors_lost += 1);
        judged.run(ms(1000));
        let finding = judged.only("never-awaited-handle");
        assert_eq!(finding.severity, Severity::Warn);
        assert_eq!(finding.message, "1 of 1 task `save_order` ended in an `Err` that nobody saw");
    }
}
