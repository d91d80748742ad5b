//! [`sleep`].
use std::{
    fmt,
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use ::tokio::time as raw;

use super::{
    Duration, Instant,
    timer::{Due, Timer},
};

/// Waits for some time; see [`tokio::time::sleep`](::tokio::time::sleep).
///
/// # Panics
/// Outside of a runtime with timers.
#[inline]
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    Sleep { inner: raw::sleep(duration), timer: Timer::new(Location::caller()) }
}

/// Waits for a moment; see [`tokio::time::sleep_until`](::tokio::time::sleep_until).
///
/// # Panics
/// Outside of a runtime with timers.
#[inline]
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { inner: raw::sleep_until(deadline), timer: Timer::new(Location::caller()) }
}

/// A wait for a moment; see [`tokio::time::Sleep`](::tokio::time::Sleep).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Sleep {
    inner: raw::Sleep,
    timer: Timer,
}

impl Sleep {
    /// See [`Sleep::deadline`](::tokio::time::Sleep::deadline).
    pub fn deadline(&self) -> Instant {
        self.inner.deadline()
    }

    /// See [`Sleep::is_elapsed`](::tokio::time::Sleep::is_elapsed).
    pub fn is_elapsed(&self) -> bool {
        self.inner.is_elapsed()
    }

    /// Waits for another moment; see [`Sleep::reset`](::tokio::time::Sleep::reset).
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        let (inner, timer) = self.project();
        inner.reset(deadline);
        timer.reset();
    }

    /// tokio's own. It is not watched from here on.
    pub fn into_inner(self) -> raw::Sleep {
        self.inner
    }

    fn project(self: Pin<&mut Self>) -> (Pin<&mut raw::Sleep>, &mut Timer) {
        // SAFETY: `inner` is pinned with `self` and never moved out of it once it is; `timer` is not pinned.
        unsafe {
            let this = self.get_unchecked_mut();
            (Pin::new_unchecked(&mut this.inner), &mut this.timer)
        }
    }
}

impl Future for Sleep {
    type Output = ();

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let (mut inner, timer) = self.project();
        let poll = inner.as_mut().poll(cx);
        timer.polled(poll.is_pending(), Location::caller(), || Due::At(inner.deadline()));
        poll
    }
}

impl From<Sleep> for raw::Sleep {
    fn from(sleep: Sleep) -> Self {
        sleep.into_inner()
    }
}

impl From<raw::Sleep> for Sleep {
    #[track_caller]
    fn from(inner: raw::Sleep) -> Self {
        Self { inner, timer: Timer::new(Location::caller()) }
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
