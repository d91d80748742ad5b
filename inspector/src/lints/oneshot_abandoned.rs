//! Oneshot channels whose answer does not come, or that nobody takes.
use std::time::Duration;

use super::culprit::{Culprit, who_did};
use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::{Evidence, LocationRole, Severity, Spot, Subject, SubjectKind, words};
use crate::model::{ONESHOT, Oneshots, Seen, Series, Site};
use crate::text;

const SECONDS: Threshold = Threshold::count("seconds", 2, "of the last 10 s must have seen it");
const SHARE: Threshold = Threshold::share("share", 0.5, "of the answers are sent to nobody");

const WINDOW: usize = 10;

pub(super) const RULE: Rule = Rule {
    id: "oneshot-abandoned",
    severity: Severity::Warn,
    summary: "oneshot senders are dropped while somebody waits, or answers go to nobody",
    explain: EXPLAIN,
    thresholds: &[SECONDS, SHARE],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(1),
    subsumed_by: &["lost-panic", "blocked-worker", "deadlock"],
    evaluate,
};

const EXPLAIN: &str = "\
Of the oneshot channels made at one line, senders are dropped without an answer while the receiver waits, again and
again; or most answers are sent when the receiver is gone.

Why it hurts
  The one who waits gets `RecvError` instead of an answer: a request that fails for no reason that anybody sees. The
  other way round, work is done whose result nobody takes any more.

WRONG
  match load(&key).await {
      Ok(value) => { let _ = reply.send(value); }
      Err(error) => warn!(%error),                  // `reply` is dropped: the caller sees only RecvError
  }

RIGHT
  let _ = reply.send(load(&key).await);             // the answer is a Result, and always comes

  // give up work that nobody waits for
  select! {
      answer = load(&key) => { let _ = reply.send(answer); }
      _ = reply.closed() => {}
  }

Thresholds
  seconds = 2      of the last 10 s must have seen it
  share   = 50 %   of the answers are sent to nobody

Channels of `()` are left alone: dropping the sender of those is a signal. Where it is not told what a channel is of, it
may be one of those, and it is info.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    for oneshots in cx.model.oneshots.values() {
        let Some(site) = cx.model.sites.get(&oneshots.site).filter(|site| &*site.name != "()") else { continue };
        if seconds(&oneshots.unsent_awaited_s) > 0 {
            out.push(unsent(cx, oneshots, site));
        } else if seconds(&oneshots.unreceived_s) > 0 {
            out.extend(unreceived(cx, oneshots, site));
        }
    }
}

/// Of the last ten, in which it happened.
fn seconds(series: &Series) -> u64 {
    series.points().rev().take(WINDOW).filter(|&n| n > 0.0).count() as u64
}

/// It may be meant so, where the type of the answer is not told.
fn severity(site: &Site) -> Severity {
    if &*site.name == ONESHOT { Severity::Info } else { Severity::Warn }
}

fn subject(site: &Site, location: &str) -> Subject {
    let location = if location.is_empty() { site.location.clone() } else { location.to_owned() };
    let subject = words::site_subject(site);
    let name = if &*site.name == ONESHOT { text::file_line(&location).to_owned() } else { subject.name };
    Subject { location, kind: SubjectKind::Site(site.id), name, ..subject }
}

fn unsent(cx: &Cx, oneshots: &Oneshots, site: &Site) -> Candidate {
    let model = cx.model;
    let awaited = words::place(model, oneshots.last_unsent_site);
    let subject = subject(site, &site.location);
    let group = site.location.clone();
    if seconds(&oneshots.unsent_awaited_s) < cx.count(&SECONDS) {
        return Candidate::stay(subject, &group);
    }
    let recent = (oneshots.unsent_awaited_s.recent_sum(WINDOW).round() as u64).max(1);
    let made = (oneshots.made_s.recent_sum(WINDOW).round() as u64).max(recent);
    let at = if awaited.is_empty() { String::new() } else { format!(" (last at {})", text::file_line(awaited)) };
    // A sender was seen to be dropped, but not whether anybody waited. Only where nearly all are waited for is it one of
    // those; of the last ones, that may not be known yet.
    let unsent = oneshots.unsent_s.recent_sum(WINDOW).round() as u64;
    let all_awaited = unsent <= recent.saturating_add((recent / 20).max(1));
    let dropped = model.seen(Seen::Unsent, site.id).filter(|_| all_awaited).map_or("", |(place, _)| place);
    let dropped_at = text::file_line(dropped);
    let evidence = vec![
        Evidence::count("unanswered_10s", recent).over("0"),
        Evidence::share("unanswered_share", recent as f64 / made as f64),
        Evidence::words("dropped_location", dropped),
        Evidence::words("awaited_location", awaited),
        Evidence::words("created_location", site.location.as_str()),
    ];
    let by = oneshots.disposal;
    let owner = by.and_then(|by| who_did(model, &by));
    let (last, wherever) = match &owner {
        _ if !dropped.is_empty() => (format!(", seen at {dropped_at}"), format!("every path to {dropped_at}")),
        Some(name) => (format!(", the last by {name}"), format!("every path through {name}")),
        None => (String::new(), "every path of whoever has the sender made here".to_owned()),
    };
    // What it can send already, as far as its type tells.
    let answer = match subject.name.as_str() {
        name if name.starts_with("Option<") => ", a None too",
        name if name.starts_with("Result<") => ", an Err too",
        _ => ", a Result or an Option if there may be none",
    };
    Candidate {
        message: format!(
            "{} of {} of oneshot `{}` {} dropped without sending in 10 s{last}: whoever awaited the answer{at} got a \
             RecvError",
            text::count(recent),
            text::counted(made, "sender"),
            subject.name,
            if recent == 1 { "was" } else { "were" },
        ),
        evidence,
        advice: format!(
            "Send an answer on {wherever}{answer}: look for an `if` or `match` with a branch that does not, a `?`, an early \
             return, a panic."
        )
        .into(),
        culprit: by.map(|by| Culprit::who_did("last dropped by", &by)),
        open: Spot::of(dropped, LocationRole::Dropped),
        count: Count::Total(oneshots.unsent_awaited),
        hurt: recent,
        ..Candidate::enter(subject, &group, severity(site))
    }
}

fn unreceived(cx: &Cx, oneshots: &Oneshots, site: &Site) -> Option<Candidate> {
    let model = cx.model;
    let subject = subject(site, &site.location);
    let group = site.location.clone();
    let (lost, made) = (oneshots.unreceived_s.recent_sum(WINDOW), oneshots.made_s.recent_sum(WINDOW));
    let share = if made > 0.0 { (lost / made).min(1.0) } else { 0.0 };
    let often = seconds(&oneshots.unreceived_s) >= cx.count(&SECONDS).max(3) && lost >= 10.0;
    if !often || share <= cx.share(&SHARE) {
        return None;
    }
    let sent = words::place(model, oneshots.last_unreceived_site);
    let at = if sent.is_empty() { String::new() } else { format!(" (last at {})", text::file_line(sent)) };
    let evidence = vec![
        Evidence::share("unreceived_share", share).over(cx.limit_text(&SHARE)),
        Evidence::count("unreceived", oneshots.unreceived),
        Evidence::count("made", oneshots.made),
        Evidence::words("sent_location", sent),
        Evidence::words("created_location", site.location.as_str()),
    ];
    Some(Candidate {
        message: format!(
            "{} of the answers of oneshot `{}` are sent{at} when the receiver is gone: nobody takes them",
            text::percent(share),
            subject.name
        ),
        evidence,
        advice: "Whoever asked has given up: stop the work when the sender's closed() resolves, or give it a longer timeout."
            .into(),
        count: Count::Total(oneshots.unreceived),
        hurt: lost as u64,
        ..Candidate::enter(subject, &group, severity(site))
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn asked(name: &str) -> (Judged, SiteId) {
        let mut judged = Judged::new();
        let site = judged.target.channel_site("src/ask.rs:12:30", name);
        judged.target.oneshots(site, |oneshots| oneshots.made = 100);
        judged.settle();
        (judged, site)
    }

    #[test]
    fn answers_that_do_not_come_are_found_when_it_happens_again() {
        let (mut judged, site) = asked("shop::Answer");
        judged.every(ms(3500), |target| {
            let now = target.now;
            target.oneshots(site, |oneshots| {
                oneshots.made += 3;
                oneshots.unsent += 1;
                oneshots.unsent_awaited += 1;
                oneshots.last_unsent_at = Some(now);
            });
        });
        let finding = judged.only("oneshot-abandoned");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/ask.rs:12:30"));
        assert!(
            finding.message.ends_with(
                " senders of oneshot `Answer` were dropped without sending in 10 s: whoever awaited the answer got a RecvError"
            ),
            "{}",
            finding.message
        );
        let share = evidence(&finding, "unanswered_share").value.as_f64().expect("a share");
        assert!((0.3..0.37).contains(&share), "{share}");
        judged.run(ms(12_000));
        judged.expect_nothing();
    }

    #[test]
    fn the_line_where_a_sender_was_dropped_is_the_one_to_look_at() {
        let (mut judged, site) = asked("shop::Answer");
        judged.target.seen(Seen::Unsent, site, "src/store.rs:61:5", StackCause::Unknown);
        judged.every(ms(3500), |target| {
            target.oneshots(site, |o| (o.made, o.unsent) = (o.made + 1, o.unsent + 1));
            target.oneshots(site, |o| o.unsent_awaited = o.unsent);
        });
        let finding = judged.only("oneshot-abandoned");
        assert!(
            finding.message.contains("dropped without sending in 10 s, seen at store.rs:61: "),
            "{}",
            finding.message
        );
        assert!(finding.advice.starts_with("Send an answer on every path to store.rs:61, "), "{}", finding.advice);
        assert_eq!(evidence(&finding, "dropped_location").text, "src/store.rs:61:5");
    }

    #[test]
    fn where_other_senders_are_dropped_that_nobody_waits_for_the_line_may_be_of_those() {
        let (mut judged, site) = asked("shop::Answer");
        judged.target.seen(Seen::Unsent, site, "src/cache.rs:9:5", StackCause::Unknown);
        judged.every(ms(3500), |target| {
            target.oneshots(site, |o| {
                (o.made, o.unsent, o.unsent_awaited) = (o.made + 4, o.unsent + 3, o.unsent_awaited + 1);
            });
        });
        let finding = judged.only("oneshot-abandoned");
        assert!(!finding.message.contains("cache.rs") && !finding.advice.contains("cache.rs"), "{finding:?}");
        assert_eq!(finding.open, None);
    }

    #[test]
    fn answers_to_nobody_are_found_when_they_are_most() {
        for (lost, found) in [(8, true), (3, false)] {
            let (mut judged, site) = asked("shop::Answer");
            judged.every(ms(5000), |target| {
                target.oneshots(site, |oneshots| {
                    oneshots.made += 10;
                    oneshots.unreceived += lost;
                });
            });
            assert_eq!(!judged.active().is_empty(), found, "{lost} of 10");
        }
    }

    #[test]
    fn where_it_is_not_told_what_they_carry_it_is_worth_a_word() {
        let (mut judged, site) = asked("oneshot");
        judged.every(ms(3500), |target| {
            target.oneshots(site, |o| (o.made, o.unsent_awaited) = (o.made + 1, o.unsent_awaited + 1));
        });
        let finding = judged.only("oneshot-abandoned");
        assert_eq!(finding.severity, Severity::Info);
        assert!(finding.message.contains("oneshot `ask.rs:12`"), "{}", finding.message);
    }

    #[test]
    fn a_shutdown_that_drops_them_all_at_once_is_nothing() {
        let (mut judged, site) = asked("shop::Answer");
        judged.target.oneshots(site, |oneshots| (oneshots.unsent, oneshots.unsent_awaited) = (50, 50));
        judged.run(ms(5000));
        judged.expect_nothing();
    }

    #[test]
    fn senders_that_carry_nothing_are_dropped_as_a_signal() {
        let (mut judged, site) = asked("()");
        judged.every(ms(5000), |target| {
            target.oneshots(site, |o| (o.made, o.unsent_awaited) = (o.made + 1, o.unsent_awaited + 1));
        });
        judged.expect_nothing();
    }
}
