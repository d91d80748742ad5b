//! Slots that nobody uses.
use loom::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
};

use crate::{
    check,
    recorder::free_list::{FreeList, Taken},
};

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
        self.free.push(Taken::one(index), &self.links[index as usize]);
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

#[test]
fn a_list_that_is_long_enough_is_found_so_while_its_slots_go_to_another() {
    check(|| {
        let slots = Slots::new(3);
        let other = thread::spawn({
            let slots = slots.clone();
            move || {
                let elsewhere = FreeList::default();
                if let Some(index) = slots.take() {
                    elsewhere.push(Taken::one(index), &slots.links[index as usize]);
                }
            }
        });
        // There are two at any time. Loom by itself lets nobody in between the head and the link.
        let link = |index| {
            thread::yield_now();
            slots.links.get(index as usize)
        };
        assert!(slots.free.pop_some(1, 1, link).is_some());
        other.join().unwrap();
    });
}
