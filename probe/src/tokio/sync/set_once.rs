//! [`SetOnce`]: tokio's own, with who waits for its value.
use std::{fmt, future::Future, panic::Location};

use ::tokio::sync as raw;

use super::{SetOnceError, lock_watch::Watch};
use crate::recorder::{
    lock::{EventAwaited, LockKind, LockSlot},
    wait::{Outer, Watched},
};

/// A value that is set once and can be waited for, watched; see [`tokio::sync::SetOnce`](::tokio::sync::SetOnce).
///
/// Watched: whether it is set, and who waits for it since when and from which line.
pub struct SetOnce<T> {
    watch: Watch,
    inner: raw::SetOnce<T>,
}

crate::named::names_lock!([T] for SetOnce<T>);

impl<T> SetOnce<T> {
    /// An empty one; see [`SetOnce::new`](::tokio::sync::SetOnce::new).
    #[track_caller]
    pub fn new() -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::SetOnce::new() }
    }

    /// An empty one in a constant; see [`SetOnce::const_new`](::tokio::sync::SetOnce::const_new).
    #[track_caller]
    pub const fn const_new() -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::SetOnce::const_new() }
    }

    /// One with a value, if there is one; see [`SetOnce::new_with`](::tokio::sync::SetOnce::new_with).
    #[track_caller]
    pub fn new_with(value: Option<T>) -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::SetOnce::new_with(value) }
    }

    /// One with a value in a constant; see [`SetOnce::const_new_with`](::tokio::sync::SetOnce::const_new_with).
    #[track_caller]
    pub const fn const_new_with(value: T) -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::SetOnce::const_new_with(value) }
    }

    /// See [`SetOnce::initialized`](::tokio::sync::SetOnce::initialized).
    pub fn initialized(&self) -> bool {
        self.inner.initialized()
    }

    /// See [`SetOnce::get`](::tokio::sync::SetOnce::get).
    pub fn get(&self) -> Option<&T> {
        self.inner.get()
    }

    /// Sets the value; see [`SetOnce::set`](::tokio::sync::SetOnce::set).
    ///
    /// # Errors
    /// The value, when there is one already.
    pub fn set(&self, value: T) -> Result<(), SetOnceError<T>> {
        let slot = self.slot(None);
        self.inner.set(value)?;
        if let Some(slot) = slot {
            slot.set_ready(true);
        }
        Ok(())
    }

    /// See [`SetOnce::into_inner`](::tokio::sync::SetOnce::into_inner).
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Waits for the value; see [`SetOnce::wait`](::tokio::sync::SetOnce::wait).
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = &T> {
        let site = Location::caller();
        Outer::new(async move {
            match self.inner.get() {
                Some(value) => value,
                None => Watched::in_block(self.inner.wait(), EventAwaited(self.slot(Some(site))), site).await,
            }
        })
    }

    fn slot(&self, used: Option<&'static Location<'static>>) -> Option<&'static LockSlot> {
        self.watch.event::<T>(LockKind::SetOnce, used, |slot| slot.set_ready(self.inner.initialized()))
    }
}

impl<T> Default for SetOnce<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for SetOnce<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: Clone> Clone for SetOnce<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { watch: Watch::new(Location::caller()), inner: self.inner.clone() }
    }
}

impl<T: PartialEq> PartialEq for SetOnce<T> {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for SetOnce<T> {}

impl<T> From<SetOnce<T>> for raw::SetOnce<T> {
    fn from(cell: SetOnce<T>) -> Self {
        cell.inner
    }
}

impl<T> From<T> for SetOnce<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::SetOnce::from(value) }
    }
}
