//! Operations on resources: who awaits what, and who has got it.
use std::collections::HashMap;
use std::time::Duration;

use console_api::async_ops::{AsyncOp, Stats};
use console_api::resources::PollOp;

use super::clock::Clock;
use super::fields::{FieldNames, number};
use super::locks::{Acquired, How};
use super::newcomers::count_lost;
use super::tasks::Seen;
use crate::model::{LockId, SiteId, Stamp, WaitFor};

/// Operations that are known at a time.
pub(super) const MAX_OPERATIONS: usize = 1 << 18;

/// What is done, as far as it says what is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// A lock is wanted.
    Lock(How),
    /// Permits, inside of another operation or of a channel's sending.
    Permits,
    Oneshot,
    Timer,
    Other,
}

impl Doing {
    fn of(source: &str) -> Self {
        match source {
            "Mutex::lock" | "Mutex::lock_owned" | "RwLock::write" | "RwLock::write_owned" => Self::Lock(How::Alone),
            "RwLock::read" | "RwLock::read_owned" => Self::Lock(How::Shared),
            "Barrier::wait" => Self::Lock(How::Permit),
            _ if source.starts_with("Semaphore::acquire") => Self::Lock(How::Permit),
            "Acquire::new" => Self::Permits,
            "Receiver::await" => Self::Oneshot,
            _ if source.starts_with("Sleep::") || source.starts_with("Interval::") => Self::Timer,
            _ => Self::Other,
        }
    }
}

/// One operation.
#[allow(clippy::struct_excessive_bools)] // They are independent facts, as on the wire.
#[derive(Debug)]
pub(super) struct Operation {
    doing: Doing,
    /// Of a lock: the guard will be one that can be given to another task.
    owned: bool,
    pub(super) resource: u64,
    parent: u64,
    /// The span of the task that polled it last; 0 before.
    pub(super) task: u64,
    created: Stamp,
    began: Stamp,
    last_poll: Stamp,
    last_ended: Option<Stamp>,
    polls: u64,
    /// A poll of it came back with nothing.
    pended: bool,
    /// It came to its end well, and that was counted.
    done: bool,
    counted: bool,
    /// It is being polled.
    polling: bool,
    ended: Option<Stamp>,
    /// The update that last said so.
    pub(super) confirmed: Stamp,
    named: u32,
}

impl Operation {
    /// Since when it is waited for.
    pub(super) fn since(&self) -> Stamp {
        self.began
    }

    /// Whether its task waits for it.
    pub(super) fn pending(&self) -> bool {
        self.task != 0 && !self.done && !self.polling && self.ended.is_none()
    }
}

/// All operations, by the id of their span.
#[derive(Debug, Default)]
pub(super) struct Operations {
    all: HashMap<u64, Operation>,
    /// Those that were told of in this update.
    changed: Vec<u64>,
    /// Those that were waited for and are no longer known as such: what else goes by their number, or who polls them now, is
    /// told of by itself.
    past: Vec<Past>,
    /// When the newest was made.
    pub(super) newest: Stamp,
    /// Operations are missing: what is not known of need not be all.
    pub(super) incomplete: bool,
    /// Operations that there was no room for.
    pub(super) lost: u64,
}

/// An operation as it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    pub(super) span: u64,
    /// What it was on; 0 where it still is.
    pub(super) resource: u64,
    /// Whose it was.
    pub(super) task: u64,
}

/// What an operation has become in one update.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) span: u64,
    pub(super) resource: u64,
    pub(super) task: u64,
    /// Whether its task waits for it.
    pub(super) pending: bool,
    /// How, where it is a lock that is wanted.
    pub(super) wants: Option<How>,
    pub(super) acquired: Option<Acquired>,
}

impl Operations {
    pub(super) fn get(&self, span: u64) -> Option<&Operation> {
        self.all.get(&span)
    }

    pub(super) fn learn(
        &mut self,
        new: Vec<AsyncOp>,
        mut stats: HashMap<u64, Stats>,
        cx: (&Clock, &FieldNames),
        seen: Seen,
    ) {
        let (clock, names) = cx;
        let mut lost = 0_u64;
        for new in new {
            let Some(span) = new.id.as_ref().map(|id| id.id).filter(|&span| span != 0) else { continue };
            let Some(now) = stats.get(&span) else { continue };
            let created = clock.stamp(now.created_at.as_ref()).unwrap_or(clock.now);
            if self.all.get(&span).is_some_and(|known| known.created == created) {
                continue;
            }
            let ended = clock.stamp(now.dropped_at.as_ref());
            if ended.is_some_and(|at| seen.is_old(at)) {
                stats.remove(&span);
                continue;
            }
            if self.all.len() >= MAX_OPERATIONS && !self.all.contains_key(&span) {
                self.incomplete = true;
                lost += 1;
                stats.remove(&span);
                continue;
            }
            self.newest = self.newest.max(created);
            let operation = Operation {
                doing: Doing::of(&new.source),
                owned: new.source.ends_with("_owned"),
                resource: new.resource_id.as_ref().map_or(0, |id| id.id),
                parent: new.parent_async_op_id.as_ref().map_or(0, |id| id.id),
                task: 0,
                created,
                began: created,
                last_poll: created,
                last_ended: None,
                polls: 0,
                pended: false,
                done: false,
                counted: false,
                polling: false,
                ended: None,
                confirmed: clock.now,
                named: seen.snapshot,
            };
            // The span's number went on, and the end of the one before was not told.
            if let Some(Operation { resource, task, .. }) = self.all.insert(span, operation) {
                self.past.push(Past { span, resource, task });
            }
        }
        count_lost(&mut self.lost, lost, seen);
        for (span, stats) in stats {
            self.read(span, &stats, clock, names, seen);
        }
    }

    fn read(&mut self, span: u64, stats: &Stats, clock: &Clock, names: &FieldNames, seen: Seen) {
        let Some(one) = self.all.get_mut(&span) else { return };
        if let Some(polls) = &stats.poll_stats {
            let at = |at: &Option<prost_types::Timestamp>| clock.stamp(at.as_ref());
            one.began = at(&polls.first_poll).unwrap_or(one.created);
            one.last_poll = at(&polls.last_poll_started).unwrap_or(one.began);
            one.last_ended = at(&polls.last_poll_ended);
            one.polls = polls.polls;
            one.polling = polls.last_poll_started.is_some() && one.last_ended.is_none_or(|ended| ended < one.last_poll);
        }
        let task = stats.task_id.as_ref().map_or(one.task, |id| id.id);
        if task != one.task {
            self.past.push(Past { span, resource: 0, task: one.task });
            one.task = task;
        }
        one.ended = clock.stamp(stats.dropped_at.as_ref());
        (one.confirmed, one.named) = (clock.now, seen.snapshot);
        let permits = |name| names.attribute(&stats.attributes, name).and_then(number);
        if let (Some(wanted @ 1..), Some(got)) = (permits("permits_requested"), permits("permits_obtained"))
            && got >= wanted
            && one.ended.is_some()
        {
            one.done = true;
            // What it was part of got what it wanted.
            let parent = one.parent;
            if let Some(outer) = self.all.get_mut(&parent) {
                outer.done = true;
            }
        }
        self.changed.push(span);
    }

    /// Takes in the polls of operations since the last update, in their order.
    pub(super) fn polled(&mut self, polls: &[PollOp]) {
        for poll in polls {
            let id = |id: &Option<console_api::Id>| id.as_ref().map_or(0, |id| id.id);
            let span = id(&poll.async_op_id);
            let Some(one) = self.all.get_mut(&span) else { continue };
            one.pended |= !poll.is_ready;
            // Some say that they may go on before they say how it went.
            one.done = poll.is_ready || one.counted;
            let task = id(&poll.task_id);
            if task != 0 && task != one.task {
                self.past.push(Past { span, resource: 0, task: one.task });
                one.task = task;
            }
            self.changed.push(span);
        }
    }

    /// What has become of the operations that were told of in this update; forgets those that ended.
    pub(super) fn changes(&mut self, is_lock: impl Fn(u64) -> bool) -> Vec<Change> {
        self.changed.sort_unstable();
        self.changed.dedup();
        let mut changes = Vec::with_capacity(self.changed.len());
        for span in std::mem::take(&mut self.changed) {
            let Some(one) = self.all.get_mut(&span) else { continue };
            let wants = match one.doing {
                Doing::Lock(how) => Some(how),
                // Inside of another operation, that one tells.
                Doing::Permits if is_lock(one.resource) => Some(How::Permit),
                _ => None,
            };
            let got = wants.filter(|_| one.done && !one.counted);
            one.counted |= got.is_some();
            let at = one.ended.or(one.last_ended).unwrap_or(one.confirmed);
            // Its making is counted as a poll, and one more comes with what it waits for at once.
            let waited = one.pended || one.polls > 2;
            let acquired = got.map(|how| Acquired {
                at,
                task: one.task,
                how,
                owned: one.owned,
                waited: waited.then(|| one.last_poll.since(one.began)),
            });
            changes.push(Change {
                span,
                resource: one.resource,
                task: one.task,
                pending: one.pending(),
                wants,
                acquired,
            });
            if one.ended.is_some() {
                self.all.remove(&span);
            }
        }
        changes
    }

    /// Those that a whole state did not name, which are forgotten.
    pub(super) fn sweep(&mut self, seen: Seen) -> Vec<Past> {
        let missing = self.all.iter().filter(|(_, one)| one.named != seen.snapshot);
        let past = |(&span, one): (&u64, &Operation)| Past { span, resource: one.resource, task: one.task };
        let missing: Vec<Past> = missing.map(past).collect();
        for past in &missing {
            self.all.remove(&past.span);
        }
        missing
    }

    /// What has become of others in this update: see [`Past`].
    pub(super) fn take_past(&mut self) -> Vec<Past> {
        std::mem::take(&mut self.past)
    }

    /// What a pending operation waits for; `lock` and `site` say what its resource is.
    pub(super) fn wait_for(
        &self,
        span: u64,
        lock: impl Fn(u64) -> Option<LockId>,
        site: impl Fn(u64) -> SiteId,
    ) -> Option<WaitFor> {
        let one = self.all.get(&span)?;
        match one.doing {
            Doing::Lock(How::Shared) => lock(one.resource).map(WaitFor::Read),
            Doing::Lock(_) | Doing::Permits => lock(one.resource).map(WaitFor::Lock),
            Doing::Oneshot => Some(WaitFor::Oneshot(site(one.resource))),
            Doing::Timer => Some(WaitFor::Timer(Duration::ZERO)),
            Doing::Other => None,
        }
    }
}
