//! [`JoinMap`].
use std::{
    borrow::Borrow,
    collections::hash_map::RandomState,
    fmt,
    future::Future,
    hash::{BuildHasher, Hash},
    panic::Location,
};

use ::tokio_util::task::{self as raw, JoinMapKeys};

use crate::{
    recorder::{active, task::TaskKind, wait::Watched},
    tokio::{
        runtime::Handle,
        task::{Id, JoinError, LocalSet, SetAwaited, SetName, watch::Unjoined},
    },
};

/// Tasks by key, watched one by one; see [`tokio_util::task::JoinMap`](::tokio_util::task::JoinMap).
///
/// Watched: the tasks, from their first poll on, and who waits for the next. What becomes of their results is not.
pub struct JoinMap<K, V, S = RandomState> {
    name: SetName,
    inner: raw::JoinMap<K, V, S>,
}

impl<K, V, S> JoinMap<K, V, S> {
    fn of(inner: raw::JoinMap<K, V, S>) -> Self {
        Self { name: SetName::new(), inner }
    }

    /// tokio-util's own. Its tasks are watched on, and what is spawned into it is not.
    pub fn into_inner(self) -> raw::JoinMap<K, V, S> {
        self.inner
    }
}

impl<K, V, S> From<JoinMap<K, V, S>> for raw::JoinMap<K, V, S> {
    fn from(map: JoinMap<K, V, S>) -> Self {
        map.into_inner()
    }
}

impl<K, V, S> From<raw::JoinMap<K, V, S>> for JoinMap<K, V, S> {
    /// The tasks that are in it already are not watched.
    fn from(inner: raw::JoinMap<K, V, S>) -> Self {
        Self::of(inner)
    }
}

impl<K, V, S> crate::Named for JoinMap<K, V, S> {
    /// Names the tasks that are spawned into it from now on.
    fn set_name(&self, name: &str) {
        self.name.set(name);
    }
}

impl<K, V> JoinMap<K, V> {
    /// See [`JoinMap::new`](::tokio_util::task::JoinMap::new).
    #[must_use]
    pub fn new() -> Self {
        Self::of(raw::JoinMap::new())
    }

    /// See [`JoinMap::with_capacity`](::tokio_util::task::JoinMap::with_capacity).
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::of(raw::JoinMap::with_capacity(capacity))
    }
}

impl<K, V, S> JoinMap<K, V, S> {
    /// See [`JoinMap::with_hasher`](::tokio_util::task::JoinMap::with_hasher).
    #[must_use]
    pub fn with_hasher(hash_builder: S) -> Self {
        Self::of(raw::JoinMap::with_hasher(hash_builder))
    }

    /// See [`JoinMap::with_capacity_and_hasher`](::tokio_util::task::JoinMap::with_capacity_and_hasher).
    #[must_use]
    pub fn with_capacity_and_hasher(capacity: usize, hash_builder: S) -> Self {
        Self::of(raw::JoinMap::with_capacity_and_hasher(capacity, hash_builder))
    }

    /// See [`JoinMap::len`](::tokio_util::task::JoinMap::len).
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`JoinMap::is_empty`](::tokio_util::task::JoinMap::is_empty).
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// See [`JoinMap::capacity`](::tokio_util::task::JoinMap::capacity).
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }
}

impl<K, V, S> JoinMap<K, V, S>
where
    K: Hash + Eq,
    V: 'static,
    S: BuildHasher,
{
    /// Spawns a task; see [`JoinMap::spawn`](::tokio_util::task::JoinMap::spawn).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, key: K, task: F)
    where
        F: Future<Output = V> + Send + 'static,
        V: Send,
    {
        let mut spawning = Unjoined::of::<F, V>(TaskKind::Async, Location::caller());
        self.inner.spawn(key, spawning.tracked(task));
        spawning.end(&self.name);
    }

    /// Spawns a task on a runtime; see [`JoinMap::spawn_on`](::tokio_util::task::JoinMap::spawn_on).
    #[track_caller]
    pub fn spawn_on<F>(&mut self, key: K, task: F, handle: &Handle)
    where
        F: Future<Output = V> + Send + 'static,
        V: Send,
    {
        let mut spawning = Unjoined::of::<F, V>(TaskKind::Async, Location::caller());
        self.inner.spawn_on(key, spawning.tracked(task), handle.as_inner());
        spawning.end(&self.name);
    }

    /// Runs a closure where it may block; see [`JoinMap::spawn_blocking`](::tokio_util::task::JoinMap::spawn_blocking).
    ///
    /// # Panics
    /// Outside of a runtime.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, key: K, f: F)
    where
        F: FnOnce() -> V + Send + 'static,
        V: Send,
    {
        let mut spawning = Unjoined::of::<F, V>(TaskKind::Blocking, Location::caller());
        self.inner.spawn_blocking(key, spawning.blocking(f));
        spawning.end(&self.name);
    }

    /// Runs a closure where it may block, on a runtime; see
    /// [`JoinMap::spawn_blocking_on`](::tokio_util::task::JoinMap::spawn_blocking_on).
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, key: K, f: F, handle: &Handle)
    where
        F: FnOnce() -> V + Send + 'static,
        V: Send,
    {
        let mut spawning = Unjoined::of::<F, V>(TaskKind::Blocking, Location::caller());
        self.inner.spawn_blocking_on(key, spawning.blocking(f), handle.as_inner());
        spawning.end(&self.name);
    }

    /// Spawns a `!Send` task; see [`JoinMap::spawn_local`](::tokio_util::task::JoinMap::spawn_local).
    ///
    /// # Panics
    /// Outside of a [`LocalSet`] and of a local runtime.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, key: K, task: F)
    where
        F: Future<Output = V> + 'static,
    {
        let mut spawning = Unjoined::of::<F, V>(TaskKind::Local, Location::caller());
        self.inner.spawn_local(key, spawning.tracked(task));
        spawning.end(&self.name);
    }

    /// Spawns a task on a [`LocalSet`]; see [`JoinMap::spawn_local_on`](::tokio_util::task::JoinMap::spawn_local_on).
    #[track_caller]
    pub fn spawn_local_on<F>(&mut self, key: K, task: F, local_set: &LocalSet)
    where
        F: Future<Output = V> + 'static,
    {
        let mut spawning = Unjoined::of::<F, V>(TaskKind::Local, Location::caller());
        self.inner.spawn_local_on(key, spawning.tracked(task), local_set.as_inner());
        spawning.end(&self.name);
    }

    /// Waits for one of the tasks; see [`JoinMap::join_next`](::tokio_util::task::JoinMap::join_next).
    #[track_caller]
    pub fn join_next(&mut self) -> impl Future<Output = Option<(K, Result<V, JoinError>)>> {
        let recording = SetAwaited(active().is_some());
        Watched::new(self.inner.join_next(), recording, Location::caller())
    }

    /// See [`JoinMap::try_join_next`](::tokio_util::task::JoinMap::try_join_next).
    pub fn try_join_next(&mut self) -> Option<(K, Result<V, JoinError>)> {
        self.inner.try_join_next()
    }

    /// See [`JoinMap::shutdown`](::tokio_util::task::JoinMap::shutdown).
    pub fn shutdown(&mut self) -> impl Future<Output = ()> {
        self.inner.shutdown()
    }

    /// See [`JoinMap::abort`](::tokio_util::task::JoinMap::abort).
    pub fn abort<Q>(&mut self, key: &Q) -> bool
    where
        Q: ?Sized + Hash + Eq,
        K: Borrow<Q>,
    {
        self.inner.abort(key)
    }

    /// See [`JoinMap::abort_matching`](::tokio_util::task::JoinMap::abort_matching).
    pub fn abort_matching(&mut self, predicate: impl FnMut(&K) -> bool) {
        self.inner.abort_matching(predicate);
    }

    /// See [`JoinMap::keys`](::tokio_util::task::JoinMap::keys).
    pub fn keys(&self) -> JoinMapKeys<'_, K, V> {
        self.inner.keys()
    }

    /// See [`JoinMap::contains_key`](::tokio_util::task::JoinMap::contains_key).
    pub fn contains_key<Q>(&self, key: &Q) -> bool
    where
        Q: ?Sized + Hash + Eq,
        K: Borrow<Q>,
    {
        self.inner.contains_key(key)
    }

    /// See [`JoinMap::contains_task`](::tokio_util::task::JoinMap::contains_task).
    pub fn contains_task(&self, task: &Id) -> bool {
        self.inner.contains_task(task)
    }

    /// See [`JoinMap::reserve`](::tokio_util::task::JoinMap::reserve).
    pub fn reserve(&mut self, additional: usize) {
        self.inner.reserve(additional);
    }

    /// See [`JoinMap::shrink_to_fit`](::tokio_util::task::JoinMap::shrink_to_fit).
    pub fn shrink_to_fit(&mut self) {
        self.inner.shrink_to_fit();
    }

    /// See [`JoinMap::shrink_to`](::tokio_util::task::JoinMap::shrink_to).
    pub fn shrink_to(&mut self, min_capacity: usize) {
        self.inner.shrink_to(min_capacity);
    }
}

impl<K, V, S> JoinMap<K, V, S>
where
    V: 'static,
{
    /// See [`JoinMap::abort_all`](::tokio_util::task::JoinMap::abort_all).
    pub fn abort_all(&mut self) {
        self.inner.abort_all();
    }

    /// See [`JoinMap::detach_all`](::tokio_util::task::JoinMap::detach_all).
    pub fn detach_all(&mut self) {
        self.inner.detach_all();
    }
}

impl<K, V> Default for JoinMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: fmt::Debug, V, S> fmt::Debug for JoinMap<K, V, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
