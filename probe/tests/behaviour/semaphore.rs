use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use async_inspect_probe::tokio::{
    self,
    sync::{Semaphore, TryAcquireError},
};

use super::{others, poll_once, run, run_on_threads};

#[test]
fn no_more_hold_permits_than_there_are() {
    run_on_threads(async {
        let (permits, inside) = (Arc::new(Semaphore::new(3)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..12)
            .map(|_| {
                let (permits, inside) = (Arc::clone(&permits), Arc::clone(&inside));
                tokio::spawn(async move {
                    for _ in 0..50 {
                        let permit = permits.acquire().await.unwrap();
                        assert!(inside.fetch_add(1, SeqCst) < 3);
                        tokio::task::yield_now().await;
                        inside.fetch_sub(1, SeqCst);
                        drop(permit);
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(permits.available_permits(), 3);
    });
}

#[test]
fn those_who_wait_are_served_in_order_even_for_many() {
    run(async {
        let permits = Semaphore::new(3);
        let held = permits.acquire_many(2).await.unwrap();
        let mut many = pin!(permits.acquire_many(3));
        assert!(poll_once(many.as_mut()).is_pending());
        let mut one = pin!(permits.acquire());
        assert!(poll_once(one.as_mut()).is_pending(), "the one permit that is left is the first waiter's");
        assert_eq!(permits.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
        drop(held);
        let many = many.await.unwrap();
        assert_eq!(many.num_permits(), 3);
        assert!(poll_once(one.as_mut()).is_pending());
        drop(many);
        drop(one.await.unwrap());
    });
}

#[test]
fn a_waiter_that_gives_up_hands_on_what_it_had() {
    run(async {
        let permits = Semaphore::new(0);
        let mut many = Box::pin(permits.acquire_many(2));
        let mut one = pin!(permits.acquire());
        assert!(poll_once(many.as_mut()).is_pending() && poll_once(one.as_mut()).is_pending());
        permits.add_permits(1);
        drop(many);
        one.await.unwrap().forget();
        assert_eq!(permits.available_permits(), 0);
    });
}

#[test]
fn closing_wakes_those_who_wait() {
    run(async {
        let permits = Arc::new(Semaphore::new(1));
        let held = permits.acquire().await.unwrap();
        let waiting = tokio::spawn({
            let permits = Arc::clone(&permits);
            async move { permits.acquire_owned().await.map(|permit| permit.num_permits()) }
        });
        others().await;
        permits.close();
        assert!(permits.is_closed());
        assert_eq!(waiting.await.unwrap().unwrap_err().to_string(), "semaphore closed");
        assert_eq!(permits.try_acquire().unwrap_err(), TryAcquireError::Closed);
        assert!(permits.acquire_many(1).await.is_err());
        drop(held);
        assert_eq!(permits.available_permits(), 1);
    });
}

#[test]
fn permits_are_split_merged_and_forgotten() {
    run(async {
        let permits = Arc::new(Semaphore::new(10));
        let mut five = permits.acquire_many(5).await.unwrap();
        let two = five.split(2).unwrap();
        assert!(five.split(4).is_none());
        assert_eq!((five.num_permits(), two.num_permits()), (3, 2));
        drop(two);
        assert_eq!(permits.available_permits(), 7);
        five.merge(permits.try_acquire_many(4).unwrap());
        assert_eq!((five.num_permits(), permits.available_permits()), (7, 3));
        assert!(std::ptr::eq(five.semaphore(), &raw const *permits));
        five.forget();
        assert_eq!(permits.available_permits(), 3);
        assert_eq!(permits.forget_permits(5), 3);
        permits.add_permits(2);

        let mut owned = Arc::clone(&permits).try_acquire_many_owned(2).unwrap();
        let one = owned.split(1).unwrap();
        assert!(Arc::ptr_eq(one.semaphore(), &permits));
        owned.merge(one);
        assert_eq!(owned.num_permits(), 2);
        drop(owned);
        drop(Arc::clone(&permits).acquire_owned().await.unwrap());
        drop(Arc::clone(&permits).acquire_many_owned(2).await.unwrap());
        drop(Arc::clone(&permits).try_acquire_owned().unwrap());
        assert_eq!(permits.available_permits(), 2);
    });
}

#[test]
#[should_panic(expected = "merging permits from different semaphore instances")]
fn permits_of_two_semaphores_are_not_merged() {
    run(async {
        let (a, b) = (Semaphore::new(1), Semaphore::new(1));
        let mut permit = a.try_acquire().unwrap();
        permit.merge(b.try_acquire().unwrap());
    });
}

#[test]
fn an_owned_permit_keeps_its_semaphore_alive() {
    run(async {
        let permits = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&permits).acquire_owned().await.unwrap();
        drop(permits);
        assert_eq!(permit.semaphore().available_permits(), 0);
    });
}

#[test]
fn threads_block_for_a_permit() {
    run_on_threads(async {
        let permits = Arc::new(Semaphore::new(1));
        let held = permits.acquire().await.unwrap();
        let blocked = tokio::task::spawn_blocking({
            let permits = Arc::clone(&permits);
            move || {
                let many = permits.blocking_acquire_many(1).unwrap().num_permits();
                many + permits.blocking_acquire_owned().unwrap().num_permits()
            }
        });
        others().await;
        drop(held);
        assert_eq!(blocked.await.unwrap(), 2);
    });
}

#[test]
fn a_task_that_always_finds_one_lets_others_run_when_tokio_would() {
    macro_rules! turns {
        ($permits:expr) => {{
            let (permits, ran) = ($permits, Arc::new(AtomicUsize::new(0)));
            tokio::spawn({
                let ran = Arc::clone(&ran);
                async move { ran.fetch_add(1, SeqCst) }
            });
            let mut turns = 0;
            while ran.load(SeqCst) == 0 {
                drop(permits.acquire().await.unwrap());
                turns += 1;
            }
            turns
        }};
    }
    // Each with a budget of its own.
    let ours = run(async { turns!(Semaphore::new(1)) });
    let tokios = run(async { turns!(tokio::raw::sync::Semaphore::new(1)) });
    assert_eq!(ours, tokios);
}

#[test]
fn it_becomes_tokios_and_prints_as_such() {
    run(async {
        let permits = Semaphore::from(tokio::raw::sync::Semaphore::new(2));
        assert_eq!(format!("{permits:?}"), format!("{:?}", tokio::raw::sync::Semaphore::new(2)));
        drop(permits.acquire().await.unwrap());
        let raw: tokio::raw::sync::Semaphore = permits.into();
        assert_eq!(raw.available_permits(), 2);
        assert_eq!(Semaphore::MAX_PERMITS, tokio::raw::sync::Semaphore::MAX_PERMITS);
    });
}

#[test]
#[cfg(target_pointer_width = "64")]
fn more_permits_than_are_acquired_at_a_time_can_be_merged_and_split() {
    crate::start();
    let semaphore = Semaphore::new(6_000_000_000);
    let mut permit = semaphore.try_acquire_many(3_000_000_000).unwrap();
    permit.merge(semaphore.try_acquire_many(3_000_000_000).unwrap());
    assert_eq!((permit.num_permits(), semaphore.available_permits()), (6_000_000_000, 0));
    let most = permit.split(5_000_000_000).unwrap();
    assert_eq!((permit.num_permits(), most.num_permits()), (1_000_000_000, 5_000_000_000));
    drop(most);
    assert_eq!(semaphore.available_permits(), 5_000_000_000);
    drop(permit);
    assert_eq!(semaphore.available_permits(), 6_000_000_000);
}
