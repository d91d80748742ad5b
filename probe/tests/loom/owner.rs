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
    recorder::{
        free_list::{FreeList, Taken},
        owner::Owner,
        refs::Refs,
    },
};

/// A slot, its list, and a fact: ten times the owner's id.
#[derive(Default)]
struct Slot {
    free: FreeList,
    link: AtomicU32,
    owner: Owner,
    refs: Refs,
    fact: AtomicU64,
}

impl Slot {
    fn free() -> Arc<Self> {
        let slot = Self::default();
        slot.free.push(Taken::one(0), &slot.link);
        Arc::new(slot)
    }

    /// As an instrument does; false where it is taken.
    fn take(&self, id: u64) -> bool {
        let taken = self.free.pop(|_| Some(&self.link)).is_some();
        if taken {
            self.fact.store(id * 10, Relaxed);
            self.refs.begin();
            self.owner.enter(id);
        }
        taken
    }

    /// Lets go of a reference.
    fn release(&self) {
        if self.refs.release() == 1 {
            self.owner.leave();
            self.free.push(Taken::one(0), &self.link);
        }
    }
}

#[test]
fn a_reader_never_gets_one_owners_fact_under_the_name_of_another() {
    check(|| {
        let slot = Slot::free();
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
fn who_finds_a_task_by_its_id_keeps_the_slot_from_the_next() {
    check(|| {
        let slot = Slot::free();
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
