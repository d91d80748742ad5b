//! A task's waker, counted: it says who woke the task and when, then wakes tokio's own.
//!
//! The waker that a watched future is given points at the task's slot and shares the slot's reference count. The slot
//! holds one clone of tokio's waker for as long as anything refers to it, so cloning and dropping ours costs what tokio's
//! costs: one add. In a task's first poll the slot has tokio's waker on loan only: a task that ends there without a clone
//! of its waker, as most short ones do, never needs the clone.
use std::{
    mem::{ManuallyDrop, MaybeUninit},
    task::{Context, Poll, RawWaker, RawWakerVTable, Waker},
};

use super::{
    clock,
    names::Name,
    refs::Refs,
    sync::{
        UnsafeCell,
        atomic::{
            AtomicBool, AtomicU8, AtomicU32, AtomicU64,
            Ordering::{AcqRel, Acquire, Relaxed, Release},
        },
    },
    task::{Stage, TaskRef, TaskSlot},
    thread,
};
use crate::stacks::Looking;

/// Written by whoever wakes the task, hence a line of its own.
#[repr(C, align(64))]
pub(super) struct Wakes {
    pub(super) refs: Refs,
    /// A `HAS_…`.
    pub(super) has: AtomicU8,
    /// Ours was cloned while tokio's was on loan.
    pub(super) cloned: AtomicBool,
    /// What the app calls the task, where there is room.
    pub(super) name: Name,
    /// Unless [`HAS_NONE`].
    pub(super) tokio: UnsafeCell<MaybeUninit<Waker>>,
    /// Ticks; 0 when not woken since the last poll.
    pub(super) woken_at: AtomicU64,
    pub(super) by_others: AtomicU64,
    pub(super) by_itself: AtomicU64,
    pub(super) sched_total: AtomicU64,
    pub(super) sched_max: AtomicU32,
    /// Index of the task's `MembershipSlot` plus one; 0 when it has none.
    pub(super) membership: AtomicU32,
}

const HAS_NONE: u8 = 0;
/// The waker of the poll in progress, which is tokio's to drop.
const HAS_LOAN: u8 = 2;
/// Has a clone, and the next poll is to be looked at.
const HAS_CLONE_LOOK: u8 = 4;
const HAS_CLONE: u8 = HAS_SETTLED;
/// Has a clone, and a waker that is not counted was given out as well, so the count says nothing.
const HAS_STRANGE: u8 = HAS_SETTLED | 2;
/// The bit of those with which most polls begin.
const HAS_SETTLED: u8 = 1;

/// `sched_max` is kept in units of 1024 ticks, so that it fits beside the counters of its line: half a microsecond.
const SCHED_MAX_SHIFT: u32 = 10;

/// In `woken_at`: woken by itself during the poll in progress, to be replaced by the time of that poll's end.
pub(crate) const BY_ITSELF: u64 = 1;

// SAFETY: `tokio` is written by the polling thread before `has` is set with release, and taken when the last reference
// went; in between it is only read. Everything else is atomic.
unsafe impl Sync for Wakes {}

/// One reading of [`Wakes`]; times in ticks.
pub(super) struct WakesReading {
    pub(super) woken_at: u64,
    pub(super) by_others: u64,
    pub(super) by_itself: u64,
    pub(super) sched_total: u64,
    pub(super) sched_max: u64,
    pub(super) name: u16,
}

impl Wakes {
    /// For a new task, with so many references.
    pub(super) fn begin(&self, refs: u32) {
        for counter in [&self.woken_at, &self.by_others, &self.by_itself, &self.sched_total] {
            counter.store(0, Relaxed);
        }
        self.sched_max.store(0, Relaxed);
        self.cloned.store(false, Relaxed);
        self.name.reset();
        self.membership.store(0, Relaxed);
        self.refs.begin(refs);
    }

    pub(super) fn read(&self) -> WakesReading {
        WakesReading {
            woken_at: self.woken_at.load(Relaxed),
            by_others: self.by_others.load(Relaxed),
            by_itself: self.by_itself.load(Relaxed),
            sched_total: self.sched_total.load(Relaxed),
            sched_max: u64::from(self.sched_max.load(Relaxed)) << SCHED_MAX_SHIFT,
            name: self.name.id(),
        }
    }

    /// References there are, when every waker that was given out is one of them.
    pub(super) fn counted(&self) -> Option<u32> {
        (self.has.load(Acquire) == HAS_CLONE).then(|| self.refs.count())
    }

    /// A poll begins at `started`; returns for how long the task was woken by then, 0 when no wake was seen.
    #[inline]
    pub(super) fn polled(&self, started: u64) -> u64 {
        let woken_at = self.woken_at.load(Relaxed);
        if woken_at == 0 {
            return 0;
        }
        self.woken_at.store(0, Relaxed);
        let delay = started.saturating_sub(woken_at);
        self.sched_total.store(self.sched_total.load(Relaxed) + delay, Relaxed);
        let rounded = delay >> SCHED_MAX_SHIFT;
        if rounded > self.sched_max.load(Relaxed).into() {
            self.sched_max.store(u32::try_from(rounded).unwrap_or(u32::MAX), Relaxed);
        }
        delay
    }

    /// The poll ended. Woken by itself in it, the task waits for a worker from now on.
    #[inline]
    pub(super) fn poll_ended(&self, ended: u64) {
        if self.woken_at.load(Relaxed) == BY_ITSELF {
            self.woken_at.store(ended, Relaxed);
        }
    }

    /// Polls with the waker of `task`, whose wakes these are, which wakes by the one in `cx`.
    #[inline]
    pub(super) fn lend<T>(
        &self,
        task: &'static TaskSlot,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let has = self.has.load(Relaxed);
        if has & HAS_SETTLED == 0 {
            return if has == HAS_NONE { self.lend_first(task, cx, poll) } else { self.lend_looked(task, cx, poll) };
        }
        if self.knows(cx) {
            poll(&mut Context::from_waker(&borrowed(task, &TABLE)))
        } else {
            self.has.store(HAS_STRANGE, Release);
            poll(cx)
        }
    }

    /// Whether the waker of the poll that begins is the one that is here already.
    #[inline]
    fn knows(&self, cx: &Context<'_>) -> bool {
        // SAFETY: its callers know that it has one; only the polling thread, which this is, changes it.
        self.tokio.with(|tokio| unsafe { (*tokio).assume_init_ref() }.will_wake(cx.waker()))
    }

    /// A poll that is looked at: whoever waits in it clones the waker, since it is none that was seen before, and shows by
    /// this where the task is suspended.
    #[cold]
    fn lend_looked<T>(
        &self,
        task: &'static TaskSlot,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.has.store(HAS_CLONE, Release);
        let Some(mut looking) = self.knows(cx).then(|| Looking::begin(task)).flatten() else {
            return self.lend(task, cx, poll);
        };
        let output = poll(&mut Context::from_waker(&borrowed(task, &LOOKED_TABLE)));
        if output.is_ready() {
            looking.ended();
        }
        output
    }

    #[inline]
    fn lend_first<T>(
        &self,
        task: &'static TaskSlot,
        cx: &mut Context<'_>,
        poll: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        // SAFETY: only the polling thread gets here, and nobody reads before `has` is set. The copy is never dropped:
        // it is made a clone, or forgotten, before this function returns, for as long as which `cx` keeps it alive.
        self.tokio.with_mut(|tokio| unsafe { _ = (*tokio).write(std::ptr::read(cx.waker())) });
        self.has.store(HAS_LOAN, Release);
        let loan = Loan { wakes: self, waker: cx.waker() };
        let output = poll(&mut Context::from_waker(&borrowed(task, &TABLE)));
        // Whoever cloned ours had it from this poll, which is over: that happened before.
        if output.is_ready() && !self.cloned.load(Relaxed) {
            std::mem::forget(loan);
            self.has.store(HAS_NONE, Relaxed);
        }
        output
    }

    /// tokio's own waker of this task, once it was polled.
    #[inline]
    fn tokio_waker(&self) -> Option<&Waker> {
        // SAFETY: written before `has`, and not again before the last reference is gone, or before the poll is over
        // which it is on loan for; the caller holds a reference, or a waker that is borrowed from that poll.
        (self.has.load(Acquire) != HAS_NONE).then(|| self.tokio.with(|tokio| unsafe { (*tokio).assume_init_ref() }))
    }

    /// The last reference went.
    #[inline]
    pub(super) fn retire(&self) {
        if self.has.load(Relaxed) != HAS_NONE {
            self.has.store(HAS_NONE, Relaxed);
            // SAFETY: a clone of ours, since no loan outlives its poll, which holds a reference. The last one is gone,
            // so nobody reads it, and the slot is not free yet, so nobody writes it.
            self.tokio.with_mut(|tokio| unsafe { (*tokio).assume_init_drop() });
        }
    }
}

/// tokio's waker on loan. Dropping this makes it a clone of ours, as when the poll is pending, or panics.
struct Loan<'a> {
    wakes: &'a Wakes,
    waker: &'a Waker,
}

impl Drop for Loan<'_> {
    #[inline]
    fn drop(&mut self) {
        // The copy that is there already becomes what this clone would be: the same waker, counted once more.
        std::mem::forget(self.waker.clone());
        self.wakes.has.store(HAS_CLONE, Release);
    }
}

/// One table, so that `will_wake` holds between all of a task's wakers.
static TABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop);

/// Of the waker in a poll that is looked at. Its clones are of the other table, so it does not outlive the poll.
static LOOKED_TABLE: RawWakerVTable = RawWakerVTable::new(clone_looked, wake, wake_by_ref_looked, drop);

/// The waker for a poll of `task`, without a reference of its own: it must not outlive the poll that holds one.
#[inline]
fn borrowed(task: &'static TaskSlot, table: &'static RawWakerVTable) -> ManuallyDrop<Waker> {
    // SAFETY: the tables' functions expect a `&'static TaskSlot` and hold to the contract of `RawWakerVTable`: they are
    // thread-safe, and `drop` gives back what `clone` took. The caller's own reference is not given back, since the
    // waker is never dropped.
    ManuallyDrop::new(unsafe { Waker::from_raw(raw(task, table)) })
}

fn raw(task: &'static TaskSlot, table: &'static RawWakerVTable) -> RawWaker {
    RawWaker::new(std::ptr::from_ref(task).cast(), table)
}

/// # Safety
/// `data` comes from `raw`.
unsafe fn slot(data: *const ()) -> &'static TaskSlot {
    // SAFETY: `raw` makes it from a `&'static TaskSlot`.
    unsafe { &*data.cast::<TaskSlot>() }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: called by `Waker` with the data of `raw`.
    let task = unsafe { slot(data) };
    task.retain();
    if !task.wakes.cloned.load(Relaxed) {
        task.wakes.cloned.store(true, Relaxed);
    }
    raw(task, &TABLE)
}

unsafe fn clone_looked(data: *const ()) -> RawWaker {
    // SAFETY: as in `clone`.
    Looking::waits_here(unsafe { slot(data) });
    // SAFETY: as in `clone`.
    unsafe { clone(data) }
}

unsafe fn wake(data: *const ()) {
    // SAFETY: as in `clone`; the reference of this waker is taken over, and given back when `task` goes.
    let task = unsafe { TaskRef::from_retained(slot(data)) };
    // SAFETY: `task` is a reference.
    unsafe { task.slot().wake() };
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: as in `clone`; this waker is a reference, or borrows that of the poll.
    unsafe { slot(data).wake() };
}

unsafe fn wake_by_ref_looked(data: *const ()) {
    // SAFETY: as in `clone`.
    Looking::wakes_here(unsafe { slot(data) });
    // SAFETY: as in `clone`.
    unsafe { wake_by_ref(data) };
}

unsafe fn drop(data: *const ()) {
    // SAFETY: as in `wake`; the reference of this waker is given back.
    unsafe { slot(data) }.waker_dropped();
}

/// A wait that is watched was polled with `cx`, and is pending. Where the poll is looked at, that is what keeps the waker of
/// `cx` once, unless it is not the task's own, but one of a `FuturesUnordered` say.
#[inline]
pub(crate) fn awaits(cx: &Context<'_>) {
    if Looking::goes_on()
        && let Some(task) = thread::current_task()
        && cx.waker().will_wake(&borrowed(task, &LOOKED_TABLE))
    {
        Looking::awaits(task);
    }
}

impl TaskSlot {
    /// Has the next poll of the task looked at, and brings it about: a wake that finds nothing to do, which any future has
    /// to bear. Of a task that nothing else can wake nothing is done: it would hide what is wrong with it. False where it
    /// cannot be looked at. The caller holds a reference.
    pub(crate) fn look(&'static self) -> bool {
        let wakes = &self.wakes;
        let asleep = self.stage.load(Relaxed) == Stage::Alive as u8 && wakes.woken_at.load(Relaxed) == 0;
        // The caller's reference counts as one.
        let could_wake = self.wakers_alive(self.handle.flags()).is_none_or(|wakers| wakers > 1);
        let asked =
            asleep && could_wake && wakes.has.compare_exchange(HAS_CLONE, HAS_CLONE_LOOK, AcqRel, Relaxed).is_ok();
        if asked && let Some(waker) = wakes.tokio_waker() {
            waker.wake_by_ref();
        }
        asked
    }

    /// Has the next poll of the task looked at, which comes by itself. False where it cannot be. The caller holds a reference.
    pub(crate) fn look_next(&'static self) -> bool {
        self.stage.load(Relaxed) == Stage::Alive as u8
            && self.wakes.has.compare_exchange(HAS_CLONE, HAS_CLONE_LOOK, AcqRel, Relaxed).is_ok()
    }

    /// A poll that was looked at found nothing to do: the task has slept on since `slept_since`, unless it was polled again.
    pub(crate) fn slept_on(&self, polls: u64, slept_since: u64) {
        let ended = self.last_poll_ended.load(Relaxed);
        if self.polls() == polls {
            let _ = self.last_poll_ended.compare_exchange(ended, slept_since, Relaxed, Relaxed);
        }
    }

    /// When its last poll ended, in ticks.
    pub(crate) fn last_poll_ended(&self) -> u64 {
        self.last_poll_ended.load(Relaxed)
    }

    /// The next poll need not be looked at.
    pub(crate) fn look_no_more(&self) {
        let _ = self.wakes.has.compare_exchange(HAS_CLONE_LOOK, HAS_CLONE, AcqRel, Relaxed);
    }

    /// The task, which is in its poll, asks to be polled again by `ask`. tokio keeps the waker that it is given until the
    /// poll has ended: it is tokio's own, since ours would count that wake a second time, as one by others. A waker that
    /// is not the task's, as that of a `FuturesUnordered`, has to be woken itself.
    pub(crate) fn yields<T>(&'static self, cx: &mut Context<'_>, ask: impl FnOnce(&mut Context<'_>) -> T) -> T {
        let wakes = &self.wakes;
        let ours = cx.waker().will_wake(&borrowed(self, &TABLE));
        match wakes.tokio_waker().filter(|_| ours) {
            Some(tokio) => {
                wakes.by_itself.store(wakes.by_itself.load(Relaxed) + 1, Relaxed);
                if wakes.woken_at.load(Relaxed) == 0 {
                    wakes.woken_at.store(BY_ITSELF, Relaxed);
                }
                ask(&mut Context::from_waker(tokio))
            }
            None => ask(cx),
        }
    }

    /// Somebody wakes the task: it is noted, and tokio is told, where a waker of ours stands in for tokio's.
    ///
    /// # Safety
    /// The caller holds a reference, or borrows that of a poll: without one, tokio's waker may go meanwhile.
    #[allow(clippy::inline_always, reason = "else it is a call within a call for each wake")]
    #[inline(always)]
    pub(crate) unsafe fn wake(&'static self) {
        let wakes = &self.wakes;
        let itself = thread::is_in_poll(self);
        if itself {
            // Only the polling thread gets here.
            wakes.by_itself.store(wakes.by_itself.load(Relaxed) + 1, Relaxed);
            if wakes.woken_at.load(Relaxed) == 0 {
                wakes.woken_at.store(BY_ITSELF, Relaxed);
            }
        } else {
            wakes.by_others.fetch_add(1, Relaxed);
            // Before tokio is told: then every time that is left here is followed by a poll that takes it away.
            if wakes.woken_at.load(Relaxed) == 0 {
                wakes.woken_at.store(clock::ticks(), Relaxed);
                self.mark();
            }
        }
        if let Some(waker) = wakes.tokio_waker() {
            waker.wake_by_ref();
        }
    }
}
