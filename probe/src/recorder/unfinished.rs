//! Futures that are dropped before they come to an end: by a `select!` whose other branch was first, a `timeout` that has
//! passed, a token that was cancelled, a task that is aborted. What they hold at that moment they let go of in the middle
//! of what they were doing, and only whoever drops them can tell that from the usual way out.
use std::{
    fmt,
    future::Future,
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
    /// How many futures that may end, one within the other, are being dropped since this began, the one that began it included.
    depth: u32,
}

impl Dropping {
    fn begin(by: By, at: Option<&'static Location<'static>>, task: Option<&'static TaskSlot>) -> Self {
        let waits = task.or_else(thread::current_task).and_then(wait::only);
        let waited_since = waits.map_or(0, wait::Entry::since);
        Self { by, at, since: clock::ticks(), task, waited_since, depth: 0 }
    }

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

fn set(dropping: Option<Dropping>) {
    HERE.with(|here| here.dropping.set(dropping));
}

/// Runs `drop`, which drops the future of `task`, which is not finished.
#[cold]
pub(super) fn drop_task(task: &'static TaskSlot, drop: impl FnOnce()) {
    /// Puts back what was before, also when a destructor panics.
    struct Before(Option<Dropping>);
    impl Drop for Before {
        fn drop(&mut self) {
            set(self.0);
        }
    }
    let site = wait::only(task).and_then(wait::Entry::read).and_then(|(_, _, site)| site);
    task.site().gives_up(site, clock::ticks());
    let before = Before(dropping());
    // Began by what goes already; a task that goes as a whole with it is the one that does what its destructors do.
    let within = before.0.map(|outer| Dropping { task: Some(task), ..outer });
    set(Some(within.unwrap_or_else(|| Dropping::begin(By::Task, task.site().info.location.location(), Some(task)))));
    drop();
}

/// A future that may be dropped unfinished.
///
/// What is dropped before it and after it says so, and not a destructor of its own: that would count as a use of whatever the
/// future borrows, to the end of the block that the future is in, where a future without a destructor has none.
pub(crate) struct MayEnd<F> {
    // In this order: so they are dropped.
    begins: Begins,
    future: F,
    ends: Ends,
}

/// Dropped right before a future: what goes from here on does so with that.
struct Begins {
    at: &'static Location<'static>,
    by: By,
    ended: bool,
}

/// Dropped right after a future.
struct Ends {
    ended: bool,
}

impl<F> MayEnd<F> {
    #[inline]
    pub(crate) fn new(future: F, by: By, at: &'static Location<'static>) -> Self {
        Self { begins: Begins { at, by, ended: false }, future, ends: Ends { ended: false } }
    }

    pub(crate) fn get_ref(&self) -> &F {
        &self.future
    }

    pub(crate) fn get_mut(&mut self) -> &mut F {
        &mut self.future
    }

    pub(crate) fn into_inner(self) -> F {
        let Self { begins, future, ends } = self;
        std::mem::forget((begins, ends));
        future
    }
}

impl<F: Future> Future for MayEnd<F> {
    type Output = F::Output;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` is pinned with `self`: it is moved out of it only by `into_inner`, which takes what was never
        // pinned. The other fields are not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let poll = unsafe { Pin::new_unchecked(&mut this.future) }.poll(cx);
        if poll.is_ready() {
            (this.begins.ended, this.ends.ended) = (true, true);
        }
        poll
    }
}

impl Drop for Begins {
    #[inline]
    fn drop(&mut self) {
        if !self.ended && active().is_some() {
            self.begin();
        }
    }
}

impl Begins {
    #[cold]
    fn begin(&self) {
        let dropping = match dropping() {
            Some(outer) => outer,
            // Who unwinds is not who cancels.
            None if std::thread::panicking() => return,
            None => Dropping::begin(self.by, Some(self.at), None),
        };
        set(Some(Dropping { depth: dropping.depth + 1, ..dropping }));
    }
}

impl Drop for Ends {
    #[inline]
    fn drop(&mut self) {
        if !self.ended && active().is_some() {
            end();
        }
    }
}

/// The end of what began last. Where its beginning was not noted, nothing goes: all that began within it has ended.
#[cold]
fn end() {
    let Some(dropping) = dropping() else { return };
    // A task that goes as a whole began at none, and ends by itself.
    let depth = dropping.depth.saturating_sub(1);
    set((depth > 0 || dropping.by == By::Task).then_some(Dropping { depth, ..dropping }));
}

impl<F: fmt::Debug> fmt::Debug for MayEnd<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.future.fmt(f)
    }
}
