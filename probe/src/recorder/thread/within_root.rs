//! Tasks that tokio polls within the poll of a root: those of a `LocalSet`, or of a runtime that a root is run inside of. One
//! that the drop-in spawned, or the hooks tell of, is this thread's task in poll meanwhile. Of any other the root would be taken
//! for the one that waits and holds; but tokio has an id for it and none for a root, so the two are told apart by asking.
//!
//! Only roots are asked about, for whom that is one bit of the id: a `LocalSet` cannot be in a task that may move to another
//! thread.
use super::HERE;
use crate::recorder::{peek, task::TaskSlot};

/// The task with a slot in whose poll this thread is, be it that of another within.
#[inline]
pub(super) fn outer_task() -> Option<&'static TaskSlot> {
    HERE.with(|here| here.task.get())
}

/// The task in poll on this thread; `None` also where that is one without a slot.
#[inline]
pub(crate) fn current_task() -> Option<&'static TaskSlot> {
    outer_task().filter(|task| within(task, task.id()).is_none())
}

/// Whether that task is in poll on this thread.
#[inline]
pub(crate) fn is_in_poll(task: &TaskSlot) -> bool {
    outer_task().is_some_and(|outer| std::ptr::eq(outer, task)) && within(task, task.id()).is_none()
}

/// Id of the task in poll on this thread, 0 outside of any.
#[inline]
pub(crate) fn current_task_id() -> u64 {
    let Some(task) = outer_task() else { return 0 };
    let id = task.id();
    within(task, id).unwrap_or(id)
}

/// The id of the task that is in poll within that of `task`, whose id is `id`, and has no slot.
#[inline]
pub(super) fn within(task: &TaskSlot, id: u64) -> Option<u64> {
    if TaskSlot::is_root(id) { within_root(task) } else { None }
}

#[cold]
#[inline(never)]
fn within_root(root: &TaskSlot) -> Option<u64> {
    tokios_id().filter(|&id| id != root.parent())
}

/// The id of the task in poll on this thread, as tokio knows it.
pub(crate) fn tokios_id() -> Option<u64> {
    ::tokio::task::try_id().map(peek::task_id)
}
