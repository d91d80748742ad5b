//! A one-shot channel: tokio's [`oneshot`](raw::sync::oneshot) module, watched.
//!
//! Watched, by the place where channels are made: how many there were, how many answers were taken, how many senders went
//! without a word and how many answers went to nobody; and which task waits for an answer.
#[cfg(doc)]
use crate::tokio::raw;

use std::{
    fmt,
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll},
};

use ::tokio::sync::oneshot as tokios;
pub use ::tokio::sync::oneshot::*;
use error::{RecvError, TryRecvError};

use crate::{
    Named,
    recorder::{
        oneshot::{self, ClosedAwaited},
        site::Site,
        totals::Total,
        wait::{PolledWait, WaitKind, Watched, awaited_at},
    },
};

type CallSite = &'static Location<'static>;

/// A one-shot channel, watched; see [`tokio::sync::oneshot::channel`].
#[inline]
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let made = Location::caller();
    let site = oneshot::made::<T>(made);
    let (tx, rx) = tokios::channel();
    let receiving = Receiving { site, waiting: Some(PolledWait::new()) };
    (Sender { site, inner: tx }, Receiver { receiving, inner: rx })
}

/// Sends the one message; see [`tokio::sync::oneshot::Sender`].
pub struct Sender<T> {
    site: Option<&'static Site>,
    inner: tokios::Sender<T>,
}

/// Receives the one message; see [`tokio::sync::oneshot::Receiver`].
pub struct Receiver<T> {
    receiving: Receiving,
    inner: tokios::Receiver<T>,
}

struct Receiving {
    site: Option<&'static Site>,
    /// `None` when it was closed by itself, and asks for no more.
    waiting: Option<PolledWait>,
}

impl Receiving {
    /// What a poll at `polled` found, of a channel that was made at `site`: nothing yet, or whether there was a message.
    #[inline(never)]
    fn polled(&mut self, site: &'static Site, sent: Poll<bool>, polled: CallSite) {
        let at = site.info.location.location().map_or(polled, |made| awaited_at(polled, made));
        match (sent, &mut self.waiting) {
            (Poll::Ready(sent), _) => self.ended(sent, Some(at)),
            (Poll::Pending, Some(waiting)) => waiting.pending(WaitKind::Oneshot, site.id.into(), at),
            (Poll::Pending, None) => {}
        }
    }

    /// A try or a wait came to an end.
    fn ended(&mut self, sent: bool, awaited: Option<CallSite>) {
        if let Some(waiting) = &mut self.waiting {
            waiting.over();
        }
        if let Some(site) = self.site {
            match (sent, awaited) {
                (true, _) => site.add(Total::Delivered, 1),
                (false, Some(at)) if self.waiting.is_some() => site.oneshots.unsent_awaited(Some(at)),
                _ => {}
            }
        }
    }
}

impl<T> Sender<T> {
    /// Sends the message; see [`Sender::send`](::tokio::sync::oneshot::Sender::send).
    ///
    /// # Errors
    /// The message, when nobody can receive it any more.
    #[inline]
    #[track_caller]
    pub fn send(self, t: T) -> Result<(), T> {
        let (site, inner) = self.parts();
        let sent = inner.send(t);
        if let (Err(_), Some(site)) = (&sent, site) {
            site.oneshots.unreceived(Some(Location::caller()));
        }
        sent
    }

    /// Waits for the receiver to go; see [`Sender::closed`](::tokio::sync::oneshot::Sender::closed).
    #[track_caller]
    pub fn closed(&mut self) -> impl Future<Output = ()> {
        Watched::new(self.inner.closed(), ClosedAwaited(self.site), Location::caller())
    }

    /// See [`Sender::is_closed`](::tokio::sync::oneshot::Sender::is_closed).
    pub fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    /// See [`Sender::poll_closed`](::tokio::sync::oneshot::Sender::poll_closed).
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.inner.poll_closed(cx)
    }

    #[inline]
    fn parts(self) -> (Option<&'static Site>, tokios::Sender<T>) {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: read once, and `this` is neither used nor dropped after that.
        (this.site, unsafe { std::ptr::read(&raw const this.inner) })
    }

    /// tokio's own sender. What becomes of the message is not watched from here on.
    pub fn into_inner(self) -> tokios::Sender<T> {
        self.parts().1
    }
}

impl<T> Drop for Sender<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(site) = self.site
            && !self.inner.is_closed()
        {
            site.unsent();
        }
    }
}

impl<T> Receiver<T> {
    /// Takes no message from now on; see [`Receiver::close`](::tokio::sync::oneshot::Receiver::close).
    pub fn close(&mut self) {
        self.receiving.waiting = None;
        self.inner.close();
    }

    /// See [`Receiver::is_terminated`](::tokio::sync::oneshot::Receiver::is_terminated).
    pub fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }

    /// See [`Receiver::is_empty`](::tokio::sync::oneshot::Receiver::is_empty).
    pub fn is_empty(&self) -> bool {
        self.inner.is_empty()
    }

    /// Takes the message if it is there; see [`Receiver::try_recv`](::tokio::sync::oneshot::Receiver::try_recv).
    ///
    /// # Errors
    /// When it is not there yet, and when it never will be.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let result = self.inner.try_recv();
        if result.is_ok() {
            self.receiving.ended(true, None);
        }
        result
    }

    /// Waits for the message where that may block the thread; see
    /// [`Receiver::blocking_recv`](::tokio::sync::oneshot::Receiver::blocking_recv).
    ///
    /// # Errors
    /// When the sender went without sending.
    ///
    /// # Panics
    /// Within an asynchronous context.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        let site = Location::caller();
        let (mut receiving, inner) = self.parts();
        let result = inner.blocking_recv();
        receiving.ended(result.is_ok(), Some(site));
        result
    }

    fn parts(self) -> (Receiving, tokios::Receiver<T>) {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: both are read once, and `this` is neither used nor dropped after that.
        unsafe { (std::ptr::read(&raw const this.receiving), std::ptr::read(&raw const this.inner)) }
    }

    /// tokio's own receiver. What becomes of the message is not watched from here on.
    pub fn into_inner(self) -> tokios::Receiver<T> {
        self.parts().1
    }
}

impl<T> Named for Sender<T> {
    /// Names those that are made on this line: there are as many as there are requests, and none is known by itself.
    fn set_name(&self, name: &str) {
        if let Some(site) = self.site {
            site.oneshots.set_name(name);
        }
    }
}

impl<T> Named for Receiver<T> {
    /// Names those that are made on this line, as [`Sender`] does.
    fn set_name(&self, name: &str) {
        if let Some(site) = self.receiving.site {
            site.oneshots.set_name(name);
        }
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let inner = Pin::new(&mut this.inner);
        let Some(site) = this.receiving.site else { return inner.poll(cx) };
        let poll = inner.poll(cx);
        let sent = match &poll {
            Poll::Ready(result) => Poll::Ready(result.is_ok()),
            Poll::Pending => Poll::Pending,
        };
        this.receiving.polled(site, sent, Location::caller());
        poll
    }
}

impl<T> Drop for Receiver<T> {
    #[inline]
    fn drop(&mut self) {
        if let Some(site) = self.receiving.site
            && !self.inner.is_terminated()
            && !self.inner.is_empty()
        {
            site.oneshots.unreceived(None);
        }
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
    /// Of a channel that was made by tokio itself, and is not watched.
    fn from(inner: tokios::Sender<T>) -> Self {
        Self { site: None, inner }
    }
}

impl<T> From<tokios::Receiver<T>> for Receiver<T> {
    /// Of a channel that was made by tokio itself, and is not watched.
    fn from(inner: tokios::Receiver<T>) -> Self {
        let receiving = Receiving { site: None, waiting: Some(PolledWait::new()) };
        Self { receiving, inner }
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
