//! A channel's slot: what went in is counted by the senders, what came out by the receiver, on lines of their own.
#[cfg(feature = "layer")]
mod told;

use std::{
    any::type_name,
    panic::Location,
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use ::tokio::task::coop::has_budget_remaining;

use super::{
    Recorder, active,
    arena::{Head, Slot},
    disposal::{Disposal, DisposalReading},
    lazy::Lazy,
    names::Name,
    owner::Owner,
    readers::{self, Entry, Reader, ReadersReading, ReadersSlot},
    refs::Refs,
    site::{Site, SiteInfo, SiteKind, is_passed_on},
    started, thread,
    totals::Total,
    wait::{Awaited, WaitKind},
};

/// Which channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ChannelKind {
    Mpsc = 1,
    MpscUnbounded = 2,
    Broadcast = 3,
    Watch = 4,
}

/// Three lines: the senders', one that is hardly written, the receiver's. In this order, since there are CPUs that fetch
/// lines in pairs: no pair has the lines of both ends of a channel.
#[repr(C, align(64))]
pub(crate) struct ChannelSlot {
    sending: Sending,

    head: Head,
    kind: AtomicU8,
    closed: AtomicBool,
    name: Name,
    /// What is told of it is inferred from room taken and given back: what its receiver does is not known.
    inferred: AtomicBool,
    /// It was made by way of the standard library, and goes by the line that first uses it.
    homeless: AtomicBool,
    /// Handles of any sort; the last one frees the slot.
    refs: Refs,
    owner: Owner,
    site: AtomicPtr<Site>,
    /// 0 when unbounded.
    capacity: AtomicU64,
    /// Of a broadcast only.
    readers: Lazy<ReadersSlot>,
    /// Ticks.
    #[cfg(feature = "console")]
    made_at: AtomicU64,

    receiving: Receiving,
}

#[repr(C, align(64))]
struct Sending {
    sent: AtomicU64,
    senders: AtomicU32,
    blocked: AtomicU32,
    sends_blocked: AtomicU64,
    wait_total: AtomicU64,
    task: AtomicU64,
    site: AtomicPtr<Location<'static>>,
    /// Of a broadcast or watch: sends that found no receiver.
    unheard: AtomicU64,
    /// Of those that are blocked: that have a message.
    laden: AtomicU32,
}

#[repr(C, align(64))]
struct Receiving {
    /// The receiver; of a broadcast, the first of its receivers.
    first: Entry,
    receivers: AtomicU32,
    /// Of a broadcast or watch: who dropped the last receiver.
    left: Disposal,
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for ChannelSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

/// Everything that is read of a channel at once; times in ticks.
#[derive(Debug, Clone)]
pub(crate) struct ChannelReading {
    pub(crate) id: u64,
    pub(crate) kind: u8,
    pub(crate) site: &'static Site,
    /// Of [`names`](super::names).
    pub(crate) name: u16,
    pub(crate) capacity: u64,
    #[cfg(feature = "console")]
    pub(crate) made_at: u64,
    pub(crate) closed: bool,
    pub(crate) inferred: bool,
    pub(crate) sent: u64,
    pub(crate) received: u64,
    pub(crate) senders: u32,
    pub(crate) receivers: u32,
    pub(crate) blocked_senders: u32,
    pub(crate) blocked_with_message: u32,
    pub(crate) sends_blocked: u64,
    pub(crate) send_wait_total: u64,
    pub(crate) sender_task: u64,
    pub(crate) send_site: Option<&'static Location<'static>>,
    pub(crate) unheard: u64,
    pub(crate) last_recv_at: u64,
    pub(crate) receiver_task: u64,
    pub(crate) recv_site: Option<&'static Location<'static>>,
    /// Of a broadcast only.
    pub(crate) readers: Option<ReadersReading>,
    /// Of a broadcast or watch without receivers: who dropped the last one.
    pub(crate) left: Option<DisposalReading>,
}

/// A handle's hold on a channel's slot.
pub(crate) struct ChannelRef(&'static ChannelSlot);

impl Clone for ChannelRef {
    fn clone(&self) -> Self {
        self.0.refs.retain();
        Self(self.0)
    }
}

impl Drop for ChannelRef {
    fn drop(&mut self) {
        if self.0.refs.release() == 1 {
            self.0.retire();
        }
    }
}

impl ChannelRef {
    #[inline]
    pub(crate) fn slot(&self) -> &'static ChannelSlot {
        self.0
    }
}

impl ChannelSlot {
    /// A slot for a new channel of `T`s that was made at `made` and has no handles yet; `None` while nothing is recorded,
    /// and when it is to be counted only.
    pub(crate) fn of<T>(kind: ChannelKind, capacity: usize, made: &'static Location<'static>) -> Option<ChannelRef> {
        let info = SiteInfo::of_thing(SiteKind::Channel, made, type_name::<T>());
        Self::register(active()?, &info, kind, capacity)
    }

    /// A slot for a new channel with no handles yet; `None` when it is to be counted only.
    pub(crate) fn register(
        recorder: &'static Recorder,
        info: &SiteInfo,
        kind: ChannelKind,
        capacity: usize,
    ) -> Option<ChannelRef> {
        let site = recorder.sites.get(info)?;
        let slot = site.made(recorder.channels.take())?;
        slot.readers.reset();
        slot.kind.store(kind as u8, Relaxed);
        slot.closed.store(false, Relaxed);
        slot.name.reset();
        slot.inferred.store(false, Relaxed);
        slot.homeless.store(info.location.location().is_some_and(is_passed_on), Relaxed);
        slot.refs.begin(1);
        slot.site.store(std::ptr::from_ref(site).cast_mut(), Relaxed);
        slot.capacity.store(capacity as u64, Relaxed);
        #[cfg(feature = "console")]
        slot.made_at.store(super::clock::ticks(), Relaxed);
        let (sending, receiving) = (&slot.sending, &slot.receiving);
        for counter in [
            &sending.sent,
            &sending.sends_blocked,
            &sending.wait_total,
            &sending.task,
            &sending.unheard,
            &receiving.first.passed,
            &receiving.first.asked_at,
            &receiving.first.task,
        ] {
            counter.store(0, Relaxed);
        }
        for counter in [&sending.senders, &sending.blocked, &sending.laden, &receiving.receivers] {
            counter.store(0, Relaxed);
        }
        receiving.left.reset();
        sending.site.store(std::ptr::null_mut(), Relaxed);
        receiving.first.site.store(std::ptr::null_mut(), Relaxed);
        slot.owner.enter(recorder.new_id());
        recorder.channels.mark(slot);
        Some(ChannelRef(slot))
    }

    #[cold]
    fn retire(&'static self) {
        let recorder = started();
        if let Some(site) = self.site() {
            site.add(Total::Finished, 1);
        }
        self.owner.leave();
        self.readers.give_back(&recorder.readers);
        recorder.channels.give_back(self);
    }

    fn site(&self) -> Option<&'static Site> {
        // SAFETY: null, or a site, which is never freed.
        unsafe { self.site.load(Acquire).as_ref() }
    }

    /// Of a broadcast: the place of its first receiver.
    pub(super) fn first_reader(&self) -> Option<&Entry> {
        (self.kind.load(Relaxed) == ChannelKind::Broadcast as u8).then_some(&self.receiving.first)
    }

    /// Of a broadcast: what is told of receivers that are too slow, and the places of the others; `None` at the ceiling.
    pub(super) fn readers_or_take(&self) -> Option<&'static ReadersSlot> {
        self.readers.get_or_take(&started().readers, ReadersSlot::reset)
    }

    pub(crate) fn sent_so_far(&self) -> u64 {
        self.sending.sent.load(Relaxed)
    }

    pub(crate) fn id(&self) -> u64 {
        self.owner.id()
    }

    /// What the app calls it.
    pub(crate) fn set_name(&'static self, name: &str) {
        self.name.set(name);
        self.mark();
    }

    /// Whether it was named since this was last asked. For the collector only.
    pub(crate) fn take_renamed(&self) -> bool {
        self.name.take_renamed()
    }

    /// `n` messages were sent at `site`.
    #[inline]
    pub(crate) fn sent(&'static self, n: u64, site: &'static Location<'static>) {
        let sending = &self.sending;
        sending.sent.fetch_add(n, Relaxed);
        set_if_new(&sending.task, thread::current_task_id());
        set_site_if_new(&sending.site, site);
        self.mark();
    }

    /// A send at `site` found no receiver.
    #[cold]
    pub(crate) fn unheard(&'static self, site: &'static Location<'static>) {
        let sending = &self.sending;
        sending.unheard.fetch_add(1, Relaxed);
        set_if_new(&sending.task, thread::current_task_id());
        set_site_if_new(&sending.site, site);
        self.mark();
    }

    /// It is used at `site`.
    #[inline]
    pub(crate) fn used(&'static self, site: &'static Location<'static>) {
        if self.homeless.load(Relaxed) {
            self.settle_at(site);
        }
    }

    #[cold]
    fn settle_at(&'static self, site: &'static Location<'static>) {
        let Some(old) = self.site().filter(|_| self.homeless.swap(false, Relaxed)) else { return };
        let info = SiteInfo::of_thing(SiteKind::Channel, site, old.info.type_name);
        if let Some(new) = started().sites.get(&info) {
            old.add(Total::Finished, 1);
            new.add(Total::Spawned, 1);
            // Others refer to the slot already, and the site may be new.
            self.site.store(std::ptr::from_ref(new).cast_mut(), Release);
            self.name.tell_again();
            self.mark();
        }
    }

    /// A send begins to wait for room; `laden` with its message, and not to reserve it for later.
    pub(crate) fn send_blocked(&'static self, laden: bool, site: &'static Location<'static>) {
        let sending = &self.sending;
        sending.blocked.fetch_add(1, Relaxed);
        if laden {
            sending.laden.fetch_add(1, Relaxed);
        }
        sending.sends_blocked.fetch_add(1, Relaxed);
        set_if_new(&sending.task, thread::current_task_id());
        set_site_if_new(&sending.site, site);
        self.mark();
    }

    /// Such a send stops waiting for room, after `waited` ticks.
    pub(crate) fn send_unblocked(&'static self, laden: bool, waited: u64) {
        if laden {
            self.sending.laden.fetch_sub(1, Relaxed);
        }
        self.sending.blocked.fetch_sub(1, Relaxed);
        self.sending.wait_total.fetch_add(waited, Relaxed);
        self.mark();
    }

    /// The receiver asks for a message at `site`. Only the receiver calls this; one of a broadcast has a place of its own.
    #[inline]
    pub(crate) fn asked(&'static self, site: &'static Location<'static>) {
        let receiver = &self.receiving.first;
        receiver.asked_at.store(thread::poll_started(), Relaxed);
        set_if_new(&receiver.task, thread::current_task_id());
        set_site_if_new(&receiver.site, site);
    }

    /// The receiver got `n` messages. Only the receiver calls this.
    #[inline]
    pub(crate) fn received(&'static self, n: u64) {
        let received = &self.receiving.first.passed;
        received.store(received.load(Relaxed) + n, Relaxed);
        self.mark();
    }

    /// A receiver of a watch has seen what was sent so far.
    pub(crate) fn seen(&'static self) {
        let (sent, received) = (self.sent_so_far(), &self.receiving.first.passed);
        if received.load(Relaxed) < sent {
            received.fetch_max(sent, Relaxed);
        }
        self.mark();
    }

    /// A sending handle came or went.
    pub(crate) fn senders(&'static self, change: i32) {
        self.sending.senders.fetch_add(change as u32, Relaxed);
        self.mark();
    }

    /// The receiving handle came or went. What it leaves behind when it goes is dropped with it.
    pub(crate) fn receivers(&'static self, change: i32) {
        let receiving = &self.receiving;
        let before = receiving.receivers.fetch_add(change as u32, Relaxed);
        if before.wrapping_add_signed(change) == 0 {
            if self.first_reader().is_none() {
                receiving.first.passed.store(self.sending.sent.load(Relaxed), Relaxed);
            }
            if self.kind.load(Relaxed) >= ChannelKind::Broadcast as u8 {
                receiving.left.note();
            }
        }
        self.mark();
    }

    /// No more messages are taken.
    pub(crate) fn closed(&'static self) {
        self.closed.store(true, Relaxed);
        self.mark();
    }

    #[inline]
    pub(super) fn mark(&'static self) {
        started().channels.mark(self);
    }

    /// Everything there is to read; `None` when the slot is free, or changed hands meanwhile.
    pub(crate) fn read(&self) -> Option<ChannelReading> {
        self.owner.read(|id| self.read_of(id))
    }

    fn read_of(&self, id: u64) -> Option<ChannelReading> {
        let (sending, receiving) = (&self.sending, &self.receiving);
        // First what came out, then what went in: then the depth is never below what it was.
        let readers = self.first_reader().map(|first| readers::read(first, self.readers.get(&started().readers)));
        let receivers = receiving.receivers.load(Relaxed);
        let receiver = match readers {
            Some(ReadersReading { slowest, .. }) if slowest.is_some() || receivers > 0 => slowest,
            // The only one, or the last that there was.
            _ => Some(receiving.first.read_alone()),
        };
        // SAFETY: only ever null or a `&'static Location`.
        let send_site = unsafe { sending.site.load(Relaxed).as_ref() };
        let sent = sending.sent.load(Relaxed);
        let inferred = self.inferred.load(Relaxed);
        let kind = self.kind.load(Relaxed);
        // What lies in a channel goes with its last receiver; a watch keeps its value, which nobody has looked at.
        let emptied = receivers == 0 && !inferred && kind != ChannelKind::Watch as u8;
        Some(ChannelReading {
            id,
            kind,
            site: self.site()?,
            name: self.name.id(),
            capacity: self.capacity.load(Relaxed),
            #[cfg(feature = "console")]
            made_at: self.made_at.load(Relaxed),
            closed: self.closed.load(Relaxed),
            inferred,
            sent,
            // A message may be received before its sender has counted it.
            // A broadcast of which no receiver is listed has nothing that is known to lie in it.
            received: if emptied { sent } else { receiver.map_or(sent, |receiver| receiver.passed.min(sent)) },
            senders: sending.senders.load(Relaxed),
            receivers,
            blocked_senders: sending.blocked.load(Relaxed),
            blocked_with_message: sending.laden.load(Relaxed),
            sends_blocked: sending.sends_blocked.load(Relaxed),
            send_wait_total: sending.wait_total.load(Relaxed),
            sender_task: sending.task.load(Relaxed),
            send_site,
            unheard: sending.unheard.load(Relaxed),
            last_recv_at: receiver.map_or(0, |receiver| receiver.asked_at),
            receiver_task: receiver.map_or(0, |receiver| receiver.task),
            recv_site: receiver.and_then(|receiver| receiver.site),
            readers,
            left: receiving.left.read(None).filter(|_| receivers == 0),
        })
    }
}

/// Senders share a line: it is written only when the fact is another.
#[inline]
fn set_if_new(to: &AtomicU64, value: u64) {
    if to.load(Relaxed) != value {
        to.store(value, Relaxed);
    }
}

#[inline]
fn set_site_if_new(to: &AtomicPtr<Location<'static>>, site: &'static Location<'static>) {
    let site = std::ptr::from_ref(site).cast_mut();
    if to.load(Relaxed) != site {
        to.store(site, Relaxed);
    }
}

/// An `await` for room in a channel, with a message or to reserve it.
pub(crate) struct SendAwaited<const LADEN: bool> {
    pub(crate) channel: Option<ChannelRef>,
    pub(crate) site: &'static Location<'static>,
}

impl<const LADEN: bool> Awaited for SendAwaited<LADEN> {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        self.channel.as_ref().map(|channel| (WaitKind::ChannelSend, channel.slot().id()))
    }

    fn pending(&self) {
        if let Some(channel) = &self.channel {
            channel.slot().send_blocked(LADEN, self.site);
        }
    }

    fn ended(&self, waited: u64, _completed: bool) {
        if let Some(channel) = &self.channel {
            channel.slot().send_unblocked(LADEN, waited);
        }
    }
}

/// An `await` for a message.
pub(crate) struct RecvAwaited(pub(crate) Option<&'static ChannelSlot>);

impl Awaited for RecvAwaited {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        self.0.map(|channel| (WaitKind::ChannelRecv, channel.id()))
    }
}

/// An `await` for the receivers of a channel to go.
pub(crate) struct ClosedAwaited(pub(crate) Option<&'static ChannelSlot>);

impl Awaited for ClosedAwaited {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        self.0.map(|channel| (WaitKind::ChannelClosed, channel.id()))
    }
}

/// A handle of a channel was taken out of its wrapper, so the counts no longer hold: nothing more is told of it.
pub(crate) fn unwatch(channel: Option<&ChannelRef>) {
    if let Some(channel) = channel {
        channel.slot().owner.leave();
        channel.slot().mark();
    }
}

/// An `await` for a message of a broadcast, of which so many had been sent before it.
pub(crate) struct ReadAwaited<'a> {
    reader: &'a Reader,
    sent: u64,
}

impl<'a> ReadAwaited<'a> {
    #[inline]
    pub(crate) fn of(reader: &'a Reader) -> Self {
        Self { reader, sent: reader.sent_so_far() }
    }
}

impl Awaited for Option<ReadAwaited<'_>> {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        self.as_ref().map(|awaited| (WaitKind::ChannelRecv, awaited.reader.channel().id()))
    }

    /// Not where the task only has to yield: there may be messages then that the reader has not got.
    #[inline]
    fn waits(&self) -> bool {
        self.is_some() && has_budget_remaining()
    }

    fn pending(&self) {
        if let Some(ReadAwaited { reader, sent }) = self {
            reader.caught_up(*sent);
        }
    }
}
