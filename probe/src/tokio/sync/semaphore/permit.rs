//! Permits of a semaphore.
use std::{fmt, panic::Location, sync::Arc};

use ::tokio::sync as raw;

use super::Semaphore;
use crate::recorder::holds::{Held, Noted};

/// One hold of some permits, of which tokio's own semaphore knows no more than that they are taken: whoever has it gives
/// them back.
#[must_use]
pub(super) struct Hold {
    /// More than are acquired at a time, of several that were merged.
    permits: usize,
    /// `None` while nothing records.
    noted: Option<Noted>,
}

impl Hold {
    /// Of no permits.
    const NONE: Self = Self { permits: 0, noted: None };

    /// `n` permits, which tokio's own permit is not to give back any more, are held; `held` notes it.
    #[inline]
    pub(super) fn new(held: Option<Held>, n: u32, permit: raw::SemaphorePermit<'_>) -> Self {
        std::mem::forget(permit);
        Self { permits: n as usize, noted: held.map(Held::into_noted) }
    }
}

/// Some permits of a [`Semaphore`]; see [`tokio::sync::SemaphorePermit`](::tokio::sync::SemaphorePermit).
#[must_use]
#[clippy::has_significant_drop]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    hold: Hold,
}

/// Some permits of a [`Semaphore`] in an `Arc`; see
/// [`tokio::sync::OwnedSemaphorePermit`](::tokio::sync::OwnedSemaphorePermit).
#[must_use]
#[clippy::has_significant_drop]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    hold: Hold,
}

/// The hold as it is noted, of permits of `semaphore`.
#[inline]
fn held(hold: &Hold, semaphore: &Semaphore) -> Option<Held> {
    let noted = hold.noted?;
    Some(Held::of(semaphore.watch.shared_if_known()?, noted, told(hold.permits)))
}

/// As many permits as can be told of one hold.
#[inline]
fn told(permits: usize) -> u32 {
    u32::try_from(permits).unwrap_or(u32::MAX)
}

/// Changes what is noted of `hold`, whose permits are still those of before.
fn change<R>(hold: &mut Hold, semaphore: &Semaphore, change: impl FnOnce(&mut Held) -> R) -> Option<R> {
    let mut now = held(hold, semaphore)?;
    let changed = change(&mut now);
    hold.noted = Some(now.into_noted());
    Some(changed)
}

/// The permits of `hold` go with it, into another or for good.
fn taken(hold: &mut Hold) -> Hold {
    std::mem::replace(hold, Hold::NONE)
}

fn merge(into: &mut Hold, other: &Hold, semaphore: &Semaphore) {
    match (into.noted, held(other, semaphore)) {
        (Some(_), Some(other)) => {
            change(into, semaphore, |held| held.merge(other));
        }
        (Some(_), None) => {
            change(into, semaphore, |held| held.absorb(told(other.permits)));
        }
        (None, Some(other)) => other.lose_sight(),
        (None, None) => {}
    }
    into.permits += other.permits;
}

fn split(hold: &mut Hold, n: usize, semaphore: &Semaphore) -> Option<Hold> {
    let left = hold.permits.checked_sub(n)?;
    let noted = change(hold, semaphore, |held| held.split(told(n))).map(Held::into_noted);
    hold.permits = left;
    Some(Hold { permits: n, noted })
}

/// Notes the end, before others can begin, and gives the permits back.
#[inline]
fn end(hold: &Hold, semaphore: &Semaphore) {
    if hold.noted.is_some() {
        drop(held(hold, semaphore));
    } else if hold.permits > 0
        && let Some(slot) = semaphore.watch.shared_if_known()
    {
        // Permits that were acquired before anything recorded come back as more permits than were known of.
        slot.add_permits(hold.permits as u64);
    }
    if hold.permits > 0 {
        semaphore.inner.add_permits(hold.permits);
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
                let all = taken(&mut self.hold);
                if let Some(held) = held(&all, &self.semaphore) {
                    held.forget(Location::caller());
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
                merge(&mut self.hold, &taken(&mut other.hold), &self.semaphore);
            }

            /// Some of the permits on their own, if there are so many; see
            /// [`SemaphorePermit::split`](::tokio::sync::SemaphorePermit::split).
            pub fn split(&mut self, n: usize) -> Option<Self> {
                let hold = split(&mut self.hold, n, &self.semaphore)?;
                Some(Self { hold, semaphore: self.semaphore.clone() })
            }

            /// The semaphore; see [`SemaphorePermit::semaphore`](::tokio::sync::SemaphorePermit::semaphore).
            pub fn semaphore(&self) -> $Semaphore {
                let $this = self;
                $semaphore
            }

            /// See [`SemaphorePermit::num_permits`](::tokio::sync::SemaphorePermit::num_permits).
            pub fn num_permits(&self) -> usize {
                self.hold.permits
            }
        }

        impl<$($generics)*> Drop for $Permit {
            #[inline]
            fn drop(&mut self) {
                end(&self.hold, &self.semaphore);
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
    pub(super) fn new(semaphore: &'a Semaphore, hold: Hold) -> Self {
        Self { semaphore, hold }
    }
}

impl OwnedSemaphorePermit {
    /// `hold` must be of `semaphore`.
    #[inline]
    pub(super) fn new(semaphore: Arc<Semaphore>, hold: Hold) -> Self {
        Self { semaphore, hold }
    }
}
