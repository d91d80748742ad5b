use std::{
    future::pending,
    pin::pin,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    recorder::{
        clock,
        handle::flag,
        paging,
        site::OutputKind,
        task::{Stage, TaskKind},
        wait::WaitKind,
    },
    tokio::{
        self,
        raw::sync::Notify,
        sync::{Mutex, mpsc, oneshot},
        task::{JoinHandle, LocalSet, spawn_blocking, spawn_local},
    },
};

#[test]
fn a_task_that_is_joined_leaves_nothing_to_complain_of() {
    run(async {
        let at = here();
        #[rustfmt::skip]
        let (handle, at) = (tokio::spawn(async { 7 }), (at.0, at.1 + 2));
        let id = handle.id();
        let new = task(id);
        assert_eq!((new.kind, new.stage, new.flags), (TaskKind::Async as u8, Stage::New as u8, flag::HANDLE_HELD));
        assert_eq!(new.parent & crate::recorder::task::ROOT_BIT, crate::recorder::task::ROOT_BIT);
        others().await;
        let done = task(id);
        assert_eq!((done.stage, done.polls), (Stage::Done as u8, 1));
        assert_eq!(done.flags, flag::HANDLE_HELD | flag::ENDED);
        assert_eq!(handle.await.unwrap(), 7);
        assert!(find_task(id).is_none(), "the slot is free");
        let site = spawn_site(at);
        assert_eq!(site.info.output, OutputKind::Value);
        assert!(site.info.type_name.contains("a_task_that_is_joined") && site.info.future_bytes > 0);
        assert_eq!(counts(site, [Total::Spawned, Total::Finished, Total::FinishedPolls]), [1, 1, 1]);
        assert_eq!(counts(site, [Total::HandlesDropped, Total::ErrorsLost, Total::Panics, Total::Aborted]), [0; 4]);
    });
}

#[track_caller]
fn spawn_here<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(future)
}

macro_rules! lost {
    ($site:expr) => {{
        let site = $site;
        counts(site, [Total::HandlesDropped, Total::ErrorsLost, Total::Panics, Total::PanicsLost, Total::Aborted])
    }};
}

#[test]
fn a_handle_that_is_dropped_before_the_end_is_counted_and_after_the_end_is_not() {
    run(async {
        let handle = spawn_here(async {});
        let (id, before) = (handle.id(), handle.abort_handle());
        drop(handle);
        assert_eq!(task(id).flags, flag::HANDLE_DROPPED);
        others().await;
        assert!(before.is_finished());
        let site = task(id).site;
        assert_eq!(lost!(site), [1, 0, 0, 0, 0]);

        let handle = spawn_here(async {});
        others().await;
        let site = task(handle.id()).site;
        drop(handle);
        assert_eq!(lost!(site), [0; 5]);
    });
}

#[test]
fn an_error_is_lost_when_nobody_takes_the_result() {
    run(async {
        let handle = spawn_here(async { Err::<(), _>("dropped before the end") });
        let site = task(handle.id()).site;
        assert_eq!(site.info.output, OutputKind::Result);
        drop(handle);
        others().await;
        assert_eq!(lost!(site), [1, 1, 0, 0, 0]);

        let handle = spawn_here(async { Err::<(), _>(String::from("dropped after the end")) });
        let site = task(handle.id()).site;
        others().await;
        drop(handle);
        assert_eq!(lost!(site), [0, 1, 0, 0, 0]);

        let handle = spawn_here(async { Err::<(), _>(5_u8) });
        let site = task(handle.id()).site;
        assert_eq!(handle.await.unwrap(), Err(5));
        assert_eq!(lost!(site), [0; 5]);
    });
}

#[test]
fn a_panic_is_lost_when_nobody_sees_the_join_error() {
    run(async {
        let handle = spawn_here(async { panic!("seen") });
        let site = task(handle.id()).site;
        assert!(error(handle.await).is_panic());
        assert_eq!(lost!(site), [0, 0, 1, 0, 0]);

        let handle = spawn_here(async {
            task::yield_now().await;
            panic!("unseen, of a handle that was kept")
        });
        let (id, site) = (handle.id(), task(handle.id()).site);
        others().await;
        assert_eq!((task(id).stage, lost!(site)), (Stage::Panicked as u8, [0, 0, 1, 0, 0]));
        drop::<JoinHandle<()>>(handle);
        assert_eq!(lost!(site), [0, 0, 1, 1, 0]);

        let handle = spawn_here(async { panic!("unseen, of a handle that went first") });
        let (id, site) = (handle.id(), task(handle.id()).site);
        drop::<JoinHandle<()>>(handle);
        others().await;
        assert_eq!(lost!(site), [1, 0, 1, 1, 0]);
        let record = recorder().panics.after(0).into_iter().find(|panic| panic.task == peek::task_id(id)).unwrap();
        assert_eq!((&*record.message, &*record.file), ("unseen, of a handle that went first", file!()));
    });
}

#[test]
fn an_abort_is_by_intent() {
    run(async {
        let handle = spawn_here(pending::<()>());
        let (id, site) = (handle.id(), task(handle.id()).site);
        others().await;
        handle.abort();
        assert_ne!(task(id).flags & flag::ABORTED, 0);
        others().await;
        let abort = handle.abort_handle();
        assert_eq!(task(id).stage, Stage::Cancelled as u8);
        drop(handle);
        assert_eq!(lost!(site), [0, 0, 0, 0, 1]);
        drop(abort);
        assert!(find_task(id).is_none());
    });
}

#[test]
fn an_aborted_task_whose_handle_goes_at_once_is_not_a_forgotten_one() {
    run(async {
        let handle = spawn_here(async {
            pending::<()>().await;
            1_u16
        });
        let site = task(handle.id()).site;
        handle.abort_handle().abort();
        drop(handle);
        others().await;
        assert_eq!(lost!(site), [0, 0, 0, 0, 1]);
    });
}

#[test]
fn a_task_waits_for_another_until_that_one_ends() {
    run(async {
        let (release, released) = oneshot::channel::<()>();
        let target = spawn_here(async move { released.await.is_ok() });
        let target_id = target.id();
        let at = here();
        let waiter = tokio::spawn(async move {
            #[rustfmt::skip]
            let ended = target.await.unwrap();
            pending::<()>().await;
            ended
        });
        others().await;
        let [wait] = waits(waiter.id())[..] else { panic!("one wait: {:?}", waits(waiter.id())) };
        assert_eq!((wait.kind, wait.on), (WaitKind::Join as u8, peek::task_id(target_id)));
        assert_eq!(place(wait.site.unwrap()), (at.0, at.1 + 3), "where it is awaited");
        assert_ne!(task(target_id).flags & flag::HANDLE_AWAITED, 0);
        release.send(()).unwrap();
        others().await;
        assert!(waits(waiter.id()).is_empty() && find_task(target_id).is_none());
        waiter.abort();
    });
}

#[test]
fn a_handle_that_lost_a_select_is_not_waited_for_any_more() {
    run(async {
        let target = spawn_here(async {
            pending::<()>().await;
            1_u32
        });
        let go = std::sync::Arc::new(Notify::new());
        let waiter = tokio::spawn({
            let go = std::sync::Arc::clone(&go);
            async move {
                let mut target = target;
                tokio::select! {
                    biased;
                    () = go.notified() => {}
                    _ = &mut target => {}
                }
                go.notified().await;
                drop(target);
                pending::<()>().await;
            }
        });
        others().await;
        assert_eq!(waits(waiter.id()).len(), 1);
        go.notify_one();
        others().await;
        assert!(waits(waiter.id()).is_empty(), "the handle lives, but nobody waits for it");
        go.notify_one();
        others().await;
        assert!(waits(waiter.id()).is_empty());
        waiter.abort();
    });
}

#[test]
fn a_task_that_nothing_can_wake_is_told_from_one_that_waits() {
    run(async {
        let lost = tokio::spawn(pending::<()>());
        let (tx, rx) = oneshot::channel::<()>();
        let waits = tokio::spawn(async move {
            let _ = rx.await;
            pending::<()>().await;
        });
        assert_eq!(task(lost.id()).wakers, None, "it was not polled yet");
        others().await;
        assert_eq!((task(lost.id()).wakers, task(waits.id()).wakers), (Some(0), Some(1)));
        drop(tx);
        others().await;
        assert_eq!(task(waits.id()).wakers, Some(0));
        let (abort, sleeps) = (lost.abort_handle(), tokio::spawn(sleep_long()));
        others().await;
        assert!(task(lost.id()).wakers <= Some(1) && task(sleeps.id()).wakers == Some(1));
        abort.abort();
        waits.abort();
        sleeps.abort();
    });
}

async fn sleep_long() {
    tokio::time::sleep(std::time::Duration::from_secs(1000)).await;
}

#[test]
fn both_arms_of_a_select_are_waited_for_and_neither_afterwards() {
    run(async {
        let (lock, (tx, mut rx)) = (std::sync::Arc::new(Mutex::new(())), mpsc::unbounded_channel());
        let held = std::sync::Arc::clone(&lock).lock_owned().await;
        let waiter = tokio::spawn(async move {
            tokio::select! {
                _guard = lock.lock() => unreachable!("it is held"),
                message = rx.recv() => assert_eq!(message, Some(1)),
            }
            pending::<()>().await;
        });
        others().await;
        let mut kinds: Vec<_> = waits(waiter.id()).iter().map(|wait| wait.kind).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, [WaitKind::Lock as u8, WaitKind::ChannelRecv as u8]);
        tx.send(1).unwrap();
        others().await;
        assert!(waits(waiter.id()).is_empty());
        waiter.abort();
        drop(held);
    });
}

#[test]
fn a_task_that_yields_is_woken_once_for_each_time_and_by_itself() {
    run(async {
        let yielding = spawn_here(async {
            for _ in 0..5 {
                task::yield_now().await;
            }
            std::future::pending::<()>().await;
        });
        for _ in 0..8 {
            others().await;
        }
        let reading = task(yielding.id());
        assert_eq!((reading.polls, reading.wakes, reading.self_wakes, reading.woken_at), (6, 5, 5, 0));
        assert!(reading.sched_total > 0, "it waited for the worker after each of them");
        yielding.abort();
    });
}

#[test]
fn wakes_are_counted_and_those_by_itself_apart() {
    run(async {
        let notify = std::sync::Arc::new(Notify::new());
        let woken = spawn_here({
            let notify = std::sync::Arc::clone(&notify);
            async move {
                for _ in 0..3 {
                    notify.notified().await;
                }
                std::future::poll_fn(|cx| {
                    cx.waker().wake_by_ref();
                    Poll::<()>::Pending
                })
                .await;
            }
        });
        others().await;
        for _ in 0..3 {
            notify.notify_one();
            assert_ne!(task(woken.id()).woken_at, 0, "woken, and not polled yet");
            others().await;
        }
        let reading = task(woken.id());
        assert_eq!(reading.wakes - reading.self_wakes, 3);
        assert!(reading.self_wakes > 0 && reading.polls == 1 + reading.wakes - u64::from(reading.woken_at != 0));
        assert!(reading.sched_total > 0);
        woken.abort();
    });
}

#[test]
fn polls_that_come_late_after_a_wake_are_counted_by_how_late() {
    run(async {
        let notify = std::sync::Arc::new(Notify::new());
        let woken = spawn_here({
            let notify = std::sync::Arc::clone(&notify);
            async move {
                loop {
                    notify.notified().await;
                }
            }
        });
        others().await;
        // On a full machine this thread may lose its CPU between a wake and the poll.
        let slot = recorder().task(task(woken.id()).id).unwrap();
        let mut in_time = [0; _];
        for _ in 0..1000 {
            notify.notify_one();
            others().await;
            in_time = slot.sched_counts().unwrap();
            if in_time[4] > 0 {
                break;
            }
        }
        assert!(in_time[4] > 0, "{in_time:?}");
        notify.notify_one();
        std::thread::sleep(Duration::from_millis(9));
        others().await;
        let late = slot.sched_counts().unwrap();
        assert_eq!(late[..8], in_time[..8]);
        let very = |counts: &[u32]| counts[8..].iter().sum::<u32>();
        assert_eq!(very(&late), very(&in_time) + 1, "8.2 ms or longer: {late:?}");
        assert_eq!(slot.poll_counts().unwrap().iter().sum::<u32>(), late.iter().sum::<u32>());
        assert!(task(woken.id()).sched_p99.unwrap() >= 8);
        woken.abort();
    });
}

#[test]
fn tasks_of_every_kind_say_what_they_are() {
    recorder();
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    let (at, set) = (here(), LocalSet::new());
    runtime.block_on(set.run_until(async {
        let local = spawn_local(pending::<()>());
        assert_eq!(task(local.id()).kind, TaskKind::Local as u8);
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let blocking = spawn_blocking(move || wait.recv().is_ok());
        let never = spawn_blocking(|| 'n');
        let (id, site) = (never.id(), task(never.id()).site);
        assert_eq!((task(blocking.id()).kind, task(id).kind), (TaskKind::Blocking as u8, TaskKind::Blocking as u8));
        never.abort();
        release.send(()).unwrap();
        assert!(blocking.await.unwrap() && never.await.unwrap_err().is_cancelled());
        assert_eq!((site.total(Total::Finished), site.total(Total::Aborted)), (1, 1), "it never ran");
    }));
    let root = spawn_site((at.0, at.1 + 1));
    assert_eq!(counts(root, [Total::Spawned, Total::Finished, Total::HandlesDropped]), [1, 1, 0]);
}

#[test]
fn a_long_poll_within_another_is_the_inner_ones_alone_and_one_that_panics_is_none() {
    recorder();
    let runtime = Builder::new_current_thread().build().unwrap();
    let set = LocalSet::new();
    let at = here();
    let (inner, panics) = runtime.block_on(set.run_until(async {
        let computes = spawn_local(async { std::thread::sleep(Duration::from_millis(30)) });
        let inner = task(computes.id()).site;
        computes.await.unwrap();
        let panics = spawn_local(async {
            std::thread::sleep(Duration::from_millis(30));
            panic!("after long")
        });
        let site = task(panics.id()).site;
        assert!(error(panics.await).is_panic());
        (inner, site)
    }));
    let outer = spawn_site((at.0, at.1 + 1));
    assert_eq!([inner, outer, panics].map(|site| count(&site.slow_polls)), [1, 0, 0]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_poll_that_waits_for_pages_from_disk_is_not_blamed_for_it_and_the_next_is_for_what_it_does() {
    const WAITS: Duration = Duration::from_millis(30);
    let Some(file) = paging::tests::OnDisk::new("polled", 1 << 14) else { return };
    let cpu = || Duration::from_nanos(clock::thread_cpu_ns());
    run(async {
        let reads = tokio::spawn(async move {
            let (began, before) = (Instant::now(), cpu());
            let waited = || began.elapsed().saturating_sub(cpu().saturating_sub(before));
            file.read_while(|| waited() < WAITS);
            assert!(waited() >= WAITS, "this disk has all pages at once: {:?}", waited());
            began.elapsed()
        });
        let site = task(reads.id()).site;
        let took = reads.await.unwrap();
        let blamed = Duration::from_nanos(clock::duration_ns(count(&site.max_poll)));
        // How long it had a CPU, the system tells to a few milliseconds.
        assert!(blamed + WAITS / 2 < took, "{blamed:?} of {took:?}");

        // One that had a page of the program's own to wait for is excused too.
        for _ in 0..3 {
            let sleeps = tokio::spawn(async move { std::thread::sleep(WAITS) });
            let site = task(sleeps.id()).site;
            sleeps.await.unwrap();
            if count(&site.slow_polls) > 0 {
                return;
            }
        }
        panic!("none of three that slept is told as long");
    });
}

#[test]
fn a_block_on_within_a_task_panics_where_the_task_called_it() {
    run(async {
        let at = here();
        let nested = spawn_here(async {
            Builder::new_current_thread().build().unwrap().block_on(async {});
        });
        let id = peek::task_id(nested.id());
        assert!(error(nested.await).is_panic());
        let record = recorder().panics.after(0).into_iter().find(|panic| panic.task == id).unwrap();
        assert_eq!((&*record.file, record.line), (at.0, at.1 + 2));
    });
}

#[test]
fn the_panic_of_a_root_is_seen_by_its_caller() {
    recorder();
    let runtime = Builder::new_current_thread().build().unwrap();
    let (at, root) = (here(), async { panic!("out of the root") });
    let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        runtime.block_on::<_>(root);
    }));
    assert!(caught.is_err());
    assert_eq!(lost!(spawn_site((at.0, at.1 + 2))), [0, 0, 1, 0, 0]);
}

#[test]
fn a_wait_outside_of_any_task_is_nobodys() {
    run(async {
        let target = spawn_here(pending::<u64>());
        let mut target = pin!(target);
        assert!(poll_once(target.as_mut()).is_pending());
        target.abort();
    });
}

#[test]
fn a_task_that_blocks_in_place_runs_and_blocks_no_worker() {
    recorder();
    let long = std::time::Duration::from_millis(200);
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let polls_of = |id: u64| {
        let workers = recorder().workers.all().filter_map(|(_, slot)| slot.read());
        workers.filter(|worker| worker.poll.is_some_and(|poll| poll.task_id == id)).count()
    };
    runtime.block_on(async {
        let blocked = tokio::spawn(async move {
            let id = peek::task_id(task::id());
            task::yield_now().await;
            assert_eq!(polls_of(id), 1);
            let inside = tokio::task::block_in_place(|| {
                std::thread::sleep(long);
                // What runs inside is a poll of its own.
                tokio::runtime::Handle::current().block_on(async {
                    tokio::task::yield_now().await;
                    assert_eq!(polls_of(id), 0);
                });
                let task = recorder().tasks.all().filter_map(|(_, slot)| slot.read()).find(|task| task.id == id);
                (polls_of(id), task.map(|task| task.stage))
            });
            assert_eq!(inside, (0, Some(Stage::InPlace as u8)));
            assert_eq!(polls_of(id), 1);
            task::yield_now().await;
            let task = recorder().tasks.all().filter_map(|(_, slot)| slot.read()).find(|task| task.id == id).unwrap();
            assert_eq!(task.stage, Stage::Alive as u8);
            let busy = std::time::Duration::from_nanos(crate::recorder::clock::duration_ns(task.busy));
            assert!(busy < long, "{busy:?}");
        });
        blocked.await.unwrap();
    });
}

#[test]
fn a_thread_of_the_pool_that_gets_a_workers_loop_is_a_worker_from_then_on() {
    use crate::recorder::thread::WorkerKind;
    let kind = || {
        let here = peek::thread_id(std::thread::current().id());
        let this = recorder().workers.all().filter_map(|(_, slot)| slot.read()).find(|worker| worker.thread == here);
        this.map(|worker| worker.kind)
    };
    let this = move || (std::thread::current().id(), kind());
    crate::testing::runtime("handed-over", 1).block_on(async {
        // Which thread gets the loop is tokio's to say: one that has just had a job may be busy still.
        for _ in 0..100 {
            let pooled = spawn_blocking(this).await.unwrap();
            if pooled.1 == Some(WorkerKind::Worker as u8) {
                // It had the loop in a round before, and gave it back.
                continue;
            }
            assert_eq!(pooled.1, Some(WorkerKind::Blocking as u8));
            crate::testing::pause(5).await;
            let (handed_over, on) = std::sync::mpsc::channel();
            let blocks = tokio::spawn(async move {
                tokio::task::block_in_place(|| on.recv().unwrap());
            });
            let of_loop = tokio::spawn(async move {
                // By the last of these its thread has been parked.
                for _ in 0..3 {
                    crate::testing::pause(5).await;
                }
                this()
            });
            let of_loop = of_loop.await.unwrap();
            assert_eq!(of_loop.1, Some(WorkerKind::Worker as u8));
            handed_over.send(()).unwrap();
            blocks.await.unwrap();
            if of_loop.0 == pooled.0 {
                return;
            }
        }
        panic!("no thread of the pool ever got the loop");
    });
}

#[test]
fn a_job_of_a_pool_that_never_becomes_a_task_has_ended() {
    recorder();
    let pool = crate::tokio_util::task::LocalPoolHandle::new(1);
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let blocks = pool.spawn_pinned(move || {
        gone.recv().unwrap();
        async {}
    });
    #[rustfmt::skip]
    let (unrun, at) = (pool.spawn_pinned(|| async {}), here());
    #[rustfmt::skip]
    let (panics, at_panic) = (pool.spawn_pinned(|| -> std::future::Ready<()> { panic!("on purpose") }), here());
    unrun.abort();
    go.send(()).unwrap();
    run(async {
        blocks.await.unwrap();
        assert!(error(unrun.await).is_cancelled());
        assert!(error(panics.await).is_panic());
    });
    let ended = |at| counts(spawn_site(at), [Total::Spawned, Total::Finished, Total::Aborted, Total::Panics]);
    assert_eq!((ended(at), ended(at_panic)), ([1, 1, 1, 0], [1, 1, 0, 1]));
}
