//! Panics that nobody was told of.
use std::time::Duration;

use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::{Confidence, Evidence, Severity, words};
use crate::model::{Panic, Site, SiteKind};
use crate::text;

const LATELY: Threshold = Threshold::millis("lately", 15_000, "a site goes on for so long after its last panic");
const BEFORE: Threshold = Threshold::millis("before", 300_000, "a panic of before attach is told of if it is no older");

pub(super) const RULE: Rule = Rule {
    id: "lost-panic",
    severity: Severity::Crit,
    summary: "a task panicked and nobody saw its JoinError",
    explain: EXPLAIN,
    thresholds: &[LATELY, BEFORE],
    enter_after: Duration::ZERO,
    leave_after: Duration::ZERO,
    subsumed_by: &["block-on-in-async"],
    evaluate,
};

const EXPLAIN: &str = "\
A task ended in a panic, and no one awaited its handle: the `JoinError` that would have told of it is gone.

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
  before = 5m 00s    a panic of before attach is told of if it is no older
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let sites = cx.model.sites.values();
    out.extend(sites.filter(|s| s.kind == SiteKind::Spawn && s.panics_lost > 0).filter_map(|site| judge(cx, site)));
}

fn judge(cx: &Cx, site: &Site) -> Option<Candidate> {
    let model = cx.model;
    let newest: Option<&Panic> = model.panics.iter().filter(|panic| panic.site == site.id).max_by_key(|panic| panic.at);
    let within = |at, span| model.now.since(at) < span;
    let goes_on = match (site.last_panic_lost, newest) {
        (Some(at), _) => within(at, cx.span(&LATELY)),
        (None, Some(panic)) => within(panic.at, cx.span(&BEFORE)),
        (None, None) => false,
    };
    if !goes_on {
        return None;
    }
    let subject = words::site_subject(site);
    let lost = site.panics_lost;
    let mut evidence = vec![Evidence::count("panics_lost", lost).over("0"), Evidence::count("panics", site.panics)];
    let (mut what, mut at, mut mend) = (String::new(), String::new(), String::new());
    if let Some(panic) = newest {
        if !panic.message.is_empty() {
            what = format!(": {}", words::quote(&panic.message));
            evidence.push(Evidence::words("panic_message", text::head(&panic.message, 500)));
        }
        if !panic.location.is_empty() {
            let place = words::short_place(&panic.location);
            at = format!(" at {place}");
            mend = format!("; then mend what panics at {place}");
            evidence.push(Evidence::words("panic_location", panic.location.as_str()));
        }
        evidence.push(Evidence::task("panicked_task", panic.task));
        evidence.push(Evidence::span("panicked_ago_ns", model.now.since(panic.at)));
    }
    let who = match lost {
        1 => format!("`{}`", subject.name),
        n => format!("{} tasks of `{}`", text::count(n), subject.name),
    };
    let message = format!("{who} panicked and nobody was told{what}{at}");
    let advice = format!("Await the JoinHandle (or use JoinSet::join_next) and handle its JoinError{mend}.");
    let group = subject.location.clone();
    Some(Candidate {
        message,
        evidence,
        advice: advice.into(),
        onset: newest.map(|panic| panic.at),
        count: Count::Total(lost),
        // Which of several panics were lost is not told; that they were, is.
        confidence: if site.panics > lost { Confidence::Likely } else { Confidence::Certain },
        hurt: lost,
        ..Candidate::enter(subject, &group, Severity::Crit)
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
            "`consume` panicked and nobody was told: \"index out of bounds: the len is 3\" at queue.rs:40"
        );
        assert_eq!(evidence(&finding, "panic_location").value, "src/queue.rs:40:17");
        assert!(finding.advice.ends_with("mend what panics at queue.rs:40."), "{}", finding.advice);
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
        assert_eq!(judged.only("lost-panic").message, "7 tasks of `consume` panicked and nobody was told");
    }
}
