//! Room in a channel that was reserved, and is not used.
//!
//! Nothing tells of the permit, nor who has it. But a task that has waited for room for seconds, while there was nothing in
//! the channel, was given none: so others have it.
use std::time::Duration;

use super::rule::{Candidate, Cx};
use super::{Evidence, LocationRole, Severity, Spot, wait_graph, words};
use crate::model::Channel;
use crate::text;

/// A candidate for a channel that has been empty for longer than `limit`, while senders wait for room.
pub(super) fn judge(cx: &Cx, channel: &Channel, limit: Duration) -> Option<Candidate> {
    let model = cx.model;
    let capacity = channel.capacity.filter(|&capacity| capacity > 0 && !channel.inferred)?;
    let (_, wait) = wait_graph::waits_for_room(model, channel)?;
    let waited = model.lasted(wait.since);
    // In the last whole seconds nothing came and nothing went: a queue of senders that moves is no reserved room.
    let seconds = usize::try_from(limit.as_secs()).unwrap_or(usize::MAX).clamp(1, 58);
    let still = channel.sent_s.recent_sum(seconds) + channel.received_s.recent_sum(seconds) < 0.5;
    if channel.blocked_senders == 0 || channel.depth() > 0 || !still || waited <= limit {
        return None;
    }
    let subject = words::channel_subject(model, channel);
    let group = subject.location.clone();
    let senders = match channel.blocked_senders {
        1 => "1 sender waits".to_owned(),
        n => format!("{} wait", text::counted(n.into(), "sender")),
    };
    // Who reserves before there is anything to send may well wait for that for long, and the others behind it.
    let severity = if channel.blocked_with_message > 0 { Severity::Warn } else { Severity::Info };
    let sending = words::place(model, channel.send_site);
    let message = format!(
        "channel `{}` is empty, and {senders} for room, one for {}: its room ({}) is reserved by permits that nobody uses",
        subject.name,
        text::duration(waited),
        text::count(capacity),
    );
    let mut evidence = vec![
        Evidence::span("no_room_for_ns", waited).over(text::duration(limit)),
        Evidence::count("blocked_senders", channel.blocked_senders.into()),
        Evidence::count("depth", channel.depth()).aside(),
        Evidence::count("capacity", capacity),
        Evidence::task("sender_task", channel.sender_task),
    ];
    if !sending.is_empty() {
        evidence.push(Evidence::words("sender_location", sending));
    }
    Some(Candidate {
        message,
        evidence,
        advice: "Call reserve() when the message is there, and send at once: no permit should be kept over an await. One that \
                 is not needed is to be dropped; so is a send() that is not polled any more, which may have got the room."
            .into(),
        open: Spot::of(sending, LocationRole::Waits),
        onset: Some(model.now.before(waited)),
        hurt: channel.blocked_senders.into(),
        ..Candidate::enter(subject, &group, severity)
    })
}
