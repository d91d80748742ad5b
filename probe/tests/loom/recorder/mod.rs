//! The pieces, and in the place of what is not one of them as much of it as they need.
pub(crate) mod arena;
pub(crate) mod clock;
pub(crate) mod names;
pub(crate) mod sync;
pub(crate) mod task;
pub(crate) mod thread;

#[path = "../../../src/recorder/by_id/set.rs"]
pub(crate) mod by_id_set;
#[path = "../../../src/recorder/wait/entry.rs"]
pub(crate) mod entry;
#[path = "../../../src/recorder/free_list.rs"]
pub(crate) mod free_list;
#[path = "../../../src/recorder/handle.rs"]
pub(crate) mod handle;
#[path = "../../../src/recorder/in_poll.rs"]
pub(crate) mod in_poll;
#[path = "../../../src/recorder/lazy.rs"]
pub(crate) mod lazy;
#[path = "../../../src/recorder/made_once.rs"]
pub(crate) mod made_once;
#[path = "../../../src/recorder/mark.rs"]
pub(crate) mod mark;
#[path = "../../../src/recorder/membership.rs"]
pub(crate) mod membership;
#[path = "../../../src/recorder/numbers.rs"]
pub(crate) mod numbers;
#[path = "../../../src/recorder/owner.rs"]
pub(crate) mod owner;
#[path = "../../../src/recorder/readers/entry.rs"]
pub(crate) mod readers_entry;
#[path = "../../../src/recorder/refs.rs"]
pub(crate) mod refs;
#[path = "../../../src/recorder/since.rs"]
pub(crate) mod since;
#[path = "../../../src/recorder/stripes.rs"]
pub(crate) mod stripes;
#[path = "../../../src/recorder/totals.rs"]
pub(crate) mod totals;
#[path = "../../../src/recorder/waker.rs"]
pub(crate) mod waker;

use std::{marker::PhantomData, panic::Location, ptr};

use sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

/// Of a thread.
pub(crate) fn in_no_poll<T>() -> in_poll::InPoll<T> {
    in_poll::InPoll { task: AtomicPtr::new(ptr::null_mut()), started: AtomicU64::new(0) }
}

/// Of an owner that has not needed it.
pub(crate) fn lazy<T>() -> lazy::Lazy<T> {
    lazy::Lazy(AtomicU32::new(0), PhantomData)
}

/// So many references, or clones that were forgotten.
pub(crate) fn refs_at(count: u32) -> refs::Refs {
    refs::Refs(AtomicU32::new(count))
}

/// Lists without slots.
pub(crate) fn no_slots() -> stripes::Stripes {
    stripes::Stripes(std::array::from_fn(|_| stripes::Stripe::default()))
}

/// Of which so many are taken from the first on.
pub(crate) fn numbers(taken: u32) -> numbers::Numbers {
    numbers::Numbers::of(AtomicU32::new((1 << taken) - 1), AtomicU32::new(0))
}

/// What is not made yet.
pub(crate) fn to_be_made<T>() -> made_once::MadeOnce<T> {
    made_once::MadeOnce(AtomicPtr::new(ptr::null_mut()))
}

/// As `readers.rs` has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReaderReading {
    pub(crate) passed: u64,
    pub(crate) asked_at: u64,
    pub(crate) task: u64,
    pub(crate) site: Option<&'static Location<'static>>,
}
