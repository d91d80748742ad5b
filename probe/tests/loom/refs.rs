//! Who refers to a slot.
use loom::{cell::UnsafeCell, sync::Arc, thread};

use crate::{
    check,
    recorder::{refs::Refs, refs_at},
};

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
        shared.refs.begin(1);
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
        shared.refs.begin(1);
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

/// Clones that are forgotten take no memory, so there may be any number of them.
#[test]
fn a_count_that_runs_away_keeps_the_slot_for_good() {
    check(|| {
        let refs = Arc::new(refs_at(u32::MAX / 2 + 1));
        let forgets = |refs: &Refs| (0..2).for_each(|_| refs.retain());
        let other = thread::spawn({
            let refs = refs.clone();
            move || {
                forgets(&refs);
                assert!(refs.retain_used());
                assert_ne!(refs.release(), 1);
            }
        });
        forgets(&refs);
        assert_ne!(refs.release(), 1);
        other.join().unwrap();
        // However many come and go from here on.
        assert!(refs.count() > u32::MAX / 2 + 1);
    });
}
