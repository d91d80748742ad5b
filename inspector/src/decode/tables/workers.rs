//! Threads that poll, and runtimes.
use std::time::Duration;

use async_inspect_proto::v1;

use super::{MAX_EVENTS, id, stamp, value};
use crate::decode::DecodeError;
use crate::decode::dictionary::Dictionary;
use crate::model::{
    RuntimeDetail, RuntimeId, RuntimeKind, RuntimeReading, TaskId, WorkerId, WorkerKind, WorkerReading,
};

pub(in crate::decode) fn worker_states(
    table: &v1::WorkerStates,
    known: &Dictionary,
) -> Result<Vec<WorkerReading>, DecodeError> {
    let rows = table.id.len();
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
            name: known.name(table.name[row])?,
            poll: stamp(table.poll_started_ns[row]).map(|since| (TaskId(table.task[row]), since)),
            polls: table.polls[row],
            busy: Duration::from_nanos(table.busy_ns[row]),
            cpu_wait: Duration::from_nanos(table.cpu_wait_ns[row]),
            poll_cpu_wait: Duration::from_nanos(table.poll_cpu_wait_ns[row]),
            parks: table.parks[row],
            steals: table.steals[row],
            awake: Duration::from_nanos(table.awake_ns[row]),
            cpu: Some(Duration::from_nanos(table.cpu_ns[row])).filter(|cpu| !cpu.is_zero()),
            local_queue: table.local_queue_plus_one[row].checked_sub(1).map(u64::from),
        });
    }
    Ok(out)
}

pub(in crate::decode) fn runtime_states(
    table: &v1::RuntimeStates,
    known: &Dictionary,
) -> Result<Vec<RuntimeReading>, DecodeError> {
    let rows = table.id.len();
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
            name: known.name(table.name[row])?,
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
