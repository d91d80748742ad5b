//! Counts in parts.
use loom::{
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Release},
        },
    },
    thread,
};

use crate::{
    check,
    recorder::totals::{Total, Totals},
};

#[test]
fn what_threads_count_at_once_is_all_there_whether_they_share_a_part_or_not() {
    // Two with a number each, one that shares its own with others, two that share one.
    for (one, other) in [(0, 1), (0, 8), (8, 8)] {
        check(move || {
            let totals = Arc::new(Totals::new());
            let adds = thread::spawn({
                let totals = totals.clone();
                move || totals.add(other, [(Total::Finished, 2)])
            });
            totals.add(one, [(Total::Finished, 1)]);
            adds.join().unwrap();
            assert_eq!(totals.get(Total::Finished), 3);
        });
    }
}

#[test]
fn no_more_have_ended_than_begun_also_where_they_end_on_another_thread() {
    check(|| {
        let totals = Arc::new(Totals::new());
        let spawned = Arc::new(AtomicBool::new(false));
        let ends = thread::spawn({
            let (totals, spawned) = (totals.clone(), spawned.clone());
            move || {
                if spawned.load(Acquire) {
                    totals.add(1, [(Total::Finished, 1)]);
                }
            }
        });
        let begins = thread::spawn({
            let totals = totals.clone();
            move || {
                totals.add(0, [(Total::Spawned, 1)]);
                spawned.store(true, Release);
            }
        });
        let finished = totals.get(Total::Finished);
        assert!(finished <= totals.get(Total::Spawned));
        ends.join().unwrap();
        begins.join().unwrap();
    });
}
