//! What holders of locks await meanwhile. A hold that has ended tells how long it was, not what for; but one that is long and
//! comes again is met while it lasts.
use std::time::Duration;

use super::{Model, SiteId, Stamp, TaskState, WaitFor};

/// What was seen longer ago may have been another branch.
const LATELY: Duration = Duration::from_secs(10);

/// A wait of a lock's holder for something else, for most of what it had held the lock for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaited {
    /// When it was seen.
    pub at: Stamp,
    /// The line that had acquired the lock.
    pub acquired: SiteId,
    /// The line that waited.
    pub site: SiteId,
    /// For how long by then.
    pub lasted: Duration,
}

impl Model {
    /// Looks at all that is held now. Of what it meets at a lock it keeps the longest.
    pub(super) fn meet_holders(&mut self) {
        let now = self.now;
        for lock in self.locks.values_mut() {
            lock.awaited.take_if(|known| now.since(known.at) > LATELY);
            let (Some(since), Some(holder)) = (lock.held_since, self.tasks.get(&lock.holder)) else { continue };
            let wait = holder.waits.first().filter(|wait| {
                holder.state == TaskState::Idle
                    && wait.since >= since
                    && !matches!(wait.on, WaitFor::Lock(id) | WaitFor::Read(id) if id == lock.id)
            });
            let Some(wait) = wait else { continue };
            let lasted = now.since(wait.since);
            if lasted >= now.since(since) / 2 && lock.awaited.is_none_or(|known| lasted >= known.lasted) {
                lock.awaited = Some(Awaited { at: now, acquired: lock.holder_site, site: wait.site, lasted });
            }
        }
    }
}
