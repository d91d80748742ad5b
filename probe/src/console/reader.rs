//! One console: what it is owed, and what it is told next.
use std::task::Waker;

use ::tokio::sync::watch;
use console_api::instrument::Update;

use super::{
    board::{Dropped, Rows},
    debts::Debts,
    draft::Draft,
    peer::Peer,
    rows::{ResourceRow, TaskRow},
    waits::OpRow,
};
use crate::recorder::clock;

/// Length of the first message: on the screen at once.
const FIRST_BYTES: usize = 128 * 1024;
/// Length of the others. That client refuses more than 4 MiB, and paints all that it has after each.
const BYTES: usize = 3 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Reader {
    pub(super) key: u64,
    pub(super) peer: Option<Peer>,
    pub(super) tasks: Debts<TaskRow>,
    pub(super) locks: Debts<ResourceRow>,
    pub(super) channels: Debts<ResourceRow>,
    pub(super) lines: Debts<ResourceRow>,
    pub(super) ops: Debts<OpRow>,
    /// Whether it asked for silence; heard by those who watch its state.
    pub(super) paused: watch::Sender<bool>,
    /// What it was told that is not told.
    dropped: Dropped,
    round: Round,
    /// Of its stream, which waits for the next round.
    waker: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Round {
    /// It came, and gets its first round with the next tick.
    First,
    Over,
    /// Something is left to be told.
    Open {
        greeted: bool,
    },
}

impl Reader {
    pub(super) fn new(key: u64, peer: Option<Peer>, rows: &Rows) -> Self {
        Self {
            key,
            peer,
            tasks: Debts::of(&rows.tasks),
            locks: Debts::of(&rows.locks),
            channels: Debts::of(&rows.channels),
            lines: Debts::of(&rows.waits.lines),
            ops: Debts::of(&rows.waits.ops),
            paused: watch::Sender::new(false),
            dropped: Dropped::default(),
            round: Round::First,
            waker: None,
        }
    }

    /// A tick was read; `due` when it is time for another round. One that is not told yet goes on.
    pub(super) fn tick(&mut self, due: bool) {
        let greeted = self.round != Round::First;
        if *self.paused.borrow() || !matches!((self.round, due), (Round::First, _) | (Round::Over, true)) {
            return;
        }
        self.tasks.open_round();
        self.locks.open_round();
        self.channels.open_round();
        self.lines.open_round();
        self.ops.open_round();
        self.round = Round::Open { greeted };
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// The next message, if there is one now; else `waker` is woken when there is.
    pub(super) fn next_update(&mut self, rows: &Rows, dropped: Dropped, waker: &Waker) -> Option<Update> {
        let Round::Open { greeted } = self.round else {
            self.waker = Some(waker.clone());
            return None;
        };
        let now = clock::ticks();
        let mut draft = Draft::new(if greeted { BYTES } else { FIRST_BYTES });
        if !greeted {
            draft.greet();
        }
        let more = dropped.since(self.dropped);
        self.dropped = dropped;
        draft.dropped(more.tasks, more.resources, more.ops);
        while !draft.is_full() {
            if let Some(task) = self.tasks.next(&rows.tasks, now) {
                draft.task(&task);
            } else if let Some(lock) = self.locks.next(&rows.locks, now) {
                draft.resource(&lock);
            } else if let Some(channel) = self.channels.next(&rows.channels, now) {
                draft.resource(&channel);
            } else if let Some(line) = self.lines.next(&rows.waits.lines, now) {
                draft.resource(&line);
            } else if let Some(op) = self.ops.next(&rows.waits.ops, now) {
                draft.op(&op);
            } else {
                self.round = Round::Over;
                return Some(draft.finish());
            }
        }
        self.round = Round::Open { greeted: true };
        Some(draft.finish())
    }
}
