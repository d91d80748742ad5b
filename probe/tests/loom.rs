//! The recorder's lock-free pieces under loom, which tries every order in which threads can come, and every value that a
//! load may see. The pieces are compiled here a second time, with loom's atomics in the place of std's.
//!
//! What is left out has its argument where it is: what an instrument does beside these is loads and stores by one writer.
#![allow(dead_code, clippy::unwrap_used, reason = "pieces are used in part; a test may fail")]

#[path = "../src/recorder/free_list.rs"]
mod free_list;
#[path = "../src/recorder/handle.rs"]
mod handle;
#[path = "../src/recorder/in_poll.rs"]
mod in_poll;
#[path = "../src/recorder/mark.rs"]
mod mark;
#[path = "../src/recorder/refs.rs"]
mod refs;

/// In the place of `recorder/sync.rs`.
mod sync {
    pub(crate) use loom::sync::atomic;

    /// In the probe, a reader gives writers a pause in which their stores get out. Here they get out at once.
    pub(crate) fn settles() {
        atomic::fence(atomic::Ordering::SeqCst);
    }
}

use loom::{
    cell::UnsafeCell,
    sync::{
        Arc,
        atomic::{
            AtomicPtr, AtomicU32, AtomicU64,
            Ordering::{Relaxed, SeqCst},
        },
    },
    thread,
};

use free_list::FreeList;
use handle::{Dropped, Handle, Lost, flag};
use in_poll::InPoll;
use mark::Place;
use refs::Refs;

/// All orders with at most three preemptions, which finds nearly everything and ends.
fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Slots with a link each, all free at first, and how many use each.
struct Slots {
    free: FreeList,
    links: [AtomicU32; 3],
    users: [AtomicU32; 3],
}

impl Slots {
    fn new(free: u32) -> Arc<Self> {
        let none = || std::array::from_fn(|_| AtomicU32::new(0));
        let slots = Self { free: FreeList::default(), links: none(), users: none() };
        for index in 0..free {
            slots.give_back(index);
        }
        Arc::new(slots)
    }

    fn take(&self) -> Option<u32> {
        let index = self.free.pop(|index| self.links.get(index as usize))?;
        assert_eq!(self.users[index as usize].fetch_add(1, SeqCst), 0, "a slot has one owner");
        Some(index)
    }

    fn give_back(&self, index: u32) {
        self.free.push(index, &self.links[index as usize]);
    }

    fn put(&self, index: u32) {
        self.users[index as usize].fetch_sub(1, SeqCst);
        self.give_back(index);
    }
}

#[test]
fn a_slot_has_one_owner_even_when_it_comes_back_while_another_looks() {
    check(|| {
        let slots = Slots::new(3);
        // Takes two and gives back the first, so that the list looks as before to who looked at its head.
        let other = thread::spawn({
            let slots = slots.clone();
            move || {
                let (first, _second) = (slots.take(), slots.take());
                if let Some(first) = first {
                    slots.put(first);
                }
            }
        });
        let _ours = slots.take();
        other.join().unwrap();
        let left = std::iter::from_fn(|| slots.take()).count();
        assert_eq!(left, 1, "three, of which one is ours and one the other's");
    });
}

#[test]
fn slots_given_back_at_once_are_all_there() {
    check(|| {
        let slots = Slots::new(2);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let slots = slots.clone();
                thread::spawn(move || {
                    if let Some(index) = slots.take() {
                        slots.put(index);
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(std::iter::from_fn(|| slots.take()).count(), 2);
    });
}

/// A slot with a fact, and the word with its bit.
struct Marked {
    place: Place,
    word: AtomicU64,
    fact: AtomicU64,
}

impl Marked {
    fn new() -> Arc<Self> {
        let marked = Self { place: Place::default(), word: AtomicU64::new(0), fact: AtomicU64::new(0) };
        marked.place.set(7);
        Arc::new(marked)
    }

    fn write(&self, fact: u64) {
        self.fact.store(fact, Relaxed);
        if self.place.is_unmarked() {
            mark::mark(&self.place, &self.word);
        }
    }

    /// What a reader finds, if it is told to look.
    fn look(&self) -> Option<u64> {
        let mut told = false;
        mark::take(
            &self.word,
            |_| &self.place,
            |slot| {
                assert_eq!(slot, 7);
                told = true;
            },
        );
        sync::settles();
        told.then(|| self.fact.load(Relaxed))
    }
}

#[test]
fn no_change_is_missed() {
    check(|| {
        let marked = Marked::new();
        marked.write(1);
        let writer = thread::spawn({
            let marked = marked.clone();
            move || {
                marked.write(2);
                marked.write(3);
            }
        });
        let mut seen = marked.look().unwrap_or(0);
        writer.join().unwrap();
        if let Some(fact) = marked.look() {
            seen = fact;
        }
        assert_eq!(seen, 3);
    });
}

#[test]
fn of_two_writers_no_change_is_missed_either() {
    check(|| {
        let marked = Marked::new();
        let writers: Vec<_> = [1, 2]
            .map(|fact| {
                let marked = marked.clone();
                thread::spawn(move || marked.write(fact))
            })
            .into();
        let mut seen = marked.look().unwrap_or(0);
        for writer in writers {
            writer.join().unwrap();
        }
        if let Some(fact) = marked.look() {
            seen = fact;
        }
        assert_eq!(seen, marked.fact.load(Relaxed));
    });
}

/// A slot that only its last reference may write.
struct Shared {
    refs: Refs,
    slot: UnsafeCell<u32>,
}

// SAFETY: what a reference may do is what the test is about; loom fails it where two threads touch the cell at once.
unsafe impl Sync for Shared {}

#[test]
fn the_last_reference_has_the_slot_alone() {
    check(|| {
        let shared = Arc::new(Shared { refs: Refs::default(), slot: UnsafeCell::new(0) });
        shared.refs.begin();
        shared.refs.retain();
        let ends = |shared: &Shared| {
            // SAFETY: as above: before the last one went, all only read.
            shared.slot.with(|slot| assert_eq!(unsafe { *slot }, 0));
            let last = shared.refs.release() == 1;
            if last {
                // SAFETY: as above: the last one is alone.
                shared.slot.with_mut(|slot| unsafe { *slot += 1 });
            }
            u32::from(last)
        };
        let other = thread::spawn({
            let shared = shared.clone();
            move || {
                // As a waker that is cloned and dropped.
                shared.refs.retain();
                ends(&shared) + ends(&shared)
            }
        });
        let ours = ends(&shared);
        assert_eq!(ours + other.join().unwrap(), 1);
    });
}

#[test]
fn who_comes_by_a_slot_has_a_reference_or_leaves_it_alone() {
    check(|| {
        let shared = Arc::new(Shared { refs: Refs::default(), slot: UnsafeCell::new(0) });
        shared.refs.begin();
        let ends = |shared: &Shared| {
            let last = shared.refs.release() == 1;
            if last {
                // SAFETY: the last one is alone, and nobody comes by an unused slot.
                shared.slot.with_mut(|slot| unsafe { *slot += 1 });
            }
            u32::from(last)
        };
        let passer = thread::spawn({
            let shared = shared.clone();
            move || if shared.refs.retain_used() { ends(&shared) } else { 0 }
        });
        let ours = ends(&shared);
        assert_eq!(ours + passer.join().unwrap(), 1);
    });
}

fn lost(dropped: Dropped) -> u32 {
    u32::from(dropped == Dropped::Ended { lost: Some(Lost::Error) })
}

#[test]
fn a_failure_that_nobody_sees_is_lost_once_whoever_comes_last() {
    check(|| {
        let handle = Arc::new(Handle::default());
        handle.begin();
        handle.held();
        let drops = || {
            let handle = handle.clone();
            thread::spawn(move || lost(handle.dropped()))
        };
        // A set and a result that it carries may both let go.
        let (one, two) = (drops(), drops());
        let at_end = u32::from(handle.ended(flag::FAILED) == Some(Lost::Error));
        assert_eq!(at_end + one.join().unwrap() + two.join().unwrap(), 1);
    });
}

#[test]
fn a_failure_that_was_joined_is_not_lost() {
    check(|| {
        let handle = Arc::new(Handle::default());
        handle.begin();
        handle.held();
        let task = thread::spawn({
            let handle = handle.clone();
            move || handle.ended(flag::FAILED)
        });
        // As somebody who aborts meanwhile.
        handle.did(flag::ABORTED);
        let at_end = task.join().unwrap();
        handle.joined();
        assert_eq!((at_end, handle.dropped()), (None, Dropped::Before));
        assert_ne!(handle.flags() & flag::ABORTED, 0);
    });
}

#[test]
fn a_reader_never_sees_one_poll_with_the_start_of_another() {
    check(|| {
        static TASKS: [u64; 2] = [10, 20];
        let thread_slot = Arc::new(InPoll { task: AtomicPtr::new(std::ptr::null_mut()), started: AtomicU64::new(0) });
        let polls = thread::spawn({
            let thread_slot = thread_slot.clone();
            move || {
                for task in &TASKS {
                    thread_slot.begin(task, *task);
                    thread_slot.end();
                }
            }
        });
        if let Some((task, started)) = thread_slot.read(|task| *task) {
            assert_eq!(task, started);
        }
        polls.join().unwrap();
        assert_eq!(thread_slot.read(|task| *task), None);
    });
}
