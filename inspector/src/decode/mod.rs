//! From the wire to the inspector's own terms. Nothing that comes in is trusted: what breaks the rules written in the
//! `.proto` file is refused as a whole, and every string is cleaned before anyone sees it.
use std::time::Duration;

use async_inspect_proto::v1;

pub mod console;
mod details;
mod dictionary;
mod error;
mod tables;
pub mod text;

#[cfg(test)]
mod tests;

pub use details::task_details;
pub use error::DecodeError;

use crate::model::{Batch, Blind, ChannelId, Cost, LockId, Loss, Stamp, Target, TaskId, WorkerId};
use dictionary::Dictionary;

/// Waits of one task, and holds of one lock, that are kept: a probe lists two and eight. What is left out, a flag and a count
/// tell of.
const MAX_LISTED: usize = 16;
/// Capabilities, and blind spots, that one target may name.
const MAX_LIST: usize = 64;

/// Decodes the messages of one connection, in their order.
#[derive(Debug, Default)]
pub struct Decoder {
    dictionary: Dictionary,
    /// Number of the newest update.
    last_seq: Option<u64>,
    /// Updates that the probe made and this connection was too slow for.
    skipped: u64,
}

impl Decoder {
    /// For a new connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes one message.
    ///
    /// # Errors
    ///
    /// When the message breaks the protocol's rules. The connection is then of no more use.
    pub fn update(&mut self, mut update: v1::Update) -> Result<Batch, DecodeError> {
        self.count_skipped(update.seq);
        update.unpack().map_err(DecodeError::of_table)?;
        if let Some(strings) = update.strings {
            self.dictionary.learn_strings(strings)?;
        }
        let mut batch = Batch {
            now: Stamp(update.now_ns),
            snapshot_begin: update.snapshot_begin,
            snapshot_end: update.snapshot_end,
            ..Batch::default()
        };
        if let Some(sites) = &update.sites {
            batch.sites = self.dictionary.learn_sites(sites)?;
        }
        let known = &self.dictionary;
        if let Some(table) = &update.site_totals {
            batch.site_totals = tables::site_totals(table, known)?;
        }
        if let Some(table) = &update.task_births {
            batch.task_births = tables::task_births(table, known)?;
        }
        if let Some(table) = &update.task_states {
            batch.task_states = tables::task_states(table, known)?;
        }
        if let Some(table) = &update.lock_births {
            batch.lock_births = tables::lock_births(table, known)?;
        }
        if let Some(table) = &update.lock_states {
            batch.lock_states = tables::lock_states(table, known)?;
        }
        if let Some(table) = &update.cut_shorts {
            batch.cut_shorts = tables::cut_shorts(table, known)?;
        }
        if let Some(table) = &update.disposals {
            batch.disposals = tables::disposals(table, known)?;
        }
        if let Some(table) = &update.sights {
            batch.sights = tables::sights(table, known)?;
        }
        if let Some(table) = &update.lock_orders {
            batch.lock_orders = tables::lock_orders(table, known)?;
        }
        if let Some(table) = &update.channel_births {
            batch.channel_births = tables::channel_births(table, known)?;
        }
        if let Some(table) = &update.channel_states {
            batch.channel_states = tables::channel_states(table, known)?;
        }
        if let Some(table) = &update.oneshot_totals {
            batch.oneshots = tables::oneshots(table, known)?;
        }
        if let Some(table) = &update.worker_states {
            batch.worker_states = tables::worker_states(table, known)?;
        }
        if let Some(table) = &update.runtime_states {
            batch.runtimes = Some(tables::runtime_states(table, known)?);
        }
        batch.panics = tables::panics(update.panics, known)?;
        batch.stacks = tables::stacks(&update.stacks, known)?;
        batch.gone_tasks = update.gone_tasks.into_iter().map(TaskId).collect();
        batch.gone_locks = update.gone_locks.into_iter().map(LockId).collect();
        batch.gone_channels = update.gone_channels.into_iter().map(ChannelId).collect();
        batch.gone_workers = update.gone_workers.into_iter().map(WorkerId).collect();
        batch.loss = update.loss.map(|loss| Loss {
            tasks: loss.shed_tasks,
            locks: loss.shed_locks,
            channels: loss.shed_channels,
            sites: loss.shed_sites,
            panics: loss.shed_panics,
            names: loss.shed_names.saturating_add(self.dictionary.shed()),
            details: loss.shed_details,
            stacks: loss.shed_stacks,
            updates: self.skipped,
        });
        batch.cost = update.cost.map(|cost| Cost {
            cpu: Duration::from_nanos(cost.cpu_ns),
            cpu_share: 0.0,
            memory_bytes: cost.memory_bytes,
            memory_limit_bytes: cost.memory_limit_bytes,
            subscribers: cost.subscribers,
        });
        Ok(batch)
    }

    /// Whoever does not keep up is given no more updates until there is a new snapshot, which shows in their numbers.
    fn count_skipped(&mut self, seq: u64) {
        let next = self.last_seq.replace(seq).map_or(seq, |last| last.saturating_add(1));
        self.skipped = self.skipped.saturating_add(seq.saturating_sub(next));
    }
}

/// Decodes the answer to `Hello` of the target that the operator calls `address`.
///
/// # Errors
///
/// When it breaks the protocol's rules. The protocol version is the caller's to compare.
pub fn hello(address: String, answer: v1::HelloResponse) -> Result<Target, DecodeError> {
    for (what, len) in [("capabilities", answer.capabilities.len()), ("blind spots", answer.blind.len())] {
        if len > MAX_LIST {
            return Err(DecodeError::TooMany { what, limit: MAX_LIST });
        }
    }
    Ok(Target {
        address,
        instance: answer.instance_id,
        pid: answer.pid,
        app: text::owned(answer.app),
        probe_version: text::owned(answer.probe_version),
        capabilities: answer.capabilities.into_iter().map(text::owned).collect(),
        blind: answer
            .blind
            .into_iter()
            .map(|blind| Blind {
                about: text::owned(blind.about),
                what: text::owned(blind.what),
                why: text::owned(blind.why),
                remedy: text::owned(blind.remedy),
            })
            .collect(),
        slow_poll: Duration::from_nanos(answer.slow_poll_ns),
        tick: Duration::from_millis(answer.tick_ms.into()),
        cpus: answer.cpus,
    })
}
