//! Tasks that a library spawns with a tokio of its own, here `::tokio`.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    recorder::{
        clock,
        thread::{WorkerKind, WorkerReading},
    },
    testing::{pause, runtime, wait_for, workers},
    tokio::sync::{Mutex, RwLock},
};

#[test]
fn every_worker_is_known_from_its_first_park() {
    let runtime = runtime("parks-at-once", 3);
    wait_for(|| workers("parks-at-once").len() == 3);
    drop(runtime);
    wait_for(|| workers("parks-at-once").is_empty());
}

#[test]
fn a_worker_that_runs_what_nobody_watches_is_awake_for_as_long() {
    let runtime = runtime("awake", 1);
    wait_for(|| workers("awake").len() == 1);
    let before = workers("awake")[0].clone();
    let spin = || {
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(20) {}
    };
    for _ in 0..3 {
        runtime.block_on(async { ::tokio::spawn(async move { spin() }).await.unwrap() });
    }
    wait_for(|| clock::duration_ns(workers("awake")[0].awake - before.awake) >= 59_000_000);
    // While it is parked, the time stands still.
    wait_for(|| {
        let parked = workers("awake")[0].clone();
        std::thread::sleep(Duration::from_millis(20));
        let later = workers("awake")[0].clone();
        parked.unparked_at == 0 && (later.parks, later.awake) == (parked.parks, parked.awake)
    });
}

#[test]
fn a_thread_that_the_loop_has_left_is_not_awake() {
    recorder();
    let name = "no-loop";
    let ((left, has_left), (go, gone)) = (std::sync::mpsc::channel(), std::sync::mpsc::channel::<()>());
    let thread = std::thread::Builder::new().name(name.into()).spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { pause(10).await });
        left.send(()).unwrap();
        gone.recv().unwrap();
    });
    has_left.recv().unwrap();
    let before = workers(name)[0].clone();
    assert!(before.parks > 0 && before.awake > 0 && before.unparked_at == 0);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(workers(name)[0].awake, before.awake);
    go.send(()).unwrap();
    thread.unwrap().join().unwrap();
}

#[test]
fn a_lock_names_the_librarys_task_that_holds_it_and_says_that_it_was_suspended() {
    let runtime = runtime("library-holds", 1);
    #[rustfmt::skip]
    let (m, made) = (Arc::new(Mutex::new(0)), here());
    let rw_made = here();
    let rw = Arc::new(RwLock::new(0));
    wait_for(|| workers("library-holds").len() == 1);
    let (seen, was_seen) = ::tokio::sync::oneshot::channel();
    runtime.block_on(async {
        // A lock is known from its first use on.
        drop((m.lock().await, rw.write().await));
        let task = ::tokio::spawn({
            let (m, rw) = (Arc::clone(&m), Arc::clone(&rw));
            async move {
                for _ in 0..100 {
                    *m.lock().await += 1;
                    *rw.write().await += 1;
                }
                let _guard = m.lock().await;
                let _written = rw.write().await;
                was_seen.await.unwrap();
            }
        });
        let id = peek::task_id(task.id());
        // The last hold, in which the worker is parked: before that the task may be in any of the short ones.
        let waits = move || {
            let held = lock(made);
            let is_parked = |worker: &WorkerReading| worker.kind != WorkerKind::Worker as u8 || worker.unparked_at == 0;
            (held.holder, held.acquires) == (id, 102) && workers("library-holds").iter().all(is_parked)
        };
        ::tokio::task::spawn_blocking(move || wait_for(waits)).await.unwrap();
        assert_eq!(lock(made).suspended_holds, 0, "those before came to no await while they held");
        seen.send(()).unwrap();
        task.await.unwrap();
    });
    let free = lock(made);
    assert_eq!((free.holder, free.acquires, free.suspended_holds), (0, 102, 1));
    let free = lock((rw_made.0, rw_made.1 + 1));
    assert_eq!((free.acquires, free.suspended_holds), (102, 1));
}

/// What is known of a task that nobody watches is known by its id.
#[cfg(not(tokio_unstable))]
mod unhooked {
    use super::*;
    use crate::{
        recorder::{task::TaskKind, wait::WaitKind},
        tokio::sync::{Semaphore, mpsc},
    };

    #[test]
    fn the_waits_of_a_librarys_task_are_known_while_they_last() {
        run(async {
            #[rustfmt::skip]
            let (m, made) = (Arc::new(Mutex::new(0)), here());
            let guard = m.lock().await;
            let (tx, mut rx) = mpsc::unbounded_channel::<()>();
            let waiting = {
                let m = Arc::clone(&m);
                ::tokio::spawn(async move {
                    #[rustfmt::skip]
                    let ((), line) = (drop(m.lock().await), here());
                    rx.recv().await;
                    line
                })
            };
            let id = waiting.id();
            assert!(find_task(id).is_none());
            others().await;
            let seen = task(id);
            assert_eq!((seen.kind, seen.site.info.kind), (TaskKind::Unwatched as u8, SiteKind::Wait));
            assert_eq!(seen.site.total(Total::Spawned), 0, "it was not spawned there, and nothing tells of its end");
            let on_lock = waits(id);
            assert_eq!(
                on_lock.iter().map(|wait| (wait.kind, wait.on)).collect::<Vec<_>>(),
                [(WaitKind::Lock as u8, lock(made).id)]
            );
            drop(guard);
            others().await;
            let on_channel = waits(id);
            assert_eq!(on_channel.iter().map(|wait| wait.kind).collect::<Vec<_>>(), [WaitKind::ChannelRecv as u8]);
            drop(tx);
            assert_eq!(waiting.await.unwrap(), place(on_lock[0].site.unwrap()));
            assert!(find_task(id).is_none(), "it waits for nothing any more");
        });
    }

    #[test]
    fn a_librarys_task_that_waits_for_two_things_is_one_task() {
        run(async {
            let (m, s) = (Arc::new(Mutex::new(0)), Arc::new(Semaphore::new(0)));
            let guard = m.lock().await;
            let both = {
                let (m, s) = (Arc::clone(&m), Arc::clone(&s));
                ::tokio::spawn(async move {
                    let _ = ::tokio::join!(m.lock(), s.acquire());
                })
            };
            let id = both.id();
            others().await;
            let slots = || recorder().tasks.all().filter_map(|(_, slot)| slot.read());
            assert_eq!(slots().filter(|task| task.id == peek::task_id(id)).count(), 1);
            assert_eq!(waits(id).len(), 2);
            drop(guard);
            others().await;
            assert_eq!(waits(id).len(), 1);
            both.abort();
            assert!(both.await.unwrap_err().is_cancelled());
            assert!(find_task(id).is_none());
        });
    }

    #[test]
    fn many_librarys_tasks_that_wait_at_once_leave_nothing_behind() {
        let runtime = runtime("library-waits", 4);
        let m = Arc::new(Mutex::new(0_u64));
        let ids = runtime.block_on(async {
            let tasks: Vec<_> = (0..64)
                .map(|_| {
                    let m = Arc::clone(&m);
                    ::tokio::spawn(async move {
                        for _ in 0..200 {
                            let mut n = m.lock().await;
                            *n += 1;
                            ::tokio::task::yield_now().await;
                        }
                    })
                })
                .collect();
            let ids: Vec<_> = tasks.iter().map(::tokio::task::JoinHandle::id).collect();
            for task in tasks {
                task.await.unwrap();
            }
            ids
        });
        drop(runtime);
        assert_eq!(*m.try_lock().unwrap(), 64 * 200);
        assert!(ids.into_iter().all(|id| find_task(id).is_none()));
    }
}

/// What the hooks tell.
#[cfg(tokio_unstable)]
mod hooked {
    use std::time::Duration;

    use super::*;
    use crate::{
        recorder::{
            task::{Stage, TaskKind},
            thread,
        },
        tokio as drop_in,
    };

    #[test]
    fn a_librarys_task_is_known_with_its_place_its_polls_and_its_time() {
        run(async {
            let (seen, was_seen) = ::tokio::sync::oneshot::channel();
            let at = here();
            let handle = ::tokio::spawn(async {
                std::thread::sleep(Duration::from_millis(20));
                ::tokio::task::yield_now().await;
                let polls = task(::tokio::task::id()).polls;
                assert_eq!(thread::current_task_id(), peek::task_id(::tokio::task::id()));
                was_seen.await.unwrap();
                polls
            });
            let new = task(handle.id());
            assert_eq!(place(new.site.info.location), (at.0, at.1 + 1));
            assert_eq!((new.kind, new.stage, new.polls), (TaskKind::Async as u8, Stage::New as u8, 0));
            assert_eq!(new.parent, thread::current_task_id());
            others().await;
            let idle = task(handle.id());
            assert_eq!((idle.stage, idle.polls), (Stage::Alive as u8, 2));
            assert!(crate::recorder::clock::duration_ns(idle.max_poll) >= 20_000_000);
            let id = handle.id();
            seen.send(()).unwrap();
            assert_eq!(handle.await.unwrap(), 1);
            assert!(find_task(id).is_none(), "its slot is free");
            let site = spawn_site((at.0, at.1 + 1));
            assert_eq!(counts(site, [Total::Spawned, Total::Finished, Total::Aborted, Total::Shed]), [1, 1, 0, 0]);
            assert_eq!(site.total(Total::FinishedPolls), 3);
            assert_eq!(count(&site.slow_polls), 1);
        });
    }

    #[test]
    fn a_task_of_the_drop_ins_is_recorded_once() {
        run(async {
            let at = here();
            let handle = drop_in::spawn(async {
                for _ in 0..4 {
                    ::tokio::task::yield_now().await;
                }
            });
            let mut set = drop_in::task::JoinSet::new();
            let in_set = set.spawn(async { ::tokio::task::yield_now().await });
            others().await;
            assert_eq!((task(handle.id()).polls, task(in_set.id()).polls), (5, 2));
            for id in [handle.id(), in_set.id()].map(peek::task_id) {
                assert_eq!(recorder().tasks.all().filter(|(_, slot)| slot.id() == id).count(), 1);
            }
            // What a library spawns next is the library's.
            let theirs = ::tokio::spawn(async {});
            assert!(find_task(theirs.id()).is_some());
            handle.await.unwrap();
            assert_eq!(spawn_site((at.0, at.1 + 1)).total(Total::Spawned), 1);
        });
    }

    #[test]
    fn tasks_that_end_in_any_way_give_their_slots_back() {
        async fn work(n: u32) {
            match n % 4 {
                0 => {}
                1 => ::tokio::task::yield_now().await,
                2 => std::future::pending().await,
                _ => pause(1).await,
            }
        }
        let runtime = runtime("ends", 2);
        let mut at = here();
        runtime.block_on(async {
            at = here();
            let spawn = |n| ::tokio::spawn(work(n));
            for round in 0..200 {
                let tasks: Vec<_> = (0..100).map(|n| spawn(round * 100 + n)).collect();
                for (n, task) in tasks.into_iter().enumerate() {
                    if n % 4 == 2 {
                        task.abort();
                    }
                    assert_eq!(task.await.is_err(), n % 4 == 2);
                }
            }
            drop((0..1000).map(|_| spawn(2)).collect::<Vec<_>>());
        });
        drop(runtime);
        let site = spawn_site((at.0, at.1 + 1));
        assert_eq!(counts(site, [Total::Spawned, Total::Finished, Total::Shed]), [21_000, 21_000, 0]);
        let left = recorder().tasks.all().filter_map(|(_, slot)| slot.read()).filter(|t| std::ptr::eq(t.site, site));
        assert_eq!(left.count(), 0);
    }

    #[test]
    fn a_task_that_is_spawned_on_a_runtime_that_is_gone_leaves_nothing() {
        recorder();
        let runtime = Builder::new_current_thread().build().unwrap();
        let handle = ::tokio::runtime::Handle::from(runtime.handle().clone());
        drop(runtime);
        let at = here();
        let spawned = handle.spawn(async {});
        assert!(find_task(spawned.id()).is_none());
        let sites = recorder().sites.all().filter(|site| place(site.info.location) == (at.0, at.1 + 1));
        assert_eq!(sites.map(|site| site.total(Total::Spawned)).sum::<u64>(), 0);
    }

    #[test]
    fn polls_that_nest_are_each_their_own_tasks() {
        let runtime = runtime("nests", 2);
        runtime.block_on(async {
            let outer = ::tokio::spawn(async {
                let outer = thread::current_task_id();
                ::tokio::task::block_in_place(|| {
                    let inner = Builder::new_current_thread().build().unwrap();
                    inner.block_on(async {
                        let inner = ::tokio::spawn(async { thread::current_task_id() });
                        assert_eq!(peek::task_id(inner.id()), inner.await.unwrap());
                    });
                });
                assert_eq!(thread::current_task_id(), outer);
                outer
            });
            assert_eq!(peek::task_id(outer.id()), outer.await.unwrap());
        });
    }

    #[test]
    fn a_task_that_panics_ends_like_any_other() {
        run(async {
            let at = here();
            let handle = ::tokio::spawn(async { panic!("of a library's task") });
            let id = handle.id();
            error(handle.await);
            assert!(find_task(id).is_none());
            assert_eq!(spawn_site((at.0, at.1 + 1)).total(Total::Finished), 1);
            assert!(recorder().panics.after(0).iter().any(|panic| panic.task == peek::task_id(id)));
        });
    }
}
