//! What became of a task's result.
use loom::{sync::Arc, thread};

use crate::{
    check,
    recorder::handle::{Dropped, Handle, Lost, flag},
};

fn lost(dropped: Dropped) -> u32 {
    u32::from(dropped == Dropped::Ended { lost: Some(Lost::Error) })
}

#[test]
fn a_failure_that_nobody_sees_is_lost_once_whoever_comes_last() {
    check(|| {
        let handle = Arc::new(Handle::default());
        handle.begin();
        handle.held();
        let drops = || {
            let handle = handle.clone();
            thread::spawn(move || lost(handle.dropped()))
        };
        // A set and a result that it carries may both let go.
        let (one, two) = (drops(), drops());
        let at_end = u32::from(handle.ended(flag::FAILED) == Some(Lost::Error));
        assert_eq!(at_end + one.join().unwrap() + two.join().unwrap(), 1);
    });
}

fn failing() -> Arc<Handle> {
    let handle = Arc::new(Handle::default());
    handle.begin();
    handle.held();
    handle
}

#[test]
fn who_joins_while_the_task_ends_takes_nothing_away_of_what_it_says() {
    check(|| {
        let handle = failing();
        let joins = thread::spawn({
            let handle = handle.clone();
            move || handle.joined()
        });
        let lost = handle.ended(flag::FAILED);
        joins.join().unwrap();
        let all = flag::ENDED | flag::FAILED | flag::RESULT_TAKEN | flag::HANDLE_AWAITED;
        assert_eq!((handle.flags(), lost), (all, None));
    });
}

#[test]
fn of_what_is_joined_and_let_go_at_once_at_most_one_failure_is_lost() {
    check(|| {
        let handle = failing();
        assert_eq!(handle.ended(flag::FAILED), None);
        let drops = thread::spawn({
            let handle = handle.clone();
            move || lost(handle.dropped())
        });
        handle.joined();
        assert!(drops.join().unwrap() <= 1);
        assert_eq!(handle.dropped(), Dropped::Before);
    });
}

#[test]
fn a_failure_that_was_joined_is_not_lost() {
    check(|| {
        let handle = Arc::new(Handle::default());
        handle.begin();
        handle.held();
        let task = thread::spawn({
            let handle = handle.clone();
            move || handle.ended(flag::FAILED)
        });
        // As somebody who aborts meanwhile.
        handle.did(flag::ABORTED);
        let at_end = task.join().unwrap();
        handle.joined();
        assert_eq!((at_end, handle.dropped()), (None, Dropped::Before));
        assert_ne!(handle.flags() & flag::ABORTED, 0);
    });
}
