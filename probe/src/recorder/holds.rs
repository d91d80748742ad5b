//! What several may hold at the same time: an `RwLock`'s readers, a semaphore's permits. The counts are exact; of the
//! holds themselves the first few are listed, which a reader sees by comparing the two.
#[cfg(feature = "layer")]
mod told;

use std::{
    panic::Location,
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU16, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::{
    arena::{Head, Slot},
    clock,
    lock::{LockKind, LockSlot, location, set_location},
    thread::{self, Holder},
    wait::{Awaited, WaitKind},
};

/// Holds that are listed.
const LISTED: usize = 4;

/// Beside the slot of a lock that can be shared; a mutex has none.
#[repr(C, align(64))]
pub(crate) struct HoldsSlot {
    head: Head,
    closed: AtomicBool,
    /// Nothing tells one hold from another: `extra` is how many permits are held.
    pooled: AtomicBool,
    waiting_writers: AtomicU32,
    /// Permits there are.
    total: AtomicU64,
    /// Permits held, less one for each hold: so a hold of one permit, the usual one, does not touch it. Wraps.
    extra: AtomicU64,
    /// Holds that ended; there were as many as the lock's `acquires`.
    released: AtomicU64,
    /// Permits whose guard was forgotten.
    forgotten: AtomicU64,

    entries: [Entry; LISTED],
}

/// One hold. Whoever claims an entry is its only writer until the hold ends.
struct Entry {
    /// Ticks; 0 when free, [`CLAIMED`] while the rest is being written.
    since: AtomicU64,
    /// 0 outside of any task.
    task: AtomicU64,
    site: AtomicPtr<Location<'static>>,
    permits: AtomicU32,
    /// The [`Holder::mark`], and in the top bit whether nobody else can hold it.
    mark: AtomicU16,
}

const MUTEX: u8 = LockKind::Mutex as u8;
const RW_LOCK: u8 = LockKind::RwLock as u8;

const CLAIMED: u64 = 1;
const EXCLUSIVE: u16 = 1 << 15;

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for HoldsSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

/// Everything that is read of a [`HoldsSlot`] at once; `since` of a hold in ticks.
#[derive(Debug, Clone, Default)]
pub(crate) struct HoldsReading {
    pub(crate) closed: bool,
    pub(crate) waiting_writers: u32,
    pub(crate) total: u64,
    pub(crate) available: u64,
    pub(crate) holders: u32,
    pub(crate) forgotten: u64,
    pub(crate) listed: [Option<HoldReading>; LISTED],
}

/// One reading of a hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HoldReading {
    pub(crate) task: u64,
    /// `None` where it is not known.
    pub(crate) site: Option<&'static Location<'static>>,
    pub(crate) since: u64,
    pub(crate) permits: u32,
    pub(crate) exclusive: bool,
}

impl HoldsSlot {
    /// Forgets everything: it is about to belong to a new lock, with `total` permits.
    pub(super) fn reset(&self, total: u64) {
        self.closed.store(false, Relaxed);
        self.pooled.store(false, Relaxed);
        self.waiting_writers.store(0, Relaxed);
        self.total.store(total, Relaxed);
        for counter in [&self.extra, &self.released, &self.forgotten] {
            counter.store(0, Relaxed);
        }
        for entry in &self.entries {
            entry.since.store(0, Release);
        }
    }

    /// Everything there is to read, of a lock that was acquired `acquires` times. The caller makes sure that the slot
    /// still is that lock's.
    pub(super) fn read(&self, acquires: u64) -> HoldsReading {
        let listed = self.entries.each_ref().map(Entry::read);
        let total = self.total.load(Relaxed);
        // Acquires were read before this, so what ended since then may make it seem less than none.
        let holders = acquires.wrapping_sub(self.released.load(Relaxed)).cast_signed().max(0) as u64;
        let extra = self.extra.load(Relaxed);
        let held = holders.wrapping_add(extra).cast_signed().max(0) as u64;
        // As many holds as permits: at most, and more than are listed.
        let (holders, held) = if self.pooled.load(Relaxed) { (extra, extra) } else { (holders, held) };
        HoldsReading {
            closed: self.closed.load(Relaxed),
            waiting_writers: self.waiting_writers.load(Relaxed),
            total,
            available: total.saturating_sub(held),
            holders: u32::try_from(holders).unwrap_or(u32::MAX),
            forgotten: self.forgotten.load(Relaxed),
            listed,
        }
    }

    fn claim(&self, hold: Hold, since: u64) -> Option<u8> {
        let entry = self.entries.iter().position(|entry| {
            entry.since.load(Relaxed) == 0 && entry.since.compare_exchange(0, CLAIMED, Acquire, Relaxed).is_ok()
        })?;
        let of = &self.entries[entry];
        of.task.store(hold.holder.task, Relaxed);
        set_location(&of.site, hold.site);
        of.permits.store(hold.permits, Relaxed);
        of.mark.store(hold.holder.mark & !EXCLUSIVE | if hold.exclusive { EXCLUSIVE } else { 0 }, Relaxed);
        of.since.store(since, Release);
        Some(entry as u8)
    }
}

impl Entry {
    /// See [`Held::kept_out_others`].
    fn kept_out_others(&self, lock: &LockSlot) -> bool {
        let mark = self.mark.load(Relaxed);
        let keeps_out = match lock.kind() {
            MUTEX => true,
            RW_LOCK => mark & EXCLUSIVE != 0 || lock.waiters() > 0,
            _ => false,
        };
        keeps_out && thread::was_suspended(Holder { task: self.task.load(Relaxed), mark: mark & !EXCLUSIVE })
    }

    fn read(&self) -> Option<HoldReading> {
        let since = self.since.load(Acquire);
        let (task, site) = (self.task.load(Acquire), location(&self.site));
        let (permits, mark) = (self.permits.load(Relaxed), self.mark.load(Acquire));
        if since <= CLAIMED || self.since.load(Acquire) != since {
            return None;
        }
        Some(HoldReading { task, site, since, permits, exclusive: mark & EXCLUSIVE != 0 })
    }
}

#[derive(Clone, Copy)]
struct Hold {
    holder: Holder,
    site: Option<&'static Location<'static>>,
    permits: u32,
    exclusive: bool,
}

/// The slot of a lock that can be shared.
#[derive(Clone, Copy)]
pub(crate) struct Shared {
    lock: &'static LockSlot,
    holds: &'static HoldsSlot,
}

impl Shared {
    /// `None` for a lock that only one can hold.
    #[inline]
    pub(crate) fn of(lock: &'static LockSlot) -> Option<Self> {
        Some(Self { lock, holds: lock.holds()? })
    }

    /// `permits` were acquired at `site`, by the task in poll if there is one; nobody else holds any if `exclusive`.
    #[inline]
    pub(crate) fn acquired(self, site: &'static Location<'static>, permits: u32, exclusive: bool) -> Held {
        self.lock.count_acquire();
        self.hold(Some(site), permits, exclusive, clock::ticks())
    }

    #[inline]
    fn hold(self, site: Option<&'static Location<'static>>, permits: u32, exclusive: bool, since: u64) -> Held {
        if permits != 1 {
            self.holds.extra.fetch_add(u64::from(permits).wrapping_sub(1), Relaxed);
        }
        let entry = self.holds.claim(Hold { holder: thread::holder(), site, permits, exclusive }, since);
        self.lock.mark();
        Held { of: self, since, site, permits, entry }
    }

    /// Permits were added.
    pub(crate) fn add_permits(self, n: u64) {
        self.holds.total.fetch_add(n, Relaxed);
        self.lock.mark();
    }

    /// Permits were taken away for good.
    pub(crate) fn take_permits(self, n: u64) {
        self.holds.total.fetch_sub(n, Relaxed);
        self.lock.mark();
    }

    /// No more permits are given.
    pub(crate) fn closed(self) {
        self.holds.closed.store(true, Relaxed);
        self.lock.mark();
    }
}

/// A hold in progress. Dropping it ends it, which must come before the permits are really given back.
pub(crate) struct Held {
    of: Shared,
    since: u64,
    site: Option<&'static Location<'static>>,
    permits: u32,
    /// Index of the entry; `None` when all were taken.
    entry: Option<u8>,
}

impl Held {
    fn entry(&self) -> Option<&'static Entry> {
        self.entry.map(|entry| &self.of.holds.entries[entry as usize])
    }

    fn set_permits(&mut self, permits: u32) {
        self.of.holds.extra.fetch_add(u64::from(permits).wrapping_sub(self.permits.into()), Relaxed);
        self.permits = permits;
        if let Some(entry) = self.entry() {
            entry.permits.store(permits, Relaxed);
        }
        self.of.lock.mark();
    }

    /// From now on it is one of several holds, of one permit.
    pub(crate) fn downgrade(&mut self) {
        if let Some(entry) = self.entry() {
            entry.mark.store(entry.mark.load(Relaxed) & !EXCLUSIVE, Release);
        }
        self.set_permits(1);
    }

    /// A hold of `n` of its permits, that began when this one did.
    pub(crate) fn split(&mut self, n: u32) -> Held {
        self.set_permits(self.permits.saturating_sub(n));
        // One hold more, without an acquisition.
        self.of.holds.released.fetch_sub(1, Relaxed);
        self.of.hold(self.site, n, false, self.since)
    }

    /// Takes over the permits of another hold of the same lock.
    pub(crate) fn merge(&mut self, other: Held) {
        let permits = self.permits.saturating_add(other.permits);
        other.end();
        self.set_permits(permits);
    }

    /// Takes over permits of which nothing was known.
    pub(crate) fn absorb(&mut self, permits: u32) {
        self.of.add_permits(permits.into());
        self.set_permits(self.permits.saturating_add(permits));
    }

    /// Its permits are held on, by somebody of whom nothing is known.
    pub(crate) fn lose_sight(self) {
        self.of.take_permits(self.permits.into());
        self.end();
    }

    /// Its permits are gone for good.
    pub(crate) fn forget(self) {
        let (of, permits) = (self.of, self.permits);
        of.holds.forgotten.fetch_add(permits.into(), Relaxed);
        of.holds.total.fetch_sub(permits.into(), Relaxed);
        self.end();
    }

    /// Ends it without counting its time.
    fn end(self) {
        self.give_back();
        std::mem::forget(self);
    }

    #[inline]
    fn give_back(&self) {
        let holds = self.of.holds;
        if let Some(entry) = self.entry() {
            entry.since.store(0, Release);
        }
        if self.permits != 1 {
            holds.extra.fetch_sub(u64::from(self.permits).wrapping_sub(1), Relaxed);
        }
        holds.released.fetch_add(1, Relaxed);
        self.of.lock.mark();
    }

    /// Whether its task was suspended since it acquired, and so kept somebody out: permits of a semaphore are meant to
    /// be held, and readers keep out nobody but those who wait to write.
    fn kept_out_others(&self) -> bool {
        self.entry().is_some_and(|entry| entry.kept_out_others(self.of.lock))
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        let now = clock::ticks();
        let took = now.saturating_sub(self.since);
        self.of.lock.shared_hold(took, self.site);
        if self.kept_out_others() {
            self.of.lock.suspended(took, now, self.site, false);
        }
        self.give_back();
    }
}

/// How a lock is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Any permits.
    Permits,
    Read,
    Write,
}

/// An `await` for a lock that can be shared. Only for locks that outlive it, as a borrow or an `Arc` of the lock shows.
pub(crate) struct SharedAwaited {
    pub(crate) lock: Option<Shared>,
    pub(crate) mode: Mode,
}

impl Awaited for SharedAwaited {
    fn target(&self) -> Option<(WaitKind, u64)> {
        let kind = if self.mode == Mode::Read { WaitKind::LockRead } else { WaitKind::Lock };
        self.lock.map(|lock| (kind, lock.lock.id()))
    }

    fn pending(&self) {
        if let Some(lock) = self.lock {
            lock.wait_begins(self.mode);
        }
    }

    fn ended(&self, waited: u64, completed: bool) {
        if let Some(lock) = self.lock {
            lock.wait_ended(self.mode, waited, completed);
        }
    }
}

impl Shared {
    /// Somebody begins to wait for it.
    pub(crate) fn wait_begins(self, mode: Mode) {
        if mode == Mode::Write {
            self.holds.waiting_writers.fetch_add(1, Relaxed);
        }
        self.lock.wait_begins();
    }

    /// A wait of `waited` ticks ended, with the lock or without.
    pub(crate) fn wait_ended(self, mode: Mode, waited: u64, acquired: bool) {
        if mode == Mode::Write {
            self.holds.waiting_writers.fetch_sub(1, Relaxed);
        }
        self.lock.wait_ended(waited, acquired);
    }

    /// A thread begins to wait, for what `blocking_read` and the like do.
    pub(crate) fn blocks(self, mode: Mode) -> Blocking {
        self.wait_begins(mode);
        Blocking { lock: self, mode, since: clock::ticks(), acquired: false }
    }
}

/// A thread that waits. Dropped without [`Blocking::acquired`] when tokio refuses to block.
pub(crate) struct Blocking {
    lock: Shared,
    mode: Mode,
    since: u64,
    acquired: bool,
}

impl Blocking {
    pub(crate) fn acquired(mut self) {
        self.acquired = true;
    }
}

impl Drop for Blocking {
    fn drop(&mut self) {
        self.lock.wait_ended(self.mode, clock::ticks().wrapping_sub(self.since), self.acquired);
    }
}
