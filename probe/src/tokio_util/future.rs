//! Adapters of futures: tokio-util's [`future`](::tokio_util::future) module, with the drop-in's types.
use std::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use super::sync::{CancellationToken, WaitForCancellationFuture, WaitForCancellationFutureOwned};
use crate::recorder::{
    unfinished::{By, MayEnd},
    wait::Keeping,
};

/// Adapters of futures; see [`tokio_util::future::FutureExt`].
pub trait FutureExt: Future {
    /// See `tokio_util::future::FutureExt::timeout`.
    #[cfg(feature = "tokio-util-time")]
    #[track_caller]
    fn timeout(self, timeout: std::time::Duration) -> crate::tokio::time::Timeout<Self>
    where
        Self: Sized,
    {
        crate::tokio::time::timeout(timeout, self)
    }

    /// See `tokio_util::future::FutureExt::timeout_at`.
    #[cfg(feature = "tokio-util-time")]
    #[track_caller]
    fn timeout_at(self, deadline: crate::tokio::time::Instant) -> crate::tokio::time::Timeout<Self>
    where
        Self: Sized,
    {
        crate::tokio::time::timeout_at(deadline, self)
    }

    /// See [`FutureExt::with_cancellation_token`](::tokio_util::future::FutureExt::with_cancellation_token).
    #[track_caller]
    fn with_cancellation_token(
        self,
        cancellation_token: &CancellationToken,
    ) -> WithCancellation<Self, WaitForCancellationFuture<'_>>
    where
        Self: Sized,
    {
        let future = MayEnd::new(self, By::Token, Location::caller());
        // Of a token that is cancelled already the future goes at once.
        let run = (!cancellation_token.is_cancelled()).then(|| (cancellation_token.cancelled(), future));
        WithCancellation { run }
    }

    /// See [`FutureExt::with_cancellation_token_owned`](::tokio_util::future::FutureExt::with_cancellation_token_owned).
    #[track_caller]
    fn with_cancellation_token_owned(
        self,
        cancellation_token: CancellationToken,
    ) -> WithCancellation<Self, WaitForCancellationFutureOwned>
    where
        Self: Sized,
    {
        let future = MayEnd::new(self, By::Token, Location::caller());
        // Of a token that is cancelled already the future goes at once.
        let run = (!cancellation_token.is_cancelled()).then(|| (cancellation_token.cancelled_owned(), future));
        WithCancellation { run }
    }
}

impl<T: Future + ?Sized> FutureExt for T {}

/// A future that gives `None` once a token is cancelled.
#[derive(Debug)]
#[must_use = "futures do nothing unless polled"]
pub struct WithCancellation<F, C> {
    /// None of a token that was cancelled from the beginning.
    run: Option<(C, MayEnd<F>)>,
}

impl<F: Future, C: Future<Output = ()>> Future for WithCancellation<F, C> {
    type Output = Option<F::Output>;

    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let _keeping = Keeping::of::<F>(Location::caller());
        // SAFETY: both are pinned with `self` and never moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        let Some((cancelled, future)) = &mut this.run else { return Poll::Ready(None) };
        // SAFETY: as above.
        let (cancelled, future) = unsafe { (Pin::new_unchecked(cancelled), Pin::new_unchecked(future)) };
        match future.poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => cancelled.poll(cx).map(|()| None),
        }
    }
}
