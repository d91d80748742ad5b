//! A bounded channel that the `tracing` layer is told of, as a semaphore without a name: of its room, and nothing else. A
//! place that is taken counts as a message sent, one that is given back as a message received. What is sent by `try_send`
//! takes its place without a word, so there may be more in the channel than is known; never less.
use std::sync::atomic::Ordering::Relaxed;

use super::{ChannelKind, ChannelRef, ChannelSlot, set_if_new};
use crate::recorder::{Recorder, clock, site::SiteInfo, thread};

impl ChannelSlot {
    /// A slot for such a channel, whose capacity is not known yet; `None` when it is to be counted only.
    pub(crate) fn told(recorder: &'static Recorder, info: &SiteInfo) -> Option<ChannelRef> {
        let channel = Self::register(recorder, info, ChannelKind::Mpsc, 0)?;
        let slot = channel.slot();
        slot.inferred.store(true, Relaxed);
        // Not counted; as long as it is there, somebody has an end of it.
        slot.senders(1);
        slot.receivers(1);
        Some(channel)
    }

    /// The reference that was taken over by whoever calls this.
    pub(crate) fn told_ref(&'static self) -> ChannelRef {
        ChannelRef(self)
    }

    /// So many messages fit.
    pub(crate) fn told_capacity(&'static self, capacity: u64) {
        self.capacity.store(capacity, Relaxed);
        self.mark();
    }

    /// Whether no room is left, as far as is known.
    pub(crate) fn told_full(&self) -> bool {
        let taken = self.sending.sent.load(Relaxed).saturating_sub(self.receiving.first.passed.load(Relaxed));
        taken >= self.capacity.load(Relaxed) || self.sending.blocked.load(Relaxed) > 0
    }

    /// Room was taken, for `n` messages.
    pub(crate) fn told_taken(&'static self, n: u64) {
        self.sending.sent.fetch_add(n, Relaxed);
        set_if_new(&self.sending.task, thread::current_task_id());
        self.mark();
    }

    /// Room was given back, of `n` messages.
    pub(crate) fn told_given_back(&'static self, n: u64) {
        let receiving = &self.receiving;
        let received = receiving.first.passed.fetch_add(n, Relaxed) + n;
        // What came out was in it.
        self.sending.sent.fetch_max(received, Relaxed);
        receiving.first.asked_at.store(clock::ticks(), Relaxed);
        self.mark();
    }

    /// Room that was given back went to a sender that had waited, which is told now.
    pub(crate) fn told_handed_over(&'static self) {
        self.told_taken(1);
        self.told_given_back(1);
    }

    /// A send begins to wait. So there is no room: whatever was sent without a word is known by now.
    pub(crate) fn told_blocked(&'static self) {
        let sending = &self.sending;
        let full = self.receiving.first.passed.load(Relaxed) + self.capacity.load(Relaxed);
        sending.sent.fetch_max(full, Relaxed);
        sending.blocked.fetch_add(1, Relaxed);
        sending.sends_blocked.fetch_add(1, Relaxed);
        set_if_new(&sending.task, thread::current_task_id());
        self.mark();
    }
}
