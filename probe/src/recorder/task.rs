//! A task's slot: its life and its handle.
//!
//! The polling thread is the only writer of nearly everything. Others write to `handle` and `wakes`, end waits (the entries
//! and `more_waits`) where a future is dropped elsewhere, and the probe's thread sets `last_poll_ended` back after a poll that
//! it asked for (`slept_on`). A slot is shared by the future, the
//! handle and the wakers; when the last of them lets go, what the task did is added to its site's totals and the slot is
//! free.
use std::{
    panic::Location,
    sync::atomic::{
        AtomicI8, AtomicPtr, AtomicU8, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::{
    Recorder,
    arena::{Arena, Head, Slot},
    by_task, clock,
    handle::{Dropped, Handle, Lost, flag},
    histogram::{Counts, LATE, LongCounts, only_short, p99},
    lazy::Lazy,
    longest::Longest,
    membership::{MembershipSlot, Scope},
    owner::Owner,
    running::Running,
    site::{Site, SiteInfo},
    started, thread,
    totals::Total,
    wait::{self, Entry, WaitReading},
    waker::Wakes,
};

/// From when on a poll counts as slow, in nanoseconds.
pub(crate) const SLOW_POLL_NS: u64 = 10_000_000;

/// Set in the ids of `block_on` roots, which have none of tokio's.
pub(crate) const ROOT_BIT: u64 = 1 << 63;

/// How a task came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum TaskKind {
    Async = 1,
    Blocking = 2,
    Root = 3,
    Local = 4,
    /// Known only while it waits: see `by_task`.
    Unwatched = 5,
}

/// Where a task stands. Whether it runs is the workers' to say, whether it is woken `woken_at`'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Stage {
    New = 1,
    Alive = 2,
    Done = 3,
    Panicked = 4,
    Cancelled = 5,
    /// In a poll that may block its thread: see `thread::in_place`.
    InPlace = 6,
}

#[repr(C, align(64))]
pub(crate) struct TaskSlot {
    head: Head,
    pub(super) kind: AtomicU8,
    pub(super) stage: AtomicU8,
    pub(super) handle: Handle,
    /// Waits for which there was no entry, up to [`MOST_WAITS`]; and [`CROWDED`].
    pub(super) more_waits: AtomicI8,
    pub(super) times: Lazy<TaskTimes>,
    /// Of nobody while the slot is free, and until the task's id is known.
    owner: Owner,
    site: AtomicPtr<Site>,
    pub(super) polls: AtomicU64,
    pub(super) busy: AtomicU64,
    pub(super) max_poll: Longest,
    /// Index, plus one, of the lock that it took last and still holds: see `order`.
    pub(super) innermost: AtomicU32,
    /// Ticks at the end of the last poll.
    pub(super) last_poll_ended: AtomicU64,

    waits: [Entry; 2],
    spawned_at: AtomicU64,
    parent: AtomicU64,

    pub(super) wakes: Wakes,
}

/// In `more_waits`: there was one in the last poll, of those that hold until the next.
pub(super) const CROWDED: i8 = if cfg!(feature = "layer") { 64 } else { 0 };
/// In `more_waits`: too many to count. How many are left when some of them end is not known any more.
const MOST_WAITS: i8 = if cfg!(feature = "layer") { CROWDED - 1 } else { i8::MAX };

/// The polls of a task that took long, and those that came late after a wake; taken with the first of either.
#[repr(C)]
pub(crate) struct TaskTimes {
    head: Head,
    pub(super) long_polls: LongCounts,
    pub(super) late_polls: LongCounts<LATE>,
}

impl TaskTimes {
    fn reset(&self) {
        self.long_polls.reset();
        self.late_polls.reset();
    }
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for TaskTimes {
    fn head(&self) -> &Head {
        &self.head
    }
}

// A waker is replaced whole or not at all; the rest is atomic.
impl std::panic::RefUnwindSafe for TaskSlot {}

// SAFETY: atomics, and wakers of which none is there while a slot is zero; zero is valid for all of it.
unsafe impl Slot for TaskSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

/// Everything that is read of a task at once; times in ticks.
#[derive(Debug, Clone)]
pub(crate) struct TaskReading {
    pub(crate) id: u64,
    pub(crate) kind: u8,
    pub(crate) stage: u8,
    pub(crate) flags: u8,
    pub(crate) more_waits: bool,
    pub(crate) site: &'static Site,
    pub(crate) polls: u64,
    pub(crate) busy: u64,
    pub(crate) max_poll: u64,
    pub(crate) last_poll_ended: u64,
    pub(crate) spawned_at: u64,
    pub(crate) parent: u64,
    pub(crate) woken_at: u64,
    pub(crate) wakes: u64,
    pub(crate) self_wakes: u64,
    pub(crate) sched_total: u64,
    pub(crate) sched_max: u64,
    /// Bucket in which the 99th percentile of the delays falls; `None` where there was no room to count them.
    pub(crate) sched_p99: Option<usize>,
    /// Wakers alive, at most; `None` when not known.
    pub(crate) wakers: Option<u32>,
    /// Of [`names`](super::names).
    pub(crate) name: u16,
    /// Ids of the token that it listens to, and of the tracker that it is a task of; 0 for none.
    pub(crate) token: u64,
    pub(crate) tracker: u64,
    pub(crate) waits: [Option<WaitReading>; 2],
}

/// A shared hold on a slot.
pub(crate) struct TaskRef(&'static TaskSlot);

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        self.0.retain();
        Self(self.0)
    }
}

impl Drop for TaskRef {
    #[inline]
    fn drop(&mut self) {
        if self.0.wakes.refs.release() == 1 {
            self.0.retire();
        }
    }
}

impl TaskRef {
    /// The reference stays counted, for [`TaskRef::from_retained`].
    pub(super) fn into_retained(self) -> &'static TaskSlot {
        let slot = self.0;
        std::mem::forget(self);
        slot
    }

    /// Takes over a reference that [`TaskSlot::retain`] counted.
    ///
    /// # Safety
    /// There is such a reference, and it is taken over once.
    pub(super) unsafe fn from_retained(slot: &'static TaskSlot) -> Self {
        Self(slot)
    }

    #[inline]
    pub(crate) fn slot(&self) -> &'static TaskSlot {
        self.0
    }
}

impl TaskSlot {
    /// A task that is about to be spawned from `info`, with a slot if there is room for one; `None` where there is none for its
    /// site either. For as many as will [share](Running::shared) it.
    #[inline(never)]
    pub(crate) fn register(
        recorder: &'static Recorder,
        info: &SiteInfo,
        kind: TaskKind,
        sharers: u32,
    ) -> Option<Running> {
        let site = recorder.sites.get(info)?;
        Some(site.made(Self::new_slot(recorder, site, kind, sharers)).map_or_else(
            || {
                recorder.tasks.count_shed();
                Running::shed(site)
            },
            |slot| Running::watched(TaskRef(slot)),
        ))
    }

    /// A slot for a task of `site`, in whose totals it is not; where there is none, who asks counts.
    pub(super) fn register_at(recorder: &'static Recorder, site: &'static Site, kind: TaskKind) -> Option<TaskRef> {
        Self::new_slot(recorder, site, kind, 1).map(TaskRef)
    }

    /// A slot that so many will let go.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "called where a task is spawned, and where that is rare")]
    fn new_slot(recorder: &'static Recorder, site: &'static Site, kind: TaskKind, refs: u32) -> Option<&'static Self> {
        let slot = recorder.tasks.try_take()?;
        slot.kind.store(kind as u8, Relaxed);
        slot.stage.store(Stage::New as u8, Relaxed);
        slot.handle.begin();
        slot.more_waits.store(0, Relaxed);
        slot.site.store(std::ptr::from_ref(site).cast_mut(), Relaxed);
        slot.max_poll.reset();
        slot.innermost.store(0, Relaxed);
        for counter in [&slot.polls, &slot.busy, &slot.last_poll_ended] {
            counter.store(0, Relaxed);
        }
        slot.waits.iter().for_each(Entry::reset);
        slot.spawned_at.store(clock::ticks(), Relaxed);
        slot.parent.store(thread::current_task_id(), Relaxed);
        slot.wakes.begin(refs);
        Some(slot)
    }

    /// It is known for as long as it waits: who spawned it is not.
    pub(super) fn found_waiting(&self) {
        self.alive();
        self.parent.store(0, Relaxed);
    }

    /// A slot for a task that was spawned at `site` before anything was recorded.
    #[cfg(tokio_unstable)]
    pub(super) fn register_late(recorder: &'static Recorder, site: &'static Site) -> Option<TaskRef> {
        let Some(task) = Self::register_at(recorder, site, TaskKind::Async) else {
            recorder.tasks.count_shed();
            return None;
        };
        task.slot().told_late(site);
        Some(task)
    }

    /// It was spawned at `site` before anything was recorded, and is told of from now on. It is in no totals of its site until
    /// it [ends](Self::counts_late): those who come to be known one by one are not being spawned.
    #[cfg(tokio_unstable)]
    pub(super) fn told_late(&'static self, site: &'static Site) {
        // Others refer to the slot already, and the site may be new.
        self.site.store(std::ptr::from_ref(site).cast_mut(), Release);
        self.kind.store(TaskKind::Async as u8, Relaxed);
        self.spawned_at.store(clock::started_at(), Relaxed);
        self.parent.store(0, Relaxed);
        self.wakes.name.tell_again();
        self.mark();
    }

    /// It is about to end, and may be one of those that were spawned before anything was recorded.
    #[cfg(tokio_unstable)]
    pub(super) fn counts_late(&self) {
        if self.spawned_at.load(Relaxed) <= clock::started_at() {
            self.site().add(Total::Spawned, 1);
        }
    }

    /// Whether it is the slot of the task `id`, told of by whoever tells of its end.
    #[cfg(tokio_unstable)]
    #[inline]
    pub(super) fn is_told_as(&self, id: u64) -> bool {
        self.id() == id && self.kind() != TaskKind::Unwatched as u8
    }

    /// Makes the task known under `id`, once; from then on readers see it.
    #[inline]
    pub(crate) fn set_id(&'static self, id: u64) {
        if self.owner.id() != id {
            self.owner.enter(id);
            self.mark();
        }
    }

    /// Whether a task of that id is such a root.
    #[inline]
    pub(super) fn is_root(id: u64) -> bool {
        id & ROOT_BIT != 0
    }

    /// Id of the task in whose poll it was made; 0 outside of any.
    pub(super) fn parent(&self) -> u64 {
        self.parent.load(Relaxed)
    }

    /// Gives an id to a root of the drop-in's, of which tokio knows nothing.
    pub(crate) fn set_root_id(&'static self) {
        if self.parent() == 0 {
            // One without a slot: what it polls itself is told from this by it.
            self.parent.store(thread::tokios_id().unwrap_or(0), Relaxed);
        }
        self.set_id(ROOT_BIT | started().new_id());
    }

    /// Says that something changed.
    #[inline]
    pub(super) fn mark(&self) {
        started().tasks.mark(self);
    }

    /// The task's id; 0 when it is not known yet.
    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.owner.id()
    }

    #[inline]
    pub(crate) fn waits(&self) -> &[Entry; 2] {
        &self.waits
    }

    pub(super) fn more_waits(&self, change: i8) {
        let _ = self.more_waits.try_update(Relaxed, Relaxed, |word| {
            let (crowded, n) = (word & CROWDED, word & !CROWDED);
            let n = if n == MOST_WAITS { n } else { n.saturating_add(change).clamp(0, MOST_WAITS) };
            Some(crowded | n)
        });
    }

    /// In the poll in progress, a wait that holds until the next one found no entry.
    #[cfg(feature = "layer")]
    pub(super) fn crowded(&self) {
        self.more_waits.fetch_or(CROWDED, Relaxed);
    }

    /// A [`TaskKind`].
    pub(crate) fn kind(&self) -> u8 {
        self.kind.load(Relaxed)
    }

    /// How many polls it had; tells one poll from the next.
    #[inline]
    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Relaxed)
    }

    #[inline]
    pub(super) fn retain(&self) {
        self.wakes.refs.retain();
    }

    /// A reference, if the slot is in use and still that of the task `id`.
    pub(crate) fn retain_as(&'static self, id: u64) -> Option<TaskRef> {
        let task = self.wakes.refs.retain_used().then_some(TaskRef(self))?;
        (self.id() == id).then_some(task)
    }

    /// The type of its future, for a slot that is or was in use.
    pub(crate) fn future_type(&self) -> &'static str {
        // SAFETY: null, or a site, which is never freed.
        unsafe { self.site.load(Acquire).as_ref() }.map_or("", |site| site.info.type_name)
    }

    /// Where it was spawned. Only for a task with a reference held.
    pub(crate) fn site(&self) -> &'static Site {
        // SAFETY: set at registration, before any reference was given out, to a site, which is never freed; and to another
        // at most, by `told_late`, which releases that.
        unsafe { &*self.site.load(Acquire) }
    }

    /// Everything there is to read; `None` when the slot is free, or changed hands meanwhile.
    pub(crate) fn read(&self) -> Option<TaskReading> {
        self.owner.read(|id| self.read_of(id))
    }

    fn read_of(&self, id: u64) -> Option<TaskReading> {
        // SAFETY: null, or a site, which is never freed.
        let site = unsafe { self.site.load(Acquire).as_ref() }?;
        let membership = self.membership();
        let wakes = self.wakes.read();
        let flags = self.handle.flags();
        Some(TaskReading {
            id,
            kind: self.kind.load(Relaxed),
            stage: self.stage.load(Relaxed),
            flags,
            more_waits: self.more_waits.load(Relaxed) > 0,
            site,
            polls: self.polls.load(Relaxed),
            busy: self.busy.load(Relaxed),
            max_poll: self.max_poll.get(),
            last_poll_ended: self.last_poll_ended.load(Relaxed),
            spawned_at: self.spawned_at.load(Relaxed),
            parent: self.parent.load(Relaxed),
            woken_at: wakes.woken_at,
            wakes: wakes.by_others + wakes.by_itself,
            self_wakes: wakes.by_itself,
            sched_total: wakes.sched_total,
            sched_max: wakes.sched_max,
            sched_p99: self.sched_counts().and_then(|counts| p99(&counts)),
            wakers: self.wakers_alive(flags),
            name: wakes.name,
            token: membership.map_or(0, |of| of.get(Scope::Token)),
            tracker: membership.map_or(0, |of| of.get(Scope::Tracker)),
            waits: self.waits.each_ref().map(|entry| wait::read(entry, self.polls())),
        })
    }

    /// Everything that refers to the slot, but for the future and the handle. Handles to abort it, and a set's own
    /// reference, are among what is left: it is never too few.
    pub(super) fn wakers_alive(&self, flags: u8) -> Option<u32> {
        // Of a root there is no handle, for all that its caller gets the result.
        let handle = flags & flag::HANDLE_HELD != 0 && self.kind() != TaskKind::Root as u8;
        let others = 1 + u32::from(handle);
        let refs = self.wakes.counted().filter(|_| flags & flag::ENDED == 0);
        refs.map(|refs| refs.saturating_sub(others))
    }

    /// A waker went. When few are left this is worth a look: nothing might be left that could wake the task.
    #[inline]
    pub(super) fn waker_dropped(&'static self) {
        match self.wakes.refs.release() {
            1 => self.retire(),
            2 | 3 => self.mark(),
            _ => {}
        }
    }

    /// Counts of poll durations; `None` where there was no room for them.
    pub(crate) fn poll_counts(&self) -> Option<Counts> {
        self.counts(|times| &times.long_polls)
    }

    /// Counts of the time between a wake and the poll that it led to; `None` where there was no room for them. A poll that
    /// no wake was seen of counts as one in time.
    pub(crate) fn sched_counts(&self) -> Option<Counts> {
        self.counts(|times| &times.late_polls)
    }

    /// Those of `long`, and of all other polls as short ones.
    fn counts<const N: usize>(&self, long: impl Fn(&TaskTimes) -> &LongCounts<N>) -> Option<Counts> {
        let Some(times) = self.times.get(&started().task_times) else {
            return (!self.times.was_shed()).then(|| only_short::<N>(self.polls() as u32));
        };
        let long = long(times);
        Some(long.counts((self.polls() as u32).saturating_sub(long.sum())))
    }

    /// Where its long and late polls are counted, from now on; `None` where there is no room.
    pub(super) fn times(&self) -> Option<&'static TaskTimes> {
        self.times.get_or_take(&started().task_times, TaskTimes::reset)
    }

    /// The task came to an end; called once, by the side that runs it.
    pub(super) fn ended(&'static self, stage: Stage) {
        let site = self.site();
        let now = clock::ticks();
        self.last_poll_ended.store(now, Relaxed);
        let how = match stage {
            Stage::Panicked => {
                site.add(Total::Panics, 1);
                flag::PANICKED
            }
            Stage::Cancelled => {
                site.add(Total::Aborted, 1);
                site.add(Total::AbortedAge, now.saturating_sub(self.spawned_at.load(Relaxed)));
                0
            }
            _ => 0,
        };
        self.is_over(site, stage, how);
    }

    /// The same of one whose poll, which has just told when it ended, was its last.
    pub(super) fn returned(&'static self, failed: bool) {
        self.is_over(self.site(), Stage::Done, if failed { flag::FAILED } else { 0 });
    }

    #[inline]
    fn is_over(&'static self, site: &'static Site, stage: Stage, how: u8) {
        self.stage.store(stage as u8, Relaxed);
        // Last: whoever sees that it has ended sees how.
        site.add(Total::Finished, 1);
        self.result_lost(self.handle.ended(how));
        self.mark();
    }

    /// A handle (or a set) can get the task's result; while nobody else knows of the task.
    pub(crate) fn handle_held(&self) {
        self.handle.held();
    }

    /// Somebody waits for the task, as `which` of [`flag`] says.
    pub(crate) fn handle_did(&'static self, which: u8) {
        if self.handle.did(which) {
            self.mark();
        }
    }

    /// `abort` is called on the task, at `place` if that is known.
    #[cold]
    pub(crate) fn abort_called(&'static self, place: Option<&'static Location<'static>>) {
        // A second one changes nothing.
        if self.handle.did(flag::ABORTED) {
            self.site().dispose(place);
            self.mark();
        }
    }

    /// Somebody got the task's result.
    #[inline]
    pub(crate) fn handle_joined(&'static self) {
        self.handle.joined();
        self.mark();
    }

    /// The handle (or the set) went. `by_choice` is false for a set that aborts its tasks as it goes.
    #[inline(never)]
    pub(crate) fn handle_dropped(&'static self, by_choice: bool) {
        match self.handle.dropped() {
            Dropped::Before => return,
            Dropped::Running { used } => match (used, by_choice) {
                (true, _) => {}
                (false, true) => self.site().add(Total::HandlesDropped, 1),
                (false, false) => self.site().dispose(None),
            },
            Dropped::Ended { lost } => self.result_lost(lost),
        }
        self.mark();
    }

    /// Bits of [`flag`].
    #[inline]
    pub(crate) fn flags(&self) -> u8 {
        self.handle.flags()
    }

    fn result_lost(&self, lost: Option<Lost>) {
        match lost {
            Some(Lost::Panic) => self.site().add(Total::PanicsLost, 1),
            Some(Lost::Error) => self.site().add(Total::ErrorsLost, 1),
            None => {}
        }
    }

    /// What the app calls it.
    pub(crate) fn set_name(&'static self, name: &str) {
        self.wakes.name.set(name);
        self.mark();
    }

    /// The name of those that have none of their own, by its number, of [`names`](super::names).
    #[inline]
    pub(crate) fn name_if_none(&'static self, name: u16) {
        if name != 0 && self.wakes.name.id() == 0 {
            self.wakes.name.set_id(name);
            self.mark();
        }
    }

    /// Whether it was named since this was last asked. For the collector only.
    pub(crate) fn take_renamed(&self) -> bool {
        self.wakes.name.take_renamed()
    }

    fn membership(&self) -> Option<&'static MembershipSlot> {
        let index = self.wakes.membership.load(Acquire).checked_sub(1)?;
        started().memberships.at(index)
    }

    /// From now on the task is meant to end with `id`; unless it is with another one already, which then goes on. Called
    /// before the task is spawned, or from within its polls.
    pub(crate) fn enter(&'static self, scope: Scope, id: u64) {
        let membership = self.membership().or_else(|| {
            let new = started().memberships.take()?;
            new.reset();
            self.wakes.membership.store(Arena::index(new) + 1, Release);
            Some(new)
        });
        if membership.is_some_and(|of| of.enter(scope, id)) {
            self.mark();
        }
    }

    /// It no longer is, if it was with that one.
    pub(crate) fn leave(&'static self, scope: Scope, id: u64) {
        if self.membership().is_some_and(|of| of.leave(scope, id)) {
            self.mark();
        }
    }

    /// What it is meant to end with; 0 for nothing.
    pub(crate) fn with(&self, scope: Scope) -> u64 {
        self.membership().map_or(0, |of| of.get(scope))
    }

    /// The last reference went: what the task did goes to its site, the slot to the next task.
    #[inline(never)]
    fn retire(&'static self) {
        let site = self.site();
        site.add_each([
            (Total::FinishedBusy, self.busy.load(Relaxed)),
            (Total::FinishedPolls, self.polls.load(Relaxed)),
        ]);
        if self.kind() == TaskKind::Unwatched as u8 {
            by_task::waits_no_more(self.id(), self);
        }
        self.owner.leave();
        self.wakes.retire();
        let recorder = started();
        if let Some(membership) = self.membership() {
            self.wakes.membership.store(0, Relaxed);
            recorder.memberships.give_back(membership);
        }
        self.times.give_back(&recorder.task_times);
        recorder.tasks.give_back(self);
    }
}
