//! Tasks that are mostly given up.
use std::time::Duration;

use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::{Evidence, Severity, words};
use crate::model::{Site, SiteKind};
use crate::text;

const SHARE: Threshold = Threshold::share("share", 0.9, "of the tasks that end are aborted, or dropped unfinished");
const RATE: Threshold = Threshold::count("rate", 10, "and more than this in a second");

/// What is judged, in seconds; each must have seen it.
const WINDOW: usize = 3;

pub(super) const RULE: Rule = Rule {
    id: "cancel-storm",
    severity: Severity::Info,
    summary: "nearly all tasks of a spawn site are aborted before they finish",
    explain: EXPLAIN,
    thresholds: &[SHARE, RATE],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(2),
    subsumed_by: &[],
    evaluate,
};

const EXPLAIN: &str = "\
Of the tasks spawned at a line nearly all are aborted, or dropped with their `JoinSet` or runtime, before they finish.

Why it hurts
  What they have done until then is thrown away, again and again, and what they were in the middle of stays half done. A
  limit of time that is too short looks like that, and so does a race that the same side always wins.

WRONG
  let task = tokio::spawn(load(key));
  if timeout(Duration::from_millis(5), &mut task).await.is_err() { task.abort(); }   // a load takes 8 ms

RIGHT
  let value = timeout(Duration::from_millis(50), load(key)).await??;   // as long as it takes when all is well

  // keep what was begun, and let the next one who asks have it
  let value = cache.get_or_load(key).await?;

Thresholds
  share = 90 %   of the tasks that end are aborted, or dropped unfinished
  rate  = 10     and more than this in a second
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let sites = cx.model.sites.values().filter(|site| site.kind == SiteKind::Spawn && site.aborted > 0);
    out.extend(sites.filter_map(|site| judge(cx, site)));
}

fn judge(cx: &Cx, site: &Site) -> Option<Candidate> {
    let recent = || site.aborted_s.points().rev().take(WINDOW);
    if recent().len() < WINDOW || recent().any(|n| n <= cx.count(&RATE) as f64) {
        return None;
    }
    let (aborted, finished) = (site.aborted_s.recent_sum(WINDOW), site.finished_s.recent_sum(WINDOW));
    let share = if finished > 0.0 { (aborted / finished).min(1.0) } else { 0.0 };
    if share <= cx.share(&SHARE) {
        return None;
    }
    let subject = words::site_subject(site);
    let group = site.location.clone();
    let rate = aborted / WINDOW as f64;
    Some(Candidate {
        message: format!(
            "{} of the tasks of `{}` are aborted or dropped unfinished, {}",
            text::percent(share),
            subject.name,
            text::rate(rate)
        ),
        evidence: vec![
            Evidence::share("aborted_share", share).over(cx.limit_text(&SHARE)),
            Evidence::rate("aborted_per_s", rate).over(text::rate(cx.count(&RATE) as f64)),
            Evidence::count("aborted", site.aborted),
            Evidence::count("finished", site.finished),
        ],
        advice: "Give them the time they take when all is well, or do not start what will be given up; where one of several \
                 is enough, start the next only when the first is late."
            .into(),
        count: Count::Total(site.aborted),
        hurt: rate as u64,
        ..Candidate::enter(subject, &group, Severity::Info)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn ended(finished: u64, aborted: u64) -> Judged {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/load.rs:9:9", "shop::load::{{closure}}", OutputKind::Unit);
        judged.settle();
        judged.every(ms(4500), |target| {
            target.totals(site, |totals| {
                totals.spawned += finished;
                totals.finished += finished;
                totals.aborted += aborted;
            });
        });
        judged
    }

    #[test]
    fn tasks_that_are_nearly_all_given_up_are_worth_a_word() {
        let finding = ended(5, 5).only("cancel-storm");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Info, "src/load.rs:9:9"));
        assert_eq!(finding.message, "100 % of the tasks of `load` are aborted or dropped unfinished, 50/s");
    }

    #[test]
    fn some_that_are_given_up_are_nothing() {
        ended(20, 10).expect_nothing();
    }
}
