use async_inspect_probe::tokio::{
    self,
    sync::broadcast::{
        self,
        error::{RecvError, TryRecvError},
    },
};

use super::{others, run, run_on_threads};

#[test]
fn every_receiver_gets_what_is_sent_while_it_is_there() {
    run(async {
        let (tx, mut first) = broadcast::channel(8);
        assert_eq!(tx.send(1).unwrap(), 1);
        let mut second = tx.subscribe();
        assert_eq!(tx.send(2).unwrap(), 2);
        assert_eq!((first.len(), second.len(), tx.len(), tx.receiver_count()), (2, 1, 2, 2));
        assert_eq!((first.recv().await, first.recv().await), (Ok(1), Ok(2)));
        assert_eq!(second.recv().await, Ok(2));
        assert!(first.is_empty() && tx.is_empty() && first.same_channel(&second));
        drop(tx);
        assert_eq!(first.recv().await, Err(RecvError::Closed));
        assert!(first.is_closed());
    });
}

#[test]
fn a_slow_receiver_is_told_how_many_it_lost() {
    run(async {
        let (tx, mut slow) = broadcast::channel(2);
        for n in 0..5 {
            tx.send(n).unwrap();
        }
        assert_eq!(slow.recv().await, Err(RecvError::Lagged(3)));
        assert_eq!((slow.recv().await, slow.try_recv()), (Ok(3), Ok(4)));
        assert_eq!(slow.try_recv(), Err(TryRecvError::Empty));
        for n in 0..3 {
            tx.send(n).unwrap();
        }
        assert_eq!(slow.try_recv(), Err(TryRecvError::Lagged(1)));
        assert_eq!(slow.resubscribe().try_recv(), Err(TryRecvError::Empty));
    });
}

#[test]
fn a_message_to_nobody_comes_back() {
    run(async {
        let tx = broadcast::Sender::new(1);
        assert_eq!(tx.send("x").unwrap_err().0, "x");
        tx.closed().await;
        let weak = tx.downgrade();
        assert_eq!((tx.strong_count(), tx.weak_count(), weak.strong_count()), (1, 1, 1));
        assert!(weak.upgrade().unwrap().same_channel(&tx));
        drop(tx);
        assert!(weak.upgrade().is_none());
    });
}

#[test]
fn giving_up_a_receive_loses_nothing() {
    run(async {
        let (tx, mut rx) = broadcast::channel(2);
        tokio::select! {
            biased;
            _ = rx.recv() => unreachable!("nothing was sent"),
            () = others() => {}
        }
        tx.send(1).unwrap();
        assert_eq!(rx.recv().await, Ok(1));
    });
}

#[test]
fn receivers_on_threads_get_everything() {
    run_on_threads(async {
        let (tx, _) = broadcast::channel(1024);
        let receivers: Vec<_> = (0..6)
            .map(|_| {
                let mut rx = tx.subscribe();
                tokio::spawn(async move {
                    let mut sum = 0;
                    while let Ok(n) = rx.recv().await {
                        sum += n;
                    }
                    sum
                })
            })
            .collect();
        let blocking = tokio::task::spawn_blocking({
            let mut rx = tx.subscribe();
            move || rx.blocking_recv()
        });
        for n in 0..1000 {
            tx.send(n).unwrap();
        }
        assert_eq!(blocking.await.unwrap(), Ok(0));
        drop(tx);
        for receiver in receivers {
            assert_eq!(receiver.await.unwrap(), 499_500);
        }
    });
}

#[test]
fn halves_become_tokios_and_come_back() {
    run(async {
        let (tx, rx) = broadcast::channel(1);
        assert_eq!(format!("{tx:?} {rx:?}"), "broadcast::Sender broadcast::Receiver");
        let tx: tokio::raw::sync::broadcast::Sender<u8> = tx.into();
        let rx: tokio::raw::sync::broadcast::Receiver<u8> = rx.into();
        let mut rx = broadcast::Receiver::from(rx);
        tx.send(1).unwrap();
        assert_eq!(rx.recv().await, Ok(1));
    });
}
