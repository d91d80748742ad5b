//! [`JoinSet`]: tasks that are held, and awaited, together.
//!
//! A result carries its task's slot, so that joining it needs no look-up. The set itself keeps the slots of the tasks in
//! it for what is rare: a panic, an abort of all, and the end of the set with results that nobody saw.
#[cfg(all(tokio_unstable, feature = "tracing"))]
mod builder;

use std::{
    fmt,
    future::{Future, poll_fn},
    panic::{self, Location},
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{
    AbortHandle, Id, JoinError, LocalSet,
    set_name::SetName,
    spawn::is_in_register,
    watch::{self, Blocking, CallSite},
};
use crate::{
    recorder::{
        active,
        handle::flag,
        peek,
        poll::Tracked,
        running::Running,
        task::{TaskKind, TaskRef},
        wait::{Awaited, Outer, WaitKind, Watched},
    },
    tokio::runtime::Handle,
};

#[cfg(all(tokio_unstable, feature = "tracing"))]
pub use builder::Builder;

/// A set of tasks that are awaited together, watched one by one; see
/// [`tokio::task::JoinSet`].
///
/// Watched: who waits for the set, and which results nobody saw: those of a panic or an `Err` that are dropped with the
/// set, or in a task that was detached from it.
///
/// There is no way back to tokio's own: the tasks return what they return together with what is known of them, and neither the
/// type of a task's result nor the set that it is in can be another once it is spawned. Where a library fills or drains a set of
/// tokio's, give it a [`tokio::raw::task::JoinSet`](::tokio::task::JoinSet).
pub struct JoinSet<T> {
    // Before `inner`, so that the tasks are let go before tokio aborts them.
    held: Held,
    name: SetName,
    inner: ::tokio::task::JoinSet<Carried<T>>,
}

/// A result, with the slot of the task that it comes from.
struct Carried<T> {
    value: T,
    ticket: Ticket,
}

/// The hold of a result on its task; dropped with a result that was not joined.
struct Ticket(Option<TaskRef>);

impl Ticket {
    #[inline]
    fn joined(&self) {
        if let Some(task) = &self.0 {
            task.slot().handle_joined();
        }
    }
}

impl Drop for Ticket {
    #[inline]
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.slot().handle_dropped(true);
        }
    }
}

impl<T> Carried<T> {
    #[inline]
    fn joined(self) -> T {
        self.ticket.joined();
        self.value
    }
}

/// A task's future, with its result made a [`Carried`].
struct Carrying<F: Future> {
    future: Tracked<F>,
}

impl<F: Future> Future for Carrying<F> {
    type Output = Carried<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `future` is pinned with `self` and never moved out of it.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.future) };
        let (value, task) = ready!(future.poll_with_task(cx));
        Poll::Ready(Carried { value, ticket: Ticket(task) })
    }
}

/// As [`Carrying`], of a future that is not watched, and no larger than it.
struct Bare<F>(F);

impl<F: Future> Future for Bare<F> {
    type Output = Carried<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the future is pinned with `self` and never moved out of it.
        let future = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        future.poll(cx).map(|value| Carried { value, ticket: Ticket(None) })
    }
}

/// A task that is about to be spawned into a set: by the method that the app calls, where tokio may panic, since a closure
/// would be the caller whom the panic names.
struct Inserting {
    /// For the handle, the set, and what is spawned.
    task: Option<TaskRef>,
    held: Option<TaskRef>,
    theirs: Option<Running>,
    #[cfg(tokio_unstable)]
    _ours: crate::recorder::foreign::Spawning,
}

impl Inserting {
    /// Of a task made of an `F` that gives an `R`.
    #[inline]
    fn of<F, R>(kind: TaskKind, site: CallSite) -> Self {
        let all = watch::register::<F, R, 3>(kind, site);
        let [task, held, theirs] = all.map_or([None, None, None], |all| all.map(Some));
        if let Some(slot) = theirs.as_ref().and_then(Running::slot) {
            slot.handle_held();
        }
        Self {
            task: task.and_then(Running::into_task),
            held: held.and_then(Running::into_task),
            theirs,
            #[cfg(tokio_unstable)]
            _ours: crate::recorder::foreign::spawning(),
        }
    }

    #[inline]
    fn carrying<F: Future>(&mut self, future: F) -> Carrying<F> {
        Carrying { future: Tracked::new(future, self.theirs.take()) }
    }

    #[inline]
    fn carrying_work<W>(&mut self, work: W) -> CarryingWork<W> {
        let ticket = self.theirs.as_ref().and_then(Running::task);
        CarryingWork { work: Blocking::new(work, self.theirs.take()), ticket }
    }
}

/// The slots of the tasks in a set, and of some that left it.
#[derive(Default)]
struct Held(Vec<TaskRef>);

impl Held {
    /// Slots of tasks that left are kept, a quarter as many as there are tasks, and these: with a slot goes tokio's cell of
    /// its task, for which its waker stands.
    const SLACK: usize = 8;

    fn add(&mut self, task: TaskRef, in_set: usize) {
        self.tidy(in_set);
        // Where memory runs out, a panic or a detached task of this set goes unnoticed; the host does not.
        if self.0.try_reserve(1).is_ok() {
            self.0.push(task);
        }
    }

    /// Lets the slots of tasks that left go to other tasks, once they are more than those in the set.
    #[inline]
    fn tidy(&mut self, in_set: usize) {
        if self.0.len() > in_set + in_set / 4 + Self::SLACK {
            self.0.retain(|task| {
                let flags = task.slot().flags();
                // A result lets go of its task by itself, and there is nothing to be seen of a task that was cancelled.
                flags & flag::HANDLE_HELD != 0 && (flags & flag::ENDED == 0 || flags & flag::PANICKED != 0)
            });
        }
    }

    /// Somebody got the `JoinError` of a task that panicked.
    #[cold]
    fn panic_seen(&mut self, id: Id) {
        let id = peek::task_id(id);
        if let Some(i) = self.0.iter().position(|task| task.slot().id() == id) {
            self.0.swap_remove(i).slot().handle_joined();
        }
    }

    fn aborted(&self, place: CallSite) {
        for task in self.0.iter().filter(|task| task.slot().flags() & flag::ENDED == 0) {
            task.slot().abort_called(Some(place));
        }
    }

    /// Nobody can join the tasks any more. `by_choice` when they run on.
    fn let_go(&mut self, by_choice: bool) {
        for task in self.0.drain(..) {
            task.slot().handle_dropped(by_choice);
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.let_go(false);
    }
}

/// A task of a set is waited for; there is no saying which.
pub(crate) struct SetAwaited(pub(crate) bool);

impl Awaited for SetAwaited {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        Some((WaitKind::Join, 0))
    }

    #[inline]
    fn waits(&self) -> bool {
        self.0
    }
}

impl<T> JoinSet<T> {
    /// See [`JoinSet::new`](::tokio::task::JoinSet::new).
    pub fn new() -> Self {
        Self { held: Held::default(), name: SetName::default(), inner: ::tokio::task::JoinSet::new() }
    }

    /// See [`JoinSet::len`](::tokio::task::JoinSet::len).
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`JoinSet::is_empty`](::tokio::task::JoinSet::is_empty).
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }
}

type Inner<T> = ::tokio::task::JoinSet<Carried<T>>;

impl<T: 'static> JoinSet<T> {
    /// A builder for a task of this set; see [`JoinSet::build_task`](::tokio::task::JoinSet::build_task).
    #[cfg(all(tokio_unstable, feature = "tracing"))]
    pub fn build_task(&mut self) -> Builder<'_, T> {
        Builder { set: self, name: None }
    }

    /// Spawns a task into the set; see [`JoinSet::spawn`](::tokio::task::JoinSet::spawn).
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        // As in `task::spawn`.
        if active().is_some() {
            return self.spawn_watched(task);
        }
        let handle = if is_in_register::<F>() {
            self.inner.spawn(Bare(task))
        } else {
            self.inner.spawn(Carrying { future: Tracked::new(task, None) })
        };
        AbortHandle::new(handle, None)
    }

    #[track_caller]
    #[inline(never)]
    fn spawn_watched<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let mut inserting = Inserting::of::<F, T>(TaskKind::Async, Location::caller());
        let handle = self.inner.spawn(inserting.carrying(task));
        self.inserted(inserting, handle)
    }

    /// Spawns a task on a runtime; see [`JoinSet::spawn_on`](::tokio::task::JoinSet::spawn_on).
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        self.insert(task, TaskKind::Async, Location::caller(), |set, task| set.spawn_on(task, handle.as_inner()))
    }

    /// Spawns a `!Send` task; see [`JoinSet::spawn_local`](::tokio::task::JoinSet::spawn_local).
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        let mut inserting = Inserting::of::<F, T>(TaskKind::Local, Location::caller());
        let handle = self.inner.spawn_local(inserting.carrying(task));
        self.inserted(inserting, handle)
    }

    /// Spawns a task on a [`LocalSet`]; see [`JoinSet::spawn_local_on`](::tokio::task::JoinSet::spawn_local_on).
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, task: F, local_set: &LocalSet) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        self.insert(task, TaskKind::Local, Location::caller(), |set, task| {
            set.spawn_local_on(task, local_set.as_inner())
        })
    }

    /// Runs a closure where it may block; see [`JoinSet::spawn_blocking`](::tokio::task::JoinSet::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let mut inserting = Inserting::of::<F, T>(TaskKind::Blocking, Location::caller());
        let handle = self.inner.spawn_blocking(inserting.carrying_work(f).into_fn());
        self.inserted(inserting, handle)
    }

    /// Runs a closure where it may block, on a runtime; see
    /// [`JoinSet::spawn_blocking_on`](::tokio::task::JoinSet::spawn_blocking_on).
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let handle = handle.as_inner();
        self.insert_blocking(f, Location::caller(), |set, work| set.spawn_blocking_on(work.into_fn(), handle))
    }

    #[inline]
    fn insert<F: Future<Output = T>>(
        &mut self,
        future: F,
        kind: TaskKind,
        site: CallSite,
        spawn: impl FnOnce(&mut Inner<T>, Carrying<F>) -> ::tokio::task::AbortHandle,
    ) -> AbortHandle {
        match self.try_insert(future, kind, site, |set, task| Ok::<_, std::convert::Infallible>(spawn(set, task))) {
            Ok(handle) => handle,
        }
    }

    fn try_insert<F: Future<Output = T>, E>(
        &mut self,
        future: F,
        kind: TaskKind,
        site: CallSite,
        spawn: impl FnOnce(&mut Inner<T>, Carrying<F>) -> Result<::tokio::task::AbortHandle, E>,
    ) -> Result<AbortHandle, E> {
        let mut inserting = Inserting::of::<F, T>(kind, site);
        let handle = spawn(&mut self.inner, inserting.carrying(future))?;
        Ok(self.inserted(inserting, handle))
    }

    #[inline]
    fn insert_blocking<W: FnOnce() -> T>(
        &mut self,
        work: W,
        site: CallSite,
        spawn: impl FnOnce(&mut Inner<T>, CarryingWork<W>) -> ::tokio::task::AbortHandle,
    ) -> AbortHandle {
        let inserted = self.try_insert_blocking(work, site, |set, work| Ok(spawn(set, work)));
        match inserted {
            Ok(handle) => handle,
            Err::<_, std::convert::Infallible>(never) => match never {},
        }
    }

    fn try_insert_blocking<W: FnOnce() -> T, E>(
        &mut self,
        work: W,
        site: CallSite,
        spawn: impl FnOnce(&mut Inner<T>, CarryingWork<W>) -> Result<::tokio::task::AbortHandle, E>,
    ) -> Result<AbortHandle, E> {
        let mut inserting = Inserting::of::<W, T>(TaskKind::Blocking, site);
        let handle = spawn(&mut self.inner, inserting.carrying_work(work))?;
        Ok(self.inserted(inserting, handle))
    }

    #[inline]
    fn inserted(&mut self, inserting: Inserting, handle: ::tokio::task::AbortHandle) -> AbortHandle {
        if let Some(held) = inserting.held {
            held.slot().set_id(peek::task_id(handle.id()));
            self.name.give(Some(&held));
            self.held.add(held, self.inner.len());
        }
        AbortHandle::new(handle, inserting.task)
    }

    /// Waits for one of the tasks; see [`JoinSet::join_next`](::tokio::task::JoinSet::join_next).
    #[track_caller]
    pub fn join_next(&mut self) -> impl Future<Output = Option<Result<T, JoinError>>> {
        let recording = SetAwaited(active().is_some());
        Watched::new(poll_fn(|cx| self.poll_join_next(cx)), recording, Location::caller())
    }

    /// Waits for one of the tasks, and says which; see
    /// [`JoinSet::join_next_with_id`](::tokio::task::JoinSet::join_next_with_id).
    #[track_caller]
    pub fn join_next_with_id(&mut self) -> impl Future<Output = Option<Result<(Id, T), JoinError>>> {
        let recording = SetAwaited(active().is_some());
        Watched::new(poll_fn(|cx| self.poll_join_next_with_id(cx)), recording, Location::caller())
    }

    /// The result of a task that ended; see [`JoinSet::try_join_next`](::tokio::task::JoinSet::try_join_next).
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        let result = self.inner.try_join_next()?;
        Some(self.joined(result, Carried::joined))
    }

    /// The result of a task that ended, and which; see
    /// [`JoinSet::try_join_next_with_id`](::tokio::task::JoinSet::try_join_next_with_id).
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        let result = self.inner.try_join_next_with_id()?;
        Some(self.joined(result, |(id, carried)| (id, carried.joined())))
    }

    /// Aborts all tasks and waits for their end; see [`JoinSet::shutdown`](::tokio::task::JoinSet::shutdown).
    #[track_caller]
    pub fn shutdown(&mut self) -> impl Future<Output = ()> {
        let site = Location::caller();
        Outer::new(async move {
            self.abort_all_at(site);
            let recording = SetAwaited(active().is_some());
            Watched::in_block(
                poll_fn(|cx| {
                    while ready!(self.poll_join_next(cx)).is_some() {}
                    Poll::Ready(())
                }),
                recording,
                site,
            )
            .await;
        })
    }

    /// Waits for all tasks; see [`JoinSet::join_all`](::tokio::task::JoinSet::join_all).
    ///
    /// # Panics
    /// When a task panicked or was cancelled.
    #[track_caller]
    pub fn join_all(mut self) -> impl Future<Output = Vec<T>> {
        let site = Location::caller();
        Outer::new(async move {
            let mut results = Vec::with_capacity(self.len());
            let recording = SetAwaited(active().is_some());
            let all = poll_fn(|cx| {
                while let Some(result) = ready!(self.poll_join_next(cx)) {
                    match result {
                        Ok(value) => results.push(value),
                        Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
                        Err(error) => panic!("{error}"),
                    }
                }
                Poll::Ready(())
            });
            Watched::in_block(all, recording, site).await;
            results
        })
    }

    /// Aborts all tasks; see [`JoinSet::abort_all`](::tokio::task::JoinSet::abort_all).
    #[track_caller]
    pub fn abort_all(&mut self) {
        self.abort_all_at(Location::caller());
    }

    fn abort_all_at(&mut self, place: CallSite) {
        self.held.aborted(place);
        self.inner.abort_all();
    }

    /// Lets all tasks run on, with nobody to see their results; see
    /// [`JoinSet::detach_all`](::tokio::task::JoinSet::detach_all).
    pub fn detach_all(&mut self) {
        self.held.let_go(true);
        self.inner.detach_all();
    }

    /// See [`JoinSet::poll_join_next`](::tokio::task::JoinSet::poll_join_next).
    #[inline]
    pub fn poll_join_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        // Each way out by itself: where they met, the result would be copied, more than once.
        match ready!(self.inner.poll_join_next(cx)) {
            None => Poll::Ready(None),
            Some(Ok(carried)) => {
                let value = carried.joined();
                self.tidy();
                Poll::Ready(Some(Ok(value)))
            }
            Some(Err(error)) => Poll::Ready(Some(Err(self.failed(error)))),
        }
    }

    /// See [`JoinSet::poll_join_next_with_id`](::tokio::task::JoinSet::poll_join_next_with_id).
    #[inline]
    pub fn poll_join_next_with_id(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<(Id, T), JoinError>>> {
        let result = ready!(self.inner.poll_join_next_with_id(cx));
        Poll::Ready(result.map(|result| self.joined(result, |(id, carried)| (id, carried.joined()))))
    }

    #[inline]
    fn joined<C, R>(&mut self, result: Result<C, JoinError>, value: impl FnOnce(C) -> R) -> Result<R, JoinError> {
        match result {
            Ok(carried) => {
                let value = value(carried);
                self.tidy();
                Ok(value)
            }
            Err(error) => Err(self.failed(error)),
        }
    }

    #[cold]
    fn failed(&mut self, error: JoinError) -> JoinError {
        if error.is_panic() {
            self.held.panic_seen(error.id());
        }
        self.tidy();
        error
    }

    #[inline]
    fn tidy(&mut self) {
        if !self.held.0.is_empty() {
            self.held.tidy(self.inner.len());
        }
    }
}

/// A closure for a blocking task of a set.
struct CarryingWork<W> {
    work: Blocking<W>,
    ticket: Option<TaskRef>,
}

impl<W: FnOnce() -> T, T> CarryingWork<W> {
    fn into_fn(self) -> impl FnOnce() -> Carried<T> {
        let work = self.work.into_fn();
        let ticket = self.ticket;
        move || Carried { value: work(), ticket: Ticket(ticket) }
    }
}

impl<T> crate::Named for JoinSet<T> {
    /// Names the tasks that have no name of their own: those in the set, and those that are spawned into it.
    fn set_name(&self, name: &str) {
        self.name.set(name);
        for task in &self.held.0 {
            self.name.give(Some(task));
        }
    }
}

impl<T> fmt::Debug for JoinSet<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = F>>(iter: I) -> Self {
        let mut set = Self::new();
        set.extend(iter);
        set
    }
}

impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    #[track_caller]
    fn extend<I: IntoIterator<Item = F>>(&mut self, iter: I) {
        for task in iter {
            self.spawn(task);
        }
    }
}
