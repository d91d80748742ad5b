//! One channel.
use std::time::Duration;

use super::{Series, SiteId, Stamp, TaskId};

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
    pub name: String,
    /// Messages that fit; `None` when unbounded.
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
    /// Sends that found no room, ever.
    pub sends_blocked: u64,
    /// Their summed wait.
    pub send_wait_total: Duration,
    /// Sender handles alive.
    pub senders: u32,
    /// Receiver handles alive.
    pub receivers: u32,
    /// Closed by its receiver, or by the last sender's end.
    pub closed: bool,
    /// When the receiver last asked for a message.
    pub last_recv_at: Option<Stamp>,
    /// The task that receives.
    pub receiver_task: TaskId,
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
    /// How long a message that is sent now will wait, at the pace of the last ten seconds; `None` where nothing waits, and
    /// where nothing was received in that time.
    pub fn delay(&self) -> Option<std::time::Duration> {
        let seconds = self.received_s.points().len().min(10);
        let pace = self.received_s.recent_sum(seconds) / seconds.max(1) as f64;
        if self.depth() == 0 || !pace.is_finite() || pace <= 0.0 {
            return None;
        }
        std::time::Duration::try_from_secs_f64(self.depth() as f64 / pace).ok()
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
