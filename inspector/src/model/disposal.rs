//! Who did away with something.
use super::{ChannelId, LockId, Model, SiteId, Stamp, TaskId};

/// Who did away with something, the last time that it happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Disposal {
    /// When.
    pub at: Stamp,
    /// The task that did it; 0 outside of any. It may be gone by now.
    pub by: TaskId,
    /// Where that was spawned.
    pub spawned: SiteId,
    /// The line that did it; not known of a drop.
    pub site: SiteId,
}

/// With what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposed {
    /// A task that was spawned there: it was aborted, or dropped with its set.
    Task(SiteId),
    /// The sender of a oneshot that was made there: it was dropped without sending.
    Oneshot(SiteId),
    /// The last receiver of a broadcast or a watch.
    Receivers(ChannelId),
    /// Permits of a semaphore: they were forgotten.
    Permits(LockId),
}

impl Model {
    pub(super) fn disposal(&mut self, of: Disposed, disposal: Disposal) {
        let kept = match of {
            Disposed::Task(id) => self.sites.get_mut(&id).map(|site| &mut site.disposal),
            Disposed::Oneshot(id) => self.oneshots.get_mut(&id).map(|oneshots| &mut oneshots.disposal),
            Disposed::Receivers(id) => self.channels.get_mut(&id).map(|channel| &mut channel.disposal),
            Disposed::Permits(id) => self.locks.get_mut(&id).map(|lock| &mut lock.disposal),
        };
        if let Some(kept) = kept {
            *kept = Some(disposal);
        }
    }
}
