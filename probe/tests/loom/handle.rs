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
