//! The app's own hooks are called as tokio calls them, whatever the probe hooks in beside them.
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use async_inspect_probe::tokio::{self, runtime::Builder};

#[test]
fn the_newest_park_hook_of_the_app_is_the_one_that_is_called() {
    crate::start();
    let [replaced, parked, unparked] = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
    let count = |calls: &Arc<AtomicUsize>| {
        let calls = Arc::clone(calls);
        move || {
            calls.fetch_add(1, Relaxed);
        }
    };
    let mut builder = Builder::new_current_thread();
    builder.enable_all().on_thread_park(count(&replaced)).on_thread_unpark(count(&replaced));
    builder.on_thread_park(count(&parked)).on_thread_unpark(count(&unparked));
    // By whichever way it is built, and however often.
    for build in [
        |builder: &mut Builder| builder.build().unwrap(),
        |builder: &mut Builder| {
            let inner: tokio::raw::runtime::Builder = std::mem::replace(builder, Builder::new_current_thread()).into();
            Builder::from(inner).build().unwrap()
        },
    ] {
        let before = (parked.load(Relaxed), unparked.load(Relaxed));
        let runtime = build(&mut builder);
        runtime.block_on(async { tokio::time::sleep(std::time::Duration::from_millis(2)).await });
        assert!(parked.load(Relaxed) > before.0 && unparked.load(Relaxed) > before.1);
    }
    assert_eq!(replaced.load(Relaxed), 0);
}

#[test]
fn hooks_that_a_builder_of_tokios_brings_are_kept() {
    crate::start();
    let parked = Arc::new(AtomicUsize::new(0));
    let on_park = Arc::clone(&parked);
    let mut inner = tokio::raw::runtime::Builder::new_current_thread();
    inner.enable_all().on_thread_park(move || {
        on_park.fetch_add(1, Relaxed);
    });
    let runtime = Builder::from(inner).build().unwrap();
    runtime.block_on(async { tokio::time::sleep(std::time::Duration::from_millis(2)).await });
    assert!(parked.load(Relaxed) > 0);
}

/// In the order in which tokio calls them, for a task of the drop-in's and one of a library's.
#[cfg(tokio_unstable)]
#[test]
fn task_hooks_of_the_app_see_every_task() {
    crate::start();
    let log = Arc::new(std::sync::Mutex::new(Vec::new()));
    let note = |what: &'static str| {
        let log = Arc::clone(&log);
        move |task: &tokio::runtime::TaskMeta<'_>| {
            assert!(task.spawned_at().line() > 0);
            log.lock().unwrap().push((what, task.id()));
        }
    };
    let mut builder = Builder::new_current_thread();
    builder
        .on_task_spawn(note("spawn"))
        .on_before_task_poll(note("before"))
        .on_after_task_poll(note("after"))
        .on_task_terminate(note("terminate"));
    let ids = builder.build().unwrap().block_on(async {
        let ours = tokio::spawn(tokio::task::yield_now());
        let theirs = tokio::raw::spawn(tokio::task::yield_now());
        let ids = [ours.id(), theirs.id()];
        ours.await.unwrap();
        theirs.await.unwrap();
        ids
    });
    let log = log.lock().unwrap();
    for id in ids {
        let calls: Vec<_> = log.iter().filter(|(_, task)| *task == id).map(|(what, _)| *what).collect();
        assert_eq!(calls, ["spawn", "before", "after", "before", "terminate", "after"]);
    }
}
