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
    recorder::{free_list::Taken, no_slots, numbers, numbers::Numbers, stripes::Stripes},
};

/// Numbers that threads share, so that each finds what others gave back.
const A: usize = 8;
const B: usize = 9;
const C: usize = 10;
/// The last one that is a thread's own.
const OWN: usize = 7;

/// Slots with a link each, and how many use each.
struct Slots<const N: usize> {
    free: Stripes,
    links: [AtomicU32; N],
    users: [AtomicU32; N],
}

impl<const N: usize> Slots<N> {
    /// All free, in the list of [`A`].
    fn new() -> Arc<Self> {
        let free = no_slots();
        let links: [_; N] = std::array::from_fn(|index| AtomicU32::new(index as u32 + 2));
        free.push(A, Taken { first: 0, last: N as u32 - 1 }, &links[N - 1]);
        Arc::new(Self { free, links, users: std::array::from_fn(|_| AtomicU32::new(0)) })
    }

    fn used(&self, index: Option<u32>) -> Option<u32> {
        let index = index?;
        assert_eq!(self.users[index as usize].fetch_add(1, SeqCst), 0, "a slot has one owner");
        Some(index)
    }

    fn take(&self, thread: usize) -> Option<u32> {
        let next = |index| self.links.get(index as usize);
        self.used(self.free.pop_kept(thread, next).or_else(|| self.free.pop(thread, next)))
    }

    fn refill(&self, thread: usize, n: usize, left: usize) -> Option<u32> {
        self.used(self.free.refill(thread, n, left, |index| self.links.get(index as usize)))
    }

    fn take_any(&self) -> Option<u32> {
        self.used(self.free.pop_any(|index| self.links.get(index as usize)))
    }

    fn put(&self, thread: usize, index: u32) {
        self.users[index as usize].fetch_sub(1, SeqCst);
        self.free.give_back(thread, index, &self.links[index as usize]);
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
                let (first, second) = (slots.take(A), slots.take(A));
                if let Some(first) = first {
                    slots.put(A, first);
                }
                second.is_some()
            }
        });
        let moved = slots.refill(B, 2, 0).is_some();
        let taken = usize::from(moved) + usize::from(other.join().unwrap());
        assert_eq!(slots.left(), 4 - taken);
    });
}

#[test]
fn two_that_take_from_one_list_at_once_share_nothing() {
    check(|| {
        let slots = Slots::<4>::new();
        let threads: Vec<_> = [B, C]
            .into_iter()
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
        assert_eq!(slots.refill(B, 2, 3), None);
        assert_eq!(slots.refill(B, 2, 2), Some(0));
        assert_eq!([slots.take(B), slots.take(B)], [Some(1), None]);
        assert_eq!(slots.left(), 2);
    });
}

#[test]
fn who_finds_none_anywhere_has_missed_none_that_was_given_back_before() {
    check(|| {
        let slots = Slots::<1>::new();
        let one = slots.take(A).unwrap();
        let other = thread::spawn({
            let slots = slots.clone();
            move || slots.put(C, one)
        });
        let taken = slots.take_any();
        other.join().unwrap();
        assert_eq!(slots.left() + usize::from(taken.is_some()), 1);
    });
}

#[test]
fn what_a_thread_keeps_is_there_for_the_next_that_has_its_number() {
    check(|| {
        let slots = Slots::<2>::new();
        // One number is left that is a thread's own: whoever comes second gets it after the first, or shares one.
        let numbers = Arc::new(numbers(OWN as u32));
        let uses = |slots: &Slots<2>, numbers: &Numbers| {
            let number = numbers.take();
            let slot = slots.take(number).or_else(|| slots.refill(number, 1, 0)).expect("there is one for each");
            slots.put(number, slot);
            if number == OWN {
                assert_eq!(slots.take(number), Some(slot), "nobody else takes it");
                slots.put(number, slot);
            }
            numbers.give_back(number);
        };
        let other = thread::spawn({
            let (slots, numbers) = (slots.clone(), numbers.clone());
            move || uses(&slots, &numbers)
        });
        uses(&slots, &numbers);
        other.join().unwrap();
        assert_eq!(slots.left() + std::iter::from_fn(|| slots.take(OWN)).count(), 2);
    });
}
