//! [`Semaphore`]: tokio's own, which decides who gets a permit and when; who holds how many since when is noted beside.
use std::{fmt, future::Future, panic::Location, sync::Arc};

use ::tokio::sync as raw;

mod permit;

pub use permit::{OwnedSemaphorePermit, SemaphorePermit};

use super::{
    AcquireError, TryAcquireError,
    coop::{Tried, try_lock_now},
    lock_watch::Watch,
};
use crate::recorder::{
    holds::{Held, Mode, Shared, SharedAwaited},
    lock::LockKind,
    wait::{Outer, Watched},
};
use permit::Hold;

/// A counting semaphore, watched; see [`tokio::sync::Semaphore`](::tokio::sync::Semaphore).
///
/// Watched: how many permits there are and how many are free, who holds some since when and from which line, who waits,
/// how long waits and holds take, and how many permits were forgotten.
pub struct Semaphore {
    watch: Watch,
    inner: raw::Semaphore,
}

crate::named::names_lock!([] for Semaphore);

impl Semaphore {
    /// See [`Semaphore::MAX_PERMITS`](::tokio::sync::Semaphore::MAX_PERMITS).
    pub const MAX_PERMITS: usize = raw::Semaphore::MAX_PERMITS;

    /// A new semaphore; see [`Semaphore::new`](::tokio::sync::Semaphore::new).
    ///
    /// # Panics
    /// When `permits` is above [`Semaphore::MAX_PERMITS`].
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        let made = Self { watch: Watch::new(Location::caller()), inner: raw::Semaphore::new(permits) };
        // Known from the start: a pool that nobody has used yet is worth seeing.
        made.slot();
        made
    }

    /// A new semaphore in a constant; see [`Semaphore::const_new`](::tokio::sync::Semaphore::const_new).
    ///
    /// # Panics
    /// When `permits` is above [`Semaphore::MAX_PERMITS`].
    #[track_caller]
    pub const fn const_new(permits: usize) -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::Semaphore::const_new(permits) }
    }

    /// See [`Semaphore::available_permits`](::tokio::sync::Semaphore::available_permits).
    pub fn available_permits(&self) -> usize {
        self.inner.available_permits()
    }

    /// Adds permits; see [`Semaphore::add_permits`](::tokio::sync::Semaphore::add_permits).
    ///
    /// # Panics
    /// When there would be more than [`Semaphore::MAX_PERMITS`].
    pub fn add_permits(&self, n: usize) {
        // Registered before, or they would be counted twice.
        let slot = self.slot();
        self.inner.add_permits(n);
        if let Some(slot) = slot {
            slot.add_permits(n as u64);
        }
    }

    /// Takes permits away for good; see [`Semaphore::forget_permits`](::tokio::sync::Semaphore::forget_permits).
    pub fn forget_permits(&self, n: usize) -> usize {
        let slot = self.slot();
        let forgotten = self.inner.forget_permits(n);
        if let Some(slot) = slot {
            slot.take_permits(forgotten as u64);
        }
        forgotten
    }

    /// Acquires a permit; see [`Semaphore::acquire`](::tokio::sync::Semaphore::acquire).
    ///
    /// # Errors
    /// When the semaphore is closed.
    #[inline]
    #[track_caller]
    pub fn acquire(&self) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        self.acquire_many(1)
    }

    /// Acquires `n` permits; see [`Semaphore::acquire_many`](::tokio::sync::Semaphore::acquire_many).
    ///
    /// # Errors
    /// When the semaphore is closed.
    #[inline]
    #[track_caller]
    pub fn acquire_many(&self, n: u32) -> impl Future<Output = Result<SemaphorePermit<'_>, AcquireError>> {
        let site = Location::caller();
        Outer::new(async move { Ok(SemaphorePermit::new(self, self.get(n, site).await?)) })
    }

    /// Acquires a permit if that is possible at once; see
    /// [`Semaphore::try_acquire`](::tokio::sync::Semaphore::try_acquire).
    ///
    /// # Errors
    /// When there are not enough permits, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Acquires `n` permits if that is possible at once; see
    /// [`Semaphore::try_acquire_many`](::tokio::sync::Semaphore::try_acquire_many).
    ///
    /// # Errors
    /// When there are not enough permits, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        Ok(SemaphorePermit::new(self, self.try_get(n, Location::caller())?))
    }

    /// Acquires a permit where that may block the thread; see
    /// [`Semaphore::blocking_acquire`](::tokio::sync::Semaphore::blocking_acquire).
    ///
    /// # Errors
    /// When the semaphore is closed.
    ///
    /// # Panics
    /// Within an asynchronous context.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.blocking_acquire_many(1)
    }

    /// Acquires `n` permits where that may block the thread; see
    /// [`Semaphore::blocking_acquire_many`](::tokio::sync::Semaphore::blocking_acquire_many).
    ///
    /// # Errors
    /// When the semaphore is closed.
    ///
    /// # Panics
    /// Within an asynchronous context.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        Ok(SemaphorePermit::new(self, self.get_blocking(n, Location::caller())?))
    }

    /// As [`Semaphore::acquire`], with a permit that owns its semaphore; see
    /// [`Semaphore::acquire_owned`](::tokio::sync::Semaphore::acquire_owned).
    ///
    /// # Errors
    /// When the semaphore is closed.
    #[inline]
    #[track_caller]
    pub fn acquire_owned(self: Arc<Self>) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        self.acquire_many_owned(1)
    }

    /// As [`Semaphore::acquire_many`], with a permit that owns its semaphore; see
    /// [`Semaphore::acquire_many_owned`](::tokio::sync::Semaphore::acquire_many_owned).
    ///
    /// # Errors
    /// When the semaphore is closed.
    #[inline]
    #[track_caller]
    pub fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> impl Future<Output = Result<OwnedSemaphorePermit, AcquireError>> {
        let site = Location::caller();
        Outer::new(async move {
            let hold = self.get(n, site).await?;
            Ok(OwnedSemaphorePermit::new(self, hold))
        })
    }

    /// As [`Semaphore::try_acquire`], with a permit that owns its semaphore; see
    /// [`Semaphore::try_acquire_owned`](::tokio::sync::Semaphore::try_acquire_owned).
    ///
    /// # Errors
    /// When there are not enough permits, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// As [`Semaphore::try_acquire_many`], with a permit that owns its semaphore; see
    /// [`Semaphore::try_acquire_many_owned`](::tokio::sync::Semaphore::try_acquire_many_owned).
    ///
    /// # Errors
    /// When there are not enough permits, or the semaphore is closed.
    #[track_caller]
    pub fn try_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        let hold = self.try_get(n, Location::caller())?;
        Ok(OwnedSemaphorePermit::new(self, hold))
    }

    /// As [`Semaphore::blocking_acquire`], with a permit that owns its semaphore; see
    /// [`Semaphore::blocking_acquire_owned`](::tokio::sync::Semaphore::blocking_acquire_owned).
    ///
    /// # Errors
    /// When the semaphore is closed.
    ///
    /// # Panics
    /// Within an asynchronous context.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.blocking_acquire_many_owned(1)
    }

    /// As [`Semaphore::blocking_acquire_many`], with a permit that owns its semaphore; see
    /// [`Semaphore::blocking_acquire_many_owned`](::tokio::sync::Semaphore::blocking_acquire_many_owned).
    ///
    /// # Errors
    /// When the semaphore is closed.
    ///
    /// # Panics
    /// Within an asynchronous context.
    #[track_caller]
    pub fn blocking_acquire_many_owned(self: Arc<Self>, n: u32) -> Result<OwnedSemaphorePermit, AcquireError> {
        let hold = self.get_blocking(n, Location::caller())?;
        Ok(OwnedSemaphorePermit::new(self, hold))
    }

    /// Gives no more permits; see [`Semaphore::close`](::tokio::sync::Semaphore::close).
    pub fn close(&self) {
        self.inner.close();
        if let Some(slot) = self.slot() {
            slot.closed();
        }
    }

    /// See [`Semaphore::is_closed`](::tokio::sync::Semaphore::is_closed).
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// tokio's own semaphore. It is not watched from here on.
    pub fn into_inner(self) -> raw::Semaphore {
        self.inner
    }

    #[inline]
    fn slot(&self) -> Option<Shared> {
        self.watch.shared::<raw::Semaphore>(LockKind::Semaphore, None, || self.inner.available_permits() as u64)
    }

    #[inline]
    fn held(slot: Option<Shared>, n: u32, site: &'static Location<'static>) -> Option<Held> {
        slot.map(|slot| slot.acquired(site, n, false))
    }

    /// In the block of an [`Outer`].
    #[inline]
    async fn get(&self, n: u32, site: &'static Location<'static>) -> Result<Hold, AcquireError> {
        let slot = self.slot();
        // tokio gives permits to those who wait first, so a try never overtakes one. Of a closed semaphore tokio's own
        // future tells.
        let guard = match try_lock_now(|| self.inner.try_acquire_many(n).ok()) {
            Tried::Done(guard) => guard,
            Tried::Yield if self.inner.available_permits() >= n as usize => self.inner.acquire_many(n).await?,
            Tried::Wait | Tried::Yield => match slot {
                Some(lock) => {
                    let awaited = SharedAwaited { lock, mode: Mode::Permits };
                    Watched::in_block(self.inner.acquire_many(n), awaited, site).await?
                }
                None => self.inner.acquire_many(n).await?,
            },
        };
        // It may have come to be known meanwhile, with the permits that were free then.
        let slot = slot.or_else(|| self.watch.shared_if_known());
        Ok(Hold::new(Self::held(slot, n, site), n, guard))
    }

    fn try_get(&self, n: u32, site: &'static Location<'static>) -> Result<Hold, TryAcquireError> {
        let slot = self.slot();
        let guard = self.inner.try_acquire_many(n)?;
        Ok(Hold::new(Self::held(slot, n, site), n, guard))
    }

    #[track_caller]
    fn get_blocking(&self, n: u32, site: &'static Location<'static>) -> Result<Hold, AcquireError> {
        let slot = self.slot();
        let has_to_wait = self.inner.available_permits() < n as usize;
        let waiting = slot.filter(|_| has_to_wait).map(|slot| slot.blocks(Mode::Permits));
        let guard = self.inner.blocking_acquire_many(n)?;
        if let Some(waiting) = waiting {
            waiting.acquired();
        }
        Ok(Hold::new(Self::held(slot, n, site), n, guard))
    }
}

impl From<Semaphore> for raw::Semaphore {
    fn from(semaphore: Semaphore) -> Self {
        semaphore.into_inner()
    }
}

impl From<raw::Semaphore> for Semaphore {
    #[track_caller]
    fn from(inner: raw::Semaphore) -> Self {
        Self { watch: Watch::new(Location::caller()), inner }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
