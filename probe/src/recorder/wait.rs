//! What a task waits for: two entries in its own slot, set when an await turns out to be pending and cleared when it
//! ends or is dropped. Two, because the usual `select!` has two arms that can be watched; a third is counted, so that a
//! reader knows that the list is not all.
mod entry;
mod noted;
mod polled;
#[cfg(feature = "layer")]
pub(crate) mod told;

use std::{
    future::Future,
    marker::PhantomPinned,
    panic::Location,
    pin::Pin,
    sync::atomic::Ordering::Relaxed,
    task::{Context, Poll},
};

use super::{
    by_task, clock,
    site::is_passed_on,
    sync,
    task::{TaskRef, TaskSlot},
    thread, waker,
};

pub(crate) use entry::Entry;
use noted::Noted;
#[cfg(all(feature = "tokio-util", feature = "watch-tasks"))]
pub(crate) use polled::polled_from;
#[allow(unused_imports, reason = "which of them is used depends on what is wrapped")]
pub(crate) use polled::{CallSite, Keeping, Outer, PolledFrom, Within, may_be_kept};

/// What kind of thing is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum WaitKind {
    Lock = 1,
    ChannelSend = 2,
    ChannelRecv = 3,
    Join = 4,
    /// To read what others may read at the same time.
    LockRead = 5,
    Oneshot = 6,
    Timer = 7,
    /// For the receivers of a channel to go, or to close it.
    ChannelClosed = 8,
    /// The same of a oneshot channel.
    OneshotClosed = 9,
}

const KIND_SHIFT: u32 = 59;
const KIND_MASK: u64 = 0b1111 << KIND_SHIFT;
/// Between the id and the kind: in which poll the wait was noted, for a wait that holds for that poll only; 0 for one
/// that holds until it is cleared. Ids stay below: at a million tasks a second, for twelve days.
const POLL_SHIFT: u32 = 40;
/// The largest id that fits.
pub(crate) const MAX_ID: u64 = (1 << POLL_SHIFT) - 1;
const POLL_BITS: u64 = (1 << (KIND_SHIFT - POLL_SHIFT)) - 1;
const POLL_MASK: u64 = POLL_BITS << POLL_SHIFT;

/// The mark of a task's poll number `polls`; never 0.
fn poll_mark(polls: u64) -> u64 {
    (polls % POLL_BITS + 1) << POLL_SHIFT
}

/// The mark of a wait that the poll in progress of `task` noted.
fn mark(task: &TaskSlot, kept: bool) -> u64 {
    if kept { poll_mark(task.polls()) } else { 0 }
}

/// Whether a wait noted as `on` was not noted again when its task was polled after that, so that the task may have gone
/// on to something else. `polls` is how many polls of the task ended.
fn is_stale(on: u64, polls: u64) -> bool {
    let mark = on & POLL_MASK;
    mark != 0 && mark != poll_mark(polls) && (polls == 0 || mark != poll_mark(polls - 1))
}

/// What an entry says of a wait, without a mark.
fn wait_on(kind: WaitKind, id: u64) -> u64 {
    id & !(KIND_MASK | POLL_MASK) | u64::from(kind as u8) << KIND_SHIFT
}

/// An entry of the task's that is free.
#[inline]
fn free_entry(task: &TaskSlot) -> Option<usize> {
    if task.waits()[0].on() == 0 { Some(0) } else { outdated_entry(task) }
}

#[inline(never)]
fn outdated_entry(task: &TaskSlot) -> Option<usize> {
    task.waits().iter().position(|entry| entry.on() == 0 || is_stale(entry.on(), task.polls()))
}

/// One reading of an [`Entry`]; `since` in ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaitReading {
    pub(crate) kind: u8,
    pub(crate) on: u64,
    pub(crate) since: u64,
    /// `None` where who noted it was not told.
    pub(crate) site: Option<&'static Location<'static>>,
}

/// What `entry` says of a task of which `polls` polls ended.
pub(crate) fn read(entry: &Entry, polls: u64) -> Option<WaitReading> {
    let (on, since, site) = entry.read().filter(|(on, ..)| !is_stale(*on, polls))?;
    let kind = ((on & KIND_MASK) >> KIND_SHIFT) as u8;
    Some(WaitReading { kind, on: on & !KIND_MASK & !POLL_MASK, since, site })
}

/// The one wait of the task's that goes on; `None` where there is none, or more than one, listed or counted only.
pub(crate) fn only(task: &TaskSlot) -> Option<&Entry> {
    if task.more_waits.load(Relaxed) != 0 {
        return None;
    }
    let goes_on = |entry: &&Entry| entry.on() != 0 && !is_stale(entry.on(), task.polls());
    let mut waits = task.waits().iter().filter(goes_on);
    let first = waits.next()?;
    waits.next().is_none().then_some(first)
}

/// Where something is awaited that was polled at `polled` and made at `made`: an `.await` polls at its own place; by way
/// of a `&mut`, a `Box` or a `dyn` it is one that says nothing.
pub(crate) fn awaited_at(polled: CallSite, made: CallSite) -> CallSite {
    if is_passed_on(polled) { made } else { polled }
}

/// The wait of something that is polled by reference and lives on when the task turns to something else, as a
/// `JoinHandle` in a `select!`. It holds until the task's next poll, which notes it again or not. Where another arm wins
/// in the very poll that noted it, it stands until the poll after that: whoever reasons from waits has to allow for it.
pub(crate) struct PolledWait(Noted);

impl PolledWait {
    pub(crate) const fn new() -> Self {
        Self(Noted::NONE)
    }

    /// The poll in progress on this thread found it pending.
    #[inline]
    pub(crate) fn pending(&mut self, kind: WaitKind, id: u64, site: &'static Location<'static>) {
        self.pending_with(kind, || id, site);
    }

    /// As [`PolledWait::pending`], where the id is worked out only if the wait is a new one.
    pub(crate) fn pending_with(&mut self, kind: WaitKind, id: impl FnOnce() -> u64, site: &'static Location<'static>) {
        let Some(task) = thread::current_task() else {
            self.over();
            return;
        };
        let mark = poll_mark(task.polls());
        if !self.0.renew(task, mark) {
            self.over();
            self.0 = Noted::new(task, false, wait_on(kind, id()) | mark, clock::ticks(), Some(site));
        }
    }

    /// It is ready.
    #[inline]
    pub(crate) fn over(&mut self) {
        if !self.0.is_none() {
            std::mem::replace(&mut self.0, Noted::NONE).end();
        }
    }
}

impl Drop for PolledWait {
    #[inline]
    fn drop(&mut self) {
        self.over();
    }
}

/// What an await reports of itself to the lock, channel or task that it waits for.
pub(crate) trait Awaited {
    /// What is waited for, and its id; `None` when it is not recorded.
    fn target(&self) -> Option<(WaitKind, u64)>;
    /// Whether a pending poll means that it is waited for.
    #[inline]
    fn waits(&self) -> bool {
        true
    }
    /// The await turned out to be pending.
    fn pending(&self) {}
    /// A pending await ended, by completion or by being dropped. `waited` in ticks.
    fn ended(&self, _waited: u64, _completed: bool) {}
}

/// A future of tokio's that notes, while it is pending, what the task waits for.
pub(crate) struct Watched<F, A: Awaited> {
    future: F,
    awaited: A,
    site: CallSite,
    pending: Pending,
    /// Most of it are in the place of an `async fn` of tokio's, which is never `Unpin`.
    _pinned: PhantomPinned,
}

/// A wait of what has somebody to tell of it, while it goes on. To be [ended](Pending::end), as [`Noted`] is.
#[derive(Clone, Copy)]
pub(crate) struct Pending {
    /// None outside of any task that is known.
    noted: Noted,
    /// Ticks; 0 while nothing waits.
    since: u64,
}

impl Pending {
    pub(crate) const NONE: Self = Self { noted: Noted::NONE, since: 0 };

    #[inline]
    pub(crate) fn is_some(self) -> bool {
        self.since != 0
    }

    /// Notes that the task in poll on this thread, or whoever this is, waits for `id`. What may be kept when the task turns to
    /// something else is a wait of that poll, as a [`PolledWait`] is.
    #[inline(never)]
    pub(crate) fn begin(kind: WaitKind, id: u64, site: CallSite, kept: bool) -> Self {
        let (task, retained) = match thread::current_task() {
            Some(task) => (Some(task), false),
            // Whose polls are not told, of its turns nothing is known.
            None if kept => (None, false),
            None => (by_task::begins_to_wait(site).map(TaskRef::into_retained), true),
        };
        let since = clock::ticks().max(1);
        let noted = task.map_or(Noted::NONE, |task| {
            Noted::new(task, retained, wait_on(kind, id) | mark(task, kept), since, Some(site))
        });
        Self { noted, since }
    }

    /// It is still pending, in the poll in progress on this thread: perhaps another task's than the one that it was noted
    /// in, whose wait it then is no more.
    pub(crate) fn goes_on(&mut self, kind: WaitKind, id: u64, site: CallSite, kept: bool) {
        let Some(task) = thread::current_task() else { return };
        let mark = mark(task, kept);
        if !self.noted.renew(task, mark) {
            std::mem::replace(&mut self.noted, Noted::NONE).end();
            self.noted = Noted::new(task, false, wait_on(kind, id) | mark, self.since, Some(site));
        }
    }

    /// It is over; says how long it lasted, in ticks.
    #[inline(never)]
    pub(crate) fn end(self) -> u64 {
        self.noted.end();
        clock::since(self.since)
    }
}

impl<F, A: Awaited> Watched<F, A> {
    /// Watches `future`, which was awaited at `site`.
    #[inline]
    pub(crate) fn new(future: F, awaited: A, site: CallSite) -> Self {
        Self { future, awaited, site, pending: Pending::NONE, _pinned: PhantomPinned }
    }

    /// The same for the block of an [`Outer`].
    #[inline]
    pub(crate) fn in_block(future: F, awaited: A, site: CallSite) -> Within<Self> {
        Within(Self::new(future, awaited, site))
    }

    /// For what is known only once it is polled, before it is pending.
    #[cfg(any(feature = "watch-locks", feature = "watch-channels"))]
    #[inline]
    pub(crate) fn awaited_mut(&mut self) -> &mut A {
        &mut self.awaited
    }
}

impl<F: Future, A: Awaited> Future for Watched<F, A> {
    type Output = F::Output;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let polled = Location::caller();
        self.poll_from(cx, || polled)
    }
}

impl<F: Future, A: Awaited> PolledFrom for Watched<F, A> {
    #[inline]
    fn poll_from(self: Pin<&mut Self>, cx: &mut Context<'_>, polled: impl FnOnce() -> CallSite) -> Poll<F::Output> {
        // SAFETY: `future` is pinned with `self`: never moved out, and `Watched` is not `Unpin`. The other fields
        // are not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        let poll = future.poll(cx);
        let waits = poll.is_pending() && this.awaited.waits();
        if waits {
            this.waits(cx, polled());
        } else if this.pending.is_some() {
            this.end(true);
        }
        poll
    }
}

impl<F, A: Awaited> Watched<F, A> {
    #[inline(never)]
    fn waits(&mut self, cx: &Context<'_>, polled: CallSite) {
        let Some((kind, id)) = self.awaited.target() else { return };
        waker::awaits(cx);
        let kept = may_be_kept(polled);
        if self.pending.is_some() {
            self.pending.goes_on(kind, id, self.site, kept);
        } else {
            self.pending = Pending::begin(kind, id, self.site, kept);
            self.awaited.pending();
        }
    }

    fn end(&mut self, completed: bool) {
        if self.pending.is_some() {
            let waited = std::mem::replace(&mut self.pending, Pending::NONE).end();
            self.awaited.ended(waited, completed);
        }
    }
}

impl<F, A: Awaited> Drop for Watched<F, A> {
    #[inline]
    fn drop(&mut self) {
        if self.pending.is_some() {
            self.end(false);
        }
    }
}
