//! A task's slot: its life, its polls, its handle.
//!
//! The polling thread is the only writer of everything but `flags`, `refs` and `wakes`. A slot is shared by the future,
//! the handle and the wakers; when the last of them lets go, what the task did is added to its site's totals and the slot
//! is free.
use std::{
    cell::UnsafeCell,
    future::Future,
    pin::Pin,
    sync::atomic::{
        AtomicBool, AtomicI8, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
        Ordering::{AcqRel, Acquire, Relaxed, Release},
        fence,
    },
    task::{Context, Poll, Waker},
};

use async_inspect_proto::HISTOGRAM_BUCKETS;

use super::{
    Recorder, active,
    arena::{Arena, Head, Slot},
    clock,
    histogram::Histogram,
    membership::{MembershipSlot, Scope},
    names,
    site::{Site, SiteInfo, add},
    thread::{self, WorkerKind},
    unwatched,
    wait::{Entry, WaitReading},
    waker,
};

/// From when on a poll counts as slow, in nanoseconds.
pub(crate) const SLOW_POLL_NS: u64 = 10_000_000;

/// Set in the ids of `block_on` roots, which have none of tokio's.
pub(crate) const ROOT_BIT: u64 = 1 << 63;

/// How a task came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum TaskKind {
    Async = 1,
    Blocking = 2,
    Root = 3,
    Local = 4,
    /// Known only while it waits: see `unwatched`.
    Unwatched = 5,
}

/// Where a task stands. Whether it runs is the workers' to say, whether it is woken `woken_at`'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    New = 1,
    Alive = 2,
    Done = 3,
    Panicked = 4,
    Cancelled = 5,
    /// In a poll that may block its thread: see `thread::in_place`.
    #[cfg_attr(not(feature = "rt-multi-thread"), allow(dead_code, reason = "only there it can be"))]
    InPlace = 6,
}

/// Bits of `TaskSlot::flags`; unlike the other fields, written by the future's and the handle's side.
pub(crate) mod flag {
    /// Somebody can still get the result.
    pub(crate) const HANDLE_HELD: u8 = 1;
    /// Somebody waited for it at least once.
    pub(crate) const HANDLE_AWAITED: u8 = 2;
    /// The handle went before the task ended.
    pub(crate) const HANDLE_DROPPED: u8 = 4;
    pub(crate) const ABORTED: u8 = 8;
    /// Somebody got the result, or the `JoinError`.
    pub(crate) const RESULT_TAKEN: u8 = 16;
    pub(crate) const ENDED: u8 = 32;
    /// It returned an `Err`.
    pub(crate) const FAILED: u8 = 64;
    pub(crate) const PANICKED: u8 = 128;
}

#[repr(C, align(128))]
pub(crate) struct TaskSlot {
    head: Head,
    kind: AtomicU8,
    stage: AtomicU8,
    flags: AtomicU8,
    /// Waits for which there was no entry.
    more_waits: AtomicI8,
    /// 0 while the slot is free, and until the task's id is known.
    id: AtomicU64,
    site: AtomicPtr<Site>,
    polls: AtomicU64,
    busy: AtomicU64,
    max_poll: AtomicU64,
    /// Ticks at the end of the last poll.
    last_poll_ended: AtomicU64,

    waits: [Entry; 2],
    spawned_at: AtomicU64,
    parent: AtomicU64,

    pub(super) wakes: Wakes,

    poll_times: Histogram,
}

/// Written by whoever wakes the task, hence a line of its own.
#[repr(C, align(64))]
pub(super) struct Wakes {
    refs: AtomicU32,
    /// Whether `tokio` is set; [`STRANGE`] once the task was polled with another waker as well.
    has_waker: AtomicU8,
    /// It was named after readers may have been told of it.
    renamed: AtomicBool,
    /// Of [`names`].
    name: AtomicU16,
    tokio: UnsafeCell<Option<Waker>>,
    /// Ticks; 0 when not woken since the last poll.
    pub(super) woken_at: AtomicU64,
    pub(super) by_others: AtomicU64,
    pub(super) by_itself: AtomicU64,
    sched_total: AtomicU64,
    sched_max: AtomicU32,
    /// Index of its [`MembershipSlot`] plus one; 0 when it has none.
    membership: AtomicU32,
}

// SAFETY: `tokio` is written by the polling thread before `has_waker` is set with release, and taken when the last
// reference went; in between it is only read. Everything else is atomic.
unsafe impl Sync for TaskSlot {}

// A waker is replaced whole or not at all; the rest is atomic.
impl std::panic::RefUnwindSafe for TaskSlot {}

// SAFETY: zero is valid for the atomics; for `Option<Waker>` it is `None` or never read, since `has_waker` is 0, and a
// slot gets its `None` written before use.
unsafe impl Slot for TaskSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

/// In `Wakes::has_waker`: a waker that is not counted was given out, so the count says nothing.
const STRANGE: u8 = 2;

/// Everything that is read of a task at once; times in ticks.
#[derive(Debug, Clone)]
pub(crate) struct TaskReading {
    pub(crate) id: u64,
    pub(crate) kind: u8,
    pub(crate) stage: u8,
    pub(crate) flags: u8,
    pub(crate) more_waits: bool,
    pub(crate) site: &'static Site,
    pub(crate) polls: u64,
    pub(crate) busy: u64,
    pub(crate) max_poll: u64,
    pub(crate) last_poll_ended: u64,
    pub(crate) spawned_at: u64,
    pub(crate) parent: u64,
    pub(crate) woken_at: u64,
    pub(crate) wakes: u64,
    pub(crate) self_wakes: u64,
    pub(crate) sched_total: u64,
    pub(crate) sched_max: u64,
    /// Wakers alive, at most; `None` when not known.
    pub(crate) wakers: Option<u32>,
    /// Of [`names`].
    pub(crate) name: u16,
    /// Ids of the token that it listens to, and of the tracker that it is a task of; 0 for none.
    pub(crate) token: u64,
    pub(crate) tracker: u64,
    pub(crate) waits: [Option<WaitReading>; 2],
}

/// A shared hold on a slot.
pub(crate) struct TaskRef(&'static TaskSlot);

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        self.0.retain();
        Self(self.0)
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        if self.0.wakes.refs.fetch_sub(1, Release) == 1 {
            fence(Acquire);
            self.0.retire();
        }
    }
}

impl TaskRef {
    /// The reference stays counted, for [`TaskRef::from_retained`].
    pub(super) fn into_retained(self) -> &'static TaskSlot {
        let slot = self.0;
        std::mem::forget(self);
        slot
    }

    /// Takes over a reference that [`TaskSlot::retain`] counted.
    pub(super) fn from_retained(slot: &'static TaskSlot) -> Self {
        Self(slot)
    }

    #[inline]
    pub(crate) fn slot(&self) -> &'static TaskSlot {
        self.0
    }
}

impl TaskSlot {
    /// A slot for a task that is about to be spawned from `info`; `None` when the task is to be counted only.
    pub(crate) fn register(recorder: &'static Recorder, info: &SiteInfo, kind: TaskKind) -> Option<TaskRef> {
        let site = recorder.sites.get(info)?;
        add(&site.spawned, 1);
        let Some(slot) = recorder.tasks.take() else {
            add(&site.shed, 1);
            return None;
        };
        slot.kind.store(kind as u8, Relaxed);
        slot.stage.store(Stage::New as u8, Relaxed);
        slot.flags.store(0, Relaxed);
        slot.more_waits.store(0, Relaxed);
        slot.site.store(std::ptr::from_ref(site).cast_mut(), Relaxed);
        for counter in [&slot.polls, &slot.busy, &slot.max_poll, &slot.last_poll_ended] {
            counter.store(0, Relaxed);
        }
        slot.waits.iter().for_each(Entry::reset);
        slot.spawned_at.store(clock::ticks(), Relaxed);
        slot.parent.store(thread::current_task_id(), Relaxed);
        slot.poll_times.reset();
        let wakes = &slot.wakes;
        for counter in [&wakes.woken_at, &wakes.by_others, &wakes.by_itself, &wakes.sched_total] {
            counter.store(0, Relaxed);
        }
        wakes.sched_max.store(0, Relaxed);
        wakes.renamed.store(false, Relaxed);
        wakes.name.store(0, Relaxed);
        wakes.membership.store(0, Relaxed);
        wakes.refs.store(1, Relaxed);
        if kind == TaskKind::Root {
            slot.set_id(ROOT_BIT | recorder.new_id());
        }
        Some(TaskRef(slot))
    }

    /// Makes the task known under `id`, once; from then on readers see it.
    #[inline]
    pub(crate) fn set_id(&'static self, id: u64) {
        if self.id.load(Relaxed) != id {
            self.id.store(id, Release);
            if let Some(recorder) = active() {
                recorder.tasks.mark(self);
            }
        }
    }

    /// The task's id; 0 when it is not known yet.
    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.id.load(Relaxed)
    }

    #[inline]
    pub(crate) fn waits(&self) -> &[Entry; 2] {
        &self.waits
    }

    pub(super) fn more_waits(&self, change: i8) {
        let _ = self.more_waits.try_update(Relaxed, Relaxed, |n| Some(n.saturating_add(change).max(0)));
    }

    /// How many polls it had; tells one poll from the next.
    #[inline]
    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Relaxed)
    }

    #[inline]
    pub(super) fn retain(&self) {
        self.wakes.refs.fetch_add(1, Relaxed);
    }

    /// A reference, if the slot is in use and still that of the task `id`.
    pub(super) fn retain_as(&'static self, id: u64) -> Option<TaskRef> {
        self.wakes.refs.try_update(Acquire, Relaxed, |refs| (refs != 0).then_some(refs + 1)).ok()?;
        let task = TaskRef(self);
        (self.id() == id).then_some(task)
    }

    /// A [`TaskKind`].
    pub(super) fn kind(&self) -> u8 {
        self.kind.load(Relaxed)
    }

    /// The type of its future, for a slot that is or was in use.
    pub(crate) fn future_type(&self) -> &'static str {
        // SAFETY: null, or a site, which is never freed.
        unsafe { self.site.load(Relaxed).as_ref() }.map_or("", |site| site.info.type_name)
    }

    /// Where it was spawned. Only for a task with a reference held.
    pub(crate) fn site(&self) -> &'static Site {
        // SAFETY: set at registration, before any reference was given out, to a site, which is never freed.
        unsafe { &*self.site.load(Relaxed) }
    }

    /// tokio's own waker of this task, once it was polled.
    #[inline]
    pub(super) fn tokio_waker(&self) -> Option<&Waker> {
        if self.wakes.has_waker.load(Acquire) == 0 {
            return None;
        }
        // SAFETY: written before `has_waker`, and not again before the last reference is gone; the caller holds one.
        unsafe { (*self.wakes.tokio.get()).as_ref() }
    }

    /// Everything there is to read; `None` when the slot is free, or changed hands meanwhile.
    pub(crate) fn read(&self) -> Option<TaskReading> {
        let id = self.id.load(Acquire);
        // SAFETY: null, or a site, which is never freed.
        let site = unsafe { self.site.load(Relaxed).as_ref() };
        let wakes = &self.wakes;
        let self_wakes = wakes.by_itself.load(Relaxed);
        let membership = self.membership();
        let reading = TaskReading {
            id,
            kind: self.kind.load(Relaxed),
            stage: self.stage.load(Relaxed),
            flags: self.flags.load(Relaxed),
            more_waits: self.more_waits.load(Relaxed) > 0,
            site: site?,
            polls: self.polls.load(Relaxed),
            busy: self.busy.load(Relaxed),
            max_poll: self.max_poll.load(Relaxed),
            last_poll_ended: self.last_poll_ended.load(Relaxed),
            spawned_at: self.spawned_at.load(Relaxed),
            parent: self.parent.load(Relaxed),
            woken_at: wakes.woken_at.load(Relaxed),
            wakes: wakes.by_others.load(Relaxed) + self_wakes,
            self_wakes,
            sched_total: wakes.sched_total.load(Relaxed),
            sched_max: u64::from(wakes.sched_max.load(Relaxed)) << SCHED_MAX_SHIFT,
            wakers: self.wakers_alive(),
            name: wakes.name.load(Relaxed),
            token: membership.map_or(0, |of| of.get(Scope::Token)),
            tracker: membership.map_or(0, |of| of.get(Scope::Tracker)),
            waits: self.waits.each_ref().map(|entry| entry.read(self.polls())),
        };
        fence(Acquire);
        (id != 0 && self.id.load(Relaxed) == id).then_some(reading)
    }

    /// Everything that refers to the slot, but for the future and the handle. Handles to abort it, and a set's own
    /// reference, are among what is left: it is never too few.
    fn wakers_alive(&self) -> Option<u32> {
        let flags = self.flags.load(Relaxed);
        let known = self.wakes.has_waker.load(Acquire) == 1 && flags & flag::ENDED == 0;
        let others = 1 + u32::from(flags & flag::HANDLE_HELD != 0);
        known.then(|| self.wakes.refs.load(Relaxed).saturating_sub(others))
    }

    /// A waker went. When few are left this is worth a look: nothing might be left that could wake the task.
    #[inline]
    pub(super) fn waker_dropped(&'static self) {
        match self.wakes.refs.fetch_sub(1, Release) {
            1 => {
                fence(Acquire);
                self.retire();
            }
            2 | 3 => {
                if let Some(recorder) = active() {
                    recorder.tasks.mark(self);
                }
            }
            _ => {}
        }
    }

    /// Counts of poll durations.
    pub(crate) fn poll_counts(&self) -> [u32; HISTOGRAM_BUCKETS] {
        self.poll_times.counts()
    }

    /// The task came to an end; called once, by the side that runs it.
    pub(super) fn ended(&'static self, stage: Stage, failed: bool) {
        let site = self.site();
        self.stage.store(stage as u8, Relaxed);
        self.last_poll_ended.store(clock::ticks(), Relaxed);
        add(&site.finished, 1);
        let mut set = flag::ENDED;
        match stage {
            Stage::Panicked => {
                set |= flag::PANICKED;
                add(&site.panics, 1);
            }
            Stage::Cancelled => add(&site.aborted, 1),
            _ => {}
        }
        if failed {
            set |= flag::FAILED;
        }
        let before = self.flags.fetch_or(set, AcqRel);
        if before & (flag::HANDLE_HELD | flag::RESULT_TAKEN) == 0 {
            self.result_lost(before | set);
        }
        if let Some(recorder) = active() {
            recorder.tasks.mark(self);
        }
    }

    /// A handle (or a set) can now get the task's result.
    pub(crate) fn handle_held(&self) {
        self.flags.fetch_or(flag::HANDLE_HELD, Relaxed);
    }

    /// Somebody waits for the task, or called `abort`, as `which` says.
    pub(crate) fn handle_did(&'static self, which: u8) {
        if self.flags.load(Relaxed) & which != which {
            self.flags.fetch_or(which, Relaxed);
            if let Some(recorder) = active() {
                recorder.tasks.mark(self);
            }
        }
    }

    /// The handle (or the set) went. `by_choice` is false for a set that aborts its tasks as it goes. Only the first call
    /// after [`TaskSlot::handle_held`] does anything: a set and a result that it carries may both let go.
    pub(crate) fn handle_dropped(&'static self, by_choice: bool) {
        let before = self.flags.fetch_and(!flag::HANDLE_HELD, AcqRel);
        if before & flag::HANDLE_HELD == 0 {
            return;
        }
        if before & flag::ENDED == 0 {
            self.flags.fetch_or(flag::HANDLE_DROPPED, Relaxed);
            if by_choice && before & (flag::HANDLE_AWAITED | flag::ABORTED) == 0 {
                add(&self.site().handles_dropped, 1);
            }
        } else if before & flag::RESULT_TAKEN == 0 {
            self.result_lost(before);
        }
        if let Some(recorder) = active() {
            recorder.tasks.mark(self);
        }
    }

    /// Bits of [`flag`].
    #[inline]
    pub(crate) fn flags(&self) -> u8 {
        self.flags.load(Acquire)
    }

    fn result_lost(&self, flags: u8) {
        let site = self.site();
        if flags & flag::PANICKED != 0 {
            add(&site.panics_lost, 1);
        } else if flags & flag::FAILED != 0 {
            add(&site.errors_lost, 1);
        }
    }

    /// What the app calls it.
    pub(crate) fn set_name(&'static self, name: &str) {
        self.wakes.name.store(names::id(name), Relaxed);
        self.wakes.renamed.store(true, Release);
        if let Some(recorder) = active() {
            recorder.tasks.mark(self);
        }
    }

    /// Whether it was named since this was last asked. For the collector only.
    pub(crate) fn take_renamed(&self) -> bool {
        self.wakes.renamed.load(Relaxed) && self.wakes.renamed.swap(false, Acquire)
    }

    fn membership(&self) -> Option<&'static MembershipSlot> {
        let index = self.wakes.membership.load(Acquire).checked_sub(1)?;
        active()?.memberships.at(index)
    }

    /// From now on the task is meant to end with `id`; unless it is with another one already, which then goes on. Called
    /// before the task is spawned, or from within its polls.
    pub(crate) fn enter(&'static self, scope: Scope, id: u64) {
        let Some(recorder) = active() else { return };
        let membership = self.membership().or_else(|| {
            let new = recorder.memberships.take()?;
            new.reset();
            self.wakes.membership.store(Arena::index(new) + 1, Release);
            Some(new)
        });
        if membership.is_some_and(|of| of.enter(scope, id)) {
            recorder.tasks.mark(self);
        }
    }

    /// It no longer is, if it was with that one.
    pub(crate) fn leave(&'static self, scope: Scope, id: u64) {
        if self.membership().is_some_and(|of| of.leave(scope, id))
            && let Some(recorder) = active()
        {
            recorder.tasks.mark(self);
        }
    }

    /// What it is meant to end with; 0 for nothing.
    pub(crate) fn with(&self, scope: Scope) -> u64 {
        self.membership().map_or(0, |of| of.get(scope))
    }

    /// The last reference went: what the task did goes to its site, the slot to the next task.
    #[cold]
    fn retire(&'static self) {
        let site = self.site();
        add(&site.finished_busy, self.busy.load(Relaxed));
        add(&site.finished_polls, self.polls.load(Relaxed));
        if self.kind() == TaskKind::Unwatched as u8 {
            unwatched::waits_no_more(self.id(), self);
        }
        self.id.store(0, Release);
        let wakes = &self.wakes;
        if wakes.has_waker.swap(0, Relaxed) != 0 {
            // SAFETY: the last reference is gone, so nobody reads it, and the slot is not free yet, so nobody writes it.
            drop(unsafe { (*wakes.tokio.get()).take() });
        }
        if let Some(recorder) = active() {
            if let Some(membership) = self.membership() {
                wakes.membership.store(0, Relaxed);
                recorder.memberships.give_back(membership);
            }
            recorder.tasks.give_back(self);
        }
    }

    /// Gives tokio's waker to the slot at the first poll, and says whether `cx` is the one it has.
    #[inline]
    fn knows_waker(&self, cx: &Context<'_>) -> bool {
        if let Some(waker) = self.tokio_waker() {
            let known = waker.will_wake(cx.waker());
            if !known {
                self.strange_waker();
            }
            known
        } else {
            // SAFETY: only the polling thread gets here, and nobody reads before `has_waker` is set.
            unsafe { self.wakes.tokio.get().write(Some(cx.waker().clone())) };
            self.wakes.has_waker.store(1, Release);
            true
        }
    }
}

impl TaskSlot {
    /// A waker that is not counted goes out.
    #[cold]
    fn strange_waker(&self) {
        self.wakes.has_waker.store(STRANGE, Release);
    }
}

/// `sched_max` is kept in units of 1024 ticks, so that it fits beside the counters of its line: half a microsecond.
const SCHED_MAX_SHIFT: u32 = 10;

/// A future that is recorded while it runs, or passed through when there is no slot for it.
pub(crate) struct Tracked<F: Future> {
    future: F,
    task: Option<TaskRef>,
    /// Tells whether an output is an `Err`.
    failed: fn(&F::Output) -> bool,
    ended: bool,
}

impl<F: Future> Tracked<F> {
    #[inline]
    pub(crate) fn new(future: F, task: Option<TaskRef>, failed: fn(&F::Output) -> bool) -> Self {
        Self { future, task, failed, ended: false }
    }

    /// The task's slot, if it has one.
    pub(crate) fn task(&self) -> Option<&TaskRef> {
        self.task.as_ref()
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` is pinned with `self` and never moved out of it; nothing else is pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        let (Some(task), Some(recorder)) = (&this.task, active()) else {
            return future.poll(cx);
        };
        let task = task.slot();
        let poll = PollInProgress::begin(recorder, task);
        thread::polls_future(&*future);
        let output = if task.knows_waker(cx) {
            future.poll(&mut Context::from_waker(&waker::borrowed(task)))
        } else {
            future.poll(cx)
        };
        poll.end();
        if let Poll::Ready(output) = &output {
            this.ended = true;
            task.ended(Stage::Done, (this.failed)(output));
        }
        output
    }
}

impl<F: Future> Drop for Tracked<F> {
    fn drop(&mut self) {
        if let (Some(task), false) = (&self.task, self.ended) {
            let panicked = task.slot().stage.load(Relaxed) == Stage::Panicked as u8;
            task.slot().ended(if panicked { Stage::Panicked } else { Stage::Cancelled }, false);
        }
    }
}

/// `work` as the one poll of a blocking task. When it is dropped without being run, the task was cancelled.
pub(crate) fn blocking<R>(
    task: Option<TaskRef>,
    failed: fn(&R) -> bool,
    work: impl FnOnce() -> R,
) -> impl FnOnce() -> R {
    let ending = task.map(|task| Ending { task, stage: Some(Stage::Cancelled) });
    move || {
        let (Some(mut ending), Some(recorder)) = (ending, active()) else { return work() };
        ending.stage = Some(Stage::Panicked);
        let slot = ending.task.slot();
        let poll = PollInProgress::begin(recorder, slot);
        let output = work();
        poll.end();
        ending.stage = None;
        slot.ended(Stage::Done, failed(&output));
        output
    }
}

/// Ends a blocking task that panics, or never runs.
struct Ending {
    task: TaskRef,
    /// How it ends when this is dropped; `None` once it ended.
    stage: Option<Stage>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(stage) = self.stage {
            self.task.slot().ended(stage, false);
        }
    }
}

/// A poll that goes on; dropped only when the future panics.
pub(super) struct PollInProgress {
    recorder: &'static Recorder,
    task: &'static TaskSlot,
    outer: thread::Outer,
}

impl PollInProgress {
    #[inline]
    fn begin(recorder: &'static Recorder, task: &'static TaskSlot) -> Self {
        if task.polls.load(Relaxed) == 0 {
            first_poll(task, task.kind.load(Relaxed));
        }
        Self::begin_known(recorder, task)
    }

    /// As [`PollInProgress::begin`], for a task whose id is known.
    #[inline]
    pub(super) fn begin_known(recorder: &'static Recorder, task: &'static TaskSlot) -> Self {
        let started = clock::ticks();
        let kind = task.kind.load(Relaxed);
        let wakes = &task.wakes;
        let woken_at = wakes.woken_at.load(Relaxed);
        if woken_at != 0 {
            wakes.woken_at.store(0, Relaxed);
            let delay = started.saturating_sub(woken_at);
            wakes.sched_total.store(wakes.sched_total.load(Relaxed) + delay, Relaxed);
            let delay = u32::try_from(delay >> SCHED_MAX_SHIFT).unwrap_or(u32::MAX);
            if delay > wakes.sched_max.load(Relaxed) {
                wakes.sched_max.store(delay, Relaxed);
            }
        }
        let worker = match kind {
            k if k == TaskKind::Root as u8 => WorkerKind::BlockOn,
            k if k == TaskKind::Blocking as u8 => WorkerKind::Blocking,
            _ => WorkerKind::Worker,
        };
        let outer = thread::enter(recorder, task, worker, started);
        Self { recorder, task, outer }
    }

    #[cfg(tokio_unstable)]
    pub(super) fn task(&self) -> &'static TaskSlot {
        self.task
    }

    #[inline]
    pub(super) fn end(self) {
        let task = self.task;
        let ended = self.finish();
        // Woken by itself: it waits for a worker from now on.
        if task.wakes.woken_at.load(Relaxed) == waker::BY_ITSELF {
            task.wakes.woken_at.store(ended, Relaxed);
        }
        self.recorder.tasks.mark(task);
        std::mem::forget(self);
    }

    #[inline]
    fn finish(&self) -> u64 {
        let ended = clock::ticks();
        if ended.saturating_sub(thread::poll_started()) >= slow_ticks() {
            return self.finish_long(ended);
        }
        let took = self.leave(ended);
        if took > self.task.max_poll.load(Relaxed) {
            self.task.new_max(took);
        }
        ended
    }

    #[cold]
    fn finish_long(&self, ended: u64) -> u64 {
        let judged = self.task.kind.load(Relaxed) != TaskKind::Blocking as u8;
        let wait = if judged { thread::wait_of_long_poll() } else { None };
        let took = self.leave(ended);
        // What a full machine takes from a poll makes it no long one of its site's.
        let ran = wait.map_or(took, |wait| took.saturating_sub(wait.settle()));
        let (task, site) = (self.task, self.task.site());
        task.max_poll.store(task.max_poll.load(Relaxed).max(took), Relaxed);
        site.max_poll.fetch_max(ran, Relaxed);
        if judged && ran >= slow_ticks() {
            site.slow_poll(task.id(), ran, ended);
        }
        ended
    }

    /// The poll is over; returns how long it took.
    #[inline]
    fn leave(&self, ended: u64) -> u64 {
        let task = self.task;
        let started = thread::leave(&self.outer, ended);
        let took = ended.saturating_sub(started);
        task.polls.store(task.polls.load(Relaxed) + 1, Relaxed);
        task.busy.store(task.busy.load(Relaxed) + took, Relaxed);
        task.poll_times.record(took);
        task.last_poll_ended.store(ended, Relaxed);
        took
    }
}

impl TaskSlot {
    #[cfg(feature = "rt-multi-thread")]
    /// Its poll begins or ends to block its thread with the runtime's leave.
    pub(super) fn in_place(&'static self, begins: bool) {
        let stage = if begins { Stage::InPlace } else { Stage::Alive };
        self.stage.store(stage as u8, Relaxed);
        if let Some(recorder) = active() {
            recorder.tasks.mark(self);
        }
    }

    /// It is polled for the first time.
    pub(super) fn alive(&self) {
        self.stage.store(Stage::Alive as u8, Relaxed);
    }

    #[cold]
    fn new_max(&self, took: u64) {
        self.max_poll.store(took, Relaxed);
        self.site().max_poll.fetch_max(took, Relaxed);
    }
}

impl Drop for PollInProgress {
    /// Only a panic of the future gets here.
    fn drop(&mut self) {
        self.finish();
        self.task.stage.store(Stage::Panicked as u8, Relaxed);
    }
}

#[cold]
fn first_poll(task: &'static TaskSlot, kind: u8) {
    task.alive();
    if kind != TaskKind::Root as u8 {
        // The spawning thread may not have come to it yet.
        if let Some(id) = ::tokio::task::try_id() {
            task.set_id(super::peek::task_id(id));
        }
    }
}

#[inline]
fn slow_ticks() -> u64 {
    static SLOW: AtomicU64 = AtomicU64::new(0);
    let ticks = SLOW.load(Relaxed);
    if ticks != 0 {
        return ticks;
    }
    let ticks = clock::ticks_in_ns(SLOW_POLL_NS).max(1);
    SLOW.store(ticks, Relaxed);
    ticks
}
