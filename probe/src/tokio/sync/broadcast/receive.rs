//! A message that is being received.
use std::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use super::{Receiving, error::RecvError, lagged};
use crate::recorder::{
    channel::ReadAwaited,
    wait::{CallSite, PolledFrom, Watched},
};

/// A message that is being received by `F`, tokio's own future for that. Written by hand as a mutex's is, since an `async`
/// block around another is one more state to look at, whether anything records or not.
pub(super) struct Receive<'a, F> {
    receiver: &'a Receiving,
    site: CallSite,
    message: Watched<F, Option<ReadAwaited<'a>>>,
}

impl<'a, F> Receive<'a, F> {
    #[inline]
    pub(super) fn new(receiver: &'a Receiving, message: F, site: CallSite) -> Self {
        Self { receiver, site, message: Watched::new(message, None, site) }
    }
}

impl<T, F: Future<Output = Result<T, RecvError>>> Future for Receive<'_, F> {
    type Output = Result<T, RecvError>;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Location::caller();
        // SAFETY: `message` is pinned with `self`: never moved out, and `Receive` is not `Unpin`, since that is not. The other
        // fields are not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        if let Some(reader) = &this.receiver.reader {
            let awaited = this.message.awaited_mut();
            if awaited.is_none() {
                reader.asks(this.site);
                *awaited = Some(ReadAwaited::of(reader));
            }
        }
        // SAFETY: as above.
        let result = ready!(unsafe { Pin::new_unchecked(&mut this.message) }.poll_from(cx, || polled));
        this.receiver.got(&result, lagged, this.site);
        Poll::Ready(result)
    }
}
