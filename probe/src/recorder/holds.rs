//! What several may hold at the same time: an `RwLock`'s readers, a semaphore's permits. The counts are exact; of the
//! holds themselves the first few are listed, which a reader sees by comparing the two.
mod awaited;
mod held;
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
    arena::{Arena, Head, Slot},
    clock,
    lazy::Lazy,
    lock::{LockKind, LockSlot, location, set_location},
    since::Since,
    started,
    thread::{self, Holder},
};

#[cfg(feature = "watch-locks")]
pub(crate) use awaited::{Mode, SharedAwaited};
pub(crate) use held::Held;

/// Holds that are listed in entries of the lock's own.
const LISTED: usize = 4;
/// Those that are listed beside it.
const MORE: usize = 4;

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
    /// Holds that ended of those that found no entry; there were as many as the lock's `acquires`.
    released: AtomicU64,
    /// Permits whose guard was forgotten.
    forgotten: AtomicU64,
    lock: AtomicPtr<LockSlot>,
    more: Lazy<MoreHolds>,
    rest: Lazy<RestOfEntries>,

    /// Where one at a time holds it, which is most of what can be shared, the only one.
    first: Entry,
}

/// The other entries of a lock that several have held at the same time.
#[repr(C)]
pub(crate) struct RestOfEntries([Entry; LISTED - 1]);

/// What a lock has that ever had more holds than entries: some of those that are in spare ones.
#[repr(C)]
pub(crate) struct MoreHolds {
    head: Head,
    entries: [AtomicPtr<Entry>; MORE],
}

/// One hold at a time, and the sums of those that were here. Whoever claims an entry is its only writer until the hold
/// ends, so these are plain stores, on a line that no other holder has: it is why a hold takes one locked instruction.
/// A hold that finds no entry at its lock takes a spare one, of which a few are listed beside it: its sums go to the lock's
/// slot.
#[repr(C, align(64))]
pub(crate) struct Entry {
    /// Of a spare one, and of the first one of [`RestOfEntries`].
    head: Head,
    since: Since,
    /// 0 outside of any task.
    task: AtomicU64,
    site: AtomicPtr<Location<'static>>,
    permits: AtomicU32,
    /// The [`Holder::mark`], and in the top bit whether nobody else can hold it.
    mark: AtomicU16,

    /// Acquisitions.
    acquires: AtomicU64,
    // Completed holds.
    hold_total: AtomicU64,
    short_holds: AtomicU32,
    /// Of a spare one: index of the lock's `HoldsSlot`; else [`OWN`].
    of: AtomicU32,
}

const OWN: u32 = u32::MAX;

const MUTEX: u8 = LockKind::Mutex as u8;
const RW_LOCK: u8 = LockKind::RwLock as u8;

const EXCLUSIVE: u16 = 1 << 15;

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for HoldsSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for RestOfEntries {
    fn head(&self) -> &Head {
        &self.0[0].head
    }
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for MoreHolds {
    fn head(&self) -> &Head {
        &self.head
    }
}

// SAFETY: as above.
unsafe impl Slot for Entry {
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
    pub(crate) listed: [Option<HoldReading>; LISTED + MORE],
    /// Of the entries; the lock's slot has the rest.
    pub(super) sums: Sums,
}

/// What was counted of holds; times in ticks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) acquires: u64,
    pub(super) hold_total: u64,
    /// Wraps.
    pub(super) short_holds: u32,
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
    pub(super) fn reset(&self, lock: &'static LockSlot, total: u64) {
        self.lock.store(std::ptr::from_ref(lock).cast_mut(), Relaxed);
        self.closed.store(false, Relaxed);
        self.pooled.store(false, Relaxed);
        self.waiting_writers.store(0, Relaxed);
        self.total.store(total, Relaxed);
        for counter in [&self.extra, &self.released, &self.forgotten] {
            counter.store(0, Relaxed);
        }
        self.more.reset();
        self.rest.reset();
        self.first.reset();
    }

    /// The lock goes; nobody holds any of it.
    pub(super) fn retire(&'static self) {
        self.more.give_back(&started().more_holds);
        self.rest.give_back(&started().rest_of_entries);
        started().holds.give_back(self);
    }

    /// Everything there is to read, of a lock of which `acquires` found no entry. The caller makes sure that the slot
    /// still is that lock's.
    pub(super) fn read(&self, acquires: u64) -> HoldsReading {
        let total = self.total.load(Relaxed);
        // Acquires were read before this, so what ended since then may make it seem less than none.
        let unlisted = acquires.wrapping_sub(self.released.load(Relaxed));
        let holders = unlisted.wrapping_add(self.in_progress()).cast_signed().max(0) as u64;
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
            listed: self.listed(),
            sums: self.entries().map(Entry::sums).fold(Sums::default(), Sums::and),
        }
    }

    #[inline]
    fn rest(&self) -> Option<&'static RestOfEntries> {
        self.rest.get(&started().rest_of_entries)
    }

    /// Those of its own.
    fn entries(&self) -> impl Iterator<Item = &Entry> {
        std::iter::once(&self.first).chain(self.rest().into_iter().flat_map(|rest| &rest.0))
    }

    /// The hold that keeps all others out, if there is one and it is told of.
    fn writer(&self) -> Option<HoldReading> {
        self.entries().find_map(|entry| entry.read().filter(|hold| hold.exclusive))
    }

    /// That hold, if it is of the task of that id.
    pub(super) fn written_by(&self, task: u64) -> Option<HoldReading> {
        self.writer().filter(|hold| hold.task == task)
    }

    /// Where that hold was acquired.
    pub(super) fn written_at(&self) -> Option<&'static Location<'static>> {
        self.writer()?.site
    }

    /// Lists a spare entry, if there is room.
    fn list(&self, spare: &'static Entry) {
        let Some(more) = self.more.get_or_take(&started().more_holds, MoreHolds::reset) else { return };
        let spare = std::ptr::from_ref(spare).cast_mut();
        for place in &more.entries {
            if place.load(Relaxed).is_null()
                && place.compare_exchange(std::ptr::null_mut(), spare, Release, Relaxed).is_ok()
            {
                return;
            }
        }
    }

    fn list_no_more(&self, spare: &Entry) {
        let Some(more) = self.more.get(&started().more_holds) else { return };
        let listed = more.entries.iter().find(|place| std::ptr::eq(place.load(Relaxed), spare));
        if let Some(place) = listed {
            place.store(std::ptr::null_mut(), Relaxed);
        }
    }

    fn listed(&self) -> [Option<HoldReading>; LISTED + MORE] {
        let (rest, more) = (self.rest(), self.more.get(&started().more_holds));
        std::array::from_fn(|n| match n.checked_sub(LISTED) {
            None if n == 0 => self.first.read(),
            None => rest?.0[n - 1].read(),
            Some(n) => {
                // SAFETY: null, or an entry, which is never freed.
                let spare = unsafe { more?.entries[n].load(Acquire).as_ref() }?;
                spare.read_of(Arena::index(self))
            }
        })
    }

    /// How many entries are in use.
    fn in_progress(&self) -> u64 {
        self.entries().filter(|entry| !entry.since.is_free()).count() as u64
    }

    /// A free entry, which is the caller's from now on. Once several held it at the same time, each thread looks at another
    /// one first, so that they do not share a line.
    #[inline]
    fn claim(&'static self) -> Option<&'static Entry> {
        match self.rest() {
            None if self.first.since.claim() => Some(&self.first),
            None => self.claim_of_rest(),
            Some(rest) => {
                let first = thread::number();
                let entry = |i| match (first + i) % LISTED {
                    0 => &self.first,
                    n => &rest.0[n - 1],
                };
                (0..LISTED).map(entry).find(|entry| entry.since.claim())
            }
        }
    }

    #[cold]
    fn claim_of_rest(&self) -> Option<&'static Entry> {
        let rest = self.rest.get_or_take(&started().rest_of_entries, RestOfEntries::reset)?;
        rest.0.iter().find(|entry| entry.since.claim())
    }

    /// A hold of so many permits begins; unless of one, which need not be told.
    fn permits_more(&self, permits: u32) {
        self.extra.fetch_add(u64::from(permits).wrapping_sub(1), Relaxed);
    }

    /// A hold of so many permits ends.
    fn permits_less(&self, permits: u32) {
        self.extra.fetch_sub(u64::from(permits).wrapping_sub(1), Relaxed);
    }

    #[inline]
    fn lock(&self) -> &'static LockSlot {
        // SAFETY: set before anybody knew of it, to a slot, which is never freed.
        unsafe { &*self.lock.load(Relaxed) }
    }
}

impl RestOfEntries {
    fn reset(&self) {
        self.0.iter().for_each(Entry::reset);
    }
}

impl MoreHolds {
    fn reset(&self) {
        self.entries.iter().for_each(|place| place.store(std::ptr::null_mut(), Relaxed));
    }
}

impl Sums {
    fn and(self, other: Self) -> Self {
        Self {
            acquires: self.acquires + other.acquires,
            hold_total: self.hold_total + other.hold_total,
            short_holds: self.short_holds.wrapping_add(other.short_holds),
        }
    }
}

impl Entry {
    fn reset(&self) {
        for counter in [&self.acquires, &self.hold_total] {
            counter.store(0, Relaxed);
        }
        self.short_holds.store(0, Relaxed);
        self.of.store(OWN, Relaxed);
        self.since.reset();
    }

    /// Whether it is one of its lock's own, which are all read.
    #[inline]
    fn is_own(&self) -> bool {
        self.of.load(Relaxed) == OWN
    }

    /// A hold begins in it, for whom it was claimed.
    #[inline]
    fn begin(&self, hold: Hold, since: u64) {
        self.since.begin(since, || {
            self.task.store(hold.holder.task, Relaxed);
            set_location(&self.site, hold.site);
            self.permits.store(hold.permits, Relaxed);
            self.mark.store(hold.holder.mark & !EXCLUSIVE | if hold.exclusive { EXCLUSIVE } else { 0 }, Relaxed);
        });
    }

    #[inline]
    fn count_acquire(&self) {
        self.acquires.store(self.acquires.load(Relaxed) + 1, Relaxed);
    }

    fn sums(&self) -> Sums {
        Sums {
            acquires: self.acquires.load(Acquire),
            hold_total: self.hold_total.load(Relaxed),
            short_holds: self.short_holds.load(Relaxed),
        }
    }

    fn read(&self) -> Option<HoldReading> {
        self.read_with().map(|(hold, _)| hold)
    }

    /// The hold in a spare entry, if it is one of the lock whose `HoldsSlot` has that index.
    fn read_of(&self, holds: u32) -> Option<HoldReading> {
        self.read_with().filter(|(_, of)| *of == holds).map(|(hold, _)| hold)
    }

    fn read_with(&self) -> Option<(HoldReading, u32)> {
        let read = self.since.read(|| {
            let (task, site) = (self.task.load(Relaxed), location(&self.site));
            (task, site, self.permits.load(Relaxed), self.mark.load(Relaxed), self.of.load(Relaxed))
        });
        read.map(|(since, (task, site, permits, mark, of))| {
            (HoldReading { task, site, since, permits, exclusive: mark & EXCLUSIVE != 0 }, of)
        })
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
        let hold = Hold { holder: thread::holder(), site: Some(site), permits, exclusive };
        self.begin(hold, clock::ticks(), true)
    }

    /// The same of an `RwLock`, to read.
    #[inline]
    pub(crate) fn acquired_to_read(self, site: &'static Location<'static>) -> Held {
        self.lock.taken_within(site);
        self.acquired(site, 1, false)
    }

    /// The same to write; there are so many permits.
    #[inline]
    pub(crate) fn acquired_to_write(self, site: &'static Location<'static>, permits: u32) -> Held {
        let held = self.acquired(site, permits, true);
        self.lock.taken(site);
        held
    }

    /// A hold, of which it is said whether something was acquired.
    #[inline]
    fn begin(self, hold: Hold, since: u64, acquired: bool) -> Held {
        let claimed = self.holds.claim();
        let entry = if let Some(entry) = claimed {
            if acquired {
                entry.count_acquire();
            }
            entry.begin(hold, since);
            claimed
        } else {
            self.begin_unlisted(hold, since, acquired)
        };
        if hold.permits != 1 && entry.is_some() {
            self.holds.permits_more(hold.permits);
        }
        self.lock.mark();
        Held::new(self.holds, entry)
    }

    #[cold]
    fn begin_unlisted(self, hold: Hold, since: u64, acquired: bool) -> Option<&'static Entry> {
        if acquired {
            self.lock.count_acquire();
        } else {
            self.holds.released.fetch_sub(1, Relaxed);
        }
        started().spare_holds.take().inspect(|spare| {
            // Released as the facts are that come with the start: who reads it sees that what was here before is over.
            spare.of.store(Arena::index(self.holds), Release);
            spare.begin(hold, since);
            self.holds.list(spare);
        })
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

impl Entry {
    /// Counts its hold, which is about to end.
    #[inline]
    fn count(&self, lock: &'static LockSlot) {
        self.count_from(self.since.get(), lock);
    }

    /// The same of a hold that began at `since`.
    #[inline]
    fn count_from(&self, since: u64, lock: &'static LockSlot) {
        let now = clock::ticks();
        let took = now.saturating_sub(since);
        if self.is_own() {
            self.hold_total.store(self.hold_total.load(Relaxed) + took, Relaxed);
            if !lock.count_long_hold(took) {
                self.short_holds.store(self.short_holds.load(Relaxed).wrapping_add(1), Relaxed);
            }
        } else {
            lock.count_unlisted_hold(took);
        }
        lock.hold_took(took, &self.site);
        if self.kept_out_others(lock) {
            lock.suspended(took, now, location(&self.site), false);
        }
        if self.is_write(lock) {
            lock.may_be_cut_short(took, now, &self.site);
            lock.let_go();
        }
    }

    /// Whether it keeps all others out of what an `RwLock` guards.
    #[inline]
    fn is_write(&self, lock: &LockSlot) -> bool {
        self.mark.load(Relaxed) & EXCLUSIVE != 0 && lock.kind() == RW_LOCK
    }

    /// Whether its task was suspended since it acquired, and so kept somebody out: permits of a semaphore are meant to
    /// be held, and readers keep out nobody but those who wait to write.
    #[inline]
    fn kept_out_others(&self, lock: &LockSlot) -> bool {
        let mark = self.mark.load(Relaxed);
        let keeps_out = match lock.kind() {
            MUTEX => true,
            RW_LOCK => mark & EXCLUSIVE != 0 || lock.waiters() > 0,
            _ => false,
        };
        keeps_out && thread::was_suspended(Holder { task: self.task.load(Relaxed), mark: mark & !EXCLUSIVE })
    }
}
