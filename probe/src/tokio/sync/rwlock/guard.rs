//! Guards that borrow their lock.
use std::{
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
};

use super::hold::{ReadHold, WriteHold};

/// A hold of an [`RwLock`](super::RwLock), or of a part of what is in it, to read; see
/// [`tokio::sync::RwLockReadGuard`](::tokio::sync::RwLockReadGuard).
#[clippy::has_significant_drop]
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    hold: ReadHold<'a>,
    value: *const T,
    marker: PhantomData<&'a T>,
}

/// The hold of an [`RwLock`](super::RwLock) to write; see
/// [`tokio::sync::RwLockWriteGuard`](::tokio::sync::RwLockWriteGuard).
#[clippy::has_significant_drop]
#[must_use = "if unused the RwLock will immediately unlock"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    hold: WriteHold<'a>,
    value: *mut T,
    marker: PhantomData<&'a mut T>,
}

/// The hold of a part of what is in an [`RwLock`](super::RwLock), to write; see
/// [`tokio::sync::RwLockMappedWriteGuard`](::tokio::sync::RwLockMappedWriteGuard).
#[clippy::has_significant_drop]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    hold: WriteHold<'a>,
    value: *mut T,
    marker: PhantomData<&'a mut T>,
}

// SAFETY: it is a `&T` in effect.
unsafe impl<T: ?Sized + Sync> Send for RwLockReadGuard<'_, T> {}
// SAFETY: as above; tokio asks for `Send` as well.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockReadGuard<'_, T> {}
// SAFETY: it is a `&mut T` in effect, which can become a `&T` for others by `downgrade`.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockWriteGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockWriteGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Send for RwLockMappedWriteGuard<'_, T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLockMappedWriteGuard<'_, T> {}

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    #[inline]
    pub(super) fn new(hold: ReadHold<'a>, value: *const T) -> Self {
        Self { hold, value, marker: PhantomData }
    }

    /// See [`RwLockReadGuard::map`](::tokio::sync::RwLockReadGuard::map).
    #[inline]
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let value = std::ptr::from_ref(f(&*this));
        RwLockReadGuard::new(this.hold, value)
    }

    /// See [`RwLockReadGuard::try_map`](::tokio::sync::RwLockReadGuard::try_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match f(&*this).map(std::ptr::from_ref) {
            Some(value) => Ok(RwLockReadGuard::new(this.hold, value)),
            None => Err(this),
        }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    #[inline]
    pub(super) fn new(hold: WriteHold<'a>, value: *mut T) -> Self {
        Self { hold, value, marker: PhantomData }
    }

    /// See [`RwLockWriteGuard::map`](::tokio::sync::RwLockWriteGuard::map).
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let value = std::ptr::from_mut(f(&mut *this));
        RwLockMappedWriteGuard::new(this.hold, value)
    }

    /// See [`RwLockWriteGuard::downgrade_map`](::tokio::sync::RwLockWriteGuard::downgrade_map).
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let value = std::ptr::from_ref(f(&*this));
        RwLockReadGuard::new(this.hold.downgrade(), value)
    }

    /// See [`RwLockWriteGuard::try_map`](::tokio::sync::RwLockWriteGuard::try_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(mut this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(value) => Ok(RwLockMappedWriteGuard::new(this.hold, value)),
            None => Err(this),
        }
    }

    /// See [`RwLockWriteGuard::try_downgrade_map`](::tokio::sync::RwLockWriteGuard::try_downgrade_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match f(&*this).map(std::ptr::from_ref) {
            Some(value) => Ok(RwLockReadGuard::new(this.hold.downgrade(), value)),
            None => Err(this),
        }
    }

    /// See [`RwLockWriteGuard::into_mapped`](::tokio::sync::RwLockWriteGuard::into_mapped).
    #[inline]
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockMappedWriteGuard::new(this.hold, this.value)
    }

    /// See [`RwLockWriteGuard::downgrade`](::tokio::sync::RwLockWriteGuard::downgrade).
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard::new(self.hold.downgrade(), self.value)
    }
}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    fn new(hold: WriteHold<'a>, value: *mut T) -> Self {
        Self { hold, value, marker: PhantomData }
    }

    /// See [`RwLockMappedWriteGuard::map`](::tokio::sync::RwLockMappedWriteGuard::map).
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let value = std::ptr::from_mut(f(&mut *this));
        RwLockMappedWriteGuard::new(this.hold, value)
    }

    /// See [`RwLockMappedWriteGuard::try_map`](::tokio::sync::RwLockMappedWriteGuard::try_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(mut this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(value) => Ok(RwLockMappedWriteGuard::new(this.hold, value)),
            None => Err(this),
        }
    }
}

impl<T: ?Sized> Deref for RwLockReadGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: it points to the lock's value or into it, and the lock is held.
        unsafe { &*self.value }
    }
}

impl<T: ?Sized> Deref for RwLockWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: it points to the lock's value or into it, and the lock is held.
        unsafe { &*self.value }
    }
}

impl<T: ?Sized> DerefMut for RwLockWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; nobody else holds the lock, and the guard is borrowed for as long as the value.
        unsafe { &mut *self.value }
    }
}

impl<T: ?Sized> Deref for RwLockMappedWriteGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: it points to the lock's value or into it, and the lock is held.
        unsafe { &*self.value }
    }
}

impl<T: ?Sized> DerefMut for RwLockMappedWriteGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; nobody else holds the lock, and the guard is borrowed for as long as the value.
        unsafe { &mut *self.value }
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockReadGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLockMappedWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for RwLockMappedWriteGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
