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
