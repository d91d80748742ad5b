//! Whose a slot is, from the one that takes it to the one that has it next.
use loom::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use crate::{
    check,
    recorder::{no_slots, owner::Owner, refs::Refs, stripes::Stripes},
};

/// Numbers of threads: of one that keeps slots for itself, and of some that share a list.
const KEEPS: usize = 0;
const SHARE: usize = 8;

/// A slot, the lists that it may be in, by which number it is taken and given back, and a fact: ten times the owner's id.
struct Slot {
    free: Stripes,
    number: usize,
    link: AtomicU32,
    owner: Owner,
    refs: Refs,
    fact: AtomicU64,
}

impl Slot {
    fn free(number: usize) -> Arc<Self> {
        let (owner, refs) = (Owner::default(), Refs::default());
        let slot = Self { free: no_slots(), number, link: AtomicU32::new(0), owner, refs, fact: AtomicU64::new(0) };
        slot.free.give_back(number, 0, &slot.link);
        Arc::new(slot)
    }

    /// As an instrument does; false where it is taken.
    fn take(&self, id: u64) -> bool {
        let link = |_| Some(&self.link);
        let taken = self.free.pop_kept(self.number, link).or_else(|| self.free.pop(self.number, link)).is_some();
        if taken {
            self.fact.store(id * 10, Relaxed);
            self.refs.begin(1);
            self.owner.enter(id);
        }
        taken
    }

    /// Lets go of a reference.
    fn release(&self) {
        if self.refs.release() == 1 {
            self.owner.leave();
            self.free.give_back(self.number, 0, &self.link);
        }
    }
}

fn a_reader_gets_one_owners_fact(number: usize) {
    check(move || {
        let slot = Slot::free(number);
        // The reader is the one that is spawned: see `since`.
        let reader = thread::spawn({
            let slot = slot.clone();
            move || slot.owner.read(|id| Some((id, slot.fact.load(Relaxed))))
        });
        for id in [1, 2] {
            assert!(slot.take(id));
            slot.release();
        }
        if let Some((id, fact)) = reader.join().unwrap() {
            assert_eq!(fact, id * 10);
        }
        assert_eq!(slot.owner.read(Some), None);
    });
}

#[test]
fn a_reader_never_gets_one_owners_fact_under_the_name_of_another() {
    a_reader_gets_one_owners_fact(SHARE);
}

#[test]
fn nor_where_the_thread_keeps_the_slot_for_the_next_one() {
    a_reader_gets_one_owners_fact(KEEPS);
}

#[test]
fn who_finds_a_task_by_its_id_keeps_the_slot_from_the_next() {
    check(|| {
        let slot = Slot::free(SHARE);
        assert!(slot.take(1));
        let finder = thread::spawn({
            let slot = slot.clone();
            move || {
                // As `TaskSlot::retain_as`.
                if slot.refs.retain_used() {
                    if slot.owner.id() == 1 {
                        assert_eq!(slot.fact.load(Relaxed), 10);
                    }
                    slot.release();
                }
            }
        });
        slot.release();
        if slot.take(2) {
            assert_eq!(slot.fact.load(Relaxed), 20);
            slot.release();
        }
        finder.join().unwrap();
        assert!(slot.take(3), "it is free once nobody refers to it");
    });
}
