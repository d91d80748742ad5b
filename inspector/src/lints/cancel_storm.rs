//! Tasks, and futures under a timeout, that are mostly given up.
use std::time::Duration;

use super::culprit::Culprit;
use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::{Evidence, LocationRole, Severity, Spot, words};
use crate::model::{Seen, Site, SiteKind};
use crate::text;

const SHARE: Threshold = Threshold::share("share", 0.9, "of what ends is aborted, or dropped unfinished");
const RATE: Threshold = Threshold::count("rate", 10, "and more than this in a second");

/// What is judged, in seconds; each must have seen it.
const WINDOW: usize = 3;
/// Who aborted one longer ago than this need not be who does it now.
const LATELY: Duration = Duration::from_secs(5);

pub(super) const RULE: Rule = Rule {
    id: "cancel-storm",
    severity: Severity::Info,
    summary: "nearly all tasks of a site, or futures of a timeout, are given up",
    explain: EXPLAIN,
    thresholds: &[SHARE, RATE],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(2),
    subsumed_by: &[],
    evaluate,
};

const EXPLAIN: &str = "\
Of the tasks spawned at a line nearly all are aborted, or dropped with their `JoinSet` or runtime, before they
finish; or nearly all of the futures that a `timeout` gives some time are given up when it has passed.

Why it hurts
  What they have done until then is thrown away, again and again, and what they were in the middle of stays half done. A
  timeout that is too short looks like that, and so does a race that the same side always wins.

WRONG
  let task = tokio::spawn(load(key));
  if timeout(Duration::from_millis(5), &mut task).await.is_err() { task.abort(); }   // a load takes 8 ms

RIGHT
  let value = timeout(Duration::from_millis(50), load(key)).await??;   // as long as it takes when all is well

  // keep what was begun, and let the next one who asks have it
  let value = cache.get_or_load(key).await?;

Thresholds
  share = 90 %   of what ends is aborted, or dropped unfinished
  rate  = 10     and more than this in a second

What a `timeout` gives up while it waits for a message, a lock or a task does not count: nothing but the wait is lost.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let sites =
        cx.model.sites.values().filter(|site| site.aborted > 0 && (site.kind == SiteKind::Spawn || site.is_limit()));
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
    // Tokio's own futures wait: for bytes, for a connection. Whoever asks again has lost nothing.
    if site.is_limit() && is_tokios(&site.name) {
        return None;
    }
    let subject = words::site_subject(site);
    let group = site.location.clone();
    let rate = aborted / WINDOW as f64;
    let (share_text, rate_text, name) = (text::percent(share), text::rate(rate), &subject.name);
    let place = text::file_line(&site.location);
    // Of what was done to it long ago, nothing follows.
    let by = site.disposal.filter(|by| cx.model.now.since(by.at) < LATELY);
    let at = by.map(|by| words::place(cx.model, by.site)).unwrap_or_default();
    // How old those were that were shed is not known.
    let age = u32::try_from(site.aborted)
        .ok()
        .filter(|_| !site.aborted_age.is_zero() && site.shed == 0)
        .map(|n| site.aborted_age / n);
    let given_up = cx.model.seen(Seen::GivenUp, site.id).map_or("", |(place, _)| place);
    let (message, advice) = if site.is_limit() {
        (
            format!(
                "{share_text} of `{name}` run into the timeout at {place} ({rate_text}): their work is thrown away"
            ),
            format!("Raise the timeout at {place} above the time that `{name}` takes when all is well."),
        )
    } else {
        let waiting = match given_up {
            "" => String::new(),
            place => format!(" while they wait at {}", text::file_line(place)),
        };
        let old = age.map_or_else(String::new, |age| format!(", {} old on average", text::duration(age)));
        let how = match (at, by) {
            ("", Some(_)) => "dropped with their set or handle".to_owned(),
            ("", None) => "aborted or dropped".to_owned(),
            (at, _) => format!("aborted at {}", text::file_line(at)),
        };
        let above = match age {
            Some(age) => format!(" to several times the {} that they get now", text::duration(age)),
            None => " above the time that they take when all is well".to_owned(),
        };
        let or_shorter = match given_up {
            "" => String::new(),
            place => format!(", or make what they await at {} faster", text::file_line(place)),
        };
        // Where none comes to its end, nobody has seen how long one takes.
        let none = site.aborted >= site.finished;
        let unknown = if none { " None ends in time, so how long they need shows only then." } else { "" };
        let what = match at {
            "" => format!("Let the `{name}` tasks come to their end: find what gives them up"),
            at => format!("Give the `{name}` tasks longer before the abort at {}", text::file_line(at)),
        };
        (
            format!(
                "{share_text} of the `{name}` tasks are {how} before they end{waiting}{old} ({rate_text}): their work is thrown away"
            ),
            format!("{what}: raise the timeout that leads to it{above}{or_shorter}.{unknown}"),
        )
    };
    let mut evidence = vec![
        Evidence::share("aborted_share", share).over(cx.limit_text(&SHARE)),
        Evidence::rate("aborted_per_s", rate).over(text::rate(cx.count(&RATE) as f64)),
        Evidence::count("aborted", site.aborted).aside(),
        Evidence::words("abort_location", at),
        Evidence::words("awaited_location", given_up),
    ];
    evidence.extend(age.map(|age| Evidence::span("aborted_age_ns", age)));
    Some(Candidate {
        message,
        evidence,
        culprit: by.map(|by| Culprit::who_did(if at.is_empty() { "last dropped by" } else { "last aborted by" }, &by)),
        open: Spot::of(at, LocationRole::Aborted),
        advice: advice.into(),
        count: Count::Total(site.aborted),
        hurt: rate as u64,
        ..Candidate::enter(subject, &group, Severity::Info)
    })
}

fn is_tokios(future: &str) -> bool {
    let future = future.trim_start_matches("core::pin::Pin<").trim_start_matches("&mut ");
    ["tokio::", "async_inspect_probe::tokio::"].iter().any(|path| future.starts_with(path))
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    /// Futures of that type are given some time; so many end in a tenth of a second, and so many are given up.
    fn limited(future: &str, in_time: u64, late: u64) -> Judged {
        let mut judged = Judged::new();
        let site = judged.target.timeout_site("src/load.rs:12:5", future);
        judged.settle();
        judged.every(ms(4500), |target| {
            target.totals(site, |totals| {
                totals.finished += in_time + late;
                totals.aborted += late;
            });
        });
        judged
    }

    #[test]
    fn a_timeout_that_is_always_too_short_is_worth_a_word() {
        let finding = limited("shop::load::{{closure}}", 0, 5).only("cancel-storm");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Info, "src/load.rs:12:5"));
        assert_eq!(
            finding.message,
            "100 % of `load` run into the timeout at load.rs:12 (50/s): their work is thrown away"
        );
    }

    #[test]
    fn a_limit_that_some_pass_is_nothing_nor_is_one_on_what_only_waits_for_bytes() {
        limited("shop::load::{{closure}}", 5, 5).expect_nothing();
        limited("&mut tokio::io::util::read::Read<'_, tokio::net::TcpStream>", 0, 5).expect_nothing();
    }

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
        assert_eq!(
            finding.message,
            "100 % of the `load` tasks are aborted or dropped before they end (50/s): their work is thrown away"
        );
    }

    #[test]
    fn that_none_ends_in_time_is_said_only_where_none_did() {
        let says_so = |judged: &Judged| {
            judged.only("cancel-storm").advice.ends_with(" None ends in time, so how long they need shows only then.")
        };
        assert!(says_so(&ended(5000, 5000)));
        // 99.98 % are given up, and the one in five thousand that ends has shown how long it takes.
        assert!(!says_so(&ended(5000, 4999)));
    }

    #[test]
    fn who_aborts_them_is_named_with_the_line_and_how_old_they_were() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/load.rs:9:9", "shop::load::{{closure}}", OutputKind::Unit);
        let asks = judged.target.spawn_site("src/main.rs:40:9", "shop::ask::{{closure}}", OutputKind::Unit);
        let (asking, line) = (judged.target.task(asks), judged.target.call_site("src/load.rs:30:15"));
        judged.settle();
        judged.every(ms(4500), |target| {
            target.totals(site, |totals| {
                totals.spawned += 5;
                totals.finished += 5;
                totals.aborted += 5;
                totals.aborted_age += ms(40);
            });
            let at = target.now;
            target.disposal(Disposed::Task(site), Disposal { at, by: asking, spawned: asks, site: line });
        });
        let finding = judged.only("cancel-storm");
        assert_eq!(
            finding.message,
            "100 % of the `load` tasks are aborted at load.rs:30 before they end, 8.00 ms old on average (50/s): their work \
             is thrown away"
        );
        let who = finding.who().unwrap();
        assert!(who.starts_with("last aborted by: #") && who.ends_with(" ask (spawned at main.rs:40)"), "{who}");
        assert!(
            finding.advice.starts_with("Give the `load` tasks longer before the abort at load.rs:30: "),
            "{}",
            finding.advice
        );
        // Asking it about its own wait tells nothing.
        assert_eq!(finding.culprit, None);
    }

    #[test]
    fn some_that_are_given_up_are_nothing() {
        ended(20, 10).expect_nothing();
    }
}
