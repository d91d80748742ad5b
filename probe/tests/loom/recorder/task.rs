//! A task's slot, with what its waker needs of it.
use std::{
    mem::MaybeUninit,
    task::{Context, Poll, Waker},
};

use super::{
    handle::Handle,
    names::Name,
    refs::Refs,
    sync::{
        UnsafeCell,
        atomic::{
            AtomicBool, AtomicU8, AtomicU32, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread,
    waker::Wakes,
};

#[derive(Clone, Copy)]
#[repr(u8)]
pub(crate) enum Stage {
    Alive = 2,
}

pub(crate) struct TaskSlot {
    pub(super) stage: AtomicU8,
    pub(super) handle: Handle,
    polls: AtomicU64,
    pub(super) last_poll_ended: AtomicU64,
    pub(super) wakes: Wakes,
    /// How often the last reference went.
    pub(crate) retired: AtomicU32,
    /// How often it was marked as changed.
    pub(crate) marked: AtomicU32,
}

/// A shared hold on a slot.
pub(crate) struct TaskRef(&'static TaskSlot);

impl Drop for TaskRef {
    fn drop(&mut self) {
        self.0.waker_dropped();
    }
}

impl TaskRef {
    /// # Safety
    /// As in `recorder::task`.
    pub(crate) unsafe fn from_retained(slot: &'static TaskSlot) -> Self {
        Self(slot)
    }

    pub(crate) fn slot(&self) -> &'static TaskSlot {
        self.0
    }
}

impl TaskSlot {
    /// A new task's, with one reference.
    pub(crate) fn register() -> TaskRef {
        let (zero, zero_64) = (|| AtomicU32::new(0), || AtomicU64::new(0));
        let wakes = Wakes {
            refs: Refs::default(),
            has: AtomicU8::new(0),
            cloned: AtomicBool::new(false),
            name: Name::default(),
            tokio: UnsafeCell::new(MaybeUninit::uninit()),
            woken_at: zero_64(),
            by_others: zero_64(),
            by_itself: zero_64(),
            sched_total: zero_64(),
            sched_max: zero(),
            membership: zero(),
        };
        let slot: &'static Self = Box::leak(Box::new(Self {
            stage: AtomicU8::new(Stage::Alive as u8),
            handle: Handle::default(),
            polls: zero_64(),
            last_poll_ended: zero_64(),
            wakes,
            retired: zero(),
            marked: zero(),
        }));
        slot.wakes.begin(1);
        TaskRef(slot)
    }

    /// Polls it as `recorder::poll` does: `poll` is its future.
    pub(crate) fn poll(&'static self, tokio: &Waker, at: u64, poll: impl FnOnce(&mut Context<'_>) -> Poll<()>) -> u64 {
        let late = self.wakes.polled(at);
        thread::set_current_task(Some(self));
        let _ = self.wakes.lend(self, &mut Context::from_waker(tokio), poll);
        thread::set_current_task(None);
        self.wakes.poll_ended(at + 1);
        self.polls.store(self.polls() + 1, Relaxed);
        late
    }

    /// Ticks when it was woken, 0 when it was polled since; and how often others did.
    pub(crate) fn woken(&self) -> (u64, u64) {
        let wakes = self.wakes.read();
        (wakes.woken_at, wakes.by_others)
    }

    /// References there are, when every waker is one.
    pub(crate) fn counted(&self) -> Option<u32> {
        self.wakes.counted()
    }

    /// As one who found it by its id.
    pub(crate) fn retained(&'static self) -> TaskRef {
        assert!(self.wakes.refs.retain_used());
        TaskRef(self)
    }

    pub(super) fn retain(&self) {
        self.wakes.refs.retain();
    }

    pub(super) fn waker_dropped(&'static self) {
        if self.wakes.refs.release() == 1 {
            self.wakes.retire();
            self.retired.fetch_add(1, SeqCst);
        }
    }

    pub(super) fn wakers_alive(&self, _flags: u8) -> Option<u32> {
        self.wakes.counted().map(|refs| refs.saturating_sub(1))
    }

    pub(super) fn mark(&self) {
        self.marked.fetch_add(1, Relaxed);
    }

    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Relaxed)
    }
}
