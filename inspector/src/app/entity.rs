//! What a row, a page or a jump is about.

use crate::lints::{FindingKey, SubjectKind};
use crate::model::{ChannelId, LockId, Model, SiteId, TaskId, WaitFor, WorkerId};
use crate::text::task_id;

/// Anything that can be selected and gone into. Selection is kept by entity, never by row number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entity {
    /// A task.
    Task(TaskId),
    /// A spawn site and its tasks.
    Site(SiteId),
    /// A lock.
    Lock(LockId),
    /// A channel.
    Channel(ChannelId),
    /// A thread that polls.
    Worker(WorkerId),
    /// A finding about the running target.
    Finding(FindingKey),
    /// A finding about an earlier run of the target, by its number in this session.
    Past(u64),
}

impl Entity {
    /// Breaks ties between rows that sort alike, so that they do not swap places from one second to the next.
    pub(crate) fn ordinal(self) -> u64 {
        match self {
            Self::Task(id) => id.0,
            Self::Site(id) => u64::from(id.0),
            Self::Lock(id) => id.0,
            Self::Channel(id) => id.0,
            Self::Worker(id) => id.0,
            Self::Finding(_) => 0,
            Self::Past(n) => n,
        }
    }

    /// The short name that `y` copies and headings use.
    pub(crate) fn id_text(self) -> String {
        match self {
            Self::Task(id) => format!("task {}", task_id(id)),
            Self::Site(id) => format!("site {}", id.0),
            Self::Lock(id) => format!("lock {}", id.0),
            Self::Channel(id) => format!("channel {}", id.0),
            Self::Worker(id) => format!("worker {}", id.0),
            Self::Finding(key) => key.rule.to_owned(),
            Self::Past(n) => format!("earlier finding {n}"),
        }
    }

    /// Its number among its kind, where things of one name are told apart by it.
    pub(crate) fn number(self) -> Option<u64> {
        match self {
            Self::Lock(id) => Some(id.0),
            Self::Channel(id) => Some(id.0),
            _ => None,
        }
    }

    /// Whether the model still shows it.
    pub(crate) fn exists(self, model: &Model) -> bool {
        match self {
            Self::Task(id) => model.tasks.contains_key(&id),
            Self::Site(id) => model.sites.contains_key(&id),
            Self::Lock(id) => model.locks.contains_key(&id),
            Self::Channel(id) => model.channels.contains_key(&id),
            Self::Worker(id) => model.workers.contains_key(&id),
            Self::Finding(_) | Self::Past(_) => true,
        }
    }
}

impl From<SubjectKind> for Entity {
    fn from(kind: SubjectKind) -> Self {
        match kind {
            SubjectKind::Task(id) => Self::Task(id),
            SubjectKind::Site(id) => Self::Site(id),
            SubjectKind::Lock(id) => Self::Lock(id),
            SubjectKind::Channel(id) => Self::Channel(id),
        }
    }
}

impl From<WaitFor> for Entity {
    fn from(on: WaitFor) -> Self {
        match on {
            WaitFor::Lock(id) | WaitFor::Read(id) => Self::Lock(id),
            WaitFor::Send(id) | WaitFor::Recv(id) => Self::Channel(id),
            WaitFor::Join(id) => Self::Task(id),
            WaitFor::Oneshot(site) => Self::Site(site),
            // A timer is no entity; there is none of this id.
            WaitFor::Timer(_) => Self::Task(crate::model::TaskId(0)),
        }
    }
}

/// A selectable row: an entity, and for pages that show one entity in several roles ("holder", "spawned by"), which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Row {
    /// The role on the page; empty in lists.
    pub slot: &'static str,
    /// What it leads to.
    pub entity: Entity,
}

impl Row {
    /// A row of a list.
    pub(crate) fn of(entity: Entity) -> Self {
        Self { slot: "", entity }
    }
}
