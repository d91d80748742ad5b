//! One channel.
use std::cmp::Ordering;
use std::sync::Arc;
use std::time::Duration;

use super::{Disposal, Series, SiteId, Stamp, TaskId};

/// Id of a [`Channel`] within one instance of a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(pub u64);

/// Which type of channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ChannelKind {
    /// `mpsc::channel`
    #[default]
    Mpsc,
    /// `mpsc::unbounded_channel`
    MpscUnbounded,
    /// `broadcast::channel`
    Broadcast,
    /// `watch::channel`
    Watch,
}

impl ChannelKind {
    /// The kind's name, for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mpsc => "mpsc",
            Self::MpscUnbounded => "unbounded",
            Self::Broadcast => "broadcast",
            Self::Watch => "watch",
        }
    }

    /// The same for programs.
    pub fn key(self) -> &'static str {
        match self {
            Self::Mpsc => "mpsc",
            Self::MpscUnbounded => "mpsc_unbounded",
            Self::Broadcast => "broadcast",
            Self::Watch => "watch",
        }
    }
}

/// How old something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Within a second or so.
    About(Duration),
    /// It is older than what is remembered.
    AtLeast(Duration),
}

impl Age {
    /// The time, which may be a bound.
    pub fn span(self) -> Duration {
        match self {
            Self::About(span) | Self::AtLeast(span) => span,
        }
    }
}

impl Ord for Age {
    /// By the time; of two bounds alike, what has no other end is the older.
    fn cmp(&self, other: &Self) -> Ordering {
        let open = |age: &Self| matches!(age, Self::AtLeast(_));
        self.span().cmp(&other.span()).then_with(|| open(self).cmp(&open(other)))
    }
}

impl PartialOrd for Age {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One channel.
#[derive(Debug, Clone, Default)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// Its type.
    pub kind: ChannelKind,
    /// Where it was created.
    pub site: SiteId,
    /// Its own name; empty when none was given.
    pub name: Arc<str>,
    /// Messages that fit; `None` when unbounded, 0 where that is not known.
    pub capacity: Option<u64>,
    /// Only its room is known: its messages are inferred, its handles are not counted, and what its receiver does is not
    /// known.
    pub inferred: bool,

    /// Messages sent, ever.
    pub sent: u64,
    /// Messages received, ever: by a broadcast's slowest known receiver; of a watch, values that were seen by any
    /// receiver, or overwritten before one that was.
    pub received: u64,
    /// Times that a receiver of a broadcast was too slow for it, ever.
    pub lagged: u64,
    /// Messages that such receivers never got, ever.
    pub messages_lost: u64,
    /// When that last happened.
    pub last_lag_at: Option<Stamp>,
    /// To which task.
    pub last_lag_task: TaskId,
    /// The receiving line of it.
    pub last_lag_site: SiteId,
    /// Messages sent while nobody could receive them, ever.
    pub unheard: u64,
    /// Senders waiting for room.
    pub blocked_senders: u32,
    /// Of those: that have a message to send, and do not only reserve room.
    pub blocked_with_message: u32,
    /// Sends that found no room, ever.
    pub sends_blocked: u64,
    /// Their summed wait.
    pub send_wait_total: Duration,
    /// Sender handles alive.
    pub senders: u32,
    /// Receiver handles alive.
    pub receivers: u32,
    /// Of a broadcast or watch without any: who dropped the last one.
    pub disposal: Option<Disposal>,
    /// Closed by its receiver, or by the last sender's end.
    pub closed: bool,
    /// When the receiver last asked for a message.
    pub last_recv_at: Option<Stamp>,
    /// The task that receives.
    pub receiver_task: TaskId,
    /// When another task was seen to receive than before: several may share the receiver.
    pub receiver_changed_at: Option<Stamp>,
    /// The receiving line.
    pub recv_site: SiteId,
    /// When a message was last sent.
    pub last_send_at: Option<Stamp>,
    /// The task that sent it.
    pub sender_task: TaskId,
    /// The sending line.
    pub send_site: SiteId,

    /// Since when it has been at capacity with senders waiting, at every reading since.
    pub saturated_since: Option<Stamp>,
    /// The last minute, one point a second: depth at the end of each.
    pub depth_s: Series,
    /// Messages sent in each second.
    pub sent_s: Series,
    /// Messages received in each second.
    pub received_s: Series,
    /// Share of each second's readings, 0 to 1, that were at capacity with senders waiting.
    pub saturated_s: Series,

    /// What [`super::Model::apply`] remembers of it.
    pub(crate) track: ChannelTrack,
}

/// What `apply` remembers of a channel beside what it shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ChannelTrack {
    pub(super) generation: u32,
    /// A reading has come, so that the next one's counters can be compared.
    pub(super) seen: bool,
    /// Counters at the last point of the series.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// Time at capacity since the last point of the series, up to `saturated_mark`.
    pub(super) saturated: Duration,
    pub(super) saturated_mark: Option<Stamp>,
}

impl Channel {
    /// How long the oldest message in it has lain there: messages know no times of their own, but those in it are the last
    /// that were sent, and how many were sent in each of the last seconds is known. `None` where there is none, and where
    /// what is sent is not told.
    pub fn oldest(&self) -> Option<Age> {
        let depth = self.depth() as f64;
        if depth <= 0.0 || self.inferred {
            return None;
        }
        let (mut sent, mut seconds) = (0.0, 0.0);
        for in_this_second in self.sent_s.points().rev().map(|n| if n.is_finite() { n.max(0.0) } else { 0.0 }) {
            if sent + in_this_second >= depth {
                // They came evenly, as far as is known.
                let share = (depth - sent) / in_this_second;
                return Duration::try_from_secs_f64(seconds + share).ok().map(Age::About);
            }
            sent += in_this_second;
            seconds += 1.0;
        }
        // Just attached, it may be of any age.
        Duration::try_from_secs_f64(seconds).ok().filter(|span| !span.is_zero()).map(Age::AtLeast)
    }

    /// Messages in it: in a watch, whose values replace each other, none.
    pub fn depth(&self) -> u64 {
        if self.kind == ChannelKind::Watch { 0 } else { self.sent.saturating_sub(self.received) }
    }

    /// Values of a watch sent since any receiver last looked.
    pub fn unseen(&self) -> u64 {
        if self.kind == ChannelKind::Watch { self.sent.saturating_sub(self.received) } else { 0 }
    }

    /// Whether it has no room and senders that wait for some. Room that was just given to a waiting sender, and is not
    /// used yet, is no room: a channel that is drained one by one under load would seem to have room half the time.
    pub fn saturated(&self) -> bool {
        self.blocked_senders > 0
            && self
                .capacity
                .is_some_and(|capacity| self.depth().saturating_add(self.blocked_senders.into()) >= capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A channel with so many messages in it, and so many sent in each of the last seconds.
    fn oldest(depth: u64, sent: &[f64]) -> Option<Age> {
        let mut channel = Channel { sent: depth, ..Channel::default() };
        for n in sent {
            channel.sent_s.push(*n);
        }
        channel.oldest()
    }

    #[test]
    fn the_oldest_message_came_when_as_many_were_sent_after_it_as_there_are() {
        let about = |ms| Some(Age::About(Duration::from_millis(ms)));
        assert_eq!(oldest(0, &[4.0, 4.0]), None);
        assert_eq!(oldest(1, &[4.0, 4.0]), about(250));
        assert_eq!(oldest(6, &[4.0, 4.0]), about(1500));
        // Nobody takes anything and nobody sends any more: it grows older all the same.
        assert_eq!(oldest(4, &[4.0, 0.0, 0.0, 0.0]), about(4000));
        // It was there before anybody looked.
        assert_eq!(oldest(9, &[4.0, 4.0]), Some(Age::AtLeast(Duration::from_secs(2))));
        assert_eq!(oldest(9, &[f64::NAN, -1.0, f64::INFINITY]), Some(Age::AtLeast(Duration::from_secs(3))));
        assert_eq!(oldest(9, &[]), None);
        assert!(Age::AtLeast(Duration::from_secs(2)) > Age::About(Duration::from_secs(2)));
    }

    #[test]
    fn of_what_is_not_told_no_age_is_made_up() {
        let mut channel = Channel { sent: 4, inferred: true, ..Channel::default() };
        channel.sent_s.push(4.0);
        assert_eq!(channel.oldest(), None);
    }
}
