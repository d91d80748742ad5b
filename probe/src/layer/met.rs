//! Which runtime this thread works for: a layer is not told that one is built, but tasks are polled by its threads.
use std::{
    cell::{Cell, RefCell},
    sync::Arc,
};

use ::tokio::runtime::{Handle, worker_index};

use crate::recorder::runtimes::{self, Registered};

thread_local! {
    // Without a destructor, so that reading it is one address computation.
    static KNOWN: Cell<bool> = const { Cell::new(false) };
    /// The runtime is told of until the last of its threads is gone.
    static WORKS_FOR: RefCell<Option<Arc<Registered>>> = const { RefCell::new(None) };
}

/// This thread is in the poll of a task.
#[inline]
pub(super) fn polls() {
    // A thread outside of the runtime's loop, as in the `block_on` of one with workers, may be anybody's.
    if !KNOWN.get() && worker_index().is_some() {
        meet();
    }
}

/// A `block_on` begins on this thread, perhaps that of another runtime.
pub(super) fn another() {
    KNOWN.set(false);
}

#[cold]
fn meet() {
    KNOWN.set(true);
    let met = Handle::try_current().ok().and_then(|handle| runtimes::met(&handle));
    // The runtime before may go here, after the cell is free.
    drop(WORKS_FOR.try_with(|works_for| works_for.replace(met)));
}
