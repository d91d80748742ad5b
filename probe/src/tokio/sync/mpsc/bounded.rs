//! The sending half of a bounded channel.
use std::{fmt, future::Future, panic::Location, time::Duration};

use ::tokio::sync::mpsc as raw;

use super::{
    OwnedPermit, Permit, PermitIterator, Receiver,
    error::{SendError, SendTimeoutError, TrySendError},
    watch::{CallSite, SenderSide, sides},
};
use crate::{
    recorder::{
        channel::{self, ChannelKind, ChannelRef},
        wait::{Outer, Watched},
    },
    tokio::sync::coop::{Tried, try_now},
};

/// A bounded channel, watched; see [`tokio::sync::mpsc::channel`](::tokio::sync::mpsc::channel).
///
/// # Panics
/// When `buffer` is 0 or above what a semaphore counts.
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = raw::channel(buffer);
    let (sending, receiving) = sides::<T>(ChannelKind::Mpsc, buffer, Location::caller());
    (Sender { inner: tx, side: sending }, Receiver::new(rx, receiving))
}

/// Sends into a bounded channel; see [`tokio::sync::mpsc::Sender`](::tokio::sync::mpsc::Sender).
pub struct Sender<T> {
    pub(super) inner: raw::Sender<T>,
    pub(super) side: SenderSide,
}

/// A [`Sender`] that does not keep the channel open; see
/// [`tokio::sync::mpsc::WeakSender`](::tokio::sync::mpsc::WeakSender).
pub struct WeakSender<T> {
    inner: raw::WeakSender<T>,
    channel: Option<ChannelRef>,
}

impl<T> Sender<T> {
    /// Sends a message, waiting for room; see [`Sender::send`](::tokio::sync::mpsc::Sender::send).
    ///
    /// # Errors
    /// The message, when the channel is closed.
    #[track_caller]
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        let site = Location::caller();
        Outer::new(async move {
            match self.room::<true>(site).await {
                Ok(permit) => {
                    self.side.sent(1, site);
                    permit.send(value);
                    Ok(())
                }
                Err(_) => Err(SendError(value)),
            }
        })
    }

    /// See [`Sender::closed`](::tokio::sync::mpsc::Sender::closed).
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        Watched::new(self.inner.closed(), self.side.closing(), Location::caller())
    }

    /// Sends a message if there is room; see [`Sender::try_send`](::tokio::sync::mpsc::Sender::try_send).
    ///
    /// # Errors
    /// The message, when the channel is full or closed.
    #[track_caller]
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        match self.inner.try_reserve() {
            Ok(permit) => {
                self.side.sent(1, Location::caller());
                permit.send(message);
                Ok(())
            }
            Err(TrySendError::Full(())) => Err(TrySendError::Full(message)),
            Err(TrySendError::Closed(())) => Err(TrySendError::Closed(message)),
        }
    }

    /// Sends a message, waiting for room for some time; see
    /// [`Sender::send_timeout`](::tokio::sync::mpsc::Sender::send_timeout).
    ///
    /// # Errors
    /// The message, when the channel is closed or there was no room in time.
    #[track_caller]
    pub fn send_timeout(&self, value: T, timeout: Duration) -> impl Future<Output = Result<(), SendTimeoutError<T>>> {
        let site = Location::caller();
        Outer::new(async move {
            match ::tokio::time::timeout(timeout, self.room::<true>(site)).await {
                Ok(Ok(permit)) => {
                    self.side.sent(1, site);
                    permit.send(value);
                    Ok(())
                }
                Ok(Err(_)) => Err(SendTimeoutError::Closed(value)),
                Err(_) => Err(SendTimeoutError::Timeout(value)),
            }
        })
    }

    /// Sends a message where that may block the thread; see
    /// [`Sender::blocking_send`](::tokio::sync::mpsc::Sender::blocking_send).
    ///
    /// # Errors
    /// The message, when the channel is closed.
    ///
    /// # Panics
    /// Within an asynchronous context.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        let site = Location::caller();
        let waiting = (self.inner.capacity() == 0).then(|| self.side.blocking(true, site));
        let result = self.inner.blocking_send(value);
        drop(waiting);
        if result.is_ok() {
            self.side.sent(1, site);
        }
        result
    }

    /// See [`Sender::is_closed`](::tokio::sync::mpsc::Sender::is_closed).
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// Waits for room for a message; see [`Sender::reserve`](::tokio::sync::mpsc::Sender::reserve).
    ///
    /// # Errors
    /// When the channel is closed.
    #[track_caller]
    pub fn reserve(&self) -> impl Future<Output = Result<Permit<'_, T>, SendError<()>>> {
        let site = Location::caller();
        Outer::new(async move { Ok(Permit::new(self.room::<false>(site).await?, &self.side)) })
    }

    /// Waits for room for `n` messages; see [`Sender::reserve_many`](::tokio::sync::mpsc::Sender::reserve_many).
    ///
    /// # Errors
    /// When the channel is closed, or never has room for so many.
    #[track_caller]
    pub fn reserve_many(&self, n: usize) -> impl Future<Output = Result<PermitIterator<'_, T>, SendError<()>>> {
        let site = Location::caller();
        Outer::new(async move {
            let tried = try_now(|| match self.inner.try_reserve_many(n) {
                Ok(permits) => Some(Ok(permits)),
                Err(TrySendError::Full(())) => None,
                Err(TrySendError::Closed(())) => Some(Err(SendError(()))),
            });
            let permits = match tried {
                Tried::Done(result) => result,
                Tried::Yield if self.inner.capacity() >= n => self.inner.reserve_many(n).await,
                _ => Watched::in_block(self.inner.reserve_many(n), self.side.awaited::<false>(site), site).await,
            };
            Ok(PermitIterator::new(permits?, &self.side))
        })
    }

    /// As [`Sender::reserve`], with a permit that owns the sender; see
    /// [`Sender::reserve_owned`](::tokio::sync::mpsc::Sender::reserve_owned).
    ///
    /// # Errors
    /// When the channel is closed.
    #[track_caller]
    pub fn reserve_owned(self) -> impl Future<Output = Result<OwnedPermit<T>, SendError<()>>> {
        let site = Location::caller();
        Outer::new(async move {
            let Self { inner, side } = self;
            let mut inner = Some(inner);
            let tried = try_now(|| match inner.take()?.try_reserve_owned() {
                Ok(permit) => Some(Ok(permit)),
                Err(TrySendError::Full(sender)) => {
                    inner = Some(sender);
                    None
                }
                Err(TrySendError::Closed(_)) => Some(Err(SendError(()))),
            });
            let permit = match (tried, inner) {
                (Tried::Done(result), _) => result?,
                (Tried::Yield, Some(inner)) if inner.capacity() > 0 => inner.reserve_owned().await?,
                (_, Some(inner)) => Watched::in_block(inner.reserve_owned(), side.awaited::<false>(site), site).await?,
                (_, None) => return Err(SendError(())),
            };
            Ok(OwnedPermit::new(permit, side))
        })
    }

    /// See [`Sender::try_reserve`](::tokio::sync::mpsc::Sender::try_reserve).
    ///
    /// # Errors
    /// When the channel is full or closed.
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        Ok(Permit::new(self.inner.try_reserve()?, &self.side))
    }

    /// See [`Sender::try_reserve_many`](::tokio::sync::mpsc::Sender::try_reserve_many).
    ///
    /// # Errors
    /// When the channel is full or closed.
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        Ok(PermitIterator::new(self.inner.try_reserve_many(n)?, &self.side))
    }

    /// See [`Sender::try_reserve_owned`](::tokio::sync::mpsc::Sender::try_reserve_owned).
    ///
    /// # Errors
    /// The sender, when the channel is full or closed.
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        let Self { inner, side } = self;
        match inner.try_reserve_owned() {
            Ok(permit) => Ok(OwnedPermit::new(permit, side)),
            Err(TrySendError::Full(inner)) => Err(TrySendError::Full(Self { inner, side })),
            Err(TrySendError::Closed(inner)) => Err(TrySendError::Closed(Self { inner, side })),
        }
    }

    /// See [`Sender::same_channel`](::tokio::sync::mpsc::Sender::same_channel).
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// See [`Sender::capacity`](::tokio::sync::mpsc::Sender::capacity).
    pub fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    /// See [`Sender::downgrade`](::tokio::sync::mpsc::Sender::downgrade).
    #[must_use = "Downgrade creates a WeakSender without destroying the original non-weak sender."]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { inner: self.inner.downgrade(), channel: self.side.channel() }
    }

    /// See [`Sender::max_capacity`](::tokio::sync::mpsc::Sender::max_capacity).
    pub fn max_capacity(&self) -> usize {
        self.inner.max_capacity()
    }

    /// See [`Sender::strong_count`](::tokio::sync::mpsc::Sender::strong_count).
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`Sender::weak_count`](::tokio::sync::mpsc::Sender::weak_count).
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }

    /// tokio's own sender. The channel is not watched from here on, since its counts would no longer hold.
    pub fn into_inner(self) -> raw::Sender<T> {
        self.side.unwatch();
        self.inner
    }

    #[cfg(feature = "tokio-util")]
    pub(crate) fn as_inner(&self) -> &raw::Sender<T> {
        &self.inner
    }

    /// A message went in from `site`, through tokio's own handle.
    #[cfg(feature = "tokio-util")]
    pub(crate) fn note_sent(&self, site: CallSite) {
        self.side.sent(1, site);
    }

    /// In the block of an [`Outer`]; for a message that there is, or to reserve it.
    #[inline]
    async fn room<const LADEN: bool>(&self, site: CallSite) -> Result<raw::Permit<'_, T>, SendError<()>> {
        // tokio gives room to those who wait first, so a try never overtakes one.
        let tried = try_now(|| match self.inner.try_reserve() {
            Ok(permit) => Some(Ok(permit)),
            Err(TrySendError::Full(())) => None,
            Err(TrySendError::Closed(())) => Some(Err(SendError(()))),
        });
        match tried {
            Tried::Done(result) => result,
            Tried::Yield if self.inner.capacity() > 0 => self.inner.reserve().await,
            _ => Watched::in_block(self.inner.reserve(), self.side.awaited::<LADEN>(site), site).await,
        }
    }
}

impl<T> WeakSender<T> {
    /// See [`WeakSender::upgrade`](::tokio::sync::mpsc::WeakSender::upgrade).
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let inner = self.inner.upgrade()?;
        Some(Sender { inner, side: SenderSide::new(self.channel.clone()) })
    }

    /// See [`WeakSender::strong_count`](::tokio::sync::mpsc::WeakSender::strong_count).
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`WeakSender::weak_count`](::tokio::sync::mpsc::WeakSender::weak_count).
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }

    /// tokio's own. The channel is not watched from here on, as after [`Sender::into_inner`].
    pub fn into_inner(self) -> raw::WeakSender<T> {
        channel::unwatch(self.channel.as_ref());
        self.inner
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), side: self.side.clone() }
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), channel: self.channel.clone() }
    }
}

impl<T> From<Sender<T>> for raw::Sender<T> {
    fn from(sender: Sender<T>) -> Self {
        sender.into_inner()
    }
}

impl<T> From<raw::Sender<T>> for Sender<T> {
    /// For a channel that was made by tokio itself, and is not watched.
    fn from(inner: raw::Sender<T>) -> Self {
        Self { inner, side: SenderSide::new(None) }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
