//! A hold in progress, as it lies in a guard.
use std::{
    num::NonZeroU32,
    panic::Location,
    sync::atomic::Ordering::{Relaxed, Release},
};

use super::{EXCLUSIVE, Entry, Hold, HoldFacts, Shared};
use crate::recorder::{
    clock,
    lock::{LockSlot, location, set_location},
    thread,
};

/// Where a hold is noted.
#[derive(Clone, Copy)]
pub(super) enum At {
    /// In the lock's slot.
    Lock,
    Entry(&'static Entry),
    /// At the ceiling of the memory: then nothing is known but that there is one more.
    Nowhere,
}

impl At {
    #[inline]
    pub(super) fn facts(self, lock: &LockSlot) -> Option<&HoldFacts> {
        match self {
            Self::Lock => Some(&lock.own),
            Self::Entry(entry) => Some(&entry.facts),
            Self::Nowhere => None,
        }
    }

    /// Whether it is in an entry that the lock has only borrowed.
    #[inline]
    pub(super) fn is_spare(self) -> bool {
        matches!(self, Self::Entry(entry) if !entry.is_own())
    }
}

/// The same in half a word: the smaller a guard is, the less a dormant lock costs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Noted(NonZeroU32);

impl Noted {
    const LOCK: Self = Self(NonZeroU32::MIN);
    const NOWHERE: Self = Self(NonZeroU32::MAX);

    #[inline]
    fn new(at: At) -> Self {
        match at {
            At::Lock => Self::LOCK,
            At::Entry(entry) => entry.number().checked_add(2).and_then(NonZeroU32::new).map_or(Self::NOWHERE, Self),
            At::Nowhere => Self::NOWHERE,
        }
    }

    #[inline]
    fn at(self) -> At {
        match self {
            Self::LOCK => At::Lock,
            // That number is no entry's.
            Self(number) => Entry::numbered(number.get() - 2).map_or(At::Nowhere, At::Entry),
        }
    }
}

/// A hold in progress. Dropping it ends it, which must come before the permits are really given back.
///
/// It lies in every guard, and moves with it; hence no more than two words.
pub(crate) struct Held {
    lock: &'static LockSlot,
    noted: NotedPermits,
}

/// Where a hold is noted; and its permits, for one that is noted nowhere. One number, since a CPU waits where two halves that
/// were just written are read as one, as guards are when they move.
#[derive(Clone, Copy)]
struct NotedPermits(u64);

impl NotedPermits {
    #[inline]
    fn new(Noted(number): Noted, permits: u32) -> Self {
        Self(u64::from(number.get()) | u64::from(permits) << u32::BITS)
    }

    #[inline]
    fn noted(self) -> Noted {
        // It came from one that is not 0.
        NonZeroU32::new(self.0 as u32).map_or(Noted::NOWHERE, Noted)
    }

    #[inline]
    fn at(self) -> At {
        self.noted().at()
    }

    #[inline]
    fn permits(self) -> u32 {
        (self.0 >> u32::BITS) as u32
    }
}

impl Held {
    #[inline]
    pub(super) fn new(lock: &'static LockSlot, at: At, permits: u32) -> Self {
        Self { lock, noted: NotedPermits::new(Noted::new(at), permits) }
    }

    /// Where it is noted, for a guard that knows the rest.
    #[inline]
    pub(crate) fn into_noted(self) -> Noted {
        let noted = self.noted.noted();
        std::mem::forget(self);
        noted
    }

    /// The hold of `permits` of that lock that gave `noted`, which is told but once.
    #[inline]
    pub(crate) fn of(lock: Shared, noted: Noted, permits: u32) -> Self {
        Self { lock: lock.0, noted: NotedPermits::new(noted, permits) }
    }

    #[inline]
    fn permits(&self) -> u32 {
        match self.noted.at() {
            At::Nowhere => self.noted.permits(),
            at => self.lock.permits_at(at),
        }
    }

    fn set_permits(&mut self, permits: u32) {
        let lock = self.lock;
        match self.noted.at() {
            At::Lock => lock.set_own_permits(permits),
            At::Entry(entry) => {
                let before = entry.permits.load(Relaxed);
                entry.permits.store(permits, Relaxed);
                lock.permits_less(before);
                lock.permits_more(permits);
            }
            At::Nowhere => {
                let before = self.noted.permits();
                self.noted = NotedPermits::new(Noted::NOWHERE, permits);
                if lock.holds().is_some() {
                    lock.permits_less(before);
                    lock.permits_more(permits);
                } else {
                    lock.discount_shed_permits(before);
                    lock.count_shed_permits(permits);
                }
            }
        }
        lock.mark();
    }

    /// From now on it is one of several holds, of one permit.
    pub(crate) fn downgrade(&mut self) {
        self.lock.let_go();
        if let Some(facts) = self.noted.at().facts(self.lock) {
            facts.mark.store(facts.mark.load(Relaxed) & !EXCLUSIVE, Release);
        }
        self.set_permits(1);
    }

    /// Its guard, of one who keeps all others out, can be given to another task.
    pub(crate) fn may_move(&self) {
        self.lock.let_go();
    }

    /// A hold of `n` of its permits, that began when this one did.
    pub(crate) fn split(&mut self, n: u32) -> Held {
        let (site, since) = match self.noted.at().facts(self.lock) {
            Some(facts) => (location(&facts.site), facts.since.get()),
            None => (None, clock::ticks()),
        };
        self.set_permits(self.permits().saturating_sub(n));
        Shared(self.lock).begin(Hold { holder: thread::holder(), site, permits: n, exclusive: false }, since, false)
    }

    /// Takes over the permits of another hold of the same lock.
    pub(crate) fn merge(&mut self, other: Held) {
        let permits = self.permits().saturating_add(other.permits());
        other.end();
        self.set_permits(permits);
    }

    /// Takes over permits of which nothing was known.
    pub(crate) fn absorb(&mut self, permits: u32) {
        Shared(self.lock).add_permits(permits.into());
        self.set_permits(self.permits().saturating_add(permits));
    }

    /// Its permits are held on, by somebody of whom nothing is known.
    pub(crate) fn lose_sight(self) {
        Shared(self.lock).take_permits(self.permits().into());
        self.end();
    }

    /// Its permits are gone for good, since `place` does not give them back.
    pub(crate) fn forget(self, place: &'static Location<'static>) {
        let permits = self.permits().into();
        if let Some(details) = self.lock.details() {
            set_location(&details.forgot_at, Some(place));
            details.forgot.note();
            details.forgotten.fetch_add(permits, Relaxed);
        }
        Shared(self.lock).take_permits(permits);
        self.end();
    }

    /// Ends it without counting its time.
    fn end(self) {
        give_back(self.lock, self.noted.at(), self.noted.permits());
        std::mem::forget(self);
    }
}

impl LockSlot {
    /// Permits of the hold that is noted there.
    pub(super) fn permits_at(&self, at: At) -> u32 {
        match at {
            At::Lock => self.own_permits(self.own.is_exclusive()),
            At::Entry(entry) => entry.permits.load(Relaxed),
            At::Nowhere => 0,
        }
    }
}

/// A hold ends, and its place is free; one that is noted nowhere had so many permits.
#[inline]
pub(super) fn give_back(lock: &'static LockSlot, at: At, permits: u32) {
    match at {
        At::Lock => lock.own.since.end(),
        At::Entry(entry) if entry.is_own() => {
            lock.permits_less(lock.permits_at(at));
            entry.facts.since.end();
        }
        At::Entry(spare) => give_back_spare(lock, spare),
        At::Nowhere => lock.unlisted_ends(permits),
    }
    lock.mark();
}

#[cold]
fn give_back_spare(lock: &'static LockSlot, spare: &'static Entry) {
    lock.unlisted_ends(spare.permits.load(Relaxed));
    if let Some(beside) = lock.holds() {
        beside.give_back(spare);
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        let at = self.noted.at();
        if let Some(facts) = at.facts(self.lock) {
            self.lock.count_hold(at, facts.since.get());
        }
        give_back(self.lock, at, self.noted.permits());
    }
}
