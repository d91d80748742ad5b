//! Everything that is read of a lock at once.
use std::{
    panic::Location,
    sync::atomic::Ordering::{Acquire, Relaxed},
};

use super::{EXPECTING, KEPT, LockKind, LockSlot, MAY_MOVE, location};
use crate::recorder::{
    cut_short::CutShortReading,
    disposal::DisposalReading,
    ending::{EndingReading, EndingSlot},
    histogram::{Counts, LONG, only_short},
    holds::{HoldsReading, Sums},
    lock_details::LockDetails,
    site::Site,
};

/// Times in ticks.
#[derive(Debug, Clone)]
pub(crate) struct LockReading {
    pub(crate) id: u64,
    pub(crate) kind: u8,
    pub(crate) site: &'static Site,
    pub(crate) holder: u64,
    pub(crate) holder_site: Option<&'static Location<'static>>,
    pub(crate) held_since: u64,
    pub(crate) may_move: bool,
    pub(crate) waiters: u32,
    pub(crate) acquires: u64,
    pub(crate) contended: u64,
    pub(crate) wait_total: u64,
    pub(crate) wait_max: u64,
    pub(crate) wait_counts: Counts,
    pub(crate) hold_total: u64,
    pub(crate) hold_max: u64,
    pub(crate) hold_max_site: Option<&'static Location<'static>>,
    pub(crate) hold_counts: Counts,
    pub(crate) suspended_holds: u64,
    pub(crate) last_suspended: u64,
    pub(crate) last_suspended_at: u64,
    pub(crate) last_suspended_site: Option<&'static Location<'static>>,
    pub(crate) last_suspended_waiters: u32,
    pub(crate) cut_short: Option<CutShortReading>,
    /// Of a semaphore: who forgot a permit last.
    pub(crate) forgot: Option<DisposalReading>,
    pub(crate) ready: bool,
    pub(crate) expecting: u32,
    /// Of `waiters` of a `Notify`, those that asked for the future and awaited it at once.
    pub(crate) waiting_at_once: u32,
    #[cfg(feature = "console")]
    pub(crate) made_at: u64,
    /// Of [`names`](super::names).
    pub(crate) name: u16,
    /// Of a token and a tracker only.
    pub(crate) ending: Option<EndingReading>,
    /// `None` when only one can hold it.
    pub(crate) holds: Option<HoldsReading>,
}

impl LockSlot {
    /// Everything there is to read; `None` when the slot is free, or changed hands meanwhile.
    pub(crate) fn read(&self) -> Option<LockReading> {
        self.waits.owner.read(|id| self.read_of(id))
    }

    fn read_of(&self, id: u64) -> Option<LockReading> {
        let waits = &self.waits;
        let own = &self.own;
        let holds = self.read_holds();
        // Of what several may hold, all are listed there.
        let holding =
            if holds.is_some() { None } else { own.since.read(|| (own.task.load(Relaxed), location(&own.site))) };
        let (held_since, (holder, holder_site)) = holding.unwrap_or_default();
        let acquires = own.acquires.load(Acquire);
        let sums = holds.as_ref().map_or_else(Sums::default, |holds| holds.sums);
        let is_notify = self.kind() == LockKind::Notify as u8;
        let (expecting, short_holds, hold_total) = match self.kind() {
            kind if EXPECTING.contains(&kind) => (self.expecting(), 0, 0),
            kind if kind >= LockKind::CancellationToken as u8 => (0, 0, 0),
            _ => (
                0,
                own.short_holds.load(Relaxed).wrapping_add(sums.short_holds),
                own.hold_total.load(Relaxed) + sums.hold_total,
            ),
        };
        let details = self.details_if_any();
        let up = details.map(|details| &details.given_up);
        let of = |fact: fn(&LockDetails) -> u64| details.map_or(0, fact);
        let (mut waiters, mut short_waits) = waits.counts.read();
        let mut contended = waits.contended.load(Relaxed);
        let mut waiting_at_once = 0;
        if is_notify {
            short_waits = short_waits.wrapping_add(contended as u32);
            contended += of(|details| details.long_came.load(Relaxed));
            let waiting = self.waiting();
            (waiters, waiting_at_once) = (waiting.all, waiting.at_once);
        }
        Some(LockReading {
            id,
            kind: self.kind(),
            site: self.site()?,
            holder,
            holder_site,
            held_since,
            // What is borrowed from a static is as good as owned; then only what became of earlier guards tells.
            may_move: own.mark.load(Relaxed) & MAY_MOVE != 0 || own.ready.load(Relaxed) != KEPT,
            waiters,
            acquires: acquires + sums.acquires + if self.is_event() { contended } else { 0 },
            contended,
            wait_total: waits.total.load(Relaxed) + up.map_or(0, |up| up.total.load(Relaxed)),
            wait_max: waits.max.get().max(up.map_or(0, |up| up.max.load(Relaxed))),
            wait_counts: details
                .map_or(only_short::<LONG>(short_waits), |details| details.long_waits.counts(short_waits)),
            hold_total,
            hold_max: self.hold_max.get(),
            hold_max_site: location(&waits.hold_max_site),
            hold_counts: details
                .map_or(only_short::<LONG>(short_holds), |details| details.long_holds.counts(short_holds)),
            suspended_holds: of(|details| details.suspended_holds.load(Acquire)),
            last_suspended: of(|details| details.last_suspended.load(Relaxed)),
            last_suspended_at: of(|details| details.last_suspended_at.load(Relaxed)),
            last_suspended_site: details.and_then(|details| location(&details.last_suspended_site)),
            last_suspended_waiters: of(|details| details.last_suspended_waiters.load(Relaxed).into()) as u32,
            cut_short: details.and_then(|details| details.cut_short.read()),
            forgot: details.and_then(|details| details.forgot.read(location(&details.forgot_at))),
            ready: own.ready.load(Relaxed) != 0,
            expecting,
            waiting_at_once,
            #[cfg(feature = "console")]
            made_at: waits.made_at.get(),
            name: waits.name.id(),
            ending: self.ending().map(EndingSlot::read),
            holds,
        })
    }
}
