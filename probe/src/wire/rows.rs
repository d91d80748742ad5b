//! One row of each table.
use std::{
    panic::Location,
    sync::atomic::Ordering::{Acquire, Relaxed},
};

use async_inspect_proto::{
    task_flags,
    v1::{
        self, ChannelKind, DisposalKind, DropKind, LockKind, SiteTotals, StackCause, TaskKind, TaskState, WaitKind,
        WorkerKind,
    },
};

use super::{Dictionary, Messages};
use crate::recorder::{
    self,
    channel::{ChannelKind as RecordedChannel, ChannelReading},
    clock::{duration_ns, since_start_ns},
    cpu_wait::CpuShown,
    disposal::DisposalReading,
    handle::flag,
    holds::HoldsReading,
    lock::{LockKind as RecordedLock, LockReading},
    names,
    order::OrderReading,
    panic::PanicRecord,
    runtimes::{RuntimeReading, WorkerDetail},
    site::Site,
    task::{Stage, TaskReading},
    thread::{self, WorkerReading},
    totals::Total,
    wait::WaitKind as RecordedWait,
    waker,
};
use crate::stacks::{Frame, Sight, Stack};

impl Messages {
    /// What stays as it is in a task's life.
    pub(crate) fn task_birth(&mut self, task: &TaskReading, dictionary: &mut Dictionary) {
        let (site, name) = (dictionary.site(task.site), dictionary.string(names::text(task.name)));
        let births = self.room_for(48).task_births.get_or_insert_default();
        births.id.push(task.id.cast_signed());
        births.kind.push(TaskKind::try_from(i32::from(task.kind)).unwrap_or_default().into());
        births.site.push(site);
        births.name.push(name);
        births.spawned_at_ns.push(since_start_ns(task.spawned_at).cast_signed());
        births.future_bytes.push(task.site.info.future_bytes);
        births.parent.push(task.parent.cast_signed());
    }

    /// What a task does now; `running_since` in ticks, when a worker has it.
    pub(crate) fn task_state(&mut self, task: &TaskReading, running_since: Option<u64>, dictionary: &mut Dictionary) {
        let waits: Vec<_> = task.waits.iter().flatten().map(|wait| (wait, dictionary.call_site(wait.site))).collect();
        let states = self.room_for(100 + 32 * waits.len()).task_states.get_or_insert_default();
        let (state, since) = state(task, running_since);
        let since_ns = since_start_ns(since);
        states.id.push(task.id.cast_signed());
        states.state.push(state.into());
        states.state_since_ns.push(since_ns.cast_signed());
        states.polls.push(task.polls);
        states.busy_ns.push(duration_ns(task.busy));
        states.max_poll_ns.push(duration_ns(task.max_poll));
        states.wakes.push(task.wakes);
        states.self_wakes.push(task.self_wakes);
        states.sched_total_ns.push(duration_ns(task.sched_total));
        states.sched_max_ns.push(duration_ns(task.sched_max));
        states.sched_p99_bucket.push(task.sched_p99.map_or(0, |bucket| bucket as u32 + 1));
        states.flags.push(flags(task));
        states.waits.push(waits.len() as u32);
        states.wakers_plus_one.push(task.wakers.map_or(0, |wakers| wakers + 1));
        states.token.push(task.token);
        states.tracker.push(task.tracker);
        for (wait, site) in waits {
            if [RecordedWait::Oneshot, RecordedWait::OneshotClosed].map(|kind| kind as u8).contains(&wait.kind)
                && let Some(made) = recorder::active().and_then(|recorder| recorder.sites.by_id(wait.on))
            {
                dictionary.site(made);
            }
            states.wait_kind.push(WaitKind::try_from(i32::from(wait.kind)).unwrap_or_default().into());
            states.wait_for.push(wait.on);
            states.wait_site.push(site);
            states.wait_before_ns.push(since_ns.wrapping_sub(since_start_ns(wait.since)).cast_signed());
        }
    }

    /// A lock, new to the reader.
    pub(crate) fn lock_birth(&mut self, lock: &LockReading, dictionary: &mut Dictionary) {
        let (site, name) = (dictionary.site(lock.site), dictionary.string(names::text(lock.name)));
        let births = self.room_for(40).lock_births.get_or_insert_default();
        births.id.push(lock.id.cast_signed());
        births.kind.push(LockKind::try_from(i32::from(lock.kind)).unwrap_or_default().into());
        births.site.push(site);
        births.name.push(name);
        births.parent.push(lock.ending.map_or(0, |ending| ending.parent));
    }

    /// A lock now.
    pub(crate) fn lock_state(&mut self, lock: &LockReading, dictionary: &mut Dictionary) {
        let shared = lock.holds.clone().unwrap_or_default();
        let listed: Vec<_> =
            shared.listed.iter().flatten().map(|hold| (hold, dictionary.call_site(hold.site))).collect();
        let (holder, holder_site, held_since) = holder(lock, &shared);
        let holder_site = dictionary.call_site(holder_site);
        let hold_max_site = dictionary.call_site(lock.hold_max_site);
        let last_suspended_site = dictionary.call_site(lock.last_suspended_site);
        let closed_site = dictionary.call_site(lock.ending.and_then(|ending| ending.site));
        let states = self.room_for(420 + 32 * listed.len()).lock_states.get_or_insert_default();
        states.id.push(lock.id.cast_signed());
        states.holder.push(holder);
        states.holder_site.push(holder_site);
        states.held_since_ns.push(since_start_ns(held_since));
        states.waiters.push(lock.waiters);
        states.acquires.push(lock.acquires);
        states.contended.push(lock.contended);
        states.wait_total_ns.push(duration_ns(lock.wait_total));
        states.wait_max_ns.push(duration_ns(lock.wait_max));
        states.wait_buckets.extend(lock.wait_counts);
        states.hold_total_ns.push(duration_ns(lock.hold_total));
        states.hold_max_ns.push(duration_ns(lock.hold_max));
        states.hold_max_site.push(hold_max_site);
        states.hold_buckets.extend(lock.hold_counts);
        let is_notify = lock.kind == RecordedLock::Notify as u8;
        let (suspended, lost) = if is_notify { (0, lock.suspended_holds) } else { (lock.suspended_holds, 0) };
        let (suspended_at, lost_at) = if is_notify { (0, lock.last_suspended_at) } else { (lock.last_suspended_at, 0) };
        let (suspended_site, lost_site) = if is_notify { (0, last_suspended_site) } else { (last_suspended_site, 0) };
        states.suspended_holds.push(suspended);
        states.last_suspended_ns.push(duration_ns(lock.last_suspended));
        states.last_suspended_at_ns.push(since_start_ns(suspended_at));
        states.last_suspended_site.push(suspended_site);
        states.last_suspended_waiters.push(lock.last_suspended_waiters);
        let held = u32::from(lock.holds.is_none() && lock.held_since != 0);
        let (total, available) = if lock.holds.is_some() { (shared.total, shared.available) } else { permits(lock) };
        states.permits_total.push(total);
        states.permits_available.push(available);
        states.holders.push(held + shared.holders + lock.ending.map_or(0, |ending| ending.members));
        states.waiting_writers.push(if is_notify { lock.waiting_at_once } else { shared.waiting_writers });
        states.closed.push(shared.closed || lock.ending.is_some() && lock.ready);
        states.closed_at_ns.push(since_start_ns(lock.ending.map_or(0, |ending| ending.at)));
        states.closed_site.push(closed_site);
        states.closed_by.push(lock.ending.map_or(0, |ending| ending.by));
        states.forgotten.push(shared.forgotten);
        states.lost_notifies.push(lost);
        states.last_lost_notify_at_ns.push(since_start_ns(lost_at));
        states.last_lost_notify_site.push(lost_site);
        states.holder_may_move.push(lock.may_move);
        states.holds.push(listed.len() as u32);
        for (hold, site) in listed {
            states.hold_task.push(hold.task);
            states.hold_site.push(site);
            states.hold_since_ns.push(since_start_ns(hold.since));
            states.hold_permits.push(hold.permits);
            states.hold_exclusive.push(hold.exclusive);
        }
        self.disposal(DisposalKind::Permits, lock.id, lock.forgot, dictionary);
    }

    /// Holds of a lock that were cut short, if there were any.
    pub(crate) fn cut_short(&mut self, lock: &LockReading, dictionary: &mut Dictionary) {
        let Some(newest) = lock.cut_short else { return };
        let (site, dropped_site) = (dictionary.call_site(newest.site), dictionary.call_site(newest.dropped_at));
        let rows = self.room_for(48).cut_shorts.get_or_insert_default();
        rows.lock.push(lock.id);
        rows.times.push(newest.times);
        rows.held_ns.push(duration_ns(newest.held));
        rows.at_ns.push(since_start_ns(newest.at));
        rows.site.push(site);
        rows.by.push(DropKind::try_from(i32::from(newest.by)).unwrap_or_default().into());
        rows.dropped_site.push(dropped_site);
    }

    /// Who did away with something last: with `of`, as `kind` says. Nothing where that never happened.
    fn disposal(&mut self, kind: DisposalKind, of: u64, newest: Option<DisposalReading>, dictionary: &mut Dictionary) {
        let Some(newest) = newest else { return };
        let by_site = newest.spawned.map_or(0, |spawned| dictionary.site(spawned));
        let call_site = dictionary.call_site(newest.site);
        let rows = self.room_for(40).disposals.get_or_insert_default();
        rows.kind.push(kind.into());
        rows.of.push(of);
        rows.at_ns.push(since_start_ns(newest.at));
        rows.by.push(newest.by);
        rows.by_site.push(by_site);
        rows.call_site.push(call_site);
    }

    /// An order in which locks were taken.
    pub(crate) fn lock_order(&mut self, id: u32, order: &OrderReading, dictionary: &mut Dictionary) {
        let (first, second) = (dictionary.site(order.first), dictionary.site(order.second));
        let first_site = dictionary.call_site(order.first_site);
        let second_site = dictionary.call_site(order.second_site);
        let orders = self.room_for(80).lock_orders.get_or_insert_default();
        orders.id.push(id);
        orders.first.push(first);
        orders.second.push(second);
        orders.first_lock.push(order.first_lock);
        orders.second_lock.push(order.second_lock);
        orders.first_site.push(first_site);
        orders.second_site.push(second_site);
        orders.times.push(order.times);
        orders.last_at_ns.push(since_start_ns(order.last_at));
        orders.around.push(order.around);
    }

    /// A channel, new to the reader.
    pub(crate) fn channel_birth(&mut self, channel: &ChannelReading, dictionary: &mut Dictionary) {
        let (site, name) = (dictionary.site(channel.site), dictionary.string(names::text(channel.name)));
        let births = self.room_for(40).channel_births.get_or_insert_default();
        births.id.push(channel.id.cast_signed());
        births.kind.push(ChannelKind::try_from(i32::from(channel.kind)).unwrap_or_default().into());
        births.site.push(site);
        births.name.push(name);
        let bounded = channel.kind != RecordedChannel::MpscUnbounded as u8;
        births.capacity.push(if bounded { channel.capacity } else { 0 });
        births.inferred.push(channel.inferred);
    }

    /// A channel now. `last_send_at` in ticks: the senders keep no time, the collector sees when the count went up.
    pub(crate) fn channel_state(&mut self, channel: &ChannelReading, last_send_at: u64, dictionary: &mut Dictionary) {
        let (send_site, recv_site) = (dictionary.call_site(channel.send_site), dictionary.call_site(channel.recv_site));
        let readers = channel.readers.unwrap_or_default();
        let lag_site = dictionary.call_site(readers.last_lag_site);
        let states = self.room_for(180).channel_states.get_or_insert_default();
        states.id.push(channel.id.cast_signed());
        states.sent.push(channel.sent);
        states.received.push(channel.received);
        states.blocked_senders.push(channel.blocked_senders);
        states.blocked_with_message.push(channel.blocked_with_message);
        states.sends_blocked.push(channel.sends_blocked);
        states.send_wait_total_ns.push(duration_ns(channel.send_wait_total));
        states.senders.push(channel.senders);
        states.receivers.push(channel.receivers);
        states.closed.push(channel.closed);
        states.last_recv_at_ns.push(since_start_ns(channel.last_recv_at));
        states.receiver_task.push(channel.receiver_task);
        states.recv_site.push(recv_site);
        states.last_send_at_ns.push(since_start_ns(last_send_at));
        states.sender_task.push(channel.sender_task);
        states.send_site.push(send_site);
        states.lagged.push(readers.lagged);
        states.messages_lost.push(readers.lost);
        states.last_lag_at_ns.push(since_start_ns(readers.last_lag_at));
        states.last_lag_task.push(readers.last_lag_task);
        states.last_lag_site.push(lag_site);
        states.unheard.push(channel.unheard);
        self.disposal(DisposalKind::Receivers, channel.id, channel.left, dictionary);
    }

    /// A worker now.
    pub(crate) fn worker_state(
        &mut self,
        worker: &WorkerReading,
        cpu: CpuShown,
        detail: Option<&WorkerDetail>,
        dictionary: &mut Dictionary,
    ) {
        let name = dictionary.string(thread::worker_name(worker.name));
        // The threads of a runtime that the drop-in did not build have no hooks that would count these.
        let (parks, awake) = match detail.filter(|_| worker.parks == 0) {
            Some(counted) => (counted.parks, nanos(counted.busy)),
            None => (worker.parks, duration_ns(worker.awake)),
        };
        let states = self.room_for(96).worker_states.get_or_insert_default();
        states.id.push(worker.id);
        states.kind.push(WorkerKind::try_from(i32::from(worker.kind)).unwrap_or_default().into());
        states.name.push(name);
        states.task.push(worker.poll.map_or(0, |poll| poll.task_id));
        states.poll_started_ns.push(since_start_ns(worker.poll.map_or(worker.unwatched_since, |poll| poll.started)));
        states.polls.push(worker.polls);
        states.busy_ns.push(duration_ns(worker.busy));
        states.cpu_wait_ns.push(cpu.waited);
        states.poll_cpu_wait_ns.push(cpu.waited_in_poll);
        states.parks.push(parks);
        states.local_queue_plus_one.push(detail.map_or(0, |worker| worker.local_queue as u32 + 1));
        states.steals.push(detail.map_or(0, |worker| worker.steals));
        states.awake_ns.push(awake);
        states.cpu_ns.push(cpu.ran);
    }

    /// All runtimes now, in one message: who has no row is gone.
    pub(crate) fn runtime_states(&mut self, runtimes: &[RuntimeReading], dictionary: &mut Dictionary) {
        let name = |runtime: &RuntimeReading| runtime.name.as_deref().map_or(0, |name| dictionary.string(name));
        let names: Vec<u32> = runtimes.iter().map(name).collect();
        let states = self.room_for(16 + 112 * runtimes.len()).runtime_states.get_or_insert_default();
        states.name = names;
        for runtime in runtimes {
            let workers = || runtime.detail.iter().flat_map(|detail| &detail.workers);
            let detail = runtime.detail.as_ref();
            states.id.push(runtime.id);
            states.kind.push(runtime.kind.into());
            states.workers.push(runtime.workers as u32);
            states.alive_tasks.push(runtime.alive_tasks as u64);
            states.global_queue.push(runtime.global_queue as u64);
            states.awake_ns.push(nanos(runtime.busy));
            states.parks.push(runtime.parks);
            states.detailed.push(detail.is_some());
            states.steals.push(workers().map(|worker| worker.steals).sum());
            states.local_queues.push(workers().map(|worker| worker.local_queue as u64).sum());
            states.blocking_threads.push(detail.map_or(0, |detail| detail.blocking_threads as u32));
            states.blocking_idle.push(detail.map_or(0, |detail| detail.blocking_idle as u32));
            states.blocking_queue.push(detail.map_or(0, |detail| detail.blocking_queue as u64));
        }
    }

    /// A site's totals now.
    pub(crate) fn site_totals(&mut self, site: &Site, dictionary: &mut Dictionary) {
        let id = dictionary.site(site);
        let totals = self.room_for(170).site_totals.get_or_insert_default();
        push_totals(totals, id, site);
        self.disposal(DisposalKind::Task, id.into(), site.disposal(), dictionary);
    }

    /// What became of a site's oneshot channels.
    pub(crate) fn oneshot_totals(&mut self, site: &Site, dictionary: &mut Dictionary) {
        let id = dictionary.site(site);
        let outcomes = &site.oneshots;
        let (unsent_awaited, unreceived) = (outcomes.unsent_awaited.load(Acquire), outcomes.unreceived.load(Acquire));
        let (unsent_at, unsent_site) = outcomes.last_unsent();
        let (unreceived_at, unreceived_site) = outcomes.last_unreceived();
        let (unsent_site, unreceived_site) = (dictionary.call_site(unsent_site), dictionary.call_site(unreceived_site));
        let delivered = site.total(Total::Delivered);
        let name = dictionary.string(names::text(outcomes.name()));
        let totals = self.room_for(100).oneshot_totals.get_or_insert_default();
        totals.site.push(id);
        totals.delivered.push(delivered);
        totals.unsent.push(site.total(Total::Unsent));
        totals.made.push(site.total(Total::Spawned));
        totals.unsent_awaited.push(unsent_awaited);
        totals.unreceived.push(unreceived);
        totals.last_unsent_at_ns.push(since_start_ns(unsent_at));
        totals.last_unsent_site.push(unsent_site);
        totals.last_unreceived_at_ns.push(since_start_ns(unreceived_at));
        totals.last_unreceived_site.push(unreceived_site);
        totals.name.push(name);
        self.disposal(DisposalKind::Oneshot, id.into(), site.disposal(), dictionary);
    }

    /// The stack of a blocked poll.
    pub(crate) fn stack(&mut self, stack: &Stack, dictionary: &mut Dictionary) {
        let frames: Vec<v1::Frame> = stack
            .frames
            .iter()
            .map(|frame| v1::Frame {
                function: dictionary.string(&frame.function),
                file: dictionary.string(&frame.file),
                line: frame.line,
                column: frame.column,
                user: frame.user,
            })
            .collect();
        self.room_for(64 + 32 * frames.len()).stacks.push(v1::Stack {
            worker: stack.worker,
            task: stack.task,
            poll_started_ns: since_start_ns(stack.poll_started),
            at_ns: since_start_ns(stack.at),
            cause: StackCause::try_from(stack.cause as i32).unwrap_or_default().into(),
            samples: stack.samples,
            frames,
        });
    }

    /// A line at which something was seen; nothing where it finds no room.
    pub(crate) fn sight(&mut self, sight: &Sight, dictionary: &mut Dictionary) {
        let Frame { file, line, column, .. } = &sight.frame;
        let site = dictionary.line(file, *line, *column);
        if site == 0 {
            return;
        }
        let rows = self.room_for(32).sights.get_or_insert_default();
        rows.kind.push(v1::SightKind::try_from(sight.kind as i32).unwrap_or_default().into());
        rows.of.push(sight.of);
        rows.at_ns.push(since_start_ns(sight.at));
        rows.site.push(site);
        rows.cause.push(StackCause::try_from(sight.cause as i32).unwrap_or_default().into());
    }

    /// A panic.
    pub(crate) fn panic(&mut self, panic: &PanicRecord, dictionary: &mut Dictionary) {
        let file = dictionary.string(&panic.file);
        self.room_for(panic.message.len() + 64).panics.push(v1::Panic {
            task: panic.task,
            site: panic.site,
            at_ns: since_start_ns(panic.at),
            message: panic.message.clone(),
            file,
            line: panic.line,
            column: panic.column,
        });
    }
}

/// What changes when a site's totals do: the counts that every other one goes with.
pub(crate) fn totals_version(site: &Site) -> [u64; 8] {
    [
        site.total(Total::Spawned),
        site.total(Total::Finished),
        site.total(Total::Shed),
        site.slow_polls.load(Acquire),
        site.max_poll.load(Relaxed),
        site.total(Total::HandlesDropped),
        [Total::ErrorsLost, Total::Panics, Total::PanicsLost, Total::Aborted]
            .map(|total| site.total(total))
            .iter()
            .sum(),
        site.total(Total::FinishedPolls),
    ]
}

/// The same of a site of oneshot channels.
pub(crate) fn oneshots_version(site: &Site) -> [u64; 8] {
    let outcomes = &site.oneshots;
    let (made, delivered) = (site.total(Total::Spawned), site.total(Total::Delivered));
    let (unsent, awaited) = (site.total(Total::Unsent), outcomes.unsent_awaited.load(Acquire));
    [made, delivered, unsent, awaited, outcomes.unreceived.load(Acquire), outcomes.name().into(), 0, 0]
}

fn push_totals(totals: &mut SiteTotals, id: u32, site: &Site) {
    // Ends before begins: then no reading has more ended than begun.
    let finished = site.total(Total::Finished);
    totals.site.push(id);
    totals.spawned.push(site.total(Total::Spawned));
    totals.finished.push(finished);
    totals.shed.push(site.total(Total::Shed));
    totals.finished_busy_ns.push(duration_ns(site.total(Total::FinishedBusy)));
    totals.finished_polls.push(site.total(Total::FinishedPolls));
    totals.max_poll_ns.push(duration_ns(site.max_poll.load(Relaxed)));
    totals.slow_polls.push(site.slow_polls.load(Acquire));
    totals.slow_poll_total_ns.push(duration_ns(site.slow_poll_total.load(Relaxed)));
    totals.last_slow_poll_ns.push(duration_ns(site.last_slow_poll.load(Relaxed)));
    totals.last_slow_poll_at_ns.push(since_start_ns(site.last_slow_poll_at.load(Relaxed)));
    totals.last_slow_poll_task.push(site.last_slow_poll_task.load(Relaxed));
    totals.handles_dropped.push(site.total(Total::HandlesDropped));
    totals.errors_lost.push(site.total(Total::ErrorsLost));
    totals.panics.push(site.total(Total::Panics));
    totals.panics_lost.push(site.total(Total::PanicsLost));
    totals.aborted.push(site.total(Total::Aborted));
    totals.aborted_age_ns.push(duration_ns(site.total(Total::AbortedAge)));
}

/// Of what has no permits that are held one by one: how many there are and how many are left, as the protocol has it.
fn permits(lock: &LockReading) -> (u64, u64) {
    const NOTIFY: u8 = RecordedLock::Notify as u8;
    const SET_ONCE: u8 = RecordedLock::SetOnce as u8;
    const BARRIER: u8 = RecordedLock::Barrier as u8;
    match lock.kind {
        _ if lock.ending.is_some() => (0, 0),
        NOTIFY | SET_ONCE => (1, lock.ready.into()),
        BARRIER => (lock.expecting.into(), lock.expecting.saturating_sub(lock.waiters).into()),
        _ => (1, (lock.held_since == 0).into()),
    }
}

/// Who holds it, where it was acquired and since when (ticks); of several that are listed, who does so longest.
fn holder(lock: &LockReading, shared: &HoldsReading) -> (u64, Option<&'static Location<'static>>, u64) {
    if lock.holds.is_none() {
        return (lock.holder, lock.holder_site, lock.held_since);
    }
    let longest = shared.listed.iter().flatten().min_by_key(|hold| hold.since);
    match longest {
        Some(hold) if lock.kind != RecordedLock::Semaphore as u8 => (hold.task, hold.site, hold.since),
        _ => (0, None, 0),
    }
}

/// The task's state and since when, in ticks.
fn state(task: &TaskReading, running_since: Option<u64>) -> (TaskState, u64) {
    const DONE: u8 = Stage::Done as u8;
    const PANICKED: u8 = Stage::Panicked as u8;
    const CANCELLED: u8 = Stage::Cancelled as u8;
    const NEW: u8 = Stage::New as u8;
    const IN_PLACE: u8 = Stage::InPlace as u8;
    match task.stage {
        DONE => return (TaskState::Done, task.last_poll_ended),
        // Between the panic and the drop of its future, a task is as good as ended.
        PANICKED => return (TaskState::Panicked, task.last_poll_ended),
        CANCELLED => return (TaskState::Cancelled, task.last_poll_ended),
        // No worker has it any more, but it runs, since it was last polled at the least.
        IN_PLACE => return (TaskState::Running, task.last_poll_ended.max(task.spawned_at)),
        _ => {}
    }
    if let Some(since) = running_since {
        return (TaskState::Running, since);
    }
    if i32::from(task.kind) == TaskKind::Unwatched as i32 {
        return (TaskState::Idle, task.spawned_at);
    }
    match (task.stage, task.woken_at) {
        (NEW, _) => (TaskState::New, task.spawned_at),
        (_, woken) if woken > waker::BY_ITSELF => (TaskState::Scheduled, woken),
        // A first poll that began after the workers were read: it waits no more, and has not ended.
        _ if task.last_poll_ended == 0 => (TaskState::Scheduled, task.spawned_at),
        _ => (TaskState::Idle, task.last_poll_ended),
    }
}

/// A task may also wait for what is tokio's own by the features of this build, and then its list is never whole.
const ALL_WAITS: bool =
    cfg!(all(feature = "watch-tasks", feature = "watch-locks", feature = "watch-channels", feature = "watch-time"));

fn flags(task: &TaskReading) -> u32 {
    let recorded = [
        (flag::HANDLE_HELD, task_flags::HANDLE_HELD),
        (flag::HANDLE_AWAITED, task_flags::HANDLE_AWAITED),
        (flag::HANDLE_DROPPED, task_flags::HANDLE_DROPPED),
        (flag::ABORTED, task_flags::ABORTED),
    ];
    let mut flags = if task.more_waits || !ALL_WAITS { task_flags::MORE_WAITS } else { 0 };
    for (bit, on_the_wire) in recorded {
        if task.flags & bit != 0 {
            flags |= on_the_wire;
        }
    }
    flags
}

fn nanos(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::site::{SiteInfo, SiteKind};

    #[test]
    fn each_end_of_a_task_makes_the_totals_of_its_site_be_told_anew() {
        let info = SiteInfo::of_thing(SiteKind::Spawn, Location::caller(), "each end");
        let site = crate::testing::recorder().sites.get(&info).unwrap();
        for total in [Total::Finished, Total::Aborted, Total::Panics, Total::PanicsLost, Total::ErrorsLost] {
            let before = totals_version(site);
            site.add(total, 1);
            assert_ne!(totals_version(site), before);
        }
    }
}
