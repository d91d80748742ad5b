//! Locks, and in which order they are taken.
use std::time::Duration;

use async_inspect_proto::v1;

use super::{histogram, id, stamp, value};
use crate::decode::dictionary::Dictionary;
use crate::decode::{DecodeError, MAX_LISTED};
use crate::model::{
    CutShort, CutShortReading, DropKind, Holder, LockBirth, LockId, LockKind, LockOrder, LockReading, Stamp, TaskId,
};

pub(in crate::decode) fn lock_births(
    table: &v1::LockBirths,
    known: &Dictionary,
) -> Result<Vec<LockBirth>, DecodeError> {
    let rows = table.id.len();
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        out.push(LockBirth {
            id: LockId(id("lock_births", table.id[row].cast_unsigned())?),
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
            name: known.name(table.name[row])?,
            parent: LockId(table.parent[row]),
        });
    }
    Ok(out)
}

pub(in crate::decode) fn lock_states(
    table: &v1::LockStates,
    known: &Dictionary,
) -> Result<Vec<LockReading>, DecodeError> {
    let rows = table.id.len();
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
        let kept = end.min(next_hold + MAX_LISTED);
        let holders = (next_hold..kept).map(hold).collect::<Result<Vec<Holder>, _>>()?;
        next_hold = end;
        out.push(LockReading {
            id: LockId(id("lock_states", table.id[row].cast_unsigned())?),
            holder: TaskId(table.holder[row]),
            holder_site: known.site(table.holder_site[row])?,
            held_since: stamp(table.held_since_ns[row]),
            holder_may_move: table.holder_may_move[row],
            holders,
            holder_count: if kept < end { table.holders[row].max(table.holds[row]) } else { table.holders[row] },
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

pub(in crate::decode) fn cut_shorts(
    table: &v1::CutShorts,
    known: &Dictionary,
) -> Result<Vec<CutShortReading>, DecodeError> {
    let rows = table.lock.len();
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

pub(in crate::decode) fn lock_orders(
    table: &v1::LockOrders,
    known: &Dictionary,
) -> Result<Vec<LockOrder>, DecodeError> {
    let rows = table.id.len();
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
