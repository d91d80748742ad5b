//! What a handle holds of its channel's slot.
use std::{panic::Location, task::Poll};

#[cfg(feature = "tokio-util")]
use super::Sender;
use crate::recorder::{
    channel::{self, ChannelKind, ChannelRef, ChannelSlot, ClosedAwaited, RecvAwaited, SendAwaited},
    clock,
    wait::{PolledWait, WaitKind},
};

pub(super) type CallSite = &'static Location<'static>;

/// Both sides of a new channel of `T`s; `capacity` is 0 for an unbounded one.
pub(super) fn sides<T>(kind: ChannelKind, capacity: usize, made: CallSite) -> (SenderSide, ReceiverSide) {
    let channel = ChannelSlot::of::<T>(kind, capacity, made);
    if let Some(channel) = &channel {
        channel.slot().receivers(1);
    }
    (SenderSide::new(channel.clone()), ReceiverSide { channel, waiting: PolledWait::new() })
}

/// A sending handle's hold on the channel.
pub(super) struct SenderSide(pub(super) Option<ChannelRef>);

impl SenderSide {
    pub(super) fn new(channel: Option<ChannelRef>) -> Self {
        if let Some(channel) = &channel {
            channel.slot().senders(1);
        }
        Self(channel)
    }

    /// A hold on the channel that does not count as a sender.
    pub(super) fn channel(&self) -> Option<ChannelRef> {
        self.0.clone()
    }

    /// `n` messages go in, from `site`.
    #[inline]
    pub(super) fn sent(&self, n: u64, site: CallSite) {
        if let Some(channel) = &self.0 {
            channel.slot().sent(n, site);
        }
    }

    /// For a send from `site` that has to wait, with its message or to reserve room.
    pub(super) fn awaited<const LADEN: bool>(&self, site: CallSite) -> SendAwaited<LADEN> {
        SendAwaited { channel: self.channel(), site }
    }

    /// What the future that waits for the receiver to go reports to.
    pub(super) fn closing(&self) -> ClosedAwaited {
        ClosedAwaited(self.0.as_ref().map(ChannelRef::slot))
    }

    /// A thread, or whoever polls, begins to wait for room, with its message or to reserve it.
    pub(super) fn blocking(&self, laden: bool, site: CallSite) -> BlockingSend {
        let channel = self.channel();
        if let Some(channel) = &channel {
            channel.slot().send_blocked(laden, site);
        }
        BlockingSend { channel, laden, since: clock::ticks() }
    }

    /// The handle leaves its wrapper.
    pub(super) fn unwatch(&self) {
        channel::unwatch(self.0.as_ref());
    }
}

impl Clone for SenderSide {
    fn clone(&self) -> Self {
        Self::new(self.channel())
    }
}

impl Drop for SenderSide {
    #[inline]
    fn drop(&mut self) {
        if let Some(channel) = &self.0 {
            channel.slot().senders(-1);
        }
    }
}

/// A thread that waits for room in a channel, or whoever polls for it.
pub(super) struct BlockingSend {
    channel: Option<ChannelRef>,
    laden: bool,
    since: u64,
}

impl Drop for BlockingSend {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.slot().send_unblocked(self.laden, clock::since(self.since));
        }
    }
}

/// A wait for room by those who poll for it.
#[cfg(feature = "tokio-util")]
pub(crate) struct PolledSend(Option<(PolledWait, BlockingSend)>);

#[cfg(feature = "tokio-util")]
impl PolledSend {
    pub(crate) fn new() -> Self {
        Self(None)
    }

    /// A poll from `site` found none.
    pub(crate) fn pending<T>(&mut self, sender: &Sender<T>, site: CallSite) {
        let Some(channel) = &sender.side.0 else { return };
        let (polled, _) = self.0.get_or_insert_with(|| (PolledWait::new(), sender.side.blocking(false, site)));
        polled.pending(WaitKind::ChannelSend, channel.slot().id(), site);
    }

    /// There is room, or nobody waits for it any more.
    pub(crate) fn over(&mut self) {
        self.0 = None;
    }
}

/// The receiving handle's hold on the channel.
pub(super) struct ReceiverSide {
    pub(super) channel: Option<ChannelRef>,
    /// For those who poll the receiver itself.
    waiting: PolledWait,
}

impl ReceiverSide {
    /// Of a channel that is not watched.
    pub(super) fn unwatched() -> Self {
        Self { channel: None, waiting: PolledWait::new() }
    }

    /// What the future of a receive reports to.
    #[inline]
    pub(super) fn awaited(&mut self) -> RecvAwaited {
        self.waiting.over();
        RecvAwaited(self.channel.as_ref().map(ChannelRef::slot))
    }

    /// A receive from `site` by `poll`; `count` says how many messages came out.
    #[inline]
    pub(super) fn receive<R>(&self, site: CallSite, poll: impl FnOnce() -> R, count: impl FnOnce(&R) -> usize) -> R {
        if self.channel.is_none() {
            return poll();
        }
        self.asked(site);
        let result = poll();
        self.came(count(&result));
        result
    }

    /// Somebody asks for messages.
    #[inline]
    pub(super) fn asked(&self, site: CallSite) {
        if let Some(channel) = &self.channel {
            channel.slot().asked(site);
        }
    }

    /// So many messages came out.
    #[inline]
    pub(super) fn came(&self, count: usize) {
        if let Some(channel) = &self.channel
            && count > 0
        {
            channel.slot().received(count as u64);
        }
    }

    /// Somebody polled the receiver itself.
    #[inline]
    pub(super) fn polled<R>(&mut self, site: CallSite, poll: &Poll<R>) {
        match &self.channel {
            Some(channel) if poll.is_pending() => {
                self.waiting.pending(WaitKind::ChannelRecv, channel.slot().id(), site);
            }
            _ => self.waiting.over(),
        }
    }

    /// The receiver takes no more messages.
    pub(super) fn closed(&self) {
        if let Some(channel) = &self.channel {
            channel.slot().closed();
        }
    }

    /// The handle leaves its wrapper.
    pub(super) fn unwatch(&self) {
        channel::unwatch(self.channel.as_ref());
    }
}

impl Drop for ReceiverSide {
    fn drop(&mut self) {
        if let Some(channel) = &self.channel {
            channel.slot().closed();
            channel.slot().receivers(-1);
        }
    }
}
