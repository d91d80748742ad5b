//! What a row, a page or a jump is about.

use std::time::Duration;

use crate::lints::{FindingKey, SubjectKind};
use crate::model::{ChannelId, LockId, Model, SiteId, Task, TaskId, WaitFor, WorkerId};
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
    /// A finding as it was at a moment of the timeline, by the time of that since the first one.
    Then(Duration, FindingKey),
    /// The list of the tasks that have this in common.
    Tasks(Common),
}

/// What tasks have in common of which a page names the first few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Common {
    /// They wait for this lock.
    Lock(LockId),
    /// They wait for a message or for room in this channel.
    Channel(ChannelId),
    /// They wait for the end of this task.
    Task(TaskId),
    /// They wait for the answer of a oneshot that was made here.
    Oneshot(SiteId),
    /// This task spawned them.
    Parent(TaskId),
    /// They were spawned here.
    Site(SiteId),
    /// They are to end with this token, or are counted by this tracker.
    Scope(LockId),
    /// They were woken and wait for a worker.
    Scheduled,
}

impl Common {
    /// That they wait for `entity`.
    pub(crate) fn wait_for(entity: Entity) -> Option<Self> {
        match entity {
            Entity::Lock(id) => Some(Self::Lock(id)),
            Entity::Channel(id) => Some(Self::Channel(id)),
            Entity::Task(id) => Some(Self::Task(id)),
            Entity::Site(id) => Some(Self::Oneshot(id)),
            _ => None,
        }
    }

    /// The filter that finds them in the list of tasks.
    pub(crate) fn filter(self) -> String {
        match self {
            Self::Scheduled => "state:scheduled".to_owned(),
            other => format!("relation:\"{}\"", other.relation()),
        }
    }

    fn relation(self) -> String {
        let waits = |entity: Entity| format!("waits for {}", entity.id_text());
        match self {
            Self::Lock(id) => waits(Entity::Lock(id)),
            Self::Channel(id) => waits(Entity::Channel(id)),
            Self::Task(id) => waits(Entity::Task(id)),
            Self::Oneshot(id) => waits(Entity::Site(id)),
            Self::Parent(id) => format!("spawned by {}", Entity::Task(id).id_text()),
            Self::Site(id) => Entity::Site(id).id_text(),
            Self::Scope(id) => format!("ends with {}", Entity::Lock(id).id_text()),
            Self::Scheduled => "scheduled".to_owned(),
        }
    }

    /// All that `task` may have in common with others, as [`Common::filter`] looks for it.
    pub(crate) fn relations(task: &Task) -> String {
        let timers = |wait: &&crate::model::Wait| !matches!(wait.on, WaitFor::Timer(_));
        let waits = task.waits.iter().filter(timers).filter_map(|wait| Self::wait_for(wait.on.into()));
        let parent = Some(Self::Parent(task.parent)).filter(|_| task.parent != TaskId(0));
        let scopes = [task.token, task.tracker].into_iter().filter(|id| *id != LockId(0)).map(Self::Scope);
        let all = waits.chain(parent).chain([Self::Site(task.site)]).chain(scopes);
        all.map(Self::relation).collect::<Vec<_>>().join("; ")
    }
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
            Self::Finding(_) | Self::Then(..) | Self::Tasks(_) => 0,
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
            Self::Finding(key) | Self::Then(_, key) => key.rule.to_owned(),
            Self::Tasks(common) => format!("tasks with {}", common.filter()),
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
            Self::Finding(_) | Self::Past(_) | Self::Then(..) | Self::Tasks(_) => true,
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
            WaitFor::Send(id) | WaitFor::Recv(id) | WaitFor::Closed(id) => Self::Channel(id),
            WaitFor::Join(id) => Self::Task(id),
            WaitFor::Oneshot(site) | WaitFor::OneshotClosed(site) => Self::Site(site),
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
