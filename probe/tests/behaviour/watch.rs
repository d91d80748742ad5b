use async_inspect_probe::tokio::{self, sync::watch};

use super::{others, run};

#[test]
fn a_receiver_sees_the_newest_value_and_that_it_changed() {
    run(async {
        let (tx, mut rx) = watch::channel(0);
        assert!(!rx.has_changed().unwrap());
        tx.send(1).unwrap();
        tx.send(2).unwrap();
        assert!(rx.has_changed().unwrap());
        rx.changed().await.unwrap();
        assert_eq!(*rx.borrow_and_update(), 2);
        rx.mark_changed();
        rx.changed().await.unwrap();
        tx.send_modify(|n| *n += 1);
        assert!(!tx.send_if_modified(|_| false));
        assert!(tx.send_if_modified(|n| *n == 3));
        assert_eq!((tx.send_replace(7), *tx.borrow(), *rx.borrow()), (3, 7, 7));
        rx.mark_unchanged();
        assert!(!rx.has_changed().unwrap());
    });
}

#[test]
fn a_receiver_waits_for_a_value_that_it_likes() {
    run(async {
        let (tx, mut rx) = watch::channel("a");
        let waiting = tokio::spawn(async move { rx.wait_for(|text| *text == "c").await.map(|text| text.len()) });
        for text in ["b", "c"] {
            others().await;
            tx.send(text).unwrap();
        }
        assert_eq!(waiting.await.unwrap().unwrap(), 1);
    });
}

#[test]
fn ends_are_told() {
    run(async {
        let (tx, mut rx) = watch::channel(0);
        let also = rx.clone();
        assert_eq!((tx.receiver_count(), tx.sender_count()), (2, 1));
        assert!(rx.same_channel(&also) && tx.same_channel(&tx.clone()));
        drop(tx);
        assert!(rx.changed().await.is_err() && rx.is_closed() && rx.has_changed().is_err());
        assert!(rx.wait_for(|n| *n == 1).await.is_err());
        let tx = watch::Sender::<u8>::default();
        assert!(tx.is_closed() && tx.send(1).is_err());
        tx.closed().await;
        let rx = tx.subscribe();
        tx.send(2).unwrap();
        assert_eq!(*rx.borrow(), 2);
    });
}

#[test]
fn giving_up_a_wait_loses_no_change() {
    run(async {
        let (tx, mut rx) = watch::channel(0);
        tokio::select! {
            biased;
            _ = rx.changed() => unreachable!("nothing was sent"),
            () = others() => {}
        }
        tx.send(1).unwrap();
        rx.changed().await.unwrap();
    });
}

#[test]
fn halves_become_tokios_and_come_back() {
    run(async {
        let (tx, rx) = watch::channel(0);
        let (tx, rx): (tokio::raw::sync::watch::Sender<u8>, tokio::raw::sync::watch::Receiver<u8>) =
            (tx.into(), rx.into());
        watch::Sender::from(tx).send(1).unwrap();
        assert_eq!(*watch::Receiver::from(rx).borrow(), 1);
    });
}
