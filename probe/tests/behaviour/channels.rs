use std::{
    future::poll_fn,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use async_inspect_probe::tokio::{
    self,
    sync::mpsc::{
        self,
        error::{SendError, SendTimeoutError, TryRecvError, TrySendError},
    },
};

use super::{others, poll_once, run, run_on_threads};

#[test]
fn messages_of_one_sender_come_out_in_order() {
    run_on_threads(async {
        let (tx, mut rx) = mpsc::channel(3);
        for sender in 0..4 {
            let tx = tx.clone();
            tokio::spawn(async move {
                for n in 0..200 {
                    tx.send((sender, n)).await.unwrap();
                }
            });
        }
        drop(tx);
        let mut next = [0; 4];
        while let Some((sender, n)) = rx.recv().await {
            assert_eq!(next[sender], n);
            next[sender] += 1;
        }
        assert_eq!(next, [200; 4]);
    });
}

#[test]
fn a_sender_waits_for_room() {
    run(async {
        let (tx, mut rx) = mpsc::channel(1);
        tx.send(1).await.unwrap();
        assert_eq!(tx.try_send(9), Err(TrySendError::Full(9)));
        let mut send = pin!(tx.send(2));
        assert!(poll_once(send.as_mut()).is_pending());
        assert_eq!(rx.recv().await, Some(1));
        assert_eq!(tx.try_send(9), Err(TrySendError::Full(9)), "room goes to those who wait");
        assert_eq!(poll_once(send.as_mut()), Poll::Ready(Ok(())));
        assert_eq!(rx.try_recv(), Ok(2));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn a_send_that_gives_up_leaves_no_trace() {
    run(async {
        let (tx, mut rx) = mpsc::channel(1);
        tx.send(1).await.unwrap();
        let mut send = Box::pin(tx.send(2));
        let mut reserve = Box::pin(tx.reserve());
        assert!(poll_once(send.as_mut()).is_pending());
        assert!(poll_once(reserve.as_mut()).is_pending());
        drop((send, reserve));
        assert_eq!(rx.recv().await, Some(1));
        assert_eq!(tx.capacity(), 1);
        tx.try_send(3).unwrap();
        assert_eq!(rx.recv().await, Some(3));
    });
}

#[test]
fn a_receive_that_gives_up_loses_nothing() {
    run(async {
        let (tx, mut rx) = mpsc::channel(8);
        for n in 0..50 {
            tokio::select! {
                biased;
                () = std::future::ready(()), if n % 2 == 0 => {}
                _ = rx.recv() => unreachable!("nothing was sent"),
                () = tokio::task::yield_now() => {}
            }
        }
        tx.send(1).await.unwrap();
        let mut recv = Box::pin(rx.recv());
        assert_eq!(poll_once(recv.as_mut()), Poll::Ready(Some(1)));
        drop(recv);
        assert_eq!(rx.len(), 0);
    });
}

#[test]
fn what_was_sent_comes_out_after_the_last_sender_went() {
    run(async {
        let (tx, mut rx) = mpsc::channel(4);
        tx.try_send(1).unwrap();
        tx.clone().try_send(2).unwrap();
        drop(tx);
        assert!(rx.is_closed() && !rx.is_empty());
        assert_eq!((rx.recv().await, rx.recv().await, rx.recv().await), (Some(1), Some(2), None));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Disconnected));
    });
}

#[test]
fn senders_get_their_message_back_when_the_receiver_went() {
    run(async {
        let (tx, rx) = mpsc::channel(1);
        tx.try_send("in").unwrap();
        let send = tokio::spawn({
            let tx = tx.clone();
            async move { tx.send("waiting").await }
        });
        let closed = tokio::spawn({
            let tx = tx.clone();
            async move { tx.closed().await }
        });
        others().await;
        drop(rx);
        assert_eq!(send.await.unwrap(), Err(SendError("waiting")));
        closed.await.unwrap();
        assert_eq!(tx.send("late").await, Err(SendError("late")));
        assert_eq!(tx.try_send("late"), Err(TrySendError::Closed("late")));
        assert!(tx.reserve().await.is_err() && tx.is_closed());
        assert!(matches!(tx.try_reserve_owned(), Err(TrySendError::Closed(_))));
    });
}

#[test]
fn a_closed_receiver_still_gets_what_was_sent_and_reserved() {
    run(async {
        let (tx, mut rx) = mpsc::channel(3);
        tx.send(1).await.unwrap();
        let permit = tx.reserve().await.unwrap();
        rx.close();
        assert!(rx.is_closed());
        assert_eq!(tx.send(9).await, Err(SendError(9)));
        assert_eq!(rx.recv().await, Some(1));
        {
            let mut recv = pin!(rx.recv());
            assert!(poll_once(recv.as_mut()).is_pending(), "a permit is out");
        }
        permit.send(2);
        assert_eq!((rx.recv().await, rx.recv().await), (Some(2), None));
    });
}

#[test]
fn a_reserve_that_gives_up_wakes_the_receiver_of_a_closed_channel() {
    run(async {
        let (tx, mut rx) = mpsc::channel::<()>(1);
        let permit = tx.try_reserve().unwrap();
        let mut waiting = Box::pin(tx.reserve());
        assert!(poll_once(waiting.as_mut()).is_pending());
        rx.close();
        let receiver = tokio::spawn(async move { rx.recv().await });
        others().await;
        drop(permit);
        drop(waiting);
        assert_eq!(receiver.await.unwrap(), None);
    });
}

#[test]
fn permits_hold_room_until_they_are_used_or_dropped() {
    run(async {
        let (tx, mut rx) = mpsc::channel(4);
        let permit = tx.reserve().await.unwrap();
        let mut many = tx.reserve_many(2).await.unwrap();
        assert_eq!((many.len(), tx.capacity(), tx.max_capacity()), (2, 1, 4));
        assert!(matches!(tx.try_reserve_many(2), Err(TrySendError::Full(()))));
        assert_eq!(tx.try_reserve_many(1).unwrap().count(), 1);
        permit.send(1);
        many.next().unwrap().send(2);
        drop(many);
        assert_eq!(tx.capacity(), 2);
        assert!(tx.reserve_many(5).await.is_err(), "never that much room");
        assert_eq!((rx.recv().await, rx.recv().await), (Some(1), Some(2)));
        assert_eq!((rx.capacity(), rx.max_capacity()), (4, 4));
    });
}

#[test]
fn an_owned_permit_gives_the_sender_back() {
    run(async {
        let (tx, mut rx) = mpsc::channel(1);
        let other = tx.clone();
        let permit = tx.reserve_owned().await.unwrap();
        assert!(permit.same_channel_as_sender(&other));
        assert_eq!(other.strong_count(), 2);
        let full = other.try_reserve_owned().unwrap_err().into_inner();
        let tx = permit.send(1);
        let waiting = tokio::spawn(full.reserve_owned());
        others().await;
        assert_eq!(rx.recv().await, Some(1));
        let waiting = waiting.await.unwrap().unwrap();
        assert_eq!(tx.capacity(), 0);
        let full = waiting.release();
        assert!(full.same_channel(&tx) && tx.capacity() == 1);
        drop((tx, full));
        assert_eq!(rx.recv().await, None);
    });
}

#[test]
fn a_send_waits_no_longer_than_it_is_told() {
    run(async {
        let (tx, mut rx) = mpsc::channel(1);
        tx.send_timeout(1, Duration::from_secs(1)).await.unwrap();
        assert_eq!(tx.send_timeout(2, Duration::from_secs(1)).await, Err(SendTimeoutError::Timeout(2)));
        assert_eq!(rx.recv().await, Some(1));
        drop(rx);
        assert_eq!(tx.send_timeout(3, Duration::from_secs(1)).await, Err(SendTimeoutError::Closed(3)));
    });
}

#[test]
fn many_come_at_once() {
    run(async {
        let (tx, mut rx) = mpsc::channel(8);
        let mut buffer = vec![0];
        assert_eq!(rx.recv_many(&mut buffer, 0).await, 0);
        for n in 1..=5 {
            tx.try_send(n).unwrap();
        }
        assert_eq!(rx.len(), 5);
        assert_eq!(rx.recv_many(&mut buffer, 3).await, 3);
        assert_eq!(poll_fn(|cx| rx.poll_recv_many(cx, &mut buffer, 9)).await, 2);
        assert_eq!(buffer, [0, 1, 2, 3, 4, 5]);
        drop(tx);
        assert_eq!(rx.recv_many(&mut buffer, 3).await, 0);
        assert_eq!(poll_fn(|cx| rx.poll_recv(cx)).await, None);
    });
}

#[test]
fn threads_may_block_on_both_ends() {
    crate::start();
    let (tx, mut rx) = mpsc::channel(1);
    let sender = std::thread::spawn(move || (0..100).for_each(|n| tx.blocking_send(n).unwrap()));
    let mut got: Vec<_> = (0..50).map(|_| rx.blocking_recv().unwrap()).collect();
    while rx.blocking_recv_many(&mut got, 7) > 0 {}
    sender.join().unwrap();
    assert_eq!(got, (0..100).collect::<Vec<_>>());
}

#[test]
fn a_task_may_not_block() {
    run(async {
        let (tx, mut rx) = mpsc::channel(1);
        assert!(tokio::spawn(async move { tx.blocking_send(1) }).await.unwrap_err().is_panic());
        assert!(tokio::spawn(async move { rx.blocking_recv() }).await.unwrap_err().is_panic());
    });
}

#[test]
fn a_weak_sender_does_not_keep_it_open() {
    run(async {
        let (tx, mut rx) = mpsc::channel(1);
        let weak = tx.downgrade();
        let weaker = weak.clone();
        assert_eq!((tx.strong_count(), tx.weak_count()), (1, 2));
        weaker.upgrade().unwrap().send(1).await.unwrap();
        assert_eq!((rx.sender_strong_count(), rx.sender_weak_count()), (1, 2));
        drop(tx);
        assert!(weak.upgrade().is_none());
        assert_eq!((weak.strong_count(), weak.weak_count()), (0, 2));
        assert_eq!((rx.recv().await, rx.recv().await), (Some(1), None));
    });
}

#[test]
fn a_task_that_always_finds_room_still_lets_others_run() {
    run(async {
        let stop = Arc::new(AtomicBool::new(false));
        let greedy = tokio::spawn({
            let stop = Arc::clone(&stop);
            async move {
                let (tx, mut rx) = mpsc::channel(2);
                for n in 0..100_000 {
                    tx.send(n).await.unwrap();
                    assert_eq!(rx.recv().await, Some(n));
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
fn the_handles_turn_into_tokios_and_back() {
    run(async {
        let (tx, rx) = mpsc::channel(2);
        tx.send(1).await.unwrap();
        let mut stream: tokio::raw::sync::mpsc::Receiver<_> = rx.into();
        let tx: tokio::raw::sync::mpsc::Sender<_> = tx.into();
        tx.send(2).await.unwrap();
        assert_eq!(stream.recv().await, Some(1));
        let mut rx = mpsc::Receiver::from(stream);
        assert_eq!(rx.recv().await, Some(2));
        mpsc::Sender::from(tx).send(3).await.unwrap();
        assert_eq!(rx.recv().await, Some(3));
    });
}

#[test]
#[should_panic(expected = "mpsc bounded channel requires buffer > 0")]
fn a_channel_without_room_is_refused() {
    crate::start();
    let _ = mpsc::channel::<()>(0);
}

#[test]
fn they_print_as_tokios_do() {
    crate::start();
    let (tx, rx) = mpsc::channel::<()>(1);
    assert!(format!("{tx:?}").starts_with("Sender { chan: Tx {"));
    assert!(format!("{rx:?}").starts_with("Receiver { chan: Rx {"));
    assert_eq!(format!("{:?}", tx.downgrade()), "WeakSender");
    assert!(format!("{:?}", tx.try_reserve().unwrap()).starts_with("Permit { chan: Tx {"));
}
