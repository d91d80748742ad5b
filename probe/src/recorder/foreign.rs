//! Tasks that are spawned past the drop-in, by libraries with a tokio of their own: the runtime's hooks tell of them, by
//! tokio's id of the task and nothing else. So there is a table from ids to slots here; a task of the drop-in's own is not
//! in it, since its future carries its slot.
//!
//! What the hooks do not tell is not known of these tasks: what becomes of their handles, who wakes them, what they
//! return, and whether they panicked.
use std::{cell::Cell, panic::Location};

use super::{
    Recorder,
    by_id::{ById, Place},
    poll::PollInProgress,
    site::{SiteInfo, SiteKind, add},
    task::{Stage, TaskKind, TaskRef, TaskSlot},
};

/// The type of a future that nobody knows. One variable, so that it has one address.
static NAMELESS: &str = "";

/// Polls of such tasks that may nest on one thread, as in a runtime that runs inside of `block_in_place`; deeper ones are
/// not recorded.
const NESTED: usize = 8;

/// A poll in progress.
struct InPoll {
    id: u64,
    poll: PollInProgress,
    /// The task ended in this poll.
    ended: bool,
}

struct Here {
    /// The drop-in spawns a task right now, and has seen to its slot.
    ours: Cell<bool>,
    /// The task that ended last without having been known: on a runtime that shuts down, a task ends before the hook
    /// tells of its spawn.
    gone: Cell<u64>,
    /// The outermost first.
    polls: [Cell<Option<std::mem::ManuallyDrop<InPoll>>>; NESTED],
    depth: Cell<usize>,
}

thread_local! {
    // Without a destructor, so that reading it is one address computation.
    static HERE: Here = const {
        Here {
            ours: Cell::new(false),
            gone: Cell::new(0),
            polls: [const { Cell::new(None) }; NESTED],
            depth: Cell::new(0),
        }
    };
}

/// While this lives, the drop-in spawns a task of its own on this thread.
pub(crate) struct Spawning(());

/// The drop-in is about to spawn a task of its own.
#[inline]
pub(crate) fn spawning() -> Spawning {
    HERE.with(|here| here.ours.set(true));
    Spawning(())
}

impl Drop for Spawning {
    #[inline]
    fn drop(&mut self) {
        HERE.with(|here| here.ours.set(false));
    }
}

/// A task was spawned at `location`, and is not polled yet.
pub(crate) fn spawned(recorder: &'static Recorder, id: u64, location: &'static Location<'static>) {
    // The first task spawned is the drop-in's; what dropping a future may spawn meanwhile is not.
    if HERE.with(|here| here.ours.replace(false) || here.gone.get() == id) {
        return;
    }
    let info = SiteInfo::of_thing(SiteKind::Spawn, location, NAMELESS);
    let Some(place) = KNOWN.claim(recorder, id) else {
        if let Some(site) = recorder.sites.get(&info) {
            add(&site.spawned, 1);
            add(&site.shed, 1);
        }
        recorder.tasks.count_shed();
        return;
    };
    let Some(task) = TaskSlot::register(recorder, &info, TaskKind::Async) else {
        place.give_back();
        return;
    };
    task.slot().set_id(id);
    place.point_to(task.slot());
    // The table's reference, until the task ends.
    task.into_retained();
}

/// A poll begins on this thread.
#[inline]
pub(crate) fn poll_begins(recorder: &'static Recorder, id: u64) {
    let Some(slot) = place_of(id).and_then(Place::slot) else { return };
    HERE.with(|here| {
        let depth = here.depth.get();
        if let Some(free) = here.polls.get(depth) {
            if slot.polls() == 0 {
                slot.alive();
            }
            let poll = PollInProgress::begin_known(recorder, slot);
            free.set(Some(std::mem::ManuallyDrop::new(InPoll { id, poll, ended: false })));
            here.depth.set(depth + 1);
        }
    });
}

/// The poll ended, by a panic too.
#[inline]
pub(crate) fn poll_ended(id: u64) {
    HERE.with(|here| {
        let Some(depth) = here.depth.get().checked_sub(1) else { return };
        let Some(ended) = here.polls[depth].take().map(std::mem::ManuallyDrop::into_inner) else { return };
        if ended.id != id {
            // Of a task that is not known, within the poll of one that is.
            here.polls[depth].set(Some(std::mem::ManuallyDrop::new(ended)));
            return;
        }
        here.depth.set(depth);
        let slot = ended.poll.task();
        ended.poll.end();
        if ended.ended {
            end(slot, Stage::Done);
        }
    });
}

/// The task came to an end; in a poll of its, or without one when it is dropped.
pub(crate) fn terminated(id: u64) {
    let Some(slot) = place_of(id).and_then(Place::take) else {
        HERE.with(|here| here.gone.set(id));
        return;
    };
    let in_poll = HERE.with(|here| {
        here.polls[..here.depth.get()].iter().any(|poll| {
            let Some(mut known) = poll.take() else { return false };
            known.ended |= known.id == id;
            let this = known.id == id;
            poll.set(Some(known));
            this
        })
    });
    if !in_poll {
        end(slot, Stage::Cancelled);
    }
}

/// Where the task is entered. Its spawn and its end tell of it, so nobody asks while it comes or goes.
#[inline]
fn place_of(id: u64) -> Option<&'static Place> {
    KNOWN.places(id).next()
}

fn end(slot: &'static TaskSlot, stage: Stage) {
    slot.ended(stage, false);
    // The table's reference.
    drop(TaskRef::from_retained(slot));
}

/// Bytes that the table takes.
pub(crate) fn memory_bytes() -> u64 {
    KNOWN.memory_bytes()
}

static KNOWN: ById = ById::new();
