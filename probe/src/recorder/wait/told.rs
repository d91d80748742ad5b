//! Waits that the `tracing` layer is told of: it has no future that it could keep them in, and no line of an await.
use std::sync::atomic::{
    AtomicPtr, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

use super::{POLL_MASK, WaitKind, Waiting, free_entry, poll_mark, wait_on};
use crate::recorder::{clock, task::TaskSlot, thread};

/// A [`Waiting`] that lies in words: who begins it and who ends it know what is waited for.
pub(crate) struct Kept {
    task: AtomicPtr<TaskSlot>,
    task_id: AtomicU64,
    /// Ticks, and in the two lowest bits the index of the entry or [`NO_ENTRY`]; 0 when nothing waits.
    since: AtomicU64,
}

const NO_ENTRY: u64 = 0b11;

impl Kept {
    /// The task in poll on this thread waits for `id`; false when it was known.
    pub(crate) fn begin(&self, kind: WaitKind, id: u64) -> bool {
        if self.since.load(Acquire) != 0 {
            return false;
        }
        let waiting = thread::current_task().and_then(|task| Waiting::note(task, kind, id, None, 0));
        let task = waiting.as_ref().map_or(std::ptr::null_mut(), |waiting| std::ptr::from_ref(waiting.task).cast_mut());
        self.task.store(task, Relaxed);
        self.task_id.store(waiting.as_ref().map_or(0, |waiting| waiting.task_id), Relaxed);
        let since = waiting.as_ref().map_or_else(clock::ticks, |waiting| waiting.since).max(NO_ENTRY + 1);
        let entry = waiting.as_ref().and_then(|waiting| waiting.entry).map_or(NO_ENTRY, u64::from);
        self.since.store(since & !NO_ENTRY | entry, Release);
        std::mem::forget(waiting);
        true
    }

    /// It waits no more, for `id`; says how long it did, in ticks.
    pub(crate) fn end(&self, kind: WaitKind, id: u64) -> Option<u64> {
        if self.since.load(Relaxed) == 0 {
            return None;
        }
        let word = self.since.swap(0, AcqRel);
        let (since, entry) = (word & !NO_ENTRY, word & NO_ENTRY);
        // SAFETY: null, or a slot, which is never freed.
        let task = unsafe { self.task.load(Relaxed).as_ref() }.filter(|_| since != 0)?;
        let entry = (entry != NO_ENTRY).then_some(entry as u8);
        drop(Waiting { task, task_id: self.task_id.load(Relaxed), on: wait_on(kind, id), since, entry });
        Some(clock::since(since))
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
