use std::{
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use async_inspect_probe::tokio::{
    self,
    runtime::{Builder, Handle, LocalOptions, LocalRuntime, Runtime, RuntimeFlavor},
};

#[test]
fn a_runtime_runs_spawns_and_tells_of_itself() {
    crate::start();
    let runtime = Runtime::new().unwrap();
    assert_eq!(runtime.handle().runtime_flavor(), RuntimeFlavor::MultiThread);
    let task = runtime.spawn(async { Handle::current().id() });
    assert_eq!(runtime.block_on(task).unwrap(), runtime.handle().id());
    assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 5)).unwrap(), 5);
    assert_eq!(runtime.metrics().num_workers(), runtime.handle().metrics().num_workers());
    assert!(format!("{runtime:?}").starts_with("Runtime {"));
    assert!(format!("{:?}", runtime.handle()).starts_with("Handle {"));
    runtime.shutdown_timeout(Duration::from_secs(1));
}

#[test]
fn the_builder_passes_its_settings_on() {
    crate::start();
    let (started, parked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (on_start, on_park) = (Arc::clone(&started), Arc::clone(&parked));
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(3)
        .name("shop")
        .thread_name("shop-worker")
        .thread_stack_size(1 << 20)
        .thread_keep_alive(Duration::from_secs(1))
        .global_queue_interval(31)
        .event_interval(61)
        .max_io_events_per_tick(512)
        .on_thread_start(move || {
            on_start.fetch_add(1, Relaxed);
        })
        .on_thread_stop(|| {})
        .on_thread_park(move || {
            on_park.fetch_add(1, Relaxed);
        })
        .on_thread_unpark(|| {})
        .enable_io()
        .enable_time()
        .build()
        .unwrap();
    assert_eq!(runtime.handle().name(), Some("shop"));
    assert_eq!(runtime.metrics().num_workers(), 2);
    let name = runtime
        .block_on(async { tokio::spawn(async { std::thread::current().name().map(str::to_owned) }).await.unwrap() });
    assert_eq!(name.as_deref(), Some("shop-worker"));
    drop(runtime);
    assert!(started.load(Relaxed) >= 2 && parked.load(Relaxed) > 0);
    let named =
        Builder::new_multi_thread().worker_threads(1).thread_name_fn(|| "by-function".to_owned()).build().unwrap();
    let name = named.block_on(named.spawn(async { std::thread::current().name().map(str::to_owned) })).unwrap();
    assert_eq!(name.as_deref(), Some("by-function"));
    assert!(format!("{:?}", Builder::new_current_thread()).starts_with("Builder {"));
}

#[test]
#[should_panic(expected = "Worker threads cannot be set to 0")]
fn a_setting_that_tokio_refuses_is_refused() {
    crate::start();
    let _ = Builder::new_multi_thread().worker_threads(0);
}

#[test]
fn a_handle_is_found_entered_and_used_from_elsewhere() {
    crate::start();
    assert!(Handle::try_current().unwrap_err().is_missing_context());
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    {
        let _entered = runtime.enter();
        assert_eq!(Handle::current().id(), runtime.handle().id());
        drop(tokio::spawn(async {}));
    }
    let handle = runtime.handle().clone();
    let thread = std::thread::spawn(move || {
        let _entered = handle.enter();
        handle.block_on(async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            handle.spawn(async { 1 }).await.unwrap() + handle.spawn_blocking(|| 2).await.unwrap()
        })
    });
    assert_eq!(thread.join().unwrap(), 3);
    runtime.shutdown_background();
}

#[test]
#[should_panic(expected = "Cannot start a runtime from within a runtime")]
fn a_runtime_within_a_runtime_panics() {
    super::run(async { Builder::new_current_thread().build().unwrap().block_on(async {}) });
}

#[test]
#[should_panic(expected = "out of block_on")]
fn a_panic_of_the_root_reaches_the_caller() {
    super::run(async {
        tokio::task::yield_now().await;
        panic!("out of block_on");
    });
}

#[test]
fn a_local_runtime_runs_what_is_not_send() {
    crate::start();
    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default()).unwrap();
    let shared = Rc::new(5);
    let sum = runtime.block_on(async {
        let other = Rc::clone(&shared);
        let task = tokio::task::spawn_local(async move { *other });
        task.await.unwrap() + *shared
    });
    let task = runtime.spawn_local(async move { *shared });
    assert_eq!(runtime.block_on(task).unwrap() + sum, 15);
    assert_eq!(runtime.block_on(runtime.spawn_blocking(|| 1)).unwrap(), 1);
    let _ = LocalRuntime::new().unwrap().handle().metrics();
}

#[test]
fn runtimes_and_handles_turn_into_tokios_and_back() {
    crate::start();
    let runtime = Builder::new_current_thread().build().unwrap();
    let id = runtime.handle().id();
    let handle: tokio::raw::runtime::Handle = runtime.handle().clone().into();
    let runtime: tokio::raw::runtime::Runtime = runtime.into();
    let runtime = Runtime::from(runtime);
    assert_eq!((handle.id(), runtime.handle().id(), Handle::from(handle).id()), (id, id, id));
    let builder: tokio::raw::runtime::Builder = Builder::new_current_thread().into();
    assert_eq!(Builder::from(builder).build().unwrap().block_on(async { 1 }), 1);
}
