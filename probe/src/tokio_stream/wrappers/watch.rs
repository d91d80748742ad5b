//! [`WatchStream`].
use std::{
    fmt,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio_util::sync::ReusableBoxFuture;
use futures_util::Stream;

use crate::tokio::sync::watch::{Receiver, error::RecvError};

/// The values of a watch's [`Receiver`] as a stream; see
/// [`tokio_stream::wrappers::WatchStream`](::tokio_stream::wrappers::WatchStream).
pub struct WatchStream<T> {
    /// The receiver is in the future that waits for a change, and comes back with it.
    waiting: ReusableBoxFuture<'static, (Result<(), RecvError>, Receiver<T>)>,
    /// Where it was made: where it is asked for the next value, another crate knows.
    site: &'static Location<'static>,
}

async fn change<T: Send + Sync>(
    mut receiver: Receiver<T>,
    site: &'static Location<'static>,
) -> (Result<(), RecvError>, Receiver<T>) {
    (receiver.changed_at(site).await, receiver)
}

impl<T: 'static + Clone + Send + Sync> WatchStream<T> {
    /// See [`WatchStream::new`](::tokio_stream::wrappers::WatchStream::new).
    #[track_caller]
    pub fn new(rx: Receiver<T>) -> Self {
        Self { waiting: ReusableBoxFuture::new(std::future::ready((Ok(()), rx))), site: Location::caller() }
    }

    /// See [`WatchStream::from_changes`](::tokio_stream::wrappers::WatchStream::from_changes).
    #[track_caller]
    pub fn from_changes(rx: Receiver<T>) -> Self {
        let site = Location::caller();
        Self { waiting: ReusableBoxFuture::new(change(rx, site)), site }
    }
}

impl<T: 'static + Clone + Send + Sync> Stream for WatchStream<T> {
    type Item = T;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let (changed, mut receiver) = ready!(self.waiting.poll(cx));
        let value = changed.ok().map(|()| receiver.borrow_and_update().clone());
        let site = self.site;
        self.waiting.set(change(receiver, site));
        Poll::Ready(value)
    }
}

impl<T> Unpin for WatchStream<T> {}

impl<T: 'static + Clone + Send + Sync> From<Receiver<T>> for WatchStream<T> {
    #[track_caller]
    fn from(recv: Receiver<T>) -> Self {
        Self::new(recv)
    }
}

impl<T> fmt::Debug for WatchStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchStream").finish()
    }
}
