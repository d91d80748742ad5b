//! A bounded channel that is full.
use std::time::Duration;

use super::culprit::Culprit;
use super::receiver::{ELSEWHERE, receiver};
use super::rule::{Candidate, Cx, Rule, Threshold};
use super::saturation::own;
use super::{Confidence, Evidence, LocationRole, Severity, Spot, reserved, wait_graph, words};
use crate::model::{Channel, TaskState, WaitFor};
use crate::text;

const LASTING: Threshold = Threshold::millis("lasting", 1000, "full with senders waiting for longer than this");
const SHARE: Threshold = Threshold::share("share", 0.5, "or for more than this share of the last 4 s");
const RESERVED: Threshold =
    Threshold::millis("reserved", 3000, "a sender has waited for so long while the channel was empty");
const WAIT: Threshold =
    Threshold::millis("wait", 5, "senders that get room sooner than this are slowed down as a bound is meant to: info");

/// Seconds over which the share is taken, and the receive rate.
const WINDOW: usize = 4;

pub(super) const RULE: Rule = Rule {
    id: "channel-saturated",
    severity: Severity::Warn,
    summary: "a bounded channel is full and its senders wait",
    explain: EXPLAIN,
    thresholds: &[LASTING, SHARE, WAIT, RESERVED],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(1),
    subsumed_by: &[
        "deadlock",
        "self-deadlock",
        "sync-lock-in-async",
        "block-on-in-async",
        "blocked-worker",
        "receiver-stalled",
        "lock-hog",
        "lock-held-across-await",
    ],
    evaluate,
};

const EXPLAIN: &str = "\
A bounded channel has been full for a while, and tasks that send wait for room.

Why it hurts
  The bound does its work: it slows the senders down to the pace of the receiver. But whoever waits in `send` does
  nothing else meanwhile, holds what it holds, and passes the delay on to its own callers. If the receiver is
  not merely slow but waits for one of the senders, nothing moves ever again.

WRONG
  while let Some(job) = jobs.recv().await {
      upload(job).await;                            // 200 ms each, one at a time; ten come in every second
  }

RIGHT
  while let Some(job) = jobs.recv().await {
      let permit = limit.clone().acquire_owned().await?;
      uploads.spawn(async move { upload(job).await; drop(permit) });
  }

  // and where a message may be lost rather than late
  if let Err(TrySendError::Full(job)) = jobs.try_send(job) {
      discard(job);
  }

Thresholds
  lasting  = 1.00 s    full with senders waiting for longer than this
  share    = 50 %      or for more than this share of the last 4 s
  wait     = 5.00 ms   senders that get room sooner than this are slowed down as a bound is meant to: info
  reserved = 3.00 s    a sender has waited for so long while the channel was empty

Where the channel is empty and senders wait all the same, its room is reserved by permits that are not used: of those
nothing tells who has them. It is info while all who wait only reserve room themselves, who may have nothing to send.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let channels = cx.model.channels.values();
    out.extend(
        channels
            .filter(|c| (c.sends_blocked > 0 || c.blocked_senders > 0) && !c.closed && c.receivers > 0)
            .filter_map(|c| judge(cx, c)),
    );
}

fn judge(cx: &Cx, channel: &Channel) -> Option<Candidate> {
    let model = cx.model;
    let capacity = channel.capacity?;
    // Not a receiver that is too slow, but one that never comes back: `deadlock` says that.
    if channel.receiver_task.0 != 0 && cx.is_stuck(channel.receiver_task) {
        return None;
    }
    if let Some(reserved) = reserved::judge(cx, channel, cx.span(&RESERVED)) {
        return Some(reserved);
    }
    let lasting = channel.saturated_since.map(|since| model.lasted(since)).unwrap_or_default();
    let share = channel.saturated_s.recent_sum(WINDOW) / WINDOW as f64;
    let recent = channel.saturated_s.recent_sum(2) / 2.0;

    let subject = words::channel_subject(model, channel);
    let group = subject.location.clone();
    let most = cx.share(&SHARE);
    // What a full machine adds is not the receiver's.
    let long = own(model, lasting) > cx.span(&LASTING);
    // One that has stopped asking is `receiver-stalled`, once that is sure.
    let asked = channel.last_recv_at.map_or(lasting, |at| model.lasted(at));
    if long && asked > ELSEWHERE && asked < Duration::from_secs(3) {
        return Some(Candidate::stay(subject, &group));
    }
    if !long && (share <= most || recent <= most / 2.0) {
        let near = recent > most / 2.0;
        return near.then(|| Candidate::stay(subject, &group));
    }
    // It has taken all there was: who still waits has been given room, and waits for a worker to use it. Or it waits for a
    // worker itself.
    let willing = model.tasks.get(&channel.receiver_task).is_some_and(|task| match task.state {
        TaskState::Idle => task.waits.iter().any(|wait| wait.on == WaitFor::Recv(channel.id)),
        state => state == TaskState::Scheduled,
    });
    if willing {
        return Some(Candidate::stay(subject, &group));
    }

    let (sent, received) = (channel.sent_s.recent_mean(WINDOW), channel.received_s.recent_mean(WINDOW));
    // Those who wait, by the rate at which there is room: how long the last of them will.
    let wait = match received {
        rate if rate > 0.0 => {
            Duration::try_from_secs_f64(f64::from(channel.blocked_senders) / rate).unwrap_or(Duration::MAX)
        }
        _ => lasting,
    };
    // One that was never seen with room may be of any size.
    let severity = if wait > cx.span(&WAIT) && capacity > 0 { Severity::Warn } else { Severity::Info };

    let taking = receiver(model, channel);
    let senders = match channel.blocked_senders {
        0 => "senders wait again and again".to_owned(),
        1 => "1 sender waits".to_owned(),
        n => format!("{} wait", text::counted(n.into(), "sender")),
    };
    let name = &subject.name;
    let full = match capacity {
        0 => "full".to_owned(),
        _ => format!("full ({} of {})", text::count(channel.depth().min(capacity)), text::count(capacity)),
    };
    let message = if taking.stuck.is_empty() {
        let rate = text::rate(received);
        format!("the receiver of channel `{name}` takes only {rate}: it is {full}, and {senders} for room")
    } else {
        format!("channel `{name}` is {full}, and {senders} for room: {}", taking.stuck)
    };
    let mut evidence = vec![
        // The finding lasts as long.
        Evidence::span("saturated_for_ns", lasting).over(cx.limit_text(&LASTING)).aside(),
        Evidence::span("send_wait_ns", wait).over(cx.limit_text(&WAIT)),
    ];
    // Whether it is told of at all, rather than inferred from what is inside of it.
    let seen = model.target.sees("holders");
    if !seen {
        let how = "the semaphore inside of it, which is in nothing that the target tells of";
        evidence.push(Evidence::words("inferred_from", how));
    } else if channel.receivers == 1 && received > 0.0 {
        let each = Duration::try_from_secs_f64(received.recip()).unwrap_or(Duration::MAX);
        evidence.push(Evidence::span("message_takes_ns", each));
    }
    evidence.extend(taking.evidence);
    let sending = words::place(model, channel.send_site);
    if !sending.is_empty() {
        evidence.push(Evidence::words("sender_location", sending));
    }
    if channel.sender_task.0 != 0 {
        evidence.push(Evidence::task("sender_task", channel.sender_task));
    }
    evidence.extend([
        Evidence::share("saturated_share", share).over(cx.limit_text(&SHARE)).aside(),
        Evidence::count("blocked_senders", channel.blocked_senders.into()).aside(),
        Evidence::rate("sent_per_s", sent).aside(),
        Evidence::rate("received_per_s", received).aside(),
    ]);
    if capacity > 0 {
        evidence
            .extend([Evidence::count("depth", channel.depth()).aside(), Evidence::count("capacity", capacity).aside()]);
    }
    let mut candidate = Candidate {
        message,
        evidence,
        passing: true,
        advice: taking.advice,
        culprit: taking.task.and_then(|task| Culprit::of("receiver", task)),
        // Where what helps is to be done.
        open: Spot::of(words::place(model, channel.recv_site), LocationRole::Received),
        confidence: if seen { Confidence::Certain } else { Confidence::Likely },
        onset: channel.saturated_since.filter(|_| long),
        hurt: channel.blocked_senders.into(),
        ..Candidate::enter(subject, &group, severity)
    };
    candidate.causes.extend(Some(taking.spawned_at).filter(|place| !place.is_empty()));
    candidate.behind = wait_graph::behind(model, channel.receiver_task);
    Some(candidate)
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn quiet() -> (Judged, ChannelId, TaskId) {
        let mut judged = Judged::new();
        let made = judged.target.channel_site("src/jobs.rs:9:20", "shop::Job");
        let channel = judged.target.channel(made, Some(100));
        let spawned = judged.target.spawn_site("src/jobs.rs:11:5", "shop::upload_all::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(spawned);
        let place = judged.target.call_site("src/jobs.rs:14:32");
        judged.target.channel_state(channel, |channel| {
            channel.receiver_task = task;
            channel.recv_site = place;
        });
        judged.settle();
        (judged, channel, task)
    }

    /// In a tenth of a second: `received` go out, and the channel fills up again, with senders waiting.
    fn full(target: &mut Fixture, channel: ChannelId, received: u64, blocked: u32) {
        let now = target.now;
        target.channel_state(channel, |channel| {
            channel.received += received;
            channel.sent = channel.received + 100;
            channel.blocked_senders = blocked;
            channel.sends_blocked += received;
            channel.last_send_at = Some(now);
            if received > 0 {
                channel.last_recv_at = Some(now);
            }
        });
    }

    #[test]
    fn a_full_channel_with_a_slow_receiver_is_a_warning_at_the_line_that_made_it() {
        let (mut judged, channel, _) = quiet();
        judged.every(ms(1000), |target| full(target, channel, 1, 12));
        judged.expect_nothing();
        judged.every(ms(3000), |target| full(target, channel, 1, 12));
        let finding = judged.only("channel-saturated");
        assert_eq!(finding.severity, Severity::Warn);
        assert_eq!(finding.subject.kind, SubjectKind::Channel(channel));
        assert_eq!(finding.subject.location, "src/jobs.rs:9:20");
        assert!(
            finding.message.starts_with("the receiver of channel `Job` takes only ")
                && finding.message.ends_with(": it is full (100 of 100), and 12 senders wait for room"),
            "{}",
            finding.message
        );
        assert_eq!(evidence(&finding, "receiver_location").value, "src/jobs.rs:14:32");
        assert_eq!(evidence(&finding, "capacity").value, 100);
        assert!(finding.advice.starts_with("In the loop at jobs.rs:14, handle several messages"), "{}", finding.advice);
        assert_eq!(finding.line(), ("src/jobs.rs:14:32", crate::lints::LocationRole::Received));
    }

    #[test]
    fn a_receiver_that_waits_elsewhere_is_said_to() {
        let (mut judged, channel, task) = quiet();
        let made = judged.target.lock_site("src/state.rs:1:1", "shop::Store");
        let lock = judged.target.lock(made);
        full(&mut judged.target, channel, 1, 1);
        judged.run(ms(200));
        let (site, since) = (SiteId(0), judged.target.now);
        judged.target.task_state(task, |task| task.waits = [Wait { on: WaitFor::Lock(lock), site, since }].into());
        judged.every(ms(3000), |target| full(target, channel, 0, 12));
        let finding = judged.only("receiver-stalled");
        assert!(finding.message.contains("its receiver has not called recv for 3."), "{}", finding.message);
        assert!(finding.who().is_some_and(|who| who.ends_with(" for Mutex Store")), "{:?}", finding.who());
        assert!(finding.advice.contains("jobs.rs:14"), "{}", finding.advice);
    }

    #[test]
    fn backpressure_that_lets_senders_on_at_once_is_no_alarm() {
        let (mut judged, channel, _) = quiet();
        judged.every(ms(10_000), |target| full(target, channel, 5000, 1));
        assert_eq!(judged.only("channel-saturated").severity, Severity::Info);
    }

    #[test]
    fn a_receiver_that_waits_for_a_message_or_a_worker_is_not_what_keeps_the_senders() {
        for state in [TaskState::Idle, TaskState::Scheduled] {
            let (mut judged, channel, task) = quiet();
            let (site, since) = (SiteId(0), judged.target.now);
            let waits = [Wait { on: WaitFor::Recv(channel), site, since }].into();
            judged.target.task_state(task, |task| {
                task.state = state;
                task.waits = if state == TaskState::Idle { waits } else { Waits::new() };
            });
            judged.every(ms(4000), |target| full(target, channel, 1, 12));
            judged.expect_no_alarm_of("channel-saturated");
        }
    }

    #[test]
    fn room_that_is_reserved_and_not_used_is_told() {
        let (mut judged, channel, receiver) = quiet();
        let (site, since) = (judged.target.call_site("src/jobs.rs:30:12"), judged.target.now);
        let spawned = judged.target.spawn_site("src/jobs.rs:29:5", "shop::submit::{{closure}}", OutputKind::Unit);
        let sender = judged.target.task(spawned);
        let wait = |on| [Wait { on, site, since }].into();
        judged.target.task_state(receiver, |task| task.waits = wait(WaitFor::Recv(channel)));
        judged.target.task_state(sender, |task| task.waits = wait(WaitFor::Send(channel)));
        judged.target.channel_state(channel, |channel| {
            (channel.blocked_senders, channel.sends_blocked, channel.blocked_with_message) = (2, 2, 1);
            (channel.sender_task, channel.send_site) = (sender, site);
        });
        judged.run(ms(2900));
        judged.expect_nothing();
        judged.run(ms(2000));
        let finding = judged.only("channel-saturated");
        assert_eq!((finding.severity, finding.confidence), (Severity::Warn, Confidence::Certain));
        assert!(
            finding.message.starts_with("channel `Job` is empty, and 2 senders wait for room, one for 4.9")
                && finding.message.ends_with(" s: its room (100) is reserved by permits that nobody uses"),
            "{}",
            finding.message
        );
        assert_eq!(finding.line().0, "src/jobs.rs:30:12");
        // Who only reserves room need not have anything to send.
        judged.target.channel_state(channel, |channel| channel.blocked_with_message = 0);
        judged.run(ms(3500));
        assert_eq!(judged.only("channel-saturated").severity, Severity::Info);
        // One that was woken has got room, and waits for a worker.
        judged.target.task_state(sender, |task| task.state = TaskState::Scheduled);
        judged.run(ms(1500));
        judged.expect_nothing();
    }

    #[test]
    fn a_queue_of_senders_that_moves_is_no_reserved_room() {
        let (mut judged, channel, receiver) = quiet();
        let (site, since) = (judged.target.call_site("src/jobs.rs:30:12"), judged.target.now);
        let sender = judged.target.task(site);
        let wait = |on| [Wait { on, site, since }].into();
        judged.target.task_state(receiver, |task| task.waits = wait(WaitFor::Recv(channel)));
        judged.target.task_state(sender, |task| task.waits = wait(WaitFor::Send(channel)));
        judged.every(ms(8000), |target| {
            target.channel_state(channel, |channel| {
                (channel.blocked_senders, channel.sender_task) = (2, sender);
                (channel.sent, channel.received) = (channel.sent + 1, channel.received + 1);
            });
        });
        judged.expect_nothing();
    }

    #[test]
    fn a_channel_that_fills_up_for_a_moment_is_nothing() {
        let (mut judged, channel, _) = quiet();
        for _ in 0..5 {
            judged.every(ms(800), |target| full(target, channel, 1, 12));
            judged.every(ms(3200), |target| {
                target.channel_state(channel, |channel| {
                    channel.received = channel.sent;
                    channel.blocked_senders = 0;
                });
            });
            judged.expect_nothing();
        }
    }

    #[test]
    fn it_clears_soon_after_there_is_room() {
        let (mut judged, channel, task) = quiet();
        judged.every(ms(8000), |target| full(target, channel, 1, 12));
        judged.only("channel-saturated");
        judged.target.channel_state(channel, |channel| channel.blocked_senders = 0);
        let (site, since) = (SiteId(0), judged.target.now);
        let waits = [Wait { on: WaitFor::Recv(channel), site, since }].into();
        judged.target.task_state(task, |task| (task.state, task.waits) = (TaskState::Idle, waits));
        judged.run(ms(4000));
        judged.expect_nothing();
    }

    #[test]
    fn what_to_do_does_not_change_with_what_the_receiver_does_at_this_very_moment() {
        let (mut judged, channel, task) = quiet();
        let line = judged.target.call_site("src/db.rs:9:9");
        let mut n = 0;
        let mut advice = std::collections::HashSet::new();
        for _ in 0..80 {
            judged.every(ms(100), |target| {
                full(target, channel, 1, 12);
                n += 1;
                let since = target.now;
                let waits = [Wait { on: WaitFor::Lock(LockId(7)), site: line, since }];
                let waits: Waits = if n % 2 == 0 { waits.into() } else { Waits::default() };
                target.task_state(task, |task| {
                    (task.state, task.state_since) =
                        (if n % 2 == 0 { TaskState::Idle } else { TaskState::Scheduled }, since);
                    task.waits = waits;
                });
            });
            advice.extend(judged.active().iter().map(|finding| finding.advice.clone()));
        }
        assert_eq!(advice.len(), 1, "{advice:?}");
    }

    #[test]
    fn a_receiver_that_blocks_its_worker_is_the_cause_and_this_its_effect() {
        let (mut judged, channel, task) = quiet();
        let worker = judged.target.worker("tokio-worker-1");
        let since = judged.target.now;
        judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
        judged.every(ms(4000), |target| full(target, channel, 0, 12));
        let finding = judged.only("blocked-worker");
        assert!(
            evidence(&finding, "effects").text.starts_with("channel-saturated: channel `Job` is full (100 of 100)")
        );
    }
}
