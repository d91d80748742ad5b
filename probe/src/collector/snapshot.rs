//! All that there is, piece by piece, for a subscriber who has just come.
use async_inspect_proto::{EncodedUpdate, v1::Update};

use super::{Collector, detail_of, running::Running};
use crate::{
    recorder::runtimes,
    wire::{self, Messages},
};

/// How far a snapshot has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SnapshotCursor {
    part: Part,
    next: u32,
    dictionary: wire::DictionaryKnown,
}

impl SnapshotCursor {
    /// Whether nothing went out yet.
    pub(crate) fn untouched(&self) -> bool {
        self.part == Part::Status
    }

    /// Whether everything went out.
    pub(crate) fn done(&self) -> bool {
        self.part == Part::End
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Status,
    Tasks,
    Locks,
    Channels,
    Workers,
    End,
}

impl Part {
    fn next(self) -> Self {
        match self {
            Self::Status => Self::Tasks,
            Self::Tasks => Self::Locks,
            Self::Locks => Self::Channels,
            Self::Channels => Self::Workers,
            Self::Workers | Self::End => Self::End,
        }
    }
}

impl Collector {
    /// The next piece of a snapshot: of what the deltas have announced so far, so that a later "gone" finds it.
    pub(super) fn snapshot_piece(&mut self, cursor: &mut SnapshotCursor) -> Vec<EncodedUpdate> {
        let mut messages = Messages::default();
        let begin = cursor.part == Part::Status;
        let running = Running::now(self.recorder);
        while !messages.is_full() && cursor.part != Part::End {
            let next = cursor.next;
            cursor.next += 1;
            let more = match cursor.part {
                Part::Status => {
                    for site in self.recorder.sites.all().filter(|site| site.has_totals()) {
                        messages.site_totals(site, &mut self.dictionary);
                    }
                    for site in self.recorder.sites.all().filter(|site| site.is_oneshot()) {
                        messages.oneshot_totals(site, &mut self.dictionary);
                    }
                    for (id, order) in self.recorder.orders.all() {
                        messages.lock_order(id, &order, &mut self.dictionary);
                    }
                    for panic in self.recorder.panics.after(0) {
                        messages.panic(&panic, &mut self.dictionary);
                    }
                    for stack in self.stacks.values() {
                        messages.stack(stack, &mut self.dictionary);
                    }
                    for sight in self.sights.values() {
                        messages.sight(sight, &mut self.dictionary);
                    }
                    false
                }
                Part::Tasks => self.recorder.tasks.at_used(next).is_some_and(|slot| {
                    if let Some(task) = slot.read().filter(|task| self.tasks.is(next, task.id)) {
                        messages.task_birth(&task, &mut self.dictionary);
                        messages.task_state(&task, running.since(task.id), &mut self.dictionary);
                    }
                    true
                }),
                Part::Locks => self.recorder.locks.at_used(next).is_some_and(|slot| {
                    if let Some(lock) = slot.read().filter(|lock| self.locks.is(next, lock.id)) {
                        messages.lock_birth(&lock, &mut self.dictionary);
                        messages.lock_state(&lock, &mut self.dictionary);
                        messages.cut_short(&lock, &mut self.dictionary);
                    }
                    true
                }),
                Part::Channels => self.recorder.channels.at_used(next).is_some_and(|slot| {
                    if let Some(channel) = slot.read().filter(|channel| self.channels.is(next, channel.id)) {
                        let last_send = self.last_sends.get(&channel.id).map_or(0, |last| last.1);
                        messages.channel_birth(&channel, &mut self.dictionary);
                        messages.channel_state(&channel, last_send, &mut self.dictionary);
                    }
                    true
                }),
                Part::Workers => {
                    let runtimes = runtimes::read();
                    for (index, slot) in self.recorder.workers.all() {
                        if let Some(worker) = slot.read().filter(|worker| self.workers.is(index, worker.id)) {
                            let cpu = self.cpu_looks.last(&worker);
                            let detail = detail_of(&worker, &runtimes);
                            messages.worker_state(&worker, cpu, detail, &mut self.dictionary);
                        }
                    }
                    false
                }
                Part::End => false,
            };
            if !more {
                cursor.part = cursor.part.next();
                cursor.next = 0;
            }
        }
        let news = self.dictionary.news(&mut cursor.dictionary);
        let mut pieces: Vec<Update> = news.into_iter().chain(messages.finish()).collect();
        if let (true, Some(first)) = (begin, pieces.first_mut()) {
            first.snapshot_begin = true;
        }
        if let (Part::End, Some(last)) = (cursor.part, pieces.last_mut()) {
            last.snapshot_end = true;
        }
        self.sealed(pieces.into_iter()).iter().map(EncodedUpdate::from).collect()
    }
}
