//! A watch whose values nobody looks at.
use std::time::Duration;

use super::culprit::{Culprit, who_did};
use super::rule::{Candidate, Cx, Rule, Threshold};
use super::{Evidence, LocationRole, Severity, Spot, words};
use crate::model::{Channel, ChannelKind, Disposal, TaskKind};
use crate::text;

const UNSEEN: Threshold =
    Threshold::millis("unseen", 60_000, "values are sent, and no receiver has looked for so long");
const LATELY: Threshold =
    Threshold::millis("lately", 10_000, "or a value was sent within this time, and every receiver is gone");

pub(super) const RULE: Rule = Rule {
    id: "watch-unobserved",
    severity: Severity::Info,
    summary: "values are sent to a watch that nobody looks at",
    explain: EXPLAIN,
    thresholds: &[UNSEEN, LATELY],
    enter_after: Duration::from_millis(500),
    leave_after: Duration::from_secs(1),
    subsumed_by: &["blocked-worker", "deadlock"],
    evaluate,
};

const EXPLAIN: &str = "\
A `watch` channel is sent new values, and its receivers are gone, or have not looked for a long time.

Why it hurts
  It costs little, but what was meant to react does not: a configuration is reloaded and nobody takes it, a shutdown is
  signalled to a task that has ended. `send` even fails once no receiver is left, and its result is easily ignored.

WRONG
  let (config, receiver) = watch::channel(load()?);
  let current = receiver.borrow().clone();          // once; then `receiver` is dropped
  loop { reload.tick().await; let _ = config.send(load()?); }

RIGHT
  let mut receiver = config.subscribe();
  loop {
      select! {
          _ = receiver.changed() => apply(&receiver.borrow_and_update()),
          request = requests.recv() => handle(request).await,
      }
  }

Thresholds
  unseen = 1m 00s   values are sent, and no receiver has looked for so long
  lately = 10.0 s   or a value was sent within this time, and every receiver is gone
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let watches = cx.model.channels.values().filter(|channel| channel.kind == ChannelKind::Watch);
    out.extend(watches.filter_map(|channel| judge(cx, channel)));
}

fn judge(cx: &Cx, channel: &Channel) -> Option<Candidate> {
    let model = cx.model;
    let sent_ago = channel.last_send_at.map(|at| model.now.since(at));
    let lately = |span| sent_ago.is_some_and(|ago| ago < span);
    // Sent again and again since, not once before they went.
    let goes_on = channel.sent_s.points().rev().take(5).filter(|&n| n > 0.0).count() > 1;
    let alone = channel.receivers == 0 && (channel.unheard > 0 || goes_on) && lately(cx.span(&LATELY));
    let looked_ago = channel.last_recv_at.map(|at| model.lasted(at));
    let unseen = channel.receivers > 0
        && channel.unseen() > 1
        && looked_ago.is_some_and(|ago| ago > cx.span(&UNSEEN))
        && lately(cx.span(&UNSEEN));
    if !alone && !unseen {
        return None;
    }
    let subject = words::channel_subject(model, channel);
    let group = subject.location.clone();
    let sender = words::place(model, channel.send_site);
    let from = if sender.is_empty() { String::new() } else { format!(" at {}", text::file_line(sender)) };
    let values = channel.unheard.max(channel.unseen());
    let (sent, were) = (text::counted(values, "value"), if values == 1 { "was" } else { "were" });
    let looked = words::place(model, channel.recv_site);
    let dropper = channel.disposal.and_then(|by| who_did(model, &by));
    let message = match looked_ago.filter(|_| !alone) {
        None => {
            let gone = match (&dropper, channel.disposal) {
                (Some(name), Some(by)) => {
                    format!(" since {name} dropped the last one {} ago", text::duration(model.lasted(by.at)))
                }
                (None, Some(by)) => format!(" for {}", text::duration(model.lasted(by.at))),
                (_, None) => String::new(),
            };
            format!("watch channel `{}` has no receiver{gone}; {sent} {were} sent{from} to nobody", subject.name)
        }
        Some(ago) => format!(
            "nobody has looked at watch channel `{}` for {}, and {sent} {were} sent{from} meanwhile",
            subject.name,
            text::duration(ago)
        ),
    };
    let mut evidence = Vec::new();
    if channel.unheard > 0 {
        evidence.push(Evidence::count("unheard", channel.unheard));
    }
    if channel.unseen() != channel.unheard {
        evidence.push(Evidence::count("unseen_values", channel.unseen()));
    }
    if !alone {
        evidence.push(Evidence::count("receivers", channel.receivers.into()));
    }
    evidence.push(Evidence::words("sender_location", sender));
    if model.tasks.contains_key(&channel.sender_task) {
        evidence.push(Evidence::words("sent_by", words::task(model, channel.sender_task)));
    }
    if let Some(ago) = looked_ago {
        evidence.push(Evidence::span("last_look_ago_ns", ago).aside());
        evidence.push(Evidence::words("last_look_location", looked));
    }
    let (name, read) = (&subject.name, text::file_line(looked));
    let advice = match read {
        "" if alone => {
            format!("Keep a receiver of `{name}` in the task that should react, and await its changed() there.")
        }
        "" => format!("Await changed() of the receiver of `{name}` in the task that should react."),
        read if alone => format!(
            "Keep the receiver that was last read at {read}, in the task that uses `{name}`, and await its changed() there in \
             a loop."
        ),
        read => format!("Come back to the receiver, which was last read at {read}: await its changed() in a loop."),
    };
    // Who it was stands in the sentence; of a task of its own it is told where it was spawned.
    let root = |by: &Disposal| model.tasks.get(&by.by).is_some_and(|task| task.kind == TaskKind::Root);
    Some(Candidate {
        message,
        evidence,
        advice: advice.into(),
        open: Spot::of(looked, LocationRole::Read),
        culprit: channel.disposal.filter(|by| alone && !root(by)).map(|by| Culprit::who_did("dropped by", &by)),
        hurt: channel.unheard.max(channel.unseen()),
        ..Candidate::enter(subject, &group, Severity::Info)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn watch() -> (Judged, ChannelId) {
        let mut judged = Judged::new();
        let made = judged.target.channel_site("src/config.rs:5:20", "shop::Config");
        let channel = judged.target.channel_of(ChannelKind::Watch, made, None);
        judged.settle();
        (judged, channel)
    }

    fn send(target: &mut Fixture, channel: ChannelId, unheard: u64) {
        let now = target.now;
        target.channel_state(channel, |channel| {
            channel.sent += 1;
            channel.unheard += unheard;
            channel.last_send_at = Some(now);
        });
    }

    #[test]
    fn a_watch_whose_receivers_are_gone_is_worth_a_word() {
        let (mut judged, channel) = watch();
        judged.target.channel_state(channel, |channel| channel.receivers = 0);
        judged.every(ms(2000), |target| send(target, channel, 1));
        let finding = judged.only("watch-unobserved");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Info, "src/config.rs:5:20"));
        assert_eq!(finding.message, "watch channel `Config` has no receiver; 20 values were sent to nobody");
        judged.run(ms(12_000));
        judged.expect_nothing();
    }

    #[test]
    fn who_dropped_the_last_receiver_is_named_and_when() {
        let (mut judged, channel) = watch();
        let starts = judged.target.spawn_site("src/main.rs:8:5", "shop::start::{{closure}}", OutputKind::Unit);
        let looked = judged.target.call_site("src/config.rs:9:25");
        let (at, by) = (judged.target.now, judged.target.task(starts));
        judged.target.channel_state(channel, |channel| {
            (channel.receivers, channel.recv_site, channel.last_recv_at) = (0, looked, Some(at));
        });
        judged.target.disposal(Disposed::Receivers(channel), Disposal { at, by, spawned: starts, site: SiteId(0) });
        judged.every(ms(2000), |target| send(target, channel, 1));
        let finding = judged.only("watch-unobserved");
        assert_eq!(
            finding.message,
            "watch channel `Config` has no receiver since `start` dropped the last one 2.00 s ago; 20 values were sent to \
             nobody"
        );
        assert!(finding.who().unwrap().ends_with(" start 2.00 s ago (spawned at main.rs:8)"), "{:?}", finding.who());
        assert!(finding.advice.contains("the receiver that was last read at config.rs:9,"), "{}", finding.advice);
        // There is one again.
        judged.target.channel_state(channel, |channel| channel.receivers = 1);
        judged.run(ms(100));
        assert_eq!(judged.target.model.channels[&channel].disposal, None);
    }

    #[test]
    fn a_receiver_that_has_not_looked_for_a_minute_is_worth_a_word() {
        let (mut judged, channel) = watch();
        let now = judged.target.now;
        judged.target.channel_state(channel, |channel| channel.last_recv_at = Some(now));
        judged.every(ms(59_000), |target| send(target, channel, 0));
        judged.expect_nothing();
        judged.every(ms(3000), |target| send(target, channel, 0));
        judged.only("watch-unobserved");
    }

    #[test]
    fn a_watch_that_is_looked_at_is_nothing() {
        let (mut judged, channel) = watch();
        judged.every(ms(70_000), |target| {
            send(target, channel, 0);
            let now = target.now;
            target
                .channel_state(channel, |channel| (channel.received, channel.last_recv_at) = (channel.sent, Some(now)));
        });
        judged.expect_nothing();
    }
}
