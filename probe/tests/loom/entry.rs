//! What a task waits for.
use std::panic::Location;

use loom::{sync::Arc, thread};

use crate::{check, recorder::entry::Entry};

/// Two waits for the same, one after the other; each knows its own line.
fn waits() -> [(u64, &'static Location<'static>); 2] {
    #[track_caller]
    fn here() -> &'static Location<'static> {
        Location::caller()
    }
    [(10, here()), (20, here())]
}

#[test]
fn a_reader_never_sees_a_wait_with_the_start_or_the_line_of_another() {
    const ON: u64 = 7;
    check(|| {
        let waits = waits();
        let entry = Arc::new(Entry::default());
        let task = thread::spawn({
            let entry = entry.clone();
            move || {
                for (since, site) in waits {
                    entry.begin(ON, since, Some(site));
                    entry.end(ON);
                }
            }
        });
        if let Some((on, since, site)) = entry.read() {
            let wait = waits.iter().find(|wait| wait.0 == since).unwrap();
            assert_eq!((on, site), (ON, Some(wait.1)));
        }
        task.join().unwrap();
        assert!(entry.read().is_none());
    });
}

#[test]
fn a_wait_that_goes_on_keeps_its_start_and_line_unless_it_ended() {
    const POLL: u64 = 7;
    const NEXT: u64 = 8;
    const OTHER: u64 = 9;
    check(|| {
        let [(since, site), (other_since, other_site)] = waits();
        let entry = Arc::new(Entry::default());
        entry.begin(POLL, since, Some(site));
        let elsewhere = thread::spawn({
            let entry = entry.clone();
            move || {
                let read = entry.read();
                entry.end_from_elsewhere(POLL);
                read
            }
        });
        let renewed = entry.renew(POLL, NEXT);
        if !renewed {
            assert_eq!(entry.on(), 0, "only its end keeps it from going on");
            entry.begin(OTHER, other_since, Some(other_site));
        }
        if let Some((on, since_read, site_read)) = elsewhere.join().unwrap() {
            assert!(on == POLL || on == NEXT);
            assert_eq!((since_read, site_read), (since, Some(site)));
        }
        let expected = if renewed { (NEXT, since, Some(site)) } else { (OTHER, other_since, Some(other_site)) };
        assert_eq!(entry.read(), Some(expected));
    });
}
