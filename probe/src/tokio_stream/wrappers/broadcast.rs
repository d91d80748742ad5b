//! [`BroadcastStream`].
use std::{
    fmt,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio_stream::wrappers::errors::BroadcastStreamRecvError;
use ::tokio_util::sync::ReusableBoxFuture;
use futures_util::Stream;

use crate::tokio::sync::broadcast::{Receiver, error::RecvError};

/// A broadcast's [`Receiver`] as a stream; see
/// [`tokio_stream::wrappers::BroadcastStream`](::tokio_stream::wrappers::BroadcastStream).
pub struct BroadcastStream<T> {
    /// The receiver is in the future that receives, and comes back with what it received.
    receiving: ReusableBoxFuture<'static, (Result<T, RecvError>, Receiver<T>)>,
    /// Where it was made: where it is asked for the next message, another crate knows.
    site: &'static Location<'static>,
}

async fn receive<T: Clone>(
    mut receiver: Receiver<T>,
    site: &'static Location<'static>,
) -> (Result<T, RecvError>, Receiver<T>) {
    (receiver.recv_at(site).await, receiver)
}

impl<T: 'static + Clone + Send> BroadcastStream<T> {
    /// See [`BroadcastStream::new`](::tokio_stream::wrappers::BroadcastStream::new).
    #[track_caller]
    pub fn new(rx: Receiver<T>) -> Self {
        let site = Location::caller();
        Self { receiving: ReusableBoxFuture::new(receive(rx, site)), site }
    }
}

impl<T: 'static + Clone + Send> Stream for BroadcastStream<T> {
    type Item = Result<T, BroadcastStreamRecvError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (message, receiver) = ready!(self.receiving.poll(cx));
        let site = self.site;
        self.receiving.set(receive(receiver, site));
        Poll::Ready(match message {
            Ok(message) => Some(Ok(message)),
            Err(RecvError::Lagged(lost)) => Some(Err(BroadcastStreamRecvError::Lagged(lost))),
            Err(RecvError::Closed) => None,
        })
    }
}

impl<T: 'static + Clone + Send> From<Receiver<T>> for BroadcastStream<T> {
    #[track_caller]
    fn from(recv: Receiver<T>) -> Self {
        Self::new(recv)
    }
}

impl<T> fmt::Debug for BroadcastStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastStream").finish()
    }
}
