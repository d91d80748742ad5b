//! The tables of an update, row by row.
use std::time::Duration;

use async_inspect_proto::{HISTOGRAM_BUCKETS, task_flags, v1};

use super::dictionary::Dictionary;
use super::{DecodeError, columns, text};
use crate::model::{
    ChannelBirth, ChannelId, ChannelKind, ChannelReading, CutShort, CutShortReading, DropKind, Frame, Histogram,
    Holder, LockBirth, LockId, LockKind, LockOrder, LockReading, OneshotReading, Panic, RuntimeDetail, RuntimeId,
    RuntimeKind, RuntimeReading, SiteReading, Stack, StackCause, Stamp, TaskBirth, TaskFlags, TaskId, TaskKind,
    TaskReading, TaskState, Wait, WaitFor, WorkerId, WorkerKind, WorkerReading,
};

/// Frames of one stack.
const MAX_FRAMES: usize = 256;
/// Panics, and stacks, of one message.
const MAX_EVENTS: usize = 1 << 14;

fn id(table: &'static str, id: u64) -> Result<u64, DecodeError> {
    if id == 0 { Err(DecodeError::NoId { table }) } else { Ok(id) }
}

fn stamp(ns: u64) -> Option<Stamp> {
    (ns != 0).then_some(Stamp(ns))
}

fn value<T>(field: &'static str, value: i32) -> Result<T, DecodeError> {
    Err(DecodeError::Value { field, value: value.into() })
}

fn histogram(buckets: &[u32], row: usize) -> Histogram {
    let mut out = Histogram::default();
    out.0.copy_from_slice(&buckets[row * HISTOGRAM_BUCKETS..][..HISTOGRAM_BUCKETS]);
    out
}

pub(super) fn site_totals(table: &v1::SiteTotals, known: &Dictionary) -> Result<Vec<SiteReading>, DecodeError> {
    let rows = columns(
        "site_totals",
        table.site.len(),
        &[
            table.spawned.len(),
            table.finished.len(),
            table.shed.len(),
            table.finished_busy_ns.len(),
            table.finished_polls.len(),
            table.max_poll_ns.len(),
            table.slow_polls.len(),
            table.slow_poll_total_ns.len(),
            table.last_slow_poll_ns.len(),
            table.last_slow_poll_at_ns.len(),
            table.last_slow_poll_task.len(),
            table.handles_dropped.len(),
            table.errors_lost.len(),
            table.panics.len(),
            table.panics_lost.len(),
            table.aborted.len(),
        ],
    )?;
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        if table.site[row] == 0 {
            return Err(DecodeError::NoId { table: "site_totals" });
        }
        out.push(SiteReading {
            site: known.site(table.site[row])?,
            spawned: table.spawned[row],
            finished: table.finished[row],
            shed: table.shed[row],
            finished_busy: Duration::from_nanos(table.finished_busy_ns[row]),
            finished_polls: table.finished_polls[row],
            max_poll: Duration::from_nanos(table.max_poll_ns[row]),
            slow_polls: table.slow_polls[row],
            slow_poll_total: Duration::from_nanos(table.slow_poll_total_ns[row]),
            last_slow_poll: Duration::from_nanos(table.last_slow_poll_ns[row]),
            last_slow_poll_at: Stamp(table.last_slow_poll_at_ns[row]),
            last_slow_poll_task: TaskId(table.last_slow_poll_task[row]),
            handles_dropped: table.handles_dropped[row],
            errors_lost: table.errors_lost[row],
            panics: table.panics[row],
            panics_lost: table.panics_lost[row],
            aborted: table.aborted[row],
        });
    }
    Ok(out)
}

pub(super) fn task_births(table: &v1::TaskBirths, known: &Dictionary) -> Result<Vec<TaskBirth>, DecodeError> {
    let rows = columns(
        "task_births",
        table.id.len(),
        &[
            table.kind.len(),
            table.site.len(),
            table.name.len(),
            table.spawned_at_ns.len(),
            table.future_bytes.len(),
            table.parent.len(),
        ],
    )?;
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        out.push(TaskBirth {
            id: TaskId(id("task_births", table.id[row])?),
            kind: match v1::TaskKind::try_from(table.kind[row]) {
                Ok(v1::TaskKind::Async) => TaskKind::Async,
                Ok(v1::TaskKind::Blocking) => TaskKind::Blocking,
                Ok(v1::TaskKind::Root) => TaskKind::Root,
                Ok(v1::TaskKind::Local) => TaskKind::Local,
                Ok(v1::TaskKind::Unwatched) => TaskKind::Unwatched,
                _ => return value("task_births.kind", table.kind[row]),
            },
            site: known.site(table.site[row])?,
            name: known.string(table.name[row])?.to_owned(),
            spawned_at: Stamp(table.spawned_at_ns[row]),
            future_bytes: table.future_bytes[row],
            parent: TaskId(table.parent[row]),
        });
    }
    Ok(out)
}

pub(super) fn task_states(table: &v1::TaskStates, known: &Dictionary) -> Result<Vec<TaskReading>, DecodeError> {
    let rows = columns(
        "task_states",
        table.id.len(),
        &[
            table.state.len(),
            table.state_since_ns.len(),
            table.polls.len(),
            table.busy_ns.len(),
            table.max_poll_ns.len(),
            table.wakes.len(),
            table.self_wakes.len(),
            table.sched_total_ns.len(),
            table.sched_max_ns.len(),
            table.flags.len(),
            table.waits.len(),
            table.wakers_plus_one.len(),
            table.token.len(),
            table.tracker.len(),
        ],
    )?;
    let waits: u64 = table.waits.iter().map(|&waits| u64::from(waits)).sum();
    let listed = columns(
        "task_states",
        table.wait_kind.len(),
        &[table.wait_for.len(), table.wait_site.len(), table.wait_since_ns.len()],
    )?;
    if waits != listed as u64 {
        return Err(DecodeError::Columns { table: "task_states" });
    }
    let mut next_wait = 0;
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        let state = match v1::TaskState::try_from(table.state[row]) {
            Ok(v1::TaskState::New) => TaskState::New,
            Ok(v1::TaskState::Running) => TaskState::Running,
            Ok(v1::TaskState::Scheduled) => TaskState::Scheduled,
            Ok(v1::TaskState::Idle) => TaskState::Idle,
            Ok(v1::TaskState::Done) => TaskState::Done,
            Ok(v1::TaskState::Panicked) => TaskState::Panicked,
            Ok(v1::TaskState::Cancelled) => TaskState::Cancelled,
            _ => return value("task_states.state", table.state[row]),
        };
        let end = next_wait + table.waits[row] as usize;
        let waits = (next_wait..end).map(|at| wait(table, at, known)).collect::<Result<Vec<Wait>, _>>()?;
        next_wait = end;
        let flags = table.flags[row];
        out.push(TaskReading {
            id: TaskId(id("task_states", table.id[row])?),
            state,
            state_since: Stamp(table.state_since_ns[row]),
            polls: table.polls[row],
            busy: Duration::from_nanos(table.busy_ns[row]),
            max_poll: Duration::from_nanos(table.max_poll_ns[row]),
            wakes: table.wakes[row],
            self_wakes: table.self_wakes[row],
            sched_total: Duration::from_nanos(table.sched_total_ns[row]),
            sched_max: Duration::from_nanos(table.sched_max_ns[row]),
            flags: TaskFlags {
                handle_held: flags & task_flags::HANDLE_HELD != 0,
                handle_awaited: flags & task_flags::HANDLE_AWAITED != 0,
                handle_dropped: flags & task_flags::HANDLE_DROPPED != 0,
                aborted: flags & task_flags::ABORTED != 0,
                more_waits: flags & task_flags::MORE_WAITS != 0,
            },
            waits,
            wakers: table.wakers_plus_one[row].checked_sub(1),
            token: LockId(table.token[row]),
            tracker: LockId(table.tracker[row]),
        });
    }
    Ok(out)
}

fn wait(table: &v1::TaskStates, at: usize, known: &Dictionary) -> Result<Wait, DecodeError> {
    let on = table.wait_for[at];
    Ok(Wait {
        on: match v1::WaitKind::try_from(table.wait_kind[at]) {
            Ok(v1::WaitKind::Lock) => WaitFor::Lock(LockId(on)),
            Ok(v1::WaitKind::ChannelSend) => WaitFor::Send(ChannelId(on)),
            Ok(v1::WaitKind::ChannelRecv) => WaitFor::Recv(ChannelId(on)),
            Ok(v1::WaitKind::Join) => WaitFor::Join(TaskId(on)),
            Ok(v1::WaitKind::LockRead) => WaitFor::Read(LockId(on)),
            Ok(v1::WaitKind::Oneshot) => WaitFor::Oneshot(known.site(u32::try_from(on).unwrap_or(u32::MAX))?),
            Ok(v1::WaitKind::Timer) => WaitFor::Timer(Duration::from_millis(on)),
            _ => return value("task_states.wait_kind", table.wait_kind[at]),
        },
        site: known.site(table.wait_site[at])?,
        since: Stamp(table.wait_since_ns[at]),
    })
}

pub(super) fn lock_births(table: &v1::LockBirths, known: &Dictionary) -> Result<Vec<LockBirth>, DecodeError> {
    let columns_of = [table.kind.len(), table.site.len(), table.name.len(), table.parent.len()];
    let rows = columns("lock_births", table.id.len(), &columns_of)?;
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        out.push(LockBirth {
            id: LockId(id("lock_births", table.id[row])?),
            kind: match v1::LockKind::try_from(table.kind[row]) {
                Ok(v1::LockKind::Mutex) => LockKind::Mutex,
                Ok(v1::LockKind::RwLock) => LockKind::RwLock,
                Ok(v1::LockKind::Semaphore) => LockKind::Semaphore,
                Ok(v1::LockKind::Notify) => LockKind::Notify,
                Ok(v1::LockKind::Barrier) => LockKind::Barrier,
                Ok(v1::LockKind::OnceCell) => LockKind::OnceCell,
                Ok(v1::LockKind::SetOnce) => LockKind::SetOnce,
                Ok(v1::LockKind::CancellationToken) => LockKind::CancellationToken,
                Ok(v1::LockKind::TaskTracker) => LockKind::TaskTracker,
                _ => return value("lock_births.kind", table.kind[row]),
            },
            site: known.site(table.site[row])?,
            name: known.string(table.name[row])?.to_owned(),
            parent: LockId(table.parent[row]),
        });
    }
    Ok(out)
}

pub(super) fn lock_states(table: &v1::LockStates, known: &Dictionary) -> Result<Vec<LockReading>, DecodeError> {
    let rows = columns(
        "lock_states",
        table.id.len(),
        &[
            table.holder.len(),
            table.holder_site.len(),
            table.held_since_ns.len(),
            table.waiters.len(),
            table.acquires.len(),
            table.contended.len(),
            table.wait_total_ns.len(),
            table.wait_max_ns.len(),
            table.hold_total_ns.len(),
            table.hold_max_ns.len(),
            table.hold_max_site.len(),
            table.suspended_holds.len(),
            table.last_suspended_ns.len(),
            table.last_suspended_at_ns.len(),
            table.last_suspended_site.len(),
            table.last_suspended_waiters.len(),
            table.permits_total.len(),
            table.permits_available.len(),
            table.holders.len(),
            table.waiting_writers.len(),
            table.closed.len(),
            table.forgotten.len(),
            table.lost_notifies.len(),
            table.last_lost_notify_at_ns.len(),
            table.last_lost_notify_site.len(),
            table.holds.len(),
            table.holder_may_move.len(),
            table.closed_at_ns.len(),
            table.closed_site.len(),
            table.closed_by.len(),
        ],
    )?;
    let buckets = rows * HISTOGRAM_BUCKETS;
    if table.wait_buckets.len() != buckets || table.hold_buckets.len() != buckets {
        return Err(DecodeError::Columns { table: "lock_states" });
    }
    let holds: u64 = table.holds.iter().map(|&holds| u64::from(holds)).sum();
    let listed = columns(
        "lock_states",
        table.hold_task.len(),
        &[table.hold_site.len(), table.hold_since_ns.len(), table.hold_permits.len(), table.hold_exclusive.len()],
    )?;
    if holds != listed as u64 {
        return Err(DecodeError::Columns { table: "lock_states" });
    }
    let hold = |at: usize| {
        Ok(Holder {
            task: TaskId(table.hold_task[at]),
            site: known.site(table.hold_site[at])?,
            since: Stamp(table.hold_since_ns[at]),
            permits: table.hold_permits[at],
            exclusive: table.hold_exclusive[at],
        })
    };
    let mut next_hold = 0;
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        let end = next_hold + table.holds[row] as usize;
        let holders = (next_hold..end).map(hold).collect::<Result<Vec<Holder>, _>>()?;
        next_hold = end;
        out.push(LockReading {
            id: LockId(id("lock_states", table.id[row])?),
            holder: TaskId(table.holder[row]),
            holder_site: known.site(table.holder_site[row])?,
            held_since: stamp(table.held_since_ns[row]),
            holder_may_move: table.holder_may_move[row],
            holders,
            holder_count: table.holders[row],
            permits_total: table.permits_total[row],
            permits_available: table.permits_available[row],
            forgotten: table.forgotten[row],
            closed: table.closed[row],
            closed_at: stamp(table.closed_at_ns[row]),
            closed_site: known.site(table.closed_site[row])?,
            closed_by: TaskId(table.closed_by[row]),
            waiting_writers: table.waiting_writers[row],
            lost_notifies: table.lost_notifies[row],
            last_lost_notify_at: stamp(table.last_lost_notify_at_ns[row]),
            last_lost_notify_site: known.site(table.last_lost_notify_site[row])?,
            waiters: table.waiters[row],
            acquires: table.acquires[row],
            contended: table.contended[row],
            wait_total: Duration::from_nanos(table.wait_total_ns[row]),
            wait_max: Duration::from_nanos(table.wait_max_ns[row]),
            wait_hist: histogram(&table.wait_buckets, row),
            hold_total: Duration::from_nanos(table.hold_total_ns[row]),
            hold_max: Duration::from_nanos(table.hold_max_ns[row]),
            hold_max_site: known.site(table.hold_max_site[row])?,
            hold_hist: histogram(&table.hold_buckets, row),
            suspended_holds: table.suspended_holds[row],
            last_suspended: Duration::from_nanos(table.last_suspended_ns[row]),
            last_suspended_at: Stamp(table.last_suspended_at_ns[row]),
            last_suspended_site: known.site(table.last_suspended_site[row])?,
            last_suspended_waiters: table.last_suspended_waiters[row],
        });
    }
    Ok(out)
}

pub(super) fn cut_shorts(table: &v1::CutShorts, known: &Dictionary) -> Result<Vec<CutShortReading>, DecodeError> {
    let rows = columns(
        "cut_shorts",
        table.lock.len(),
        &[
            table.times.len(),
            table.held_ns.len(),
            table.at_ns.len(),
            table.site.len(),
            table.by.len(),
            table.dropped_site.len(),
        ],
    )?;
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        out.push(CutShortReading {
            lock: LockId(id("cut_shorts", table.lock[row])?),
            times: table.times[row],
            newest: CutShort {
                at: Stamp(table.at_ns[row]),
                took: Duration::from_nanos(table.held_ns[row]),
                site: known.site(table.site[row])?,
                by: match v1::DropKind::try_from(table.by[row]) {
                    Ok(v1::DropKind::Select) => DropKind::Select,
                    Ok(v1::DropKind::Timeout) => DropKind::Timeout,
                    Ok(v1::DropKind::Task) => DropKind::Task,
                    Ok(v1::DropKind::Token) => DropKind::Token,
                    _ => return value("cut_shorts.by", table.by[row]),
                },
                dropped_at: known.site(table.dropped_site[row])?,
                ..CutShort::default()
            },
        });
    }
    Ok(out)
}

/// Orders that are kept of one target; a probe has a thousand.
const MAX_ORDERS: u32 = 1 << 13;

pub(super) fn lock_orders(table: &v1::LockOrders, known: &Dictionary) -> Result<Vec<LockOrder>, DecodeError> {
    let rows = columns(
        "lock_orders",
        table.id.len(),
        &[
            table.first.len(),
            table.second.len(),
            table.first_lock.len(),
            table.second_lock.len(),
            table.first_site.len(),
            table.second_site.len(),
            table.times.len(),
            table.last_at_ns.len(),
            table.around.len(),
        ],
    )?;
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        if table.id[row] >= MAX_ORDERS {
            return Err(DecodeError::TooMany { what: "lock orders", limit: MAX_ORDERS as usize });
        }
        let lock = |id: u64| (id != 0).then_some(LockId(id));
        out.push(LockOrder {
            id: table.id[row],
            first: known.site(table.first[row])?,
            second: known.site(table.second[row])?,
            locks: lock(table.first_lock[row]).zip(lock(table.second_lock[row])),
            first_site: known.site(table.first_site[row])?,
            second_site: known.site(table.second_site[row])?,
            times: table.times[row],
            last_at: Stamp(table.last_at_ns[row]),
            around: lock(table.around[row]),
        });
    }
    Ok(out)
}

pub(super) fn channel_births(table: &v1::ChannelBirths, known: &Dictionary) -> Result<Vec<ChannelBirth>, DecodeError> {
    let rows = columns(
        "channel_births",
        table.id.len(),
        &[table.kind.len(), table.site.len(), table.name.len(), table.capacity.len(), table.inferred.len()],
    )?;
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        let kind = match v1::ChannelKind::try_from(table.kind[row]) {
            Ok(v1::ChannelKind::Mpsc) => ChannelKind::Mpsc,
            Ok(v1::ChannelKind::MpscUnbounded) => ChannelKind::MpscUnbounded,
            Ok(v1::ChannelKind::Broadcast) => ChannelKind::Broadcast,
            Ok(v1::ChannelKind::Watch) => ChannelKind::Watch,
            _ => return value("channel_births.kind", table.kind[row]),
        };
        out.push(ChannelBirth {
            id: ChannelId(id("channel_births", table.id[row])?),
            kind,
            site: known.site(table.site[row])?,
            name: known.string(table.name[row])?.to_owned(),
            capacity: (table.capacity[row] != 0).then_some(table.capacity[row]),
            inferred: table.inferred[row],
        });
    }
    Ok(out)
}

pub(super) fn channel_states(
    table: &v1::ChannelStates,
    known: &Dictionary,
) -> Result<Vec<ChannelReading>, DecodeError> {
    let rows = columns(
        "channel_states",
        table.id.len(),
        &[
            table.sent.len(),
            table.received.len(),
            table.blocked_senders.len(),
            table.sends_blocked.len(),
            table.send_wait_total_ns.len(),
            table.senders.len(),
            table.receivers.len(),
            table.closed.len(),
            table.last_recv_at_ns.len(),
            table.receiver_task.len(),
            table.recv_site.len(),
            table.last_send_at_ns.len(),
            table.sender_task.len(),
            table.send_site.len(),
            table.lagged.len(),
            table.messages_lost.len(),
            table.last_lag_at_ns.len(),
            table.last_lag_task.len(),
            table.last_lag_site.len(),
            table.unheard.len(),
        ],
    )?;
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        out.push(ChannelReading {
            id: ChannelId(id("channel_states", table.id[row])?),
            sent: table.sent[row],
            received: table.received[row],
            lagged: table.lagged[row],
            messages_lost: table.messages_lost[row],
            last_lag_at: stamp(table.last_lag_at_ns[row]),
            last_lag_task: TaskId(table.last_lag_task[row]),
            last_lag_site: known.site(table.last_lag_site[row])?,
            unheard: table.unheard[row],
            blocked_senders: table.blocked_senders[row],
            sends_blocked: table.sends_blocked[row],
            send_wait_total: Duration::from_nanos(table.send_wait_total_ns[row]),
            senders: table.senders[row],
            receivers: table.receivers[row],
            closed: table.closed[row],
            last_recv_at: stamp(table.last_recv_at_ns[row]),
            receiver_task: TaskId(table.receiver_task[row]),
            recv_site: known.site(table.recv_site[row])?,
            last_send_at: stamp(table.last_send_at_ns[row]),
            sender_task: TaskId(table.sender_task[row]),
            send_site: known.site(table.send_site[row])?,
        });
    }
    Ok(out)
}

pub(super) fn oneshots(table: &v1::OneshotTotals, known: &Dictionary) -> Result<Vec<OneshotReading>, DecodeError> {
    let rows = columns(
        "oneshot_totals",
        table.site.len(),
        &[
            table.made.len(),
            table.delivered.len(),
            table.unsent.len(),
            table.unsent_awaited.len(),
            table.unreceived.len(),
            table.last_unsent_at_ns.len(),
            table.last_unsent_site.len(),
            table.last_unreceived_at_ns.len(),
            table.last_unreceived_site.len(),
        ],
    )?;
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        if table.site[row] == 0 {
            return Err(DecodeError::NoId { table: "oneshot_totals" });
        }
        out.push(OneshotReading {
            site: known.site(table.site[row])?,
            made: table.made[row],
            delivered: table.delivered[row],
            unsent: table.unsent[row],
            unsent_awaited: table.unsent_awaited[row],
            unreceived: table.unreceived[row],
            last_unsent_at: stamp(table.last_unsent_at_ns[row]),
            last_unsent_site: known.site(table.last_unsent_site[row])?,
            last_unreceived_at: stamp(table.last_unreceived_at_ns[row]),
            last_unreceived_site: known.site(table.last_unreceived_site[row])?,
        });
    }
    Ok(out)
}

pub(super) fn worker_states(table: &v1::WorkerStates, known: &Dictionary) -> Result<Vec<WorkerReading>, DecodeError> {
    let rows = columns(
        "worker_states",
        table.id.len(),
        &[
            table.kind.len(),
            table.name.len(),
            table.task.len(),
            table.poll_started_ns.len(),
            table.polls.len(),
            table.busy_ns.len(),
            table.cpu_wait_ns.len(),
            table.poll_cpu_wait_ns.len(),
            table.parks.len(),
            table.local_queue_plus_one.len(),
            table.steals.len(),
            table.awake_ns.len(),
        ],
    )?;
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        out.push(WorkerReading {
            id: WorkerId(id("worker_states", table.id[row])?),
            kind: match v1::WorkerKind::try_from(table.kind[row]) {
                Ok(v1::WorkerKind::Worker) => WorkerKind::Worker,
                Ok(v1::WorkerKind::BlockOn) => WorkerKind::BlockOn,
                Ok(v1::WorkerKind::Blocking) => WorkerKind::Blocking,
                _ => return value("worker_states.kind", table.kind[row]),
            },
            name: known.string(table.name[row])?.to_owned(),
            poll: stamp(table.poll_started_ns[row]).map(|since| (TaskId(table.task[row]), since)),
            polls: table.polls[row],
            busy: Duration::from_nanos(table.busy_ns[row]),
            cpu_wait: Duration::from_nanos(table.cpu_wait_ns[row]),
            poll_cpu_wait: Duration::from_nanos(table.poll_cpu_wait_ns[row]),
            parks: table.parks[row],
            steals: table.steals[row],
            awake: Duration::from_nanos(table.awake_ns[row]),
            local_queue: table.local_queue_plus_one[row].checked_sub(1).map(u64::from),
        });
    }
    Ok(out)
}

pub(super) fn runtime_states(
    table: &v1::RuntimeStates,
    known: &Dictionary,
) -> Result<Vec<RuntimeReading>, DecodeError> {
    let rows = columns(
        "runtime_states",
        table.id.len(),
        &[
            table.kind.len(),
            table.name.len(),
            table.workers.len(),
            table.alive_tasks.len(),
            table.global_queue.len(),
            table.awake_ns.len(),
            table.parks.len(),
            table.detailed.len(),
            table.steals.len(),
            table.local_queues.len(),
            table.blocking_threads.len(),
            table.blocking_idle.len(),
            table.blocking_queue.len(),
        ],
    )?;
    if rows > MAX_EVENTS {
        return Err(DecodeError::Rows { table: "runtime_states", rows });
    }
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        out.push(RuntimeReading {
            id: RuntimeId(id("runtime_states", table.id[row])?),
            kind: match v1::RuntimeKind::try_from(table.kind[row]) {
                Ok(v1::RuntimeKind::CurrentThread) => RuntimeKind::CurrentThread,
                Ok(v1::RuntimeKind::MultiThread) => RuntimeKind::MultiThread,
                Ok(v1::RuntimeKind::Unspecified) => RuntimeKind::Unknown,
                Err(_) => return value("runtime_states.kind", table.kind[row]),
            },
            name: known.string(table.name[row])?.to_owned(),
            workers: table.workers[row],
            alive_tasks: table.alive_tasks[row],
            global_queue: table.global_queue[row],
            awake: Duration::from_nanos(table.awake_ns[row]),
            parks: table.parks[row],
            steals: table.steals[row],
            detail: table.detailed[row].then(|| RuntimeDetail {
                local_queues: table.local_queues[row],
                steals_per_s: 0.0,
                blocking_threads: table.blocking_threads[row],
                blocking_idle: table.blocking_idle[row],
                blocking_queue: table.blocking_queue[row],
            }),
        });
    }
    Ok(out)
}

pub(super) fn panics(panics: Vec<v1::Panic>, known: &Dictionary) -> Result<Vec<Panic>, DecodeError> {
    if panics.len() > MAX_EVENTS {
        return Err(DecodeError::Rows { table: "panics", rows: panics.len() });
    }
    let panic = |panic: v1::Panic| {
        Ok(Panic {
            task: TaskId(panic.task),
            site: known.site(panic.site)?,
            at: Stamp(panic.at_ns),
            message: text::owned(panic.message),
            location: known.location(panic.file, panic.line, panic.column)?,
        })
    };
    panics.into_iter().map(panic).collect()
}

pub(super) fn stacks(stacks: &[v1::Stack], known: &Dictionary) -> Result<Vec<Stack>, DecodeError> {
    if stacks.len() > MAX_EVENTS {
        return Err(DecodeError::Rows { table: "stacks", rows: stacks.len() });
    }
    stacks.iter().map(|one| stack(one, known)).collect()
}

fn stack(stack: &v1::Stack, known: &Dictionary) -> Result<Stack, DecodeError> {
    if stack.frames.len() > MAX_FRAMES {
        return Err(DecodeError::TooMany { what: "frames in a stack", limit: MAX_FRAMES });
    }
    let frame = |frame: &v1::Frame| {
        Ok(Frame {
            function: known.string(frame.function)?.to_owned(),
            location: known.location(frame.file, frame.line, frame.column)?,
            user: frame.user,
        })
    };
    Ok(Stack {
        worker: WorkerId(id("stacks", stack.worker)?),
        task: TaskId(stack.task),
        poll_started: Stamp(stack.poll_started_ns),
        at: Stamp(stack.at_ns),
        // What is not said, or said in a way of later versions, is not known.
        cause: match v1::StackCause::try_from(stack.cause) {
            Ok(v1::StackCause::Sleep) => StackCause::Sleep,
            Ok(v1::StackCause::Lock) => StackCause::Lock,
            Ok(v1::StackCause::BlockOn) => StackCause::BlockOn,
            Ok(v1::StackCause::File) => StackCause::File,
            Ok(v1::StackCause::Dns) => StackCause::Dns,
            Ok(v1::StackCause::Cpu) => StackCause::Cpu,
            Ok(v1::StackCause::Wait) => StackCause::Wait,
            Ok(v1::StackCause::Unspecified) | Err(_) => StackCause::Unknown,
        },
        samples: stack.samples,
        frames: stack.frames.iter().map(frame).collect::<Result<_, _>>()?,
    })
}
