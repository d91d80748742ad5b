//! From a span's id to what it stands for.
use std::sync::atomic::{
    AtomicU8, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use crate::recorder::{
    Recorder,
    by_id::{ById, Place, Value},
    channel::{ChannelRef, ChannelSlot},
    foreign,
    holds::{Mode, Shared},
    lock::LockSlot,
    site::Site,
    subject::{Lasting, Subject},
    task::TaskSlot,
    totals::Total,
    wait::{WaitKind, told::Kept},
};

/// All spans that are wanted and live.
static SPANS: ById<Span> = ById::new();

/// The span of that id, if it is wanted and lives.
#[inline]
pub(super) fn find(id: u64) -> Option<&'static Place<Span>> {
    SPANS.find(id)
}

/// A place for a span that has come up, to be [entered](Span) or given back; `None` at the ceiling, where whoever asks counts
/// what is not told of. Before there is a slot: one that is there is told of.
pub(super) fn place_for(recorder: &'static Recorder, id: u64) -> Option<&'static Place<Span>> {
    SPANS.claim(recorder, id)
}

/// Details that are not told of, since their spans found no place.
static SHED: AtomicU64 = AtomicU64::new(0);

/// A span found no place that stands for nothing of its own.
pub(super) fn count_shed() {
    SHED.fetch_add(1, Relaxed);
}

/// How many did not.
pub(crate) fn shed() -> u64 {
    SHED.load(Relaxed)
}

/// Bytes that the table takes.
pub(crate) fn memory_bytes() -> u64 {
    SPANS.memory_bytes()
}

/// What a span stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Nothing yet, or no more.
    None = 0,
    Task,
    /// `Mutex`, `RwLock`, `Semaphore`.
    Lock,
    Barrier,
    /// The permits of a semaphore.
    Permits,
    /// The room of a bounded channel.
    Channel,
    Oneshot,
    /// One operation on a lock or a barrier, that may have to wait.
    Operation,
    /// The same on a channel: a send.
    Send,
}

/// Bits of a oneshot's [`Span::bits`].
pub(super) mod oneshot {
    pub(in super::super) const SENT: u8 = 1;
    pub(in super::super) const RECEIVED: u8 = 2;
    pub(in super::super) const SENDER_DROPPED: u8 = 4;
    pub(in super::super) const RECEIVER_DROPPED: u8 = 8;
}

/// In a send's [`Span::bits`]: it has its room.
pub(super) const HAS_ROOM: u8 = 1;

/// One span.
pub(super) struct Span {
    kind: AtomicU8,
    /// Of an operation: what is waited for; else facts about it.
    bits: AtomicU8,
    of: Subject,
    /// A task's id; a root's thread: see [`super::here::is_in_task`].
    task: AtomicU64,
    thread: AtomicU64,
    pub(super) wait: Kept,
}

// SAFETY: atomics only; zero is valid.
unsafe impl Value for Span {}

impl Span {
    /// The span in that place stands for `of`.
    fn enter(place: &'static Place<Self>, kind: Kind, of: &'static impl Lasting) {
        let span = place.value();
        span.bits.store(0, Relaxed);
        span.of.set(of);
        span.kind.store(kind as u8, Release);
    }

    /// A task's id and slot, and 0 or the only thread that may poll it.
    pub(super) fn enter_task(place: &'static Place<Self>, task: u64, slot: &'static TaskSlot, thread: u64) {
        let span = place.value();
        span.task.store(task, Relaxed);
        span.thread.store(thread, Relaxed);
        Self::enter(place, Kind::Task, slot);
    }

    pub(super) fn enter_lock(place: &'static Place<Self>, kind: Kind, lock: &'static LockSlot) {
        Self::enter(place, kind, lock);
    }

    /// Takes over the reference, to be given back when the span closes.
    pub(super) fn enter_channel(place: &'static Place<Self>, channel: ChannelRef) {
        Self::enter(place, Kind::Channel, channel.slot());
        std::mem::forget(channel);
    }

    pub(super) fn enter_oneshot(place: &'static Place<Self>, site: &'static Site) {
        Self::enter(place, Kind::Oneshot, site);
    }

    /// An operation on what `resource` stands for.
    pub(super) fn enter_operation(place: &'static Place<Self>, resource: &'static Self, mode: Mode) {
        let span = place.value();
        span.of.set_as(&resource.of);
        span.bits.store(mode as u8, Relaxed);
        let kind = if resource.kind() == Kind::Channel { Kind::Send } else { Kind::Operation };
        span.kind.store(kind as u8, Release);
    }

    /// What it stands for is not to be told of any more: of a semaphore it would be said how many permits it has, which is
    /// told by a span that finds no place.
    pub(super) fn forget_lock(&self, recorder: &'static Recorder, lock: &'static LockSlot) {
        self.kind.store(Kind::None as u8, Release);
        lock.retire();
        recorder.locks.count_shed();
    }

    #[inline]
    pub(super) fn kind(&self) -> Kind {
        match self.kind.load(Acquire) {
            1 => Kind::Task,
            2 => Kind::Lock,
            3 => Kind::Barrier,
            4 => Kind::Permits,
            5 => Kind::Channel,
            6 => Kind::Oneshot,
            7 => Kind::Operation,
            8 => Kind::Send,
            _ => Kind::None,
        }
    }

    /// A task's id and slot.
    #[inline]
    pub(super) fn task(&self) -> Option<(u64, &'static TaskSlot)> {
        let slot = if self.kind() == Kind::Task { self.of.get() } else { None };
        slot.map(|slot| (self.task.load(Relaxed), slot))
    }

    /// The only thread that may poll the task; 0 for any.
    #[inline]
    pub(super) fn thread(&self) -> u64 {
        self.thread.load(Relaxed)
    }

    /// What is acquired, or acquired from.
    pub(super) fn lock(&self) -> Option<&'static LockSlot> {
        let is_lock = matches!(self.kind(), Kind::Lock | Kind::Barrier | Kind::Permits | Kind::Operation);
        if is_lock { self.of.get() } else { None }
    }

    pub(super) fn shared(&self) -> Option<Shared> {
        Shared::of(self.lock()?)
    }

    pub(super) fn channel(&self) -> Option<&'static ChannelSlot> {
        let is_channel = matches!(self.kind(), Kind::Channel | Kind::Send);
        if is_channel { self.of.get() } else { None }
    }

    /// Where a oneshot was made.
    pub(super) fn site(&self) -> Option<&'static Site> {
        if self.kind() == Kind::Oneshot { self.of.get() } else { None }
    }

    /// How an operation waits, and for what.
    pub(super) fn mode(&self) -> Mode {
        match self.bits.load(Relaxed) {
            bits if bits == Mode::Read as u8 => Mode::Read,
            bits if bits == Mode::Write as u8 => Mode::Write,
            _ => Mode::Permits,
        }
    }

    pub(super) fn wait_kind(&self) -> WaitKind {
        match (self.kind(), self.mode()) {
            (Kind::Send, _) => WaitKind::ChannelSend,
            (_, Mode::Read) => WaitKind::LockRead,
            _ => WaitKind::Lock,
        }
    }

    pub(super) fn bits(&self) -> u8 {
        self.bits.load(Acquire)
    }

    /// Sets bits; says which were.
    pub(super) fn set_bits(&self, bits: u8) -> u8 {
        self.bits.fetch_or(bits, Release)
    }
}

/// What a span stands for is gone.
pub(super) fn close(span: &'static Span) {
    match span.kind() {
        // A semaphore goes with its own span, not with that of its permits.
        Kind::None | Kind::Permits => {}
        Kind::Task => {
            if let Some((task, _)) = span.task() {
                foreign::closed(task);
            }
        }
        Kind::Lock | Kind::Barrier => {
            if let Some(lock) = span.lock() {
                lock.retire();
            }
        }
        Kind::Channel => {
            if let Some(channel) = span.channel() {
                drop(channel.told_ref());
            }
        }
        Kind::Oneshot => {
            if let Some(site) = span.site() {
                oneshot_closed(span, site);
            }
        }
        Kind::Operation | Kind::Send => {
            super::tell::operation_ended(span, false);
        }
    }
    span.kind.store(Kind::None as u8, Release);
}

fn oneshot_closed(span: &Span, site: &'static Site) {
    span.wait.end();
    let bits = span.bits();
    let is = |bit| bits & bit != 0;
    let sent_and_lost = is(oneshot::SENT) && !is(oneshot::RECEIVED) && is(oneshot::RECEIVER_DROPPED);
    // Of a send that failed nothing is told, but of a sender that goes without one.
    let sent_to_nobody = !is(oneshot::SENT) && !is(oneshot::SENDER_DROPPED) && is(oneshot::RECEIVER_DROPPED);
    if sent_and_lost || sent_to_nobody {
        site.oneshots.unreceived(None);
    } else if is(oneshot::RECEIVED) {
        site.add(Total::Delivered, 1);
    }
}
