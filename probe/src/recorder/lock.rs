//! A lock's slot. Who holds it, and since when, is written by the holder only, on a line of its own; the waiters count
//! themselves on another.
mod awaited;
mod expected;
mod reading;
mod waits;

use std::{
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU32,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::{
    Recorder,
    arena::{Arena, Head, Slot},
    clock,
    ending::EndingSlot,
    histogram::is_long,
    holds::{HoldFacts, HoldsSlot, SHARED},
    lock_details::{LockDetails, Suspended},
    longest::Longest,
    site::{Site, SiteInfo},
    started,
    thread::{self, Holder},
    totals::Total,
};

#[cfg(any(feature = "watch-locks", all(feature = "watch-tasks", feature = "tokio-util")))]
pub(crate) use awaited::EventAwaited;
#[cfg(feature = "watch-locks")]
pub(crate) use awaited::LockAwaited;
pub(crate) use reading::LockReading;
use waits::{SHORT_WAIT, Waits};

/// Which lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum LockKind {
    Mutex = 1,
    RwLock = 2,
    Semaphore = 3,
    /// What is acquired of it and the next ones is what was waited for and came; they are not held.
    Notify = 4,
    Barrier = 5,
    /// Held while somebody initialises it.
    OnceCell = 6,
    SetOnce = 7,
    CancellationToken = 8,
    TaskTracker = 9,
}

#[repr(C, align(64))]
pub(crate) struct LockSlot {
    head: Head,
    /// The current hold, of what several may hold the first one, and completed ones; of what is never held, see
    /// [`LockSlot::waiting`], [`LockSlot::expecting`] and [`LockSlot::ending`].
    pub(super) own: HoldFacts,
    hold_max: Longest,
    /// Index, plus one, of the lock that its holder took before it and still held: see `order`. Of a semaphore, which is in
    /// no order: the permits of the hold that is noted here.
    pub(super) outer: AtomicU32,

    waits: Waits,
}

/// The guard can be given to another task.
const MAY_MOVE: u16 = 1 << 15;
const KEPT: u8 = 1;
const GIVEN: u8 = 2;

/// Kinds of which something is [expected](LockSlot::expecting).
const EXPECTING: [u8; 2] = [LockKind::Notify as u8, LockKind::Barrier as u8];

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for LockSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

pub(super) fn location(of: &AtomicPtr<Location<'static>>) -> Option<&'static Location<'static>> {
    // SAFETY: only ever null or a `&'static Location`.
    unsafe { of.load(Relaxed).as_ref() }
}

pub(super) fn set_location(to: &AtomicPtr<Location<'static>>, location: Option<&'static Location<'static>>) {
    to.store(location.map_or(std::ptr::null_mut(), |site| std::ptr::from_ref(site).cast_mut()), Relaxed);
}

impl LockSlot {
    /// A slot for a new lock; `None` when it is to be counted only. `prepare` sees it before any reader does.
    pub(crate) fn register(
        recorder: &'static Recorder,
        info: &SiteInfo,
        kind: LockKind,
        prepare: impl FnOnce(&'static LockSlot),
    ) -> Option<&'static LockSlot> {
        let site = recorder.sites.get(info)?;
        let slot = site.made(recorder.locks.take())?;
        slot.own.reset();
        slot.own.kind.store(kind as u8, Relaxed);
        slot.hold_max.reset();
        slot.outer.store(0, Relaxed);
        let waits = &slot.waits;
        for counter in [&waits.contended, &waits.total] {
            counter.store(0, Relaxed);
        }
        waits.max.reset();
        #[cfg(feature = "console")]
        waits.made_at.set(clock::ticks());
        set_location(&waits.hold_max_site, None);
        waits.holds.reset();
        waits.permits.store(0, Relaxed);
        waits.site.store(site.id as u16, Relaxed);
        waits.details.reset();
        waits.counts.reset();
        waits.name.reset();
        prepare(slot);
        waits.owner.enter(recorder.new_id());
        recorder.locks.mark(slot);
        Some(slot)
    }

    /// A slot for a new lock of `permits` that several may hold; `None` when it is to be counted only.
    pub(crate) fn register_shared(
        recorder: &'static Recorder,
        info: &SiteInfo,
        kind: LockKind,
        permits: u64,
        prepare: impl FnOnce(&'static LockSlot),
    ) -> Option<&'static LockSlot> {
        Self::register(recorder, info, kind, |lock| {
            lock.own.ready.store(SHARED, Relaxed);
            lock.waits.permits.store(u32::try_from(permits).unwrap_or(u32::MAX), Relaxed);
            prepare(lock);
        })
    }

    /// The lock went.
    pub(crate) fn retire(&'static self) {
        let recorder = started();
        if let Some(site) = self.site() {
            site.add(Total::Finished, 1);
        }
        self.waits.owner.leave();
        self.waits.details.give_back(&recorder.lock_details);
        if let Some(holds) = self.holds() {
            holds.retire();
            self.waits.holds.give_back(&recorder.holds);
        }
        if let Some(ending) = self.ending() {
            recorder.endings.give_back(ending);
        }
        recorder.locks.give_back(self);
    }

    pub(super) fn site(&self) -> Option<&'static Site> {
        started().sites.by_id(self.waits.site.load(Relaxed).into())
    }

    /// Its details, taken if it has none yet; `None` when there is no room for them.
    pub(super) fn details(&self) -> Option<&'static LockDetails> {
        self.waits.details.get_or_take(&started().lock_details, LockDetails::reset)
    }

    /// Its details, if it has any.
    pub(super) fn details_if_any(&self) -> Option<&'static LockDetails> {
        self.waits.details.get(&started().lock_details)
    }

    /// Whether several may hold it.
    #[inline]
    pub(super) fn is_shared(&self) -> bool {
        self.own.ready.load(Relaxed) & SHARED != 0
    }

    /// What it has beside itself where several hold it.
    #[inline]
    pub(super) fn holds(&self) -> Option<&'static HoldsSlot> {
        self.waits.holds.get(&started().holds)
    }

    /// The same, taken if it has none yet; `None` when there is no room for it.
    #[cold]
    pub(super) fn holds_or_take(&self) -> Option<&'static HoldsSlot> {
        self.waits.holds.get_or_take(&started().holds, HoldsSlot::reset)
    }

    /// Whether there was no room for it. Then what has no other place is counted in its own: see
    /// [`LockSlot::unlisted_begins`].
    #[inline]
    pub(super) fn holds_were_shed(&self) -> bool {
        self.waits.holds.was_shed()
    }

    /// Permits of holds that are noted nowhere: there was no room for what lies beside.
    pub(super) fn shed_permits(&self) -> u32 {
        self.waits.holds.counted_instead()
    }

    /// There are so many more of them.
    pub(super) fn count_shed_permits(&self, permits: u32) {
        self.waits.holds.count_instead(permits);
    }

    /// There are so many less of them.
    pub(super) fn discount_shed_permits(&self, permits: u32) {
        self.waits.holds.discount_instead(permits);
    }

    /// Of what several may hold: how many permits there are.
    pub(super) fn permits(&self) -> &AtomicU32 {
        &self.waits.permits
    }

    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.waits.owner.id()
    }

    /// Gives a new lock its name, of [`names`](super::names).
    pub(crate) fn name_first(&self, name: u16) {
        self.waits.name.first(name);
    }

    /// What the app calls it.
    pub(crate) fn set_name(&'static self, name: &str) {
        self.waits.name.set(name);
        self.mark();
    }

    /// The same by the name's number, of [`names`](super::names).
    #[cfg(feature = "watch-locks")]
    pub(crate) fn rename(&'static self, name: u16) {
        self.waits.name.set_id(name);
        self.mark();
    }

    /// Whether it was named since this was last asked. For the collector only.
    pub(crate) fn take_renamed(&self) -> bool {
        self.waits.name.take_renamed()
    }

    /// A [`LockKind`].
    #[inline]
    pub(super) fn kind(&self) -> u8 {
        self.own.kind.load(Relaxed)
    }

    /// Whether it is not held but comes to those who wait for it: then those are counted once, as contended, and what came
    /// to others as acquired.
    pub(crate) fn is_event(&self) -> bool {
        self.kind() >= LockKind::Notify as u8 && self.kind() != LockKind::OnceCell as u8
    }

    /// Whether what is held of it are permits: it is a semaphore.
    #[cfg(feature = "layer")]
    pub(crate) fn has_permits(&self) -> bool {
        self.kind() == LockKind::Semaphore as u8
    }

    /// Tasks and threads waiting.
    pub(crate) fn waiters(&self) -> u32 {
        self.waits.counts.read().0
    }

    /// Something came without a wait.
    #[inline]
    pub(crate) fn count_acquire(&self) {
        self.own.acquires.fetch_add(1, Relaxed);
    }

    /// Who comes next need not wait, or need.
    #[inline]
    pub(crate) fn set_ready(&'static self, ready: bool) {
        if self.own.ready.load(Relaxed) != u8::from(ready) {
            self.own.ready.store(ready.into(), Relaxed);
            self.mark();
        }
    }

    /// Of a token and a tracker: gives it what only they have, which lies in the place of the holds' count.
    pub(super) fn set_ending(&self, ending: &'static EndingSlot) {
        self.own.short_holds.store(Arena::index(ending) + 1, Release);
    }

    /// What only a token or a tracker has.
    pub(super) fn ending(&self) -> Option<&'static EndingSlot> {
        if self.kind() < LockKind::CancellationToken as u8 {
            return None;
        }
        started().endings.at(self.own.short_holds.load(Acquire).checked_sub(1)?)
    }

    /// A notification to all, from `site`, found nobody.
    #[cold]
    pub(crate) fn lost_notify(&'static self, site: &'static Location<'static>) {
        if let Some(details) = self.details() {
            details.suspended(Suspended { held: 0, at: clock::ticks(), site: Some(site), waiters: 0 }, false);
        }
        self.mark();
    }

    /// One of several holds ends after `took` ticks; it is counted here if that is long.
    #[inline]
    pub(super) fn count_long_hold(&self, took: u64) -> bool {
        let long = is_long(took);
        if long {
            self.long_hold(took, false);
        }
        long
    }

    /// One of several holds, acquired at `site`, took so many ticks.
    #[inline]
    pub(super) fn hold_took(&self, took: u64, site: &AtomicPtr<Location<'static>>) {
        if self.hold_max.raise_shared(took) {
            set_location(&self.waits.hold_max_site, location(site));
        }
    }

    /// `alone` when nobody else can come here meanwhile.
    #[cold]
    fn long_hold(&self, took: u64, alone: bool) {
        match self.details() {
            Some(details) if alone => details.long_holds.record(took),
            Some(details) => details.long_holds.record_shared(took),
            None => {}
        }
    }

    /// The lock was acquired at `site`, by the task in poll if there is one. Called while it is held.
    #[inline(never)]
    pub(crate) fn acquired(&'static self, site: &'static Location<'static>) {
        let holder = thread::holder();
        self.own.acquires.store(self.own.acquires.load(Relaxed) + 1, Relaxed);
        self.own.since.begin(clock::ticks(), || {
            self.own.task.store(holder.task, Relaxed);
            self.own.mark.store(holder.mark, Relaxed);
            self.own.site.store(std::ptr::from_ref(site).cast_mut(), Relaxed);
        });
        self.taken(site);
        self.mark();
    }

    /// The guard of the present hold, which has just begun, can be given to another task.
    pub(crate) fn may_move(&'static self) {
        self.own.mark.store(self.own.mark.load(Relaxed) | MAY_MOVE, Relaxed);
        self.let_go();
    }

    /// Whether the task of that id holds it, and keeps all others out.
    pub(super) fn is_held_by(&self, task: u64) -> bool {
        let holds = if self.is_shared() {
            self.writer().is_some_and(|hold| hold.task == task)
        } else {
            !self.own.since.is_free() && self.own.task.load(Relaxed) == task
        };
        self.id() != 0 && task != 0 && holds
    }

    /// Whether the hold of who has it, and keeps all others out, is noted here.
    #[inline]
    pub(crate) fn is_held(&self) -> bool {
        self.own.since.get() != 0
    }

    /// Of a lock that only one can hold: whether nobody is in the way, as far as is noted. A hold is noted a moment after it
    /// began; looking takes nothing, as a try would.
    #[cfg(feature = "watch-locks")]
    pub(crate) fn seems_free(&self) -> bool {
        !self.is_held() && self.waiters() == 0
    }

    /// Where the hold that keeps all others out was taken, if there is one.
    pub(super) fn held_at(&self) -> Option<&'static Location<'static>> {
        if self.is_shared() { self.writer()?.site } else { location(&self.own.site) }
    }

    /// The lock is about to be released. Called while it is still held.
    #[inline(never)]
    pub(crate) fn released(&'static self) {
        let now = clock::ticks();
        let held = now.saturating_sub(self.own.since.get());
        self.own.hold_total.store(self.own.hold_total.load(Relaxed) + held, Relaxed);
        if is_long(held) {
            self.long_hold(held, true);
        } else {
            self.own.short_holds.store(self.own.short_holds.load(Relaxed).wrapping_add(1), Relaxed);
        }
        if self.hold_max.is_raised_by(held) {
            self.hold_max.raise(held);
            set_location(&self.waits.hold_max_site, location(&self.own.site));
        }
        let holder = Holder { task: self.own.task.load(Relaxed), mark: self.own.mark.load(Relaxed) & !MAY_MOVE };
        if thread::was_suspended(holder)
            && let Some(site) = location(&self.own.site)
        {
            self.suspended(held, now, Some(site), true);
        }
        self.may_be_cut_short(held, now, &self.own.site);
        self.let_go();
        let task = thread::current_task_id();
        if task != 0 {
            let ended = if task == holder.task { KEPT } else { GIVEN };
            if self.own.ready.load(Relaxed) < ended {
                self.own.ready.store(ended, Relaxed);
            }
        }
        self.own.since.end();
        self.mark();
    }

    /// A hold that ends was one across a suspension. `alone` when nobody else can come here meanwhile.
    pub(super) fn suspended(&self, held: u64, at: u64, site: Option<&'static Location<'static>>, alone: bool) {
        if let Some(details) = self.details() {
            details.suspended(Suspended { held, at, site, waiters: self.waiters() }, alone);
        }
    }

    #[inline]
    pub(crate) fn mark(&'static self) {
        started().locks.mark(self);
    }
}
