use std::{pin::pin, sync::Arc};

use async_inspect_probe::tokio::{
    self,
    sync::{
        OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockMappedWriteGuard,
        RwLockReadGuard, RwLockWriteGuard,
    },
};

use super::{others, poll_once, run, run_on_threads};

#[test]
fn readers_share_and_a_writer_is_alone() {
    run(async {
        let lock = RwLock::new(1);
        let (a, b) = (lock.read().await, lock.read().await);
        assert_eq!(*a + *b, 2);
        assert!(lock.try_write().is_err());
        drop((a, b));
        let mut alone = lock.write().await;
        *alone += 1;
        assert!(lock.try_read().is_err() && lock.try_write().is_err());
        drop(alone);
        assert_eq!(*lock.read().await, 2);
        assert_eq!(lock.into_inner(), 2);
    });
}

#[test]
fn a_writer_that_waits_keeps_later_readers_out() {
    run(async {
        let lock = RwLock::new(());
        let first = lock.read().await;
        let mut writer = pin!(lock.write());
        assert!(poll_once(writer.as_mut()).is_pending());
        assert!(lock.try_read().is_err(), "tokio's lock prefers writers");
        let mut reader = pin!(lock.read());
        assert!(poll_once(reader.as_mut()).is_pending());
        drop(first);
        assert!(poll_once(reader.as_mut()).is_pending());
        drop(writer.await);
        drop(reader.await);
    });
}

#[test]
fn a_writer_that_gives_up_lets_readers_in() {
    run(async {
        let lock = RwLock::new(());
        let held = lock.read().await;
        let mut writer = Box::pin(lock.write());
        assert!(poll_once(writer.as_mut()).is_pending());
        drop(writer);
        drop(lock.try_read().unwrap());
        drop(held);
        assert!(lock.try_write().is_ok());
    });
}

#[test]
fn only_so_many_readers_come_in() {
    run(async {
        let lock = RwLock::with_max_readers((), 2);
        let (one, _two) = (lock.read().await, lock.read().await);
        assert!(lock.try_read().is_err());
        drop(one);
        assert!(lock.try_read().is_ok());
    });
    let refused = std::panic::catch_unwind(|| RwLock::with_max_readers((), 0)).unwrap_err();
    assert!(refused.downcast_ref::<String>().unwrap().contains("a RwLock may not be created with 0 readers"));
}

#[test]
fn a_downgrade_lets_readers_in_and_nobody_write_before() {
    run(async {
        let lock = Arc::new(RwLock::new(1));
        let mut writing = lock.write().await;
        let mut next = pin!(lock.write());
        assert!(poll_once(next.as_mut()).is_pending());
        *writing = 2;
        let reading = writing.downgrade();
        assert_eq!(*reading, 2);
        assert!(poll_once(next.as_mut()).is_pending());
        drop(reading);
        *next.await = 3;

        let reading = lock.clone().write_owned().await.downgrade();
        assert_eq!(*reading + *lock.try_read().unwrap(), 6);
        assert!(lock.try_write().is_err());
        assert!(Arc::ptr_eq(OwnedRwLockReadGuard::rwlock(&reading), &lock));
    });
}

#[test]
fn guards_map_to_parts() {
    run(async {
        let lock = Arc::new(RwLock::new((1, "two")));
        let part = RwLockReadGuard::map(lock.read().await, |pair| &pair.0);
        assert_eq!((*part, format!("{part} {part:?}")), (1, "1 1".to_owned()));
        let part = RwLockReadGuard::try_map(part, |_| None::<&u8>).unwrap_err();
        drop(part);

        let mut part = RwLockWriteGuard::map(lock.write().await, |pair| &mut pair.0);
        *part = 5;
        let mut part = RwLockMappedWriteGuard::map(part, |n| n);
        *part += 1;
        assert!(RwLockMappedWriteGuard::try_map(part, |_| None::<&mut u8>).is_err());
        assert!(RwLockWriteGuard::try_map(lock.write().await, |_| None::<&mut u8>).is_err());
        assert_eq!(RwLockWriteGuard::into_mapped(lock.write().await).0, 6);
        assert_eq!(*RwLockWriteGuard::downgrade_map(lock.write().await, |pair| &pair.0), 6);
        assert!(RwLockWriteGuard::try_downgrade_map(lock.write().await, |_| None::<&u8>).is_err());

        let mut part = OwnedRwLockWriteGuard::map(lock.clone().write_owned().await, |pair| &mut pair.0);
        *part = 7;
        assert!(Arc::ptr_eq(OwnedRwLockMappedWriteGuard::rwlock(&part), &lock));
        drop(OwnedRwLockMappedWriteGuard::try_map(part, |n| Some(n)).unwrap());
        let part = OwnedRwLockWriteGuard::downgrade_map(lock.clone().write_owned().await, |pair| &pair.1);
        assert_eq!(*part, "two");
        let part = OwnedRwLockReadGuard::map(part, |text| &**text);
        assert_eq!(&*part, "two");
        drop(part);
        let whole = OwnedRwLockWriteGuard::into_mapped(lock.clone().try_write_owned().unwrap());
        assert_eq!(*whole, (7, "two"));
        assert!(lock.clone().try_read_owned().is_err());
    });
}

#[test]
fn an_owned_guard_keeps_its_lock_alive() {
    run(async {
        let lock = Arc::new(RwLock::new(String::from("kept")));
        let guard = lock.clone().read_owned().await;
        drop(lock);
        assert_eq!(*guard, "kept");
    });
}

#[test]
fn it_prints_as_tokios_does() {
    run(async {
        let (ours, tokios) = (RwLock::new(1), tokio::raw::sync::RwLock::new(1));
        assert_eq!(format!("{ours:?}"), format!("{tokios:?}"));
        let (held, also) = (ours.write().await, tokios.write().await);
        assert_eq!(format!("{ours:?} {held:?} {held}"), format!("{tokios:?} {also:?} {also}"));
    });
}

#[test]
fn threads_block_for_it_and_tasks_may_not() {
    run_on_threads(async {
        let lock = Arc::new(RwLock::new(0));
        let held = lock.write().await;
        let blocked = tokio::task::spawn_blocking({
            let lock = Arc::clone(&lock);
            move || {
                *lock.blocking_write() += 1;
                *lock.blocking_read()
            }
        });
        others().await;
        drop(held);
        assert_eq!(blocked.await.unwrap(), 1);
        let refused = tokio::spawn(async move { *lock.blocking_read() });
        assert!(refused.await.unwrap_err().is_panic());
    });
}

#[test]
fn nothing_is_lost_among_threads() {
    run_on_threads(async {
        let lock = Arc::new(RwLock::new(0_u64));
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let lock = Arc::clone(&lock);
                tokio::spawn(async move {
                    for _ in 0..300 {
                        if n % 2 == 0 {
                            *lock.write().await += 1;
                        } else {
                            let seen = *lock.read().await;
                            tokio::task::yield_now().await;
                            assert!(seen <= 1200);
                        }
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(*lock.read().await, 1200);
    });
}

#[test]
fn a_constant_one_works() {
    static LOCK: RwLock<u8> = RwLock::const_new(4);
    run(async { assert_eq!(*LOCK.read().await, 4) });
    assert_eq!(*RwLock::from(3).get_mut() + RwLock::<u8>::default().into_inner(), 3);
}

#[test]
fn it_turns_into_tokios_with_as_many_readers() {
    run(async {
        let lock: tokio::raw::sync::RwLock<i32> = RwLock::with_max_readers(5, 2).into();
        let (one, two) = (lock.read().await, lock.read().await);
        assert_eq!((*one, *two), (5, 5));
        assert!(lock.try_read().is_err(), "two may read");
        drop((one, two));
        *lock.write().await = 6;
        assert_eq!(lock.into_inner(), 6);
    });
}
