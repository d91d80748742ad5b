//! A multi-producer, multi-consumer broadcast channel: tokio's [`broadcast`](raw::sync::broadcast) module, watched.
//!
//! Watched: what was sent, how far the slowest receiver is behind and where it stands, which receivers lost messages and
//! how many, and who waits for a message.
#[cfg(doc)]
use crate::tokio::raw;

use std::{fmt, future::Future, panic::Location};

mod receive;

use ::tokio::sync::broadcast as tokios;
pub use ::tokio::sync::broadcast::*;
use error::{RecvError, SendError, TryRecvError};

use crate::recorder::{
    channel::{self, ChannelKind, ChannelRef, ChannelSlot, ClosedAwaited},
    readers::Reader,
    wait::{CallSite, Watched},
};
use receive::Receive;

/// A broadcast channel, watched; see [`tokio::sync::broadcast::channel`].
///
/// # Panics
/// When `capacity` is 0 or above half of what a `usize` counts.
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = tokios::channel(capacity);
    let channel = register::<T>(capacity, Location::caller());
    (Sender { side: Sending::new(channel.clone()), inner: tx }, Receiver { side: Receiving::new(channel), inner: rx })
}

fn register<T>(capacity: usize, made: CallSite) -> Option<ChannelRef> {
    // As many as tokio makes room for.
    ChannelSlot::of::<T>(ChannelKind::Broadcast, capacity.next_power_of_two(), made)
}

/// Sends to all receivers; see [`tokio::sync::broadcast::Sender`].
pub struct Sender<T> {
    side: Sending,
    inner: tokios::Sender<T>,
}

/// A [`Sender`] that does not keep the channel open; see
/// [`tokio::sync::broadcast::WeakSender`].
pub struct WeakSender<T> {
    channel: Option<ChannelRef>,
    inner: tokios::WeakSender<T>,
}

/// Receives what is sent; see [`tokio::sync::broadcast::Receiver`].
pub struct Receiver<T> {
    side: Receiving,
    inner: tokios::Receiver<T>,
}

/// A sending handle's hold on the channel.
struct Sending(Option<ChannelRef>);

impl Sending {
    fn new(channel: Option<ChannelRef>) -> Self {
        if let Some(channel) = &channel {
            channel.slot().senders(1);
        }
        Self(channel)
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some(channel) = &self.0 {
            channel.slot().senders(-1);
        }
    }
}

/// A receiving handle's hold on the channel.
struct Receiving {
    // Before `channel`, which it points to.
    reader: Option<Reader>,
    channel: Option<ChannelRef>,
}

impl Receiving {
    fn new(channel: Option<ChannelRef>) -> Self {
        let slot = channel.as_ref().map(ChannelRef::slot);
        if let Some(slot) = slot {
            slot.receivers(1);
        }
        Self { reader: slot.and_then(Reader::new), channel }
    }

    #[inline]
    fn asks(&self, site: CallSite) {
        if let Some(reader) = &self.reader {
            reader.asks(site);
        }
    }

    #[inline]
    fn got<T, E>(&self, result: &Result<T, E>, lagged: impl FnOnce(&E) -> Option<u64>, site: CallSite) {
        let Some(reader) = &self.reader else { return };
        match result {
            Ok(_) => reader.got(),
            Err(error) => {
                if let Some(n) = lagged(error) {
                    reader.lagged(n, site);
                }
            }
        }
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.slot().receivers(-1);
        }
    }
}

fn lagged(error: &RecvError) -> Option<u64> {
    match error {
        RecvError::Lagged(n) => Some(*n),
        RecvError::Closed => None,
    }
}

fn try_lagged(error: &TryRecvError) -> Option<u64> {
    match error {
        TryRecvError::Lagged(n) => Some(*n),
        TryRecvError::Closed | TryRecvError::Empty => None,
    }
}

impl<T> Sender<T> {
    /// The sending half alone; see [`Sender::new`](::tokio::sync::broadcast::Sender::new).
    ///
    /// # Panics
    /// When `capacity` is 0 or above half of what a `usize` counts.
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        let inner = tokios::Sender::new(capacity);
        Self { side: Sending::new(register::<T>(capacity, Location::caller())), inner }
    }

    /// Sends to all receivers; see [`Sender::send`](::tokio::sync::broadcast::Sender::send).
    ///
    /// # Errors
    /// The message, when there is no receiver.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let sent = self.inner.send(value);
        if let Some(channel) = &self.side.0 {
            match &sent {
                Ok(_) => channel.slot().sent(1, Location::caller()),
                Err(_) => channel.slot().unheard(Location::caller()),
            }
        }
        sent
    }

    /// A receiver of what is sent from now on; see [`Sender::subscribe`](::tokio::sync::broadcast::Sender::subscribe).
    pub fn subscribe(&self) -> Receiver<T> {
        let inner = self.inner.subscribe();
        Receiver { side: Receiving::new(self.side.0.clone()), inner }
    }

    /// See [`Sender::downgrade`](::tokio::sync::broadcast::Sender::downgrade).
    #[must_use = "Downgrade creates a WeakSender without destroying the original non-weak sender."]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { channel: self.side.0.clone(), inner: self.inner.downgrade() }
    }

    /// See [`Sender::len`](::tokio::sync::broadcast::Sender::len).
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`Sender::is_empty`](::tokio::sync::broadcast::Sender::is_empty).
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// See [`Sender::receiver_count`](::tokio::sync::broadcast::Sender::receiver_count).
    pub fn receiver_count(&self) -> usize {
        self.inner.receiver_count()
    }

    /// See [`Sender::same_channel`](::tokio::sync::broadcast::Sender::same_channel).
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// See [`Sender::closed`](::tokio::sync::broadcast::Sender::closed).
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        Watched::new(self.inner.closed(), ClosedAwaited(self.side.0.as_ref().map(ChannelRef::slot)), Location::caller())
    }

    /// See [`Sender::strong_count`](::tokio::sync::broadcast::Sender::strong_count).
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`Sender::weak_count`](::tokio::sync::broadcast::Sender::weak_count).
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }

    /// tokio's own sender. The channel is not watched from here on, since its counts would no longer hold.
    pub fn into_inner(self) -> tokios::Sender<T> {
        channel::unwatch(self.side.0.as_ref());
        self.inner
    }
}

impl<T> WeakSender<T> {
    /// See [`WeakSender::upgrade`](::tokio::sync::broadcast::WeakSender::upgrade).
    #[must_use]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let inner = self.inner.upgrade()?;
        Some(Sender { side: Sending::new(self.channel.clone()), inner })
    }

    /// See [`WeakSender::strong_count`](::tokio::sync::broadcast::WeakSender::strong_count).
    pub fn strong_count(&self) -> usize {
        self.inner.strong_count()
    }

    /// See [`WeakSender::weak_count`](::tokio::sync::broadcast::WeakSender::weak_count).
    pub fn weak_count(&self) -> usize {
        self.inner.weak_count()
    }

    /// tokio's own. The channel is not watched from here on, as after [`Sender::into_inner`].
    pub fn into_inner(self) -> tokios::WeakSender<T> {
        channel::unwatch(self.channel.as_ref());
        self.inner
    }
}

impl<T> Receiver<T> {
    /// See [`Receiver::len`](::tokio::sync::broadcast::Receiver::len).
    pub fn len(&self) -> usize {
        self.inner.len()
    }

    /// See [`Receiver::is_empty`](::tokio::sync::broadcast::Receiver::is_empty).
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// See [`Receiver::same_channel`](::tokio::sync::broadcast::Receiver::same_channel).
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// See [`Receiver::sender_strong_count`](::tokio::sync::broadcast::Receiver::sender_strong_count).
    pub fn sender_strong_count(&self) -> usize {
        self.inner.sender_strong_count()
    }

    /// See [`Receiver::sender_weak_count`](::tokio::sync::broadcast::Receiver::sender_weak_count).
    pub fn sender_weak_count(&self) -> usize {
        self.inner.sender_weak_count()
    }

    /// See [`Receiver::is_closed`](::tokio::sync::broadcast::Receiver::is_closed).
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// tokio's own receiver. The channel is not watched from here on, since its counts would no longer hold.
    pub fn into_inner(self) -> tokios::Receiver<T> {
        channel::unwatch(self.side.channel.as_ref());
        self.inner
    }
}

impl<T: Clone> Receiver<T> {
    /// A receiver of what is sent from now on; see
    /// [`Receiver::resubscribe`](::tokio::sync::broadcast::Receiver::resubscribe).
    #[must_use = "as tokio's"]
    pub fn resubscribe(&self) -> Self {
        let inner = self.inner.resubscribe();
        Self { side: Receiving::new(self.side.channel.clone()), inner }
    }

    /// Receives a message; see [`Receiver::recv`](::tokio::sync::broadcast::Receiver::recv).
    ///
    /// # Errors
    /// When messages were lost, since this receiver was too slow, and when there will be no more.
    #[inline]
    #[track_caller]
    pub fn recv(&mut self) -> impl Future<Output = Result<T, RecvError>> {
        self.recv_at(Location::caller())
    }

    /// The same at `site`.
    #[inline]
    pub(crate) fn recv_at(&mut self, site: CallSite) -> impl Future<Output = Result<T, RecvError>> {
        let Self { side, inner } = self;
        Receive::new(side, inner.recv(), site)
    }

    /// Receives a message if there is one; see [`Receiver::try_recv`](::tokio::sync::broadcast::Receiver::try_recv).
    ///
    /// # Errors
    /// When there is none, when messages were lost, and when there will be no more.
    #[track_caller]
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let site = Location::caller();
        self.side.asks(site);
        let result = self.inner.try_recv();
        self.side.got(&result, try_lagged, site);
        result
    }

    /// Receives a message where that may block the thread; see
    /// [`Receiver::blocking_recv`](::tokio::sync::broadcast::Receiver::blocking_recv).
    ///
    /// # Errors
    /// When messages were lost, and when there will be no more.
    ///
    /// # Panics
    /// Within an asynchronous context.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        let site = Location::caller();
        self.side.asks(site);
        let result = self.inner.blocking_recv();
        self.side.got(&result, lagged, site);
        result
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { side: Sending::new(self.side.0.clone()), inner: self.inner.clone() }
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        Self { channel: self.channel.clone(), inner: self.inner.clone() }
    }
}

impl<T> From<Sender<T>> for tokios::Sender<T> {
    fn from(sender: Sender<T>) -> Self {
        sender.into_inner()
    }
}

impl<T> From<Receiver<T>> for tokios::Receiver<T> {
    fn from(receiver: Receiver<T>) -> Self {
        receiver.into_inner()
    }
}

impl<T> From<tokios::Sender<T>> for Sender<T> {
    /// For a channel that was made by tokio itself, and is not watched.
    fn from(inner: tokios::Sender<T>) -> Self {
        Self { side: Sending::new(None), inner }
    }
}

impl<T> From<tokios::Receiver<T>> for Receiver<T> {
    /// For a channel that was made by tokio itself, and is not watched.
    fn from(inner: tokios::Receiver<T>) -> Self {
        Self { side: Receiving::new(None), inner }
    }
}

macro_rules! prints_as_tokios {
    ($($Handle:ident)*) => {
        $(impl<T> fmt::Debug for $Handle<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.inner.fmt(f)
            }
        })*
    };
}

prints_as_tokios!(Sender WeakSender Receiver);

crate::named::names_slot! {
    Sender: side.0;
    Receiver: side.channel;
}
