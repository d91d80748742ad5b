//! From a future or a closure to a watched task.
use std::{any::type_name, panic::Location};

use super::JoinHandle;
use crate::recorder::{
    active, peek,
    poll::blocking,
    running::Running,
    site::{SiteInfo, SiteKind},
    task::{TaskKind, TaskSlot},
};

#[cfg(feature = "tokio-util-rt")]
use crate::recorder::{handle::flag, poll::Tracked, task::TaskRef};

/// Where a task is spawned.
pub(crate) type CallSite = &'static Location<'static>;

/// A task made of an `F` that gives an `R`, for as many as will have it; `None` while nothing is recorded.
#[inline]
pub(crate) fn register<F, R, const N: usize>(kind: TaskKind, site: CallSite) -> Option<[Running; N]> {
    let recorder = active()?;
    let info = SiteInfo {
        kind: SiteKind::Spawn,
        location: site.into(),
        type_name: type_name::<F>(),
        output: peek::output_kind::<R>(),
        future_bytes: u32::try_from(size_of::<F>()).unwrap_or(u32::MAX),
    };
    // SAFETY: registered for as many.
    TaskSlot::register(recorder, &info, kind, N as u32).map(|task| unsafe { task.shared() })
}

/// A closure for a blocking task, not yet begun; [`Blocking::into_fn`] is what tokio gets.
pub(crate) struct Blocking<W> {
    work: W,
    task: Option<Running>,
}

impl<W> Blocking<W> {
    pub(crate) fn new(work: W, task: Option<Running>) -> Self {
        Self { work, task }
    }

    pub(crate) fn into_fn<R>(self) -> impl FnOnce() -> R
    where
        W: FnOnce() -> R,
    {
        blocking(self.task, self.work)
    }
}

/// A task with a handle that is about to be spawned: by the caller itself, since a closure would be the caller whom tokio
/// names, where it panics, and to the app's own hooks.
pub(crate) struct Spawning {
    /// For the handle.
    task: Option<Running>,
    theirs: Option<Running>,
    #[cfg(tokio_unstable)]
    _ours: crate::recorder::foreign::Spawning,
}

impl Spawning {
    /// Of a task made of an `F` that gives an `R`.
    #[inline]
    pub(crate) fn of<F, R>(kind: TaskKind, site: CallSite) -> Self {
        let [task, theirs] = register::<F, R, 2>(kind, site).map_or([None, None], |both| both.map(Some));
        if let Some(slot) = task.as_ref().and_then(Running::slot) {
            slot.handle_held();
        }
        Self {
            task,
            theirs,
            #[cfg(tokio_unstable)]
            _ours: crate::recorder::foreign::spawning(),
        }
    }

    /// Its slot, if it has one.
    #[cfg(feature = "tokio-util-rt")]
    pub(crate) fn slot(&self) -> Option<&'static TaskSlot> {
        self.task.as_ref().and_then(Running::slot)
    }

    /// What the future or the closure takes along, once.
    #[inline]
    pub(crate) fn task(&mut self) -> Option<Running> {
        self.theirs.take()
    }

    /// It was spawned.
    #[inline]
    pub(crate) fn end<R>(self, handle: ::tokio::task::JoinHandle<R>) -> JoinHandle<R> {
        let task = self.task.and_then(Running::into_task);
        if let Some(task) = &task {
            task.slot().set_id(peek::task_id(handle.id()));
        }
        JoinHandle::new(handle, task)
    }
}

/// A task whose result goes by ways that are not watched: of its handle nothing is said.
#[cfg(feature = "tokio-util-rt")]
pub(crate) fn register_unjoined<F, R>(kind: TaskKind, site: CallSite) -> Option<Running> {
    let [task] = register::<F, R, 1>(kind, site)?;
    unjoined(&task);
    Some(task)
}

#[cfg(feature = "tokio-util-rt")]
fn unjoined(task: &Running) {
    if let Some(slot) = task.slot() {
        slot.handle_did(flag::HANDLE_AWAITED | flag::RESULT_TAKEN);
    }
}

/// Such a task that is about to be spawned into a set: by the caller itself, as [`Spawning`].
#[cfg(feature = "tokio-util-rt")]
pub(crate) struct Unjoined {
    theirs: Option<Running>,
    task: Option<TaskRef>,
    #[cfg(tokio_unstable)]
    _ours: crate::recorder::foreign::Spawning,
}

#[cfg(feature = "tokio-util-rt")]
impl Unjoined {
    /// Of a task made of an `F` that gives an `R`.
    pub(crate) fn of<F, R>(kind: TaskKind, site: CallSite) -> Self {
        let [task, theirs] = register::<F, R, 2>(kind, site).map_or([None, None], |both| both.map(Some));
        if let Some(task) = &task {
            unjoined(task);
        }
        Self {
            task: task.and_then(Running::into_task),
            theirs,
            #[cfg(tokio_unstable)]
            _ours: crate::recorder::foreign::spawning(),
        }
    }

    pub(crate) fn tracked<F: std::future::Future>(&mut self, future: F) -> Tracked<F> {
        Tracked::new(future, self.theirs.take())
    }

    pub(crate) fn blocking<W: FnOnce() -> R, R>(&mut self, work: W) -> impl FnOnce() -> R + use<W, R> {
        blocking(self.theirs.take(), work)
    }

    /// It was spawned into a set of that name.
    #[cfg(feature = "tokio-util-join-map")]
    pub(crate) fn end(self, set: &super::SetName) {
        set.give(self.task.as_ref());
    }

    /// The same, with a handle to abort it.
    pub(crate) fn end_abortable(self, handle: ::tokio::task::AbortHandle, set: &super::SetName) -> super::AbortHandle {
        set.give(self.task.as_ref());
        if let Some(task) = &self.task {
            task.slot().set_id(peek::task_id(handle.id()));
        }
        super::AbortHandle::new(handle, self.task)
    }
}
