//! Tasks that wake themselves over and over: a look at one poll of such a task tells at which line it does.
//!
//! It is polled anyway, so the next of its polls is given a waker that was not seen before: who wakes the task by it, or
//! hands it to tokio to be polled again, shows the stack.
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{
    Frame, SightKind,
    looking::{self, Found},
    namer::{Job, Moment, Namer},
};
use crate::recorder::{
    clock,
    task::{TaskReading, TaskRef, TaskSlot},
};

/// Wakes by itself, in all and since the last tick, from which on a task is worth a look.
const WAKES: u64 = 100;
/// Tasks that are kept in mind.
const TASKS: usize = 64;
/// What was seen of the tasks of one site holds for so long, in nanoseconds.
const PAUSE_NS: u64 = 2_000_000_000;
/// A task that was not polled for so long is not polled over and over.
const PATIENCE: Duration = Duration::from_secs(1);

/// Which tasks do so, and the one that is looked at.
#[derive(Default)]
pub(super) struct Spinning {
    /// By task: wakes by itself when it was seen last, and when that was (ticks).
    known: HashMap<u64, (u64, u64)>,
    /// The worst of this tick, and its wakes since the last one.
    worst: Option<(TaskRef, u64)>,
    /// By site: when one of its tasks was looked at (ticks).
    looked_at: HashMap<u32, u64>,
    current: Option<(TaskRef, Instant)>,
}

impl Spinning {
    /// A task was polled since the last tick.
    pub(super) fn polled(&mut self, slot: &'static TaskSlot, task: &TaskReading) {
        if task.self_wakes < WAKES {
            return;
        }
        let now = clock::ticks();
        let room = self.known.len() < TASKS;
        let Some((before, at)) = self.known.get_mut(&task.id) else {
            if room {
                self.known.insert(task.id, (task.self_wakes, now));
            }
            return;
        };
        let since = task.self_wakes.saturating_sub(*before);
        if !room && since < WAKES {
            // It makes room for one that may be worse, and may come again.
            self.known.remove(&task.id);
            return;
        }
        (*before, *at) = (task.self_wakes, now);
        let looked_at = self.looked_at.get(&task.site.id);
        let lately = looked_at.is_some_and(|&at| clock::duration_ns(now.saturating_sub(at)) < PAUSE_NS);
        if since >= WAKES && !lately && self.worst.as_ref().is_none_or(|(_, most)| since > *most) {
            self.worst = slot.retain_as(task.id).map(|task| (task, since));
        }
    }

    /// Whether a task is looked at.
    pub(super) fn is_busy(&self) -> bool {
        self.current.is_some()
    }

    /// Nobody looks any more: no task is kept for it.
    pub(super) fn stop(&mut self) {
        self.worst = None;
        if let Some((task, _)) = self.current.take()
            && looking::take_back()
        {
            task.slot().look_no_more();
        }
    }

    /// A step: from the worst task to its poll, from the poll to names.
    pub(super) fn step(&mut self, namer: &mut Namer) {
        let now = clock::ticks();
        self.known.retain(|_, (_, at)| clock::duration_ns(now.saturating_sub(*at)) < PAUSE_NS);
        let worst = self.worst.take();
        if let Some((task, asked)) = self.current.take() {
            match looking::answer() {
                Some(found) => name(&task, found.places, now, namer),
                None if asked.elapsed() > PATIENCE && looking::take_back() => task.slot().look_no_more(),
                None => self.current = Some((task, asked)),
            }
        } else if let Some((task, _)) = worst
            && looking::ask_for_next(task.slot())
        {
            self.looked_at.insert(task.slot().site().id, now);
            self.current = Some((task, Instant::now()));
        }
    }
}

/// Has those places named in which the task may have woken itself. A place where it left its waker is one only if it left it
/// with the runtime, which the names will tell.
fn name(task: &TaskRef, found: Vec<Found>, at: u64, namer: &mut Namer) {
    let what = Moment { kind: SightKind::SelfWake, of: task.slot().site().id.into(), at };
    let wakes = found.iter().any(|place| place.woke);
    for place in found.into_iter().filter(|place| place.woke == wakes) {
        namer.name(Job::moment(what, place.copy));
    }
}

/// Whether a task that leaves its waker there is polled again at once: tokio keeps it until the poll is over.
pub(super) fn wakes_itself(frames: &[Frame]) -> bool {
    let by_ref = |frame: &Frame| frame.function.contains("wake_by_ref") || frame.function.contains("wakes_here");
    let deferred = |frame: &Frame| {
        frame.file.ends_with("runtime/scheduler/defer.rs")
            || ["defer::Defer", "context::defer"].iter().any(|name| frame.function.contains(name))
    };
    let inner = frames.iter().take_while(|frame| !frame.user);
    inner.into_iter().any(|frame| by_ref(frame) || deferred(frame))
}
