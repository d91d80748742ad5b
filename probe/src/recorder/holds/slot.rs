//! What lies beside the slot of a lock that several hold at the same time, or wait to write to; most locks have none of it.
use std::sync::atomic::{
    AtomicPtr, AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

use super::{
    LISTED, MORE,
    facts::{Hold, HoldFacts, HoldReading, Sums},
};
use crate::recorder::{
    arena::{Arena, Head, Slot},
    lazy::Lazy,
    started,
};

/// Of a lock that several have held at the same time, or that somebody has waited to write to.
#[repr(C)]
pub(crate) struct HoldsSlot {
    head: Head,
    pub(super) waiting_writers: AtomicU32,
    more: Lazy<MoreHolds>,
    rest: Lazy<RestOfEntries>,
    /// Permits held in entries or unlisted, less one for each hold: so a hold of one permit, the usual one, does not touch
    /// it. Wraps.
    pub(super) extra: AtomicU64,
    // Holds that found no entry: those that began, those that ended, and their time.
    pub(super) acquires: AtomicU64,
    pub(super) released: AtomicU64,
    pub(super) hold_total: AtomicU64,
    pub(super) short_holds: AtomicU32,
}

/// Entries of a lock that several have held at the same time.
#[repr(C)]
pub(crate) struct RestOfEntries(pub(super) [Entry; LISTED - 1]);

/// What a lock has that ever had more holds than entries: some of those that are in spare ones.
#[repr(C)]
pub(crate) struct MoreHolds {
    head: Head,
    entries: [AtomicPtr<Entry>; MORE],
}

/// A place for a hold beside the one in the lock's slot, on a line that no other holder has: it is why a hold takes one
/// locked instruction. A hold that finds no entry at its lock takes a spare one, of which a few are listed beside it: its sums
/// go to the lock's [`HoldsSlot`].
#[repr(C, align(64))]
pub(crate) struct Entry {
    /// Of a spare one, and of the first one of [`RestOfEntries`].
    head: Head,
    pub(super) facts: HoldFacts,
    pub(super) permits: AtomicU32,
    /// Of a spare one: index of the lock's `HoldsSlot`; else [`OWN`] and its number among those of all locks.
    of: AtomicU32,
}

/// Above all indices.
const OWN: u32 = 1 << 31;

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

impl HoldsSlot {
    /// Forgets everything: it is about to belong to another lock.
    pub(in crate::recorder) fn reset(&self) {
        self.waiting_writers.store(0, Relaxed);
        self.short_holds.store(0, Relaxed);
        for counter in [&self.extra, &self.acquires, &self.released, &self.hold_total] {
            counter.store(0, Relaxed);
        }
        self.more.reset();
        self.rest.reset();
    }

    /// The lock goes; nobody holds any of it.
    pub(in crate::recorder) fn retire(&self) {
        self.more.give_back(&started().more_holds);
        self.rest.give_back(&started().rest_of_entries);
    }

    #[inline]
    pub(super) fn rest(&self) -> Option<&'static RestOfEntries> {
        self.rest.get(&started().rest_of_entries)
    }

    pub(super) fn rest_or_take(&self) -> Option<&'static RestOfEntries> {
        self.rest.get_or_take(&started().rest_of_entries, RestOfEntries::reset)
    }

    /// Its entries, but for spare ones.
    pub(super) fn entries(&self) -> impl Iterator<Item = &'static Entry> + use<> {
        self.rest().into_iter().flat_map(|rest| &rest.0)
    }

    /// Holds there are in its entries and in none.
    pub(super) fn holders(&self) -> u64 {
        // What ended is read after what began, so it may seem less than none.
        let unlisted = self.acquires.load(Acquire).wrapping_sub(self.released.load(Acquire));
        let listed = self.entries().filter(|entry| !entry.facts.since.is_free()).count() as u64;
        unlisted.wrapping_add(listed).cast_signed().max(0) as u64
    }

    /// A hold in no entry of its own ends after `took` ticks.
    #[cold]
    pub(super) fn count_unlisted(&self, took: u64, short: bool) {
        self.hold_total.fetch_add(took, Relaxed);
        self.short_holds.fetch_add(short.into(), Relaxed);
    }

    /// Sums of all but the lock's own.
    pub(super) fn sums(&self) -> Sums {
        let unlisted = Sums {
            acquires: self.acquires.load(Acquire),
            hold_total: self.hold_total.load(Relaxed),
            short_holds: self.short_holds.load(Relaxed),
        };
        self.entries().map(|entry| entry.facts.sums()).fold(unlisted, Sums::and)
    }

    /// Those of its holds that are listed.
    pub(super) fn listed(&self) -> [Option<HoldReading>; LISTED - 1 + MORE] {
        let (rest, more) = (self.rest(), self.more.get(&started().more_holds));
        std::array::from_fn(|n| match n.checked_sub(LISTED - 1) {
            None => rest?.0[n].read(),
            Some(n) => {
                // SAFETY: null, or an entry, which is never freed.
                let spare = unsafe { more?.entries[n].load(Acquire).as_ref() }?;
                spare.read_of(Arena::index(self))
            }
        })
    }

    /// A spare entry for `hold`, listed if there is room; `None` at the ceiling.
    #[cold]
    pub(super) fn spare(&self, hold: Hold, since: u64) -> Option<&'static Entry> {
        started().spare_holds.take().inspect(|spare| {
            // Released as the facts are that come with the start: who reads it sees that what was here before is over.
            spare.of.store(Arena::index(self), Release);
            spare.begin(hold, since);
            self.list(spare);
        })
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

    /// The hold in a spare entry ends.
    pub(super) fn give_back(&self, spare: &'static Entry) {
        let listed = self.more.get(&started().more_holds);
        let place = listed.and_then(|more| more.entries.iter().find(|at| std::ptr::eq(at.load(Relaxed), spare)));
        if let Some(place) = place {
            place.store(std::ptr::null_mut(), Relaxed);
        }
        spare.facts.since.end();
        started().spare_holds.give_back(spare);
    }
}

impl RestOfEntries {
    fn reset(&self) {
        for (n, entry) in (0..).zip(&self.0) {
            entry.of.store(OWN | (Arena::index(self) * (LISTED - 1) as u32 + n), Relaxed);
            entry.facts.reset();
        }
    }
}

impl MoreHolds {
    fn reset(&self) {
        self.entries.iter().for_each(|place| place.store(std::ptr::null_mut(), Relaxed));
    }
}

impl Entry {
    /// Whether it is not a spare one.
    #[inline]
    pub(super) fn is_own(&self) -> bool {
        self.of.load(Relaxed) & OWN != 0
    }

    /// A number that no other entry has.
    #[inline]
    pub(super) fn number(&self) -> u32 {
        match self.of.load(Relaxed) {
            own if own & OWN != 0 => own,
            _ => Arena::index(self),
        }
    }

    /// The entry with that number, if there is one.
    #[inline]
    pub(super) fn numbered(number: u32) -> Option<&'static Self> {
        if number & OWN == 0 {
            return started().spare_holds.at(number);
        }
        let n = number & !OWN;
        let rest = started().rest_of_entries.at(n / (LISTED - 1) as u32)?;
        Some(&rest.0[n as usize % (LISTED - 1)])
    }

    /// A hold begins in it, for whom it was claimed.
    #[inline]
    pub(super) fn begin(&self, hold: Hold, since: u64) {
        self.facts.begin(hold, since, || self.permits.store(hold.permits, Relaxed));
    }

    pub(super) fn read(&self) -> Option<HoldReading> {
        self.read_with().map(|(hold, _)| hold)
    }

    /// The hold in a spare entry, if it is one of the lock whose `HoldsSlot` has that index.
    fn read_of(&self, holds: u32) -> Option<HoldReading> {
        self.read_with().filter(|(_, of)| *of == holds).map(|(hold, _)| hold)
    }

    fn read_with(&self) -> Option<(HoldReading, u32)> {
        self.facts.read(|_| self.permits.load(Relaxed), || self.of.load(Relaxed))
    }
}
