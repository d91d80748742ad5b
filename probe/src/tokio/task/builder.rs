//! [`Builder`]: named tasks.
use std::{future::Future, io, panic::Location};

use super::{JoinHandle, LocalSet, watch};
use crate::{Named, recorder::task::TaskKind, tokio::runtime::Handle};

/// Spawns a named task, watched; see [`tokio::task::Builder`](::tokio::task::Builder).
#[derive(Default, Debug)]
pub struct Builder<'a> {
    name: Option<&'a str>,
}

impl<'a> Builder<'a> {
    /// See [`Builder::new`](::tokio::task::Builder::new).
    pub fn new() -> Self {
        Self::default()
    }

    /// The task's name.
    #[allow(clippy::unused_self, reason = "as tokio has it")]
    #[must_use]
    pub fn name(&self, name: &'a str) -> Self {
        Self { name: Some(name) }
    }

    fn named<T>(&self, spawned: io::Result<JoinHandle<T>>) -> io::Result<JoinHandle<T>> {
        let name = self.name.unwrap_or_default();
        spawned.map(|handle| handle.named(name))
    }

    fn inner(&self) -> ::tokio::task::Builder<'a> {
        let builder = ::tokio::task::Builder::new();
        match self.name {
            Some(name) => builder.name(name),
            None => builder,
        }
    }

    /// See [`Builder::spawn`](::tokio::task::Builder::spawn).
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn<Fut>(self, future: Fut) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let site = Location::caller();
        self.named(watch::try_spawn_by(future, TaskKind::Async, site, |future| self.inner().spawn(future)))
    }

    /// See [`Builder::spawn_on`](::tokio::task::Builder::spawn_on).
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn_on<Fut>(self, future: Fut, handle: &Handle) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + Send + 'static,
        Fut::Output: Send + 'static,
    {
        let (site, handle) = (Location::caller(), handle.as_inner());
        self.named(watch::try_spawn_by(future, TaskKind::Async, site, |future| self.inner().spawn_on(future, handle)))
    }

    /// See [`Builder::spawn_local`](::tokio::task::Builder::spawn_local).
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn_local<Fut>(self, future: Fut) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + 'static,
        Fut::Output: 'static,
    {
        let site = Location::caller();
        self.named(watch::try_spawn_by(future, TaskKind::Local, site, |future| self.inner().spawn_local(future)))
    }

    /// See [`Builder::spawn_local_on`](::tokio::task::Builder::spawn_local_on).
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn_local_on<Fut>(self, future: Fut, local_set: &LocalSet) -> io::Result<JoinHandle<Fut::Output>>
    where
        Fut: Future + 'static,
        Fut::Output: 'static,
    {
        let site = Location::caller();
        self.named(watch::try_spawn_by(future, TaskKind::Local, site, |future| {
            self.inner().spawn_local_on(future, local_set.as_inner())
        }))
    }

    /// See [`Builder::spawn_blocking`](::tokio::task::Builder::spawn_blocking).
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn_blocking<Function, Output>(self, function: Function) -> io::Result<JoinHandle<Output>>
    where
        Function: FnOnce() -> Output + Send + 'static,
        Output: Send + 'static,
    {
        self.spawn_blocking_on(function, &Handle::current())
    }

    /// See [`Builder::spawn_blocking_on`](::tokio::task::Builder::spawn_blocking_on).
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn_blocking_on<Function, Output>(
        self,
        function: Function,
        handle: &Handle,
    ) -> io::Result<JoinHandle<Output>>
    where
        Function: FnOnce() -> Output + Send + 'static,
        Output: Send + 'static,
    {
        let site = Location::caller();
        let task = watch::register::<Function, Output>(TaskKind::Blocking, site);
        self.named(watch::try_with_handle(task, |task| {
            let work = watch::Blocking::new(function, task);
            self.inner().spawn_blocking_on(work.into_fn(), handle.as_inner())
        }))
    }
}
