//! Guards that own their lock.
use std::{
    fmt,
    marker::PhantomData,
    ops::{Deref, DerefMut},
    sync::Arc,
};

use super::{
    RwLock,
    hold::{ReadHold, WriteHold},
};

/// A hold of an [`RwLock`] in an `Arc`, or of a part of what is in it, to read; see
/// [`tokio::sync::OwnedRwLockReadGuard`](::tokio::sync::OwnedRwLockReadGuard).
#[clippy::has_significant_drop]
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T> {
    // Before `lock`, which both point into.
    hold: ReadHold<'static>,
    value: *const U,
    lock: Arc<RwLock<T>>,
    marker: PhantomData<T>,
}

/// The hold of an [`RwLock`] in an `Arc`, to write; see
/// [`tokio::sync::OwnedRwLockWriteGuard`](::tokio::sync::OwnedRwLockWriteGuard).
#[clippy::has_significant_drop]
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    // Before `lock`, which both point into.
    hold: WriteHold<'static>,
    value: *mut T,
    lock: Arc<RwLock<T>>,
    marker: PhantomData<T>,
}

/// The hold of a part of what is in an [`RwLock`] in an `Arc`, to write; see
/// [`tokio::sync::OwnedRwLockMappedWriteGuard`](::tokio::sync::OwnedRwLockMappedWriteGuard).
#[clippy::has_significant_drop]
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T> {
    // Before `lock`, which both point into.
    hold: WriteHold<'static>,
    value: *mut U,
    lock: Arc<RwLock<T>>,
    marker: PhantomData<T>,
}

// SAFETY: it is an `Arc` of the lock, which may be the last and drop the value, and a `&U` in effect.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Sync> Send for OwnedRwLockReadGuard<T, U> {}
// SAFETY: as above; tokio asks for `Send` as well.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedRwLockReadGuard<T, U> {}
// SAFETY: it is an `Arc` of the lock and a `&mut T` in effect, which can become a `&T` for others by `downgrade`.
unsafe impl<T: ?Sized + Send + Sync> Send for OwnedRwLockWriteGuard<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync> Sync for OwnedRwLockWriteGuard<T> {}
// SAFETY: as above, with a `&mut U`.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Send for OwnedRwLockMappedWriteGuard<T, U> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send + Sync, U: ?Sized + Send + Sync> Sync for OwnedRwLockMappedWriteGuard<T, U> {}

impl<T: ?Sized> OwnedRwLockReadGuard<T> {
    /// `hold` must be of `lock`.
    #[inline]
    pub(super) fn new(lock: Arc<RwLock<T>>, hold: ReadHold<'static>) -> Self {
        Self { hold, value: lock.value.get(), lock, marker: PhantomData }
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    #[inline]
    fn with<V: ?Sized>(self, value: *const V) -> OwnedRwLockReadGuard<T, V> {
        OwnedRwLockReadGuard { hold: self.hold, value, lock: self.lock, marker: PhantomData }
    }

    /// See [`OwnedRwLockReadGuard::map`](::tokio::sync::OwnedRwLockReadGuard::map).
    #[inline]
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V>
    where
        F: FnOnce(&U) -> &V,
    {
        let value = std::ptr::from_ref(f(&*this));
        this.with(value)
    }

    /// See [`OwnedRwLockReadGuard::try_map`](::tokio::sync::OwnedRwLockReadGuard::try_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_map<F, V: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, V>, Self>
    where
        F: FnOnce(&U) -> Option<&V>,
    {
        match f(&*this).map(std::ptr::from_ref) {
            Some(value) => Ok(this.with(value)),
            None => Err(this),
        }
    }

    /// The lock; see [`OwnedRwLockReadGuard::rwlock`](::tokio::sync::OwnedRwLockReadGuard::rwlock).
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// `hold` must be of `lock`.
    #[inline]
    pub(super) fn new(lock: Arc<RwLock<T>>, hold: WriteHold<'static>) -> Self {
        Self { hold, value: lock.value.get(), lock, marker: PhantomData }
    }

    #[inline]
    fn with<U: ?Sized>(self, value: *mut U) -> OwnedRwLockMappedWriteGuard<T, U> {
        OwnedRwLockMappedWriteGuard { hold: self.hold, value, lock: self.lock, marker: PhantomData }
    }

    #[inline]
    fn reading<U: ?Sized>(self, value: *const U) -> OwnedRwLockReadGuard<T, U> {
        OwnedRwLockReadGuard { hold: self.hold.downgrade(), value, lock: self.lock, marker: PhantomData }
    }

    /// See [`OwnedRwLockWriteGuard::map`](::tokio::sync::OwnedRwLockWriteGuard::map).
    #[inline]
    pub fn map<F, U: ?Sized>(mut this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        let value = std::ptr::from_mut(f(&mut *this));
        this.with(value)
    }

    /// See [`OwnedRwLockWriteGuard::downgrade_map`](::tokio::sync::OwnedRwLockWriteGuard::downgrade_map).
    #[inline]
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let value = std::ptr::from_ref(f(&*this));
        this.reading(value)
    }

    /// See [`OwnedRwLockWriteGuard::try_map`](::tokio::sync::OwnedRwLockWriteGuard::try_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_map<F, U: ?Sized>(mut this: Self, f: F) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(value) => Ok(this.with(value)),
            None => Err(this),
        }
    }

    /// See [`OwnedRwLockWriteGuard::try_downgrade_map`](::tokio::sync::OwnedRwLockWriteGuard::try_downgrade_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match f(&*this).map(std::ptr::from_ref) {
            Some(value) => Ok(this.reading(value)),
            None => Err(this),
        }
    }

    /// See [`OwnedRwLockWriteGuard::into_mapped`](::tokio::sync::OwnedRwLockWriteGuard::into_mapped).
    #[inline]
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        let value = this.value;
        this.with(value)
    }

    /// See [`OwnedRwLockWriteGuard::downgrade`](::tokio::sync::OwnedRwLockWriteGuard::downgrade).
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        let value = self.value;
        self.reading(value)
    }

    /// The lock; see [`OwnedRwLockWriteGuard::rwlock`](::tokio::sync::OwnedRwLockWriteGuard::rwlock).
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    #[inline]
    fn with<V: ?Sized>(self, value: *mut V) -> OwnedRwLockMappedWriteGuard<T, V> {
        OwnedRwLockMappedWriteGuard { hold: self.hold, value, lock: self.lock, marker: PhantomData }
    }

    /// See [`OwnedRwLockMappedWriteGuard::map`](::tokio::sync::OwnedRwLockMappedWriteGuard::map).
    #[inline]
    pub fn map<F, V: ?Sized>(mut this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V>
    where
        F: FnOnce(&mut U) -> &mut V,
    {
        let value = std::ptr::from_mut(f(&mut *this));
        this.with(value)
    }

    /// See [`OwnedRwLockMappedWriteGuard::try_map`](::tokio::sync::OwnedRwLockMappedWriteGuard::try_map).
    ///
    /// # Errors
    /// The guard itself, when `f` gives `None`.
    #[inline]
    pub fn try_map<F, V: ?Sized>(mut this: Self, f: F) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        match f(&mut *this).map(std::ptr::from_mut) {
            Some(value) => Ok(this.with(value)),
            None => Err(this),
        }
    }

    /// The lock; see [`OwnedRwLockMappedWriteGuard::rwlock`](::tokio::sync::OwnedRwLockMappedWriteGuard::rwlock).
    #[inline]
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        &this.lock
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedRwLockReadGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: it points to the lock's value or into it, and the lock is held.
        unsafe { &*self.value }
    }
}

impl<T: ?Sized> Deref for OwnedRwLockWriteGuard<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: it points to the lock's value or into it, and the lock is held.
        unsafe { &*self.value }
    }
}

impl<T: ?Sized> DerefMut for OwnedRwLockWriteGuard<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; nobody else holds the lock, and the guard is borrowed for as long as the value.
        unsafe { &mut *self.value }
    }
}

impl<T: ?Sized, U: ?Sized> Deref for OwnedRwLockMappedWriteGuard<T, U> {
    type Target = U;

    #[inline]
    fn deref(&self) -> &U {
        // SAFETY: it points to the lock's value or into it, and the lock is held.
        unsafe { &*self.value }
    }
}

impl<T: ?Sized, U: ?Sized> DerefMut for OwnedRwLockMappedWriteGuard<T, U> {
    #[inline]
    fn deref_mut(&mut self) -> &mut U {
        // SAFETY: as in `deref`; nobody else holds the lock, and the guard is borrowed for as long as the value.
        unsafe { &mut *self.value }
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedRwLockReadGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Display> fmt::Display for OwnedRwLockReadGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for OwnedRwLockWriteGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for OwnedRwLockWriteGuard<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Debug> fmt::Debug for OwnedRwLockMappedWriteGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized, U: ?Sized + fmt::Display> fmt::Display for OwnedRwLockMappedWriteGuard<T, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
