use std::{future::poll_fn, pin::pin};

use async_inspect_probe::tokio::{
    self,
    sync::mpsc::{
        self,
        error::{SendError, TryRecvError},
    },
};

use super::{others, poll_once, run, run_on_threads};

#[test]
fn nothing_waits_to_be_sent_and_all_comes_out() {
    run_on_threads(async {
        let (tx, mut rx) = mpsc::unbounded_channel();
        let senders: Vec<_> = (0..4)
            .map(|_| {
                let tx = tx.clone();
                tokio::spawn(async move { (0..250).for_each(|n| tx.send(n).unwrap()) })
            })
            .collect();
        for sender in senders {
            sender.await.unwrap();
        }
        assert_eq!((rx.len(), rx.sender_strong_count()), (1000, 1));
        drop(tx);
        let mut sum = 0;
        while let Some(n) = rx.recv().await {
            sum += n;
        }
        assert_eq!(sum, 4 * (0..250).sum::<i32>());
    });
}

#[test]
fn a_receive_that_gives_up_loses_nothing() {
    run(async {
        let (tx, mut rx) = mpsc::unbounded_channel();
        {
            let mut recv = pin!(rx.recv());
            assert!(poll_once(recv.as_mut()).is_pending());
            tx.send(1).unwrap();
        }
        assert_eq!(rx.try_recv(), Ok(1));
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn a_closed_channel_refuses_and_drains() {
    run(async {
        let (tx, mut rx) = mpsc::unbounded_channel();
        tx.send(1).unwrap();
        let closed = tokio::spawn({
            let tx = tx.clone();
            async move { tx.closed().await }
        });
        others().await;
        rx.close();
        closed.await.unwrap();
        assert_eq!(tx.send(2), Err(SendError(2)));
        assert!(tx.is_closed() && rx.is_closed());
        assert_eq!((rx.recv().await, rx.recv().await), (Some(1), None));
    });
}

#[test]
fn many_come_at_once() {
    run(async {
        let (tx, mut rx) = mpsc::unbounded_channel();
        (0..5).for_each(|n| tx.send(n).unwrap());
        let mut buffer = Vec::new();
        assert_eq!(rx.recv_many(&mut buffer, 2).await, 2);
        assert_eq!(poll_fn(|cx| rx.poll_recv_many(cx, &mut buffer, 2)).await, 2);
        assert_eq!(poll_fn(|cx| rx.poll_recv(cx)).await, Some(4));
        assert_eq!(buffer, [0, 1, 2, 3]);
        assert!(rx.is_empty());
    });
}

#[test]
fn a_weak_sender_does_not_keep_it_open() {
    run(async {
        let (tx, mut rx) = mpsc::unbounded_channel();
        let weak = tx.downgrade().clone();
        assert!(weak.upgrade().unwrap().same_channel(&tx));
        assert_eq!((tx.strong_count(), tx.weak_count(), rx.sender_weak_count()), (1, 1, 1));
        weak.upgrade().unwrap().send(1).unwrap();
        drop(tx);
        assert!(weak.upgrade().is_none());
        assert_eq!((weak.strong_count(), weak.weak_count()), (0, 1));
        assert_eq!((rx.recv().await, rx.recv().await), (Some(1), None));
    });
}

#[test]
fn threads_may_block_for_messages() {
    crate::start();
    let (tx, mut rx) = mpsc::unbounded_channel();
    let receiver = std::thread::spawn(move || {
        let mut got = vec![rx.blocking_recv().unwrap()];
        while rx.blocking_recv_many(&mut got, 4) > 0 {}
        got
    });
    (0..20).for_each(|n| tx.send(n).unwrap());
    drop(tx);
    assert_eq!(receiver.join().unwrap(), (0..20).collect::<Vec<_>>());
}

#[test]
fn the_handles_turn_into_tokios_and_back() {
    run(async {
        let (tx, rx) = mpsc::unbounded_channel();
        let (tx, rx): (tokio::raw::sync::mpsc::UnboundedSender<_>, tokio::raw::sync::mpsc::UnboundedReceiver<_>) =
            (tx.into(), rx.into());
        let (tx, mut rx) = (mpsc::UnboundedSender::from(tx), mpsc::UnboundedReceiver::from(rx));
        tx.send(1).unwrap();
        assert_eq!(rx.recv().await, Some(1));
    });
}
