use std::{
    pin::pin,
    sync::{Arc, mpsc::channel as std_channel},
};

use super::*;
use crate::{
    recorder::wait::WaitKind,
    tokio::{
        self,
        sync::{Mutex, MutexGuard, RwLock, watch},
    },
};

#[test]
fn a_lock_knows_its_holder_its_waiters_and_their_lines() {
    run(async {
        #[rustfmt::skip]
        let (m, made) = (Arc::new(Mutex::new(0)), here());
        let holder = tokio::spawn({
            let m = Arc::clone(&m);
            async move {
                #[rustfmt::skip]
                let (_guard, at) = (m.lock().await, here());
                assert_eq!(place(lock(made).holder_site.unwrap()), at);
                std::future::pending::<()>().await;
            }
        });
        others().await;
        let at = here();
        let waiter = tokio::spawn({
            let m = Arc::clone(&m);
            async move {
                *m.lock().await += 1;
            }
        });
        others().await;
        let held = lock(made);
        assert_eq!((held.holder, held.waiters, held.acquires), (peek::task_id(holder.id()), 1, 1));
        assert!(held.held_since > 0);
        let [wait] = waits(waiter.id())[..] else { panic!("one wait") };
        assert_eq!((wait.kind, wait.on, place(wait.site.unwrap())), (WaitKind::Lock as u8, held.id, (at.0, at.1 + 4)));

        holder.abort();
        waiter.await.unwrap();
        let free = lock(made);
        assert_eq!((free.holder, free.held_since, free.waiters), (0, 0, 0));
        assert_eq!((free.acquires, free.contended), (2, 1));
        assert!(free.wait_total > 0 && free.wait_max == free.wait_total);
        assert_eq!((free.wait_counts.iter().sum::<u32>(), free.hold_counts.iter().sum::<u32>()), (1, 2));
        assert_eq!(free.suspended_holds, 1, "the holder was suspended, the waiter was not");
    });
}

#[test]
fn a_hold_over_an_await_is_told_with_its_line_and_one_without_is_not() {
    run(async {
        #[rustfmt::skip]
        let (m, made) = (Mutex::new(0), here());
        *m.lock().await += 1;
        assert_eq!(lock(made).suspended_holds, 0);
        #[rustfmt::skip]
        let (guard, at) = (m.lock().await, here());
        let mut waiting = Box::pin(m.lock());
        assert!(poll_once(waiting.as_mut()).is_pending());
        others().await;
        drop(guard);
        let after = lock(made);
        assert_eq!((after.suspended_holds, after.last_suspended_waiters), (1, 1));
        assert_eq!(place(after.last_suspended_site.unwrap()), at);
        assert!(after.last_suspended > 0 && after.hold_max >= after.last_suspended && after.last_suspended_at > 0);
        assert_eq!(place(after.hold_max_site.unwrap()), at);
        drop(waiting);
        let after = lock(made);
        assert_eq!((after.waiters, after.contended, after.acquires), (0, 0, 2), "it gave up, and got nothing");
    });
}

#[test]
fn a_wait_that_is_dropped_is_over() {
    run(async {
        #[rustfmt::skip]
        let (m, made) = (Arc::new(Mutex::new(0)), here());
        let held = m.lock().await;
        let waiter = tokio::spawn({
            let m = Arc::clone(&m);
            async move {
                tokio::select! {
                    _ = m.lock() => unreachable!("it is held"),
                    // Long enough to be looked at by a thread that loses its CPU.
                    () = tokio::time::sleep(std::time::Duration::from_millis(250)) => {}
                }
                std::future::pending::<()>().await;
            }
        });
        others().await;
        assert_eq!((waits(waiter.id()).len(), lock(made).waiters), (2, 1));
        while lock(made).waiters > 0 {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        assert!(waits(waiter.id()).is_empty());
        drop(held);
        waiter.abort();
    });
}

#[test]
fn mapped_and_owned_guards_hold_as_long_as_they_live() {
    run(async {
        #[rustfmt::skip]
        let (m, made) = (Arc::new(Mutex::new((1, 2))), here());
        let mapped = MutexGuard::map(m.try_lock().unwrap(), |pair| &mut pair.0);
        assert_ne!(lock(made).held_since, 0);
        drop(mapped);
        assert_eq!(lock(made).held_since, 0);
        let owned = Arc::clone(&m).lock_owned().await;
        let owned = tokio::sync::OwnedMutexGuard::map(owned, |pair| &mut pair.1);
        assert_ne!(lock(made).held_since, 0);
        drop(owned);
        assert_eq!((lock(made).held_since, lock(made).acquires), (0, 2));
        let site = lock(made).site;
        assert!(site.info.type_name.contains("(i32, i32)"));
        drop(m);
        assert_eq!((site.total(Total::Spawned), site.total(Total::Finished)), (1, 1));
    });
}

#[test]
fn a_thread_that_blocks_for_it_is_a_waiter() {
    recorder();
    #[rustfmt::skip]
    let (m, made) = (Arc::new(Mutex::new(0)), here());
    let held = m.try_lock().unwrap();
    let (waiting, waits) = std_channel();
    let thread = std::thread::spawn({
        let m = Arc::clone(&m);
        move || {
            waiting.send(()).unwrap();
            *m.blocking_lock() += 1;
        }
    });
    waits.recv().unwrap();
    while lock(made).waiters == 0 {
        std::thread::yield_now();
    }
    drop(held);
    thread.join().unwrap();
    let after = lock(made);
    assert_eq!((after.waiters, after.contended, after.acquires, after.holder), (0, 1, 2, 0));
}

#[test]
fn a_refusal_to_block_leaves_no_waiter() {
    run(async {
        #[rustfmt::skip]
        let (m, made) = (Arc::new(Mutex::new(0)), here());
        let held = m.try_lock().unwrap();
        let other = Arc::clone(&m);
        let refused = tokio::spawn(async move { *other.blocking_lock() });
        assert!(refused.await.unwrap_err().is_panic());
        assert_eq!((lock(made).waiters, lock(made).contended), (0, 0));
        drop(held);
    });
}

#[test]
fn yielding_to_others_is_not_waiting_for_the_lock() {
    run(async {
        #[rustfmt::skip]
        let (m, made) = (Mutex::new(0), here());
        for _ in 0..1000 {
            *m.lock().await += 1;
        }
        let after = lock(made);
        assert_eq!((after.acquires, after.contended, after.wait_total), (1000, 0, 0));
    });
}

#[test]
fn a_constant_lock_is_known_by_where_it_stands() {
    static LOCK: Mutex<u8> = Mutex::const_new(0);
    const STANDS: u32 = line!() - 1;
    run(async {
        let waiting = pin!(LOCK.lock());
        drop(waiting.await);
        assert_eq!(lock((file!(), STANDS)).acquires, 1);
    });
}

#[test]
fn what_is_made_by_way_of_the_standard_library_goes_by_the_line_that_first_uses_it() {
    run(async {
        let (mutex, rw) = (Arc::<Mutex<u64>>::default(), Box::<RwLock<u64>>::default());
        let (sender, own) = (Arc::<watch::Sender<u64>>::default(), Mutex::<u64>::default());
        let at = here();
        let line = |n| (at.0, at.1 + n);
        drop(mutex.lock().await);
        drop(rw.read().await);
        assert!(sender.send(1).is_err());
        drop(own.lock().await);
        assert!(find_lock(line(2)).is_some() && find_lock(line(3)).is_some() && find_lock(line(5)).is_none());
        let channel = channel(line(4));
        assert_eq!((channel.unheard, channel.sent), (1, 0));
    });
}

#[test]
fn a_task_that_waits_for_very_many_does_not_say_that_its_list_is_whole_when_some_of_them_end() {
    run(async {
        let mutex = std::sync::Arc::new(Mutex::new(()));
        let guard = mutex.lock().await;
        let all = mutex.clone();
        let task = tokio::spawn(async move {
            let mut waits: Vec<_> = (0..200).map(|_| Box::pin(all.clone().lock_owned())).collect();
            std::future::poll_fn(|cx| {
                assert!(waits.iter_mut().all(|wait| wait.as_mut().poll(cx).is_pending()));
                Poll::Ready(())
            })
            .await;
            waits.truncate(50);
            std::future::pending::<()>().await;
        });
        others().await;
        assert!(self::task(task.id()).more_waits, "48 of them are not listed");
        drop(guard);
        task.abort();
    });
}

#[test]
fn a_wait_goes_with_its_future_to_another_task() {
    run(async {
        let m = Arc::new(Mutex::new(0));
        let guard = m.lock().await;
        let mut acquires = Box::pin(Arc::clone(&m).lock_owned());
        let unwatched = Arc::new(tokio::raw::sync::Notify::new());
        let (give, take) = tokio::raw::sync::oneshot::channel();
        let idles = Arc::clone(&unwatched);
        let began = tokio::spawn(async move {
            assert!(poll_once(acquires.as_mut()).is_pending());
            assert!(give.send(acquires).is_ok());
            idles.notified().await;
        });
        let goes_on = tokio::spawn(async move {
            let acquires = take.await.unwrap();
            *acquires.await += 1;
        });
        others().await;
        assert!(waits(began.id()).is_empty(), "{:?}", waits(began.id()));
        let [wait] = waits(goes_on.id())[..] else { panic!("one wait") };
        assert_eq!(wait.kind, WaitKind::Lock as u8);
        drop(guard);
        goes_on.await.unwrap();
        unwatched.notify_one();
        began.await.unwrap();
    });
}
