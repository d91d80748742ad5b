//! A lock's slot. Who holds it, and since when, is written by the holder only, on a line of its own; the waiters count
//! themselves on another.
mod awaited;
mod expected;
mod reading;

use std::{
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

#[cfg(feature = "console")]
use super::longest::Moment;
use super::{
    Recorder,
    arena::{Arena, Head, Slot},
    clock,
    ending::EndingSlot,
    histogram::is_long,
    holds::HoldsSlot,
    lazy::Lazy,
    lock_details::{LockDetails, Suspended},
    longest::Longest,
    names::Name,
    owner::Owner,
    since::Since,
    site::{Site, SiteInfo, add},
    started,
    thread::{self, Holder},
};

#[cfg(any(feature = "watch-locks", feature = "tokio-util"))]
pub(crate) use awaited::EventAwaited;
#[cfg(feature = "watch-locks")]
pub(crate) use awaited::LockAwaited;
pub(crate) use reading::LockReading;

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
    kind: AtomicU8,
    /// Of a `Notify` and a `SetOnce`: 1 when who comes next need not wait. Of a mutex, whose holds ended where they began:
    /// 0 before any has ended, then [`KEPT`], and [`GIVEN`] once one has not.
    ready: AtomicU8,
    /// The [`Holder::mark`], and [`MAY_MOVE`].
    holder_mark: AtomicU16,
    /// Completed holds that took not long; of what is never held, see [`LockSlot::waiting`] and [`LockSlot::ending`].
    short_holds: AtomicU32,

    // The current hold.
    holder: AtomicU64,
    held_since: Since,
    holder_site: AtomicPtr<Location<'static>>,
    acquires: AtomicU64,

    // Completed holds; of what is never held, see [`LockSlot::expecting`].
    hold_total: AtomicU64,
    hold_max: Longest,
    /// Index, plus one, of the lock that its holder took before it and still held: see `order`.
    pub(super) outer: AtomicU32,

    waits: Waits,
}

/// The guard can be given to another task.
const MAY_MOVE: u16 = 1 << 15;
const KEPT: u8 = 1;
const GIVEN: u8 = 2;

/// Kinds of which something is [expected](LockSlot::expecting).
const EXPECTING: [u8; 2] = [LockKind::Notify as u8, LockKind::Barrier as u8];

/// What stays as it is, is needed rarely, or is written by those who wait.
#[repr(C, align(64))]
struct Waits {
    owner: Owner,
    /// Null when only one can hold it.
    holds: AtomicPtr<HoldsSlot>,
    hold_max_site: AtomicPtr<Location<'static>>,
    /// Id of the site, which every lock has; there are not more than fit.
    site: AtomicU16,
    name: Name,
    details: Lazy<LockDetails>,

    counts: WaitCounts,
    /// Waits that ended with what was waited for; of a `Notify`, those that took not long.
    contended: AtomicU64,
    total: AtomicU64,
    max: Longest,
    #[cfg(feature = "console")]
    made_at: Moment,
}

/// Who waits, below, and waits that ended and took not long, above, which wrap: so that a wait that ends is one locked
/// instruction for both.
#[derive(Default)]
struct WaitCounts(AtomicU64);

const SHORT_WAIT: u64 = 1 << 32;

impl WaitCounts {
    fn reset(&self) {
        self.0.store(0, Relaxed);
    }

    #[inline]
    fn begins(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    #[inline]
    fn ended(&self, short: bool) {
        self.0.fetch_add((u64::from(short) * SHORT_WAIT).wrapping_sub(1), Relaxed);
    }

    /// Who waits, and short waits that ended.
    fn read(&self) -> (u32, u32) {
        let counts = self.0.load(Relaxed);
        (counts as u32, (counts / SHORT_WAIT) as u32)
    }
}

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
        let slot = recorder.locks.take()?;
        add(&site.spawned, 1);
        slot.kind.store(kind as u8, Relaxed);
        slot.ready.store(0, Relaxed);
        slot.holder_mark.store(0, Relaxed);
        slot.short_holds.store(0, Relaxed);
        slot.held_since.reset();
        slot.hold_max.reset();
        slot.outer.store(0, Relaxed);
        let waits = &slot.waits;
        for counter in [&slot.holder, &slot.acquires, &slot.hold_total, &waits.contended, &waits.total] {
            counter.store(0, Relaxed);
        }
        waits.max.reset();
        #[cfg(feature = "console")]
        waits.made_at.set(clock::ticks());
        set_location(&slot.holder_site, None);
        set_location(&waits.hold_max_site, None);
        waits.holds.store(std::ptr::null_mut(), Relaxed);
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
        let holds = recorder.holds.take()?;
        let lock = Self::register(recorder, info, kind, |lock| {
            holds.reset(lock, permits);
            lock.waits.holds.store(std::ptr::from_ref(holds).cast_mut(), Release);
            prepare(lock);
        });
        if lock.is_none() {
            recorder.holds.give_back(holds);
        }
        lock
    }

    /// The lock went.
    pub(crate) fn retire(&'static self) {
        let recorder = started();
        if let Some(site) = self.site() {
            add(&site.finished, 1);
        }
        self.waits.owner.leave();
        self.waits.details.give_back(&recorder.lock_details);
        if let Some(holds) = self.holds() {
            holds.retire();
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

    #[inline]
    pub(super) fn holds(&self) -> Option<&'static HoldsSlot> {
        // SAFETY: null, or a slot, which is never freed.
        unsafe { self.waits.holds.load(Acquire).as_ref() }
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

    /// Whether it was named since this was last asked. For the collector only.
    pub(crate) fn take_renamed(&self) -> bool {
        self.waits.name.take_renamed()
    }

    /// A [`LockKind`].
    #[inline]
    pub(super) fn kind(&self) -> u8 {
        self.kind.load(Relaxed)
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

    /// How often it was acquired, without what the [entries](super::holds) have counted.
    #[cfg(feature = "layer")]
    pub(super) fn acquires(&self) -> u64 {
        self.acquires.load(Acquire)
    }

    /// One of several holds was acquired and not listed, or something came without a wait.
    #[inline]
    pub(crate) fn count_acquire(&self) {
        self.acquires.fetch_add(1, Relaxed);
    }

    /// Who comes next need not wait, or need.
    #[inline]
    pub(crate) fn set_ready(&'static self, ready: bool) {
        if self.ready.load(Relaxed) != u8::from(ready) {
            self.ready.store(ready.into(), Relaxed);
            self.mark();
        }
    }

    /// Of a token and a tracker: gives it what only they have, which lies in the place of the holds' count.
    pub(super) fn set_ending(&self, ending: &'static EndingSlot) {
        self.short_holds.store(Arena::index(ending) + 1, Release);
    }

    /// What only a token or a tracker has.
    pub(super) fn ending(&self) -> Option<&'static EndingSlot> {
        if self.kind() < LockKind::CancellationToken as u8 {
            return None;
        }
        started().endings.at(self.short_holds.load(Acquire).checked_sub(1)?)
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

    /// One of several holds, which is not listed, ends after `took` ticks.
    #[cold]
    pub(super) fn count_unlisted_hold(&self, took: u64) {
        self.hold_total.fetch_add(took, Relaxed);
        if !self.count_long_hold(took) {
            self.short_holds.fetch_add(1, Relaxed);
        }
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
        self.acquires.store(self.acquires.load(Relaxed) + 1, Relaxed);
        self.held_since.begin(clock::ticks(), || {
            self.holder.store(holder.task, Relaxed);
            self.holder_mark.store(holder.mark, Relaxed);
            self.holder_site.store(std::ptr::from_ref(site).cast_mut(), Relaxed);
        });
        self.taken(site);
        self.mark();
    }

    /// The guard of the present hold, which has just begun, can be given to another task.
    pub(crate) fn may_move(&'static self) {
        self.holder_mark.store(self.holder_mark.load(Relaxed) | MAY_MOVE, Relaxed);
        self.let_go();
    }

    /// Whether the task of that id holds it, and keeps all others out.
    pub(super) fn is_held_by(&self, task: u64) -> bool {
        let mutex = !self.held_since.is_free() && self.holder.load(Relaxed) == task;
        self.id() != 0 && task != 0 && (mutex || self.holds().is_some_and(|holds| holds.written_by(task).is_some()))
    }

    /// Whether the hold of who has it, and keeps all others out, is noted here.
    #[inline]
    pub(crate) fn is_held(&self) -> bool {
        self.held_since.get() != 0
    }

    /// Where the hold that keeps all others out was taken, if there is one.
    pub(super) fn held_at(&self) -> Option<&'static Location<'static>> {
        match self.holds() {
            Some(holds) => holds.written_at(),
            None => location(&self.holder_site),
        }
    }

    /// The lock is about to be released. Called while it is still held.
    #[inline(never)]
    pub(crate) fn released(&'static self) {
        let now = clock::ticks();
        let held = now.saturating_sub(self.held_since.get());
        self.hold_total.store(self.hold_total.load(Relaxed) + held, Relaxed);
        if is_long(held) {
            self.long_hold(held, true);
        } else {
            self.short_holds.store(self.short_holds.load(Relaxed).wrapping_add(1), Relaxed);
        }
        if self.hold_max.is_raised_by(held) {
            self.hold_max.raise(held);
            set_location(&self.waits.hold_max_site, location(&self.holder_site));
        }
        let holder = Holder { task: self.holder.load(Relaxed), mark: self.holder_mark.load(Relaxed) & !MAY_MOVE };
        if thread::was_suspended(holder)
            && let Some(site) = location(&self.holder_site)
        {
            self.suspended(held, now, Some(site), true);
        }
        self.may_be_cut_short(held, now, &self.holder_site);
        self.let_go();
        if let Some(task) = thread::current_task() {
            let ended = if task.id() == holder.task { KEPT } else { GIVEN };
            if self.ready.load(Relaxed) < ended {
                self.ready.store(ended, Relaxed);
            }
        }
        self.held_since.end();
        self.mark();
    }

    /// A hold that ends was one across a suspension. `alone` when nobody else can come here meanwhile.
    pub(super) fn suspended(&self, held: u64, at: u64, site: Option<&'static Location<'static>>, alone: bool) {
        if let Some(details) = self.details() {
            details.suspended(Suspended { held, at, site, waiters: self.waiters() }, alone);
        }
    }

    /// A thread outside of any task begins to wait, for what `blocking_lock` and the like do.
    #[inline]
    pub(crate) fn wait_begins(&'static self) {
        self.waits.counts.begins();
        self.mark();
    }

    /// A wait of `waited` ticks ended, with one of several holds or without.
    #[inline]
    pub(crate) fn wait_ended(&'static self, waited: u64, acquired: bool) {
        let waits = &self.waits;
        if acquired {
            waits.contended.fetch_add(1, Relaxed);
        }
        waits.total.fetch_add(waited, Relaxed);
        waits.max.raise_shared(waited);
        self.waits_no_more(waited);
    }

    /// A wait of `waited` ticks ended with the lock, which nobody else can hold: so the caller is the only one here.
    #[inline]
    pub(crate) fn wait_won(&'static self, waited: u64) {
        let waits = &self.waits;
        waits.contended.store(waits.contended.load(Relaxed) + 1, Relaxed);
        waits.total.store(waits.total.load(Relaxed) + waited, Relaxed);
        waits.max.raise(waited);
        self.waits_no_more(waited);
    }

    /// A wait of `waited` ticks for a lock that only one can hold ended without it.
    #[cold]
    pub(crate) fn wait_given_up(&'static self, waited: u64) {
        if let Some(details) = self.details() {
            let up = &details.given_up;
            up.total.fetch_add(waited, Relaxed);
            up.max.fetch_max(waited, Relaxed);
        }
        self.waits_no_more(waited);
    }

    #[inline]
    fn waits_no_more(&'static self, waited: u64) {
        let long = is_long(waited);
        if long {
            self.long_wait(waited);
        }
        self.waits.counts.ended(!long);
        self.mark();
    }

    #[cold]
    fn long_wait(&self, waited: u64) {
        if let Some(details) = self.details() {
            details.long_waits.record_shared(waited);
        }
    }

    #[inline]
    pub(crate) fn mark(&'static self) {
        started().locks.mark(self);
    }
}
