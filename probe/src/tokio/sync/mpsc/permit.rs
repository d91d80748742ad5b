//! Room in a bounded channel, reserved.
use std::{fmt, iter::FusedIterator, panic::Location};

use ::tokio::sync::mpsc as raw;

use super::{Sender, watch::SenderSide};

/// Room for one message; see [`tokio::sync::mpsc::Permit`](::tokio::sync::mpsc::Permit).
pub struct Permit<'a, T> {
    inner: raw::Permit<'a, T>,
    side: &'a SenderSide,
}

/// Room for some messages; see [`tokio::sync::mpsc::PermitIterator`](::tokio::sync::mpsc::PermitIterator).
pub struct PermitIterator<'a, T> {
    inner: raw::PermitIterator<'a, T>,
    side: &'a SenderSide,
}

/// Room for one message, with the sender; see [`tokio::sync::mpsc::OwnedPermit`](::tokio::sync::mpsc::OwnedPermit).
pub struct OwnedPermit<T> {
    inner: raw::OwnedPermit<T>,
    side: SenderSide,
}

impl<'a, T> Permit<'a, T> {
    pub(super) fn new(inner: raw::Permit<'a, T>, side: &'a SenderSide) -> Self {
        Self { inner, side }
    }

    /// Sends a message; see [`Permit::send`](::tokio::sync::mpsc::Permit::send).
    #[track_caller]
    pub fn send(self, value: T) {
        self.side.sent(1, Location::caller());
        self.inner.send(value);
    }
}

impl<'a, T> PermitIterator<'a, T> {
    pub(super) fn new(inner: raw::PermitIterator<'a, T>, side: &'a SenderSide) -> Self {
        Self { inner, side }
    }
}

impl<'a, T> Iterator for PermitIterator<'a, T> {
    type Item = Permit<'a, T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next().map(|permit| Permit::new(permit, self.side))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<T> ExactSizeIterator for PermitIterator<'_, T> {}
impl<T> FusedIterator for PermitIterator<'_, T> {}

impl<T> OwnedPermit<T> {
    pub(super) fn new(inner: raw::OwnedPermit<T>, side: SenderSide) -> Self {
        Self { inner, side }
    }

    /// Sends a message; see [`OwnedPermit::send`](::tokio::sync::mpsc::OwnedPermit::send).
    #[track_caller]
    pub fn send(self, value: T) -> Sender<T> {
        self.side.sent(1, Location::caller());
        Sender { inner: self.inner.send(value), side: self.side }
    }

    /// Gives the room back; see [`OwnedPermit::release`](::tokio::sync::mpsc::OwnedPermit::release).
    pub fn release(self) -> Sender<T> {
        Sender { inner: self.inner.release(), side: self.side }
    }

    /// See [`OwnedPermit::same_channel`](::tokio::sync::mpsc::OwnedPermit::same_channel).
    pub fn same_channel(&self, other: &Self) -> bool {
        self.inner.same_channel(&other.inner)
    }

    /// See [`OwnedPermit::same_channel_as_sender`](::tokio::sync::mpsc::OwnedPermit::same_channel_as_sender).
    pub fn same_channel_as_sender(&self, sender: &Sender<T>) -> bool {
        self.inner.same_channel_as_sender(&sender.inner)
    }
}

impl<T> fmt::Debug for Permit<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for PermitIterator<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for OwnedPermit<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
