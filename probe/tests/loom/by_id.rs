//! A table's places for ids.
use loom::thread;

use crate::{
    check,
    recorder::by_id_set::{Place, PointerTo, Set},
};

/// What ids stand for: each for its own.
static THINGS: [u64; 3] = [0, 1, 2];

fn set() -> &'static Set<PointerTo<u64>> {
    Box::leak(Box::default())
}

/// Claims a place for it, and enters it.
fn enter(set: &Set<PointerTo<u64>>, id: u64) {
    set.claim(id).unwrap().point_to(&THINGS[id as usize]);
}

/// What is found of it, if it is not another's by now: a place that is looked at may be given back and taken again.
fn find(set: &Set<PointerTo<u64>>, id: u64) -> Option<u64> {
    set.places(id).find_map(|place| place.get().copied().filter(|it| *it == id))
}

#[test]
fn two_that_claim_at_once_have_places_of_their_own() {
    check(|| {
        let set = set();
        let other = thread::spawn(|| enter(set, 1));
        enter(set, 2);
        other.join().unwrap();
        assert_eq!([1, 2].map(|id| set.places(id).count()), [1, 1]);
        assert_eq!([1, 2].map(|id| find(set, id)), [Some(1), Some(2)]);
    });
}

#[test]
fn a_place_that_is_given_back_while_another_looks_tells_of_what_it_had_or_has() {
    check(|| {
        let set = set();
        enter(set, 1);
        let looks = thread::spawn(|| {
            let found: Vec<_> = set.places(1).filter_map(|place| place.get().copied()).collect();
            assert!(found.iter().all(|it| [1, 2].contains(it)));
            find(set, 1)
        });
        assert_eq!(set.places(1).next().unwrap().take(), Some(&1));
        enter(set, 2);
        assert!([None, Some(1)].contains(&looks.join().unwrap()));
        assert_eq!([1, 2].map(|id| find(set, id)), [None, Some(2)]);
    });
}

#[test]
fn what_two_take_out_at_once_one_of_them_gets() {
    check(|| {
        let set = set();
        enter(set, 1);
        let take = || u32::from(set.places(1).next().and_then(Place::take).is_some());
        let other = thread::spawn(take);
        assert_eq!(take() + other.join().unwrap(), 1);
        assert_eq!(set.places(1).count(), 0);
    });
}
