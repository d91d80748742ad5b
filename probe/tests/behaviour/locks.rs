use std::{
    fmt::Display,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use async_inspect_probe::tokio::{
    self,
    sync::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard},
};

use super::{others, poll_once, run, run_on_threads};

#[test]
fn one_holds_it_at_a_time() {
    run_on_threads(async {
        let count = Arc::new(Mutex::new(0_u64));
        let tasks: Vec<_> = (0..8)
            .map(|_| {
                let count = Arc::clone(&count);
                tokio::spawn(async move {
                    for i in 0..500 {
                        let mut count = count.lock().await;
                        let before = *count;
                        if i % 50 == 0 {
                            tokio::task::yield_now().await;
                        }
                        *count = before + 1;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*count.lock().await, 8 * 500);
    });
}

#[test]
fn waiters_get_it_in_the_order_in_which_they_came() {
    run(async {
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut held = order.lock().await;
        let tasks: Vec<_> = (0..6)
            .map(|n| {
                let order = Arc::clone(&order);
                tokio::spawn(async move { order.lock_owned().await.push(n) })
            })
            .collect();
        others().await;
        held.push(100);
        drop(held);
        assert!(order.try_lock().is_err(), "it was handed to the first waiter, nobody overtakes");
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*order.lock().await, [100, 0, 1, 2, 3, 4, 5]);
    });
}

#[test]
fn a_waiter_that_gives_up_leaves_the_queue() {
    run(async {
        let lock = Mutex::new(());
        let held = lock.lock().await;
        let mut first = Box::pin(lock.lock());
        let mut second = pin!(lock.lock());
        assert!(poll_once(first.as_mut()).is_pending());
        assert!(poll_once(second.as_mut()).is_pending());
        drop(first);
        drop(held);
        let guard = second.await;
        drop(guard);
        assert!(lock.try_lock().is_ok());
    });
}

#[test]
fn a_waiter_that_gives_up_after_it_was_handed_the_lock_hands_it_on() {
    run(async {
        let lock = Mutex::new(());
        let held = lock.lock().await;
        let mut first = Box::pin(lock.lock());
        let mut second = pin!(lock.lock());
        assert!(poll_once(first.as_mut()).is_pending());
        assert!(poll_once(second.as_mut()).is_pending());
        drop(held);
        drop(first);
        assert!(poll_once(second.as_mut()).is_ready());
    });
}

#[test]
fn an_await_does_nothing_before_it_is_polled() {
    run(async {
        let lock = Mutex::new(());
        let waiting = lock.lock();
        assert!(lock.try_lock().is_ok());
        drop(waiting);
    });
}

#[test]
fn a_task_that_always_finds_it_free_still_lets_others_run() {
    run(async {
        let stop = Arc::new(AtomicBool::new(false));
        let greedy = tokio::spawn({
            let stop = Arc::clone(&stop);
            async move {
                let lock = Mutex::new(());
                for _ in 0..100_000 {
                    drop(lock.lock().await);
                    if stop.load(Relaxed) {
                        return true;
                    }
                }
                false
            }
        });
        tokio::spawn(async move { stop.store(true, Relaxed) });
        assert!(greedy.await.unwrap());
    });
}

#[test]
fn try_lock_says_so_when_it_is_held() {
    crate::start();
    let lock = Arc::new(Mutex::new(1));
    let guard = lock.try_lock().unwrap();
    assert_eq!(lock.try_lock().unwrap_err().to_string(), "operation would block");
    assert!(Arc::clone(&lock).try_lock_owned().is_err());
    drop(guard);
    assert_eq!(*Arc::clone(&lock).try_lock_owned().unwrap(), 1);
}

#[test]
fn it_prints_as_tokios_does() {
    crate::start();
    let (ours, tokios) = (Mutex::new("text"), tokio::raw::sync::Mutex::new("text"));
    assert_eq!(format!("{ours:?} {ours:#?}"), format!("{tokios:?} {tokios:#?}"));
    let (our_guard, tokios_guard) = (ours.try_lock().unwrap(), tokios.try_lock().unwrap());
    assert_eq!(format!("{ours:?}"), format!("{tokios:?}"));
    assert_eq!(format!("{our_guard:?} {our_guard}"), format!("{tokios_guard:?} {tokios_guard}"));
}

#[test]
fn the_value_can_be_had_without_locking_by_its_owner() {
    crate::start();
    let mut lock = Mutex::<u32>::default();
    *lock.get_mut() += 5;
    assert_eq!(lock.into_inner(), 5);
    assert_eq!(*Mutex::from(7).try_lock().unwrap(), 7);
}

#[test]
fn a_guard_narrows_to_a_part_and_keeps_the_lock() {
    run(async {
        let lock = Mutex::new((1, String::from("a")));
        let guard = MutexGuard::map(lock.lock().await, |pair| pair);
        assert!(lock.try_lock().is_err());
        let mut guard = MappedMutexGuard::map(guard, |pair| &mut pair.1);
        guard.make_ascii_uppercase();
        assert_eq!(format!("{guard} {guard:?}"), "A \"A\"");
        let guard = MappedMutexGuard::try_map(guard, |_| None::<&mut u8>).unwrap_err();
        assert!(lock.try_lock().is_err());
        drop(guard);
        let guard = MutexGuard::try_map(lock.lock().await, |_| None::<&mut u8>).unwrap_err();
        assert_eq!(*guard, (1, String::from("A")));
        assert!(std::ptr::eq(MutexGuard::mutex(&guard), &raw const lock));
    });
}

#[test]
fn an_owned_guard_keeps_the_mutex_alive() {
    run(async {
        let lock = Arc::new(Mutex::new(vec![1, 2]));
        let weak = Arc::downgrade(&lock);
        let guard = lock.lock_owned().await;
        assert!(weak.upgrade().unwrap().try_lock().is_err());
        let guard = OwnedMutexGuard::try_map(guard, |_| None::<&mut i32>).unwrap_err();
        assert!(Arc::ptr_eq(OwnedMutexGuard::mutex(&guard), &weak.upgrade().unwrap()));
        let mut guard: OwnedMappedMutexGuard<Vec<i32>, i32> = OwnedMutexGuard::map(guard, |v| &mut v[1]);
        *guard += 10;
        let guard = OwnedMappedMutexGuard::map(guard, |n| n);
        assert_eq!(*guard, 12);
        assert!(weak.upgrade().unwrap().try_lock().is_err());
        drop(guard);
        assert!(weak.upgrade().is_none());
    });
}

#[test]
fn it_holds_what_has_no_size() {
    run(async {
        let lock: Arc<Mutex<dyn Display + Send>> = Arc::new(Mutex::new(42));
        assert_eq!(lock.lock().await.to_string(), "42");
        assert_eq!(Arc::clone(&lock).lock_owned().await.to_string(), "42");
        let slice: Box<Mutex<[u8]>> = Box::new(Mutex::new([1, 2, 3]));
        assert_eq!(slice.lock().await.len(), 3);
    });
}

#[test]
fn it_can_be_a_constant() {
    static COUNT: Mutex<u32> = Mutex::const_new(0);
    run(async {
        *COUNT.lock().await += 1;
        assert_eq!(*COUNT.lock().await, 1);
    });
}

#[test]
fn a_thread_may_block_for_it() {
    run_on_threads(async {
        let lock = Arc::new(Mutex::new(0));
        let held = Arc::clone(&lock).lock_owned().await;
        let threads = [Arc::clone(&lock), Arc::clone(&lock)].map(|lock| {
            std::thread::spawn(move || {
                *lock.blocking_lock() += 1;
                *lock.blocking_lock_owned() += 1;
            })
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
        drop(held);
        tokio::task::spawn_blocking(|| threads.map(|thread| thread.join().unwrap())).await.unwrap();
        assert_eq!(*lock.lock().await, 4);
    });
}

#[test]
fn a_task_may_not_block_for_it_even_when_it_is_free() {
    run(async {
        let lock = Arc::new(Mutex::new(0));
        let blocking = tokio::spawn({
            let lock = Arc::clone(&lock);
            async move { *lock.blocking_lock() }
        });
        let panic = blocking.await.unwrap_err().into_panic();
        assert!(panic.downcast_ref::<&str>().map_or_else(
            || panic.downcast_ref::<String>().unwrap().contains("Cannot block the current thread"),
            |text| text.contains("Cannot block the current thread"),
        ));
        assert!(lock.try_lock().is_ok());
    });
}

#[test]
fn select_drops_a_wait_and_keeps_a_hold() {
    run(async {
        let (one, two) = (Mutex::new(1), Mutex::new(2));
        let held = two.lock().await;
        let got = tokio::select! {
            guard = one.lock() => *guard,
            guard = two.lock() => *guard,
        };
        assert_eq!(got, 1);
        drop(held);
        assert!(one.try_lock().is_ok() && two.try_lock().is_ok());
    });
}

#[test]
fn it_turns_into_tokios() {
    run_on_threads(async {
        let mutex: tokio::raw::sync::Mutex<String> = Mutex::new("a".to_owned()).into();
        mutex.lock().await.push('b');
        assert_eq!(mutex.into_inner(), "ab");
    });
}

#[test]
fn a_barrier_turns_into_tokios() {
    run_on_threads(async {
        let barrier = tokio::raw::sync::Barrier::from(tokio::sync::Barrier::new(2));
        let (one, two) = tokio::join!(barrier.wait(), barrier.wait());
        assert!(one.is_leader() ^ two.is_leader());
    });
}
