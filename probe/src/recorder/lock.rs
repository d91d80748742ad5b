//! A lock's slot. Who holds it, and since when, is written by the holder only; the waiters count themselves.
use std::{
    panic::Location,
    sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU16, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
        fence,
    },
};

use async_inspect_proto::HISTOGRAM_BUCKETS;

use super::{
    Recorder, active,
    arena::{Head, Slot},
    clock,
    ending::{Ending, EndingReading},
    histogram::Histogram,
    holds::{HoldsReading, HoldsSlot},
    names,
    site::{Site, SiteInfo, add},
    thread::{self, Holder},
    wait::{Awaited, WaitKind},
};

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

#[repr(C, align(128))]
pub(crate) struct LockSlot {
    head: Head,
    kind: AtomicU8,
    /// Of a `Notify` and a `SetOnce`: 1 when who comes next need not wait.
    ready: AtomicU8,
    /// Of [`names`].
    name: AtomicU16,
    /// Of a `Notify`: futures that a notification could reach, polled or not. Of a `Barrier`: tasks that it waits for.
    expecting: AtomicU32,
    /// 0 while the slot is free.
    id: AtomicU64,
    site: AtomicPtr<Site>,
    /// Null when only one can hold it.
    holds: AtomicPtr<HoldsSlot>,

    // The current hold.
    holder: AtomicU64,
    /// 0 when free.
    held_since: AtomicU64,
    holder_site: AtomicPtr<Location<'static>>,
    /// The [`Holder::mark`].
    holder_mark: AtomicU32,
    acquires: AtomicU64,

    // Completed holds. A `Notify` has none: here `suspended_holds` counts notifications that found nobody, and
    // `last_suspended_at` and `last_suspended_site` are of the newest of them.
    hold_total: AtomicU64,
    hold_max: AtomicU64,
    hold_max_site: AtomicPtr<Location<'static>>,
    suspended_holds: AtomicU64,
    last_suspended: AtomicU64,
    last_suspended_at: AtomicU64,
    last_suspended_site: AtomicPtr<Location<'static>>,
    last_suspended_waiters: AtomicU32,
    /// Ticks.
    #[cfg(feature = "console")]
    made_at: AtomicU64,
    /// It was named after readers may have been told of it.
    renamed: AtomicBool,
    pub(super) ending: Ending,

    waits: Waits,

    hold_times: Histogram,
}

/// Written by those who wait.
#[repr(C, align(64))]
struct Waits {
    waiters: AtomicU32,
    contended: AtomicU64,
    total: AtomicU64,
    max: AtomicU64,
    times: Histogram,
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for LockSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

/// Everything that is read of a lock at once; times in ticks.
#[derive(Debug, Clone)]
pub(crate) struct LockReading {
    pub(crate) id: u64,
    pub(crate) kind: u8,
    pub(crate) site: &'static Site,
    pub(crate) holder: u64,
    pub(crate) holder_site: Option<&'static Location<'static>>,
    pub(crate) held_since: u64,
    pub(crate) waiters: u32,
    pub(crate) acquires: u64,
    pub(crate) contended: u64,
    pub(crate) wait_total: u64,
    pub(crate) wait_max: u64,
    pub(crate) wait_counts: [u32; HISTOGRAM_BUCKETS],
    pub(crate) hold_total: u64,
    pub(crate) hold_max: u64,
    pub(crate) hold_max_site: Option<&'static Location<'static>>,
    pub(crate) hold_counts: [u32; HISTOGRAM_BUCKETS],
    pub(crate) suspended_holds: u64,
    pub(crate) last_suspended: u64,
    pub(crate) last_suspended_at: u64,
    pub(crate) last_suspended_site: Option<&'static Location<'static>>,
    pub(crate) last_suspended_waiters: u32,
    pub(crate) ready: bool,
    pub(crate) expecting: u32,
    #[cfg(feature = "console")]
    pub(crate) made_at: u64,
    /// Of [`names`].
    pub(crate) name: u16,
    /// Of a token and a tracker only.
    pub(crate) ending: Option<EndingReading>,
    /// `None` when only one can hold it.
    pub(crate) holds: Option<HoldsReading>,
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
        slot.expecting.store(0, Relaxed);
        slot.holds.store(std::ptr::null_mut(), Relaxed);
        slot.site.store(std::ptr::from_ref(site).cast_mut(), Relaxed);
        let waits = &slot.waits;
        for counter in [
            &slot.holder,
            &slot.held_since,
            &slot.acquires,
            &slot.hold_total,
            &slot.hold_max,
            &slot.suspended_holds,
            &slot.last_suspended,
            &slot.last_suspended_at,
            &waits.contended,
            &waits.total,
            &waits.max,
        ] {
            counter.store(0, Relaxed);
        }
        for site in [&slot.holder_site, &slot.hold_max_site, &slot.last_suspended_site] {
            set_location(site, None);
        }
        slot.last_suspended_waiters.store(0, Relaxed);
        slot.name.store(0, Relaxed);
        slot.renamed.store(false, Relaxed);
        slot.ending.reset();
        slot.holder_mark.store(0, Relaxed);
        #[cfg(feature = "console")]
        slot.made_at.store(clock::ticks(), Relaxed);
        waits.waiters.store(0, Relaxed);
        waits.times.reset();
        slot.hold_times.reset();
        prepare(slot);
        slot.id.store(recorder.new_id(), Release);
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
        holds.reset(permits);
        let Some(lock) = Self::register(recorder, info, kind, prepare) else {
            recorder.holds.give_back(holds);
            return None;
        };
        lock.holds.store(std::ptr::from_ref(holds).cast_mut(), Release);
        Some(lock)
    }

    /// The lock went.
    pub(crate) fn retire(&'static self) {
        if let (Some(recorder), Some(site)) = (active(), self.site()) {
            add(&site.finished, 1);
            self.id.store(0, Release);
            if let Some(holds) = self.holds() {
                recorder.holds.give_back(holds);
            }
            recorder.locks.give_back(self);
        }
    }

    fn site(&self) -> Option<&'static Site> {
        // SAFETY: null, or a site, which is never freed.
        unsafe { self.site.load(Relaxed).as_ref() }
    }

    #[inline]
    pub(super) fn holds(&self) -> Option<&'static HoldsSlot> {
        // SAFETY: null, or a slot, which is never freed.
        unsafe { self.holds.load(Acquire).as_ref() }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id.load(Relaxed)
    }

    /// Gives a new lock its name, of [`names`].
    pub(crate) fn name_first(&self, name: u16) {
        self.name.store(name, Relaxed);
    }

    /// What the app calls it.
    pub(crate) fn set_name(&'static self, name: &str) {
        self.name.store(names::id(name), Relaxed);
        self.renamed.store(true, Release);
        self.mark();
    }

    /// Whether it was named since this was last asked. For the collector only.
    pub(crate) fn take_renamed(&self) -> bool {
        self.renamed.load(Relaxed) && self.renamed.swap(false, Acquire)
    }

    /// A [`LockKind`].
    pub(super) fn kind(&self) -> u8 {
        self.kind.load(Relaxed)
    }

    /// Tasks and threads waiting.
    pub(crate) fn waiters(&self) -> u32 {
        self.waits.waiters.load(Relaxed)
    }

    /// One of several holds was acquired, or something came that was waited for.
    #[inline]
    pub(crate) fn count_acquire(&self) {
        self.acquires.fetch_add(1, Relaxed);
    }

    /// Who comes next need not wait, or need.
    pub(crate) fn set_ready(&'static self, ready: bool) {
        if self.ready.load(Relaxed) != u8::from(ready) {
            self.ready.store(ready.into(), Relaxed);
            self.mark();
        }
    }

    /// So many more, or less, are expected.
    pub(crate) fn expect(&self, change: i32) {
        self.expecting.fetch_add(change.cast_unsigned(), Relaxed);
    }

    /// Futures that a notification could reach.
    pub(crate) fn expecting(&self) -> u32 {
        self.expecting.load(Relaxed)
    }

    /// A notification to all, from `site`, found nobody.
    #[cold]
    pub(crate) fn lost_notify(&'static self, site: &'static Location<'static>) {
        self.last_suspended_at.store(clock::ticks(), Relaxed);
        set_location(&self.last_suspended_site, Some(site));
        self.suspended_holds.fetch_add(1, Release);
        self.mark();
    }

    /// One of several holds, acquired at `site`, ends after `took` ticks.
    #[inline]
    pub(super) fn shared_hold(&self, took: u64, site: &'static Location<'static>) {
        self.hold_total.fetch_add(took, Relaxed);
        self.hold_times.record_shared(took);
        if took > self.hold_max.load(Relaxed) && self.hold_max.fetch_max(took, Relaxed) < took {
            set_location(&self.hold_max_site, Some(site));
        }
    }

    /// The lock was acquired at `site`, by the task in poll if there is one. Called while it is held.
    #[inline]
    pub(crate) fn acquired(&'static self, site: &'static Location<'static>) {
        let holder = thread::holder();
        self.acquires.store(self.acquires.load(Relaxed) + 1, Relaxed);
        self.holder.store(holder.task, Relaxed);
        self.holder_mark.store(holder.mark, Relaxed);
        self.holder_site.store(std::ptr::from_ref(site).cast_mut(), Relaxed);
        self.held_since.store(clock::ticks(), Release);
        self.mark();
    }

    /// The lock is about to be released. Called while it is still held.
    #[inline]
    pub(crate) fn released(&'static self) {
        let now = clock::ticks();
        let held = now.saturating_sub(self.held_since.load(Relaxed));
        self.hold_total.store(self.hold_total.load(Relaxed) + held, Relaxed);
        self.hold_times.record(held);
        if held > self.hold_max.load(Relaxed) {
            self.hold_max.store(held, Relaxed);
            set_location(&self.hold_max_site, location(&self.holder_site));
        }
        let holder = Holder { task: self.holder.load(Relaxed), mark: self.holder_mark.load(Relaxed) };
        if thread::was_suspended(holder)
            && let Some(site) = location(&self.holder_site)
        {
            self.suspended(held, now, site);
        }
        self.holder.store(0, Relaxed);
        self.held_since.store(0, Release);
        self.mark();
    }

    /// Facts about the newest one; two that end at once may mix theirs, each still true.
    #[cold]
    pub(super) fn suspended(&self, held: u64, now: u64, site: &'static Location<'static>) {
        self.last_suspended.store(held, Relaxed);
        self.last_suspended_at.store(now, Relaxed);
        set_location(&self.last_suspended_site, Some(site));
        self.last_suspended_waiters.store(self.waits.waiters.load(Relaxed), Relaxed);
        self.suspended_holds.fetch_add(1, Release);
    }

    /// A thread outside of any task begins to wait, for what `blocking_lock` and the like do.
    pub(crate) fn wait_begins(&'static self) {
        self.waits.waiters.fetch_add(1, Relaxed);
        self.mark();
    }

    /// A wait of `waited` ticks ended, with the lock or without.
    pub(crate) fn wait_ended(&'static self, waited: u64, acquired: bool) {
        let waits = &self.waits;
        waits.waiters.fetch_sub(1, Relaxed);
        if acquired {
            waits.contended.fetch_add(1, Relaxed);
        }
        waits.total.fetch_add(waited, Relaxed);
        waits.max.fetch_max(waited, Relaxed);
        waits.times.record_shared(waited);
        self.mark();
    }

    #[inline]
    pub(crate) fn mark(&'static self) {
        if let Some(recorder) = active() {
            recorder.locks.mark(self);
        }
    }

    /// Everything there is to read; `None` when the slot is free, or changed hands meanwhile.
    pub(crate) fn read(&self) -> Option<LockReading> {
        let id = self.id.load(Acquire);
        // One hold's holder never gets another hold's start.
        let (holder, holder_site, held_since) = (0..8)
            .find_map(|_| {
                let since = self.held_since.load(Acquire);
                let (holder, site) = (self.holder.load(Acquire), location(&self.holder_site));
                fence(Acquire);
                (self.held_since.load(Acquire) == since).then_some(if since == 0 {
                    (0, None, 0)
                } else {
                    (holder, site, since)
                })
            })
            .unwrap_or((0, None, 0));
        let waits = &self.waits;
        let acquires = self.acquires.load(Acquire);
        let holds = self.holds().map(|holds| holds.read(acquires));
        let reading = LockReading {
            id,
            kind: self.kind.load(Relaxed),
            site: self.site()?,
            holder,
            holder_site,
            held_since,
            waiters: waits.waiters.load(Relaxed),
            acquires,
            contended: waits.contended.load(Relaxed),
            wait_total: waits.total.load(Relaxed),
            wait_max: waits.max.load(Relaxed),
            wait_counts: waits.times.counts(),
            hold_total: self.hold_total.load(Relaxed),
            hold_max: self.hold_max.load(Relaxed),
            hold_max_site: location(&self.hold_max_site),
            hold_counts: self.hold_times.counts(),
            suspended_holds: self.suspended_holds.load(Acquire),
            last_suspended: self.last_suspended.load(Relaxed),
            last_suspended_at: self.last_suspended_at.load(Relaxed),
            last_suspended_site: location(&self.last_suspended_site),
            last_suspended_waiters: self.last_suspended_waiters.load(Relaxed),
            ready: self.ready.load(Relaxed) != 0,
            expecting: self.expecting.load(Relaxed),
            #[cfg(feature = "console")]
            made_at: self.made_at.load(Relaxed),
            name: self.name.load(Relaxed),
            ending: self.ending.read(self.kind.load(Relaxed)),
            holds,
        };
        fence(Acquire);
        (id != 0 && self.id.load(Relaxed) == id).then_some(reading)
    }
}

/// An `await` for something that is not held: a notification, a barrier, a value, a cancellation, the end of all tasks. Only for what outlives it.
pub(crate) struct EventAwaited(pub(crate) Option<&'static LockSlot>);

impl Awaited for EventAwaited {
    fn target(&self) -> Option<(WaitKind, u64)> {
        LockAwaited(self.0).target()
    }

    fn pending(&self) {
        if let Some(event) = self.0 {
            event.wait_begins();
        }
    }

    fn ended(&self, waited: u64, completed: bool) {
        if let Some(event) = self.0 {
            if completed {
                event.count_acquire();
            }
            event.wait_ended(waited, completed);
        }
    }
}

/// An `await` for a lock. Only for locks that outlive it, as a borrow or an `Arc` of the lock shows.
pub(crate) struct LockAwaited(pub(crate) Option<&'static LockSlot>);

impl Awaited for LockAwaited {
    fn target(&self) -> Option<(WaitKind, u64)> {
        self.0.map(|lock| (WaitKind::Lock, lock.id()))
    }

    fn pending(&self) {
        if let Some(lock) = self.0 {
            lock.wait_begins();
        }
    }

    fn ended(&self, waited: u64, completed: bool) {
        if let Some(lock) = self.0 {
            lock.wait_ended(waited, completed);
        }
    }
}
