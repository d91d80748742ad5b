//! Futures that are big.
use std::time::Duration;

use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::{Evidence, Severity, words};
use crate::model::SiteKind;
use crate::text;

const BYTES: Threshold = Threshold::count("bytes", 16_384, "a spawned future is larger than this");

pub(super) const RULE: Rule = Rule {
    id: "large-future",
    severity: Severity::Info,
    summary: "spawned futures are unusually large",
    explain: EXPLAIN,
    thresholds: &[BYTES],
    enter_after: Duration::ZERO,
    leave_after: Duration::ZERO,
    subsumed_by: &[],
    evaluate,
};

const EXPLAIN: &str = "\
The future that is spawned at a line is larger than 16 KiB.

Why it hurts
  A future holds every local that lives across an `.await`, and those of the futures it awaits, for as long as the task
  lives. It is moved into the task's memory when it is spawned, and a thousand such tasks take a thousand times that.

WRONG
  let mut buffer = [0_u8; 64 * 1024];               // part of the future, since it lives across the await
  let n = stream.read(&mut buffer).await?;

RIGHT
  let mut buffer = vec![0_u8; 64 * 1024];           // on the heap; the future holds a pointer
  let n = stream.read(&mut buffer).await?;

  // or one deep branch that is rarely taken
  Box::pin(rare_and_large(request)).await

Thresholds
  bytes = 16.4k   a spawned future is larger than this
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let most = cx.count(&BYTES);
    let sites = cx.model.sites.values().filter(|site| site.kind == SiteKind::Spawn);
    out.extend(sites.filter(|site| u64::from(site.future_bytes) > most && site.live() > 0).map(|site| {
        let subject = words::site_subject(site);
        let (each, live) = (u64::from(site.future_bytes), site.live());
        let evidence = vec![
            Evidence::bytes("future_bytes", each).over(text::bytes(most)),
            Evidence::count("live_tasks", live).aside(),
            Evidence::bytes("live_bytes", each.saturating_mul(live)),
        ];
        let group = site.location.clone();
        let (name, size) = (&subject.name, text::bytes(each));
        let all = match live {
            1 => String::new(),
            n => format!("; the {} alive take {}", text::count(n), text::bytes(each.saturating_mul(n))),
        };
        Candidate {
            message: format!("each `{name}` task has a future of {size}, which is copied when it is spawned{all}"),
            evidence,
            advice: format!(
                "In `{name}`, look for a large array that lives across an .await and make it a Vec (`vec![0; n]`); where it is a \
                 future that it awaits, Box::pin that."
            )
            .into(),
            count: Count::Total(site.spawned),
            hurt: each.saturating_mul(live) / 1024,
            ..Candidate::enter(subject, &group, Severity::Info)
        }
    }));
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    #[test]
    fn a_large_future_is_worth_a_word_while_it_lives() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/read.rs:8:9", "shop::read::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(site);
        judged.target.totals(site, |totals| totals.spawned = 1);
        judged.settle();
        judged.expect_nothing();
        judged.target.model.sites.get_mut(&site).expect("made").future_bytes = 70_000;
        judged.run(ms(200));
        let finding = judged.only("large-future");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Info, "src/read.rs:8:9"));
        assert_eq!(finding.message, "each `read` task has a future of 68.4 KiB, which is copied when it is spawned");
        judged.target.gone_task(task);
        judged.target.totals(site, |totals| totals.finished = 1);
        judged.run(ms(200));
        judged.expect_nothing();
    }
}
