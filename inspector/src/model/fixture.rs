//! A made-up target for tests: say what exists and what it does, let time go by, look at the model.
//!
//! ```ignore
//! let mut target = Fixture::new();
//! let site = target.lock_site("src/state.rs:12:9", "Mutex<State>");
//! let lock = target.lock(site);
//! target.every(Duration::from_millis(100), 20, |target, _tick| {
//!     target.lock_state(lock, |lock| lock.acquires += 50);
//! });
//! assert_eq!(target.model.locks[&lock].acquires_s.last(), Some(500.0));
//! ```
//!
//! Changes gather until [`Fixture::tick`] sends them as one update; the first update is a whole snapshot, so that what
//! is there before it counts as history. Readings are cumulative, as on the wire: closures change the last one.
use std::collections::HashMap;
use std::time::Duration;

use super::{
    Batch, ChannelBirth, ChannelId, ChannelKind, ChannelReading, CutShort, CutShortReading, Disposal, Disposed,
    LockBirth, LockId, LockKind, LockOrder, LockReading, Loss, Model, OneshotReading, OutputKind, Panic, Seen, Sight,
    SiteBirth, SiteId, SiteKind, SiteReading, Stack, StackCause, Stamp, Target, TaskBirth, TaskId, TaskReading,
    TaskState, WorkerId, WorkerReading,
};

/// A made-up target, and the model of it.
#[derive(Debug)]
pub struct Fixture {
    /// What the inspector knows.
    pub model: Model,
    /// The target's time.
    pub now: Stamp,
    batch: Batch,
    /// Births and last readings, for a snapshot and for the next change.
    births: Batch,
    sites: HashMap<SiteId, SiteReading>,
    tasks: HashMap<TaskId, TaskReading>,
    locks: HashMap<LockId, LockReading>,
    channels: HashMap<ChannelId, ChannelReading>,
    oneshots: HashMap<SiteId, OneshotReading>,
    workers: HashMap<WorkerId, WorkerReading>,
    next_id: u64,
}

impl Default for Fixture {
    fn default() -> Self {
        Self::new()
    }
}

impl Fixture {
    /// A target that has run for an hour and has nothing in it. All capabilities, nothing blind, slow polls from 10 ms.
    pub fn new() -> Self {
        Self::with_target(Target {
            address: "http://127.0.0.1:6670".into(),
            instance: 1,
            pid: 4242,
            app: "fixture".into(),
            probe_version: "0.1.0".into(),
            capabilities: [
                "tasks", "handles", "locks", "holders", "channels", "oneshots", "timers", "wakes", "panics", "workers",
            ]
            .map(str::to_owned)
            .into(),
            blind: Vec::new(),
            slow_poll: Duration::from_millis(10),
            tick: Duration::from_millis(100),
            cpus: 0,
        })
    }

    /// The same with another identity.
    pub fn with_target(target: Target) -> Self {
        Self {
            model: Model::new(target),
            now: Stamp(3_600_000_000_000),
            batch: Batch { snapshot_begin: true, snapshot_end: true, ..Batch::default() },
            births: Batch::default(),
            sites: HashMap::new(),
            tasks: HashMap::new(),
            locks: HashMap::new(),
            channels: HashMap::new(),
            oneshots: HashMap::new(),
            workers: HashMap::new(),
            next_id: 1,
        }
    }

    fn id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id - 1
    }

    fn site(&mut self, kind: SiteKind, location: &str, name: &str, output: OutputKind) -> SiteId {
        let id = SiteId(self.id() as u32);
        let birth = SiteBirth { id, kind, location: location.into(), name: name.into(), output };
        self.births.sites.push(birth.clone());
        self.batch.sites.push(birth);
        id
    }

    /// A place where tasks are spawned.
    pub fn spawn_site(&mut self, location: &str, name: &str, output: OutputKind) -> SiteId {
        self.site(SiteKind::Spawn, location, name, output)
    }

    /// A place where locks are made.
    pub fn lock_site(&mut self, location: &str, name: &str) -> SiteId {
        self.site(SiteKind::Lock, location, name, OutputKind::Unknown)
    }

    /// A place where channels are made.
    pub fn channel_site(&mut self, location: &str, name: &str) -> SiteId {
        self.site(SiteKind::Channel, location, name, OutputKind::Unknown)
    }

    /// A place where futures of that type are given a limit of time.
    pub fn timeout_site(&mut self, location: &str, future: &str) -> SiteId {
        self.site(SiteKind::Call, location, future, OutputKind::Unknown)
    }

    /// A place where something is awaited.
    pub fn call_site(&mut self, location: &str) -> SiteId {
        self.site(SiteKind::Call, location, "", OutputKind::Unknown)
    }

    /// A task spawned now, idle, with its handle held. The site's totals are not touched: see [`Fixture::totals`].
    pub fn task(&mut self, site: SiteId) -> TaskId {
        let id = TaskId(self.id());
        let birth = TaskBirth { id, site, spawned_at: self.now, ..TaskBirth::default() };
        self.births.task_births.push(birth.clone());
        self.batch.task_births.push(birth);
        let since = self.now;
        self.task_state(id, |task| {
            task.id = id;
            task.state = TaskState::Idle;
            task.state_since = since;
            task.flags.handle_held = true;
        });
        id
    }

    /// A mutex made now.
    pub fn lock(&mut self, site: SiteId) -> LockId {
        self.lock_of(LockKind::Mutex, site)
    }

    /// A lock of any kind, made now.
    pub fn lock_of(&mut self, kind: LockKind, site: SiteId) -> LockId {
        let id = LockId(self.id());
        let birth = LockBirth { id, kind, site, ..LockBirth::default() };
        self.births.lock_births.push(birth.clone());
        self.batch.lock_births.push(birth);
        self.lock_state(id, |lock| lock.id = id);
        id
    }

    /// A token made now, a child of `parent` unless that is 0.
    pub fn token(&mut self, site: SiteId, parent: LockId) -> LockId {
        let id = self.lock_of(LockKind::CancellationToken, site);
        for births in [&mut self.births.lock_births, &mut self.batch.lock_births] {
            births.iter_mut().filter(|birth| birth.id == id).for_each(|birth| birth.parent = parent);
        }
        id
    }

    /// An `mpsc` channel made now, bounded if it has a capacity, with one sender and one receiver.
    pub fn channel(&mut self, site: SiteId, capacity: Option<u64>) -> ChannelId {
        self.channel_of(if capacity.is_some() { ChannelKind::Mpsc } else { ChannelKind::MpscUnbounded }, site, capacity)
    }

    /// A channel of any kind, made now, with one sender and one receiver.
    pub fn channel_of(&mut self, kind: ChannelKind, site: SiteId, capacity: Option<u64>) -> ChannelId {
        let id = ChannelId(self.id());
        let birth = ChannelBirth { id, kind, site, name: "".into(), capacity, inferred: false };
        self.births.channel_births.push(birth.clone());
        self.batch.channel_births.push(birth);
        self.channel_state(id, |channel| {
            channel.id = id;
            channel.senders = 1;
            channel.receivers = 1;
        });
        id
    }

    /// A worker thread.
    pub fn worker(&mut self, name: &str) -> WorkerId {
        let id = WorkerId(self.id());
        self.worker_state(id, |worker| {
            worker.id = id;
            worker.name = name.into();
        });
        id
    }

    /// Changes the totals of a spawn site.
    pub fn totals(&mut self, site: SiteId, change: impl FnOnce(&mut SiteReading)) {
        let reading = self.sites.entry(site).or_insert_with(|| SiteReading { site, ..SiteReading::default() });
        change(reading);
        self.batch.site_totals.retain(|earlier| earlier.site != site);
        self.batch.site_totals.push(reading.clone());
    }

    /// Changes a task.
    pub fn task_state(&mut self, id: TaskId, change: impl FnOnce(&mut TaskReading)) {
        let reading = self.tasks.entry(id).or_default();
        change(reading);
        // One row of each per update, as on the wire.
        self.batch.task_states.retain(|earlier| earlier.id != id);
        self.batch.task_states.push(reading.clone());
    }

    /// Changes a lock.
    pub fn lock_state(&mut self, id: LockId, change: impl FnOnce(&mut LockReading)) {
        let reading = self.locks.entry(id).or_default();
        change(reading);
        // One row of each per update, as on the wire.
        self.batch.lock_states.retain(|earlier| earlier.id != id);
        self.batch.lock_states.push(reading.clone());
    }

    /// Changes a channel.
    pub fn channel_state(&mut self, id: ChannelId, change: impl FnOnce(&mut ChannelReading)) {
        let reading = self.channels.entry(id).or_default();
        change(reading);
        // One row of each per update, as on the wire.
        self.batch.channel_states.retain(|earlier| earlier.id != id);
        self.batch.channel_states.push(reading.clone());
    }

    /// Changes what became of the oneshot channels made at a site.
    pub fn oneshots(&mut self, site: SiteId, change: impl FnOnce(&mut OneshotReading)) {
        let reading = self.oneshots.entry(site).or_insert_with(|| OneshotReading { site, ..OneshotReading::default() });
        change(reading);
        self.batch.oneshots.retain(|earlier| earlier.site != site);
        self.batch.oneshots.push(reading.clone());
    }

    /// Changes a worker.
    pub fn worker_state(&mut self, id: WorkerId, change: impl FnOnce(&mut WorkerReading)) {
        change(self.workers.entry(id).or_default());
    }

    /// A hold of a lock is cut short.
    pub fn cut_short(&mut self, id: LockId, newest: CutShort) {
        let times = self.births.cut_shorts.iter().find(|earlier| earlier.lock == id).map_or(0, |earlier| earlier.times);
        let reading = CutShortReading { lock: id, times: times + 1, newest };
        for readings in [&mut self.births.cut_shorts, &mut self.batch.cut_shorts] {
            readings.retain(|earlier| earlier.lock != id);
            readings.push(reading);
        }
    }

    /// Somebody does away with something.
    pub fn disposal(&mut self, of: Disposed, disposal: Disposal) {
        for disposals in [&mut self.births.disposals, &mut self.batch.disposals] {
            disposals.retain(|(earlier, _)| *earlier != of);
            disposals.push((of, disposal));
        }
    }

    /// Something is seen to happen at a line, of what comes from `of`.
    pub fn seen(&mut self, what: Seen, of: SiteId, place: &str, cause: StackCause) {
        let (site, at) = (self.call_site(place), self.now);
        for sights in [&mut self.births.sights, &mut self.batch.sights] {
            sights.retain(|&(earlier, about, _)| (earlier, about) != (what, of));
            sights.push((what, of, Sight { at, site, cause }));
        }
    }

    /// Locks are taken in an order.
    pub fn lock_order(&mut self, order: LockOrder) {
        for orders in [&mut self.births.lock_orders, &mut self.batch.lock_orders] {
            orders.retain(|earlier| earlier.id != order.id);
            orders.push(order);
        }
    }

    /// A task panics.
    pub fn panic(&mut self, panic: Panic) {
        self.batch.panics.push(panic);
    }

    /// A poll does not end, and its stack is taken.
    pub fn stack(&mut self, stack: Stack) {
        self.batch.stacks.push(stack);
    }

    /// What is not shown one by one, from now on.
    pub fn loss(&mut self, loss: Loss) {
        self.batch.loss = Some(loss);
    }

    /// The task is no longer known.
    pub fn gone_task(&mut self, id: TaskId) {
        self.tasks.remove(&id);
        self.births.task_births.retain(|birth| birth.id != id);
        self.batch.gone_tasks.push(id);
    }

    /// The lock was dropped.
    pub fn gone_lock(&mut self, id: LockId) {
        self.locks.remove(&id);
        self.births.lock_births.retain(|birth| birth.id != id);
        self.batch.gone_locks.push(id);
    }

    /// The channel was dropped.
    pub fn gone_channel(&mut self, id: ChannelId) {
        self.channels.remove(&id);
        self.births.channel_births.retain(|birth| birth.id != id);
        self.batch.gone_channels.push(id);
    }

    /// Sends what has gathered, `after` the last update.
    pub fn tick(&mut self, after: Duration) {
        self.now = self.now.after(after);
        let mut batch = std::mem::take(&mut self.batch);
        batch.now = self.now;
        // As on the wire: all workers, every tick.
        batch.worker_states = self.workers.values().cloned().collect();
        self.model.apply(batch);
    }

    /// `times` updates, each `step` after the last; `change` is told its number, from 0, before each. The target's time
    /// during `change` is that of the update to come.
    pub fn every(&mut self, step: Duration, times: u32, mut change: impl FnMut(&mut Fixture, u32)) {
        for n in 0..times {
            self.now = self.now.after(step);
            change(self, n);
            self.tick(Duration::ZERO);
        }
    }

    /// Sends everything anew, as after a reconnection, `after` the last update. What was told gone while the link was
    /// down is simply not in it.
    pub fn snapshot(&mut self, after: Duration) {
        let changed = std::mem::take(&mut self.batch);
        self.batch = Batch {
            snapshot_begin: true,
            snapshot_end: true,
            site_totals: self.sites.values().cloned().collect(),
            task_states: self.tasks.values().cloned().collect(),
            lock_states: self.locks.values().cloned().collect(),
            channel_states: self.channels.values().cloned().collect(),
            oneshots: self.oneshots.values().cloned().collect(),
            panics: changed.panics,
            loss: changed.loss,
            ..self.births.clone()
        };
        self.tick(after);
    }
}
