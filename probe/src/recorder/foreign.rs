//! Tasks that are spawned past the drop-in, by libraries with a tokio of their own: the runtime's hooks tell of them, by
//! tokio's id of the task and nothing else. So there is a table from ids to slots here; a task of the drop-in's own is not
//! in it, since its future carries its slot.
//!
//! What the hooks do not tell is not known of these tasks: what becomes of their handles, who wakes them, what they
//! return, and whether they panicked.
use std::{
    alloc::{Layout, alloc_zeroed},
    cell::Cell,
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

use super::{
    Recorder,
    site::{SiteInfo, SiteKind, add},
    task::{PollInProgress, Stage, TaskKind, TaskRef, TaskSlot},
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
        place.id.store(0, Release);
        return;
    };
    task.slot().set_id(id);
    // The table has the reference from here on.
    place.slot.store(std::ptr::from_ref(task.slot()).cast_mut(), Release);
    std::mem::forget(task);
}

/// A poll begins on this thread.
#[inline]
pub(crate) fn poll_begins(recorder: &'static Recorder, id: u64) {
    let Some(slot) = KNOWN.find(id).and_then(Place::slot) else { return };
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
    let Some(slot) = KNOWN.find(id).and_then(Place::take) else {
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

fn end(slot: &'static TaskSlot, stage: Stage) {
    slot.ended(stage, false);
    // The table's reference.
    drop(TaskRef::from_retained(slot));
}

/// Bytes that the table takes.
pub(crate) fn memory_bytes() -> u64 {
    KNOWN.memory_bytes()
}

static KNOWN: Known = Known::new();

/// Tasks in one set. tokio numbers its tasks one by one, so they spread over the sets evenly.
const WAYS: usize = 4;
/// Sets of each level; the next one is made when in all before it a task's set is full.
const LEVELS: [usize; 6] = [2048, 8192, 32_768, 131_072, 524_288, 2_097_152];

/// From ids to slots. A task is entered when it is spawned and taken out when it ends, so nobody asks for one while it
/// comes or goes.
struct Known {
    levels: [AtomicPtr<Set>; LEVELS.len()],
}

#[repr(align(64))]
struct Set([Place; WAYS]);

struct Place {
    /// 0 when free.
    id: AtomicU64,
    slot: AtomicPtr<TaskSlot>,
}

impl Place {
    fn slot(&self) -> Option<&'static TaskSlot> {
        // SAFETY: null, or a slot, which is never freed.
        unsafe { self.slot.load(Acquire).as_ref() }
    }

    /// The slot, whose reference is the caller's now; the place is free.
    fn take(&self) -> Option<&'static TaskSlot> {
        // SAFETY: as in `slot`.
        let slot = unsafe { self.slot.swap(std::ptr::null_mut(), AcqRel).as_ref() }?;
        self.id.store(0, Release);
        Some(slot)
    }
}

impl Known {
    const fn new() -> Self {
        Self { levels: [const { AtomicPtr::new(std::ptr::null_mut()) }; LEVELS.len()] }
    }

    /// The set of `id` on a level that was made.
    #[inline]
    fn set(&self, level: usize, id: u64) -> Option<&'static Set> {
        let sets = self.levels[level].load(Acquire);
        // SAFETY: null, or a level's sets, which are never freed; the number of them is a power of two.
        (!sets.is_null()).then(|| unsafe { &*sets.add(id as usize & (LEVELS[level] - 1)) })
    }

    #[inline]
    fn find(&self, id: u64) -> Option<&'static Place> {
        (0..LEVELS.len())
            .map_while(|level| self.set(level, id))
            .find_map(|set| set.0.iter().find(|place| place.id.load(Acquire) == id))
    }

    /// A place for a task that has none; `None` at the ceiling.
    fn claim(&self, recorder: &'static Recorder, id: u64) -> Option<&'static Place> {
        (0..LEVELS.len()).map_while(|level| self.set(level, id).or_else(|| self.grow(recorder, level, id))).find_map(
            |set| {
                set.0.iter().find(|place| {
                    place.id.load(Relaxed) == 0 && place.id.compare_exchange(0, id, AcqRel, Relaxed).is_ok()
                })
            },
        )
    }

    #[cold]
    fn grow(&self, recorder: &'static Recorder, level: usize, id: u64) -> Option<&'static Set> {
        let layout = Layout::array::<Set>(LEVELS[level]).ok()?;
        if !recorder.has_room_for(layout.size() as u64) {
            return None;
        }
        #[allow(clippy::cast_ptr_alignment, reason = "the layout asks for a set's alignment")]
        // SAFETY: the layout is not of size zero; zeroed bytes are valid sets, of atomics only.
        let new = unsafe { alloc_zeroed(layout) }.cast::<Set>();
        if !new.is_null() && self.levels[level].compare_exchange(std::ptr::null_mut(), new, AcqRel, Acquire).is_err() {
            // SAFETY: made above with this layout, and shown to nobody.
            unsafe { std::alloc::dealloc(new.cast(), layout) };
        }
        self.set(level, id)
    }

    fn memory_bytes(&self) -> u64 {
        let made = self.levels.iter().zip(LEVELS).filter(|(sets, _)| !sets.load(Relaxed).is_null());
        made.map(|(_, sets)| (sets * size_of::<Set>()) as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_is_found_until_it_ends_however_many_live() {
        crate::recorder::start(crate::recorder::DEFAULT_LIMIT_BYTES);
        let recorder = crate::recorder::active().unwrap();
        let known: &'static Known = Box::leak(Box::new(Known::new()));
        let ids = || (1..=100_000_u64).map(|id| id * 3);
        for id in ids() {
            assert!(known.find(id).is_none());
            assert!(known.claim(recorder, id).is_some());
        }
        assert!(ids().all(|id| known.find(id).is_some_and(|place| place.id.load(Relaxed) == id)));
        assert!(known.find(1).is_none());
        for id in ids() {
            known.find(id).unwrap().id.store(0, Release);
        }
        let bytes = known.memory_bytes();
        for id in (0..100_000).map(|id| 1_000_000 + id * 3) {
            known.claim(recorder, id).unwrap();
        }
        assert_eq!(known.memory_bytes(), bytes, "places are used again");
    }

    #[test]
    fn threads_that_spawn_at_once_get_places_of_their_own() {
        crate::recorder::start(crate::recorder::DEFAULT_LIMIT_BYTES);
        let recorder = crate::recorder::active().unwrap();
        let known: &'static Known = Box::leak(Box::new(Known::new()));
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                scope.spawn(move || {
                    for n in 1..20_000 {
                        let id = n * 4 + thread;
                        let place = known.claim(recorder, id).unwrap();
                        assert!(std::ptr::eq(known.find(id).unwrap(), place));
                        if n % 2 == 0 {
                            place.id.store(0, Release);
                            assert!(known.find(id).is_none());
                        }
                    }
                });
            }
        });
        assert!((1..20_000).step_by(2).all(|n| (0..4).all(|thread| known.find(n * 4 + thread).is_some())));
    }
}
