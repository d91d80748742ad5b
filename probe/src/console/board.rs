//! The rows that consoles are told of, and who is attached.
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use ::tokio::sync::watch;
use console_api::instrument::Update;

use super::{
    debts::{Row, Table},
    peer::Peer,
    reader::Reader,
    rows::{ResourceRow, TaskRow},
    waits::Waits,
};
use crate::recorder::{
    Recorder,
    channel::ChannelReading,
    clock,
    lock::LockReading,
    task::{TaskKind, TaskReading},
};

/// Ticks of the collector in a round: a second, as that client is used to. It paints everything after each message.
const TICKS_A_ROUND: u32 = 10;
/// Consoles at once.
const MAX_CONSOLES: usize = 16;

/// The latest reading of each slot, as far as a console is told of it. There are rows while anybody is attached only, and
/// they never take more than one and a half times what the slots take.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) tasks: Table<TaskRow>,
    pub(super) locks: Table<ResourceRow>,
    pub(super) channels: Table<ResourceRow>,
    pub(super) waits: Waits,
}

/// How many were not told of one by one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) tasks: u64,
    pub(super) resources: u64,
    pub(super) ops: u64,
}

impl Dropped {
    /// What is new.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            tasks: self.tasks.saturating_sub(before.tasks),
            resources: self.resources.saturating_sub(before.resources),
            ops: self.ops.saturating_sub(before.ops),
        }
    }
}

#[derive(Debug, Default)]
struct Board {
    rows: Rows,
    readers: Vec<Reader>,
    last_key: u64,
    /// Every slot was read since the first console came.
    complete: bool,
    /// When the tick before was read, in ticks of the clock.
    before: u64,
    ticks: u32,
    dropped: Dropped,
}

/// All consoles. Used on the probe's thread only, so the lock is never waited for; the server's types ask for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Consoles(Arc<Mutex<Board>>);

/// There are as many consoles as there may be.
#[derive(Debug, thiserror::Error)]
#[error("{MAX_CONSOLES} consoles are attached already, which is the limit; close one of them")]
pub(super) struct TooMany;

/// The collector's side.
impl Consoles {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether anybody is attached.
    pub(crate) fn any(&self) -> bool {
        !self.board().readers.is_empty()
    }

    /// Whether all slots have to be read, those that did not change too.
    pub(crate) fn want_all(&self) -> bool {
        let board = self.board();
        !board.readers.is_empty() && !board.complete
    }

    /// The slot at `index` holds `task` now, which a worker has since `running_since` (ticks).
    pub(crate) fn task(
        &self,
        recorder: &'static Recorder,
        index: u32,
        task: Option<&TaskReading>,
        running_since: Option<u64>,
    ) {
        let Board { rows, readers, before, .. } = &mut *self.board();
        if readers.is_empty() {
            return;
        }
        let now = clock::ticks();
        // Of one that is known only while it waits, the wait is all there is to tell.
        let watched = task.filter(|task| task.kind != TaskKind::Unwatched as u8);
        let row = watched.map(|task| TaskRow::new(task, running_since, now));
        let alive = task.filter(|_| row.is_none_or(|row| row.ended_at() == 0));
        rows.tasks.set(index, row, now, readers.iter_mut().map(|reader| &mut reader.tasks));
        rows.waits.set(recorder, index, alive, (*before, now), readers);
    }

    /// The same of a lock.
    pub(crate) fn lock(&self, index: u32, lock: Option<&LockReading>) {
        let Board { rows, readers, .. } = &mut *self.board();
        if readers.is_empty() {
            return;
        }
        let row = lock.map(ResourceRow::of_lock);
        rows.locks.set(index, row, clock::ticks(), readers.iter_mut().map(|reader| &mut reader.locks));
    }

    /// The same of a channel.
    pub(crate) fn channel(&self, index: u32, channel: Option<&ChannelReading>) {
        let Board { rows, readers, .. } = &mut *self.board();
        if readers.is_empty() {
            return;
        }
        let row = channel.map(ResourceRow::of_channel);
        rows.channels.set(index, row, clock::ticks(), readers.iter_mut().map(|reader| &mut reader.channels));
    }

    /// All that changed in this tick was handed over.
    pub(crate) fn tick(&self, recorder: &'static Recorder) {
        let board = &mut *self.board();
        if board.readers.is_empty() {
            return;
        }
        board.complete = true;
        board.before = clock::ticks();
        board.ticks += 1;
        board.dropped = Dropped {
            tasks: recorder.tasks.shed(),
            resources: recorder.locks.shed() + recorder.channels.shed(),
            ops: board.rows.waits.dropped,
        };
        let due = board.ticks.is_multiple_of(TICKS_A_ROUND);
        board.readers.iter_mut().for_each(|reader| reader.tick(due));
    }
}

/// The service's side.
impl Consoles {
    /// Adds a console; returns its key.
    pub(super) fn join(&self, peer: Option<Peer>) -> Result<u64, TooMany> {
        let board = &mut *self.board();
        if board.readers.len() == MAX_CONSOLES {
            return Err(TooMany);
        }
        board.last_key += 1;
        board.readers.push(Reader::new(board.last_key, peer, &board.rows));
        Ok(board.last_key)
    }

    /// Forgets a console, and with the last one everything.
    pub(super) fn leave(&self, key: u64) {
        let board = &mut *self.board();
        board.readers.retain(|reader| reader.key != key);
        if board.readers.is_empty() {
            *board = Board { last_key: board.last_key, ..Board::default() };
        }
    }

    /// The next message for a console.
    pub(super) fn poll_update(&self, key: u64, cx: &Context<'_>) -> Poll<Option<Update>> {
        let Board { rows, readers, dropped, .. } = &mut *self.board();
        let Some(reader) = readers.iter_mut().find(|reader| reader.key == key) else { return Poll::Ready(None) };
        match reader.next_update(rows, *dropped, cx.waker()) {
            Some(update) => Poll::Ready(Some(update)),
            None => Poll::Pending,
        }
    }

    /// Silences the streams of a client, or ends the silence; false when it has none.
    pub(super) fn pause(&self, peer: Peer, paused: bool) -> bool {
        let board = self.board();
        let mut any = false;
        for reader in board.readers.iter().filter(|reader| reader.peer == Some(peer)) {
            reader.paused.send_replace(paused);
            any = true;
        }
        any
    }

    /// Whether the stream of a client is silenced, now and from now on.
    pub(super) fn paused(&self, peer: Peer) -> Option<watch::Receiver<bool>> {
        let board = self.board();
        Some(board.readers.iter().find(|reader| reader.peer == Some(peer))?.paused.subscribe())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_only_so_many_consoles() {
        let consoles = Consoles::default();
        let keys: Vec<_> = std::iter::from_fn(|| consoles.join(None).ok()).collect();
        assert_eq!(keys.len(), MAX_CONSOLES);
        consoles.leave(keys[3]);
        assert!(consoles.join(None).is_ok());
    }

    #[test]
    fn with_the_last_console_everything_goes() {
        let consoles = Consoles::default();
        let recorder = crate::testing::recorder();
        let key = consoles.join(None).unwrap();
        assert!(consoles.any() && consoles.want_all());
        consoles.tick(recorder);
        assert!(!consoles.want_all());
        consoles.leave(key);
        assert!(!consoles.any());
        consoles.join(None).unwrap();
        assert!(consoles.want_all());
    }
}
