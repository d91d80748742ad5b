//! Tasks by what they are meant to end with: the token that they listen to, the tracker that they are a task of. Kept from
//! reading to reading, so that nobody has to look at all tasks.
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{LockId, Model, SiteId, Stamp, Task, TaskId};

/// Parents of a token that are looked at; a tree that is deeper is not followed to its root.
const DEPTH: usize = 64;

/// Tasks that have not ended, by the id of their token and of their tracker. What a frozen view keeps of them is shared.
#[derive(Debug, Clone, Default)]
pub struct Scopes(HashMap<LockId, Arc<BTreeSet<TaskId>>>);

/// When something that tasks are meant to end with was cancelled or closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// What was cancelled or closed: the token or tracker itself, or a token that it is a child of.
    pub by: LockId,
    /// When.
    pub at: Stamp,
    /// The line that did it.
    pub site: SiteId,
}

impl Scopes {
    /// The tasks of a token or a tracker, in the order of their ids.
    pub fn tasks(&self, of: LockId) -> impl Iterator<Item = TaskId> {
        self.0.get(&of).into_iter().flat_map(|tasks| tasks.iter()).copied()
    }

    /// How many those are.
    pub fn count(&self, of: LockId) -> usize {
        self.0.get(&of).map_or(0, |tasks| tasks.len())
    }

    pub(super) fn enter(&mut self, task: &Task) {
        if !task.state.ended() {
            for scope in [task.token, task.tracker].into_iter().filter(|scope| scope.0 != 0) {
                Arc::make_mut(self.0.entry(scope).or_default()).insert(task.id);
            }
        }
    }

    pub(super) fn leave(&mut self, task: &Task) {
        for scope in [task.token, task.tracker].into_iter().filter(|scope| scope.0 != 0) {
            if let Some(tasks) = self.0.get_mut(&scope) {
                Arc::make_mut(tasks).remove(&task.id);
                if tasks.is_empty() {
                    self.0.remove(&scope);
                }
            }
        }
    }
}

impl Model {
    /// Since when a token is cancelled, by itself or with one that it is a child of, or a tracker closed; `None` while it
    /// is not, and where it is not known.
    pub fn ended(&self, of: LockId) -> Option<Ended> {
        let mut first: Option<Ended> = None;
        let mut next = of;
        for _ in 0..DEPTH {
            let Some(lock) = self.locks.get(&next) else { break };
            if let Some(at) = lock.closed_at
                && first.is_none_or(|first| at < first.at)
            {
                first = Some(Ended { by: next, at, site: lock.closed_site });
            }
            next = lock.parent;
        }
        first
    }
}
