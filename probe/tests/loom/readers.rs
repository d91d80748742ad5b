//! How far each receiver of a broadcast is.
use std::panic::Location;

use loom::{sync::Arc, thread};

use crate::{check, recorder::readers_entry::Entry};

type CallSite = &'static Location<'static>;

/// A place for each of two receivers.
fn sites() -> [CallSite; 2] {
    #[track_caller]
    fn here() -> CallSite {
        Location::caller()
    }
    [here(), here()]
}

/// The whole life of receiver `n`, of two: it comes when `4 + n` messages were sent, asks and gets one.
fn receives(entry: &Entry, n: usize, sites: [CallSite; 2]) -> bool {
    let claimed = entry.claim(4 + n as u64);
    if claimed {
        entry.asks(10 * n as u64, n as u64, Some(sites[n - 1]));
        entry.pass(1);
        entry.leave();
    }
    claimed
}

#[test]
fn a_reader_never_sees_one_receiver_with_the_facts_of_another() {
    check(|| {
        let sites = sites();
        let entry = Arc::new(Entry::default());
        // The reader is the one that is spawned: see `since`.
        let reader = thread::spawn({
            let entry = entry.clone();
            move || entry.read()
        });
        assert!(receives(&entry, 1, sites) && receives(&entry, 2, sites));
        if let Some(seen) = reader.join().unwrap() {
            let of_site = sites.iter().position(|site| seen.site == Some(*site)).map(|n| n as u64 + 1);
            let told: Vec<_> =
                [seen.asked_at / 10, seen.task, of_site.unwrap_or(0)].into_iter().filter(|of| *of != 0).collect();
            // Both were at 6.
            let fits = |of: &u64| [4 + of, 5 + of].contains(&seen.passed);
            assert!(told.windows(2).all(|two| two[0] == two[1]) && told.iter().all(fits), "{seen:?}");
        }
        assert_eq!(entry.read(), None);
    });
}

#[test]
fn of_two_receivers_that_come_at_once_one_has_the_entry() {
    check(|| {
        let entry = Arc::new(Entry::default());
        let claim = |passed| {
            let entry = entry.clone();
            thread::spawn(move || entry.claim(passed))
        };
        let (one, two) = (claim(10), claim(20));
        let claimed = [one.join().unwrap(), two.join().unwrap()];
        assert_eq!(claimed.iter().filter(|claimed| **claimed).count(), 1);
        let passed = entry.read().unwrap().passed;
        assert_eq!(passed, if claimed[0] { 10 } else { 20 });
        assert!(entry.pass_all(30) && !entry.pass_all(30));
        assert_eq!(entry.read().unwrap().passed, 30);
    });
}
