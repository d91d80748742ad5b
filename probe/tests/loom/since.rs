//! Since when something is held, with its facts.
use loom::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use crate::{check, recorder::since::Since};

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
fn who_finds_the_place_in_the_slot_taken_has_the_one_beside_it_and_no_sum_is_lost() {
    check(|| {
        let places = Arc::new([Hold::default(), Hold::default()]);
        let holds = [10, 20].map(|at| {
            let places = places.clone();
            thread::spawn(move || places.iter().any(|place| place.hold(at)))
        });
        assert!(holds.into_iter().all(|hold| hold.join().unwrap()));
        assert_eq!(places.iter().map(|place| place.sum.load(Relaxed)).sum::<u64>(), 2);
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
