//! A poll that is looked at, on the thread that makes it: where its waker is cloned, the task will be suspended.
//!
//! Whoever waits keeps a clone of the task's waker. The stack at that moment leads from what is waited for, a socket say,
//! through each `async fn` to the task. It is copied there and unwound elsewhere, as that of a blocked poll is.
use std::{
    cell::UnsafeCell,
    ptr,
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU32, AtomicUsize,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
    },
};

use super::{copied::Copied, signal::Copy};
use crate::recorder::{task::TaskSlot, thread};

/// Places of one poll that are told at most: a `select!` waits in each of its arms.
const PLACES: usize = 4;

const IDLE: u32 = 0;
const ASKED: u32 = 1;
const IN_POLL: u32 = 2;
const DONE: u32 = 3;

/// The one request at a time, which only the probe's thread makes.
struct Request {
    state: AtomicU32,
    task: AtomicPtr<TaskSlot>,
    /// Of `places`, those that are filled.
    filled: AtomicUsize,
    places: UnsafeCell<[Copied; PLACES]>,
    /// A bit for each of them in which the task woke itself, and did not just keep its waker.
    woke: AtomicU32,
    /// All times that the waker was kept, or the task woke itself, told or not.
    kept: AtomicU32,
    /// Watched waits that were polled with the task's own waker, and are pending: each keeps it once.
    waits: AtomicU32,
    /// The poll was the task's last.
    ended: AtomicBool,
}

// SAFETY: `places` is written by the thread that moved `state` from `ASKED` to `IN_POLL`, while it stays so, and read by
// the asking thread once it is `DONE`.
unsafe impl Sync for Request {}

static REQUEST: Request = Request {
    state: AtomicU32::new(IDLE),
    task: AtomicPtr::new(ptr::null_mut()),
    filled: AtomicUsize::new(0),
    places: UnsafeCell::new([const { Copied::NONE }; PLACES]),
    woke: AtomicU32::new(0),
    kept: AtomicU32::new(0),
    waits: AtomicU32::new(0),
    ended: AtomicBool::new(false),
};

/// Asks for the next poll of `task`, and brings it about; false while another is looked at. The caller holds a reference to
/// it.
pub(super) fn ask(task: &'static TaskSlot) -> bool {
    ask_by(task, TaskSlot::look)
}

/// The same of a task that is polled again and again by itself.
pub(super) fn ask_for_next(task: &'static TaskSlot) -> bool {
    ask_by(task, TaskSlot::look_next)
}

fn ask_by(task: &'static TaskSlot, look: impl FnOnce(&'static TaskSlot) -> bool) -> bool {
    match REQUEST.state.load(Acquire) {
        // One that could not be taken back while a thread found out that it was not for its task.
        ASKED if take_back() => {}
        ASKED | IN_POLL => return false,
        // What was found in a poll that outlasted the asker's patience is fetched by nobody.
        _ => {}
    }
    REQUEST.task.store(ptr::from_ref(task).cast_mut(), Relaxed);
    REQUEST.filled.store(0, Relaxed);
    for count in [&REQUEST.woke, &REQUEST.kept, &REQUEST.waits] {
        count.store(0, Relaxed);
    }
    REQUEST.state.store(ASKED, Release);
    let asked = look(task);
    if !asked {
        take_back();
    }
    asked
}

/// Takes the request back; false where its poll has begun.
pub(super) fn take_back() -> bool {
    REQUEST.state.compare_exchange(ASKED, IDLE, AcqRel, Acquire).is_ok()
}

/// A place of a poll that was looked at.
pub(super) struct Found {
    pub(super) copy: Copy,
    /// The task woke itself there; else it left its waker.
    pub(super) woke: bool,
}

/// What was seen in a poll.
pub(super) struct Seen {
    /// The places where the task waits.
    pub(super) places: Vec<Found>,
    /// Nothing but watched waits kept the task's waker, so that it goes on when one of those ends, and not before.
    pub(super) only_waits: bool,
    /// It was the task's last: it waits nowhere.
    pub(super) ended: bool,
}

/// What was seen, once the poll is over.
pub(super) fn answer() -> Option<Seen> {
    if REQUEST.state.load(Acquire) != DONE {
        return None;
    }
    let filled = REQUEST.filled.load(Relaxed).min(PLACES);
    let woke = REQUEST.woke.load(Relaxed);
    let waits = REQUEST.waits.load(Relaxed);
    let only_waits = waits != 0 && REQUEST.kept.load(Relaxed) == waits;
    // SAFETY: the poll is over, and only this thread asks for another.
    let places = unsafe { &*REQUEST.places.get() };
    let found = |(n, place): (usize, &Copied)| Found { copy: place.copy(), woke: woke & (1 << n) != 0 };
    let places = places[..filled].iter().enumerate().map(found).collect();
    let ended = REQUEST.ended.load(Relaxed);
    REQUEST.state.store(IDLE, Release);
    Some(Seen { places, only_waits, ended })
}

/// A poll that is looked at, until this is dropped.
pub(crate) struct Looking {
    /// It was the task's last.
    ended: bool,
}

impl Looking {
    /// The poll of `task` begins on this thread; `None` where nobody has asked for it.
    pub(crate) fn begin(task: &'static TaskSlot) -> Option<Self> {
        let asked_for = || ptr::eq(REQUEST.task.load(Relaxed), task);
        if !asked_for() || REQUEST.state.compare_exchange(ASKED, IN_POLL, AcqRel, Relaxed).is_err() {
            return None;
        }
        if !asked_for() {
            // The request was taken back meanwhile, and this is the next one, for another task.
            REQUEST.state.store(ASKED, Release);
            return None;
        }
        Some(Self { ended: false })
    }

    /// The poll was the task's last.
    pub(crate) fn ended(&mut self) {
        self.ended = true;
    }

    /// Whether any poll is looked at now.
    #[inline]
    pub(crate) fn goes_on() -> bool {
        REQUEST.state.load(Relaxed) == IN_POLL
    }

    /// A wait that is watched was polled with the waker of this poll, and is pending.
    pub(crate) fn awaits(task: &'static TaskSlot) {
        if is_in_poll(task) {
            REQUEST.waits.fetch_add(1, Relaxed);
        }
    }

    /// Somebody clones the task's waker, to wake it later.
    #[inline(never)]
    pub(crate) fn waits_here(task: &'static TaskSlot) {
        keep(task, false);
    }

    /// Somebody wakes the task while it is in its poll.
    #[inline(never)]
    pub(crate) fn wakes_here(task: &'static TaskSlot) {
        keep(task, true);
    }
}

/// Whether that task's poll is the one that is looked at. The waker may have been lent to another thread, whose doing
/// is told of no place.
fn is_in_poll(task: &'static TaskSlot) -> bool {
    REQUEST.state.load(Acquire) == IN_POLL
        && ptr::eq(REQUEST.task.load(Relaxed), task)
        && thread::is_in_poll(task)
}

#[inline(never)]
fn keep(task: &'static TaskSlot, woke: bool) {
    if ptr::eq(REQUEST.task.load(Relaxed), task) {
        REQUEST.kept.fetch_add(1, Relaxed);
    }
    let filled = REQUEST.filled.load(Relaxed);
    if filled >= PLACES || !is_in_poll(task) {
        return;
    }
    // SAFETY: this thread is in the poll, so the places are its. It is not made a reference, which would be to all.
    let copied = unsafe { Copied::this_thread(REQUEST.places.get().cast::<Copied>().add(filled)) };
    if copied {
        REQUEST.woke.fetch_or(u32::from(woke) << filled, Relaxed);
        REQUEST.filled.store(filled + 1, Relaxed);
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        REQUEST.ended.store(self.ended, Relaxed);
        REQUEST.state.store(DONE, Release);
    }
}
