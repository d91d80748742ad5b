//! Tasks that nobody watches, known for as long as they wait for something of the drop-in's.
//!
//! A library spawns its tasks with a tokio of its own: axum those that run the handlers. Without the runtime's hooks nothing
//! tells of such a task, but its waits can be told: tokio names the task in poll. So it gets a slot when a wait of its
//! begins, found by its id as long as any goes on, and then gives it back. Who waits for what, and whether they wait for
//! each other, is whole that way; of its polls, its birth and its end nothing is known.
//!
//! Waits of things that are polled by reference, a `JoinHandle` or a timer in a `select!`, are left out: whether the task
//! has turned to something else since is told by its polls.
use std::panic::Location;

use super::{
    active,
    by_id::ById,
    peek,
    site::{SiteInfo, SiteKind},
    task::{TaskKind, TaskRef, TaskSlot},
};

static WAITING: ById = ById::new();

/// The slot of the task in poll on this thread, which has none of the drop-in's and begins to wait at `site`; `None` outside
/// of any task, and where there is no room.
#[cold]
pub(super) fn begins_to_wait(site: &'static Location<'static>) -> Option<TaskRef> {
    let id = peek::task_id(::tokio::task::try_id()?);
    let recorder = active()?;
    let known = WAITING.places(id).find_map(|place| place.get()?.retain_as(id));
    known.or_else(|| {
        let place = WAITING.claim(recorder, id)?;
        let info = SiteInfo::of_thing(SiteKind::Wait, site, "");
        let Some(task) = TaskSlot::register(recorder, &info, TaskKind::Unwatched) else {
            place.give_back();
            return None;
        };
        task.slot().alive();
        task.slot().set_id(id);
        place.point_to(task.slot());
        Some(task)
    })
}

/// The last wait of the task in `slot` is over.
pub(super) fn waits_no_more(id: u64, slot: &'static TaskSlot) {
    // Another place of that id is of the same task's next wait.
    if let Some(place) = WAITING.places(id).find(|place| place.get().is_some_and(|other| std::ptr::eq(other, slot))) {
        place.take();
    }
}

/// Bytes that the table takes.
pub(crate) fn memory_bytes() -> u64 {
    WAITING.memory_bytes()
}
