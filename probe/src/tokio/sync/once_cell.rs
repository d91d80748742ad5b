//! [`OnceCell`]: tokio's own, with who initialises it and who waits for that.
use std::{
    fmt,
    future::Future,
    panic::Location,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use ::tokio::sync as raw;

use super::{SetError, lock_watch::Watch};
use crate::recorder::{
    holds::{Mode, Shared, SharedAwaited},
    lock::LockKind,
    wait::{Awaited, Outer, WaitKind, Watched},
};

/// A value that is made when it is first asked for, watched; see [`tokio::sync::OnceCell`](::tokio::sync::OnceCell).
///
/// Watched: who makes the value since when and from which line, and who waits for that.
pub struct OnceCell<T> {
    watch: Watch,
    inner: raw::OnceCell<T>,
}

crate::named::names_lock!([T] for OnceCell<T>);

impl<T> OnceCell<T> {
    /// An empty cell; see [`OnceCell::new`](::tokio::sync::OnceCell::new).
    #[track_caller]
    pub fn new() -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::OnceCell::new() }
    }

    /// An empty cell in a constant; see [`OnceCell::const_new`](::tokio::sync::OnceCell::const_new).
    #[track_caller]
    pub const fn const_new() -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::OnceCell::const_new() }
    }

    /// A cell with a value, if there is one; see [`OnceCell::new_with`](::tokio::sync::OnceCell::new_with).
    #[track_caller]
    pub fn new_with(value: Option<T>) -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::OnceCell::new_with(value) }
    }

    /// A cell with a value in a constant; see [`OnceCell::const_new_with`](::tokio::sync::OnceCell::const_new_with).
    #[track_caller]
    pub const fn const_new_with(value: T) -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::OnceCell::const_new_with(value) }
    }

    /// See [`OnceCell::initialized`](::tokio::sync::OnceCell::initialized).
    pub fn initialized(&self) -> bool {
        self.inner.initialized()
    }

    /// See [`OnceCell::get`](::tokio::sync::OnceCell::get).
    pub fn get(&self) -> Option<&T> {
        self.inner.get()
    }

    /// See [`OnceCell::get_mut`](::tokio::sync::OnceCell::get_mut).
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// Sets the value; see [`OnceCell::set`](::tokio::sync::OnceCell::set).
    ///
    /// # Errors
    /// The value, when there is one already, or one is being made.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        self.inner.set(value)
    }

    /// The value, made by `f` if there is none; see [`OnceCell::get_or_init`](::tokio::sync::OnceCell::get_or_init).
    #[track_caller]
    pub fn get_or_init<F, Fut>(&self, f: F) -> impl Future<Output = &T>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let site = Location::caller();
        Outer::new(async move {
            let (slot, making) = (self.slot(site), AtomicBool::new(false));
            let init = || make(slot, &making, site, f);
            Watched::in_block(self.inner.get_or_init(init), MadeAwaited { slot, making: &making }, site).await
        })
    }

    /// The value, made by `f` if there is none, and if `f` succeeds; see
    /// [`OnceCell::get_or_try_init`](::tokio::sync::OnceCell::get_or_try_init).
    ///
    /// # Errors
    /// That of `f`.
    #[track_caller]
    pub fn get_or_try_init<E, F, Fut>(&self, f: F) -> impl Future<Output = Result<&T, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let site = Location::caller();
        Outer::new(async move {
            let (slot, making) = (self.slot(site), AtomicBool::new(false));
            let init = || make(slot, &making, site, f);
            Watched::in_block(self.inner.get_or_try_init(init), MadeAwaited { slot, making: &making }, site).await
        })
    }

    /// See [`OnceCell::into_inner`](::tokio::sync::OnceCell::into_inner).
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// See [`OnceCell::take`](::tokio::sync::OnceCell::take).
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }

    /// `None` for a cell that is initialised: nobody will ever wait for it.
    #[inline]
    fn slot(&self, site: &'static Location<'static>) -> Option<Shared> {
        if self.inner.initialized() {
            return None;
        }
        self.watch.shared::<T>(LockKind::OnceCell, Some(site), || 1)
    }
}

/// `f`, which makes the value and holds the cell meanwhile.
fn make<Fut: Future>(
    slot: Option<Shared>,
    making: &AtomicBool,
    site: &'static Location<'static>,
    f: impl FnOnce() -> Fut,
) -> impl Future<Output = Fut::Output> {
    making.store(true, Relaxed);
    let held = slot.map(|slot| slot.acquired(site, 1, true));
    let value = f();
    async move {
        let _held = held;
        value.await
    }
}

/// An `await` for the value: it waits for others until it makes the value itself.
struct MadeAwaited<'a> {
    slot: Option<Shared>,
    making: &'a AtomicBool,
}

impl MadeAwaited<'_> {
    fn others(&self) -> Option<SharedAwaited> {
        Some(SharedAwaited { lock: self.slot?, mode: Mode::Permits })
    }
}

impl Awaited for MadeAwaited<'_> {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        self.others()?.target()
    }

    fn waits(&self) -> bool {
        !self.making.load(Relaxed)
    }

    fn pending(&self) {
        if let Some(others) = self.others() {
            others.pending();
        }
    }

    fn ended(&self, waited: u64, completed: bool) {
        if let Some(others) = self.others() {
            others.ended(waited, completed);
        }
    }
}

impl<T> Default for OnceCell<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self { watch: Watch::new(Location::caller()), inner: self.inner.clone() }
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    fn eq(&self, other: &Self) -> bool {
        self.inner == other.inner
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T> From<OnceCell<T>> for raw::OnceCell<T> {
    fn from(cell: OnceCell<T>) -> Self {
        cell.inner
    }
}

impl<T> From<T> for OnceCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self { watch: Watch::new(Location::caller()), inner: raw::OnceCell::from(value) }
    }
}
