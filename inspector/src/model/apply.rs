//! How one update changes the model.
//!
//! The work is proportional to the rows of the update; once a second of the target's time, also to the number of
//! locks, channels and sites. Nothing here scans the tasks, except to drop those that a fresh snapshot no longer has.
mod channels;
mod locks;
mod room;
mod sites;
mod tasks;
mod workers;

use std::collections::VecDeque;
use std::time::Duration;

use super::window::Window;
use super::{Batch, Beside, ChannelId, Cost, GivenNames, LockId, Loss, Model, Panic, Stack, Stamp, Target, TaskId};
use room::{MOST_ORDERS, Refused, Room, has_room};

/// Panics that are kept.
const PANICS: usize = 256;
/// Stacks that are kept.
const STACKS: usize = 64;
/// After so long without a word, what held before need not have held in between.
const BREAK: Duration = Duration::from_secs(2);

/// What `apply` remembers from one update to the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct Track {
    /// Number of the snapshot; what a snapshot did not name keeps an older one, and goes.
    pub(super) generation: u32,
    /// A snapshot has begun and has not ended. [`Model::now`] stands still meanwhile if something was known before, so
    /// that no old state is taken for one that has lasted until now.
    syncing: bool,
    /// The stream was silent for long before this snapshot.
    pub(super) broken: bool,
    /// When the update before this one was made; while a snapshot comes, the last one before it.
    pub(super) told: Stamp,
    /// Tasks with rates other than zero, by the time of a reading of theirs.
    lively: VecDeque<(Stamp, TaskId)>,
    /// Counters since attach.
    pub(super) polls: u64,
    pub(super) wakes: u64,
    pub(super) contended: u64,
    pub(super) seconds: super::seconds::Seconds,
    pub(super) queues: super::queues::Queues,
    pub(super) pauses: super::pause::Pauses,
    cost: Option<(Stamp, Duration)>,
    room: Room,
}

#[cfg(test)]
impl Track {
    /// Entries of tasks that have rates.
    pub(super) fn lively(&self) -> usize {
        self.lively.len()
    }
}

impl Model {
    /// A model of a target that has just been attached to; nothing is known of it yet.
    pub fn new(target: Target) -> Model {
        Model { target, ..Model::default() }
    }

    /// Takes one update in. What a row says of an entity whose birth is not known is left out.
    pub fn apply(&mut self, batch: Batch) {
        for (task, details) in &batch.answers {
            self.learn(*task, details);
        }
        let at = self.time_of(batch.now);
        if at != self.now {
            self.track.told = self.now;
        }
        if batch.snapshot_begin {
            self.track.generation = self.track.generation.wrapping_add(1);
            self.track.syncing = true;
            self.track.broken = self.complete && at.since(self.now) >= BREAK;
        }
        if !(self.track.syncing && self.complete) {
            self.advance(at);
        }

        for birth in batch.sites {
            self.site_birth(birth);
        }
        for reading in &batch.site_totals {
            self.site_reading(at, reading);
        }
        self.tasks.reserve(batch.task_births.len());
        for birth in batch.task_births {
            self.task_birth(at, birth);
        }
        for reading in batch.task_states {
            self.task_reading(at, reading);
        }
        for birth in batch.lock_births {
            self.lock_birth(birth);
        }
        for reading in &batch.lock_states {
            self.lock_reading(at, reading);
        }
        for reading in &batch.cut_shorts {
            self.cut_short_reading(at, reading);
        }
        for order in batch.lock_orders {
            let (known, kept) = (self.lock_orders.contains_key(&order.id), self.lock_orders.len());
            if has_room(known, kept, MOST_ORDERS, &mut self.track.room.refused.details) {
                self.lock_orders.insert(order.id, order);
            }
        }
        for birth in batch.channel_births {
            self.channel_birth(birth);
        }
        for reading in &batch.channel_states {
            self.channel_reading(at, reading);
        }
        // Whose site had no room is not kept either: one connection after the other may name more of them.
        for reading in &batch.oneshots {
            let Some(site) = self.sites.get_mut(&reading.site) else { continue };
            site.given = GivenNames::only(&reading.name);
            self.oneshots.entry(reading.site).or_default().read(reading, self.complete);
        }
        for (of, disposal) in batch.disposals {
            self.disposal(of, disposal);
        }
        let sights = batch.sights.into_iter().filter(|(_, of, _)| self.sites.contains_key(of));
        self.sights.extend(sights.map(|(what, of, sight)| ((what, of), sight)));
        for reading in batch.worker_states {
            self.worker_reading(at, reading);
        }
        if let Some(runtimes) = batch.runtimes {
            let (mut known, told) = (std::mem::take(&mut self.runtimes), self.track.told);
            let now = runtimes.into_iter().map(|reading| {
                let id = reading.id;
                (id, known.remove(&id).unwrap_or_default().read(at, told, reading))
            });
            self.runtimes = now.collect();
        }
        for panic in batch.panics {
            self.panic(panic);
        }
        for stack in batch.stacks {
            self.stack(stack);
        }
        for id in batch.gone_tasks {
            self.remove_task(id);
        }
        for id in batch.gone_locks {
            self.remove_lock(id);
        }
        for id in batch.gone_channels {
            self.remove_channel(id);
        }
        for id in batch.gone_workers {
            self.workers.remove(&id);
        }
        if let Some(loss) = batch.loss {
            let Refused { tasks, locks, channels, sites, details, names } = self.track.room.refused;
            self.loss = Loss {
                tasks: loss.tasks.saturating_add(tasks),
                locks: loss.locks.saturating_add(locks),
                channels: loss.channels.saturating_add(channels),
                sites: loss.sites.saturating_add(sites),
                names: loss.names.saturating_add(names),
                details: loss.details.saturating_add(details),
                ..loss
            };
        }
        if let Some(cost) = batch.cost {
            self.cost_reading(at, cost);
        }

        if batch.snapshot_end && self.track.syncing {
            self.end_snapshot(at);
        }
        if self.complete && !self.track.syncing {
            self.calm_down();
            self.tidy_queues();
            self.settle();
            self.meet_holders();
            self.take_seconds();
            self.count_namesakes();
        }
    }

    fn end_snapshot(&mut self, at: Stamp) {
        let generation = self.track.generation;
        // Also of the first: one before it may have been broken off, and what that named may have ended since.
        let gone: Vec<TaskId> =
            self.tasks.values().filter(|task| task.track.generation != generation).map(|task| task.id).collect();
        for id in gone {
            self.remove_task(id);
        }
        let gone = self.locks.values().filter(|lock| lock.track.generation != generation).map(|lock| lock.id);
        for id in gone.collect::<Vec<LockId>>() {
            self.remove_lock(id);
        }
        let gone = self.channels.values().filter(|channel| channel.track.generation != generation);
        for id in gone.map(|channel| channel.id).collect::<Vec<ChannelId>>() {
            self.remove_channel(id);
        }
        self.workers.retain(|_, worker| worker.track.generation == generation);
        self.advance(at);
        self.track.syncing = false;
        self.track.broken = false;
        self.complete = true;
    }

    fn panic(&mut self, panic: Panic) {
        if self.panics.iter().any(|known| known.task == panic.task && known.at == panic.at) {
            return;
        }
        if self.panics.len() == PANICS {
            self.panics.remove(0);
        }
        self.panics.push(panic);
    }

    fn stack(&mut self, mut stack: Stack) {
        stack.told = self.now;
        let polls = self.workers.values().filter(|worker| worker.id != stack.worker).filter_map(|worker| worker.poll);
        let before = polls.filter(|&(_, since)| since < stack.poll_started).filter_map(|(id, _)| self.tasks.get(&id));
        stack.beside = before.map(|task| Beside { task: task.id, spawned: task.site }).collect();
        let same = |known: &Stack| (known.worker, known.poll_started) == (stack.worker, stack.poll_started);
        // It may come late, when they have ended.
        if let Some(known) = self.stacks.iter_mut().find(|known| same(known)).filter(|_| stack.beside.is_empty()) {
            stack.beside = std::mem::take(&mut known.beside);
        }
        self.stacks.retain(|known| (known.worker, known.poll_started) != (stack.worker, stack.poll_started));
        if self.stacks.len() == STACKS {
            self.stacks.remove(0);
        }
        self.stacks.push(stack);
    }

    fn cost_reading(&mut self, at: Stamp, mut cost: Cost) {
        cost.cpu_share = self.cost.cpu_share;
        match self.track.cost {
            Some((since, before)) if at.since(since) >= Window::SPAN => {
                cost.cpu_share = cost.cpu.saturating_sub(before).as_secs_f64() / at.since(since).as_secs_f64();
                self.track.cost = Some((at, cost.cpu));
            }
            Some(_) => {}
            None => self.track.cost = Some((at, cost.cpu)),
        }
        self.cost = cost;
    }
}
