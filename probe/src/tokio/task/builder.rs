//! [`Builder`]: named tasks.
use std::{future::Future, io, panic::Location};

use super::{JoinHandle, LocalSet, watch::Spawning};
use crate::{
    Named,
    recorder::{
        poll::{Tracked, blocking},
        task::TaskKind,
    },
    tokio::runtime::Handle,
};

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

    fn named<T>(&self, handle: JoinHandle<T>) -> JoinHandle<T> {
        handle.named(self.name.unwrap_or_default())
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
        let mut spawning = Spawning::of::<Fut, Fut::Output>(TaskKind::Async, Location::caller());
        let task = spawning.task();
        let handle = self.inner().spawn(Tracked::new(future, task))?;
        Ok(self.named(spawning.end(handle)))
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
        let mut spawning = Spawning::of::<Fut, Fut::Output>(TaskKind::Async, Location::caller());
        let task = spawning.task();
        let handle = self.inner().spawn_on(Tracked::new(future, task), handle.as_inner())?;
        Ok(self.named(spawning.end(handle)))
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
        let mut spawning = Spawning::of::<Fut, Fut::Output>(TaskKind::Local, Location::caller());
        let task = spawning.task();
        let handle = self.inner().spawn_local(Tracked::new(future, task))?;
        Ok(self.named(spawning.end(handle)))
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
        let mut spawning = Spawning::of::<Fut, Fut::Output>(TaskKind::Local, Location::caller());
        let task = spawning.task();
        let handle = self.inner().spawn_local_on(Tracked::new(future, task), local_set.as_inner())?;
        Ok(self.named(spawning.end(handle)))
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
        let mut spawning = Spawning::of::<Function, Output>(TaskKind::Blocking, Location::caller());
        let task = spawning.task();
        let handle = self.inner().spawn_blocking_on(blocking(task, function), handle.as_inner())?;
        Ok(self.named(spawning.end(handle)))
    }
}
