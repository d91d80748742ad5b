//! [`timeout`].
use std::{
    fmt,
    future::{Future, IntoFuture},
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use ::tokio::time as raw;

use super::{
    Duration, Instant,
    error::Elapsed,
    timer::{Due, Timer},
};
use crate::recorder::{
    limited,
    unfinished::{By, MayEnd},
    wait::Keeping,
};

/// Gives a future some time; see [`tokio::time::timeout`](::tokio::time::timeout).
///
/// # Panics
/// Outside of a runtime with timers.
#[track_caller]
pub fn timeout<F>(duration: Duration, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    let made = Location::caller();
    let inner = raw::timeout(duration, MayEnd::new(future.into_future(), By::Timeout, made));
    Timeout { inner, due: Due::In(duration), timer: Timer::new(made) }
}

/// Gives a future until a moment; see [`tokio::time::timeout_at`](::tokio::time::timeout_at).
///
/// # Panics
/// Outside of a runtime with timers.
#[track_caller]
pub fn timeout_at<F>(deadline: Instant, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    let made = Location::caller();
    let inner = raw::timeout_at(deadline, MayEnd::new(future.into_future(), By::Timeout, made));
    Timeout { inner, due: Due::At(deadline), timer: Timer::new(made) }
}

/// A future with some time; see [`tokio::time::Timeout`](::tokio::time::Timeout).
#[must_use = "futures do nothing unless you `.await` or poll them"]
pub struct Timeout<T> {
    inner: raw::Timeout<MayEnd<T>>,
    due: Due,
    timer: Timer,
}

impl<T> Timeout<T> {
    /// See [`Timeout::get_ref`](::tokio::time::Timeout::get_ref).
    pub fn get_ref(&self) -> &T {
        self.inner.get_ref().get_ref()
    }

    /// See [`Timeout::get_mut`](::tokio::time::Timeout::get_mut).
    pub fn get_mut(&mut self) -> &mut T {
        self.inner.get_mut().get_mut()
    }

    /// See [`Timeout::into_inner`](::tokio::time::Timeout::into_inner).
    pub fn into_inner(self) -> T {
        self.inner.into_inner().into_inner()
    }
}

impl<T: Future> Future for Timeout<T> {
    type Output = Result<T::Output, Elapsed>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `inner` is pinned with `self` and never moved out of it once it is; the rest is not pinned.
        let (inner, due, timer) = unsafe {
            let this = self.get_unchecked_mut();
            (Pin::new_unchecked(&mut this.inner), this.due, &mut this.timer)
        };
        let polled = Location::caller();
        let keeping = Keeping::of::<T>(polled);
        let poll = inner.poll(cx);
        drop(keeping);
        if let Poll::Ready(result) = &poll {
            limited::ended::<T>(timer.made(), result.is_ok());
        }
        timer.polled(poll.is_pending(), polled, || due);
        poll
    }
}

impl<T: fmt::Debug> fmt::Debug for Timeout<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
