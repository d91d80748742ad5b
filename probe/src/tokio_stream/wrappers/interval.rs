//! [`IntervalStream`].
use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, stream::FusedStream};

use crate::tokio::time::{Instant, Interval};

/// An [`Interval`] as a stream; see [`tokio_stream::wrappers::IntervalStream`](::tokio_stream::wrappers::IntervalStream).
#[derive(Debug)]
pub struct IntervalStream {
    inner: Interval,
}

impl IntervalStream {
    /// See [`IntervalStream::new`](::tokio_stream::wrappers::IntervalStream::new).
    pub fn new(interval: Interval) -> Self {
        Self { inner: interval }
    }

    /// See [`IntervalStream::into_inner`](::tokio_stream::wrappers::IntervalStream::into_inner).
    pub fn into_inner(self) -> Interval {
        self.inner
    }
}

/// Never ends.
impl Stream for IntervalStream {
    type Item = Instant;

    #[track_caller]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.inner.poll_tick(cx).map(Some)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl FusedStream for IntervalStream {
    fn is_terminated(&self) -> bool {
        false
    }
}

impl AsRef<Interval> for IntervalStream {
    fn as_ref(&self) -> &Interval {
        &self.inner
    }
}

impl AsMut<Interval> for IntervalStream {
    fn as_mut(&mut self) -> &mut Interval {
        &mut self.inner
    }
}
