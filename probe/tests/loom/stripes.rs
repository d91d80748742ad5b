//! Slots that nobody uses, in lists that threads do not share.
use loom::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
};

use crate::{
    check,
    recorder::{free_list::Taken, no_slots, stripes::Stripes},
};

/// Slots with a link each, and how many use each.
struct Slots<const N: usize> {
    free: Stripes,
    links: [AtomicU32; N],
    users: [AtomicU32; N],
}

impl<const N: usize> Slots<N> {
    /// All free, in the list of the thread 0.
    fn new() -> Arc<Self> {
        let free = no_slots();
        let links: [_; N] = std::array::from_fn(|index| AtomicU32::new(index as u32 + 2));
        free.push(0, Taken { first: 0, last: N as u32 - 1 }, &links[N - 1]);
        Arc::new(Self { free, links, users: std::array::from_fn(|_| AtomicU32::new(0)) })
    }

    fn used(&self, index: Option<u32>) -> Option<u32> {
        let index = index?;
        assert_eq!(self.users[index as usize].fetch_add(1, SeqCst), 0, "a slot has one owner");
        Some(index)
    }

    fn take(&self, thread: usize) -> Option<u32> {
        self.used(self.free.pop(thread, |index| self.links.get(index as usize)))
    }

    fn refill(&self, thread: usize, n: usize, left: usize) -> Option<u32> {
        self.used(self.free.refill(thread, n, left, |index| self.links.get(index as usize)))
    }

    fn take_any(&self) -> Option<u32> {
        self.used(self.free.pop_any(|index| self.links.get(index as usize)))
    }

    fn put(&self, thread: usize, index: u32) {
        self.users[index as usize].fetch_sub(1, SeqCst);
        self.free.push(thread, Taken::one(index), &self.links[index as usize]);
    }

    fn left(&self) -> usize {
        std::iter::from_fn(|| self.take_any()).count()
    }
}

#[test]
fn slots_that_move_while_their_list_changes_have_one_owner_and_are_all_there() {
    check(|| {
        let slots = Slots::<4>::new();
        // Takes two and gives back the first, so that the list begins as before, and goes on otherwise.
        let other = thread::spawn({
            let slots = slots.clone();
            move || {
                let (first, second) = (slots.take(0), slots.take(0));
                if let Some(first) = first {
                    slots.put(0, first);
                }
                second.is_some()
            }
        });
        let moved = slots.refill(1, 2, 0).is_some();
        let taken = usize::from(moved) + usize::from(other.join().unwrap());
        assert_eq!(slots.left(), 4 - taken);
    });
}

#[test]
fn two_that_take_from_one_list_at_once_share_nothing() {
    check(|| {
        let slots = Slots::<4>::new();
        let threads: Vec<_> = (1..3)
            .map(|thread| {
                let slots = slots.clone();
                thread::spawn(move || {
                    let first = slots.refill(thread, 2, 0);
                    [first, slots.take(thread)].iter().flatten().count()
                })
            })
            .collect();
        let taken: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(slots.left(), 4 - taken);
    });
}

#[test]
fn a_list_that_would_be_left_with_too_few_stays_as_it_is() {
    check(|| {
        let slots = Slots::<4>::new();
        assert_eq!(slots.refill(1, 2, 3), None);
        assert_eq!(slots.refill(1, 2, 2), Some(0));
        assert_eq!([slots.take(1), slots.take(1)], [Some(1), None]);
        assert_eq!(slots.left(), 2);
    });
}

#[test]
fn who_finds_none_anywhere_has_missed_none_that_was_given_back_before() {
    check(|| {
        let slots = Slots::<1>::new();
        let one = slots.take(0).unwrap();
        let other = thread::spawn({
            let slots = slots.clone();
            move || slots.put(5, one)
        });
        let taken = slots.take_any();
        other.join().unwrap();
        assert_eq!(slots.left() + usize::from(taken.is_some()), 1);
    });
}
