//! Guards that own their mutex.
use std::{
    fmt,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use super::{Mutex, hold::Hold};

/// A hold of a [`Mutex`] in an `Arc`; see [`tokio::sync::OwnedMutexGuard`](::tokio::sync::OwnedMutexGuard).
#[clippy::has_significant_drop]
pub struct OwnedMutexGuard<T: ?Sized> {
    // Before `mutex`, which it points into.
    hold: Hold<'static>,
    mutex: Arc<Mutex<T>>,
}

// SAFETY: a shared guard gives out `&T`, for which `T: Sync` is needed as well as what `Mutex` needs.
unsafe impl<T: ?Sized + Send + Sync> Sync for OwnedMutexGuard<T> {}

/// A hold of a part of what is in a [`Mutex`] in an `Arc`; see
/// [`tokio::sync::OwnedMappedMutexGuard`](::tokio::sync::OwnedMappedMutexGuard).
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    // Before `mutex`, which both point into.
    hold: Hold<'static>,
    value: *mut U,
    mutex: Arc<Mutex<T>>,
}

// SAFETY: it is an `Arc` of the mutex and a `&mut U` in effect.
unsafe impl<T: ?Sized + Send, U: ?Sized + Send> Send for OwnedMappedMutexGuard<T, U> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedMappedMutexGuard<T, U> {}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// `hold` must be of `mutex`.
    #[inline]
    pub(super) fn new(mutex: Arc<Mutex<T>>, hold: Hold<'static>) -> Self {
        Self { hold, mutex }
    }

    /// See [`OwnedMutexGuard::map`](::tokio::sync::OwnedMutexGuard::map).
    #[inline]
    pub fn map<U, F>(mut this: Self, f: F) -> OwnedMappedMutexGuard<T, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        let value = std::ptr::from_mut(f(&mut *this));
        OwnedMappedMutexGuard { hold: this.hold, value, mutex: this.mutex }
    }

    /// See [`OwnedMutexGuard::try_map`](::tokio::sync::OwnedMutexGuard::try_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_map<U, F>(mut this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(value) => Ok(OwnedMappedMutexGuard { hold: this.hold, value, mutex: this.mutex }),
            None => Err(this),
        }
    }

    /// The mutex; see [`OwnedMutexGuard::mutex`](::tokio::sync::OwnedMutexGuard::mutex).
    #[inline]
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        &this.mutex
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// See [`OwnedMappedMutexGuard::map`](::tokio::sync::OwnedMappedMutexGuard::map).
    #[inline]
    pub fn map<S, F>(mut this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        F: FnOnce(&mut U) -> &mut S,
    {
        let value = std::ptr::from_mut(f(&mut *this));
        OwnedMappedMutexGuard { hold: this.hold, value, mutex: this.mutex }
    }

    /// See [`OwnedMappedMutexGuard::try_map`](::tokio::sync::OwnedMappedMutexGuard::try_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_map<S, F>(mut this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(value) => Ok(OwnedMappedMutexGuard { hold: this.hold, value, mutex: this.mutex }),
            None => Err(this),
        }
    }
}

impl<T: ?Sized> Deref for OwnedMutexGuard<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for OwnedMutexGuard<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, and the guard is borrowed for as long as the value.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedMappedMutexGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: it points into the mutex's value, and the lock is held.
        unsafe { &*self.value }
    }
}

impl<T: ?Sized, U: ?Sized> DerefMut for OwnedMappedMutexGuard<T, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: as in `deref`; the guard is borrowed for as long as the value.
        unsafe { &mut *self.value }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for OwnedMutexGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedMappedMutexGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Display> fmt::Display for OwnedMappedMutexGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
