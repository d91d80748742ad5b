//! What several may hold at the same time: an `RwLock`'s readers, a semaphore's permits. The counts are exact; of the
//! holds themselves the first few are listed, which a reader sees by comparing the two.
//!
//! Most locks are held by one at a time all the same: the first hold is noted in the lock's own slot, as a mutex' is, and
//! what the others need is taken with the first of them. Where there is no room for that, their permits are counted all the same.
mod awaited;
mod facts;
mod held;
mod slot;
#[cfg(feature = "layer")]
mod told;

use std::{
    panic::Location,
    sync::atomic::Ordering::{Relaxed, Release},
};

use super::{
    clock,
    lock::{LockKind, LockSlot, location},
    thread,
};
use facts::Hold;
use held::At;

#[cfg(feature = "watch-locks")]
pub(crate) use awaited::{Mode, SharedAwaited};
pub(crate) use facts::HoldReading;
pub(super) use facts::{HoldFacts, Sums};
pub(crate) use held::Held;
#[cfg(feature = "watch-locks")]
pub(crate) use held::Noted;
pub(crate) use slot::{Entry, HoldsSlot, MoreHolds, RestOfEntries};

/// Holds that are listed in the lock's slot and in entries of the lock's own.
const LISTED: usize = 4;
/// Those that are listed beside it.
const MORE: usize = 4;

const MUTEX: u8 = LockKind::Mutex as u8;
const RW_LOCK: u8 = LockKind::RwLock as u8;
const SEMAPHORE: u8 = LockKind::Semaphore as u8;

/// In [`HoldFacts::mark`].
const EXCLUSIVE: u16 = 1 << 15;

/// In [`HoldFacts::ready`]: several may hold it.
pub(super) const SHARED: u8 = 1 << 7;
/// No more permits are given.
const CLOSED: u8 = 1;
/// Nothing tells one hold from another: [`HoldsSlot::extra`] is how many permits are held.
const POOLED: u8 = 2;

/// Everything that is read at once of what several may hold; `since` of a hold in ticks.
#[derive(Debug, Clone, Default)]
pub(crate) struct HoldsReading {
    pub(crate) closed: bool,
    pub(crate) waiting_writers: u32,
    pub(crate) total: u64,
    pub(crate) available: u64,
    pub(crate) holders: u32,
    pub(crate) forgotten: u64,
    pub(crate) listed: [Option<HoldReading>; LISTED + MORE],
    /// Of all but the hold in the lock's slot.
    pub(super) sums: Sums,
}

impl LockSlot {
    /// Everything there is to read of its holds; `None` of a lock that only one can hold. The caller makes sure that the
    /// slot still is that lock's.
    pub(super) fn read_holds(&self) -> Option<HoldsReading> {
        if !self.is_shared() {
            return None;
        }
        let (state, beside) = (self.own.ready.load(Relaxed), self.holds());
        let others = beside.map_or(0, HoldsSlot::holders);
        let extra = beside.map_or(0, |beside| beside.extra.load(Relaxed));
        let own = self.read_own();
        // One that has just been claimed has no permits to tell of yet.
        let own_holds = u64::from(own.is_some() || !self.own.since.is_free());
        let own_permits = own.map_or(own_holds, |hold| hold.permits.into());
        let shed = u64::from(self.shed_permits());
        let held = others.wrapping_add(extra).cast_signed().max(0) as u64 + own_permits + shed;
        // As many holds as permits where only those are counted: at most, and more than are listed.
        let (holders, held) =
            if state & POOLED != 0 { (extra + shed, extra + shed) } else { (others + own_holds + shed, held) };
        let total = self.permits().load(Relaxed);
        // Of more than are told it is not known how many are left.
        let available = if total == u32::MAX { total.into() } else { u64::from(total).saturating_sub(held) };
        let mut listed = [None; LISTED + MORE];
        listed[0] = own;
        if let Some(beside) = beside {
            listed[1..].copy_from_slice(&beside.listed());
        }
        Some(HoldsReading {
            closed: state & CLOSED != 0,
            waiting_writers: beside.map_or(0, |beside| beside.waiting_writers.load(Relaxed)),
            total: total.into(),
            available,
            holders: u32::try_from(holders).unwrap_or(u32::MAX),
            forgotten: self.details_if_any().map_or(0, |details| details.forgotten.load(Relaxed)),
            listed,
            sums: beside.map_or_else(Sums::default, HoldsSlot::sums),
        })
    }

    /// The hold that is noted in this slot, of what several may hold.
    fn read_own(&self) -> Option<HoldReading> {
        self.own.read(|exclusive| self.own_permits(exclusive), || ()).map(|(hold, ())| hold)
    }

    /// How many permits the hold that is noted in this slot has.
    fn own_permits(&self, exclusive: bool) -> u32 {
        match self.kind() {
            SEMAPHORE => self.outer.load(Relaxed),
            // Whoever keeps all others out has all there are.
            _ if exclusive => self.permits().load(Relaxed),
            _ => 1,
        }
    }

    fn set_own_permits(&self, permits: u32) {
        if self.kind() == SEMAPHORE {
            self.outer.store(permits, Relaxed);
        }
    }

    /// The hold that keeps all others out, if there is one and it is told of.
    pub(super) fn writer(&self) -> Option<HoldReading> {
        let others = self.holds().into_iter().flat_map(HoldsSlot::entries).filter_map(Entry::read);
        self.read_own().into_iter().chain(others).find(|hold| hold.exclusive)
    }

    /// A free place for a hold, which is the caller's from now on. Once several held it at the same time, each thread looks
    /// at another entry first, so that they do not share a line; and the slot, which they all look at, comes last.
    #[inline]
    fn claim(&'static self) -> Option<At> {
        let Some(rest) = self.holds().and_then(HoldsSlot::rest) else {
            return if self.own.since.claim() { Some(At::Lock) } else { self.claim_of_rest() };
        };
        let first = thread::number();
        let entry =
            (0..LISTED - 1).map(|i| &rest.0[(first + i) % (LISTED - 1)]).find(|entry| entry.facts.since.claim());
        match entry {
            Some(entry) => Some(At::Entry(entry)),
            None => self.own.since.claim().then_some(At::Lock),
        }
    }

    #[cold]
    fn claim_of_rest(&'static self) -> Option<At> {
        let rest = self.holds_or_take()?.rest_or_take()?;
        rest.0.iter().find(|entry| entry.facts.since.claim()).map(At::Entry)
    }

    /// A hold that was claimed begins, of which it is said whether something was acquired.
    #[inline]
    fn begin_at(&self, at: At, hold: Hold, since: u64, acquired: bool) {
        match at {
            At::Lock => {
                if acquired {
                    self.count_own_acquire();
                }
                self.own.begin(hold, since, || self.set_own_permits(hold.permits));
            }
            At::Entry(entry) => {
                if acquired {
                    entry.facts.count_acquire();
                }
                entry.begin(hold, since);
                self.permits_more(hold.permits);
            }
            At::Nowhere => {}
        }
    }

    /// The hold that is noted in this slot was acquired. What is noted nowhere is counted here too; one acquisition may get
    /// lost between the two, in the moment in which it turns out that there is no room.
    #[inline]
    fn count_own_acquire(&self) {
        if self.holds_were_shed() {
            self.count_acquire();
        } else {
            self.own.count_acquire();
        }
    }

    /// A hold of so many permits begins that has no entry of this lock; `acquired` unless it is a part of another.
    #[cold]
    fn unlisted_begins(&self, permits: u32, acquired: bool) -> Option<&'static HoldsSlot> {
        let beside = self.holds_or_take();
        if let Some(beside) = beside {
            if acquired {
                beside.acquires.fetch_add(1, Relaxed);
            } else {
                beside.released.fetch_sub(1, Relaxed);
            }
            self.permits_more(permits);
        } else {
            if acquired {
                self.count_acquire();
            }
            self.count_shed_permits(permits);
        }
        beside
    }

    /// Such a hold ends.
    #[cold]
    fn unlisted_ends(&self, permits: u32) {
        if let Some(beside) = self.holds_or_take() {
            self.permits_less(permits);
            beside.released.fetch_add(1, Release);
        } else {
            self.discount_shed_permits(permits);
        }
    }

    /// A hold of so many permits begins beside the one that is noted here.
    #[inline]
    fn permits_more(&self, permits: u32) {
        if permits != 1
            && let Some(beside) = self.holds()
        {
            beside.extra.fetch_add(u64::from(permits).wrapping_sub(1), Relaxed);
        }
    }

    /// Such a hold ends.
    #[inline]
    fn permits_less(&self, permits: u32) {
        if permits != 1
            && let Some(beside) = self.holds()
        {
            beside.extra.fetch_sub(u64::from(permits).wrapping_sub(1), Relaxed);
        }
    }

    /// Counts a hold, noted at `at`, that began at `since` and is about to end.
    #[inline]
    fn count_hold(&'static self, at: At, since: u64) {
        let Some(facts) = at.facts(self) else { return };
        let now = clock::ticks();
        let took = now.saturating_sub(since);
        let short = !self.count_long_hold(took);
        if at.is_spare() {
            if let Some(beside) = self.holds() {
                beside.count_unlisted(took, short);
            }
        } else {
            facts.count_hold(took, short);
        }
        self.hold_took(took, &facts.site);
        if self.kept_out_others(facts) {
            self.suspended(took, now, location(&facts.site), false);
        }
        if facts.is_exclusive() && self.kind() == RW_LOCK {
            self.may_be_cut_short(took, now, &facts.site);
            self.let_go();
        }
    }

    /// Whether the task of that hold was suspended since it acquired, and so kept somebody out: permits of a semaphore are
    /// meant to be held, and readers keep out nobody but those who wait to write.
    #[inline]
    fn kept_out_others(&self, facts: &HoldFacts) -> bool {
        let keeps_out = match self.kind() {
            MUTEX => true,
            RW_LOCK => facts.is_exclusive() || self.waiters() > 0,
            _ => false,
        };
        keeps_out && thread::was_suspended(facts.holder())
    }
}

/// The slot of a lock that several may hold.
#[derive(Clone, Copy)]
pub(crate) struct Shared(&'static LockSlot);

impl Shared {
    /// `None` for a lock that only one can hold.
    #[inline]
    pub(crate) fn of(lock: &'static LockSlot) -> Option<Self> {
        lock.is_shared().then_some(Self(lock))
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
        self.0.taken_within(site);
        self.acquired(site, 1, false)
    }

    /// The same to write; there are so many permits.
    #[inline]
    pub(crate) fn acquired_to_write(self, site: &'static Location<'static>, permits: u32) -> Held {
        let held = self.acquired(site, permits, true);
        self.0.taken(site);
        held
    }

    /// A hold, of which it is said whether something was acquired.
    #[inline]
    fn begin(self, hold: Hold, since: u64, acquired: bool) -> Held {
        let lock = self.0;
        let at = if let Some(at) = lock.claim() {
            lock.begin_at(at, hold, since, acquired);
            at
        } else {
            self.begin_unlisted(hold, since, acquired)
        };
        lock.mark();
        Held::new(lock, at, hold.permits)
    }

    #[cold]
    fn begin_unlisted(self, hold: Hold, since: u64, acquired: bool) -> At {
        let beside = self.0.unlisted_begins(hold.permits, acquired);
        beside.and_then(|beside| beside.spare(hold, since)).map_or(At::Nowhere, At::Entry)
    }

    /// Whether there is any hold of it.
    fn is_held(self) -> bool {
        let lock = self.0;
        !lock.own.since.is_free() || lock.shed_permits() > 0 || lock.holds().is_some_and(|beside| beside.holders() > 0)
    }

    /// Permits were added.
    pub(crate) fn add_permits(self, n: u64) {
        self.change_permits(|total| u32::try_from(n.saturating_add(total.into())).unwrap_or(u32::MAX));
    }

    /// Permits were taken away for good.
    pub(crate) fn take_permits(self, n: u64) {
        self.change_permits(|total| total.saturating_sub(u32::try_from(n).unwrap_or(u32::MAX)));
    }

    /// What there are more of than can be counted stays so.
    fn change_permits(self, change: impl Fn(u32) -> u32) {
        let _ = self.0.permits().try_update(Relaxed, Relaxed, |total| (total != u32::MAX).then(|| change(total)));
        self.0.mark();
    }

    /// No more permits are given.
    pub(crate) fn closed(self) {
        self.0.own.ready.fetch_or(CLOSED, Relaxed);
        self.0.mark();
    }
}
