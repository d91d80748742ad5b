//! Who acquires a lock, and whether it was suspended when it lets go.

use super::{
    HERE, current_task, tokios_id,
    within_root::{outer_task, within},
};

/// Who acquires a lock on this thread now, to be asked about by [`was_suspended`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Holder {
    /// The task; 0 outside of any.
    pub(crate) task: u64,
    /// Stays the same for as long as the task is not suspended: how many polls it had; of a task that is not watched, the
    /// thread and how often that was parked. Wraps, so that of very many suspensions one is missed. Leaves the top bit
    /// to others.
    pub(crate) mark: u16,
}

/// In [`Holder::mark`]: the task is not watched.
const UNWATCHED: u16 = 1 << 14;

/// Who acquires a lock now.
#[inline]
pub(crate) fn holder() -> Holder {
    let Some(task) = outer_task() else { return unwatched_holder() };
    let id = task.id();
    if within(task, id).is_some() {
        return unwatched_holder();
    }
    Holder { task: id, mark: task.polls() as u16 & (UNWATCHED - 1) }
}

/// A task of a library's is known by its id alone.
#[inline(never)]
fn unwatched_holder() -> Holder {
    Holder { task: tokios_id().unwrap_or(0), mark: UNWATCHED | this_park() }
}

/// Tells this thread between two of its parks from other threads and times, nearly always; 0 for a thread that no runtime
/// ever parked.
fn this_park() -> u16 {
    HERE.with(|here| {
        let thread = here.worker.get().map_or(0, |worker| worker.id() as u32);
        let parks = here.parks.get();
        let mixed = thread.wrapping_mul(0x9E37_79B1) ^ parks.wrapping_mul(0x85EB_CA6B);
        if thread == 0 || parks == 0 { 0 } else { (mixed >> 18) as u16 }
    })
}

/// Whether `holder`, who lets go of a lock on this thread now, was suspended since it acquired: its polls have gone up, or
/// it lets go outside of its polls (its future is dropped as it waits), or in another task. Of a task that is not watched
/// it is certain where the thread parked in between, or is another one; elsewhere it is not claimed.
#[inline]
pub(crate) fn was_suspended(holder: Holder) -> bool {
    match current_task() {
        _ if holder.task == 0 => false,
        Some(task) => task.id() != holder.task || task.polls() as u16 & (UNWATCHED - 1) != holder.mark,
        None if holder.mark & UNWATCHED == 0 => true,
        None => {
            let now = unwatched_holder();
            let known = now.mark != UNWATCHED && holder.mark != UNWATCHED;
            now.task != 0 && now.task != holder.task || known && now.mark != holder.mark
        }
    }
}
