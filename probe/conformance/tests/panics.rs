//! What panics does so in the name of its caller, as the tests of tokio, tokio-util and tokio-stream say.
#![cfg(not(tokio_unstable))]
#![allow(warnings, reason = "it is others' code, for another package")]

include!(concat!(env!("OUT_DIR"), "/panics.rs"));

#[test]
fn a_tracker_panics_in_the_name_of_its_caller() {
    let tracker = tokio_util::task::TaskTracker::new();
    let spawns: [Box<dyn Fn() + std::panic::UnwindSafe>; 3] = [
        Box::new({
            let tracker = std::panic::AssertUnwindSafe(tracker.clone());
            move || drop(tracker.spawn(async {}))
        }),
        Box::new({
            let tracker = std::panic::AssertUnwindSafe(tracker.clone());
            move || drop(tracker.spawn_local(async {}))
        }),
        Box::new({
            let tracker = std::panic::AssertUnwindSafe(tracker.clone());
            move || drop(tracker.spawn_blocking(|| {}))
        }),
    ];
    for spawn in spawns {
        let said = of_tokio::support::panic::test_panic(spawn);
        assert_eq!(said.as_deref(), Some(file!()));
    }
}

#[test]
fn a_map_and_a_queue_panic_in_the_name_of_their_caller() {
    use tokio_util::task::{JoinMap, JoinQueue};
    let spawns: [fn(); 6] = [
        || JoinMap::new().spawn(1, async {}),
        || JoinMap::new().spawn_local(1, async {}),
        || JoinMap::new().spawn_blocking(1, || {}),
        || drop(JoinQueue::new().spawn(async {})),
        || drop(JoinQueue::new().spawn_local(async {})),
        || drop(JoinQueue::new().spawn_blocking(|| {})),
    ];
    for spawn in spawns {
        assert_eq!(of_tokio::support::panic::test_panic(spawn).as_deref(), Some(file!()));
    }
}
