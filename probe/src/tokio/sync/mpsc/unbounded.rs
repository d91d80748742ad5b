//! The sending half of an unbounded channel.
use std::{fmt, future::Future, panic::Location};

use ::tokio::sync::mpsc as raw;

use super::{
    UnboundedReceiver,
    error::SendError,
    watch::{SenderSide, sides},
};
use crate::recorder::{
    channel::{self, ChannelKind, ChannelRef},
    wait::Watched,
};

/// An unbounded channel, watched; see [`tokio::sync::mpsc::unbounded_channel`](::tokio::sync::mpsc::unbounded_channel).
#[track_caller]
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (tx, rx) = raw::unbounded_channel();
    let (sending, receiving) = sides::<T>(ChannelKind::MpscUnbounded, 0, Location::caller());
    (UnboundedSender { inner: tx, side: sending }, UnboundedReceiver::new(rx, receiving))
}

/// Sends into an unbounded channel; see
/// [`tokio::sync::mpsc::UnboundedSender`](::tokio::sync::mpsc::UnboundedSender).
pub struct UnboundedSender<T> {
    inner: raw::UnboundedSender<T>,
    pub(super) side: SenderSide,
}

/// An [`UnboundedSender`] that does not keep the channel open; see
/// [`tokio::sync::mpsc::WeakUnboundedSender`](::tokio::sync::mpsc::WeakUnboundedSender).
pub struct WeakUnboundedSender<T> {
    inner: raw::WeakUnboundedSender<T>,
    channel: Option<ChannelRef>,
}

impl<T> UnboundedSender<T> {
    /// Sends a message; see [`UnboundedSender::send`](::tokio::sync::mpsc::UnboundedSender::send).
    ///
    /// # Errors
    /// The message, when the channel is closed.
    #[inline]
    #[track_caller]
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.inner.send(message)?;
        self.side.sent(1, Location::caller());
        Ok(())
    }

    /// See [`UnboundedSender::closed`](::tokio::sync::mpsc::UnboundedSender::closed).
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        Watched::new(self.inner.closed(), self.side.closing(), Location::caller())
    }

    /// See [`UnboundedSender::is_closed`](::tokio::sync::mpsc::UnboundedSender::is_closed).
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// See [`UnboundedSender::same_channel`](::tokio::sync::mpsc::UnboundedSender::same_channel).
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// See [`UnboundedSender::downgrade`](::tokio::sync::mpsc::UnboundedSender::downgrade).
    #[must_use = "Downgrade creates a WeakSender without destroying the original non-weak sender."]
    pub fn downgrade(&self) -> WeakUnboundedSender<T> {
        WeakUnboundedSender { inner: self.inner.downgrade(), channel: self.side.channel() }
    }

    /// See [`UnboundedSender::strong_count`](::tokio::sync::mpsc::UnboundedSender::strong_count).
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`UnboundedSender::weak_count`](::tokio::sync::mpsc::UnboundedSender::weak_count).
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }

    /// tokio's own sender. The channel is not watched from here on, since its counts would no longer hold.
    pub fn into_inner(self) -> raw::UnboundedSender<T> {
        self.side.unwatch();
        self.inner
    }
}

impl<T> WeakUnboundedSender<T> {
    /// See [`WeakUnboundedSender::upgrade`](::tokio::sync::mpsc::WeakUnboundedSender::upgrade).
    pub fn upgrade(&self) -> Option<UnboundedSender<T>> {
        let inner = self.inner.upgrade()?;
        Some(UnboundedSender { inner, side: SenderSide::new(self.channel.clone()) })
    }

    /// See [`WeakUnboundedSender::strong_count`](::tokio::sync::mpsc::WeakUnboundedSender::strong_count).
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`WeakUnboundedSender::weak_count`](::tokio::sync::mpsc::WeakUnboundedSender::weak_count).
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }

    /// tokio's own. The channel is not watched from here on, as after [`UnboundedSender::into_inner`].
    pub fn into_inner(self) -> raw::WeakUnboundedSender<T> {
        channel::unwatch(self.channel.as_ref());
        self.inner
    }
}

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), side: self.side.clone() }
    }
}

impl<T> Clone for WeakUnboundedSender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), channel: self.channel.clone() }
    }
}

impl<T> From<UnboundedSender<T>> for raw::UnboundedSender<T> {
    fn from(sender: UnboundedSender<T>) -> Self {
        sender.into_inner()
    }
}

impl<T> From<raw::UnboundedSender<T>> for UnboundedSender<T> {
    /// For a channel that was made by tokio itself, and is not watched.
    fn from(inner: raw::UnboundedSender<T>) -> Self {
        Self { inner, side: SenderSide::new(None) }
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for WeakUnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
