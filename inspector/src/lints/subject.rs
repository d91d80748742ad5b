//! What a finding is about, and the line to look at first.
use std::fmt;

use crate::model::{ChannelId, LockId, SiteId, TaskId};

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubjectKind {
    /// One task.
    Task(TaskId),
    /// All tasks of a spawn site.
    Site(SiteId),
    /// A lock.
    Lock(LockId),
    /// A channel.
    Channel(ChannelId),
}

/// What happens at a finding's line. Shown beside it as `locked here`: without it, nobody knows whether that is the line
/// to change or only the one where the thing was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum LocationRole {
    /// Not known, or there is no line.
    #[default]
    Unknown,
    /// Tasks are spawned.
    Spawned,
    /// A lock or a channel is made.
    Made,
    /// A lock is acquired.
    Locked,
    /// A permit is acquired.
    Acquired,
    /// The thread of a worker is kept from other tasks.
    Blocks,
    /// A task is suspended.
    Waits,
    /// A task panicks.
    Panics,
    /// A future is dropped unfinished.
    Dropped,
    /// Waiters are notified.
    Notified,
    /// Messages are received.
    Received,
    /// A watch's value is looked at.
    Read,
    /// Permits are forgotten.
    Forgotten,
    /// Tasks are aborted.
    Aborted,
}

impl LocationRole {
    /// Its stable name: `locked`. `None` where it is not known.
    pub fn id(self) -> Option<&'static str> {
        Some(match self {
            Self::Unknown => return None,
            Self::Spawned => "spawned",
            Self::Made => "made",
            Self::Locked => "locked",
            Self::Acquired => "acquired",
            Self::Blocks => "blocks",
            Self::Waits => "waits",
            Self::Panics => "panics",
            Self::Dropped => "dropped",
            Self::Notified => "notified",
            Self::Received => "received",
            Self::Read => "read",
            Self::Forgotten => "forgotten",
            Self::Aborted => "aborted",
        })
    }
}

impl fmt::Display for LocationRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id() {
            Some(id) => write!(f, "{id} here"),
            None => Ok(()),
        }
    }
}

/// What a finding is about, in words too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Which entity.
    pub kind: SubjectKind,
    /// What people call it.
    pub name: String,
    /// The line that it goes by, as `path:line:column`, without the column where the code is of no one expression; empty when
    /// unknown.
    pub location: String,
    /// What happens at that line.
    pub role: LocationRole,
}

/// A line of the source, and what happens there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// As `path:line:column`.
    pub location: String,
    /// What happens there.
    pub role: LocationRole,
}

impl Spot {
    /// `None` where the line is not known, and so is empty.
    pub(super) fn of(location: &str, role: LocationRole) -> Option<Self> {
        (!location.is_empty()).then(|| Self { location: location.to_owned(), role })
    }
}

impl Subject {
    /// With another line to look at first. One that is not known, and so is empty, changes nothing.
    #[must_use]
    pub(super) fn at(self, location: &str, role: LocationRole) -> Self {
        if location.is_empty() { self } else { Self { location: location.to_owned(), role, ..self } }
    }
}
