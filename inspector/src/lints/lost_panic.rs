//! Panics that nobody was told of: their handles are gone, or are kept and not asked.
use std::collections::BTreeMap;
use std::time::Duration;

use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::{Confidence, Evidence, LocationRole, Severity, Spot, words};
use crate::model::{Model, Panic, Site, SiteKind, TaskState};
use crate::text;

const LATELY: Threshold = Threshold::millis("lately", 15_000, "a site goes on for so long after its last panic");
const KEPT: Threshold =
    Threshold::millis("kept", 3000, "a task panicked so long ago, and its handle is kept and not asked: a warning");
const BEFORE: Threshold = Threshold::millis("before", 300_000, "a panic of before attach is told of if it is no older");

pub(super) const RULE: Rule = Rule {
    id: "lost-panic",
    severity: Severity::Crit,
    summary: "a task panicked and nobody saw its JoinError",
    explain: EXPLAIN,
    thresholds: &[LATELY, KEPT, BEFORE],
    enter_after: Duration::ZERO,
    leave_after: Duration::ZERO,
    subsumed_by: &["block-on-in-async"],
    evaluate,
};

const EXPLAIN: &str = "\
A task ended in a panic, and no one awaited its handle: the `JoinError` that would have told of it is gone. Or it is
still there, in a handle or a `JoinSet` that is kept, and nobody asks: that is a warning.

Why it hurts
  A panic ends only its own task. The service goes on without it: the consumer that no longer consumes, the refresh
  that no longer comes, the request that is never answered. Apart from a line on stderr, nobody knows.

WRONG
  tokio::spawn(async move { consume(queue).await });   // a panic in here is the end of consuming, and of the story

RIGHT
  let mut tasks = JoinSet::new();
  tasks.spawn(consume(queue));
  while let Some(ended) = tasks.join_next().await {
      if let Err(error) = ended {
          error!(%error, \"consumer panicked\");
          tasks.spawn(consume(queue.clone()));
      }
  }

Thresholds
  lately = 15.0 s    a site goes on for so long after its last panic
  kept   = 3.00 s    a task panicked so long ago, and its handle is kept and not asked: a warning
  before = 5m 00s    a panic of before attach is told of if it is no older
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    out.extend(lost(cx).iter().filter_map(|(line, of)| judge(cx, line, of)));
    let sites = cx.model.sites.values().filter(|site| site.kind == SiteKind::Spawn);
    out.extend(sites.filter(|site| site.states.get(TaskState::Panicked) > 0).filter_map(|site| kept(cx, site)));
}

/// Panics whose `JoinError` somebody could still ask for.
fn kept(cx: &Cx, site: &Site) -> Option<Candidate> {
    let model = cx.model;
    let unasked = |panic: &&Panic| {
        let task = model.tasks.get(&panic.task);
        let kept = task.is_some_and(|task| task.state == TaskState::Panicked && task.flags.handle_held);
        panic.site == site.id && kept && model.lasted(panic.at) > cx.span(&KEPT)
    };
    let first = model.panics.iter().filter(unasked).min_by_key(|panic| panic.at)?;
    let n = model.panics.iter().filter(unasked).count() as u64;
    let ago = model.lasted(first.at);
    let subject = words::site_subject(site);
    let who = match n {
        1 => format!("`{}` panicked", subject.name),
        n => format!("{} `{}` tasks panicked, the first", text::count(n), subject.name),
    };
    let Told { what, at, fix, open, evidence } = Told::of(model, first);
    let mut all =
        vec![Evidence::span("panic_unasked_ns", ago).over(cx.limit_text(&KEPT)), Evidence::count("panics_kept", n)];
    all.extend((site.panics > n).then(|| Evidence::count("panics", site.panics)));
    all.extend(evidence);
    let group = subject.location.clone();
    Some(Candidate {
        message: format!("{who}{at}{what} {} ago, and nobody has awaited the JoinHandle", text::duration(ago)),
        evidence: all,
        advice: format!(
            "{fix}Ask for results while tasks run: JoinSet::join_next as a branch of the loop's select!, or await the \
             JoinHandle."
        )
        .into(),
        open,
        onset: Some(first.at.after(cx.span(&KEPT))),
        began: Some(first.at),
        count: Count::Total(n),
        hurt: n,
        ..Candidate::enter(subject, &group, Severity::Warn)
    })
}

/// What is told of a panic.
#[derive(Default)]
struct Told {
    /// For a sentence: its message, in brackets, and its place.
    what: String,
    at: String,
    /// For the beginning of an advice.
    fix: String,
    open: Option<Spot>,
    evidence: Vec<Evidence>,
}

impl Told {
    fn of(model: &Model, panic: &Panic) -> Self {
        let mut told = Self::default();
        if !panic.message.is_empty() {
            told.what = format!(" ({})", words::quote(&panic.message));
            let whole = Evidence::words("panic_message", text::head(&panic.message, 500));
            told.evidence.push(Evidence { text: words::quote(&panic.message), ..whole });
        }
        if !panic.location.is_empty() {
            let place = text::file_line(&panic.location);
            told.at = format!(" at {place}");
            told.fix = format!("Handle the case at {place} without a panic. ");
            told.open = Spot::of(&panic.location, LocationRole::Panics);
            told.evidence.push(Evidence::words("panic_location", panic.location.as_str()));
        }
        told.evidence.push(Evidence::task("panicked_task", panic.task));
        told.evidence.push(Evidence::span("panicked_ago_ns", model.now.since(panic.at)));
        told
    }
}

/// Lost panics of one line, of tasks that were spawned at one or several.
#[derive(Default)]
struct Lost<'a> {
    /// By the id of their line, so that the first is the same as long as there is any.
    sites: Vec<&'a Site>,
    newest: Option<&'a Panic>,
}

/// Those that go on, by the line that panics, or the one that spawns where that is not known.
fn lost<'a>(cx: &Cx<'a>) -> BTreeMap<&'a str, Lost<'a>> {
    let mut lines: BTreeMap<&str, Lost> = BTreeMap::new();
    let mut sites: Vec<&Site> = cx.model.sites.values().filter(|site| site.panics_lost > 0).collect();
    sites.sort_by_key(|site| site.id);
    for site in sites.into_iter().filter(|site| site.kind == SiteKind::Spawn) {
        let panics = || cx.model.panics.iter().filter(|panic| panic.site == site.id);
        let newest = panics().max_by_key(|panic| panic.at);
        if !goes_on(cx, site, newest) {
            continue;
        }
        // Of several lines the one with most of them, or a finding would go by another with each panic.
        let most = panics().max_by_key(|one| (panics().filter(|other| other.location == one.location).count(), one.at));
        let line = most.map_or("", |panic| panic.location.as_str());
        let lost = lines.entry(if line.is_empty() { &site.location } else { line }).or_default();
        lost.sites.push(site);
        lost.newest = lost.newest.into_iter().chain(newest).max_by_key(|panic| panic.at);
    }
    lines
}

/// Whether the last one was lately.
fn goes_on(cx: &Cx, site: &Site, newest: Option<&Panic>) -> bool {
    let within = |at, span| cx.model.now.since(at) < span;
    match (site.last_panic_lost, newest) {
        (Some(at), _) => within(at, cx.span(&LATELY)),
        // Of those before anybody looked, the newest is known to be lost only where all are.
        (None, Some(panic)) => site.panics == site.panics_lost && within(panic.at, cx.span(&BEFORE)),
        (None, None) => false,
    }
}

fn judge(cx: &Cx, line: &str, of: &Lost) -> Option<Candidate> {
    let model = cx.model;
    let (&site, newest) = (of.sites.first()?, of.newest);
    let sum = |figure: fn(&Site) -> u64| of.sites.iter().map(|site| figure(site)).fold(0, u64::saturating_add);
    let (lost, panics) = (sum(|site| site.panics_lost), sum(|site| site.panics));
    let (finished, errors) = (sum(|site| site.finished), sum(|site| site.errors_lost));
    let subject = words::site_subject(site);
    let mut evidence = vec![Evidence::count("panics_lost", lost).over("0")];
    evidence.extend((panics > lost).then(|| Evidence::count("panics", panics)));
    evidence.extend((errors > 0).then(|| Evidence::count("errors_lost", errors)));
    let told = newest.map(|panic| Told::of(model, panic)).unwrap_or_default();
    let Told { what, at, fix, .. } = &told;
    // Of those that have ended, where that says anything.
    let ended = if finished > lost { format!(" of {}", text::count(finished)) } else { String::new() };
    let name = &subject.name;
    let tasks = match of.sites.len() as u64 {
        1 => format!("`{name}` tasks"),
        lines => format!("tasks that {} spawn", text::counted(lines, "line")),
    };
    let (who, handles) = match (lost, newest) {
        (1, _) => (format!("`{name}` panicked"), "its JoinHandle"),
        (n, None) => (format!("{}{ended} {tasks} panicked", text::count(n)), "their JoinHandles"),
        (n, Some(_)) => (format!("{}{ended} {tasks} panicked, the latest", text::count(n)), "their JoinHandles"),
    };
    // It speaks for `never-awaited-handle` at these lines.
    let errors = match errors {
        0 => String::new(),
        n => format!("; {} more ended in an `Err` that nobody saw", text::count(n)),
    };
    let message = format!("{who}{at}{what}, and nobody awaited {handles}{errors}");
    let spawned = of.sites.iter().map(|site| text::file_line(&site.location)).filter(|line| !line.is_empty());
    let made = match spawned.collect::<Vec<_>>()[..] {
        [] => String::new(),
        [one] => format!(" made at {one}"),
        [one, other] => format!(" made at {one} and {other}"),
        [one, ref others @ ..] => format!(" made at {one} and {}", text::counted(others.len() as u64, "other line")),
    };
    let advice = format!("{fix}To hear of the next one, await {handles}{made} and log the JoinError.");
    evidence.extend(told.evidence);
    if of.sites.len() > 1 {
        let each = of.sites.iter().map(|site| {
            let (lost, name) = (text::count(site.panics_lost), words::site_subject(site).name);
            format!("{lost} `{name}` at {}", text::file_line(&site.location))
        });
        evidence.push(Evidence::list("panics_by_spawn", each.collect()));
    }
    Some(Candidate {
        message,
        evidence,
        advice: advice.into(),
        open: told.open,
        onset: newest.map(|panic| panic.at),
        count: Count::Total(lost),
        // Which of several panics were lost is not told; that they were, is.
        confidence: if panics > lost { Confidence::Likely } else { Confidence::Certain },
        hurt: lost,
        causes: of.sites.iter().map(|site| site.location.clone()).collect(),
        ..Candidate::enter(subject, line, Severity::Crit)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn quiet() -> (Judged, SiteId) {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/queue.rs:21:9", "shop::consume::{{closure}}", OutputKind::Unit);
        (judged, site)
    }

    fn panic(target: &mut Fixture, site: SiteId, at: Stamp, lost: bool) {
        target.panic(Panic {
            task: TaskId(at.0),
            site,
            at,
            message: "index out of bounds:\n the len is 3".into(),
            location: "src/queue.rs:40:17".into(),
        });
        target.totals(site, |totals| {
            totals.spawned += 1;
            totals.finished += 1;
            totals.panics += 1;
            totals.panics_lost += u64::from(lost);
            totals.handles_dropped += u64::from(lost);
        });
    }

    #[test]
    fn a_panic_that_nobody_saw_is_critical_and_says_where_and_what() {
        let (mut judged, site) = quiet();
        judged.settle();
        let at = judged.target.now;
        panic(&mut judged.target, site, at, true);
        judged.run(ms(1000));
        let finding = judged.only("lost-panic");
        assert_eq!((finding.severity, finding.count), (Severity::Crit, 1));
        assert_eq!(finding.subject.kind, SubjectKind::Site(site));
        assert_eq!(finding.subject.location, "src/queue.rs:21:9");
        assert_eq!(
            finding.message,
            "`consume` panicked at queue.rs:40 (\"index out of bounds: the len is 3\"), and nobody awaited its JoinHandle"
        );
        assert_eq!(evidence(&finding, "panic_location").value, "src/queue.rs:40:17");
        assert!(
            finding
                .advice
                .starts_with("Handle the case at queue.rs:40 without a panic. To hear of the next one, await its "),
            "{}",
            finding.advice
        );
    }

    #[test]
    fn a_panic_that_somebody_may_still_see_is_nothing() {
        let (mut judged, site) = quiet();
        judged.settle();
        let at = judged.target.now;
        panic(&mut judged.target, site, at, false);
        judged.run(ms(5000));
        judged.expect_nothing();
    }

    #[test]
    fn a_panic_that_is_kept_and_not_asked_for_is_a_warning() {
        let (mut judged, site) = quiet();
        judged.settle();
        let (task, at) = (judged.target.task(site), judged.target.now);
        judged.target.task_state(task, |task| (task.state, task.state_since) = (TaskState::Panicked, at));
        let location = "src/queue.rs:40:17".into();
        judged.target.panic(Panic { task, site, at, message: "no such row".into(), location });
        judged.target.totals(site, |totals| (totals.spawned, totals.finished, totals.panics) = (1, 1, 1));
        judged.run(ms(2500));
        judged.expect_nothing();
        judged.run(ms(1000));
        let finding = judged.only("lost-panic");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/queue.rs:21:9"));
        assert_eq!(finding.since, at);
        assert!(
            finding.message.starts_with("`consume` panicked at queue.rs:40 (\"no such row\") 3.")
                && finding.message.ends_with(" s ago, and nobody has awaited the JoinHandle"),
            "{}",
            finding.message
        );
        judged.target.gone_task(task);
        judged.run(ms(500));
        judged.expect_nothing();
    }

    #[test]
    fn a_line_that_panics_is_one_finding_wherever_its_tasks_are_spawned_and_says_what_else_was_lost() {
        let (mut judged, site) = quiet();
        let other = judged.target.spawn_site("src/queue.rs:33:9", "shop::again::{{closure}}", OutputKind::Result);
        judged.settle();
        for n in 0..6 {
            let at = judged.target.now;
            panic(&mut judged.target, if n % 3 == 0 { other } else { site }, at, true);
            judged.target.totals(other, |totals| {
                (totals.spawned, totals.finished) = (totals.spawned + 1, totals.finished + 1);
                (totals.handles_dropped, totals.errors_lost) = (totals.handles_dropped + 1, totals.errors_lost + 1);
            });
            judged.run(ms(200));
        }
        let finding = judged.only("lost-panic");
        assert_eq!((finding.count, finding.subject.kind), (6, SubjectKind::Site(site)));
        assert_eq!(
            finding.message,
            "6 of 12 tasks that 2 lines spawn panicked, the latest at queue.rs:40 (\"index out of bounds: the len is 3\"), and \
             nobody awaited their JoinHandles; 6 more ended in an `Err` that nobody saw"
        );
        let each = &evidence(&finding, "panics_by_spawn").text;
        assert_eq!(each, "4 `consume` at queue.rs:21 | 2 `again` at queue.rs:33");
        assert!(finding.advice.contains("made at queue.rs:21 and queue.rs:33"), "{}", finding.advice);
        assert_eq!(evidence(&finding, "errors_lost").value, 6);
    }

    #[test]
    fn it_clears_a_while_after_the_last() {
        let (mut judged, site) = quiet();
        judged.settle();
        let at = judged.target.now;
        panic(&mut judged.target, site, at, true);
        judged.run(ms(14_000));
        assert!(judged.only("lost-panic").active());
        judged.run(ms(1500));
        judged.expect_nothing();
        assert_eq!(judged.engine.findings()[0].rule, "lost-panic");
    }

    #[test]
    fn a_panic_of_before_attach_is_told_of_while_it_is_young() {
        let (mut judged, site) = quiet();
        let at = judged.target.now.before(Duration::from_mins(2));
        panic(&mut judged.target, site, at, true);
        judged.run(ms(1000));
        let finding = judged.only("lost-panic");
        assert_eq!(finding.since, at);
        judged.tick(Duration::from_mins(3));
        judged.run(ms(2500));
        judged.expect_nothing();
    }

    #[test]
    fn panics_whose_messages_were_shed_are_still_counted() {
        let (mut judged, site) = quiet();
        judged.settle();
        judged.target.loss(Loss { panics: 7, ..Loss::default() });
        judged.target.totals(site, |totals| {
            totals.panics = 7;
            totals.panics_lost = 7;
        });
        judged.run(ms(500));
        assert_eq!(
            judged.only("lost-panic").message,
            "7 `consume` tasks panicked, and nobody awaited their JoinHandles"
        );
    }
}
