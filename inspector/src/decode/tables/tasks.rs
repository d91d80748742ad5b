//! Tasks, and the places where they are spawned.
use std::time::Duration;

use async_inspect_proto::{HISTOGRAM_BUCKETS, task_flags, v1};

use super::{id, value};
use crate::decode::dictionary::Dictionary;
use crate::decode::{DecodeError, MAX_LISTED};
use crate::model::{
    ChannelId, LockId, SiteId, SiteReading, Stamp, TaskBirth, TaskFlags, TaskId, TaskKind, TaskReading, TaskState,
    Wait, WaitFor, Waits,
};

pub(in crate::decode) fn site_totals(
    table: &v1::SiteTotals,
    known: &Dictionary,
) -> Result<Vec<SiteReading>, DecodeError> {
    let rows = table.site.len();
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
            aborted_age: Duration::from_nanos(table.aborted_age_ns[row]),
        });
    }
    Ok(out)
}

pub(in crate::decode) fn task_births(
    table: &v1::TaskBirths,
    known: &Dictionary,
) -> Result<Vec<TaskBirth>, DecodeError> {
    let rows = table.id.len();
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        out.push(TaskBirth {
            id: TaskId(id("task_births", table.id[row].cast_unsigned())?),
            kind: match v1::TaskKind::try_from(table.kind[row]) {
                Ok(v1::TaskKind::Async) => TaskKind::Async,
                Ok(v1::TaskKind::Blocking) => TaskKind::Blocking,
                Ok(v1::TaskKind::Root) => TaskKind::Root,
                Ok(v1::TaskKind::Local) => TaskKind::Local,
                Ok(v1::TaskKind::Unwatched) => TaskKind::Unwatched,
                _ => return value("task_births.kind", table.kind[row]),
            },
            site: known.site(table.site[row])?,
            name: known.name(table.name[row])?,
            spawned_at: Stamp(table.spawned_at_ns[row].cast_unsigned()),
            future_bytes: table.future_bytes[row],
            parent: TaskId(table.parent[row].cast_unsigned()),
        });
    }
    Ok(out)
}

pub(in crate::decode) fn task_states(
    table: &v1::TaskStates,
    known: &Dictionary,
) -> Result<Vec<TaskReading>, DecodeError> {
    let rows = table.id.len();
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
        let state_since = Stamp(table.state_since_ns[row].cast_unsigned());
        let kept = end.min(next_wait + MAX_LISTED);
        let waits = (next_wait..kept).map(|at| wait(table, at, state_since, known)).collect::<Result<Waits, _>>()?;
        next_wait = end;
        let flags = table.flags[row];
        out.push(TaskReading {
            id: TaskId(id("task_states", table.id[row].cast_unsigned())?),
            state,
            state_since,
            polls: table.polls[row],
            busy: Duration::from_nanos(table.busy_ns[row]),
            max_poll: Duration::from_nanos(table.max_poll_ns[row]),
            wakes: table.wakes[row],
            self_wakes: table.self_wakes[row],
            sched_total: Duration::from_nanos(table.sched_total_ns[row]),
            sched_max: Duration::from_nanos(table.sched_max_ns[row]),
            sched_p99_bucket: table.sched_p99_bucket[row].checked_sub(1).map(bucket).transpose()?,
            flags: TaskFlags {
                handle_held: flags & task_flags::HANDLE_HELD != 0,
                handle_awaited: flags & task_flags::HANDLE_AWAITED != 0,
                handle_dropped: flags & task_flags::HANDLE_DROPPED != 0,
                aborted: flags & task_flags::ABORTED != 0,
                more_waits: flags & task_flags::MORE_WAITS != 0 || kept < end,
            },
            waits,
            wakers: table.wakers_plus_one[row].checked_sub(1),
            token: LockId(table.token[row]),
            tracker: LockId(table.tracker[row]),
        });
    }
    Ok(out)
}

/// One of a histogram's.
fn bucket(bucket: u32) -> Result<u8, DecodeError> {
    match u8::try_from(bucket) {
        Ok(known) if usize::from(known) < HISTOGRAM_BUCKETS => Ok(known),
        _ => Err(DecodeError::Value { field: "task_states.sched_p99_bucket", value: bucket.into() }),
    }
}

/// The site that is in the place of an entity.
fn site_of(id: u64, known: &Dictionary) -> Result<SiteId, DecodeError> {
    known.site(u32::try_from(id).unwrap_or(u32::MAX))
}

fn wait(table: &v1::TaskStates, at: usize, state_since: Stamp, known: &Dictionary) -> Result<Wait, DecodeError> {
    let on = table.wait_for[at];
    Ok(Wait {
        on: match v1::WaitKind::try_from(table.wait_kind[at]) {
            Ok(v1::WaitKind::Lock) => WaitFor::Lock(LockId(on)),
            Ok(v1::WaitKind::ChannelSend) => WaitFor::Send(ChannelId(on)),
            Ok(v1::WaitKind::ChannelRecv) => WaitFor::Recv(ChannelId(on)),
            Ok(v1::WaitKind::Join) => WaitFor::Join(TaskId(on)),
            Ok(v1::WaitKind::LockRead) => WaitFor::Read(LockId(on)),
            Ok(v1::WaitKind::ChannelClosed) => WaitFor::Closed(ChannelId(on)),
            Ok(v1::WaitKind::Oneshot) => WaitFor::Oneshot(site_of(on, known)?),
            Ok(v1::WaitKind::OneshotClosed) => WaitFor::OneshotClosed(site_of(on, known)?),
            Ok(v1::WaitKind::Timer) => WaitFor::Timer(Duration::from_millis(on)),
            _ => return value("task_states.wait_kind", table.wait_kind[at]),
        },
        site: known.site(table.wait_site[at])?,
        since: Stamp(state_since.0.wrapping_sub(table.wait_before_ns[at].cast_unsigned())),
    })
}
