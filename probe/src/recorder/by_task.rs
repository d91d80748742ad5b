//! Tasks that nobody of the drop-in's watches, by tokio's id: a library spawns them with a tokio of its own, as axum does those
//! that run the handlers, or the app has only the layer. One table leads from ids to their slots, whoever tells of them:
//!
//! - The runtime's hooks and the layer tell of a task from its spawn to its end (`foreign`). The table has a reference to its
//!   slot for as long. Who was spawned before anything was recorded is told of from its next poll on.
//! - Where neither tells, the drop-in's own locks, channels and timers do: tokio names the task in poll. So it gets a slot
//!   when a wait of its begins, found by its id as long as any goes on, and then gives it back. Who waits for what, and whether
//!   they wait for each other, is whole that way; of its polls, its birth and its end nothing is known.
//!
//! A task of the drop-in's own is not in it, since its future carries its slot.
//!
//! Waits of things that are polled by reference, a `JoinHandle` or a timer in a `select!`, are left out of the second: whether
//! the task has turned to something else since is told by its polls.
#[cfg(tokio_unstable)]
mod told;

use std::panic::Location;

use super::{
    active,
    by_id::{ById, Place},
    site::{SiteInfo, SiteKind},
    task::{TaskKind, TaskRef, TaskSlot},
    thread,
};

#[cfg(all(tokio_unstable, feature = "layer"))]
pub(super) use told::shed;
#[cfg(tokio_unstable)]
pub(super) use told::{enter, recording_begins, spawned_before, take, told_of};

static KNOWN: ById = ById::new();

/// The slot of the task in poll on this thread, which has none of the drop-in's and begins to wait at `site`; `None` outside
/// of any task, and where there is no room.
#[cold]
pub(super) fn begins_to_wait(site: &'static Location<'static>) -> Option<TaskRef> {
    let id = thread::tokios_id()?;
    let recorder = active()?;
    find(id).or_else(|| {
        // Nobody counts those who wait somewhere: it is not spawned there, and will not end there.
        let site = recorder.sites.get(&SiteInfo::of_thing(SiteKind::Wait, site, ""))?;
        let place = KNOWN.claim(recorder, id)?;
        register(place, id, || TaskSlot::register_at(recorder, site, TaskKind::Unwatched), TaskSlot::found_waiting)
    })
}

/// The last wait of the task in `slot` is over.
pub(super) fn waits_no_more(id: u64, slot: &'static TaskSlot) {
    // Another place of that id is of the same task's next wait.
    if let Some(place) = KNOWN.places(id).find(|place| place.get().is_some_and(|other| std::ptr::eq(other, slot))) {
        place.take();
    }
}

/// A reference to its slot, however it is known.
fn find(id: u64) -> Option<TaskRef> {
    KNOWN.places(id).find_map(|place| place.get()?.retain_as(id))
}

/// Enters what `slot` gives under `id`, at a place that was claimed for it.
fn register(
    place: &Place,
    id: u64,
    slot: impl FnOnce() -> Option<TaskRef>,
    first: impl FnOnce(&'static TaskSlot),
) -> Option<TaskRef> {
    let Some(task) = slot() else {
        place.give_back();
        return None;
    };
    first(task.slot());
    task.slot().set_id(id);
    place.point_to(task.slot());
    Some(task)
}

/// Bytes that the table takes.
pub(crate) fn memory_bytes() -> u64 {
    KNOWN.memory_bytes()
}
