//! [`BroadcastStream`].
use std::{
    fmt,
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
}

async fn receive<T: Clone>(mut receiver: Receiver<T>) -> (Result<T, RecvError>, Receiver<T>) {
    (receiver.recv().await, receiver)
}

impl<T: 'static + Clone + Send> BroadcastStream<T> {
    /// See [`BroadcastStream::new`](::tokio_stream::wrappers::BroadcastStream::new).
    pub fn new(rx: Receiver<T>) -> Self {
        Self { receiving: ReusableBoxFuture::new(receive(rx)) }
    }
}

impl<T: 'static + Clone + Send> Stream for BroadcastStream<T> {
    type Item = Result<T, BroadcastStreamRecvError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let (message, receiver) = ready!(self.receiving.poll(cx));
        self.receiving.set(receive(receiver));
        Poll::Ready(match message {
            Ok(message) => Some(Ok(message)),
            Err(RecvError::Lagged(lost)) => Some(Err(BroadcastStreamRecvError::Lagged(lost))),
            Err(RecvError::Closed) => None,
        })
    }
}

impl<T: 'static + Clone + Send> From<Receiver<T>> for BroadcastStream<T> {
    fn from(recv: Receiver<T>) -> Self {
        Self::new(recv)
    }
}

impl<T> fmt::Debug for BroadcastStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BroadcastStream").finish()
    }
}
