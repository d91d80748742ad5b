//! Receivers of a broadcast that lose messages.
use std::time::Duration;

use super::culprit::Culprit;
use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::{Evidence, LocationRole, Severity, Spot, words};
use crate::model::{Channel, ChannelKind, WaitFor};
use crate::text;

const LATELY: Threshold = Threshold::millis("lately", 10_000, "a receiver has lost messages within this time");

pub(super) const RULE: Rule = Rule {
    id: "broadcast-lagging",
    severity: Severity::Warn,
    summary: "receivers of a broadcast are too slow and lose messages",
    explain: EXPLAIN,
    thresholds: &[LATELY],
    enter_after: Duration::ZERO,
    leave_after: Duration::ZERO,
    subsumed_by: &["blocked-worker", "sync-lock-in-async", "block-on-in-async", "deadlock", "lock-hog"],
    evaluate,
};

const EXPLAIN: &str = "\
A receiver of a broadcast channel was so far behind that messages it had not seen yet were overwritten: its `recv`
returned `Lagged`.

Why it hurts
  A broadcast never waits. It keeps as many messages as its capacity, and what the slowest receiver has not taken by
  then is gone for it: an event that was never handled, a chat line that was never shown.

WRONG
  let (events, _) = broadcast::channel(16);
  while let Ok(event) = receiver.recv().await {     // ends at the first Lagged, in silence
      write_to_disk(event).await;                   // slower than events come
  }

RIGHT
  loop {
      match receiver.recv().await {
          Ok(event) => queue.send(event).await?,    // take it at once, do the slow part elsewhere
          Err(RecvError::Lagged(n)) => warn!(n, \"events lost\"),
          Err(RecvError::Closed) => break,
      }
  }

  // all must be handled: an mpsc for each receiver, which makes the sender wait
  // only the newest counts: watch

Thresholds
  lately = 10.0 s   a receiver has lost messages within this time
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let channels = cx.model.channels.values().filter(|channel| channel.kind == ChannelKind::Broadcast);
    out.extend(channels.filter(|channel| channel.lagged > 0).filter_map(|channel| judge(cx, channel)));
}

fn judge(cx: &Cx, channel: &Channel) -> Option<Candidate> {
    let model = cx.model;
    let ago = model.now.since(channel.last_lag_at?);
    if ago >= cx.span(&LATELY) {
        return None;
    }
    let subject = words::channel_subject(model, channel);
    let group = subject.location.clone();
    let place = words::place(model, channel.last_lag_site);
    let at = words::at(place);
    let lost = text::counted(channel.messages_lost, "message");
    let name = &subject.name;
    let slowest = words::task_name(model, channel.last_lag_task);
    let message = match (channel.receivers, slowest.as_str()) {
        (1, "") => format!("the receiver{at} is too slow for broadcast channel `{name}` and has lost {lost}"),
        (1, slow) => format!("`{slow}`{at} is too slow for broadcast channel `{name}` and has lost {lost}"),
        (_, "") => format!("receivers too slow for broadcast channel `{name}` have lost {lost}, the latest{at}"),
        (_, slow) => {
            format!("receivers too slow for broadcast channel `{name}` have lost {lost}, the latest `{slow}`{at}")
        }
    };
    // Where it is met waiting for anything else than a message.
    let slow = model
        .tasks
        .get(&channel.last_lag_task)
        .filter(|task| !task.waits.is_empty() && !task.waits.iter().any(|wait| wait.on == WaitFor::Recv(channel.id)));
    let slow = slow.map_or_else(String::new, |task| words::waits_at(model, task.id));
    let mut evidence = vec![
        Evidence::count("messages_lost", channel.messages_lost).over("0"),
        Evidence::count("lagged", channel.lagged).aside(),
        Evidence::count("capacity", channel.capacity.unwrap_or_default()),
        Evidence::count("receivers", channel.receivers.into()).aside(),
        Evidence::rate("sent_per_s", channel.sent_s.recent_mean(5)),
        Evidence::span("last_lag_ago_ns", ago).aside(),
    ];
    if !place.is_empty() {
        evidence.push(Evidence::words("receiver_location", place));
    }
    if channel.last_lag_task.0 != 0 {
        evidence.push(Evidence::task("receiver_task", channel.last_lag_task));
    }
    let mut candidate = Candidate {
        message,
        evidence,
        open: Spot::of(place, LocationRole::Received),
        advice: format!(
            "In the loop{at}, only receive: collect what has come (recv, then try_recv until it is empty) and do the slow \
             work{slow} once for all of it."
        )
        .into(),
        passing: true,
        count: Count::Total(channel.lagged),
        hurt: channel.messages_lost,
        culprit: Culprit::of("slow receiver", channel.last_lag_task),
        ..Candidate::enter(subject, &group, Severity::Warn)
    };
    let spawned = words::spawn_place(model, channel.last_lag_task);
    candidate.causes.extend((!spawned.is_empty()).then(|| spawned.to_owned()));
    Some(candidate)
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    #[test]
    fn a_receiver_that_loses_messages_is_named_with_its_line() {
        let mut judged = Judged::new();
        let made = judged.target.channel_site("src/events.rs:5:20", "shop::Event");
        let channel = judged.target.channel_of(ChannelKind::Broadcast, made, Some(16));
        let site = judged.target.call_site("src/audit.rs:30:40");
        judged.settle();
        let now = judged.target.now;
        judged.target.channel_state(channel, |channel| {
            channel.receivers = 4;
            (channel.lagged, channel.messages_lost, channel.last_lag_at, channel.last_lag_site) =
                (3, 48, Some(now), site);
        });
        judged.run(ms(300));
        let finding = judged.only("broadcast-lagging");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/events.rs:5:20"));
        assert_eq!(
            finding.message,
            "receivers too slow for broadcast channel `Event` have lost 48 messages, the latest at audit.rs:30"
        );
        judged.run(ms(10_000));
        judged.expect_nothing();
    }

    #[test]
    fn receivers_that_keep_up_are_nothing() {
        let mut judged = Judged::new();
        let made = judged.target.channel_site("src/events.rs:5:20", "shop::Event");
        let channel = judged.target.channel_of(ChannelKind::Broadcast, made, Some(16));
        judged.every(ms(20_000), |target| {
            target.channel_state(channel, |channel| {
                channel.received = channel.sent;
                channel.sent += 15;
            });
        });
        judged.expect_nothing();
    }
}
