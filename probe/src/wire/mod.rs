//! From the recorder's readings to the messages of `async_inspect.v1`, and nothing else: ticks become nanoseconds,
//! addresses become interned ids, rows become columns, and a message that grows too long becomes two.

mod dictionary;
mod rows;

pub(crate) use dictionary::{Dictionary, Known as DictionaryKnown};
pub(crate) use rows::{oneshots_version, totals_version};

use async_inspect_proto::v1::{self, Update};

/// Bytes after which a message is closed and the next one begun; far enough from
/// [`async_inspect_proto::MAX_MESSAGE_BYTES`] for one more row of any kind.
const FULL: usize = 600 * 1024;

/// The messages of one tick, or one piece of a snapshot.
#[derive(Default)]
pub(crate) struct Messages {
    closed: Vec<Update>,
    open: Update,
    /// Upper estimate of `open`'s length on the wire.
    weight: usize,
}

impl Messages {
    /// The message that rows go into, with room for `bytes` more.
    fn room_for(&mut self, bytes: usize) -> &mut Update {
        if self.weight + bytes > FULL && self.weight > 0 {
            self.closed.push(std::mem::take(&mut self.open));
            self.weight = 0;
        }
        self.weight += bytes;
        &mut self.open
    }

    /// Whether the open message has no room for a row of any kind.
    pub(crate) fn is_full(&self) -> bool {
        self.weight + 1024 > FULL
    }

    /// All messages as they are sent, the last one even when it is empty.
    pub(crate) fn finish(mut self) -> Vec<Update> {
        self.closed.push(self.open);
        self.closed.iter_mut().for_each(Update::pack);
        self.closed
    }

    /// What goes with every tick.
    pub(crate) fn status(&mut self, loss: v1::Loss, cost: v1::Cost) {
        let update = self.room_for(128);
        update.loss = Some(loss);
        update.cost = Some(cost);
    }

    /// A task, lock, channel or worker that is no more.
    pub(crate) fn gone(&mut self, what: Gone, id: u64) {
        let update = self.room_for(10);
        match what {
            Gone::Task => update.gone_tasks.push(id),
            Gone::Lock => update.gone_locks.push(id),
            Gone::Channel => update.gone_channels.push(id),
            Gone::Worker => update.gone_workers.push(id),
        }
    }
}

/// What is no more.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gone {
    Task,
    Lock,
    Channel,
    Worker,
}
