use std::{pin::pin, sync::Arc};

use super::*;
use crate::{
    recorder::wait::WaitKind,
    tokio::{
        self,
        sync::{Barrier, Notify, OnceCell, SetOnce},
    },
};

#[test]
fn a_notification_that_found_nobody_is_told_with_its_line() {
    run(async {
        #[rustfmt::skip]
        let (n, made) = (Notify::new(), here());
        #[rustfmt::skip]
        let ((), at) = (n.notify_waiters(), here());
        let lost = lock(made);
        assert_eq!((lost.suspended_holds, place(lost.last_suspended_site.unwrap())), (1, at));
        assert!(lost.last_suspended_at > 0 && !lost.ready);

        // One that was made is reached, polled or not.
        let made_before = n.notified();
        n.notify_waiters();
        made_before.await;
        assert_eq!(lock(made).suspended_holds, 1);
    });
}

#[test]
#[allow(clippy::match_same_arms, reason = "they are laid out in other ways")]
fn who_looks_at_nothing_between_the_call_and_the_await_is_told_apart() {
    run(async {
        #[rustfmt::skip]
        let (n, made) = (Arc::new(Notify::new()), here());
        let wait = |how: u8| {
            let n = Arc::clone(&n);
            tokio::spawn(async move {
                match how {
                    0 => n.notified().await,
                    1 => n.notified_owned().await,
                    #[rustfmt::skip]
                    2 => n
                        .notified()
                        .await,
                    #[rustfmt::skip]
                    3 => { let listening = n.notified(); listening.await; }
                    _ => {
                        let listening = n.notified();
                        if Arc::strong_count(&n) > 0 {
                            listening.await;
                        }
                    }
                }
            })
        };
        for (how, at_once) in [(0, 1), (1, 2), (2, 3), (3, 3), (4, 3)] {
            wait(how);
            others().await;
            assert_eq!((lock(made).waiting_at_once, lock(made).waiters), (at_once, u32::from(how) + 1), "{how}");
        }
        n.notify_waiters();
        others().await;
        assert_eq!((lock(made).waiting_at_once, lock(made).waiters, lock(made).hold_total), (0, 0, 0));
    });
}

#[test]
fn a_notification_that_is_kept_is_told_until_it_is_taken() {
    run(async {
        #[rustfmt::skip]
        let (n, made) = (Arc::new(Notify::new()), here());
        n.notify_one();
        assert!(lock(made).ready);
        n.notified().await;
        assert_eq!((lock(made).ready, lock(made).acquires, lock(made).contended), (false, 1, 0));

        let at = here();
        let waiting = tokio::spawn({
            let n = Arc::clone(&n);
            async move {
                n.notified().await;
                std::future::pending::<()>().await;
            }
        });
        others().await;
        assert_eq!(lock(made).waiters, 1);
        let [wait] = waits(waiting.id())[..] else { panic!("one wait") };
        assert_eq!(
            (wait.kind, wait.on, place(wait.site.unwrap())),
            (WaitKind::Lock as u8, lock(made).id, (at.0, at.1 + 4))
        );
        n.notify_one();
        others().await;
        let after = lock(made);
        assert_eq!((after.ready, after.waiters, after.acquires, after.contended), (false, 0, 2, 1));
        waiting.abort();

        let mut given_up = Box::pin(Arc::clone(&n).notified_owned());
        assert!(poll_once(given_up.as_mut()).is_pending());
        assert_eq!(lock(made).expecting, 1);
        drop(given_up);
        assert_eq!((lock(made).waiters, lock(made).expecting), (0, 0));
    });
}

#[test]
fn a_barrier_knows_how_many_it_waits_for() {
    run(async {
        #[rustfmt::skip]
        let (b, made) = (Arc::new(Barrier::new(3)), here());
        let first = tokio::spawn({
            let b = Arc::clone(&b);
            async move { b.wait().await.is_leader() }
        });
        others().await;
        assert_eq!((lock(made).expecting, lock(made).waiters), (3, 1));
        let (second, third) = tokio::join!(b.wait(), b.wait());
        assert!(third.is_leader() && !second.is_leader() && !first.await.unwrap());
        assert_eq!((lock(made).acquires, lock(made).contended, lock(made).waiters), (3, 2, 0));
    });
}

#[test]
fn who_makes_the_value_of_a_cell_holds_it_and_others_wait() {
    run(async {
        #[rustfmt::skip]
        let (cell, made) = (Arc::new(OnceCell::<u64>::new()), here());
        let (go, come) = tokio::sync::oneshot::channel();
        let maker = tokio::spawn({
            let cell = Arc::clone(&cell);
            async move { *cell.get_or_init(|| async { come.await.unwrap() }).await }
        });
        others().await;
        let waiter = tokio::spawn({
            let cell = Arc::clone(&cell);
            async move { *cell.get_or_init(|| async { 0 }).await }
        });
        others().await;
        let held = lock(made);
        assert_eq!((held.waiters, held.acquires), (1, 1));
        assert_eq!(held.holds.unwrap().listed.iter().flatten().next().unwrap().task, peek::task_id(maker.id()));
        let [wait] = waits(waiter.id())[..] else { panic!("one wait") };
        assert_eq!((wait.kind, wait.on), (WaitKind::Lock as u8, held.id));
        let [wait] = waits(maker.id())[..] else { panic!("one wait") };
        assert_eq!(wait.kind, WaitKind::Oneshot as u8, "who makes it does not wait for it");
        go.send(7).unwrap();
        assert_eq!((maker.await.unwrap(), waiter.await.unwrap()), (7, 7));
        assert_eq!((lock(made).waiters, lock(made).holds.unwrap().holders), (0, 0));
    });
}

#[test]
fn a_value_that_is_not_set_is_waited_for() {
    run(async {
        #[rustfmt::skip]
        let (value, made) = (SetOnce::<u32>::new(), here());
        {
            let mut waiting = pin!(value.wait());
            assert!(poll_once(waiting.as_mut()).is_pending());
            assert_eq!((lock(made).waiters, lock(made).ready), (1, false));
            value.set(1).unwrap();
            assert_eq!(*waiting.await, 1);
        }
        assert_eq!((lock(made).waiters, lock(made).ready, lock(made).contended), (0, true, 1));
    });
}
