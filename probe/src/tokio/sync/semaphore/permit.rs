//! Permits of a semaphore.
use std::{fmt, panic::Location, sync::Arc};

use ::tokio::sync as raw;

use super::Semaphore;
use crate::recorder::holds::Held;

/// One hold of some permits.
pub(super) struct Hold<'a> {
    /// `None` while nothing records. Before `guard`: the end is noted before others can begin.
    held: Option<Held>,
    guard: raw::SemaphorePermit<'a>,
}

impl<'a> Hold<'a> {
    #[inline]
    pub(super) fn new(held: Option<Held>, guard: raw::SemaphorePermit<'a>) -> Self {
        Self { held, guard }
    }

    /// The hold without its borrow of the semaphore.
    ///
    /// # Safety
    /// The semaphore must stay where it is, and alive, until the hold is dropped.
    pub(super) unsafe fn detach(self) -> Hold<'static> {
        // SAFETY: only the lifetime differs, and the caller vouches for it.
        unsafe { std::mem::transmute::<Hold<'a>, Hold<'static>>(self) }
    }

    fn forget(self, place: &'static Location<'static>) {
        self.guard.forget();
        if let Some(held) = self.held {
            held.forget(place);
        }
    }

    #[track_caller]
    fn merge(&mut self, other: Self) {
        let permits = other.guard.num_permits();
        self.guard.merge(other.guard);
        match (&mut self.held, other.held) {
            (Some(held), Some(other)) => held.merge(other),
            (Some(held), None) => held.absorb(permits as u32),
            (None, Some(other)) => other.lose_sight(),
            (None, None) => {}
        }
    }

    fn split(&mut self, n: usize) -> Option<Self> {
        let guard = self.guard.split(n)?;
        let held = self.held.as_mut().map(|held| held.split(n as u32));
        Some(Self { held, guard })
    }
}

/// Some permits of a [`Semaphore`]; see [`tokio::sync::SemaphorePermit`](::tokio::sync::SemaphorePermit).
#[must_use]
#[clippy::has_significant_drop]
pub struct SemaphorePermit<'a> {
    hold: Hold<'a>,
    semaphore: &'a Semaphore,
}

/// Some permits of a [`Semaphore`] in an `Arc`; see
/// [`tokio::sync::OwnedSemaphorePermit`](::tokio::sync::OwnedSemaphorePermit).
#[must_use]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit {
    // Before `semaphore`, which it points into.
    hold: Hold<'static>,
    semaphore: Arc<Semaphore>,
}

/// Permits that were acquired before anything recorded come back as more permits than were known of.
#[inline]
fn came_back(hold: &Hold<'_>, semaphore: &Semaphore) {
    if hold.held.is_none()
        && hold.guard.num_permits() > 0
        && let Some(slot) = semaphore.watch.shared_if_known()
    {
        slot.add_permits(hold.guard.num_permits() as u64);
    }
}

macro_rules! permit {
    ([$($generics:tt)*] $Permit:ty, $name:literal, $Semaphore:ty, |$this:ident| $semaphore:expr) => {
        impl<$($generics)*> $Permit {
            /// Takes the permits away for good; see
            /// [`SemaphorePermit::forget`](::tokio::sync::SemaphorePermit::forget).
            #[track_caller]
            pub fn forget(mut self) {
                // What is left behind is no permit.
                if let Some(all) = self.hold.split(self.hold.guard.num_permits()) {
                    all.forget(Location::caller());
                }
            }

            /// Takes over another's permits; see [`SemaphorePermit::merge`](::tokio::sync::SemaphorePermit::merge).
            ///
            /// # Panics
            /// When the other is of another semaphore.
            #[track_caller]
            pub fn merge(&mut self, mut other: Self) {
                assert!(
                    std::ptr::eq::<Semaphore>(&raw const *self.semaphore, &raw const *other.semaphore),
                    "merging permits from different semaphore instances"
                );
                if let Some(all) = other.hold.split(other.hold.guard.num_permits()) {
                    self.hold.merge(all);
                }
            }

            /// Some of the permits on their own, if there are so many; see
            /// [`SemaphorePermit::split`](::tokio::sync::SemaphorePermit::split).
            pub fn split(&mut self, n: usize) -> Option<Self> {
                let hold = self.hold.split(n)?;
                Some(Self { hold, semaphore: self.semaphore.clone() })
            }

            /// The semaphore; see [`SemaphorePermit::semaphore`](::tokio::sync::SemaphorePermit::semaphore).
            pub fn semaphore(&self) -> $Semaphore {
                let $this = self;
                $semaphore
            }

            /// See [`SemaphorePermit::num_permits`](::tokio::sync::SemaphorePermit::num_permits).
            pub fn num_permits(&self) -> usize {
                self.hold.guard.num_permits()
            }
        }

        impl<$($generics)*> Drop for $Permit {
            #[inline]
            fn drop(&mut self) {
                came_back(&self.hold, &self.semaphore);
            }
        }

        impl<$($generics)*> fmt::Debug for $Permit {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let permits = self.num_permits();
                f.debug_struct($name).field("sem", &self.semaphore).field("permits", &permits).finish()
            }
        }
    };
}

permit!(['a] SemaphorePermit<'a>, "SemaphorePermit", &Semaphore, |this| this.semaphore);
permit!([] OwnedSemaphorePermit, "OwnedSemaphorePermit", &Arc<Semaphore>, |this| &this.semaphore);

impl<'a> SemaphorePermit<'a> {
    #[inline]
    pub(super) fn new(semaphore: &'a Semaphore, hold: Hold<'a>) -> Self {
        Self { hold, semaphore }
    }
}

impl OwnedSemaphorePermit {
    /// `hold` must be of `semaphore`.
    #[inline]
    pub(super) fn new(semaphore: Arc<Semaphore>, hold: Hold<'static>) -> Self {
        Self { hold, semaphore }
    }
}
