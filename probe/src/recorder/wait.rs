//! What a task waits for: two entries in its own slot, set when an await turns out to be pending and cleared when it
//! ends or is dropped. Two, because the usual `select!` has two arms that can be watched; a third is counted, so that a
//! reader knows that the list is not all.
use std::{
    future::Future,
    panic::Location,
    pin::Pin,
    sync::atomic::{AtomicPtr, AtomicU64, Ordering::*},
    task::{Context, Poll},
};

use super::{active, clock, task::TaskSlot, thread};

/// What kind of thing is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum WaitKind {
    Lock = 1,
    ChannelSend = 2,
    ChannelRecv = 3,
    Join = 4,
}

const KIND_SHIFT: u32 = 59;
const KIND_MASK: u64 = 0b111 << KIND_SHIFT;

/// One entry of a task's list.
pub(crate) struct Entry {
    /// Kind and id of what is waited for; 0 when the entry is free.
    on: AtomicU64,
    since: AtomicU64,
    site: AtomicPtr<Location<'static>>,
}

/// One reading of an [`Entry`]; `since` in ticks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaitReading {
    pub(crate) kind: u8,
    pub(crate) on: u64,
    pub(crate) since: u64,
    pub(crate) site: &'static Location<'static>,
}

impl Entry {
    pub(crate) fn read(&self) -> Option<WaitReading> {
        let on = self.on.load(Acquire);
        let since = self.since.load(Relaxed);
        // SAFETY: only ever null or a `&'static Location`.
        let site = unsafe { self.site.load(Relaxed).as_ref() };
        if on == 0 || self.on.load(Acquire) != on {
            return None;
        }
        Some(WaitReading { kind: ((on & KIND_MASK) >> KIND_SHIFT) as u8, on: on & !KIND_MASK, since, site: site? })
    }

    pub(crate) fn reset(&self) {
        self.on.store(0, Release);
    }
}

/// A wait in progress. Dropping it ends it.
pub(crate) struct Waiting {
    task: &'static TaskSlot,
    task_id: u64,
    on: u64,
    since: u64,
    /// Index of the entry; `None` when both were taken.
    entry: Option<u8>,
}

impl Waiting {
    /// Notes that the task in poll on this thread waits for `id`; `None` outside of any watched task.
    pub(crate) fn begin(kind: WaitKind, id: u64, site: &'static Location<'static>) -> Option<Self> {
        let task = thread::current_task()?;
        let since = clock::ticks();
        let on = id & !KIND_MASK | u64::from(kind as u8) << KIND_SHIFT;
        let entry = task.waits().iter().position(|entry| entry.on.load(Relaxed) == 0);
        if let Some(entry) = entry.map(|i| &task.waits()[i]) {
            entry.since.store(since, Relaxed);
            entry.site.store(std::ptr::from_ref(site).cast_mut(), Relaxed);
            entry.on.store(on, Release);
        } else {
            task.more_waits(1);
        }
        Some(Self { task, task_id: task.id(), on, since, entry: entry.map(|i| i as u8) })
    }

    /// When it began, in ticks.
    pub(crate) fn since(&self) -> u64 {
        self.since
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // The future may have moved on to another task, and the task that it waited in may be gone and its slot in use
        // again: then there is nothing to clear.
        if self.task.id() != self.task_id {
            return;
        }
        match self.entry {
            Some(entry) => {
                let entry = &self.task.waits()[entry as usize];
                let _ = entry.on.compare_exchange(self.on, 0, Release, Relaxed);
            }
            None => self.task.more_waits(-1),
        }
        if let Some(recorder) = active() {
            recorder.tasks.mark(self.task);
        }
    }
}

/// What an await reports of itself to the lock, channel or task that it waits for.
pub(crate) trait Awaited {
    /// What is waited for, and its id; `None` when it is not recorded.
    fn target(&self) -> Option<(WaitKind, u64)>;
    /// The await turned out to be pending.
    fn pending(&self) {}
    /// A pending await ended, by completion or by being dropped. `waited` in ticks.
    fn ended(&self, _waited: u64, _completed: bool) {}
}

/// A future of tokio's that notes, while it is pending, what the task waits for.
pub(crate) struct Watched<F, A: Awaited> {
    future: F,
    awaited: A,
    site: &'static Location<'static>,
    pending: Option<Pending>,
}

struct Pending {
    /// Also set outside of a task, so that `Awaited::ended` gets its time.
    since: u64,
    waiting: Option<Waiting>,
}

impl<F, A: Awaited> Watched<F, A> {
    /// Watches `future`, which was awaited at `site`.
    #[inline]
    pub(crate) fn new(future: F, awaited: A, site: &'static Location<'static>) -> Self {
        Self { future, awaited, site, pending: None }
    }
}

impl<F: Future, A: Awaited> Future for Watched<F, A> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` is pinned with `self`: never moved out, and `Watched` has no `Unpin` of its own beyond what
        // its fields give it. The other fields are not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        let poll = future.poll(cx);
        if poll.is_pending() != this.pending.is_some() {
            if poll.is_pending() { this.begin() } else { this.end(true) }
        }
        poll
    }
}

impl<F, A: Awaited> Watched<F, A> {
    fn begin(&mut self) {
        if let Some((kind, id)) = self.awaited.target() {
            let waiting = Waiting::begin(kind, id, self.site);
            let since = waiting.as_ref().map_or_else(clock::ticks, Waiting::since);
            self.pending = Some(Pending { since, waiting });
            self.awaited.pending();
        }
    }

    #[cold]
    fn end(&mut self, completed: bool) {
        if let Some(Pending { since, waiting }) = self.pending.take() {
            drop(waiting);
            self.awaited.ended(clock::ticks().wrapping_sub(since), completed);
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
