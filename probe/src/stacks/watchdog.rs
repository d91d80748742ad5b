//! Which polls are looked at, and when.
use std::collections::HashMap;

use super::{Cause, Stack, cause, modules, signal, symbols, unwind};
use crate::recorder::{
    Recorder, clock,
    thread::{Polling, WorkerKind, WorkerReading},
};

/// A poll that runs this long is looked at, in nanoseconds.
const BLOCKED_NS: u64 = 100_000_000;
/// Looks at one poll, and the time between two of them, which doubles each time.
const MAX_SAMPLES: u32 = 5;
const FIRST_PAUSE_NS: u64 = 150_000_000;

/// Looks at polls that do not end.
pub(crate) struct Watchdog {
    recorder: &'static Recorder,
    /// By worker: the poll that was looked at last.
    seen: HashMap<u64, Seen>,
    modules: modules::Modules,
    /// Why no stack can be taken, said once.
    broken: Option<signal::Unavailable>,
}

struct Seen {
    poll_started: u64,
    samples: u32,
    next_at: u64,
    causes: Vec<Cause>,
}

impl Watchdog {
    /// Installs the signal handler, unless stacks are switched off.
    pub(crate) fn new(recorder: &'static Recorder, enabled: bool) -> Self {
        Self {
            recorder,
            seen: HashMap::new(),
            modules: modules::Modules::default(),
            broken: if enabled { signal::install().err() } else { Some(signal::Unavailable::SwitchedOff) },
        }
    }

    /// Why this process shows no stacks, if it does not.
    pub(crate) fn unavailable(&self) -> Option<String> {
        self.broken.as_ref().map(ToString::to_string)
    }

    /// Takes the stacks that are due.
    pub(crate) fn look(&mut self) -> Vec<Stack> {
        if self.broken.is_some() {
            return Vec::new();
        }
        let now = clock::ticks();
        let workers: Vec<_> = self.recorder.workers.all().filter_map(|(_, slot)| Some((slot, slot.read()?))).collect();
        self.seen.retain(|&id, seen| {
            workers.iter().any(|(_, worker)| {
                worker.id == id && worker.poll.is_some_and(|poll| poll.started == seen.poll_started)
            })
        });
        let mut stacks = Vec::new();
        for (slot, worker) in workers {
            let Some(poll) = worker.poll.filter(|poll| self.is_due(&worker, poll, now)) else { continue };
            let state = signal::thread_state(slot.tid());
            let Some(copy) = signal::copy(slot.tid(), slot.stack()) else {
                self.note(&worker, &poll, now, Cause::Unknown);
                continue;
            };
            // The poll may have ended meanwhile: then the copy shows something else.
            let same = slot.read().is_some_and(|now| {
                now.id == worker.id && now.poll.is_some_and(|now| now.started == poll.started)
            });
            if !same {
                continue;
            }
            let addresses = unwind::addresses(&copy, &mut self.modules);
            let frames = symbols::frames(&addresses, &mut self.modules, self.recorder);
            let cause = cause::of(&frames, state);
            let seen = self.note(&worker, &poll, now, cause);
            stacks.push(Stack {
                worker: worker.id,
                task: poll.task_id,
                poll_started: poll.started,
                at: now,
                cause: cause::agreed(&seen.causes),
                samples: seen.samples,
                frames: symbols::trimmed(frames),
            });
        }
        stacks
    }

    fn is_due(&self, worker: &WorkerReading, poll: &Polling, now: u64) -> bool {
        // A blocking task is meant to block.
        if worker.kind == WorkerKind::Blocking as u8 || clock::duration_ns(now.saturating_sub(poll.started)) < BLOCKED_NS {
            return false;
        }
        self.seen.get(&worker.id).is_none_or(|seen| {
            seen.poll_started != poll.started || (seen.samples < MAX_SAMPLES && now >= seen.next_at)
        })
    }

    fn note(&mut self, worker: &WorkerReading, poll: &Polling, now: u64, cause: Cause) -> &Seen {
        let seen = self.seen.entry(worker.id).or_insert(Seen {
            poll_started: poll.started,
            samples: 0,
            next_at: 0,
            causes: Vec::new(),
        });
        if seen.poll_started != poll.started {
            *seen = Seen { poll_started: poll.started, samples: 0, next_at: 0, causes: Vec::new() };
        }
        seen.next_at = now + clock::ticks_in_ns(FIRST_PAUSE_NS << seen.samples);
        seen.samples += 1;
        seen.causes.push(cause);
        seen
    }
}
