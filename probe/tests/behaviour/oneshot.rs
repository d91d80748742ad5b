use std::{future::poll_fn, pin::pin};

use async_inspect_probe::tokio::{
    self,
    sync::oneshot::{self, error::TryRecvError},
};

use super::{others, poll_once, run, run_on_threads};

#[test]
fn an_answer_arrives_whether_it_is_awaited_before_or_after() {
    run(async {
        let (tx, rx) = oneshot::channel();
        tx.send(1).unwrap();
        assert_eq!(rx.await, Ok(1));
        let (tx, rx) = oneshot::channel();
        let waiting = tokio::spawn(rx);
        others().await;
        tx.send(2).unwrap();
        assert_eq!(waiting.await.unwrap(), Ok(2));
    });
}

#[test]
fn a_sender_that_goes_without_a_word_is_an_error() {
    run(async {
        let (tx, rx) = oneshot::channel::<u8>();
        drop(tx);
        assert_eq!(rx.await.unwrap_err().to_string(), "channel closed");
    });
}

#[test]
fn an_answer_to_nobody_comes_back() {
    run(async {
        let (mut tx, rx) = oneshot::channel();
        assert!(!tx.is_closed());
        drop(rx);
        assert!(tx.is_closed());
        tx.closed().await;
        assert_eq!(tx.send("back"), Err("back"));
        let (mut tx, rx) = oneshot::channel::<()>();
        let mut closed = pin!(poll_fn(|cx| tx.poll_closed(cx)));
        assert!(poll_once(closed.as_mut()).is_pending());
        drop(rx);
        closed.await;
    });
}

#[test]
fn a_closed_receiver_still_takes_what_was_sent_before() {
    run(async {
        let (tx, mut rx) = oneshot::channel();
        assert_eq!(rx.try_recv(), Err(TryRecvError::Empty));
        assert!(rx.is_empty() && !rx.is_terminated());
        tx.send(1).unwrap();
        rx.close();
        assert!(!rx.is_empty());
        assert_eq!((&mut rx).await, Ok(1));
        assert!(rx.is_terminated());
        assert_eq!(rx.try_recv(), Err(TryRecvError::Closed));
        let (tx, mut rx) = oneshot::channel();
        rx.close();
        assert_eq!(tx.send(1), Err(1));
        assert!(rx.await.is_err());
    });
}

#[test]
#[should_panic(expected = "called after complete")]
fn it_is_not_polled_again() {
    run(async {
        let (tx, mut rx) = oneshot::channel();
        tx.send(1).unwrap();
        (&mut rx).await.unwrap();
        let _ = rx.await;
    });
}

#[test]
fn a_thread_blocks_for_it() {
    run_on_threads(async {
        let (tx, rx) = oneshot::channel();
        let blocked = tokio::task::spawn_blocking(|| rx.blocking_recv());
        tx.send(3).unwrap();
        assert_eq!(blocked.await.unwrap(), Ok(3));
    });
}

#[test]
fn halves_become_tokios_and_come_back() {
    run(async {
        let (tx, rx) = oneshot::channel();
        let (tx, rx): (tokio::raw::sync::oneshot::Sender<u8>, tokio::raw::sync::oneshot::Receiver<u8>) =
            (tx.into(), rx.into());
        tx.send(1).unwrap();
        assert_eq!(oneshot::Receiver::from(rx).await, Ok(1));
    });
}
