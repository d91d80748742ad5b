//! Waits for a token to be cancelled.
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use ::tokio_util::sync as raw;

use super::{CallSite, handle::Handle};
use crate::recorder::{ending::EndingRef, lock::EventAwaited, wait::Watched};

/// A wait for a token to be cancelled; see
/// [`tokio_util::sync::WaitForCancellationFuture`](::tokio_util::sync::WaitForCancellationFuture).
#[must_use = "futures do nothing unless polled"]
pub struct WaitForCancellationFuture<'a> {
    future: Watched<raw::WaitForCancellationFuture<'a>, EventAwaited>,
    handle: &'a Handle,
}

/// A wait for a token to be cancelled, with the token; see
/// [`tokio_util::sync::WaitForCancellationFutureOwned`](::tokio_util::sync::WaitForCancellationFutureOwned).
#[must_use = "futures do nothing unless polled"]
pub struct WaitForCancellationFutureOwned {
    // Before `handle`, whose slot it tells of.
    future: Watched<raw::WaitForCancellationFutureOwned, EventAwaited>,
    handle: Handle,
}

fn awaited(handle: &Handle) -> EventAwaited {
    EventAwaited(handle.token().map(EndingRef::slot))
}

impl<'a> WaitForCancellationFuture<'a> {
    pub(super) fn new(future: raw::WaitForCancellationFuture<'a>, handle: &'a Handle, site: CallSite) -> Self {
        Self { future: Watched::new(future, awaited(handle), site), handle }
    }
}

impl WaitForCancellationFutureOwned {
    pub(super) fn new(future: raw::WaitForCancellationFutureOwned, handle: Handle, site: CallSite) -> Self {
        Self { future: Watched::new(future, awaited(&handle), site), handle }
    }
}

macro_rules! waits_for_cancellation {
    ($Wait:ty, $name:literal) => {
        impl Future for $Wait {
            type Output = ();

            #[inline]
            #[track_caller]
            fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
                // SAFETY: `future` is pinned with `self` and never moved out of it; `handle` is not pinned.
                let this = unsafe { self.get_unchecked_mut() };
                this.handle.awaited();
                // SAFETY: as above.
                let poll = unsafe { Pin::new_unchecked(&mut this.future) }.poll(cx);
                if poll.is_ready() {
                    this.handle.seen_cancelled();
                }
                poll
            }
        }

        impl fmt::Debug for $Wait {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name).finish()
            }
        }
    };
}

waits_for_cancellation!(WaitForCancellationFuture<'_>, "WaitForCancellationFuture");
waits_for_cancellation!(WaitForCancellationFutureOwned, "WaitForCancellationFutureOwned");
