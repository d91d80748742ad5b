//! What a stock console-subscriber says (console-api 0.9), in the same terms as what a probe says.
//!
//! It tells less than a probe, and some of it only by hints. What is exact: tasks, their polls' sums and the newest poll
//! of each. What is inferred: who holds a lock, and who waits for it (`locks`), and bounded channels from the semaphores inside. What is not told stays unsaid, and the
//! target's list of what cannot be seen says so (`blind`).
//!
//! Nor does every version tell everything reliably: those before 0.5 forget entities that ended before they could say so.
//! Such a ghost looks like a task that sleeps for ever, or like a poll that never ends. So what hangs on an entity that
//! stays as it is, a poll that goes on or a wait that does not end, is said only while a whole state bears it out, which
//! [`Decoder::wants_whole`] asks for.
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use console_api::instrument::Update;
use console_api::resources::ResourceUpdate;

use super::DecodeError;
use crate::model::{
    Batch, Loss, SiteId, Stamp, Target, TaskId, TaskKind, Wait, WaitFor, WorkerId, WorkerKind, WorkerReading,
};

mod blind;
mod clock;
mod details;
mod fields;
mod locks;
mod newcomers;
mod oneshots;
mod operations;
mod places;
mod resources;
mod tasks;

#[cfg(test)]
mod tests;

use clock::Clock;
pub use details::task_details;
use fields::FieldNames;
use locks::{Acquired, How};
use operations::{Operations, Past};
use places::Places;
use resources::Resources;
use tasks::{Seen, Tasks};

/// What the operator names of a target like this.
pub const NAME: &str = "console-subscriber";

/// Time between two updates, unless the target is told otherwise.
const TICK: Duration = Duration::from_secs(1);
/// A whole state is asked for after so long; of a target that has forgotten something, more often.
const USUAL: Duration = Duration::from_secs(30);
const OFTEN: Duration = Duration::from_secs(7);
/// And sooner where something hangs on it.
const SOONEST: Duration = Duration::from_secs(2);
/// One that does not fit into a message is not asked for again for so long.
const LATER: Duration = Duration::from_mins(1);
/// A poll that has run for so long, or a wait of so long, is worth being asked for.
const LONG_POLL: Duration = Duration::from_millis(100);
const LONG_WAIT: Duration = Duration::from_secs(1);
/// With fewer events than this in an update, the target has told all that it has: it takes in 128 at a time.
const A_FEW: usize = 100;
/// Waits that are listed of one task.
const MAX_WAITS: usize = 8;
/// Operations of one task that are kept in mind.
const MAX_OPERATIONS: usize = 64;

/// Where an update stands in its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first one of a connection.
    Connected,
    /// The first one of a stream that was asked for to get the whole state again.
    Renewed,
    /// Any later one.
    Later,
}

/// Decodes the updates of one target, in their order, over several connections if they lead to the same process.
#[derive(Debug, Default)]
pub struct Decoder {
    clock: Clock,
    names: FieldNames,
    places: Places,
    tasks: Tasks,
    resources: Resources,
    operations: Operations,
    /// Events that the target dropped, by kind.
    dropped: Loss,
    /// Tasks of whose polls in progress was told, and the threads that stand for them.
    polls: BTreeMap<u64, WorkerId>,
    next_poll: u64,
    /// The moment up to which everything that was made is known: the target tells some of it late.
    told: Stamp,
    behind: bool,
    /// When changes were last told. What a whole state tells of, is told as changed once more by the update after it.
    changes: Stamp,
    /// The number of the last whole state.
    snapshot: u32,
    /// When the last one was asked for, and whether it was one.
    asked: Stamp,
    answered: bool,
    /// The target forgot to tell of the end of a task: those that are alive cannot be counted.
    forgetful: bool,
    instance: u64,
}

impl Decoder {
    /// For a target of which nothing is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Who the target is, once its first update was decoded.
    pub fn target(&self, address: String) -> Target {
        Target {
            address,
            instance: self.instance,
            probe_version: NAME.to_owned(),
            capabilities: blind::CAPABILITIES.iter().map(|&name| name.to_owned()).collect(),
            blind: blind::spots(),
            slow_poll: tasks::SLOW,
            tick: TICK,
            ..Target::default()
        }
    }

    /// The id of a task's span, by which the target is asked about it.
    pub fn span(&self, task: TaskId) -> Option<u64> {
        self.tasks.span(task)
    }

    /// Whether it is time to ask the target for its whole state.
    pub fn wants_whole(&self) -> bool {
        let now = self.clock.now;
        let age = now.since(self.asked);
        if !self.answered {
            return age >= LATER;
        }
        age >= if self.forgetful { OFTEN } else { USUAL }
            || age >= SOONEST && (self.has_long_poll() || self.has_long_wait())
    }

    /// How late the target tells what happens; `None` when it has told all that it has. It takes in no more than some
    /// dozens of events each time that it does something, and otherwise does something once a second only.
    pub fn delay(&self) -> Option<Duration> {
        self.behind.then(|| self.clock.now.since(self.told))
    }

    /// A poll that was in progress when it was last heard of, and may have ended since.
    fn has_long_poll(&self) -> bool {
        let running = self.tasks.running.iter().filter_map(|&span| self.tasks.get(span));
        let now = self.clock.now;
        let may_end = running.into_iter().filter(|task| task.kind != TaskKind::Blocking && task.confirmed < now);
        may_end.into_iter().any(|task| now.since(task.since) >= LONG_POLL)
    }

    /// Somebody who has waited for a lock for long, and may have given up since.
    fn has_long_wait(&self) -> bool {
        let locks = self.resources.awaited.iter().filter_map(|&span| self.resources.lock(span));
        let locks = locks.filter(|lock| lock.kind.guards());
        let mut waits = locks.flat_map(|lock| lock.waiting.keys()).filter_map(|&span| self.operations.get(span));
        waits.any(|wait| self.clock.now.since(wait.since()) >= LONG_WAIT && !is_settled(wait))
    }

    /// Decodes one update.
    ///
    /// # Errors
    ///
    /// When it has no time. What else is missing in it, or makes no sense, is left out.
    pub fn update(&mut self, mut update: Update, mut place: Place) -> Result<Batch, DecodeError> {
        if place == Place::Connected && !self.is_of_the_same_process(&update) {
            *self = Self::default();
        }
        let before = self.clock.now;
        if place == Place::Renewed && self.clock.has_passed(&update) {
            (update, place) = (only_polls(update), Place::Later);
        }
        self.clock.advance(&update)?;
        let now = self.clock.now;
        let first = self.snapshot == 0;
        if first {
            self.instance = identity(&update);
        }
        let (tasks, resources) = (update.task_update.unwrap_or_default(), update.resource_update.unwrap_or_default());
        let operations = update.async_op_update.unwrap_or_default();
        let metadata = update.new_metadata.unwrap_or_default();
        let events = tasks.new_tasks.len()
            + resources.new_resources.len()
            + resources.new_poll_ops.len()
            + operations.new_async_ops.len()
            + metadata.metadata.len();

        // A whole state has all the metadata there is; where it would be too large, the target sends the next change.
        let has_all = !metadata.metadata.is_empty() && metadata.metadata.len() >= self.names.len();
        let whole = first || place != Place::Later && has_all;
        if place != Place::Later {
            (self.asked, self.answered) = (now, has_all);
            if !has_all {
                // What does not change is not told of.
                self.tasks.lost = self.tasks.lost.max(1);
            }
        }
        self.names.learn(metadata);
        self.snapshot += u32::from(whole);
        let seen = Seen { snapshot: self.snapshot, whole, first, before };
        self.dropped.tasks = self.dropped.tasks.saturating_add(tasks.dropped_events);
        let lost = resources.dropped_events.saturating_add(operations.dropped_events);
        self.dropped.locks = self.dropped.locks.saturating_add(lost);
        self.operations.incomplete |= lost > 0;
        let (clock, names) = (&self.clock, &self.names);
        let places = &mut self.places;
        self.resources.learn(resources.new_resources, resources.stats_update, (clock, names, places), seen);
        self.tasks.learn(tasks.new_tasks, tasks.stats_update, (clock, names, places), seen);
        self.operations.learn(operations.new_async_ops, operations.stats_update, (clock, names), seen);
        self.operations.polled(&resources.new_poll_ops);
        if place == Place::Later && events < A_FEW {
            self.told = now;
        } else {
            let newest = self.tasks.newest.max(self.resources.newest).max(self.operations.newest);
            self.told = self.told.max(newest);
        }
        self.behind = events >= A_FEW || self.told.after(TICK) < now;
        // While nobody was connected, the polls of operations were not kept.
        let missed = self.operations.incomplete || place == Place::Connected && !first;
        self.follow(missed, self.changes, whole && !first);
        if place == Place::Later {
            self.changes = now;
        }
        if whole {
            let missing = self.sweep(seen);
            self.forgetful |= missing && place == Place::Renewed;
        }
        Ok(self.tell(whole))
    }

    /// Whether an update tells of anything that this decoder knows already.
    fn is_of_the_same_process(&self, update: &Update) -> bool {
        let at = |created: &Option<prost_types::Timestamp>| self.clock.stamp(created.as_ref());
        let mut tasks = update.task_update.iter().flat_map(|tasks| &tasks.stats_update);
        let mut resources = update.resource_update.iter().flat_map(|resources| &resources.stats_update);
        tasks.any(|(&span, stats)| at(&stats.created_at).is_some_and(|at| self.tasks.knows(span, at)))
            || resources.any(|(&span, stats)| at(&stats.created_at).is_some_and(|at| self.resources.knows(span, at)))
    }

    /// Works out from operations who waits for what, and who has got it. What was `missed` may be anything; otherwise what
    /// has changed has done so since `before`. `again` says that all is told again.
    fn follow(&mut self, missed: bool, before: Stamp, again: bool) {
        for past in self.operations.take_past() {
            self.forget(past);
        }
        let resources = &self.resources;
        let changes = self.operations.changes(|span| resources.lock(span).is_some());
        let mut acquired: HashMap<u64, Vec<Acquired>> = HashMap::new();
        for change in changes {
            if let (Some(how), Some(lock)) = (change.wants, self.resources.lock_mut(change.resource)) {
                if change.pending {
                    lock.waiting.insert(change.span, how == How::Alone);
                } else {
                    lock.waiting.remove(&change.span);
                }
                let awaited = !lock.waiting.is_empty();
                self.resources.changed.insert(change.resource);
                if awaited {
                    self.resources.awaited.insert(change.resource);
                } else {
                    self.resources.awaited.remove(&change.resource);
                }
                acquired.entry(change.resource).or_default().extend(change.acquired);
            }
            if change.wants.is_some() {
                let site = self.tasks.get(change.task).map_or(SiteId(0), |task| task.site);
                self.resources.sent_to_by(change.resource, site, &mut self.places);
            }
            if let Some(task) = self.tasks.get_mut(change.task) {
                let had = task.ops.contains(&change.span);
                if change.pending && task.ops.len() < MAX_OPERATIONS {
                    task.ops.insert(change.span);
                } else if !change.pending {
                    task.ops.remove(&change.span);
                }
                if had || change.pending {
                    self.tasks.changed.insert(change.task);
                }
            }
        }
        let now = self.clock.now;
        let spoke = std::mem::take(&mut self.resources.spoke);
        for span in &self.resources.changed.clone() {
            let attributes = self.resources.attributes.get(span).copied();
            let Some(lock) = self.resources.lock_mut(*span) else { continue };
            let mut acquired = acquired.remove(span).unwrap_or_default();
            acquired.sort_by_key(|one| one.at);
            // A whole state has all locks in it, those that changed and those that did not.
            let spoke = spoke.contains(span) && (!again || attributes.is_some_and(|new| new.differs(lock.attributes)));
            let since = if missed { Some(now) } else { spoke.then_some(before) };
            lock.read(attributes.unwrap_or(lock.attributes), &acquired, since, now);
        }
    }

    /// Forgets what a whole state did not name, and says whether a task was among that.
    fn sweep(&mut self, seen: Seen) -> bool {
        for past in self.operations.sweep(seen) {
            self.forget(past);
        }
        self.resources.sweep(seen);
        self.tasks.sweep(seen)
    }

    /// Nobody waits for that any more.
    fn forget(&mut self, Past { span, resource, task }: Past) {
        if let Some(lock) = self.resources.lock_mut(resource)
            && lock.waiting.remove(&span).is_some()
        {
            if lock.waiting.is_empty() {
                self.resources.awaited.remove(&resource);
            }
            self.resources.changed.insert(resource);
        }
        if let Some(known) = self.tasks.get_mut(task)
            && known.ops.remove(&span)
        {
            self.tasks.changed.insert(task);
        }
    }

    fn tell(&mut self, whole: bool) -> Batch {
        let (operations, resources) = (&self.operations, &self.resources);
        let (task_births, task_states) = self.tasks.tell(whole, |span, task, reading| {
            let mut pending = task.ops.iter().filter_map(|&op| Some((op, operations.get(op)?)));
            for (op, wait) in pending.by_ref().filter(|(_, op)| op.task == span && op.pending()) {
                let lock = |resource| resources.lock(resource).map(|lock| lock.id);
                let site = |resource| resources.get(resource).map_or(SiteId(0), |resource| resource.site);
                let Some(mut on) = operations.wait_for(op, lock, site) else { continue };
                if let Some(channel) = resources.lock(wait.resource).and_then(|lock| lock.channel) {
                    on = WaitFor::Send(channel);
                }
                if matches!(on, WaitFor::Timer(_)) && reading.waits.iter().any(|wait| wait.on == on) {
                    continue;
                }
                // What is not known to last may have been given up.
                reading.flags.more_waits |= !is_settled(wait) || reading.waits.len() == MAX_WAITS;
                if reading.waits.len() < MAX_WAITS {
                    reading.waits.push(Wait { on, site: SiteId(0), since: wait.since() });
                }
            }
            // Each of its waits has one waker of it; whoever has another one may wake it as well.
            let others = reading.wakers.is_some_and(|wakers| wakers as usize > reading.waits.len());
            reading.flags.more_waits |= (operations.incomplete || others) && !reading.waits.is_empty();
        });
        let (lock_births, channel_births, locks) = self.resources.tell(whole);
        let (told, now) = (self.told, self.clock.now);
        let id = |span| self.tasks.id(span);
        let (mut lock_states, mut channel_states) = (Vec::new(), Vec::new());
        for lock in locks.iter().filter_map(|&span| self.resources.lock(span)) {
            match lock.channel {
                Some(channel) => channel_states.push(lock.channel_reading(channel, id)),
                None => lock_states.push(lock.reading(told, now, id)),
            }
        }
        let (worker_states, gone_workers) = self.tell_polls();
        let in_time = self.told.after(TICK * 2) >= now;
        Batch {
            now: self.clock.now,
            snapshot_begin: whole,
            snapshot_end: whole,
            sites: self.places.births(whole),
            site_totals: self.tasks.tell_sites(whole, self.answered && !self.forgetful && in_time),
            task_births,
            task_states,
            lock_births,
            lock_states,
            channel_births,
            channel_states,
            oneshots: self.resources.oneshots.tell(whole),
            worker_states,
            gone_workers,
            gone_tasks: self.tasks.take_gone(),
            gone_locks: self.resources.take_gone(),
            gone_channels: self.resources.take_gone_channels(),
            loss: Some(self.loss()),
            ..Batch::default()
        }
    }

    /// Polls that are known to be in progress. Threads are not told; each task in a poll is in one of its own.
    fn tell_polls(&mut self) -> (Vec<WorkerReading>, Vec<WorkerId>) {
        let now = self.clock.now;
        let mut before = std::mem::take(&mut self.polls);
        let mut told = Vec::new();
        for &span in &self.tasks.running {
            let Some(task) = self.tasks.get(span).filter(|task| task.confirmed == now) else { continue };
            let id = before.remove(&span).unwrap_or_else(|| {
                self.next_poll += 1;
                WorkerId(self.next_poll)
            });
            self.polls.insert(span, id);
            let blocking = task.kind == TaskKind::Blocking;
            told.push(WorkerReading {
                id,
                kind: if blocking { WorkerKind::Blocking } else { WorkerKind::Untold },
                poll: Some((task.id, task.since)),
                ..WorkerReading::default()
            });
        }
        (told, before.into_values().collect())
    }

    fn loss(&self) -> Loss {
        Loss {
            tasks: self.dropped.tasks.saturating_add(self.tasks.lost),
            locks: self.dropped.locks.saturating_add(self.resources.lost),
            sites: self.places.lost,
            names: self.tasks.lost_names,
            details: self.operations.lost,
            ..Loss::default()
        }
    }
}

/// Whether an operation was still waited for a while after it began, so that it is not one that ends by itself or ended
/// unseen.
fn is_settled(wait: &operations::Operation) -> bool {
    wait.confirmed.since(wait.since()) >= LONG_WAIT
}

/// Of a whole state that was overtaken by a later update: what no other has.
fn only_polls(update: Update) -> Update {
    let polls = update.resource_update.map(|resources| resources.new_poll_ops).unwrap_or_default();
    let resource_update = Some(ResourceUpdate { new_poll_ops: polls, ..ResourceUpdate::default() });
    Update { now: update.now, resource_update, ..Update::default() }
}

/// A number that differs between any two processes, and is not 0.
fn identity(update: &Update) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let parts = |at: &Option<prost_types::Timestamp>| at.as_ref().map(|at| (at.seconds, at.nanos));
    let mut hasher = DefaultHasher::new();
    parts(&update.now).hash(&mut hasher);
    let tasks = update.task_update.iter().flat_map(|tasks| tasks.stats_update.iter());
    tasks.map(|(span, stats)| (parts(&stats.created_at), *span)).min().hash(&mut hasher);
    hasher.finish().max(1)
}
