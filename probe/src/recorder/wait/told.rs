//! Waits that the `tracing` layer is told of: it has no future that it could keep them in, and no line of an await.
use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use super::{POLL_MASK, WaitKind, free_entry, noted::Noted, poll_mark, wait_on};
use crate::recorder::{clock, thread};

/// A wait that lies in words.
pub(crate) struct Kept {
    /// A [`Noted`].
    noted: AtomicU64,
    /// Ticks; 0 when nothing waits.
    since: AtomicU64,
}

impl Kept {
    /// The task in poll on this thread waits for `id`; false when it was known.
    pub(crate) fn begin(&self, kind: WaitKind, id: u64) -> bool {
        if self.since.load(Acquire) != 0 {
            return false;
        }
        let since = clock::ticks().max(1);
        let noted =
            thread::current_task().map_or(Noted::NONE, |task| Noted::new(task, false, wait_on(kind, id), since, None));
        self.noted.store(noted.word(), Relaxed);
        self.since.store(since, Release);
        true
    }

    /// It waits no more; says how long it did, in ticks, if a task waited.
    pub(crate) fn end(&self) -> Option<u64> {
        let since = self.since.load(Acquire);
        if since == 0 {
            return None;
        }
        // Nobody begins another before this one is over, so with the start goes what was noted of it.
        let noted = Noted::of_word(self.noted.load(Relaxed));
        self.since.compare_exchange(since, 0, AcqRel, Relaxed).ok()?;
        noted.end();
        (!noted.is_none()).then(|| clock::since(since))
    }
}

/// The task in poll on this thread found `id` not ready. It is not told when it turns to something else, so this holds
/// until its next poll, and says since when it waits at the least.
pub(crate) fn not_ready(kind: WaitKind, id: u64) {
    let Some(task) = thread::current_task() else { return };
    let (on, mark) = (wait_on(kind, id), poll_mark(task.polls()));
    let known = task.waits().iter().position(|entry| entry.on() & !POLL_MASK == on);
    match known.or_else(|| free_entry(task)).map(|entry| &task.waits()[entry]) {
        Some(entry) => entry.begin(on | mark, clock::ticks(), None),
        None => task.crowded(),
    }
}

/// The task in poll on this thread found `id` ready.
pub(crate) fn ready(kind: WaitKind, id: u64) {
    let Some(task) = thread::current_task() else { return };
    let on = wait_on(kind, id);
    if let Some(entry) = task.waits().iter().find(|entry| entry.on() & !POLL_MASK == on) {
        entry.reset();
    }
}
