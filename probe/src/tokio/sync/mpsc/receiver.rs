//! The receiving halves, which differ in nothing but their channel.
use std::{
    fmt,
    future::{Future, poll_fn},
    panic::Location,
    task::{Context, Poll},
};

use ::tokio::sync::mpsc as raw;

use super::{error::TryRecvError, watch::ReceiverSide};
use crate::recorder::wait::Watched;

/// Receives from a bounded channel; see [`tokio::sync::mpsc::Receiver`](::tokio::sync::mpsc::Receiver).
pub struct Receiver<T> {
    inner: raw::Receiver<T>,
    pub(super) side: ReceiverSide,
}

/// Receives from an unbounded channel; see
/// [`tokio::sync::mpsc::UnboundedReceiver`](::tokio::sync::mpsc::UnboundedReceiver).
pub struct UnboundedReceiver<T> {
    inner: raw::UnboundedReceiver<T>,
    pub(super) side: ReceiverSide,
}

macro_rules! receiver {
    ($Receiver:ident) => {
        impl<T> $Receiver<T> {
            pub(super) fn new(inner: raw::$Receiver<T>, side: ReceiverSide) -> Self {
                Self { inner, side }
            }

            /// Receives a message; see [`recv`](::tokio::sync::mpsc::Receiver::recv).
            #[track_caller]
            pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
                let site = Location::caller();
                let Self { inner, side } = self;
                let awaited = side.awaited();
                let side = &*side;
                Watched::new(poll_fn(move |cx| side.receive(site, || inner.poll_recv(cx), came)), awaited, site)
            }

            /// Receives some messages; see [`recv_many`](::tokio::sync::mpsc::Receiver::recv_many).
            #[track_caller]
            pub fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> impl Future<Output = usize> {
                let site = Location::caller();
                let Self { inner, side } = self;
                let awaited = side.awaited();
                let side = &*side;
                Watched::new(
                    poll_fn(move |cx| side.receive(site, || inner.poll_recv_many(cx, buffer, limit), many_came)),
                    awaited,
                    site,
                )
            }

            /// Receives a message if there is one; see [`try_recv`](::tokio::sync::mpsc::Receiver::try_recv).
            ///
            /// # Errors
            /// When there is none, and when there will be none.
            #[track_caller]
            pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
                self.side.receive(Location::caller(), || self.inner.try_recv(), |result| usize::from(result.is_ok()))
            }

            /// Receives a message where that may block the thread; see
            /// [`blocking_recv`](::tokio::sync::mpsc::Receiver::blocking_recv).
            ///
            /// # Panics
            /// Within an asynchronous context.
            #[track_caller]
            pub fn blocking_recv(&mut self) -> Option<T> {
                self.side.asked(Location::caller());
                // Not from within a closure, which would be the caller that a panic names.
                let message = self.inner.blocking_recv();
                self.side.came(usize::from(message.is_some()));
                message
            }

            /// Receives some messages where that may block the thread; see
            /// [`blocking_recv_many`](::tokio::sync::mpsc::Receiver::blocking_recv_many).
            ///
            /// # Panics
            /// Within an asynchronous context.
            #[track_caller]
            pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                self.side.asked(Location::caller());
                let count = self.inner.blocking_recv_many(buffer, limit);
                self.side.came(count);
                count
            }

            /// Closes the channel to senders; see [`close`](::tokio::sync::mpsc::Receiver::close).
            pub fn close(&mut self) {
                self.inner.close();
                self.side.closed();
            }

            /// See [`is_closed`](::tokio::sync::mpsc::Receiver::is_closed).
            pub fn is_closed(&self) -> bool {
                self.inner.is_closed()
            }

            /// See [`is_empty`](::tokio::sync::mpsc::Receiver::is_empty).
            pub fn is_empty(&self) -> bool {
                self.inner.is_empty()
            }

            /// See [`len`](::tokio::sync::mpsc::Receiver::len).
            pub fn len(&self) -> usize {
                self.inner.len()
            }

            /// Polls for a message; see [`poll_recv`](::tokio::sync::mpsc::Receiver::poll_recv).
            #[track_caller]
            pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
                let site = Location::caller();
                let poll = self.side.receive(site, || self.inner.poll_recv(cx), came);
                self.side.polled(site, &poll);
                poll
            }

            /// Polls for some messages; see [`poll_recv_many`](::tokio::sync::mpsc::Receiver::poll_recv_many).
            #[track_caller]
            pub fn poll_recv_many(&mut self, cx: &mut Context<'_>, buffer: &mut Vec<T>, limit: usize) -> Poll<usize> {
                let site = Location::caller();
                let poll = self.side.receive(site, || self.inner.poll_recv_many(cx, buffer, limit), many_came);
                self.side.polled(site, &poll);
                poll
            }

            /// See [`sender_strong_count`](::tokio::sync::mpsc::Receiver::sender_strong_count).
            pub fn sender_strong_count(&self) -> usize {
                self.inner.sender_strong_count()
            }

            /// See [`sender_weak_count`](::tokio::sync::mpsc::Receiver::sender_weak_count).
            pub fn sender_weak_count(&self) -> usize {
                self.inner.sender_weak_count()
            }

            /// tokio's own receiver. The channel is not watched from here on, since its counts would no longer hold.
            pub fn into_inner(self) -> raw::$Receiver<T> {
                self.side.unwatch();
                self.inner
            }
        }

        impl<T> Unpin for $Receiver<T> {}

        #[cfg(feature = "stream")]
        impl<T> futures_util::Stream for $Receiver<T> {
            type Item = T;

            #[track_caller]
            fn poll_next(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
                self.get_mut().poll_recv(cx)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.len(), None)
            }
        }

        impl<T> From<$Receiver<T>> for raw::$Receiver<T> {
            fn from(receiver: $Receiver<T>) -> Self {
                receiver.into_inner()
            }
        }

        impl<T> From<raw::$Receiver<T>> for $Receiver<T> {
            /// For a channel that was made by tokio itself, and is not watched.
            fn from(inner: raw::$Receiver<T>) -> Self {
                Self::new(inner, ReceiverSide::unwatched())
            }
        }

        impl<T> fmt::Debug for $Receiver<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        }
    };
}

receiver!(Receiver);
receiver!(UnboundedReceiver);

impl<T> Receiver<T> {
    /// See [`Receiver::capacity`](::tokio::sync::mpsc::Receiver::capacity).
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// See [`Receiver::max_capacity`](::tokio::sync::mpsc::Receiver::max_capacity).
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }
}

fn came<T>(poll: &Poll<Option<T>>) -> usize {
    usize::from(matches!(poll, Poll::Ready(Some(_))))
}

fn many_came(poll: &Poll<usize>) -> usize {
    match poll {
        Poll::Ready(count) => *count,
        Poll::Pending => 0,
    }
}
