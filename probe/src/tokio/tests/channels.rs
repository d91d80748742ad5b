use std::{future::poll_fn, pin::pin};

use super::*;
use crate::{
    recorder::wait::WaitKind,
    tokio::{
        self,
        sync::{broadcast, mpsc, watch},
    },
};

#[test]
fn a_channel_counts_what_goes_in_and_what_comes_out() {
    run(async {
        #[rustfmt::skip]
        let ((tx, mut rx), made) = (mpsc::channel::<u64>(4), here());
        #[rustfmt::skip]
        let (sent, sent_at) = (tx.send(1).await, here());
        sent.unwrap();
        tx.try_send(2).unwrap();
        tx.reserve().await.unwrap().send(3);
        let full = channel(made);
        assert_eq!((full.sent, full.received, full.capacity, full.senders, full.receivers), (3, 0, 4, 1, 1));
        assert!(full.site.info.type_name.contains("u64"));
        #[rustfmt::skip]
        let (got, got_at) = (rx.recv().await, here());
        assert_eq!(got, Some(1));
        let mut rest = Vec::new();
        assert_eq!(rx.recv_many(&mut rest, 9).await, 2);
        assert!(rx.try_recv().is_err());
        let empty = channel(made);
        assert_eq!((empty.sent, empty.received), (3, 3));
        assert!(empty.last_recv_at > 0 && empty.receiver_task == empty.sender_task);
        assert_eq!(place(empty.send_site.unwrap()).0, sent_at.0);
        assert_eq!(place(empty.recv_site.unwrap()), (got_at.0, got_at.1 + 4), "the last receive");
    });
}

#[test]
fn a_sender_without_room_is_blocked_until_there_is_some() {
    run(async {
        #[rustfmt::skip]
        let ((tx, mut rx), made) = (mpsc::channel::<u8>(1), here());
        tx.send(0).await.unwrap();
        let at = here();
        let sender = tokio::spawn(async move {
            tx.send(1).await.unwrap();
            std::future::pending::<()>().await;
        });
        others().await;
        let blocked = channel(made);
        assert_eq!((blocked.sent, blocked.blocked_senders, blocked.sends_blocked), (1, 1, 1));
        assert_eq!(blocked.sender_task, peek::task_id(sender.id()));
        let [wait] = waits(sender.id())[..] else { panic!("one wait") };
        assert_eq!(
            (wait.kind, wait.on, place(wait.site.unwrap())),
            (WaitKind::ChannelSend as u8, blocked.id, (at.0, at.1 + 2))
        );
        assert_eq!(rx.recv().await, Some(0));
        others().await;
        let after = channel(made);
        assert_eq!((after.sent, after.received, after.blocked_senders), (2, 1, 0));
        assert!(after.send_wait_total > 0 && waits(sender.id()).is_empty());
        sender.abort();
    });
}

#[test]
fn a_send_that_gives_up_sent_nothing() {
    run(async {
        #[rustfmt::skip]
        let ((tx, _rx), made) = (mpsc::channel::<i8>(1), here());
        tx.send(0).await.unwrap();
        {
            let mut send = pin!(tx.send(1));
            assert!(poll_once(send.as_mut()).is_pending());
            let mut reserve = pin!(tx.reserve());
            assert!(poll_once(reserve.as_mut()).is_pending());
            let blocked = channel(made);
            assert_eq!((blocked.blocked_senders, blocked.blocked_with_message), (2, 1));
        }
        assert!(tx.try_send(2).is_err());
        let after = channel(made);
        assert_eq!((after.sent, after.blocked_senders, after.blocked_with_message), (1, 0, 0));
        assert_eq!(after.sends_blocked, 2);
    });
}

#[test]
fn a_receiver_waits_and_is_seen_to() {
    run(async {
        #[rustfmt::skip]
        let ((tx, mut rx), made) = (mpsc::unbounded_channel::<i16>(), here());
        let at = here();
        let receiver = tokio::spawn(async move {
            let first = rx.recv().await;
            let second = poll_fn(|cx| rx.poll_recv(cx)).await;
            std::future::pending::<()>().await;
            drop((first, second, rx));
        });
        others().await;
        let id = channel(made).id;
        let [wait] = waits(receiver.id())[..] else { panic!("one wait") };
        assert_eq!(
            (wait.kind, wait.on, place(wait.site.unwrap())),
            (WaitKind::ChannelRecv as u8, id, (at.0, at.1 + 2))
        );
        assert_eq!(channel(made).receiver_task, peek::task_id(receiver.id()));
        tx.send(1).unwrap();
        others().await;
        let [wait] = waits(receiver.id())[..] else { panic!("one wait") };
        assert_eq!(
            (wait.kind, wait.on, place(wait.site.unwrap())),
            (WaitKind::ChannelRecv as u8, id, (at.0, at.1 + 3))
        );
        tx.send(2).unwrap();
        others().await;
        assert!(waits(receiver.id()).is_empty());
        assert_eq!((channel(made).sent, channel(made).received), (2, 2));
        receiver.abort();
    });
}

/// That a task waits in a `closed()` of that channel, and no longer when its receiver went.
async fn closed_is_a_wait<R>(made: (&str, u32), rx: R, asked: tokio::task::JoinHandle<()>, at: (&str, u32)) {
    others().await;
    let [wait] = waits(asked.id())[..] else { panic!("one wait") };
    let expected = (WaitKind::ChannelClosed as u8, channel(made).id, at);
    assert_eq!((wait.kind, wait.on, place(wait.site.unwrap())), expected);
    drop(rx);
    others().await;
    assert!(waits(asked.id()).is_empty());
    asked.abort();
}

macro_rules! closed_is_a_wait {
    ($made:expr) => {
        #[rustfmt::skip]
        let ((tx, rx), made) = ($made, here());
        #[rustfmt::skip]
        let (asked, at) = (tokio::spawn(async move { tx.closed().await; std::future::pending::<()>().await }), here());
        closed_is_a_wait(made, rx, asked, at).await;
    };
}

#[test]
fn who_waits_for_the_receivers_to_go_is_known() {
    run(async {
        closed_is_a_wait!(mpsc::channel::<u16>(1));
        closed_is_a_wait!(mpsc::unbounded_channel::<u16>());
        closed_is_a_wait!(broadcast::channel::<u16>(1));
        closed_is_a_wait!(watch::channel(0_u16));
    });
}

#[test]
fn handles_are_counted_and_the_last_one_ends_it() {
    run(async {
        #[rustfmt::skip]
        let ((tx, rx), made) = (mpsc::channel::<i32>(2), here());
        let (other, weak) = (tx.clone(), tx.downgrade());
        assert_eq!(channel(made).senders, 2);
        let permit = other.reserve_owned().await.unwrap();
        let up = weak.upgrade().unwrap();
        assert_eq!(channel(made).senders, 3);
        let other = permit.send(5);
        drop((up, other));
        let site = channel(made).site;
        assert_eq!((channel(made).senders, channel(made).sent, channel(made).closed), (1, 1, false));
        drop(rx);
        let gone = channel(made);
        assert_eq!((gone.receivers, gone.closed), (0, true));
        assert_eq!(gone.sent - gone.received, 0, "what was left went with the receiver");
        assert!(tx.send(6).await.is_err());
        assert_eq!(channel(made).sent, 1);
        drop((tx, weak));
        assert!(find_channel(made).is_none());
        assert_eq!((site.total(Total::Spawned), site.total(Total::Finished)), (1, 1));
    });
}

#[test]
fn closing_is_told() {
    run(async {
        #[rustfmt::skip]
        let ((tx, mut rx), made) = (mpsc::unbounded_channel::<i64>(), here());
        tx.send(1).unwrap();
        rx.close();
        assert!(tx.send(2).is_err());
        let closed = channel(made);
        assert_eq!((closed.closed, closed.sent, closed.received, closed.receivers), (true, 1, 0, 1));
    });
}

#[test]
fn what_lies_in_a_channel_goes_with_its_last_receiver_but_a_watch_keeps_what_nobody_saw() {
    recorder();
    #[rustfmt::skip]
    let ((tx, rx), queue) = (mpsc::unbounded_channel::<u8>(), here());
    tx.send(1).unwrap();
    drop(rx);
    #[rustfmt::skip]
    let ((settings, current), newest) = (watch::channel(0_u8), here());
    drop(current);
    settings.send_replace(1);
    settings.send_replace(2);
    let (queue, newest) = (channel(queue), channel(newest));
    assert_eq!((queue.sent, queue.received), (1, 1));
    assert_eq!((newest.sent, newest.received, newest.receivers), (2, 0, 0));
}

#[test]
fn a_channel_that_is_unwrapped_is_not_told_of_any_more() {
    run(async {
        #[rustfmt::skip]
        let ((tx, rx), made) = (mpsc::unbounded_channel::<i128>(), here());
        tx.send(1).unwrap();
        let mut rx = rx.into_inner();
        tx.send(2).unwrap();
        assert!(find_channel(made).is_none(), "its receiver counts no more");
        assert_eq!((rx.recv().await, rx.recv().await), (Some(1), Some(2)));
    });
}
