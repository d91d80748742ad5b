//! [`Mutex`]: tokio's own `Mutex<()>` decides who holds the lock, in tokio's order and at tokio's cost to the cooperative
//! budget; the value lies beside it. So a guard that owns an `Arc` of this type needs no second `Arc`.
use std::{cell::UnsafeCell, fmt, future::Future, panic::Location, sync::Arc};

use ::tokio::sync::{self as raw, TryLockError};

mod guard;
mod hold;
mod locking;
mod owned_guard;

pub use guard::{MappedMutexGuard, MutexGuard};
pub use owned_guard::{OwnedMappedMutexGuard, OwnedMutexGuard};

use super::lock_watch::Watch;
use crate::recorder::{
    lock::LockSlot,
    wait::{Outer, Within},
};
use hold::BlockingWait;
use locking::Locking;

/// An asynchronous mutex, watched; see [`tokio::sync::Mutex`](::tokio::sync::Mutex).
///
/// Watched: who holds it since when and from which line, who waits, how long waits and holds take, and whether a holder
/// was suspended at an `.await` meanwhile.
pub struct Mutex<T: ?Sized> {
    watch: Watch,
    lock: ::tokio::sync::Mutex<()>,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by whoever holds `lock` only, on one thread at a time, so sending it is all it takes.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: as above.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

crate::named::names_lock!([T: ?Sized] for Mutex<T>);

impl<T: ?Sized> Mutex<T> {
    /// A new mutex; see [`Mutex::new`](::tokio::sync::Mutex::new).
    #[track_caller]
    pub fn new(t: T) -> Self
    where
        T: Sized,
    {
        Self { watch: Watch::new(Location::caller()), lock: ::tokio::sync::Mutex::new(()), value: UnsafeCell::new(t) }
    }

    /// A new mutex in a constant; see [`Mutex::const_new`](::tokio::sync::Mutex::const_new).
    #[track_caller]
    pub const fn const_new(t: T) -> Self
    where
        T: Sized,
    {
        Self {
            watch: Watch::new(Location::caller()),
            lock: ::tokio::sync::Mutex::const_new(()),
            value: UnsafeCell::new(t),
        }
    }

    /// Locks the mutex; see [`Mutex::lock`](::tokio::sync::Mutex::lock).
    #[track_caller]
    pub fn lock(&self) -> impl Future<Output = MutexGuard<'_, T>> {
        self.acquire(Location::caller())
    }

    /// Locks the mutex where that may block the thread; see
    /// [`Mutex::blocking_lock`](::tokio::sync::Mutex::blocking_lock).
    ///
    /// # Panics
    /// Within an asynchronous context.
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        self.acquire_blocking(Location::caller())
    }

    /// As [`Mutex::blocking_lock`], with a guard that owns its mutex; see
    /// [`Mutex::blocking_lock_owned`](::tokio::sync::Mutex::blocking_lock_owned).
    ///
    /// # Panics
    /// Within an asynchronous context.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        let hold = self.acquire_blocking(Location::caller()).into_hold();
        // SAFETY: `hold` is of this very mutex.
        let hold = unsafe { hold.detach() };
        OwnedMutexGuard::new(self, hold)
    }

    /// As [`Mutex::lock`], with a guard that owns its mutex; see
    /// [`Mutex::lock_owned`](::tokio::sync::Mutex::lock_owned).
    #[track_caller]
    pub fn lock_owned(self: Arc<Self>) -> impl Future<Output = OwnedMutexGuard<T>> {
        let site = Location::caller();
        Outer::new(async move {
            let hold = Within(self.acquire(site)).await.into_hold();
            // SAFETY: `hold` is of this very mutex.
            let hold = unsafe { hold.detach() };
            OwnedMutexGuard::new(self, hold)
        })
    }

    /// Locks the mutex if that is possible at once; see [`Mutex::try_lock`](::tokio::sync::Mutex::try_lock).
    ///
    /// # Errors
    /// When it is locked.
    #[track_caller]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        let site = Location::caller();
        Ok(MutexGuard::begin(self, self.lock.try_lock()?, self.watch.mutex::<T>(site), site))
    }

    /// As [`Mutex::try_lock`], with a guard that owns its mutex; see
    /// [`Mutex::try_lock_owned`](::tokio::sync::Mutex::try_lock_owned).
    ///
    /// # Errors
    /// When it is locked.
    #[track_caller]
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        let hold = self.try_lock()?.into_hold();
        // SAFETY: `hold` is of this very mutex.
        let hold = unsafe { hold.detach() };
        Ok(OwnedMutexGuard::new(self, hold))
    }

    /// See [`Mutex::get_mut`](::tokio::sync::Mutex::get_mut).
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// See [`Mutex::into_inner`](::tokio::sync::Mutex::into_inner).
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.value.into_inner()
    }

    #[inline]
    fn acquire(
        &self,
        site: &'static Location<'static>,
    ) -> Locking<'_, T, impl Future<Output = raw::MutexGuard<'_, ()>>> {
        Locking::new(self, self.lock.lock(), site)
    }

    /// The slot in which the present hold is noted, for who holds it: not if it began before anything recorded.
    #[inline]
    fn held(&self) -> Option<&'static LockSlot> {
        self.watch.slot_if_known().filter(|slot| slot.is_held())
    }

    #[track_caller]
    fn acquire_blocking(&self, site: &'static Location<'static>) -> MutexGuard<'_, T> {
        let slot = self.watch.mutex::<T>(site);
        // It is not tried before: within an asynchronous context tokio's `blocking_lock` has to panic.
        let waiting = slot.filter(|slot| !slot.seems_free()).map(BlockingWait::begin);
        let guard = self.lock.blocking_lock();
        if let Some(waiting) = waiting {
            waiting.acquired();
        }
        MutexGuard::begin(self, guard, slot, site)
    }
}

impl<T> From<Mutex<T>> for raw::Mutex<T> {
    fn from(mutex: Mutex<T>) -> Self {
        Self::new(mutex.into_inner())
    }
}

impl<T> From<T> for Mutex<T> {
    #[track_caller]
    fn from(s: T) -> Self {
        Self::new(s)
    }
}

impl<T: Default> Default for Mutex<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[allow(clippy::missing_fields_in_debug, reason = "it prints as tokio's does")]
impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Mutex");
        match self.lock.try_lock() {
            // SAFETY: the lock is held by `_guard`, and shared references are all that is made here.
            Ok(_guard) => debug.field("data", &unsafe { &*self.value.get() }),
            Err(_) => debug.field("data", &format_args!("<locked>")),
        };
        debug.finish()
    }
}
