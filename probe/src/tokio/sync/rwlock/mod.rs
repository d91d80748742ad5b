//! [`RwLock`]: tokio's own `RwLock<()>` decides who holds the lock, in tokio's order and at tokio's cost to the cooperative
//! budget; the value lies beside it, as in [`Mutex`](super::Mutex).
use std::{cell::UnsafeCell, fmt, future::Future, panic::Location, sync::Arc};

use ::tokio::sync::{self as raw, TryLockError};

mod guard;
mod hold;
mod owned_guard;

pub use guard::{RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard};
pub use owned_guard::{OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

use super::{
    coop::{Tried, try_lock_now},
    lock_watch::Watch,
};
use crate::recorder::{
    holds::{Held, Mode, Shared, SharedAwaited},
    lock::LockKind,
    wait::{Outer, Watched},
};
use hold::{ReadHold, WriteHold};

/// What tokio lets in at the same time when nothing else is said.
const MAX_READERS: u32 = u32::MAX >> 3;

/// An asynchronous reader-writer lock, watched; see [`tokio::sync::RwLock`](::tokio::sync::RwLock).
///
/// Watched: who holds it, to read or to write, since when and from which line, who waits, how long waits and holds take,
/// and whether a holder kept others out while it was suspended at an `.await`.
pub struct RwLock<T: ?Sized> {
    watch: Watch,
    max_readers: u32,
    lock: raw::RwLock<()>,
    value: UnsafeCell<T>,
}

// SAFETY: the value is reached by whoever holds `lock` only: mutably by one at a time, so sending it is all it takes.
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: as above, or shared by several, for which `T: Sync` is needed as well.
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

crate::named::names_lock!([T: ?Sized] for RwLock<T>);

impl<T: ?Sized> RwLock<T> {
    /// A new lock; see [`RwLock::new`](::tokio::sync::RwLock::new).
    #[track_caller]
    pub fn new(value: T) -> Self
    where
        T: Sized,
    {
        Self {
            watch: Watch::new(Location::caller()),
            max_readers: MAX_READERS,
            lock: raw::RwLock::new(()),
            value: UnsafeCell::new(value),
        }
    }

    /// A new lock that lets in so many readers; see
    /// [`RwLock::with_max_readers`](::tokio::sync::RwLock::with_max_readers).
    ///
    /// # Panics
    /// When `max_reads` is 0 or above `u32::MAX >> 3`.
    #[track_caller]
    pub fn with_max_readers(value: T, max_reads: u32) -> Self
    where
        T: Sized,
    {
        Self {
            watch: Watch::new(Location::caller()),
            max_readers: max_reads,
            lock: raw::RwLock::with_max_readers((), max_reads),
            value: UnsafeCell::new(value),
        }
    }

    /// A new lock in a constant; see [`RwLock::const_new`](::tokio::sync::RwLock::const_new).
    #[track_caller]
    pub const fn const_new(value: T) -> Self
    where
        T: Sized,
    {
        Self {
            watch: Watch::new(Location::caller()),
            max_readers: MAX_READERS,
            lock: raw::RwLock::const_new(()),
            value: UnsafeCell::new(value),
        }
    }

    /// A new lock in a constant that lets in so many readers; see
    /// [`RwLock::const_with_max_readers`](::tokio::sync::RwLock::const_with_max_readers).
    ///
    /// # Panics
    /// When `max_reads` is above `u32::MAX >> 3`.
    #[track_caller]
    pub const fn const_with_max_readers(value: T, max_reads: u32) -> Self
    where
        T: Sized,
    {
        Self {
            watch: Watch::new(Location::caller()),
            max_readers: max_reads,
            lock: raw::RwLock::const_with_max_readers((), max_reads),
            value: UnsafeCell::new(value),
        }
    }

    /// Locks it to read; see [`RwLock::read`](::tokio::sync::RwLock::read).
    #[track_caller]
    pub fn read(&self) -> impl Future<Output = RwLockReadGuard<'_, T>> {
        let site = Location::caller();
        Outer::new(async move { self.reading(self.get_read(site).await) })
    }

    /// Locks it to read where that may block the thread; see
    /// [`RwLock::blocking_read`](::tokio::sync::RwLock::blocking_read).
    ///
    /// # Panics
    /// Within an asynchronous context.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        let site = Location::caller();
        let slot = self.slot(site);
        let waiting = slot.filter(|slot| !slot.seems_free(Mode::Read)).map(|slot| slot.blocks(Mode::Read));
        let guard = self.lock.blocking_read();
        if let Some(waiting) = waiting {
            waiting.acquired();
        }
        self.reading(ReadHold::new(Self::held_to_read(slot, site), guard))
    }

    /// As [`RwLock::read`], with a guard that owns its lock; see
    /// [`RwLock::read_owned`](::tokio::sync::RwLock::read_owned).
    #[track_caller]
    pub fn read_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockReadGuard<T>> {
        let site = Location::caller();
        Outer::new(async move {
            let hold = self.get_read(site).await;
            // SAFETY: `hold` is of this very lock.
            let hold = unsafe { hold.detach() };
            OwnedRwLockReadGuard::new(self, hold)
        })
    }

    /// Locks it to read if that is possible at once; see [`RwLock::try_read`](::tokio::sync::RwLock::try_read).
    ///
    /// # Errors
    /// When it is locked to write, or somebody waits for that.
    #[track_caller]
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        Ok(self.reading(self.try_get_read(Location::caller())?))
    }

    /// As [`RwLock::try_read`], with a guard that owns its lock; see
    /// [`RwLock::try_read_owned`](::tokio::sync::RwLock::try_read_owned).
    ///
    /// # Errors
    /// When it is locked to write, or somebody waits for that.
    #[track_caller]
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        let hold = self.try_get_read(Location::caller())?;
        // SAFETY: `hold` is of this very lock.
        let hold = unsafe { hold.detach() };
        Ok(OwnedRwLockReadGuard::new(self, hold))
    }

    /// Locks it to write; see [`RwLock::write`](::tokio::sync::RwLock::write).
    #[track_caller]
    pub fn write(&self) -> impl Future<Output = RwLockWriteGuard<'_, T>> {
        let site = Location::caller();
        Outer::new(async move { self.writing(self.get_write(site).await) })
    }

    /// Locks it to write where that may block the thread; see
    /// [`RwLock::blocking_write`](::tokio::sync::RwLock::blocking_write).
    ///
    /// # Panics
    /// Within an asynchronous context.
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        let site = Location::caller();
        let slot = self.slot(site);
        let waiting = slot.filter(|slot| !slot.seems_free(Mode::Write)).map(|slot| slot.blocks(Mode::Write));
        let guard = self.lock.blocking_write();
        if let Some(waiting) = waiting {
            waiting.acquired();
        }
        self.writing(WriteHold::new(self.held_to_write(slot, site), guard))
    }

    /// As [`RwLock::write`], with a guard that owns its lock; see
    /// [`RwLock::write_owned`](::tokio::sync::RwLock::write_owned).
    #[track_caller]
    pub fn write_owned(self: Arc<Self>) -> impl Future<Output = OwnedRwLockWriteGuard<T>> {
        let site = Location::caller();
        Outer::new(async move {
            let hold = self.get_write(site).await;
            // SAFETY: `hold` is of this very lock.
            let hold = unsafe { hold.detach() };
            OwnedRwLockWriteGuard::new(self, hold)
        })
    }

    /// Locks it to write if that is possible at once; see [`RwLock::try_write`](::tokio::sync::RwLock::try_write).
    ///
    /// # Errors
    /// When it is locked.
    #[track_caller]
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        Ok(self.writing(self.try_get_write(Location::caller())?))
    }

    /// As [`RwLock::try_write`], with a guard that owns its lock; see
    /// [`RwLock::try_write_owned`](::tokio::sync::RwLock::try_write_owned).
    ///
    /// # Errors
    /// When it is locked.
    #[track_caller]
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        let hold = self.try_get_write(Location::caller())?;
        // SAFETY: `hold` is of this very lock.
        let hold = unsafe { hold.detach() };
        Ok(OwnedRwLockWriteGuard::new(self, hold))
    }

    /// See [`RwLock::get_mut`](::tokio::sync::RwLock::get_mut).
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }

    /// See [`RwLock::into_inner`](::tokio::sync::RwLock::into_inner).
    pub fn into_inner(self) -> T
    where
        T: Sized,
    {
        self.value.into_inner()
    }

    #[inline]
    fn slot(&self, site: &'static Location<'static>) -> Option<Shared> {
        self.watch.shared::<T>(LockKind::RwLock, Some(site), || self.max_readers.into())
    }

    fn reading<'a>(&'a self, hold: ReadHold<'a>) -> RwLockReadGuard<'a, T> {
        RwLockReadGuard::new(hold, self.value.get())
    }

    fn writing<'a>(&'a self, hold: WriteHold<'a>) -> RwLockWriteGuard<'a, T> {
        RwLockWriteGuard::new(hold, self.value.get())
    }

    #[inline]
    fn held_to_read(slot: Option<Shared>, site: &'static Location<'static>) -> Option<Held> {
        slot.map(|slot| slot.acquired_to_read(site))
    }

    #[inline]
    fn held_to_write(&self, slot: Option<Shared>, site: &'static Location<'static>) -> Option<Held> {
        slot.map(|slot| slot.acquired_to_write(site, self.max_readers))
    }

    /// In the block of an [`Outer`].
    #[inline]
    async fn get_read(&self, site: &'static Location<'static>) -> ReadHold<'_> {
        let slot = self.slot(site);
        // tokio lets in those who wait first, so a try never overtakes one.
        let guard = match try_lock_now(|| self.lock.try_read().ok()) {
            Tried::Done(guard) => guard,
            Tried::Yield if slot.is_none_or(|slot| slot.seems_free(Mode::Read)) => self.lock.read().await,
            Tried::Wait | Tried::Yield => match slot {
                Some(lock) => Watched::in_block(self.lock.read(), SharedAwaited { lock, mode: Mode::Read }, site).await,
                None => self.lock.read().await,
            },
        };
        ReadHold::new(Self::held_to_read(slot, site), guard)
    }

    /// In the block of an [`Outer`].
    #[inline]
    async fn get_write(&self, site: &'static Location<'static>) -> WriteHold<'_> {
        let slot = self.slot(site);
        let guard = match try_lock_now(|| self.lock.try_write().ok()) {
            Tried::Done(guard) => guard,
            Tried::Yield if slot.is_none_or(|slot| slot.seems_free(Mode::Write)) => self.lock.write().await,
            Tried::Wait | Tried::Yield => match slot {
                Some(lock) => {
                    Watched::in_block(self.lock.write(), SharedAwaited { lock, mode: Mode::Write }, site).await
                }
                None => self.lock.write().await,
            },
        };
        WriteHold::new(self.held_to_write(slot, site), guard)
    }

    fn try_get_read(&self, site: &'static Location<'static>) -> Result<ReadHold<'_>, TryLockError> {
        let guard = self.lock.try_read()?;
        Ok(ReadHold::new(Self::held_to_read(self.slot(site), site), guard))
    }

    fn try_get_write(&self, site: &'static Location<'static>) -> Result<WriteHold<'_>, TryLockError> {
        let guard = self.lock.try_write()?;
        Ok(WriteHold::new(self.held_to_write(self.slot(site), site), guard))
    }
}

impl<T> From<RwLock<T>> for raw::RwLock<T> {
    fn from(lock: RwLock<T>) -> Self {
        let max_readers = lock.max_readers;
        Self::with_max_readers(lock.into_inner(), max_readers)
    }
}

impl<T> From<T> for RwLock<T> {
    #[track_caller]
    fn from(s: T) -> Self {
        Self::new(s)
    }
}

impl<T: Default> Default for RwLock<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[allow(clippy::missing_fields_in_debug, reason = "it prints as tokio's does")]
impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RwLock");
        match self.lock.try_read() {
            // SAFETY: the lock is held to read by `_guard`, and shared references are all that is made here.
            Ok(_guard) => debug.field("data", &unsafe { &*self.value.get() }),
            Err(_) => debug.field("data", &format_args!("<locked>")),
        };
        debug.finish()
    }
}
