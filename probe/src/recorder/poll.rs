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
    Recorder, active, clock, histogram, peek,
    running::Running,
    started,
    task::{SLOW_POLL_NS, Stage, TaskKind, TaskRef, TaskSlot},
    thread::{self, Outer},
    unfinished,
};

/// A future that is recorded while it runs, or whose end is counted when there is no slot for it.
pub(crate) struct Tracked<F> {
    future: ManuallyDrop<F>,
    /// Until the task ended.
    task: Option<Running>,
}

impl<F: Future> Tracked<F> {
    #[inline]
    pub(crate) fn new(future: F, task: Option<Running>) -> Self {
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
        task: &mut Option<Running>,
        cx: &mut Context<'_>,
    ) -> Poll<(F::Output, Option<TaskRef>)> {
        let Some(slot) = task.as_ref().and_then(Running::slot) else {
            return Self::poll_shed(future, task, cx).map(|output| (output, None));
        };
        let poll = PollInProgress::begin(started(), slot);
        thread::polls_future(&*future);
        let output = slot.wakes.lend(slot, cx, |cx| future.poll(cx));
        poll.end();
        std::mem::forget(poll);
        output.map(|output| {
            slot.returned(peek::failed(&output));
            (output, task.take().and_then(Running::into_task))
        })
    }

    #[inline(never)]
    fn poll_shed(future: Pin<&mut F>, task: &mut Option<Running>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let panics = EndsInPanic(&mut *task);
        let aside = thread::stand_aside();
        let output = future.poll(cx);
        drop(aside);
        std::mem::forget(panics);
        if output.is_ready()
            && let Some(task) = task.take()
        {
            task.ended(Stage::Done);
        }
        output
    }
}

/// Ends a task without a slot whose future panics.
struct EndsInPanic<'a>(&'a mut Option<Running>);

impl Drop for EndsInPanic<'_> {
    fn drop(&mut self) {
        if let Some(task) = self.0.take() {
            task.ended(Stage::Panicked);
        }
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
        let Some(task) = &self.task else { return drop() };
        if let Some(slot) = task.slot() {
            slot.dropped(drop);
        } else {
            task.ended(Stage::Cancelled);
            drop();
        }
    }
}

impl TaskSlot {
    /// Its future, which `drop` drops, goes before it came to an end.
    #[cold]
    fn dropped(&'static self, drop: impl FnOnce()) {
        if self.stage.load(Relaxed) == Stage::Panicked as u8 {
            self.ended(Stage::Panicked);
            drop();
        } else {
            self.ended(Stage::Cancelled);
            unfinished::drop_task(self, drop);
        }
    }
}

/// `work` as the one poll of a blocking task. When it is dropped without being run, the task was cancelled.
pub(crate) fn blocking<R>(task: Option<Running>, work: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let ending = task.map(|task| Ending { task, stage: Some(Stage::Cancelled) });
    move || {
        let (Some(mut ending), Some(recorder)) = (ending, active()) else { return work() };
        ending.stage = Some(Stage::Panicked);
        let Some(slot) = ending.task.slot() else {
            let output = work();
            ending.stage = Some(Stage::Done);
            return output;
        };
        let poll = PollInProgress::begin(recorder, slot);
        if poll.outer.is_none() {
            thread::in_pool();
        }
        let output = work();
        poll.end();
        std::mem::forget(poll);
        ending.stage = None;
        slot.returned(peek::failed(&output));
        output
    }
}

/// Makes a task's future where it is to run. When this is dropped without being called, the task was cancelled.
#[cfg(feature = "tokio-util-rt")]
pub(crate) fn made_there<F>(task: Option<Running>, make: impl FnOnce() -> F) -> impl FnOnce() -> Tracked<F> {
    let ending = task.map(|task| Ending { task, stage: Some(Stage::Cancelled) });
    move || {
        let Some(mut ending) = ending else { return Tracked { future: ManuallyDrop::new(make()), task: None } };
        ending.stage = Some(Stage::Panicked);
        let future = ManuallyDrop::new(make());
        ending.stage = None;
        Tracked { future, task: Some(ending.task.clone()) }
    }
}

/// Ends a task that panics in its closure, never runs, or is a blocking one without a slot.
struct Ending {
    task: Running,
    /// How it ends when this is dropped; `None` once it ended.
    stage: Option<Stage>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        if let Some(stage) = self.stage {
            self.task.ended(stage);
        }
    }
}

/// A poll that goes on; dropped only when the future panics.
pub(super) struct PollInProgress {
    task: &'static TaskSlot,
    /// What it is within.
    outer: Option<Outer>,
}

impl PollInProgress {
    #[allow(clippy::inline_always, reason = "as below")]
    #[inline(always)]
    fn begin(recorder: &'static Recorder, task: &'static TaskSlot) -> Self {
        if task.polls.load(Relaxed) == 0 {
            first_poll(task);
        }
        Self { task, outer: task.poll_begins(recorder) }
    }

    /// The future came back, after which this is to be forgotten. Taken by reference, since what it keeps would be copied on
    /// its way to be forgotten elsewhere.
    #[allow(clippy::inline_always, reason = "else it is a call whose frame costs as much as what it does")]
    #[inline(always)]
    fn end(&self) {
        self.task.poll_ends(self.outer.as_ref());
    }
}

impl TaskSlot {
    /// A poll of the task, whose id is known, begins on this thread; gives what it is within, for its end.
    #[inline]
    pub(super) fn poll_begins(&'static self, recorder: &'static Recorder) -> Option<Outer> {
        let started = clock::ticks();
        let delay = self.wakes.polled(started);
        if histogram::is_late(delay) {
            polled_late(self, delay);
        }
        #[cfg(feature = "layer")]
        if self.more_waits.load(Relaxed) & CROWDED != 0 {
            self.more_waits.fetch_and(!CROWDED, Relaxed);
        }
        thread::enter(recorder, self, started)
    }

    /// The poll in progress on this thread, which is one of the task, came back; says how many ticks it took.
    #[allow(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    pub(super) fn poll_ends(&'static self, outer: Option<&Outer>) -> u64 {
        let (ended, took) = self.finish_poll(outer, false);
        self.wakes.poll_ended(ended);
        self.mark();
        took
    }

    /// That poll panics; says the same.
    #[cold]
    pub(super) fn poll_panicked(&'static self, outer: Option<&Outer>) -> u64 {
        let (_, took) = self.finish_poll(outer, true);
        self.stage.store(Stage::Panicked as u8, Relaxed);
        took
    }

    /// When it ended, and how long it took.
    #[allow(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn finish_poll(&'static self, outer: Option<&Outer>, panics: bool) -> (u64, u64) {
        let ended = clock::ticks();
        if histogram::is_long(ended.saturating_sub(thread::poll_started())) {
            return (ended, self.finish_long(outer, ended, panics));
        }
        let took = self.leave_poll(outer, ended);
        if self.max_poll.is_raised_by(took) {
            self.new_max(took);
        }
        (ended, took)
    }

    #[cold]
    fn finish_long(&'static self, outer: Option<&Outer>, ended: u64, panics: bool) -> u64 {
        let slow = ended.saturating_sub(thread::poll_started()) >= slow_ticks();
        // What a panic takes is to look up and print where it was.
        let judged = slow && !panics && self.kind.load(Relaxed) != TaskKind::Blocking as u8;
        let wait = if judged { thread::wait_of_long_poll(ended) } else { None };
        let within = thread::took_within();
        let took = self.leave_poll(outer, ended);
        // What a full machine, a process that stood still, or the long poll of a task that is polled within this one, as in a `LocalSet`, takes from a
        // poll makes it no long one of its site's.
        let ran = wait.map_or(took, |wait| took.saturating_sub(wait.settle())).saturating_sub(within);
        thread::took_inside(took);
        let site = self.site();
        self.max_poll.raise(took);
        site.max_poll.fetch_max(ran, Relaxed);
        if judged && ran >= slow_ticks() {
            site.slow_poll(self.id(), ran, ended);
        }
        if histogram::is_long(took)
            && let Some(times) = self.times()
        {
            times.long_polls.record(took);
        }
        took
    }

    /// The poll is over; returns how long it took.
    #[inline]
    fn leave_poll(&self, outer: Option<&Outer>, ended: u64) -> u64 {
        let started = thread::leave(outer, ended);
        let took = ended.saturating_sub(started);
        self.polls.store(self.polls.load(Relaxed) + 1, Relaxed);
        self.busy.store(self.busy.load(Relaxed) + took, Relaxed);
        self.last_poll_ended.store(ended, Relaxed);
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

    #[inline(never)]
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
        self.task.poll_panicked(self.outer.as_ref());
    }
}

#[inline(never)]
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
