//! [`PollSender`]: tokio-util's own on tokio's own sender, beside a handle of ours that counts.
use std::{
    fmt,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::Sink;

use super::PollSendError;
use crate::tokio::sync::mpsc::{PolledSend, Sender};

/// Polls for room in a bounded channel; see [`tokio_util::sync::PollSender`](::tokio_util::sync::PollSender).
///
/// `strong_count` of its channel counts it as three senders, where tokio-util's is two.
pub struct PollSender<T> {
    inner: ::tokio_util::sync::PollSender<T>,
    /// `None` once it is closed.
    sender: Option<Sender<T>>,
    waiting: PolledSend,
}

impl<T: Send> PollSender<T> {
    /// See [`PollSender::new`](::tokio_util::sync::PollSender::new).
    pub fn new(sender: Sender<T>) -> Self {
        let inner = ::tokio_util::sync::PollSender::new(sender.as_inner().clone());
        Self { inner, sender: Some(sender), waiting: PolledSend::new() }
    }

    /// Polls for room for a message; see [`PollSender::poll_reserve`](::tokio_util::sync::PollSender::poll_reserve).
    ///
    /// # Errors
    /// When the channel is closed.
    #[track_caller]
    pub fn poll_reserve(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), PollSendError<T>>> {
        let poll = self.inner.poll_reserve(cx);
        match &self.sender {
            Some(sender) if poll.is_pending() => self.waiting.pending(sender, Location::caller()),
            _ => self.waiting.over(),
        }
        poll
    }

    /// Sends a message; see [`PollSender::send_item`](::tokio_util::sync::PollSender::send_item).
    ///
    /// # Errors
    /// The message, when the channel is closed.
    ///
    /// # Panics
    /// Without a successful [`PollSender::poll_reserve`] before.
    #[track_caller]
    pub fn send_item(&mut self, value: T) -> Result<(), PollSendError<T>> {
        self.inner.send_item(value)?;
        if let Some(sender) = &self.sender {
            sender.note_sent(Location::caller());
        }
        Ok(())
    }

    /// See [`PollSender::is_closed`](::tokio_util::sync::PollSender::is_closed).
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// See [`PollSender::get_ref`](::tokio_util::sync::PollSender::get_ref).
    pub fn get_ref(&self) -> Option<&Sender<T>> {
        self.sender.as_ref()
    }

    /// See [`PollSender::close`](::tokio_util::sync::PollSender::close).
    pub fn close(&mut self) {
        self.waiting.over();
        self.sender = None;
        self.inner.close();
    }

    /// See [`PollSender::abort_send`](::tokio_util::sync::PollSender::abort_send).
    pub fn abort_send(&mut self) -> bool {
        self.waiting.over();
        self.inner.abort_send()
    }

    /// tokio-util's own. The channel is not watched from here on, as after [`Sender::into_inner`].
    pub fn into_inner(self) -> ::tokio_util::sync::PollSender<T> {
        let _sender = self.sender.map(Sender::into_inner);
        self.inner
    }
}

impl<T> Clone for PollSender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), sender: self.sender.clone(), waiting: PolledSend::new() }
    }
}

impl<T: Send> Sink<T> for PollSender<T> {
    type Error = PollSendError<T>;

    #[track_caller]
    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.get_mut().poll_reserve(cx)
    }

    #[track_caller]
    fn start_send(self: Pin<&mut Self>, item: T) -> Result<(), Self::Error> {
        self.get_mut().send_item(item)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.get_mut().close();
        Poll::Ready(Ok(()))
    }
}

impl<T: fmt::Debug> fmt::Debug for PollSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
