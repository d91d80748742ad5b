//! The tables of an update, row by row: a file for each kind of thing. They are [unpacked](async_inspect_proto::v1::Update::unpack), so all
//! columns of a table have as many rows.
mod channels;
mod disposals;
mod events;
mod locks;
mod sights;
mod tasks;
mod workers;

use async_inspect_proto::{HISTOGRAM_BUCKETS, v1};

use super::DecodeError;
use crate::model::{Histogram, StackCause, Stamp};

pub(super) use channels::{channel_births, channel_states, oneshots};
pub(super) use disposals::disposals;
pub(super) use events::{panics, stacks};
pub(super) use locks::{cut_shorts, lock_births, lock_orders, lock_states};
pub(super) use sights::sights;
pub(super) use tasks::{site_totals, task_births, task_states};
pub(super) use workers::{runtime_states, worker_states};

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

/// What is not said, or said in a way of later versions, is not known.
fn cause(cause: i32) -> StackCause {
    match v1::StackCause::try_from(cause) {
        Ok(v1::StackCause::Sleep) => StackCause::Sleep,
        Ok(v1::StackCause::Lock) => StackCause::Lock,
        Ok(v1::StackCause::BlockOn) => StackCause::BlockOn,
        Ok(v1::StackCause::File) => StackCause::File,
        Ok(v1::StackCause::Dns) => StackCause::Dns,
        Ok(v1::StackCause::Cpu) => StackCause::Cpu,
        Ok(v1::StackCause::Wait) => StackCause::Wait,
        Ok(v1::StackCause::Unspecified) | Err(_) => StackCause::Unknown,
    }
}
