//! An unbounded channel that fills up.
use std::time::Duration;

use super::culprit::Culprit;
use super::receiver::receiver;
use super::rule::{Candidate, Cx, Rule, Threshold};
use super::{Confidence, Evidence, Severity, words};
use crate::model::Channel;
use crate::text;

const DEPTH: Threshold = Threshold::count("depth", 1000, "a channel with fewer messages than this is not growing");
const SECONDS: Threshold = Threshold::count("seconds", 10, "so many seconds of growth are needed");
const FAST: Threshold =
    Threshold::count("fast-seconds", 4, "so many, all of them, if less than half of what is sent is received");
const LIMIT: Threshold =
    Threshold::count("limit", 100_000, "more messages than this, and no fewer from second to second");
const CRIT: Threshold = Threshold::count("crit", 1_000_000, "more than this, and no fewer from second to second: crit");

pub(super) const RULE: Rule = Rule {
    id: "channel-growing",
    severity: Severity::Crit,
    summary: "an unbounded channel fills up without end",
    explain: EXPLAIN,
    thresholds: &[DEPTH, SECONDS, FAST, LIMIT, CRIT],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(2),
    subsumed_by: &["blocked-worker", "sync-lock-in-async", "block-on-in-async", "receiver-stalled", "deadlock"],
    evaluate,
};

const EXPLAIN: &str = "\
More goes into an unbounded channel than comes out, second after second.

Why it hurts
  Nothing tells the senders to slow down. Messages pile up in memory until the process is killed, and every message is
  older when it is handled than the one before: long before memory ends, the answers come too late to be of use.

WRONG
  let (tx, mut rx) = mpsc::unbounded_channel();
  tx.send(event)?;                                  // always goes in, however far behind the receiver is

RIGHT
  let (tx, mut rx) = mpsc::channel(1024);
  tx.send(event).await?;                            // waits while the receiver is behind
  // or, where losing one is better than waiting
  if tx.try_send(event).is_err() { dropped.fetch_add(1, Relaxed); }

Thresholds
  depth        = 1000    a channel with fewer messages than this is not growing
  seconds      = 10      so many seconds of growth are needed
  fast-seconds = 4       so many, all of them, if less than half of what is sent is received
  limit        = 100k    more messages than this, and no fewer from second to second
  crit         = 1.00M   more than this, and no fewer from second to second: crit

A burst that is being drained is nothing.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let channels = cx.model.channels.values();
    let low = cx.count(&DEPTH) / 2;
    out.extend(channels.filter(|c| c.capacity.is_none() && !c.closed && c.depth() > low).filter_map(|c| judge(cx, c)));
}

/// How depth went from second to second.
struct Growth {
    /// Points, oldest first.
    depth: Vec<f64>,
}

impl Growth {
    fn of(channel: &Channel) -> Self {
        Self { depth: channel.depth_s.points().collect() }
    }

    /// The change over the last `n` seconds; `None` while fewer are known.
    fn over(&self, n: usize) -> Option<f64> {
        let last = self.depth.last()?;
        let first = self.depth.len().checked_sub(n + 1)?;
        Some(last - self.depth[first])
    }

    /// In how many of the last `n` seconds it rose.
    fn rises(&self, n: usize) -> usize {
        self.depth.windows(2).rev().take(n).filter(|pair| pair[1] > pair[0]).count()
    }

    /// Whether each of the last `n` seconds brought its share. A burst that lasts a second less begins and ends within
    /// seconds of which it fills a part only, the lesser part no more than half.
    fn is_even(&self, n: usize) -> bool {
        let least = self.depth.windows(2).rev().take(n).map(|pair| pair[1] - pair[0]).fold(f64::INFINITY, f64::min);
        self.over(n).is_some_and(|rise| least > 0.0 && least * n as f64 > rise * 0.75)
    }
}

fn judge(cx: &Cx, channel: &Channel) -> Option<Candidate> {
    let model = cx.model;
    let depth = channel.depth();
    let growth = Growth::of(channel);
    let subject = words::channel_subject(model, channel);
    let group = subject.location.clone();

    let seconds = cx.count(&SECONDS).clamp(2, 59) as usize;
    let fast = cx.count(&FAST).clamp(2, 59) as usize;
    let (sent, received) = (channel.sent_s.recent_mean(fast), channel.received_s.recent_mean(fast));
    let deep = depth > cx.count(&DEPTH);
    let rises_now = growth.rises(2) > 0 && growth.over(2).is_some_and(|rise| rise > 0.0);
    // A tenth of it in ten seconds: less is the ebb and flow of a long queue.
    let steadily = growth.over(seconds).is_some_and(|rise| rise > (depth as f64 / 10.0).max(50.0))
        && growth.rises(seconds) * 10 >= seconds * 8
        && rises_now;
    let quickly = growth.over(fast).is_some_and(|rise| rise > depth as f64 / 4.0)
        && growth.is_even(fast)
        && received * 2.0 < sent;
    let falls = growth.over(2).is_none_or(|change| change < 0.0);
    let (over, far_over) = (depth > cx.count(&LIMIT) && !falls, depth > cx.count(&CRIT) && !falls);
    if !over && !(deep && (steadily || quickly)) {
        return rises_now.then(|| Candidate::stay(subject, &group));
    }

    let known = growth.depth.len().saturating_sub(1).clamp(1, fast);
    let slope = growth.over(known).unwrap_or_default() / known as f64;
    let taking = receiver(model, channel);
    let (name, holds, stuck) = (&subject.name, text::count(depth), &taking.stuck);
    // What people put beside each other is of the same seconds.
    let rise = if sent > received { sent - received } else { slope };
    let message = match (slope > 0.0, stuck.is_empty()) {
        (true, true) => {
            let (rise, out, into) = (text::rate(rise), text::rate(received), text::rate(sent));
            format!(
                "the receiver of unbounded channel `{name}` takes {out} of the {into} sent: the channel grows by {rise} and \
                 holds {holds} messages"
            )
        }
        (true, false) => {
            let rise = text::rate(rise);
            format!("unbounded channel `{name}` holds {holds} messages and grows by {rise}: {stuck}")
        }
        (false, true) => format!("unbounded channel `{name}` holds {holds} messages that nobody takes out"),
        (false, false) => format!("unbounded channel `{name}` holds {holds} messages that nobody takes out: {stuck}"),
    };
    let mut evidence = vec![Evidence::count("depth", depth).over(cx.limit_text(if over { &LIMIT } else { &DEPTH }))];
    if let Some(behind) = (received > 0.0).then(|| Duration::try_from_secs_f64(depth as f64 / received).ok()).flatten()
    {
        // What is sent now waits until all before it are received.
        evidence.push(Evidence::span("message_delay_ns", behind));
    }
    evidence.extend(taking.evidence);
    evidence.push(Evidence::rate("growth_per_s", rise.max(0.0)).over("0/s"));
    evidence.push(Evidence::rate("sent_per_s", sent));
    evidence.push(Evidence::rate("received_per_s", received));
    evidence.push(Evidence::count("senders", channel.senders.into()).aside());
    let sending = words::place(model, channel.send_site);
    if !sending.is_empty() {
        evidence.push(Evidence::words("sender_location", sending));
    }
    let at = words::at(&subject.location);
    let slow = if taking.kept_at.is_empty() {
        format!(" {}", taking.advice)
    } else {
        format!(" What keeps the receiver is the wait at {}.", text::file_line(&taking.kept_at))
    };
    let mut candidate = Candidate {
        message,
        evidence,
        passing: true,
        advice: format!("Bound it{at} (mpsc::channel(n)), so that senders wait instead of memory growing.{slow}")
            .into(),
        culprit: taking.task.and_then(|task| Culprit::of("receiver", task)),
        confidence: if over || steadily { Confidence::Certain } else { Confidence::Likely },
        hurt: depth,
        ..Candidate::enter(subject, &group, if far_over { Severity::Crit } else { Severity::Warn })
    };
    candidate.causes.extend(Some(taking.spawned_at).filter(|place| !place.is_empty()));
    Some(candidate)
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn quiet() -> (Judged, ChannelId) {
        let mut judged = Judged::new();
        let made = judged.target.channel_site("src/events.rs:5:20", "shop::Event");
        let channel = judged.target.channel(made, None);
        judged.settle();
        (judged, channel)
    }

    /// In a tenth of a second.
    fn flow(target: &mut Fixture, channel: ChannelId, sent: u64, received: u64) {
        let now = target.now;
        target.channel_state(channel, |channel| {
            channel.sent += sent;
            channel.received = (channel.received + received).min(channel.sent);
            channel.last_send_at = Some(now);
            if received > 0 {
                channel.last_recv_at = Some(now);
            }
        });
    }

    #[test]
    fn a_channel_that_fills_up_fast_is_found_within_five_seconds() {
        let (mut judged, channel) = quiet();
        judged.run(ms(2300));
        judged.every(ms(3000), |target| flow(target, channel, 500, 50));
        judged.expect_nothing();
        judged.every(ms(2000), |target| flow(target, channel, 500, 50));
        let finding = judged.only("channel-growing");
        assert_eq!((finding.severity, finding.confidence), (Severity::Warn, Confidence::Likely));
        assert_eq!(finding.subject.kind, SubjectKind::Channel(channel));
        assert_eq!(finding.subject.location, "src/events.rs:5:20");
        let message = "the receiver of unbounded channel `Event` takes 500/s of the 5000/s sent: the channel grows by 4500/s and holds \
             22.5k messages";
        assert_eq!(finding.message, message);
        assert!(finding.advice.starts_with("Bound it at events.rs:5 (mpsc::channel(n))"));
    }

    #[test]
    fn a_slow_rise_is_found_when_it_has_lasted() {
        let (mut judged, channel) = quiet();
        judged.every(ms(9000), |target| flow(target, channel, 100, 80));
        judged.expect_nothing();
        judged.every(ms(3000), |target| flow(target, channel, 100, 80));
        assert_eq!(judged.only("channel-growing").confidence, Confidence::Certain);
    }

    #[test]
    fn a_burst_that_is_drained_is_nothing() {
        let (mut judged, channel) = quiet();
        for _ in 0..4 {
            judged.every(ms(3000), |target| flow(target, channel, 2000, 400));
            judged.expect_nothing();
            judged.every(ms(14_000), |target| {
                flow(target, channel, 0, 400);
            });
            judged.expect_nothing();
        }
    }

    #[test]
    fn a_huge_burst_alarms_only_while_nobody_drains_it() {
        let (mut judged, channel) = quiet();
        flow(&mut judged.target, channel, 200_000, 0);
        judged.every(ms(10_000), |target| flow(target, channel, 0, 900));
        judged.expect_nothing();
        judged.run(ms(3000));
        let finding = judged.only("channel-growing");
        assert_eq!(finding.severity, Severity::Warn);
        assert!(
            finding.message.starts_with("unbounded channel `Event` holds 110k messages that nobody takes"),
            "{}",
            finding.message
        );
    }

    #[test]
    fn a_million_messages_are_critical() {
        let (mut judged, channel) = quiet();
        judged.every(ms(6000), |target| flow(target, channel, 20_000, 10));
        assert_eq!(judged.only("channel-growing").severity, Severity::Crit);
    }

    #[test]
    fn it_clears_when_the_growth_ends() {
        let (mut judged, channel) = quiet();
        judged.every(ms(6000), |target| flow(target, channel, 500, 50));
        judged.only("channel-growing");
        judged.every(ms(5000), |target| flow(target, channel, 0, 50));
        judged.expect_nothing();
    }

    #[test]
    fn a_long_queue_that_ebbs_and_flows_is_nothing() {
        let (mut judged, channel) = quiet();
        flow(&mut judged.target, channel, 20_000, 0);
        let mut second = 0;
        for _ in 0..60 {
            second += 1;
            let sent = if second % 2 == 0 { 200 } else { 100 };
            judged.every(ms(1000), |target| flow(target, channel, sent, 150));
            judged.expect_nothing();
        }
    }
}
