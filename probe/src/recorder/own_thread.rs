//! Threads of the probe's own, on which nothing is looked at.
use std::cell::Cell;

thread_local! {
    static IS_OWN: Cell<bool> = const { Cell::new(false) };
}

/// This thread is one.
pub(crate) fn begin() {
    IS_OWN.set(true);
}

/// Whether this thread is one.
pub(crate) fn is() -> bool {
    IS_OWN.get()
}
