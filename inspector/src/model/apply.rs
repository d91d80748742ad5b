//! How one update changes the model.
//!
//! The work is proportional to the rows of the update; once a second of the target's time, also to the number of
//! locks, channels and sites. Nothing here scans the tasks, except to drop those that a fresh snapshot no longer has.
use std::collections::VecDeque;
use std::time::Duration;

use super::window::{Rates, Window};
use super::{
    Batch, Channel, ChannelBirth, ChannelReading, Cost, Holder, Lock, LockBirth, LockReading, Model, Panic, Site,
    SiteBirth, SiteReading, SlowPoll, Stack, Stamp, SuspendedHold, Target, Task, TaskBirth, TaskId, TaskReading,
    TaskState, Worker, WorkerDetail, WorkerReading,
};

/// Slow polls and suspended holds that are kept of one site or lock.
const RECENT: usize = 64;
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
}

impl Model {
    /// A model of a target that has just been attached to; nothing is known of it yet.
    pub fn new(target: Target) -> Model {
        Model { target, ..Model::default() }
    }

    /// Takes one update in. What a row says of an entity whose birth is not known is left out.
    pub fn apply(&mut self, batch: Batch) {
        let at = self.time_of(batch.now);
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
            self.lock_reading(reading);
        }
        for birth in batch.channel_births {
            self.channel_birth(birth);
        }
        for reading in &batch.channel_states {
            self.channel_reading(at, reading);
        }
        for reading in &batch.oneshots {
            let new = self.complete;
            self.oneshots.entry(reading.site).or_default().read(reading, new);
        }
        for reading in batch.worker_states {
            self.worker_reading(at, reading);
        }
        if let Some(runtimes) = batch.runtimes {
            let mut known = std::mem::take(&mut self.runtimes);
            let now = runtimes.into_iter().map(|reading| {
                let id = reading.id;
                (id, known.remove(&id).unwrap_or_default().read(at, reading))
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
            self.locks.remove(&id);
        }
        for id in batch.gone_channels {
            self.channels.remove(&id);
        }
        for id in batch.gone_workers {
            self.workers.remove(&id);
        }
        if let Some(loss) = batch.loss {
            self.loss = loss;
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
            self.take_seconds();
        }
    }

    fn end_snapshot(&mut self, at: Stamp) {
        let generation = self.track.generation;
        if self.complete {
            let gone: Vec<TaskId> =
                self.tasks.values().filter(|task| task.track.generation != generation).map(|task| task.id).collect();
            for id in gone {
                self.remove_task(id);
            }
            self.locks.retain(|_, lock| lock.track.generation == generation);
            self.channels.retain(|_, channel| channel.track.generation == generation);
            self.workers.retain(|_, worker| worker.track.generation == generation);
        }
        self.advance(at);
        self.track.syncing = false;
        self.track.broken = false;
        self.complete = true;
    }

    fn site_birth(&mut self, birth: SiteBirth) {
        let SiteBirth { id, kind, location, name, output } = birth;
        let complete = self.complete;
        let site = self.sites.entry(id).or_insert_with(|| {
            // Of a site that comes later, everything is new.
            let mut site = Site { counted: complete.then_some([0; 3]), ..Site::default() };
            if complete {
                site.live_s.push(0.0);
                site.unjoined_s.push(0.0);
            }
            site
        });
        *site = Site { id, kind, location, name, output, ..std::mem::take(site) };
    }

    fn site_reading(&mut self, at: Stamp, reading: &SiteReading) {
        let complete = self.complete;
        let Some(site) = self.sites.get_mut(&reading.site) else { return };
        // What happened before attach is not recent; of a site that came later, everything is.
        if site.seen || complete {
            let count = reading.slow_polls.saturating_sub(site.slow_polls);
            if count > 0 {
                let took = reading.last_slow_poll;
                let rose = reading.max_poll > site.max_poll;
                site.recent_slow.push(SlowPoll {
                    at: reading.last_slow_poll_at.min(at),
                    took,
                    task: reading.last_slow_poll_task,
                    count,
                    total: reading.slow_poll_total.saturating_sub(site.slow_poll_total),
                    longest: if rose { reading.max_poll.max(took) } else { took },
                });
                if site.recent_slow.len() > RECENT {
                    site.recent_slow.remove(0);
                }
            }
            let seen = |rose: bool, last: &mut Option<Stamp>| {
                if rose {
                    *last = Some(at);
                }
            };
            seen(reading.handles_dropped > site.handles_dropped, &mut site.last_handle_dropped);
            seen(reading.errors_lost > site.errors_lost, &mut site.last_error_lost);
            seen(reading.panics_lost > site.panics_lost, &mut site.last_panic_lost);
        }
        site.seen = true;
        site.spawned = reading.spawned;
        site.finished = reading.finished;
        site.shed = reading.shed;
        site.finished_busy = reading.finished_busy;
        site.finished_polls = reading.finished_polls;
        site.max_poll = reading.max_poll;
        site.slow_polls = reading.slow_polls;
        site.slow_poll_total = reading.slow_poll_total;
        site.handles_dropped = reading.handles_dropped;
        site.errors_lost = reading.errors_lost;
        site.panics = reading.panics;
        site.panics_lost = reading.panics_lost;
        site.aborted = reading.aborted;
    }

    fn task_birth(&mut self, at: Stamp, birth: TaskBirth) {
        // A fresh snapshot names tasks that are known already: they keep their readings.
        let mut task = self.remove_task(birth.id).unwrap_or_else(|| {
            // Born under our eyes, its counters began with it; otherwise the first reading is the baseline.
            let window = Window::starting(birth.spawned_at.min(at), Duration::ZERO, 0);
            let mut task = Task { state_since: birth.spawned_at, ..Task::default() };
            task.track.window = window;
            task.track.seen = self.complete;
            task
        });
        task.id = birth.id;
        task.kind = birth.kind;
        task.site = birth.site;
        task.name = birth.name;
        task.spawned_at = birth.spawned_at;
        task.future_bytes = birth.future_bytes;
        task.parent = birth.parent;
        task.track.generation = self.track.generation;
        self.states.add(task.state);
        if let Some(site) = self.sites.get_mut(&task.site) {
            site.states.add(task.state);
            site.detached += u64::from(task.detached());
            site.unjoined += u64::from(task.unjoined());
            site.future_bytes = site.future_bytes.max(task.future_bytes);
        }
        self.scopes.enter(&task);
        self.tasks.insert(task);
    }

    fn remove_task(&mut self, id: TaskId) -> Option<Task> {
        let task = self.tasks.remove(&id)?;
        self.scopes.leave(&task);
        self.track.queues.forget(id);
        self.states.remove(task.state);
        if let Some(site) = self.sites.get_mut(&task.site) {
            site.states.remove(task.state);
            site.detached -= u64::from(task.detached()).min(site.detached);
            site.unjoined -= u64::from(task.unjoined()).min(site.unjoined);
        }
        Some(task)
    }

    fn task_reading(&mut self, at: Stamp, reading: TaskReading) {
        let Some(task) = self.tasks.get_mut(&reading.id) else { return };
        if task.state != reading.state {
            self.states.remove(task.state);
            self.states.add(reading.state);
            if let Some(site) = self.sites.get_mut(&task.site) {
                site.states.remove(task.state);
                site.states.add(reading.state);
            }
        }
        let (was_detached, was_unjoined) = (task.detached(), task.unjoined());
        if task.track.seen {
            let wakes = reading.wakes.saturating_sub(task.wakes);
            self.track.wakes = self.track.wakes.wrapping_add(wakes);
            if !self.target.sees("workers") {
                self.track.polls = self.track.polls.wrapping_add(reading.polls.saturating_sub(task.polls));
            }
        } else {
            task.track.seen = true;
            task.track.window = Window::starting(at, reading.busy, reading.polls);
        }
        task.track.generation = self.track.generation;
        task.state = reading.state;
        task.state_since = reading.state_since;
        task.polls = reading.polls;
        task.busy = reading.busy;
        task.max_poll = reading.max_poll;
        task.wakes = reading.wakes;
        task.self_wakes = reading.self_wakes;
        task.sched_total = reading.sched_total;
        task.sched_max = reading.sched_max;
        task.flags = reading.flags;
        task.waits = reading.waits;
        task.wakers = reading.wakers;
        if (task.token, task.tracker) != (reading.token, reading.tracker) || task.state.ended() {
            self.scopes.leave(task);
            (task.token, task.tracker) = (reading.token, reading.tracker);
            self.scopes.enter(task);
        }
        if was_detached != task.detached()
            && let Some(site) = self.sites.get_mut(&task.site)
        {
            site.detached = if was_detached { site.detached.saturating_sub(1) } else { site.detached + 1 };
        }
        if was_unjoined != task.unjoined()
            && let Some(site) = self.sites.get_mut(&task.site)
        {
            site.unjoined = if was_unjoined { site.unjoined.saturating_sub(1) } else { site.unjoined + 1 };
        }
        // A poll in progress is counted from its worker's row.
        let (busy, polls) = (task.busy, task.polls);
        if task.state == TaskState::Running {
            read_rates(task, at, busy.saturating_add(at.since(task.state_since)), polls, &mut self.track.lively);
        } else {
            read_rates(task, at, busy, polls, &mut self.track.lively);
        }
        self.track.queues.note(task, at);
    }

    fn lock_birth(&mut self, birth: LockBirth) {
        let LockBirth { id, kind, site, name, parent } = birth;
        let complete = self.complete;
        let lock = self.locks.entry(id).or_insert_with(|| {
            let mut lock = Lock::default();
            lock.track.seen = complete;
            lock
        });
        lock.id = id;
        lock.kind = kind;
        lock.site = site;
        lock.name = name;
        lock.parent = parent;
        lock.track.generation = self.track.generation;
    }

    fn lock_reading(&mut self, reading: &LockReading) {
        let Some(lock) = self.locks.get_mut(&reading.id) else { return };
        if lock.track.seen {
            // To wait for a permit or a notification is what those are for.
            if lock.kind.guards() {
                let contended = reading.contended.saturating_sub(lock.contended);
                self.track.contended = self.track.contended.wrapping_add(contended);
            }
            let count = reading.suspended_holds.saturating_sub(lock.suspended_holds);
            if count > 0 {
                lock.recent_suspended.push(SuspendedHold {
                    at: reading.last_suspended_at,
                    took: reading.last_suspended,
                    site: reading.last_suspended_site,
                    waiters: reading.last_suspended_waiters,
                    count,
                });
                if lock.recent_suspended.len() > RECENT {
                    lock.recent_suspended.remove(0);
                }
            }
        } else {
            lock.track.seen = true;
            lock.permits_before = (reading.permits_total, reading.forgotten);
            lock.track.acquires = reading.acquires;
            lock.track.contended = reading.contended;
            lock.track.wait_total = reading.wait_total;
            lock.wait_hist_window = reading.wait_hist;
            lock.hold_hist_window = reading.hold_hist;
        }
        if lock.permits_before == (0, 0) && lock.acquires == 0 {
            // Made while attached.
            lock.permits_before = (reading.permits_total, reading.forgotten);
        }
        lock.track.generation = self.track.generation;
        lock.holder = reading.holder;
        lock.holder_site = reading.holder_site;
        lock.held_since = reading.held_since;
        lock.holders.clone_from(&reading.holders);
        lock.holder_count = reading.holder_count;
        if let (true, Some(since)) = (reading.holders.is_empty(), reading.held_since) {
            let (task, site) = (reading.holder, reading.holder_site);
            lock.holders.push(Holder { task, site, since, permits: 1, exclusive: true });
            lock.holder_count = lock.holder_count.max(1);
        }
        lock.permits_total = reading.permits_total;
        lock.permits_available = reading.permits_available;
        lock.forgotten = reading.forgotten;
        lock.closed = reading.closed;
        lock.closed_at = reading.closed_at;
        lock.closed_site = reading.closed_site;
        lock.closed_by = reading.closed_by;
        lock.waiting_writers = reading.waiting_writers;
        lock.lost_notifies = reading.lost_notifies;
        lock.last_lost_notify_at = reading.last_lost_notify_at;
        lock.last_lost_notify_site = reading.last_lost_notify_site;
        lock.waiters = reading.waiters;
        lock.acquires = reading.acquires;
        lock.contended = reading.contended;
        lock.wait_total = reading.wait_total;
        lock.wait_max = reading.wait_max;
        lock.wait_hist = reading.wait_hist;
        lock.hold_total = reading.hold_total;
        lock.hold_max = reading.hold_max;
        lock.hold_max_site = reading.hold_max_site;
        lock.hold_hist = reading.hold_hist;
        lock.suspended_holds = reading.suspended_holds;
    }

    fn channel_birth(&mut self, birth: ChannelBirth) {
        let ChannelBirth { id, kind, site, name, capacity, inferred } = birth;
        let complete = self.complete;
        let channel = self.channels.entry(id).or_insert_with(|| {
            let mut channel = Channel::default();
            channel.track.seen = complete;
            if complete {
                // It has just been made.
                channel.depth_s.push(0.0);
            }
            channel
        });
        channel.id = id;
        channel.kind = kind;
        channel.site = site;
        channel.name = name;
        channel.capacity = capacity;
        channel.inferred = inferred;
        if self.track.broken {
            channel.saturated_since = None;
            channel.track.saturated_mark = None;
        }
        channel.track.generation = self.track.generation;
    }

    fn channel_reading(&mut self, at: Stamp, reading: &ChannelReading) {
        let Some(channel) = self.channels.get_mut(&reading.id) else { return };
        if !channel.track.seen {
            channel.track.seen = true;
            channel.track.sent = reading.sent;
            channel.track.received = reading.received;
        }
        channel.track.generation = self.track.generation;
        channel.sent = reading.sent;
        channel.received = reading.received;
        channel.lagged = reading.lagged;
        channel.messages_lost = reading.messages_lost;
        channel.last_lag_at = reading.last_lag_at;
        channel.last_lag_task = reading.last_lag_task;
        channel.last_lag_site = reading.last_lag_site;
        channel.unheard = reading.unheard;
        channel.blocked_senders = reading.blocked_senders;
        channel.sends_blocked = reading.sends_blocked;
        channel.send_wait_total = reading.send_wait_total;
        channel.senders = reading.senders;
        channel.receivers = reading.receivers;
        channel.closed = reading.closed;
        channel.last_recv_at = reading.last_recv_at;
        channel.receiver_task = reading.receiver_task;
        channel.recv_site = reading.recv_site;
        channel.last_send_at = reading.last_send_at;
        channel.sender_task = reading.sender_task;
        channel.send_site = reading.send_site;
        channel.count_saturated(at);
        if channel.saturated() {
            channel.saturated_since.get_or_insert(at);
            channel.track.saturated_mark = Some(at);
        } else {
            channel.saturated_since = None;
            channel.track.saturated_mark = None;
        }
    }

    fn worker_reading(&mut self, at: Stamp, reading: WorkerReading) {
        let WorkerReading { id, kind, name, poll, polls, busy, cpu_wait, poll_cpu_wait, .. } = reading;
        let WorkerReading { parks, steals, awake, local_queue, .. } = reading;
        let running = poll.map_or(Duration::ZERO, |(_, since)| at.since(since));
        let effective = busy.saturating_add(running);
        let worker = self.workers.entry(id).or_insert_with(|| {
            let mut worker = Worker::default();
            worker.track.window = if self.complete {
                // A thread that started since the last update.
                Window::starting(at.before(Window::SPAN), Duration::ZERO, 0)
            } else {
                self.track.polls = self.track.polls.wrapping_sub(polls);
                Window::starting(at, effective, polls)
            };
            worker
        });
        self.track.polls = self.track.polls.wrapping_add(polls.saturating_sub(worker.polls));
        let rates = worker.track.window.read(at, effective, polls);
        worker.track.generation = self.track.generation;
        worker.id = id;
        worker.kind = kind;
        worker.name = name;
        worker.poll = poll;
        worker.polls = polls;
        worker.busy = busy;
        worker.poll_cpu_wait = poll_cpu_wait;
        worker.cpu_wait_share = worker.track.cpu_wait.replace((cpu_wait, at)).map_or(0.0, |(before, then)| {
            let waited = cpu_wait.saturating_sub(before).as_secs_f64();
            (waited / at.since(then).as_secs_f64().max(0.001)).min(1.0)
        });
        worker.cpu_wait_lately += (worker.cpu_wait_share - worker.cpu_wait_lately) * 0.15;
        worker.busy_share = rates.busy_share;
        worker.polls_per_s = rates.polls_per_s;
        let window = worker.track.parks.get_or_insert_with(|| Window::starting(at, awake, parks));
        let parked = window.read(at, awake, parks);
        worker.parks_per_s = parked.polls_per_s;
        worker.detail = local_queue.map(|local_queue| {
            let window = worker.track.steals.get_or_insert_with(|| Window::starting(at, Duration::ZERO, steals));
            let steals_per_s = window.read(at, Duration::ZERO, steals).polls_per_s;
            WorkerDetail { local_queue, steals_per_s, awake_share: parked.busy_share }
        });

        // A task in a long poll sends no rows; its share rises all the same.
        if let Some((id, since)) = poll
            && let Some(task) = self.tasks.get_mut(&id)
            && task.state == TaskState::Running
            && task.track.seen
            && task.track.window.last_at() < at
        {
            let (busy, polls) = (task.busy.saturating_add(at.since(since)), task.polls);
            read_rates(task, at, busy, polls, &mut self.track.lively);
        }
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

    fn stack(&mut self, stack: Stack) {
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

    /// Clears the rates of tasks that have not changed for a second.
    fn calm_down(&mut self) {
        let quiet = self.now.before(Window::SPAN);
        while let Some(&(queued_at, id)) = self.track.lively.front() {
            if queued_at > quiet {
                break;
            }
            self.track.lively.pop_front();
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            if task.track.window.last_at() > quiet {
                self.track.lively.push_back((self.now, id));
            } else {
                task.busy_share = 0.0;
                task.polls_per_s = 0.0;
                task.track.queued = false;
            }
        }
    }
}

fn read_rates(task: &mut Task, at: Stamp, busy: Duration, polls: u64, lively: &mut VecDeque<(Stamp, TaskId)>) {
    let Rates { busy_share, polls_per_s } = task.track.window.read(at, busy, polls);
    task.busy_share = busy_share;
    task.polls_per_s = polls_per_s;
    if !task.track.queued && (busy_share > 0.0 || polls_per_s > 0.0) {
        task.track.queued = true;
        lively.push_back((at, task.id));
    }
}

impl Channel {
    /// Counts the time since the last reading, if it was at capacity then.
    pub(super) fn count_saturated(&mut self, at: Stamp) {
        if let Some(mark) = self.track.saturated_mark {
            self.track.saturated = self.track.saturated.saturating_add(at.since(mark));
            self.track.saturated_mark = Some(at);
        }
    }
}
