//! A hold in progress, as it lies in a guard.
use std::{
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
    /// At the ceiling of the memory: then nothing is known but that there is one more, as if of one permit.
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

/// The same in one word.
struct Noted(*const Entry);

// SAFETY: it only ever stands for a `&'static Entry`, which is `Sync`.
unsafe impl Send for Noted {}
// SAFETY: as above.
unsafe impl Sync for Noted {}

const LOCK: *const Entry = std::ptr::null();
const NOWHERE: *const Entry = std::ptr::without_provenance(1);

impl Noted {
    #[inline]
    fn new(at: At) -> Self {
        Self(match at {
            At::Lock => LOCK,
            At::Entry(entry) => entry,
            At::Nowhere => NOWHERE,
        })
    }

    #[inline]
    fn at(&self) -> At {
        match self.0 {
            LOCK => At::Lock,
            NOWHERE => At::Nowhere,
            // SAFETY: neither of the two, so it comes from a `&'static Entry`.
            entry => At::Entry(unsafe { &*entry }),
        }
    }
}

/// A hold in progress. Dropping it ends it, which must come before the permits are really given back.
///
/// It lies in every guard, and moves with it; hence no more than two words.
pub(crate) struct Held {
    lock: &'static LockSlot,
    noted: Noted,
}

impl Held {
    #[inline]
    pub(super) fn new(lock: &'static LockSlot, at: At) -> Self {
        Self { lock, noted: Noted::new(at) }
    }

    #[inline]
    fn permits(&self) -> u32 {
        permits(self.lock, self.noted.at())
    }

    fn set_permits(&mut self, permits: u32) {
        match self.noted.at() {
            At::Lock => self.lock.set_own_permits(permits),
            At::Entry(entry) => {
                let before = entry.permits.load(Relaxed);
                entry.permits.store(permits, Relaxed);
                self.lock.permits_less(before);
                self.lock.permits_more(permits);
            }
            At::Nowhere => return,
        }
        self.lock.mark();
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
        give_back(self.lock, self.noted.at());
        std::mem::forget(self);
    }
}

pub(super) fn permits(lock: &LockSlot, at: At) -> u32 {
    match at {
        At::Lock => lock.own_permits(lock.own.is_exclusive()),
        At::Entry(entry) => entry.permits.load(Relaxed),
        At::Nowhere => 1,
    }
}

/// A hold ends, and its place is free.
#[inline]
pub(super) fn give_back(lock: &'static LockSlot, at: At) {
    match at {
        At::Lock => lock.own.since.end(),
        At::Entry(entry) if entry.is_own() => {
            lock.permits_less(permits(lock, at));
            entry.facts.since.end();
        }
        At::Entry(_) | At::Nowhere => give_back_unlisted(lock, at),
    }
    lock.mark();
}

#[cold]
fn give_back_unlisted(lock: &'static LockSlot, at: At) {
    lock.permits_less(permits(lock, at));
    // At the ceiling, there may be none; then it was not counted either.
    let Some(beside) = lock.holds() else { return };
    beside.released.fetch_add(1, Release);
    if let At::Entry(spare) = at {
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
        give_back(self.lock, at);
    }
}
