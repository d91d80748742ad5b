//! Futures that are dropped before they come to an end: by a `select!` whose other branch was first, a `timeout` that has
//! passed, a token that was cancelled, a task that is aborted. What they hold at that moment they let go of in the middle
//! of what they were doing, and only whoever drops them can tell that from the usual way out.
use std::{
    fmt,
    future::Future,
    mem::ManuallyDrop,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use super::{
    active, clock,
    task::TaskSlot,
    thread::{self, HERE},
    wait,
};

/// By what a future is dropped unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum By {
    Select = 1,
    Timeout = 2,
    /// Its task was aborted, or dropped with its runtime or set.
    Task = 3,
    /// A `CancellationToken`.
    Token = 4,
}

/// That a future is being dropped unfinished on this thread.
#[derive(Clone, Copy)]
pub(crate) struct Dropping {
    pub(super) by: By,
    /// Where the `select!` or `timeout` is, or the task was spawned.
    pub(super) at: Option<&'static Location<'static>>,
    /// Ticks; what was acquired later is not the future's, but one of its destructors'.
    pub(super) since: u64,
    /// The task whose future goes as a whole: then it is in no poll.
    task: Option<&'static TaskSlot>,
    /// The one wait of the task that went on when this began, by its start in ticks; 0 where there was none, or more.
    waited_since: u64,
}

impl Dropping {
    /// Where what is dropped was suspended: the wait that went on and is over now, since `from` (ticks) or later.
    pub(super) fn gave_up_since(&self, from: u64) -> Option<&'static Location<'static>> {
        let task = self.task.or_else(thread::current_task).filter(|_| self.waited_since > from)?;
        task.waits().iter().find_map(|entry| entry.ended_at(self.waited_since))
    }
}

/// What is being dropped unfinished on this thread; the outermost where they nest, which is what began it, with the innermost
/// task.
#[inline]
pub(super) fn dropping() -> Option<Dropping> {
    HERE.with(|here| here.dropping.get())
}

/// The task whose future is being dropped unfinished, as a whole, on this thread.
pub(super) fn dropped_task() -> Option<&'static TaskSlot> {
    dropping()?.task
}

/// Runs `drop`, which drops the future of `task`, which is not finished.
#[cold]
pub(super) fn drop_task(task: &'static TaskSlot, drop: impl FnOnce()) {
    let site = wait::only(task).and_then(wait::Entry::read).and_then(|(_, _, site)| site);
    task.site().gives_up(site, clock::ticks());
    drop_by(By::Task, task.site().info.location.location(), Some(task), drop);
}

/// Runs `drop`, which drops a future that is not finished.
#[cold]
fn drop_unfinished(by: By, at: &'static Location<'static>, drop: impl FnOnce()) {
    drop_by(by, Some(at), None, drop);
}

fn drop_by(by: By, at: Option<&'static Location<'static>>, task: Option<&'static TaskSlot>, drop: impl FnOnce()) {
    /// Puts back what was before, also when a destructor panics.
    struct Before(Option<Dropping>);
    impl Drop for Before {
        fn drop(&mut self) {
            HERE.with(|here| here.dropping.set(self.0));
        }
    }
    let before = dropping();
    let what = if let Some(outer) = before {
        // Began by what goes already; a task that goes as a whole with it is the one that does what its destructors do.
        Dropping { task: task.or(outer.task), ..outer }
    } else {
        let waits = task.or_else(thread::current_task).and_then(wait::only);
        Dropping { by, at, since: clock::ticks(), task, waited_since: waits.map_or(0, wait::Entry::since) }
    };
    let _before = Before(before);
    HERE.with(|here| here.dropping.set(Some(what)));
    drop();
}

/// A future that may be dropped unfinished.
pub(crate) struct MayEnd<F> {
    future: ManuallyDrop<F>,
    ended: bool,
    by: By,
    at: &'static Location<'static>,
}

impl<F> MayEnd<F> {
    #[inline]
    pub(crate) fn new(future: F, by: By, at: &'static Location<'static>) -> Self {
        Self { future: ManuallyDrop::new(future), ended: false, by, at }
    }

    pub(crate) fn get_ref(&self) -> &F {
        &self.future
    }

    pub(crate) fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }

    pub(crate) fn into_inner(self) -> F {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not dropped, so the future is taken once.
        unsafe { ManuallyDrop::take(&mut this.future) }
    }
}

impl<F: Future> Future for MayEnd<F> {
    type Output = F::Output;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` is pinned with `self`: it is moved out of it only by `into_inner`, which takes what was never
        // pinned, and dropped in place. The other fields are not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let poll = unsafe { Pin::new_unchecked(&mut *this.future) }.poll(cx);
        this.ended |= poll.is_ready();
        poll
    }
}

impl<F> Drop for MayEnd<F> {
    #[inline]
    fn drop(&mut self) {
        let Self { future, ended, by, at } = self;
        // SAFETY: it is not used again.
        let mut drop = || unsafe { ManuallyDrop::drop(future) };
        // Who unwinds is not who cancels.
        if *ended || active().is_none() || std::thread::panicking() {
            drop();
        } else {
            drop_unfinished(*by, at, drop);
        }
    }
}

impl<F: fmt::Debug> fmt::Debug for MayEnd<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (*self.future).fmt(f)
    }
}
