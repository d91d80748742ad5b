//! Messages that wait for a receiver that does not ask.
use std::time::Duration;

use super::culprit::Culprit;
use super::receiver::receiver;
use super::rule::{Candidate, Cx, Judgement, Rule, Threshold};
use super::{Confidence, Evidence, LocationRole, Severity, Spot, wait_graph, words};
use crate::model::{Channel, ChannelKind, Model, TaskId, TaskState, WaitFor};
use crate::text;

const SILENT: Threshold =
    Threshold::millis("silent", 2000, "messages wait, and the receiver has not asked for so long");
const UNSEEN: Threshold =
    Threshold::millis("unseen", 3000, "the same where nothing tells what the receiver does meanwhile");

/// Who sleeps for no longer than this comes back by itself, and takes what has gathered.
const SOON: Duration = Duration::from_secs(10);

/// Other channels that are named.
const TOLD: usize = 3;

/// A receiver that comes in turns is late only when it is later than this, in turns.
const TURNS: u32 = 3;
/// How long tasks that took turns at a receiver are taken to share it.
const SHARED: Duration = Duration::from_mins(1);

pub(super) const RULE: Rule = Rule {
    id: "receiver-stalled",
    severity: Severity::Warn,
    summary: "messages wait in a channel whose receiver has stopped asking",
    explain: EXPLAIN,
    thresholds: &[SILENT, UNSEEN],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(1),
    subsumed_by: &[
        "deadlock",
        "self-deadlock",
        "sync-lock-in-async",
        "block-on-in-async",
        "blocked-worker",
        "lock-hog",
        "lock-held-across-await",
    ],
    evaluate,
};

const EXPLAIN: &str = "\
A channel has messages in it, and its receiver has not asked for one for a while: the receiving task is busy with
something else, has ended its loop, or has forgotten the receiver.

Why it hurts
  The messages are accepted, so their senders believe that all is well. Nothing is done with them, and once the channel
  is full the senders stop too.

WRONG
  while let Some(job) = jobs.recv().await {
      upstream.send(job).await?;                    // hangs for minutes, and so does everything behind it
  }

RIGHT
  while let Some(job) = jobs.recv().await {
      match timeout(LIMIT, upstream.send(job)).await { /* give up, count, go on */ }
  }

  // or a task of its own for what may hang, so that the loop always comes back
  uploads.spawn(upstream.send(job));

Thresholds
  silent = 2.00 s   messages wait, and the receiver has not asked for so long
  unseen = 3.00 s   the same where nothing tells what the receiver does meanwhile

A receiver that was seen to come in turns, as one that empties the channel at each tick of a timer does, is given
three turns. One that sleeps, and is due within ten seconds, is given until then while the channel is less than half
full; one that sleeps for longer leaves its messages for too long. Nothing is said where it is not known what the
receiver does, where several tasks shared it within the last minute, or where it was itself the last to send, as into a
channel that is a pool. Full channels of which nobody has ever received are told of together: those who wait to send
may be each other's receivers, each of which fills the next one's channel before it comes to its first recv().
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let waiting = |c: &&Channel| {
        matches!(c.kind, ChannelKind::Mpsc | ChannelKind::MpscUnbounded)
            && c.depth() > 0
            && c.receivers > 0
            && !c.inferred
    };
    let mut never_asked = Vec::new();
    for channel in cx.model.channels.values().filter(waiting) {
        let Some(candidate) = judge(cx, channel) else { continue };
        match wait_graph::waits_for_room(cx.model, channel) {
            Some((task, _)) if channel.last_recv_at.is_none() && candidate.judgement == Judgement::Enter => {
                never_asked.push(NeverAsked { channel, task: task.id, candidate });
            }
            _ => out.push(candidate),
        }
    }
    out.extend(together(cx.model, never_asked));
}

/// A full channel whose receiver has never asked, so that nothing tells who has it.
struct NeverAsked<'a> {
    channel: &'a Channel,
    /// Who waits to send into it.
    task: TaskId,
    candidate: Candidate,
}

/// Where there are several, those who send may be each other's receivers, who never come to their first `recv`: that is one
/// thing to find out, and one finding.
fn together(model: &Model, mut all: Vec<NeverAsked>) -> Option<Candidate> {
    all.sort_by_key(|one| (one.candidate.onset, one.channel.id));
    let mut all = all.into_iter();
    let first = all.next()?;
    let others: Vec<_> = all.collect();
    let mut told = first.candidate;
    let Some(second) = others.first() else { return Some(told) };
    let in_it = |one: &NeverAsked| format!("`{}`", one.candidate.subject.name);
    let (more, any) = match others.len() {
        1 => (format!(" and {} in channel {}", text::count(second.channel.depth()), in_it(second)), "either"),
        n => (format!(" and in {}", text::counted(n as u64, "other channel")), "any of them"),
    };
    let waits = |task: TaskId| words::task(model, task);
    let messages = text::counted(first.channel.depth(), "message");
    let verb = if first.channel.depth() == 1 { "waits" } else { "wait" };
    told.message = format!(
        "{messages} {verb} in channel `{}`{more}: nobody has ever called recv on {any}, and all are full: {} waits to send \
         into the first, {} into the next",
        told.subject.name,
        waits(first.task),
        waits(second.task),
    );
    told.advice =
        "Where the tasks that send are each other's receivers, none of them ever comes to its recv(): receive while \
                   you send (a select! over reserve() and recv()), or send from a task of its own. Otherwise poll each \
                   receiver in a task of its own."
            .into();
    let line = |one: &NeverAsked| {
        let made = words::at(&one.candidate.subject.location);
        let sends = words::at(words::place(model, one.channel.send_site));
        format!("{} made{made}: {} waits to send{sends}", in_it(one), waits(one.task))
    };
    told.evidence.push(Evidence::list("never_received_either", others.iter().take(TOLD).map(line).collect()));
    told.evidence.push(Evidence::count("channels", 1 + others.len() as u64).aside());
    for other in others {
        told.hurt = told.hurt.saturating_add(other.candidate.hurt);
        told.causes.extend(other.candidate.causes);
    }
    Some(told)
}

fn judge(cx: &Cx, channel: &Channel) -> Option<Candidate> {
    let model = cx.model;
    // Messages have waited since the receiver last asked, or since the first second that ended with some in it.
    let seconds = channel.depth_s.points().rev().take_while(|&depth| depth > 0.0).count() as u64;
    let full_for = Duration::from_secs(seconds.saturating_sub(1));
    let silent = match channel.last_recv_at {
        Some(at) => model.lasted(at).min(full_for.saturating_add(Duration::from_secs(1))),
        None => full_for,
    };
    let task = model.tasks.get(&channel.receiver_task);
    let asks = task.is_some_and(|task| task.waits.iter().any(|wait| wait.on == WaitFor::Recv(channel.id)));
    let coming = task.is_some_and(|task| matches!(task.state, TaskState::Scheduled | TaskState::New));
    let receives = channel.received_s.recent_sum(2) > 0.0;
    // Who put in last is who takes out: what lies there is kept for later, as the connections of a pool are.
    let keeps = task.is_some_and(|task| task.id == channel.sender_task);
    // Of tasks that share a receiver, only the last that asked is known, and not what becomes of the others.
    let shared = channel.receiver_changed_at.is_some_and(|at| model.now.since(at) < SHARED);
    if keeps || shared || asks || coming || receives || task.is_some_and(|task| cx.is_stuck(task.id)) {
        return None;
    }
    let seen = task.is_some_and(|task| {
        task.state != TaskState::Idle
            || !task.flags.more_waits && task.waits.iter().any(|wait| !matches!(wait.on, WaitFor::Timer(_)))
    });
    let limit = if seen { &SILENT } else { &UNSEEN };
    let filling = channel.capacity.is_some_and(|capacity| channel.depth() >= capacity / 2);
    let sleeps = task.and_then(words::due_in).filter(|&due| due <= SOON && !filling).unwrap_or_default();
    let most = cx.span(limit).max(turn(channel).saturating_mul(TURNS)).max(sleeps.saturating_add(cx.span(&SILENT)));
    // What came after it last asked, it has had no chance to see; without that, it may just leave the last one.
    let sent_since = match (channel.last_send_at, channel.last_recv_at) {
        (Some(sent), Some(asked)) => sent > asked,
        _ => true,
    };
    let subject = words::channel_subject(model, channel);
    let group = subject.location.clone();
    if silent <= most || !sent_since {
        return (silent > most / 2).then(|| Candidate::stay(subject, &group));
    }

    let taking = receiver(model, channel);
    let messages = text::counted(channel.depth(), "message");
    let verb = if channel.depth() == 1 { "waits" } else { "wait" };
    let unbounded = if channel.kind == ChannelKind::MpscUnbounded { "unbounded " } else { "" };
    let message = format!("{messages} {verb} in {unbounded}channel `{}`: {}", subject.name, taking.stuck);
    // What is told is how long it has been away, the same in the sentence and beside it; what was judged may be less.
    let away = channel.last_recv_at.map_or(silent, |at| model.lasted(at));
    let mut evidence = vec![
        Evidence::span("receiver_silent_ns", away).over(text::duration(most)),
        Evidence::count("depth", channel.depth()),
    ];
    let blocked = Evidence::count("blocked_senders", channel.blocked_senders.into());
    evidence.push(if channel.blocked_senders == 0 { blocked.aside() } else { blocked });
    let sending = words::place(model, channel.send_site);
    if channel.blocked_senders > 0 && !sending.is_empty() {
        evidence.push(Evidence::words("sender_location", sending));
    }
    evidence.extend(full_in(channel).map(|left| Evidence::span("full_in_ns", left)));
    evidence.extend(channel.capacity.map(|capacity| Evidence::count("capacity", capacity)));
    evidence.extend(taking.evidence.into_iter().filter(|one| one.name != "last_receive_ago_ns"));
    let mut candidate = Candidate {
        message,
        evidence,
        open: Spot::of(&taking.kept_at, LocationRole::Waits)
            .or_else(|| Spot::of(words::place(model, channel.recv_site), LocationRole::Received)),
        passing: true,
        advice: taking.advice,
        confidence: if seen || channel.last_recv_at.is_none() { Confidence::Certain } else { Confidence::Likely },
        onset: Some(model.now.before(silent)),
        hurt: channel.depth(),
        behind: wait_graph::behind(model, channel.receiver_task),
        culprit: taking.task.and_then(|task| Culprit::of("receiver", task)),
        ..Candidate::enter(subject, &group, Severity::Warn)
    };
    candidate.causes.extend(Some(taking.spawned_at).filter(|place| !place.is_empty()));
    candidate.behind.retain(|place| *place != group);
    Some(candidate)
}

/// When a channel that nobody receives from will be full, at the rate at which it is sent to.
fn full_in(channel: &Channel) -> Option<Duration> {
    let (room, sent) = (channel.capacity?.checked_sub(channel.depth())?, channel.sent_s.recent_mean(5));
    (room > 0 && sent > 0.0).then(|| Duration::try_from_secs_f64(room as f64 / sent).ok()).flatten()
}

/// Seconds from one turn of the receiver to the next, in the last minute, if it comes in turns.
fn turn(channel: &Channel) -> Duration {
    let turns: Vec<usize> =
        channel.received_s.points().enumerate().filter(|&(_, n)| n > 0.0).map(|(second, _)| second).collect();
    let longest = turns.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
    // Every second, or twice a second, is no turn.
    if longest < 2 { Duration::ZERO } else { Duration::from_secs(longest as u64) }
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn quiet(capacity: Option<u64>) -> (Judged, ChannelId, TaskId) {
        let mut judged = Judged::new();
        let made = judged.target.channel_site("src/jobs.rs:9:20", "shop::Job");
        let channel = judged.target.channel(made, capacity);
        let spawned = judged.target.spawn_site("src/jobs.rs:11:5", "shop::upload_all::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(spawned);
        let place = judged.target.call_site("src/jobs.rs:14:32");
        judged.target.channel_state(channel, |channel| (channel.receiver_task, channel.recv_site) = (task, place));
        judged.settle();
        (judged, channel, task)
    }

    fn flow(target: &mut Fixture, channel: ChannelId, sent: u64, received: u64) {
        let now = target.now;
        target.channel_state(channel, |channel| {
            if sent > 0 {
                channel.sent += sent;
                channel.last_send_at = Some(now);
            }
            if received > 0 {
                channel.received = (channel.received + received).min(channel.sent);
                channel.last_recv_at = Some(now);
            }
        });
    }

    #[test]
    fn what_the_receiver_itself_has_put_in_is_left_alone() {
        let (mut judged, channel, task) = quiet(Some(8));
        judged.every(ms(2000), |target| flow(target, channel, 2, 1));
        judged.target.channel_state(channel, |channel| channel.sender_task = task);
        judged.run(ms(6000));
        judged.expect_no_alarm_of("receiver-stalled");
    }

    #[test]
    fn a_receiver_that_stopped_asking_is_named() {
        let (mut judged, channel, _) = quiet(Some(1000));
        judged.every(ms(2000), |target| flow(target, channel, 2, 2));
        judged.every(ms(2500), |target| flow(target, channel, 2, 0));
        judged.expect_nothing();
        judged.every(ms(1500), |target| flow(target, channel, 2, 0));
        let finding = judged.only("receiver-stalled");
        assert_eq!((finding.severity, finding.confidence), (Severity::Warn, Confidence::Likely));
        assert_eq!(finding.subject.location, "src/jobs.rs:9:20");
        assert!(
            finding.message.starts_with("80 messages wait in channel `Job`: its receiver has not called recv for 4."),
            "{}",
            finding.message
        );
        judged.every(ms(2500), |target| flow(target, channel, 2, 1000));
        judged.expect_nothing();
    }

    #[test]
    fn the_line_of_a_blocked_send_is_named() {
        let (mut judged, channel, _) = quiet(Some(4));
        let line = judged.target.call_site("src/orders.rs:7:9");
        judged.every(ms(2000), |target| flow(target, channel, 2, 2));
        judged.run(ms(100));
        flow(&mut judged.target, channel, 4, 0);
        judged.target.channel_state(channel, |channel| (channel.blocked_senders, channel.send_site) = (2, line));
        judged.run(ms(6000));
        let active = judged.active();
        let finding = active.iter().find(|finding| finding.rule == "receiver-stalled").expect("it is stalled");
        assert_eq!(evidence(finding, "sender_location").text, "src/orders.rs:7:9");
    }

    #[test]
    fn actors_that_fill_each_others_channels_before_they_receive_are_one_finding() {
        let mut judged = Judged::new();
        let spawned = judged.target.spawn_site("src/actors.rs:20:5", "shop::actor::{{closure}}", OutputKind::Unit);
        let line = judged.target.call_site("src/actors.rs:7:9");
        let lines = ["src/actors.rs:18:20", "src/actors.rs:19:20"];
        let channels = lines.map(|place| {
            let made = judged.target.channel_site(place, "shop::Note");
            judged.target.channel(made, Some(4))
        });
        let tasks = channels.map(|_| judged.target.task(spawned));
        judged.settle();
        for (channel, task) in channels.into_iter().zip(tasks) {
            let now = judged.target.now;
            judged.target.channel_state(channel, |channel| {
                (channel.sent, channel.last_send_at, channel.sender_task) = (4, Some(now), task);
                (channel.blocked_senders, channel.send_site) = (1, line);
            });
            let waits = [Wait { on: WaitFor::Send(channel), site: line, since: now }].into();
            judged.target.task_state(task, |task| task.waits = waits);
            // They need not begin at once.
            judged.run(ms(1500));
        }
        judged.run(ms(6000));
        let finding = judged.only("receiver-stalled");
        let [first, second] = tasks.map(crate::text::task_id);
        assert_eq!(
            finding.message,
            format!(
                "4 messages wait in channel `Note` and 4 in channel `Note`: nobody has ever called recv on either, and all \
                 are full: `actor` {first} waits to send into the first, `actor` {second} into the next"
            )
        );
        assert_eq!(
            evidence(&finding, "never_received_either").text,
            format!("`Note` made at actors.rs:19: `actor` {second} waits to send at actors.rs:7")
        );
        assert_eq!(finding.subject.location, lines[0]);
        judged.run(ms(5000));
        judged.only("receiver-stalled");
    }

    #[test]
    fn what_the_receiver_waits_for_makes_it_certain() {
        let (mut judged, channel, task) = quiet(Some(1000));
        let made = judged.target.channel_site("src/out.rs:9:20", "shop::Out");
        let out = judged.target.channel(made, Some(1));
        let (site, since) = (SiteId(0), judged.target.now);
        judged.target.task_state(task, |task| task.waits = [Wait { on: WaitFor::Send(out), site, since }].into());
        judged.every(ms(300), |target| flow(target, channel, 3, 1));
        judged.every(ms(3000), |target| flow(target, channel, 2, 0));
        let finding = judged.only("receiver-stalled");
        assert_eq!(finding.confidence, Confidence::Certain);
        assert!(finding.who().is_some_and(|who| who.contains(" for room in channel Out")), "{:?}", finding.who());
    }

    #[test]
    fn a_receiver_that_waits_for_a_message_is_not_stalled() {
        let (mut judged, channel, task) = quiet(Some(1000));
        let (site, since) = (SiteId(0), judged.target.now);
        judged.target.task_state(task, |task| task.waits = [Wait { on: WaitFor::Recv(channel), site, since }].into());
        judged.every(ms(6000), |target| flow(target, channel, 1, 0));
        judged.expect_nothing();
    }

    #[test]
    fn a_receiver_that_comes_at_each_tick_of_a_timer_is_given_time() {
        let (mut judged, channel, _) = quiet(None);
        for _ in 0..10 {
            flow(&mut judged.target, channel, 0, 1000);
            judged.every(ms(2800), |target| flow(target, channel, 2, 0));
        }
        judged.expect_nothing();
        judged.every(ms(7000), |target| flow(target, channel, 2, 0));
        judged.only("receiver-stalled");
    }

    #[test]
    fn a_receiver_that_sleeps_for_some_seconds_is_given_until_then_while_there_is_room() {
        for (capacity, sleeps, found) in [(1000, 5, false), (100, 5, true), (1000, 600, true)] {
            let (mut judged, channel, task) = quiet(Some(capacity));
            flow(&mut judged.target, channel, 2, 1);
            judged.tick(ms(100));
            let (site, since) = (SiteId(0), judged.target.now);
            let due = Duration::from_secs(sleeps);
            judged.target.task_state(task, |task| {
                task.waits = [Wait { on: WaitFor::Timer(due), site, since }].into();
            });
            judged.every(ms(5000), |target| flow(target, channel, 2, 0));
            let stalled = judged.active().iter().any(|finding| finding.rule == "receiver-stalled");
            assert_eq!(stalled, found, "{capacity} {sleeps}: {:#?}", judged.active());
        }
    }

    #[test]
    fn tasks_that_share_a_receiver_have_others_that_may_come() {
        let (mut judged, channel, _) = quiet(Some(1000));
        let site = judged.target.spawn_site("src/jobs.rs:12:5", "shop::upload_all::{{closure}}", OutputKind::Unit);
        let other = judged.target.task(site);
        judged.every(ms(2000), |target| flow(target, channel, 2, 2));
        judged.target.channel_state(channel, |channel| channel.receiver_task = other);
        judged.every(ms(6000), |target| flow(target, channel, 2, 0));
        judged.expect_no_alarm_of("receiver-stalled");
    }

    #[test]
    fn a_last_message_that_is_left_is_nothing() {
        let (mut judged, channel, _) = quiet(None);
        flow(&mut judged.target, channel, 2, 0);
        judged.run(ms(100));
        flow(&mut judged.target, channel, 0, 1);
        judged.run(ms(20_000));
        judged.expect_nothing();
    }
}
