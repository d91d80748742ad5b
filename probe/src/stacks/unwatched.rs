//! Workers in a poll that nobody watches: of a task that a library spawned with a tokio of its own.
//!
//! Nothing tells when such a poll begins. But each poll has a [budget](super::budget) of its own, so a look lowers what is
//! left of it to a number that it makes up. The next look that finds that number, on a thread that was neither parked nor
//! in a watched poll meanwhile, in the same task, is of the same poll. A poll that the probe has not marked has another
//! number left, unless by chance; so it takes two marks in a row. The poll yields earlier than it would have, which is what
//! a poll should do that lasts so long.
//!
//! Under `--cfg tokio_unstable` the runtime's hooks watch these polls, and nothing of this is done.
use std::collections::HashMap;

use super::signal::Marked;
use crate::recorder::{
    clock,
    thread::{WorkerKind, WorkerReading},
};

/// A thread that was parked more recently is left alone; in nanoseconds.
const AWAKE_NS: u64 = 50_000_000;
/// Two looks further apart than this are not of one moment: the process stood still.
const APART_NS: u64 = 1_000_000_000;
/// Marks found again that prove a poll to be the same. By chance one in about 80 is, and only in a task that spends all of
/// its budgets without ever waiting.
const PROOF: u32 = 2;

/// What was seen of the threads that may be in such a poll.
#[derive(Default)]
pub(super) struct Unwatched {
    looks: HashMap<u64, Look>,
}

/// The last look at a thread that was in a poll.
struct Look {
    unparked_at: u64,
    polls: u64,
    /// When it was looked at for the first time, and last; in ticks.
    since: u64,
    last: u64,
    marked: Marked,
    /// Marks that were found again.
    found: u32,
}

impl Unwatched {
    /// Whether the thread may be in such a poll, so that it is worth a look.
    pub(super) fn may_be_in_one(worker: &WorkerReading, now: u64) -> bool {
        cfg!(not(tokio_unstable))
            && worker.poll.is_none()
            && worker.kind != WorkerKind::Blocking as u8
            && worker.unparked_at != 0
            && clock::duration_ns(now.saturating_sub(worker.unparked_at)) >= AWAKE_NS
    }

    /// Whether the poll that the thread may be in is still to be proven, so that it needs a mark.
    pub(super) fn wants_mark(&self, worker: &WorkerReading) -> bool {
        self.looks.get(&worker.id).is_none_or(|look| look.found < PROOF)
    }

    /// Threads whose poll is marked, and not proven yet.
    pub(super) fn unproven(&self) -> impl Iterator<Item = u64> {
        self.looks.iter().filter(|(_, look)| look.found < PROOF).map(|(&worker, _)| worker)
    }

    /// Since when (ticks) the thread is known to be in the poll that `marked` was seen in; `None` while that is not proven.
    pub(super) fn since(&mut self, worker: &WorkerReading, marked: Option<Marked>, now: u64) -> Option<u64> {
        let Some(marked) = marked else {
            self.looks.remove(&worker.id);
            return None;
        };
        let same = self.looks.get_mut(&worker.id).filter(|look| {
            (look.unparked_at, look.polls) == (worker.unparked_at, worker.polls)
                && (look.marked.task, look.marked.after) == (marked.task, marked.before)
                && clock::duration_ns(now.saturating_sub(look.last)) < APART_NS
        });
        let Some(look) = same else {
            let (unparked_at, polls) = (worker.unparked_at, worker.polls);
            self.looks.insert(worker.id, Look { unparked_at, polls, since: now, last: now, marked, found: 0 });
            return None;
        };
        look.found += u32::from(look.marked.after != look.marked.before);
        (look.last, look.marked) = (now, marked);
        (look.found >= PROOF).then_some(look.since)
    }

    /// Forgets threads that are gone.
    pub(super) fn retain(&mut self, mut is_there: impl FnMut(u64) -> bool) {
        self.looks.retain(|&worker, _| is_there(worker));
    }
}
