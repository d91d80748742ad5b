//! `select!` in all the ways in which it may be written, through the drop-in as with tokio's own.
use std::{
    future::{pending, ready},
    sync::Arc,
    time::Duration,
};

use async_inspect_probe::tokio::{
    self,
    sync::{Mutex, mpsc, oneshot},
};

use super::run;

#[test]
fn branches_may_end_in_commas_or_blocks_and_have_conditions() {
    run(async {
        let on = |yes: bool| yes;
        let got = tokio::select! {
            biased;
            () = pending::<()>() => { 1 }
            () = ready(()), if on(false) => { 2 },
            n = ready(3), if on(true) => n,
            else => 4,
        };
        assert_eq!(got, 3);
        let got = tokio::select! {
            Some(n) = ready(None::<u8>) => n,
            Ok(n) | Err(n) = ready(Err::<u8, u8>(5)) => n
        };
        assert_eq!(got, 5);
        let got = tokio::select! {
            Some(n) = ready(None) => n,
            else => 6
        };
        assert_eq!(got, 6);
        assert_eq!(tokio::select! { else => 7 }, 7);
    });
}

#[test]
fn a_handler_may_leave_the_loop_or_the_function() {
    run(async {
        async fn first(mut rx: mpsc::Receiver<u8>) -> Result<u8, oneshot::error::RecvError> {
            let (tx, mut answer) = oneshot::channel();
            let mut tx = Some(tx);
            let mut sum = 0;
            loop {
                tokio::select! {
                    Some(n) = rx.recv() => sum += n,
                    n = &mut answer => return Ok(n? + sum),
                    else => break,
                }
                if sum == 3 {
                    let _ = tx.take().map(|tx| tx.send(10));
                }
            }
            Ok(0)
        }
        let (tx, rx) = mpsc::channel(4);
        for n in [1, 2] {
            tx.send(n).await.unwrap();
        }
        assert_eq!(first(rx).await, Ok(13));
    });
}

#[test]
fn what_is_borrowed_and_temporary_lives_as_long_as_with_tokio() {
    run(async {
        let mutex = Mutex::new(String::from("held"));
        let mut pinned = Box::pin(async { pending::<()>().await });
        let got = tokio::select! {
            guard = mutex.lock() => guard.len(),
            () = &mut pinned => 0,
            () = &mut Box::pin(pending::<()>()) => 1,
            _ = async { pending::<Arc<()>>().await } => 2,
        };
        assert_eq!(got, 4);
    });
}

#[test]
fn a_timeout_gives_its_future_back() {
    run(async {
        let limited = tokio::time::timeout(Duration::from_secs(1), ready(5));
        assert_eq!(limited.into_inner().await, 5);
        let mut limited = tokio::time::timeout(Duration::from_secs(1), ready(6));
        assert_eq!(limited.get_mut().clone().await, 6);
        assert_eq!(limited.await, Ok(6));
    });
}

#[test]
fn fifty_branches_fit() {
    run(async {
        macro_rules! all {
            ($($n:literal)*) => {
                tokio::select! {
                    $(n = ready($n) => n,)*
                }
            };
        }
        let got = all!(
            1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30
            31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50
        );
        assert!((1..=50).contains(&got));
    });
}
