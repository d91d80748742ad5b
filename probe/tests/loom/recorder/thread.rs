//! Which task a thread polls.
use std::cell::Cell;

use super::task::TaskSlot;

loom::thread_local! {
    static TASK: Cell<Option<&'static TaskSlot>> = Cell::new(None);
}

pub(crate) fn current_task() -> Option<&'static TaskSlot> {
    TASK.with(Cell::get)
}

pub(crate) fn is_in_poll(task: &TaskSlot) -> bool {
    current_task().is_some_and(|current| std::ptr::eq(current, task))
}

/// Polls, or ends to.
pub(crate) fn set_current_task(task: Option<&'static TaskSlot>) {
    TASK.with(|current| current.set(task));
}
