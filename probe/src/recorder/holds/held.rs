//! A hold in progress, as it lies in a guard.
use std::{
    panic::Location,
    sync::atomic::Ordering::{Relaxed, Release},
};

use super::{EXCLUSIVE, Entry, Hold, HoldsSlot, Shared};
use crate::recorder::{
    clock,
    lock::{location, set_location},
    started, thread,
};

/// A hold in progress. Dropping it ends it, which must come before the permits are really given back.
///
/// It lies in every guard, and moves with it; hence no more than two words.
pub(crate) struct Held {
    holds: &'static HoldsSlot,
    /// `None` at the ceiling of the memory: then nothing is known but that there is one more, as if of one permit.
    entry: Option<&'static Entry>,
}

impl Held {
    #[inline]
    pub(super) fn new(holds: &'static HoldsSlot, entry: Option<&'static Entry>) -> Self {
        Self { holds, entry }
    }

    #[inline]
    fn permits(&self) -> u32 {
        self.entry.map_or(1, |entry| entry.permits.load(Relaxed))
    }

    fn set_permits(&mut self, permits: u32) {
        if let Some(entry) = self.entry {
            let before = entry.permits.load(Relaxed);
            entry.permits.store(permits, Relaxed);
            self.holds.extra.fetch_add(u64::from(permits).wrapping_sub(before.into()), Relaxed);
            self.holds.lock().mark();
        }
    }

    /// From now on it is one of several holds, of one permit.
    pub(crate) fn downgrade(&mut self) {
        self.holds.lock().let_go();
        if let Some(entry) = self.entry {
            entry.mark.store(entry.mark.load(Relaxed) & !EXCLUSIVE, Release);
        }
        self.set_permits(1);
    }

    /// Its guard, of one who keeps all others out, can be given to another task.
    pub(crate) fn may_move(&self) {
        self.holds.lock().let_go();
    }

    /// A hold of `n` of its permits, that began when this one did.
    pub(crate) fn split(&mut self, n: u32) -> Held {
        let (site, since) = match self.entry {
            Some(entry) => (location(&entry.site), entry.since.get()),
            None => (None, clock::ticks()),
        };
        self.set_permits(self.permits().saturating_sub(n));
        let of = Shared { lock: self.holds.lock(), holds: self.holds };
        of.begin(Hold { holder: thread::holder(), site, permits: n, exclusive: false }, since, false)
    }

    /// Takes over the permits of another hold of the same lock.
    pub(crate) fn merge(&mut self, other: Held) {
        let permits = self.permits().saturating_add(other.permits());
        other.end();
        self.set_permits(permits);
    }

    /// Takes over permits of which nothing was known.
    pub(crate) fn absorb(&mut self, permits: u32) {
        self.holds.total.fetch_add(permits.into(), Relaxed);
        self.set_permits(self.permits().saturating_add(permits));
    }

    /// Its permits are held on, by somebody of whom nothing is known.
    pub(crate) fn lose_sight(self) {
        self.holds.total.fetch_sub(self.permits().into(), Relaxed);
        self.end();
    }

    /// Its permits are gone for good, since `place` does not give them back.
    pub(crate) fn forget(self, place: &'static Location<'static>) {
        let (holds, permits) = (self.holds, self.permits());
        if let Some(details) = holds.lock().details() {
            set_location(&details.forgot_at, Some(place));
            details.forgot.note();
        }
        holds.forgotten.fetch_add(permits.into(), Relaxed);
        holds.total.fetch_sub(permits.into(), Relaxed);
        self.end();
    }

    /// Ends it without counting its time.
    fn end(self) {
        self.give_back();
        std::mem::forget(self);
    }

    #[inline]
    fn give_back(&self) {
        let (holds, permits) = (self.holds, self.permits());
        if permits != 1 {
            holds.permits_less(permits);
        }
        match self.entry {
            Some(entry) if entry.is_own() => entry.since.end(),
            spare => Self::give_back_unlisted(holds, spare),
        }
        holds.lock().mark();
    }

    #[cold]
    fn give_back_unlisted(holds: &HoldsSlot, spare: Option<&'static Entry>) {
        holds.released.fetch_add(1, Relaxed);
        if let Some(spare) = spare {
            holds.list_no_more(spare);
            spare.since.end();
            started().spare_holds.give_back(spare);
        }
    }
}

impl Drop for Held {
    #[inline]
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            entry.count(self.holds.lock());
        }
        self.give_back();
    }
}
