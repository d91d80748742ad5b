//! A task's waker, counted: it says who woke the task and when, then wakes tokio's own.
//!
//! The waker that a watched future is given points at the task's slot and shares the slot's reference count. The slot
//! holds one clone of tokio's waker for as long as anything refers to it, so cloning and dropping ours costs what tokio's
//! costs: one add.
use std::{
    mem::ManuallyDrop,
    sync::atomic::Ordering::Relaxed,
    task::{RawWaker, RawWakerVTable, Waker},
};

use super::{
    active, clock,
    task::{TaskRef, TaskSlot},
    thread,
};

/// In `woken_at`: woken by itself during the poll in progress, to be replaced by the time of that poll's end.
pub(crate) const BY_ITSELF: u64 = 1;

/// One table, so that `will_wake` holds between all of a task's wakers.
static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

/// The waker for a poll of `task`, without a reference of its own: it must not outlive the poll that holds one.
#[inline]
pub(super) fn borrowed(task: &'static TaskSlot) -> ManuallyDrop<Waker> {
    // SAFETY: the table's functions expect a `&'static TaskSlot` and hold to the contract of `RawWakerVTable`: they are
    // thread-safe, and `drop` gives back what `clone` took. The caller's own reference is not given back, since the
    // waker is never dropped.
    ManuallyDrop::new(unsafe { Waker::from_raw(raw(task)) })
}

fn raw(task: &'static TaskSlot) -> RawWaker {
    RawWaker::new(std::ptr::from_ref(task).cast(), &TABLE)
}

/// # Safety
/// `data` comes from `raw`.
unsafe fn slot(data: *const ()) -> &'static TaskSlot {
    // SAFETY: `raw` makes it from a `&'static TaskSlot`.
    unsafe { &*data.cast::<TaskSlot>() }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: called by `Waker` with the data of `raw`.
    let task = unsafe { slot(data) };
    task.retain();
    raw(task)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: as in `clone`; the reference of this waker is given back when `task` goes.
    let task = unsafe { TaskRef::from_retained(slot(data)) };
    task.slot().wake();
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: as in `clone`.
    unsafe { slot(data) }.wake();
}

unsafe fn drop(data: *const ()) {
    // SAFETY: as in `wake`; the reference of this waker is given back.
    unsafe { slot(data) }.waker_dropped();
}

impl TaskSlot {
    /// The task, which is in its poll, asks to be polled again. tokio's wake comes after the poll, as one by others.
    pub(crate) fn yields(&'static self) {
        self.wakes.by_itself.store(self.wakes.by_itself.load(Relaxed) + 1, Relaxed);
    }

    fn wake(&'static self) {
        let itself = thread::current_task().is_some_and(|task| std::ptr::eq(task, self));
        if itself {
            // Only the polling thread gets here.
            self.wakes.by_itself.store(self.wakes.by_itself.load(Relaxed) + 1, Relaxed);
            if self.wakes.woken_at.load(Relaxed) == 0 {
                self.wakes.woken_at.store(BY_ITSELF, Relaxed);
            }
        } else {
            self.wakes.by_others.fetch_add(1, Relaxed);
            // Before tokio is told: then every time that is left here is followed by a poll that takes it away.
            if self.wakes.woken_at.load(Relaxed) == 0 {
                self.wakes.woken_at.store(clock::ticks(), Relaxed);
                if let Some(recorder) = active() {
                    recorder.tasks.mark(self);
                }
            }
        }
        if let Some(waker) = self.tokio_waker() {
            waker.wake_by_ref();
        }
    }
}
