//! [`ReceiverStream`] and [`UnboundedReceiverStream`].
use std::{
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Stream;

use crate::tokio::sync::mpsc::{Receiver, UnboundedReceiver};

macro_rules! receiver_stream {
    ($(#[$docs:meta])* $Stream:ident of $Receiver:ident, at most $most:expr) => {
        $(#[$docs])*
        #[derive(Debug)]
        pub struct $Stream<T> {
            inner: $Receiver<T>,
        }

        impl<T> $Stream<T> {
            /// The messages of a receiver.
            pub fn new(recv: $Receiver<T>) -> Self {
                Self { inner: recv }
            }

            /// The receiver.
            pub fn into_inner(self) -> $Receiver<T> {
                self.inner
            }

            /// Closes the channel to senders.
            pub fn close(&mut self) {
                self.inner.close();
            }
        }

        impl<T> Stream for $Stream<T> {
            type Item = T;

            #[track_caller]
            fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.inner.poll_recv(cx)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                let most: fn(&$Receiver<T>) -> usize = $most;
                (self.inner.len(), self.inner.is_closed().then(|| most(&self.inner)))
            }
        }

        impl<T> AsRef<$Receiver<T>> for $Stream<T> {
            fn as_ref(&self) -> &$Receiver<T> {
                &self.inner
            }
        }

        impl<T> AsMut<$Receiver<T>> for $Stream<T> {
            fn as_mut(&mut self) -> &mut $Receiver<T> {
                &mut self.inner
            }
        }

        impl<T> From<$Receiver<T>> for $Stream<T> {
            fn from(recv: $Receiver<T>) -> Self {
                Self::new(recv)
            }
        }
    };
}

receiver_stream! {
    /// A [`Receiver`] as a stream; see [`tokio_stream::wrappers::ReceiverStream`](::tokio_stream::wrappers::ReceiverStream).
    // Room that was reserved before it was closed may still be used.
    ReceiverStream of Receiver, at most |receiver| receiver.max_capacity() - receiver.capacity()
}

receiver_stream! {
    /// An [`UnboundedReceiver`] as a stream; see
    /// [`tokio_stream::wrappers::UnboundedReceiverStream`](::tokio_stream::wrappers::UnboundedReceiverStream).
    UnboundedReceiverStream of UnboundedReceiver, at most |receiver| receiver.len()
}
