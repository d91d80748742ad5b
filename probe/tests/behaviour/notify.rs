use std::{pin::pin, sync::Arc};

use async_inspect_probe::tokio::{
    self,
    sync::{Barrier, Notify},
};

use super::{others, poll_once, run};

#[test]
fn one_notification_is_kept_for_the_next_to_wait() {
    run(async {
        let notify = Notify::new();
        notify.notify_one();
        notify.notify_one();
        notify.notified().await;
        let mut next = pin!(notify.notified());
        assert!(poll_once(next.as_mut()).is_pending(), "only one is kept");
        notify.notify_one();
        next.as_mut().await;
        assert!(poll_once(next.as_mut()).is_ready(), "it is fused");
    });
}

#[test]
fn those_who_wait_are_woken_in_order_or_the_last_one() {
    run(async {
        let notify = Notify::new();
        let (mut a, mut b, mut c) = (pin!(notify.notified()), pin!(notify.notified()), pin!(notify.notified()));
        for waiting in [&mut a, &mut b, &mut c] {
            assert!(poll_once(waiting.as_mut()).is_pending());
        }
        notify.notify_one();
        assert!(poll_once(a.as_mut()).is_ready() && poll_once(b.as_mut()).is_pending());
        notify.notify_last();
        assert!(poll_once(c.as_mut()).is_ready() && poll_once(b.as_mut()).is_pending());
    });
}

#[test]
fn all_that_were_made_before_are_notified_and_none_is_kept() {
    run(async {
        let notify = Arc::new(Notify::const_new());
        let (made, owned) = (notify.notified(), Arc::clone(&notify).notified_owned());
        notify.notify_waiters();
        made.await;
        owned.await;
        let mut later = pin!(notify.notified());
        assert!(poll_once(later.as_mut()).is_pending());
    });
}

#[test]
fn one_that_is_enabled_is_reached_without_a_poll() {
    run(async {
        let notify = Arc::new(Notify::default());
        let mut waiting = pin!(notify.notified());
        assert!(!waiting.as_mut().enable());
        notify.notify_one();
        let mut owned = pin!(Arc::clone(&notify).notified_owned());
        assert!(!owned.as_mut().enable(), "the first one got it");
        waiting.await;
        notify.notify_one();
        assert!(owned.as_mut().enable());
    });
}

#[test]
fn a_notification_of_one_that_gives_up_goes_to_the_next() {
    run(async {
        let notify = Notify::new();
        let mut first = Box::pin(notify.notified());
        let mut second = pin!(notify.notified());
        assert!(poll_once(first.as_mut()).is_pending() && poll_once(second.as_mut()).is_pending());
        notify.notify_one();
        drop(first);
        assert!(poll_once(second.as_mut()).is_ready());
    });
}

#[test]
fn a_barrier_lets_all_go_and_names_one_leader() {
    run(async {
        let barrier = Arc::new(Barrier::new(3));
        for _ in 0..2 {
            let tasks: Vec<_> = (0..3)
                .map(|_| {
                    let barrier = Arc::clone(&barrier);
                    tokio::spawn(async move { barrier.wait().await.is_leader() })
                })
                .collect();
            let mut leaders = 0;
            for task in tasks {
                leaders += u8::from(task.await.unwrap());
            }
            assert_eq!(leaders, 1);
        }
        let alone = Barrier::new(0);
        assert!(alone.wait().await.is_leader());
        let mut waiting = pin!(barrier.wait());
        others().await;
        assert!(poll_once(waiting.as_mut()).is_pending());
    });
}
