//! What a thread polls.
use loom::{sync::Arc, thread};

use crate::{check, recorder};

#[test]
fn a_reader_never_sees_one_poll_with_the_start_of_another() {
    check(|| {
        static TASKS: [u64; 2] = [10, 20];
        let thread_slot = Arc::new(recorder::in_no_poll());
        let polls = thread::spawn({
            let thread_slot = thread_slot.clone();
            move || {
                for task in &TASKS {
                    thread_slot.begin(task, *task);
                    thread_slot.end();
                }
            }
        });
        if let Some((task, started)) = thread_slot.read(|task| *task) {
            assert_eq!(task, started);
        }
        polls.join().unwrap();
        assert_eq!(thread_slot.read(|task| *task), None);
    });
}
