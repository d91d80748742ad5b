use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

use ::tokio::task::coop;

use super::*;
use crate::{
    recorder::wait::WaitKind,
    tokio::{
        self,
        sync::{broadcast, watch},
    },
};

#[test]
fn the_depth_of_a_broadcast_is_that_of_its_slowest_receiver() {
    run(async {
        #[rustfmt::skip]
        let ((tx, mut fast), made) = (broadcast::channel::<u64>(3), here());
        let mut slow = tx.subscribe();
        for n in 0..3 {
            tx.send(n).unwrap();
            fast.recv().await.unwrap();
        }
        let seen = channel(made);
        assert_eq!((seen.capacity, seen.sent, seen.received, seen.senders, seen.receivers), (4, 3, 0, 1, 2));
        assert!(seen.site.info.type_name.contains("u64"));
        let at = here();
        slow.recv().await.unwrap();
        let seen = channel(made);
        assert_eq!((seen.received, place(seen.recv_site.unwrap())), (1, (at.0, at.1 + 1)));
        drop(slow);
        assert_eq!(channel(made).received, 3);
        drop(fast);
        assert_eq!((channel(made).sent, channel(made).received, channel(made).receivers), (3, 3, 0));
    });
}

#[test]
fn what_a_slow_receiver_loses_is_counted_with_its_line() {
    run(async {
        #[rustfmt::skip]
        let ((tx, mut rx), made) = (broadcast::channel::<i64>(2), here());
        for n in 0..7 {
            tx.send(n).unwrap();
        }
        #[rustfmt::skip]
        let (lagged, at) = (rx.recv().await, here());
        lagged.unwrap_err();
        let readers = channel(made).readers.unwrap();
        assert_eq!((readers.lagged, readers.lost), (1, 5));
        assert_eq!((place(readers.last_lag_site.unwrap()), readers.last_lag_at > 0), (at, true));
        assert_eq!(channel(made).received, 5);
        rx.try_recv().unwrap();
        drop(rx);
        tx.send(1).unwrap_err();
        assert_eq!((channel(made).unheard, channel(made).sent), (1, 7));
        let site = channel(made).site;
        drop(tx);
        assert!(find_channel(made).is_none());
        assert_eq!((site.total(Total::Spawned), site.total(Total::Finished)), (1, 1));
    });
}

#[test]
fn more_receivers_than_are_listed_still_count_what_they_lose() {
    run(async {
        #[rustfmt::skip]
        let ((tx, first), made) = (broadcast::channel::<i32>(1), here());
        let mut receivers: Vec<_> = (0..9).map(|_| tx.subscribe()).collect();
        for n in 0..3 {
            tx.send(n).unwrap();
        }
        for rx in &mut receivers {
            rx.recv().await.unwrap_err();
        }
        assert_eq!((channel(made).readers.unwrap().lagged, channel(made).receivers), (9, 10));
        drop((first, receivers));
        assert!(channel(made).readers.unwrap().slowest.is_none());
    });
}

#[test]
fn a_receiver_whose_task_has_to_yield_has_not_caught_up() {
    run(async {
        #[rustfmt::skip]
        let ((tx, mut rx), made) = (broadcast::channel::<u16>(4), here());
        for n in 0..3 {
            tx.send(n).unwrap();
        }
        while coop::has_budget_remaining() {
            coop::consume_budget().await;
        }
        let mut receiving = pin!(rx.recv());
        assert!(poll_fn(|cx| Poll::Ready(receiving.as_mut().poll(cx).is_pending())).await);
        assert_eq!(channel(made).received, 0);
        assert_eq!(receiving.await, Ok(0));
        assert_eq!(channel(made).received, 1);
    });
}

#[test]
fn who_waits_for_a_broadcast_or_a_change_is_known() {
    run(async {
        #[rustfmt::skip]
        let ((tx, mut rx), made) = (broadcast::channel::<i16>(1), here());
        #[rustfmt::skip]
        let ((wtx, mut wrx), wmade) = (watch::channel(0_i16), here());
        let at = here();
        let listening = tokio::spawn(async move {
            let _ = rx.recv().await;
            let _ = wrx.changed().await;
            let _ = wrx.wait_for(|n| *n == 9).await;
            std::future::pending::<()>().await;
        });
        for (line, id) in [(2, channel(made).id), (3, channel(wmade).id), (4, channel(wmade).id)] {
            others().await;
            let [wait] = waits(listening.id())[..] else { panic!("one wait") };
            assert_eq!(
                (wait.kind, wait.on, place(wait.site.unwrap())),
                (WaitKind::ChannelRecv as u8, id, (at.0, at.1 + line))
            );
            match line {
                2 => drop(tx.send(1)),
                3 => wtx.send(1).unwrap(),
                _ => wtx.send(9).unwrap(),
            }
        }
        others().await;
        assert!(waits(listening.id()).is_empty());
        listening.abort();
    });
}

#[test]
fn of_a_watch_it_is_known_what_nobody_has_looked_at() {
    run(async {
        #[rustfmt::skip]
        let ((tx, mut rx), made) = (watch::channel(0_u64), here());
        let other = rx.clone();
        tx.send(1).unwrap();
        tx.send_modify(|n| *n += 1);
        assert!(!tx.send_if_modified(|_| false));
        let unseen = channel(made);
        assert_eq!((unseen.sent, unseen.received, unseen.receivers, unseen.last_recv_at), (2, 0, 2, 0));
        #[rustfmt::skip]
        let (_, at) = (*rx.borrow_and_update(), here());
        let seen = channel(made);
        assert_eq!((seen.received, seen.last_recv_at > 0, place(seen.recv_site.unwrap())), (2, true, at));
        tx.send_replace(3);
        assert_eq!(*other.borrow(), 3);
        assert_eq!((channel(made).sent, channel(made).received), (3, 3));
        drop((rx, other));
        assert_eq!((channel(made).receivers, channel(made).closed), (0, false));
    });
}
