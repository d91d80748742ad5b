//! A channel that keeps the newest value only: tokio's [`watch`](raw::sync::watch) module, watched.
//!
//! Watched: how many values were sent, and how many to nobody, when any receiver last looked and from which line, how
//! many receivers there are, and who waits for a change.
#[cfg(doc)]
use crate::tokio::raw;

use std::{fmt, future::Future, panic::Location};

use ::tokio::sync::watch as tokios;
pub use ::tokio::sync::watch::*;
use error::{RecvError, SendError};

use crate::recorder::{
    channel::{self, ChannelKind, ChannelRef, ChannelSlot, ClosedAwaited, RecvAwaited},
    wait::{Outer, Watched},
};

type CallSite = &'static Location<'static>;

/// A watch channel, watched; see [`tokio::sync::watch::channel`].
#[track_caller]
pub fn channel<T>(init: T) -> (Sender<T>, Receiver<T>) {
    let (tx, rx) = tokios::channel(init);
    let channel = register::<T>(Location::caller());
    (Sender { side: Sending::new(channel.clone()), inner: tx }, Receiver { side: Receiving::new(channel), inner: rx })
}

fn register<T>(made: CallSite) -> Option<ChannelRef> {
    ChannelSlot::of::<T>(ChannelKind::Watch, 1, made)
}

/// Sends values; see [`tokio::sync::watch::Sender`].
pub struct Sender<T> {
    side: Sending,
    inner: tokios::Sender<T>,
}

/// Looks at the newest value; see [`tokio::sync::watch::Receiver`].
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

    #[inline]
    fn sent(&self, site: CallSite) {
        if let Some(channel) = &self.0 {
            sent(channel.slot(), site);
        }
    }

    /// A send at `site` found nobody.
    #[inline]
    fn unheard(&self, site: CallSite) {
        if let Some(channel) = &self.0 {
            unheard(channel.slot(), site);
        }
    }
}

impl Drop for Sending {
    #[inline]
    fn drop(&mut self) {
        if let Some(channel) = &self.0 {
            channel.slot().senders(-1);
        }
    }
}

/// A receiving handle's hold on the channel.
struct Receiving(Option<ChannelRef>);

impl Receiving {
    fn new(channel: Option<ChannelRef>) -> Self {
        if let Some(channel) = &channel {
            channel.slot().receivers(1);
        }
        Self(channel)
    }

    /// Somebody asks whether there is anything new.
    #[inline]
    fn asks(&self, site: CallSite) {
        if let Some(channel) = &self.0 {
            asks(channel.slot(), site);
        }
    }

    /// Somebody looks at the newest value.
    #[inline]
    fn looks(&self, site: CallSite) {
        if let Some(channel) = &self.0 {
            looks(channel.slot(), site);
        }
    }

    #[inline]
    fn awaited(&self) -> RecvAwaited {
        RecvAwaited(self.0.as_ref().map(ChannelRef::slot))
    }
}

impl Drop for Receiving {
    #[inline]
    fn drop(&mut self) {
        if let Some(channel) = &self.0 {
            channel.slot().receivers(-1);
        }
    }
}

// What is told of a channel that is watched, apart from the test whether it is: that becomes part of the caller.

#[inline(never)]
fn sent(channel: &'static ChannelSlot, site: CallSite) {
    channel.used(site);
    channel.sent(1, site);
}

#[cold]
fn unheard(channel: &'static ChannelSlot, site: CallSite) {
    channel.used(site);
    channel.unheard(site);
}

#[inline(never)]
fn asks(channel: &'static ChannelSlot, site: CallSite) {
    channel.used(site);
    channel.asked(site);
}

#[inline(never)]
fn looks(channel: &'static ChannelSlot, site: CallSite) {
    channel.used(site);
    channel.asked(site);
    channel.seen();
}

impl<T> Sender<T> {
    /// The sending half alone; see [`Sender::new`](::tokio::sync::watch::Sender::new).
    #[track_caller]
    pub fn new(init: T) -> Self {
        Self { side: Sending::new(register::<T>(Location::caller())), inner: tokios::Sender::new(init) }
    }

    /// Sends a value; see [`Sender::send`](::tokio::sync::watch::Sender::send).
    ///
    /// # Errors
    /// The value, when there is no receiver.
    #[track_caller]
    pub fn send(&self, value: T) -> Result<(), SendError<T>> {
        let sent = self.inner.send(value);
        match &sent {
            Ok(()) => self.side.sent(Location::caller()),
            Err(_) => self.side.unheard(Location::caller()),
        }
        sent
    }

    /// Changes the value in place; see [`Sender::send_modify`](::tokio::sync::watch::Sender::send_modify).
    ///
    /// # Panics
    /// When `modify` does.
    #[track_caller]
    pub fn send_modify<F>(&self, modify: F)
    where
        F: FnOnce(&mut T),
    {
        self.inner.send_modify(modify);
        self.side.sent(Location::caller());
    }

    /// Changes the value in place, and tells of it if `modify` says so; see
    /// [`Sender::send_if_modified`](::tokio::sync::watch::Sender::send_if_modified).
    ///
    /// # Panics
    /// When `modify` does.
    #[track_caller]
    pub fn send_if_modified<F>(&self, modify: F) -> bool
    where
        F: FnOnce(&mut T) -> bool,
    {
        let sent = self.inner.send_if_modified(modify);
        if sent {
            self.side.sent(Location::caller());
        }
        sent
    }

    /// Sends a value, and gives the one before; see [`Sender::send_replace`](::tokio::sync::watch::Sender::send_replace).
    #[track_caller]
    pub fn send_replace(&self, value: T) -> T {
        let before = self.inner.send_replace(value);
        self.side.sent(Location::caller());
        before
    }

    /// See [`Sender::borrow`](::tokio::sync::watch::Sender::borrow).
    pub fn borrow(&self) -> Ref<'_, T> {
        self.inner.borrow()
    }

    /// See [`Sender::is_closed`](::tokio::sync::watch::Sender::is_closed).
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// See [`Sender::closed`](::tokio::sync::watch::Sender::closed).
    #[track_caller]
    pub fn closed(&self) -> impl Future<Output = ()> {
        Watched::new(self.inner.closed(), ClosedAwaited(self.side.0.as_ref().map(ChannelRef::slot)), Location::caller())
    }

    /// Another receiver; see [`Sender::subscribe`](::tokio::sync::watch::Sender::subscribe).
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver { side: Receiving::new(self.side.0.clone()), inner: self.inner.subscribe() }
    }

    /// See [`Sender::receiver_count`](::tokio::sync::watch::Sender::receiver_count).
    pub fn receiver_count(&self) -> usize {
        self.inner.receiver_count()
    }

    /// See [`Sender::sender_count`](::tokio::sync::watch::Sender::sender_count).
    pub fn sender_count(&self) -> usize {
        self.inner.sender_count()
    }

    /// See [`Sender::same_channel`](::tokio::sync::watch::Sender::same_channel).
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// tokio's own sender. The channel is not watched from here on, since its counts would no longer hold.
    pub fn into_inner(self) -> tokios::Sender<T> {
        channel::unwatch(self.side.0.as_ref());
        self.inner
    }
}

impl<T> Receiver<T> {
    /// Looks at the newest value; see [`Receiver::borrow`](::tokio::sync::watch::Receiver::borrow).
    #[track_caller]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.side.looks(Location::caller());
        self.inner.borrow()
    }

    /// Looks at the newest value, and takes it for seen; see
    /// [`Receiver::borrow_and_update`](::tokio::sync::watch::Receiver::borrow_and_update).
    #[track_caller]
    pub fn borrow_and_update(&mut self) -> Ref<'_, T> {
        self.side.looks(Location::caller());
        self.inner.borrow_and_update()
    }

    /// See [`Receiver::has_changed`](::tokio::sync::watch::Receiver::has_changed).
    ///
    /// # Errors
    /// When there is no sender any more.
    #[track_caller]
    pub fn has_changed(&self) -> Result<bool, RecvError> {
        self.side.asks(Location::caller());
        self.inner.has_changed()
    }

    /// See [`Receiver::is_closed`](::tokio::sync::watch::Receiver::is_closed).
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// See [`Receiver::mark_changed`](::tokio::sync::watch::Receiver::mark_changed).
    pub fn mark_changed(&mut self) {
        self.inner.mark_changed();
    }

    /// See [`Receiver::mark_unchanged`](::tokio::sync::watch::Receiver::mark_unchanged).
    pub fn mark_unchanged(&mut self) {
        self.inner.mark_unchanged();
    }

    /// Waits for a value that was not seen; see [`Receiver::changed`](::tokio::sync::watch::Receiver::changed).
    ///
    /// # Errors
    /// When there is no sender any more.
    #[track_caller]
    pub fn changed(&mut self) -> impl Future<Output = Result<(), RecvError>> {
        self.changed_at(Location::caller())
    }

    /// The same at `site`.
    pub(crate) fn changed_at(&mut self, site: CallSite) -> impl Future<Output = Result<(), RecvError>> {
        let Self { side, inner } = self;
        Outer::new(async move {
            if side.0.is_none() {
                return inner.changed().await;
            }
            side.asks(site);
            let result = Watched::in_block(inner.changed(), side.awaited(), site).await;
            if result.is_ok() {
                side.looks(site);
            }
            result
        })
    }

    /// Waits for a value that `f` accepts; see [`Receiver::wait_for`](::tokio::sync::watch::Receiver::wait_for).
    ///
    /// # Errors
    /// When there is no sender any more, and the last value is not accepted.
    #[track_caller]
    pub fn wait_for(&mut self, f: impl FnMut(&T) -> bool) -> impl Future<Output = Result<Ref<'_, T>, RecvError>> {
        let site = Location::caller();
        let Self { side, inner } = self;
        let (receiving, mut f) = (&*side, f);
        // Each value is looked at as it comes.
        let look = move |value: &T| {
            receiving.looks(site);
            f(value)
        };
        Watched::new(inner.wait_for(look), side.awaited(), site)
    }

    /// See [`Receiver::same_channel`](::tokio::sync::watch::Receiver::same_channel).
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// tokio's own receiver. The channel is not watched from here on, since its counts would no longer hold.
    pub fn into_inner(self) -> tokios::Receiver<T> {
        channel::unwatch(self.side.0.as_ref());
        self.inner
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self { side: Sending::new(self.side.0.clone()), inner: self.inner.clone() }
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        Self { side: Receiving::new(self.side.0.clone()), inner: self.inner.clone() }
    }
}

impl<T: Default> Default for Sender<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new(T::default())
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

impl<T: fmt::Debug> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T: fmt::Debug> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

crate::named::names_slot! {
    Sender: side.0;
    Receiver: side.0;
}
