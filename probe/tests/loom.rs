//! The recorder's lock-free pieces under loom, which tries every order in which threads can come, and every value that a
//! load may see. The pieces are compiled here a second time, with loom's atomics in the place of std's.
//!
//! What is left out has its argument where it is: what an instrument does beside these is loads and stores by one writer.
#![allow(dead_code, clippy::unwrap_used, reason = "pieces are used in part; a test may fail")]

#[path = "../src/recorder/wait/entry.rs"]
mod entry;
#[path = "../src/recorder/free_list.rs"]
mod free_list;
#[path = "../src/recorder/handle.rs"]
mod handle;
#[path = "../src/recorder/in_poll.rs"]
mod in_poll;
#[path = "../src/recorder/lazy.rs"]
mod lazy;
#[path = "../src/recorder/mark.rs"]
mod mark;
#[path = "../src/recorder/refs.rs"]
mod refs;
#[path = "../src/recorder/since.rs"]
mod since;

/// In the place of `recorder/sync.rs`.
mod sync {
    pub(crate) use loom::sync::atomic;

    /// In the probe, a reader gives writers a pause in which their stores get out. Here they get out at once.
    pub(crate) fn settles() {
        atomic::fence(atomic::Ordering::SeqCst);
    }
}

/// In the place of `recorder/arena.rs`: slots that are taken one after the other.
mod arena {
    use loom::sync::atomic::{
        AtomicU32,
        Ordering::{Relaxed, SeqCst},
    };

    pub(crate) trait Slot {
        fn index(&self) -> u32;
    }

    pub(crate) struct Arena<T> {
        pub(crate) slots: Vec<T>,
        pub(crate) taken: AtomicU32,
        pub(crate) given_back: AtomicU32,
        pub(crate) shed: AtomicU32,
    }

    impl<T: Slot> Arena<T> {
        pub(crate) fn try_take(&self) -> Option<&T> {
            self.slots.get(self.taken.fetch_add(1, SeqCst) as usize)
        }

        pub(crate) fn give_back(&self, _slot: &T) {
            self.given_back.fetch_add(1, Relaxed);
        }

        pub(crate) fn at(&self, index: u32) -> Option<&T> {
            self.slots.get(index as usize)
        }

        pub(crate) fn index(slot: &T) -> u32 {
            slot.index()
        }

        pub(crate) fn count_shed(&self) {
            self.shed.fetch_add(1, Relaxed);
        }
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

use entry::Entry;
use free_list::FreeList;
use handle::{Dropped, Handle, Lost, flag};
use in_poll::InPoll;
use lazy::Lazy;
use mark::Place;
use refs::Refs;
use since::Since;

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

/// An entry for holds: since when, a fact of it, and a sum of those that were here.
#[derive(Default)]
struct Hold {
    since: Since,
    fact: AtomicU64,
    sum: AtomicU64,
}

impl Hold {
    /// A whole hold in it, if it is free; its fact is twice its start.
    fn hold(&self, at: u64) -> bool {
        let claimed = self.since.claim();
        if claimed {
            self.since.begin(at, || self.fact.store(at * 2, Relaxed));
            self.ends();
        }
        claimed
    }

    /// As its only writer.
    fn ends(&self) {
        self.sum.store(self.sum.load(Relaxed) + 1, Relaxed);
        self.since.end();
    }
}

#[test]
fn who_claims_an_entry_is_its_only_writer() {
    check(|| {
        let entry = Arc::new(Hold::default());
        let holds: Vec<_> = [10, 20]
            .map(|at| {
                let entry = entry.clone();
                thread::spawn(move || u64::from(entry.hold(at)))
            })
            .into();
        let held: u64 = holds.into_iter().map(|hold| hold.join().unwrap()).sum();
        assert!(held > 0);
        assert_eq!(entry.sum.load(Relaxed), held, "of plain stores none is lost");
    });
}

#[test]
fn a_reader_never_sees_one_hold_with_the_facts_of_another() {
    check(|| {
        let entry = Arc::new(Hold::default());
        // The reader is the one that is spawned: of a load that comes before a load by another thread, loom forgets that a
        // later store depends on it, and would try no other order.
        let reader = thread::spawn({
            let entry = entry.clone();
            move || {
                if let Some((since, fact)) = entry.since.read(|| entry.fact.load(Relaxed)) {
                    assert_eq!(fact, since * 2);
                }
            }
        });
        assert!(entry.hold(10) && entry.hold(20));
        reader.join().unwrap();
        assert_eq!(entry.since.read(|| ()), None);
    });
}

#[test]
fn a_hold_that_two_see_the_end_of_ends_once() {
    check(|| {
        let entry = Arc::new(Hold::default());
        assert!(entry.since.claim());
        entry.since.begin(10, || entry.fact.store(20, Relaxed));
        let end = |entry: &Hold| {
            let ended = entry.since.claim_back();
            if ended.is_some() {
                entry.ends();
            }
            u64::from(ended == Some(10))
        };
        let other = thread::spawn({
            let entry = entry.clone();
            move || end(&entry)
        });
        let ours = end(&entry);
        assert_eq!(ours + other.join().unwrap(), 1);
        assert_eq!(entry.sum.load(Relaxed), 1);
    });
}

/// Two waits for the same, one after the other; each knows its own line.
fn waits() -> [(u64, &'static std::panic::Location<'static>); 2] {
    #[track_caller]
    fn here() -> &'static std::panic::Location<'static> {
        std::panic::Location::caller()
    }
    [(10, here()), (20, here())]
}

#[test]
fn a_reader_never_sees_a_wait_with_the_start_or_the_line_of_another() {
    const ON: u64 = 7;
    check(|| {
        let waits = waits();
        let entry = Arc::new(Entry::default());
        let task = thread::spawn({
            let entry = entry.clone();
            move || {
                for (since, site) in waits {
                    entry.begin(ON, since, Some(site));
                    entry.end(ON);
                }
            }
        });
        if let Some((on, since, site)) = entry.read() {
            let wait = waits.iter().find(|wait| wait.0 == since).unwrap();
            assert_eq!((on, site), (ON, Some(wait.1)));
        }
        task.join().unwrap();
        assert!(entry.read().is_none());
    });
}

#[test]
fn a_wait_that_goes_on_keeps_its_start_and_line_unless_it_ended() {
    const POLL: u64 = 7;
    const NEXT: u64 = 8;
    const OTHER: u64 = 9;
    check(|| {
        let [(since, site), (other_since, other_site)] = waits();
        let entry = Arc::new(Entry::default());
        entry.begin(POLL, since, Some(site));
        let elsewhere = thread::spawn({
            let entry = entry.clone();
            move || {
                let read = entry.read();
                entry.end_from_elsewhere(POLL);
                read
            }
        });
        let renewed = entry.renew(POLL, NEXT);
        if !renewed {
            assert_eq!(entry.on(), 0, "only its end keeps it from going on");
            entry.begin(OTHER, other_since, Some(other_site));
        }
        if let Some((on, since_read, site_read)) = elsewhere.join().unwrap() {
            assert!(on == POLL || on == NEXT);
            assert_eq!((since_read, site_read), (since, Some(site)));
        }
        let expected = if renewed { (NEXT, since, Some(site)) } else { (OTHER, other_since, Some(other_site)) };
        assert_eq!(entry.read(), Some(expected));
    });
}

/// What is taken when it is first needed.
struct Detail {
    index: u32,
    ready: AtomicU32,
}

impl arena::Slot for Detail {
    fn index(&self) -> u32 {
        self.index
    }
}

#[test]
fn two_that_need_a_slot_at_once_get_the_same_one_and_find_it_ready() {
    check(|| {
        let slots = (0..2).map(|index| Detail { index, ready: AtomicU32::new(0) }).collect();
        let zero = || AtomicU32::new(0);
        let arena = arena::Arena { slots, taken: zero(), given_back: zero(), shed: zero() };
        let arena: &'static arena::Arena<Detail> = Box::leak(Box::new(arena));
        let lazy = Arc::new(Lazy(AtomicU32::new(0), std::marker::PhantomData));
        let need = move |lazy: &Lazy<Detail>| {
            let slot = lazy.get_or_take(arena, |slot| slot.ready.store(1, Relaxed)).unwrap();
            assert_eq!(slot.ready.load(Relaxed), 1);
            slot.index
        };
        let other = thread::spawn({
            let lazy = lazy.clone();
            move || need(&lazy)
        });
        let ours = need(&lazy);
        assert_eq!(ours, other.join().unwrap());
        // Whoever came too late has given back what it took.
        assert_eq!(arena.taken.load(Relaxed) - arena.given_back.load(Relaxed), 1);
        assert_eq!(arena.shed.load(Relaxed), 0);
    });
}
