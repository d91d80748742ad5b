//! Guards that borrow their mutex.
use std::{
    fmt,
    marker::PhantomData,
    mem::ManuallyDrop,
    ops::{Deref, DerefMut},
    panic::Location,
};

use ::tokio::sync as raw;

use super::{Mutex, hold::Hold};
use crate::recorder::lock::LockSlot;

/// A hold of a [`Mutex`]; see [`tokio::sync::MutexGuard`](::tokio::sync::MutexGuard).
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MutexGuard<'a, T: ?Sized> {
    // Two words, which a CPU passes in registers: the mutex knows whether this hold is noted.
    guard: raw::MutexGuard<'a, ()>,
    mutex: &'a Mutex<T>,
}

// SAFETY: a shared guard gives out `&T`, for which `T: Sync` is needed as well as what `Mutex` needs.
unsafe impl<T: ?Sized + Send + Sync> Sync for MutexGuard<'_, T> {}

/// A hold of a part of what is in a [`Mutex`]; see
/// [`tokio::sync::MappedMutexGuard`](::tokio::sync::MappedMutexGuard).
#[clippy::has_significant_drop]
#[must_use = "if unused the Mutex will immediately unlock"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    hold: Hold<'a>,
    value: *mut T,
    marker: PhantomData<&'a mut T>,
}

// SAFETY: it is a `&mut T` in effect.
unsafe impl<'a, T: ?Sized + Send + 'a> Send for MappedMutexGuard<'a, T> {}
// SAFETY: as above.
unsafe impl<'a, T: ?Sized + Sync + 'a> Sync for MappedMutexGuard<'a, T> {}

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Notes in `slot` that `guard` was acquired at `site`.
    #[inline]
    pub(super) fn begin(
        mutex: &'a Mutex<T>,
        guard: raw::MutexGuard<'a, ()>,
        slot: Option<&'static LockSlot>,
        site: &'static Location<'static>,
    ) -> Self {
        if let Some(slot) = slot {
            slot.acquired(site);
        }
        Self { guard, mutex }
    }

    #[inline]
    pub(super) fn into_hold(self) -> Hold<'a> {
        let this = ManuallyDrop::new(self);
        // SAFETY: read once, and `this` is neither used nor dropped after that.
        Hold::new(this.mutex.held(), unsafe { std::ptr::read(&raw const this.guard) })
    }

    /// See [`MutexGuard::map`](::tokio::sync::MutexGuard::map).
    #[inline]
    pub fn map<U, F>(mut this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        let value = std::ptr::from_mut(f(&mut *this));
        MappedMutexGuard { hold: this.into_hold(), value, marker: PhantomData }
    }

    /// See [`MutexGuard::try_map`](::tokio::sync::MutexGuard::try_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_map<U, F>(mut this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(value) => Ok(MappedMutexGuard { hold: this.into_hold(), value, marker: PhantomData }),
            None => Err(this),
        }
    }

    /// The mutex; see [`MutexGuard::mutex`](::tokio::sync::MutexGuard::mutex).
    #[inline]
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.mutex
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// See [`MappedMutexGuard::map`](::tokio::sync::MappedMutexGuard::map).
    #[inline]
    pub fn map<U, F>(mut this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let value = std::ptr::from_mut(f(&mut *this));
        MappedMutexGuard { hold: this.hold, value, marker: PhantomData }
    }

    /// See [`MappedMutexGuard::try_map`](::tokio::sync::MappedMutexGuard::try_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_map<U, F>(mut this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(value) => Ok(MappedMutexGuard { hold: this.hold, value, marker: PhantomData }),
            None => Err(this),
        }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    /// Notes the release; then `guard` releases.
    #[inline]
    fn drop(&mut self) {
        if let Some(slot) = self.mutex.held() {
            slot.released();
        }
    }
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the lock is held.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the lock is held, and the guard is borrowed for as long as the value.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Deref for MappedMutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: it points into the mutex's value, and the lock is held.
        unsafe { &*self.value }
    }
}

impl<T: ?Sized> DerefMut for MappedMutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; the guard is borrowed for as long as the value.
        unsafe { &mut *self.value }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for MappedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for MappedMutexGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
