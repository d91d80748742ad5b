//! [`Builder`]: named tasks of a set.
use std::{fmt, future::Future, panic::Location};

use super::{Carried, Inner, JoinSet};
use crate::{
    Named,
    recorder::task::TaskKind,
    tokio::{
        runtime::Handle,
        task::{AbortHandle, LocalSet},
    },
};

/// Spawns a named task into a set; see [`tokio::task::join_set::Builder`](::tokio::task::join_set::Builder).
#[must_use = "builders do nothing unless used to spawn a task"]
pub struct Builder<'a, T> {
    pub(super) set: &'a mut JoinSet<T>,
    pub(super) name: Option<&'a str>,
}

fn named<'a, T: 'static>(
    set: &'a mut Inner<T>,
    name: Option<&'a str>,
) -> ::tokio::task::join_set::Builder<'a, Carried<T>> {
    let builder = set.build_task();
    match name {
        Some(name) => builder.name(name),
        None => builder,
    }
}

fn call(spawned: std::io::Result<AbortHandle>, name: Option<&str>) -> std::io::Result<AbortHandle> {
    let handle = spawned?;
    if let Some(name) = name {
        handle.set_name(name);
    }
    Ok(handle)
}

impl<'a, T: 'static> Builder<'a, T> {
    /// The task's name.
    pub fn name(self, name: &'a str) -> Self {
        Self { name: Some(name), ..self }
    }

    /// As [`JoinSet::spawn`].
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn<F>(self, future: F) -> std::io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let name = self.name;
        let spawned =
            self.set.try_insert(future, TaskKind::Async, Location::caller(), |set, task| named(set, name).spawn(task));
        call(spawned, name)
    }

    /// As [`JoinSet::spawn_on`].
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn_on<F>(self, future: F, handle: &Handle) -> std::io::Result<AbortHandle>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let name = self.name;
        let spawned = self.set.try_insert(future, TaskKind::Async, Location::caller(), |set, task| {
            named(set, name).spawn_on(task, handle.as_inner())
        });
        call(spawned, name)
    }

    /// As [`JoinSet::spawn_blocking`].
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn_blocking<F>(self, f: F) -> std::io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let name = self.name;
        let spawned = self
            .set
            .try_insert_blocking(f, Location::caller(), |set, work| named(set, name).spawn_blocking(work.into_fn()));
        call(spawned, name)
    }

    /// As [`JoinSet::spawn_blocking_on`].
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn_blocking_on<F>(self, f: F, handle: &Handle) -> std::io::Result<AbortHandle>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let name = self.name;
        let spawned = self.set.try_insert_blocking(f, Location::caller(), |set, work| {
            named(set, name).spawn_blocking_on(work.into_fn(), handle.as_inner())
        });
        call(spawned, name)
    }

    /// As [`JoinSet::spawn_local`].
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn_local<F>(self, future: F) -> std::io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        let name = self.name;
        let spawned = self
            .set
            .try_insert(future, TaskKind::Local, Location::caller(), |set, task| named(set, name).spawn_local(task));
        call(spawned, name)
    }

    /// As [`JoinSet::spawn_local_on`].
    ///
    /// # Errors
    /// When tokio cannot spawn it.
    #[track_caller]
    pub fn spawn_local_on<F>(self, future: F, local_set: &LocalSet) -> std::io::Result<AbortHandle>
    where
        F: Future<Output = T> + 'static,
    {
        let name = self.name;
        let spawned = self.set.try_insert(future, TaskKind::Local, Location::caller(), |set, task| {
            named(set, name).spawn_local_on(task, local_set.as_inner())
        });
        call(spawned, name)
    }
}

impl<T> fmt::Debug for Builder<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("join_set::Builder").field("joinset", &self.set).field("name", &self.name).finish()
    }
}
