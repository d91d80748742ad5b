//! [`TaskTracker`]: tokio-util's own, with when and where it was closed, and which tasks it waits for.
use std::{
    fmt,
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use ::tokio_util::task::task_tracker as raw;

use crate::{
    recorder::{
        ending::EndingRef,
        handle::flag,
        lock::EventAwaited,
        membership::Scope,
        poll::{Tracked, blocking},
        task::{TaskKind, TaskSlot},
        thread,
        wait::{Keeping, Watched},
    },
    tokio::{
        runtime::Handle,
        task::{
            JoinHandle, LocalSet,
            watch::{CallSite, Spawning},
        },
    },
};

/// Waits for tasks to end, watched; see [`tokio_util::task::TaskTracker`].
///
/// Watched: which tasks it tracks, when and from which line it was closed, and who waits for it. A tracker that was made
/// before anything recorded is not seen.
pub struct TaskTracker {
    inner: raw::TaskTracker,
    tracker: Option<EndingRef>,
}

/// Something that a [`TaskTracker`] waits for; see
/// [`tokio_util::task::task_tracker::TaskTrackerToken`].
#[must_use]
pub struct TaskTrackerToken {
    // Before `tracker`, as tokio-util counts before it lets go.
    inner: raw::TaskTrackerToken,
    _counted: Counted,
    tracker: TaskTracker,
}

/// A future that a [`TaskTracker`] waits for; see
/// [`tokio_util::task::task_tracker::TrackedFuture`].
#[must_use = "futures do nothing unless polled"]
pub struct TrackedFuture<F> {
    // Before `member`, which stops being one when this is gone.
    inner: raw::TrackedFuture<F>,
    member: Member,
}

/// A wait for all that a [`TaskTracker`] tracks; see
/// [`tokio_util::task::task_tracker::TaskTrackerWaitFuture`].
#[must_use = "futures do nothing unless polled"]
pub struct TaskTrackerWaitFuture<'a> {
    inner: Watched<raw::TaskTrackerWaitFuture<'a>, EventAwaited>,
}

/// One of the things that are tracked.
struct Counted(Option<EndingRef>);

impl Counted {
    fn new(tracker: Option<&EndingRef>) -> Self {
        if let Some(tracker) = tracker {
            tracker.members(1);
        }
        Self(tracker.cloned())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(tracker) = &self.0 {
            tracker.members(-1);
        }
    }
}

/// The task that a tracked future is in.
struct Member {
    counted: Counted,
    task: Option<(&'static TaskSlot, u64)>,
}

impl Member {
    /// The future is polled by the task in poll on this thread.
    #[inline]
    fn polled(&mut self) {
        let Some(tracker) = &self.counted.0 else { return };
        let Some(task) = thread::current_task() else { return };
        if self.task.is_none_or(|(_, id)| id != task.id()) {
            task.enter(Scope::Tracker, tracker.slot().id());
            self.task = Some((task, task.id()));
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        if let (Some(tracker), Some((task, id))) = (&self.counted.0, self.task)
            && task.id() == id
        {
            task.leave(Scope::Tracker, tracker.slot().id());
        }
    }
}

impl TaskTracker {
    /// A new one; see [`TaskTracker::new`](::tokio_util::task::TaskTracker::new).
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        raw::TaskTracker::new().into()
    }

    /// Waits until it is closed and empty; see [`TaskTracker::wait`](::tokio_util::task::TaskTracker::wait).
    #[track_caller]
    pub fn wait(&self) -> TaskTrackerWaitFuture<'_> {
        let awaited = EventAwaited(self.tracker.as_ref().map(EndingRef::slot));
        TaskTrackerWaitFuture { inner: Watched::new(self.inner.wait(), awaited, Location::caller()) }
    }

    /// Closes it; see [`TaskTracker::close`](::tokio_util::task::TaskTracker::close).
    #[track_caller]
    #[expect(clippy::must_use_candidate, reason = "as tokio-util has it")]
    pub fn close(&self) -> bool {
        if let Some(tracker) = &self.tracker
            && !self.inner.is_closed()
        {
            tracker.ends(Location::caller());
        }
        self.inner.close()
    }

    /// Opens it again; see [`TaskTracker::reopen`](::tokio_util::task::TaskTracker::reopen).
    #[expect(clippy::must_use_candidate, reason = "as tokio-util has it")]
    pub fn reopen(&self) -> bool {
        let was_closed = self.inner.reopen();
        if let Some(tracker) = self.tracker.as_ref().filter(|_| was_closed) {
            tracker.goes_on();
        }
        was_closed
    }

    /// See [`TaskTracker::is_closed`](::tokio_util::task::TaskTracker::is_closed).
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// See [`TaskTracker::len`](::tokio_util::task::TaskTracker::len).
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`TaskTracker::is_empty`](::tokio_util::task::TaskTracker::is_empty).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Spawns a task; see [`TaskTracker::spawn`](::tokio_util::task::TaskTracker::spawn).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn spawn<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut spawning = self.spawning::<F, F::Output>(TaskKind::Async, Location::caller());
        let handle = ::tokio::spawn(Tracked::new(self.track_future(task), spawning.task()));
        spawning.end(handle)
    }

    /// Spawns a task on a runtime; see [`TaskTracker::spawn_on`](::tokio_util::task::TaskTracker::spawn_on).
    #[track_caller]
    pub fn spawn_on<F>(&self, task: F, handle: &Handle) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut spawning = self.spawning::<F, F::Output>(TaskKind::Async, Location::caller());
        let handle = handle.as_inner().spawn(Tracked::new(self.track_future(task), spawning.task()));
        spawning.end(handle)
    }

    /// Spawns a `!Send` task; see [`TaskTracker::spawn_local`](::tokio_util::task::TaskTracker::spawn_local).
    ///
    /// # Panics
    /// Outside of a [`LocalSet`] and of a local runtime.
    #[track_caller]
    pub fn spawn_local<F>(&self, task: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let mut spawning = self.spawning::<F, F::Output>(TaskKind::Local, Location::caller());
        let handle = ::tokio::task::spawn_local(Tracked::new(self.track_future(task), spawning.task()));
        spawning.end(handle)
    }

    /// Spawns a task on a [`LocalSet`]; see
    /// [`TaskTracker::spawn_local_on`](::tokio_util::task::TaskTracker::spawn_local_on).
    #[track_caller]
    pub fn spawn_local_on<F>(&self, task: F, local_set: &LocalSet) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let mut spawning = self.spawning::<F, F::Output>(TaskKind::Local, Location::caller());
        let handle = local_set.as_inner().spawn_local(Tracked::new(self.track_future(task), spawning.task()));
        spawning.end(handle)
    }

    /// Runs a closure where it may block; see
    /// [`TaskTracker::spawn_blocking`](::tokio_util::task::TaskTracker::spawn_blocking).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    #[cfg(not(target_family = "wasm"))]
    pub fn spawn_blocking<F, T>(&self, task: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.spawn_blocking_by(task, Location::caller(), &::tokio::runtime::Handle::current())
    }

    /// Runs a closure where it may block, on a runtime; see
    /// [`TaskTracker::spawn_blocking_on`](::tokio_util::task::TaskTracker::spawn_blocking_on).
    #[track_caller]
    #[cfg(not(target_family = "wasm"))]
    pub fn spawn_blocking_on<F, T>(&self, task: F, handle: &Handle) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.spawn_blocking_by(task, Location::caller(), handle.as_inner())
    }

    /// Tracks a future; see [`TaskTracker::track_future`](::tokio_util::task::TaskTracker::track_future).
    pub fn track_future<F: Future>(&self, future: F) -> TrackedFuture<F> {
        let member = Member { counted: Counted::new(self.tracker.as_ref()), task: None };
        TrackedFuture { inner: self.inner.track_future(future), member }
    }

    /// See [`TaskTracker::token`](::tokio_util::task::TaskTracker::token).
    pub fn token(&self) -> TaskTrackerToken {
        let (inner, counted) = (self.inner.token(), Counted::new(self.tracker.as_ref()));
        TaskTrackerToken { inner, _counted: counted, tracker: self.clone() }
    }

    /// See [`TaskTracker::ptr_eq`](::tokio_util::task::TaskTracker::ptr_eq).
    #[must_use]
    pub fn ptr_eq(left: &Self, right: &Self) -> bool {
        raw::TaskTracker::ptr_eq(&left.inner, &right.inner)
    }

    /// tokio-util's own. What is spawned on it is not watched.
    pub fn into_inner(self) -> raw::TaskTracker {
        self.inner
    }

    fn enter(&self, task: Option<&'static TaskSlot>) {
        if let (Some(tracker), Some(task)) = (&self.tracker, task) {
            task.enter(Scope::Tracker, tracker.slot().id());
            // Whoever waits for the tracker waits for the task: its handle may go.
            task.handle_did(flag::HANDLE_AWAITED);
        }
    }

    /// A task made of an `F` that gives an `R`, about to be spawned.
    fn spawning<F, R>(&self, kind: TaskKind, site: CallSite) -> Spawning {
        let spawning = Spawning::of::<F, R>(kind, site);
        self.enter(spawning.slot());
        spawning
    }

    #[cfg(not(target_family = "wasm"))]
    fn spawn_blocking_by<F, T>(&self, work: F, site: CallSite, runtime: &::tokio::runtime::Handle) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let token = self.token();
        let mut spawning = self.spawning::<F, T>(TaskKind::Blocking, site);
        let work = blocking(spawning.task(), work);
        let handle = runtime.spawn_blocking(move || {
            let output = work();
            drop(token);
            output
        });
        spawning.end(handle)
    }
}

impl Default for TaskTracker {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl crate::Named for TaskTracker {
    fn set_name(&self, name: &str) {
        if let Some(of) = &self.tracker {
            of.slot().set_name(name);
        }
    }
}

impl Clone for TaskTracker {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), tracker: self.tracker.clone() }
    }
}

impl From<raw::TaskTracker> for TaskTracker {
    /// Watched as a new one: what it tracks by now is not seen.
    #[track_caller]
    fn from(inner: raw::TaskTracker) -> Self {
        Self { inner, tracker: EndingRef::tracker::<raw::TaskTracker>(Location::caller()) }
    }
}

impl From<TaskTracker> for raw::TaskTracker {
    fn from(tracker: TaskTracker) -> Self {
        tracker.into_inner()
    }
}

impl fmt::Debug for TaskTracker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl TaskTrackerToken {
    /// See [`TaskTrackerToken::task_tracker`](::tokio_util::task::task_tracker::TaskTrackerToken::task_tracker).
    #[must_use]
    pub fn task_tracker(&self) -> &TaskTracker {
        &self.tracker
    }
}

impl Clone for TaskTrackerToken {
    fn clone(&self) -> Self {
        self.tracker.token()
    }
}

impl fmt::Debug for TaskTrackerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<F: Future> Future for TrackedFuture<F> {
    type Output = F::Output;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `inner` is pinned with `self` and never moved out of it; `member` is not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        this.member.polled();
        let _keeping = Keeping::of::<F>(Location::caller());
        // SAFETY: as above.
        unsafe { Pin::new_unchecked(&mut this.inner) }.poll(cx)
    }
}

impl<F: fmt::Debug> fmt::Debug for TrackedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Future for TaskTrackerWaitFuture<'_> {
    type Output = ();

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: pinned with `self`, and never moved out of it.
        unsafe { self.map_unchecked_mut(|this| &mut this.inner) }.poll(cx)
    }
}

impl fmt::Debug for TaskTrackerWaitFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskTrackerWaitFuture").finish_non_exhaustive()
    }
}
