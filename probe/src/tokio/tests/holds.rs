use std::{pin::pin, sync::Arc};

use super::*;
use crate::{
    recorder::{
        holds::{HoldReading, HoldsReading},
        wait::WaitKind,
    },
    tokio::{
        self,
        sync::{RwLock, RwLockWriteGuard, Semaphore},
    },
};

fn holds(made: (&str, u32)) -> HoldsReading {
    lock(made).holds.expect("several may hold it")
}

/// Those that are listed, the oldest first: which entry a hold takes depends on its thread.
fn listed(shared: &HoldsReading) -> Vec<HoldReading> {
    let mut listed: Vec<_> = shared.listed.iter().flatten().copied().collect();
    listed.sort_by_key(|hold| hold.since);
    listed
}

#[test]
fn readers_are_listed_and_a_writer_is_told_from_them() {
    run(async {
        #[rustfmt::skip]
        let (l, made) = (Arc::new(RwLock::new(0)), here());
        #[rustfmt::skip]
        let (one, at) = (l.read().await, here());
        let two = l.read().await;
        let shared = holds(made);
        let listed = self::listed(&shared);
        assert_eq!((shared.holders, listed.len(), shared.available), (2, 2, shared.total - 2));
        assert!(listed.iter().all(|hold| !hold.exclusive && hold.permits == 1 && hold.since > 1));
        assert_eq!(place(listed[0].site.unwrap()), at);
        drop((one, two));

        let alone = l.write().await;
        let shared = holds(made);
        let [hold] = self::listed(&shared)[..] else { panic!("one hold") };
        assert!(hold.exclusive && shared.available == 0 && shared.holders == 1);
        let reading = RwLockWriteGuard::downgrade(alone);
        let shared = holds(made);
        assert_eq!((shared.holders, shared.available), (1, shared.total - 1));
        assert!(!self::listed(&shared)[0].exclusive);
        drop(reading);
        let after = lock(made);
        assert_eq!((after.acquires, after.hold_counts.iter().sum::<u32>()), (3, 3));
        let shared = holds(made);
        assert_eq!((shared.holders, shared.available), (0, shared.total));
        assert!(after.hold_max > 0 && shared.listed.iter().all(Option::is_none));
    });
}

#[test]
fn it_is_told_whether_a_task_waits_to_read_or_to_write() {
    run(async {
        #[rustfmt::skip]
        let (l, made) = (Arc::new(RwLock::new(0)), here());
        let held = l.read().await;
        let at = here();
        let writer = tokio::spawn({
            let l = Arc::clone(&l);
            async move {
                *l.write().await += 1;
            }
        });
        others().await;
        let reader = tokio::spawn({
            let l = Arc::clone(&l);
            async move { *l.read().await }
        });
        others().await;
        assert_eq!((lock(made).waiters, holds(made).waiting_writers), (2, 1));
        let [wait] = waits(writer.id())[..] else { panic!("one wait") };
        assert_eq!(
            (wait.kind, wait.on, place(wait.site.unwrap())),
            (WaitKind::Lock as u8, lock(made).id, (at.0, at.1 + 4))
        );
        let [wait] = waits(reader.id())[..] else { panic!("one wait") };
        assert_eq!((wait.kind, wait.on), (WaitKind::LockRead as u8, lock(made).id));
        assert_eq!(lock(made).suspended_holds, 0);
        drop(held);
        assert_eq!(lock(made).suspended_holds, 1, "it read over an await while somebody waited to write");
        writer.await.unwrap();
        assert_eq!(reader.await.unwrap(), 1);
        let after = lock(made);
        assert_eq!((after.waiters, after.contended, holds(made).waiting_writers), (0, 2, 0));
    });
}

#[test]
fn a_reader_that_keeps_nobody_out_may_be_suspended() {
    run(async {
        #[rustfmt::skip]
        let (l, made) = (RwLock::new(0), here());
        let held = l.read().await;
        others().await;
        drop(held);
        assert_eq!(lock(made).suspended_holds, 0);
        let held = l.write().await;
        others().await;
        drop(held);
        assert_eq!(lock(made).suspended_holds, 1);
    });
}

#[test]
fn permits_are_counted_one_by_one() {
    run(async {
        #[rustfmt::skip]
        let (s, made) = (Arc::new(Semaphore::new(5)), here());
        assert_eq!((holds(made).total, holds(made).available), (5, 5), "known before it is used");
        let three = s.acquire_many(3).await.unwrap();
        #[rustfmt::skip]
        let (mut one, at) = (Arc::clone(&s).acquire_owned().await.unwrap(), here());
        let shared = holds(made);
        assert_eq!((shared.holders, shared.available, shared.total), (2, 1, 5));
        let holders = listed(&shared);
        assert_eq!((holders[0].permits, place(holders[1].site.unwrap())), (3, at));

        one.merge(s.clone().try_acquire_owned().unwrap());
        assert_eq!((holds(made).holders, holds(made).available), (2, 0));
        let other = one.split(1).unwrap();
        assert_eq!((holds(made).holders, holds(made).available), (3, 0));
        assert_eq!(place(listed(&holds(made))[2].site.unwrap()), at, "where it was acquired at first");
        drop(other);
        one.forget();
        let shared = holds(made);
        assert_eq!((shared.holders, shared.available, shared.total, shared.forgotten), (1, 1, 4, 1));
        drop(three);
        s.add_permits(2);
        assert_eq!(s.forget_permits(1), 1);
        assert_eq!((holds(made).available, holds(made).total), (5, 5));
        assert_eq!(s.available_permits(), 5);
        s.close();
        assert!(holds(made).closed);
        assert_eq!(lock(made).suspended_holds, 0, "permits are meant to be held");
    });
}

#[test]
fn more_holds_than_are_listed_are_counted() {
    run(async {
        #[rustfmt::skip]
        let (s, made) = (Semaphore::new(20), here());
        let mut permits: Vec<_> = (0..11).map(|_| s.try_acquire().unwrap()).collect();
        assert_eq!((holds(made).holders, holds(made).listed.iter().flatten().count()), (11, 8));
        permits.drain(..2);
        assert_eq!((holds(made).holders, holds(made).listed.iter().flatten().count()), (9, 6));
        permits.clear();
        assert_eq!((holds(made).holders, holds(made).available), (0, 20));
        assert_eq!(lock(made).hold_counts.iter().sum::<u32>(), 11);
    });
}

#[test]
fn of_more_permits_than_are_told_it_is_not_said_that_there_are_none() {
    run(async {
        let (s, made) = (Semaphore::new(1 << 33), here());
        let all_that_are_told = s.acquire_many(u32::MAX).await.unwrap();
        let one_more = s.acquire().await.unwrap();
        let (told, most) = (holds(made), u64::from(u32::MAX));
        assert_eq!((told.holders, told.available, told.total), (2, most, most));
        assert!(s.available_permits() > 0);
        drop((all_that_are_told, one_more));
        assert_eq!((holds(made).holders, holds(made).available), (0, most));
    });
}

#[test]
fn a_wait_for_a_permit_that_gives_up_is_over() {
    run(async {
        #[rustfmt::skip]
        let (s, made) = (Semaphore::new(1), here());
        let held = s.acquire().await.unwrap();
        {
            let mut waiting = pin!(s.acquire());
            assert!(poll_once(waiting.as_mut()).is_pending());
            assert_eq!(lock(made).waiters, 1);
        }
        drop(held);
        assert_eq!((lock(made).waiters, lock(made).contended, lock(made).acquires), (0, 0, 1));
        let site = lock(made).site;
        drop(s);
        assert_eq!((site.total(Total::Spawned), site.total(Total::Finished)), (1, 1));
    });
}

#[test]
fn holds_beyond_the_entries_of_one_lock_are_listed_at_no_other() {
    run(async {
        #[rustfmt::skip]
        let (a, of_a) = (Semaphore::new(20), here());
        #[rustfmt::skip]
        let (b, of_b) = (Semaphore::new(20), here());
        for round in 0..3 {
            let of_one = if round % 2 == 0 { &a } else { &b };
            let permits: Vec<_> = (0..7).map(|_| of_one.try_acquire().unwrap()).collect();
            let listed =
                [of_a, of_b].map(|made| find_lock(made).map_or(0, |_| holds(made).listed.iter().flatten().count()));
            assert_eq!(listed, if round % 2 == 0 { [7, 0] } else { [0, 7] });
            drop(permits);
        }
    });
}
