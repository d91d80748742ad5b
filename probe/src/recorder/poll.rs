//! A task's future, or closure, while it runs.
use std::{
    future::Future,
    mem::ManuallyDrop,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::{Context, Poll},
};

#[cfg(feature = "layer")]
use super::task::CROWDED;
use super::{
    Recorder, active, clock, histogram, peek, started,
    task::{SLOW_POLL_NS, Stage, TaskKind, TaskRef, TaskSlot},
    thread, unfinished,
};

/// A future that is recorded while it runs, or passed through when there is no slot for it.
pub(crate) struct Tracked<F> {
    future: ManuallyDrop<F>,
    /// Until the task ended.
    task: Option<TaskRef>,
}

impl<F: Future> Tracked<F> {
    #[inline]
    pub(crate) fn new(future: F, task: Option<TaskRef>) -> Self {
        Self { future: ManuallyDrop::new(future), task }
    }

    /// As [`Future::poll`]; an output comes with the task's slot, if it has one.
    #[inline]
    pub(crate) fn poll_with_task(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<(F::Output, Option<TaskRef>)> {
        // SAFETY: `future` is pinned with `self`, never moved out of it and dropped in place; nothing else is pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let future = unsafe { Pin::new_unchecked(&mut *this.future) };
        if this.task.is_none() {
            return future.poll(cx).map(|output| (output, None));
        }
        Self::poll_watched(future, &mut this.task, cx)
    }

    /// Apart from the rest, which then is as small as a poll that is not watched.
    #[inline(never)]
    fn poll_watched(
        future: Pin<&mut F>,
        task: &mut Option<TaskRef>,
        cx: &mut Context<'_>,
    ) -> Poll<(F::Output, Option<TaskRef>)> {
        let Some(slot) = task.as_ref().map(TaskRef::slot) else {
            return future.poll(cx).map(|output| (output, None));
        };
        let poll = PollInProgress::begin(started(), slot);
        thread::polls_future(&*future);
        let output = slot.wakes.lend(slot, cx, |cx| future.poll(cx));
        poll.end();
        std::mem::forget(poll);
        output.map(|output| {
            slot.ended(Stage::Done, peek::failed(&output));
            (output, task.take())
        })
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        if self.task.is_none() {
            // SAFETY: pinned with `self`, as in `poll_with_task`.
            return unsafe { self.map_unchecked_mut(|this| &mut *this.future) }.poll(cx);
        }
        self.poll_with_task(cx).map(|(output, _)| output)
    }
}

impl<F> Drop for Tracked<F> {
    #[inline]
    fn drop(&mut self) {
        let future = &mut self.future;
        // SAFETY: it is not used again.
        let mut drop = || unsafe { ManuallyDrop::drop(future) };
        match &self.task {
            Some(task) => task.slot().dropped(drop),
            None => drop(),
        }
    }
}

impl TaskSlot {
    /// Its future, which `drop` drops, goes before it came to an end.
    #[cold]
    fn dropped(&'static self, drop: impl FnOnce()) {
        if self.stage.load(Relaxed) == Stage::Panicked as u8 {
            self.ended(Stage::Panicked, false);
            drop();
        } else {
            self.ended(Stage::Cancelled, false);
            unfinished::drop_task(self, drop);
        }
    }
}

/// `work` as the one poll of a blocking task. When it is dropped without being run, the task was cancelled.
pub(crate) fn blocking<R>(task: Option<TaskRef>, work: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let ending = task.map(|task| Ending { task, stage: Some(Stage::Cancelled) });
    move || {
        let (Some(mut ending), Some(recorder)) = (ending, active()) else { return work() };
        ending.stage = Some(Stage::Panicked);
        let slot = ending.task.slot();
        let poll = PollInProgress::begin(recorder, slot);
        if poll.outer.is_none() {
            thread::in_pool();
        }
        let output = work();
        poll.end();
        std::mem::forget(poll);
        ending.stage = None;
        slot.ended(Stage::Done, peek::failed(&output));
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
    task: &'static TaskSlot,
    /// What it is within.
    outer: Option<thread::Outer>,
}

impl PollInProgress {
    #[inline]
    fn begin(recorder: &'static Recorder, task: &'static TaskSlot) -> Self {
        if task.polls.load(Relaxed) == 0 {
            first_poll(task);
        }
        Self::begin_known(recorder, task)
    }

    /// As [`PollInProgress::begin`], for a task whose id is known.
    #[inline]
    pub(super) fn begin_known(recorder: &'static Recorder, task: &'static TaskSlot) -> Self {
        let started = clock::ticks();
        let delay = task.wakes.polled(started);
        if histogram::is_late(delay) {
            polled_late(task, delay);
        }
        #[cfg(feature = "layer")]
        if task.more_waits.load(Relaxed) & CROWDED != 0 {
            task.more_waits.fetch_and(!CROWDED, Relaxed);
        }
        Self { task, outer: thread::enter(recorder, task, started) }
    }

    #[cfg(tokio_unstable)]
    pub(super) fn task(&self) -> &'static TaskSlot {
        self.task
    }

    /// The future came back, after which this is to be forgotten. Taken by reference, since what it keeps would be copied on
    /// its way to be forgotten elsewhere.
    #[allow(clippy::inline_always, reason = "else it is a call whose frame costs as much as what it does")]
    #[inline(always)]
    pub(super) fn end(&self) {
        let task = self.task;
        let ended = self.finish(false);
        task.wakes.poll_ended(ended);
        task.mark();
    }

    #[allow(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn finish(&self, panics: bool) -> u64 {
        let ended = clock::ticks();
        if histogram::is_long(ended.saturating_sub(thread::poll_started())) {
            return self.finish_long(ended, panics);
        }
        let took = self.leave(ended);
        if self.task.max_poll.is_raised_by(took) {
            self.task.new_max(took);
        }
        ended
    }

    #[cold]
    fn finish_long(&self, ended: u64, panics: bool) -> u64 {
        let task = self.task;
        let slow = ended.saturating_sub(thread::poll_started()) >= slow_ticks();
        // What a panic takes is to look up and print where it was.
        let judged = slow && !panics && task.kind.load(Relaxed) != TaskKind::Blocking as u8;
        let wait = if judged { thread::wait_of_long_poll() } else { None };
        let within = thread::took_within();
        let took = self.leave(ended);
        // What a full machine, or the long poll of a task that is polled within this one, as in a `LocalSet`, takes from a
        // poll makes it no long one of its site's.
        let ran = wait.map_or(took, |wait| took.saturating_sub(wait.settle())).saturating_sub(within);
        thread::took_inside(took);
        let site = task.site();
        task.max_poll.raise(took);
        site.max_poll.fetch_max(ran, Relaxed);
        if judged && ran >= slow_ticks() {
            site.slow_poll(task.id(), ran, ended);
        }
        if histogram::is_long(took)
            && let Some(times) = task.times()
        {
            times.long_polls.record(took);
        }
        ended
    }

    /// The poll is over; returns how long it took.
    #[inline]
    fn leave(&self, ended: u64) -> u64 {
        let task = self.task;
        let started = thread::leave(self.outer.as_ref(), ended);
        let took = ended.saturating_sub(started);
        task.polls.store(task.polls.load(Relaxed) + 1, Relaxed);
        task.busy.store(task.busy.load(Relaxed) + took, Relaxed);
        task.last_poll_ended.store(ended, Relaxed);
        took
    }
}

impl TaskSlot {
    /// Its poll begins or ends to block its thread with the runtime's leave.
    pub(super) fn in_place(&'static self, begins: bool) {
        let stage = if begins { Stage::InPlace } else { Stage::Alive };
        self.stage.store(stage as u8, Relaxed);
        self.mark();
    }

    /// Ticks in its polls that ended.
    #[cfg(tokio_unstable)]
    #[inline]
    pub(super) fn busy(&self) -> u64 {
        self.busy.load(Relaxed)
    }

    /// The poll that ended last, which took that many ticks, was none. Only while nothing polls it.
    #[cfg(feature = "layer")]
    pub(super) fn forget_poll(&self, took: u64) {
        self.polls.store(self.polls.load(Relaxed).saturating_sub(1), Relaxed);
        self.busy.store(self.busy.load(Relaxed).saturating_sub(took), Relaxed);
        if histogram::is_long(took)
            && let Some(times) = self.times.get(&started().task_times)
        {
            times.long_polls.forget(took);
        }
    }

    /// A poll of its ended in a panic.
    #[cfg(tokio_unstable)]
    pub(super) fn has_panicked(&self) -> bool {
        self.stage.load(Relaxed) == Stage::Panicked as u8
    }

    /// It is polled for the first time.
    pub(super) fn alive(&self) {
        self.stage.store(Stage::Alive as u8, Relaxed);
    }

    #[cold]
    fn new_max(&self, took: u64) {
        self.max_poll.raise(took);
        let site = &self.site().max_poll;
        if took > site.load(Relaxed) {
            site.fetch_max(took, Relaxed);
        }
    }
}

impl Drop for PollInProgress {
    /// Only a panic of the future gets here.
    fn drop(&mut self) {
        self.finish(true);
        self.task.stage.store(Stage::Panicked as u8, Relaxed);
    }
}

#[cold]
fn first_poll(task: &'static TaskSlot) {
    task.alive();
    // The spawning thread may not have come to it yet.
    if task.kind.load(Relaxed) != TaskKind::Root as u8
        && let Some(id) = ::tokio::task::try_id()
    {
        task.set_id(peek::task_id(id));
    }
}

#[cold]
fn polled_late(task: &'static TaskSlot, delay: u64) {
    if let Some(times) = task.times() {
        times.late_polls.record(delay);
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
