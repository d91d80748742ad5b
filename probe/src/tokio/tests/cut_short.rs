//! Holds that end because their future is dropped unfinished.
use std::{future::pending, time::Duration};

use super::*;
use crate::{
    recorder::unfinished::By,
    tokio::{
        select,
        sync::{Mutex, RwLock, Semaphore},
        time::timeout,
    },
    tokio_util::{future::FutureExt, sync::CancellationToken},
};

/// Times, and the line of who dropped, by what.
fn cut_short(made: (&str, u32)) -> (u64, Option<u32>, u8) {
    let cut_short = lock(made).cut_short;
    cut_short.map_or((0, None, 0), |it| (it.times, it.dropped_at.map(Location::line), it.by))
}

#[test]
fn a_select_that_is_lost_while_a_lock_is_held_cuts_the_hold_short() {
    run(async {
        let (mutex, made) = (Mutex::new(0), here());
        let held = async {
            let _guard = mutex.lock().await;
            pending::<()>().await;
        };
        let line = line!() + 1;
        select! {
            biased;
            () = held => {}
            () = others() => {}
        }
        assert_eq!(cut_short(made), (1, Some(line), By::Select as u8));
        // What comes to its end, or only waits for the lock, is not cut short.
        let guard = mutex.lock().await;
        select! {
            biased;
            _ = mutex.lock() => {}
            () = others() => {}
        }
        drop(guard);
        select! {
            biased;
            guard = mutex.lock() => drop(guard),
            () = pending() => {}
        }
        assert_eq!(cut_short(made).0, 1);
    });
}

#[test]
fn a_timeout_cuts_a_write_short_and_neither_a_read_nor_a_permit() {
    run(async {
        let (rw, made) = (RwLock::new(0), here());
        let semaphore = Semaphore::new(1);
        let reads = async {
            let _permit = semaphore.acquire().await;
            let _guard = rw.read().await;
            pending::<()>().await;
        };
        assert!(timeout(Duration::from_millis(1), reads).await.is_err());
        assert_eq!(cut_short(made), (0, None, 0));
        let writes = async {
            let _guard = rw.write().await;
            pending::<()>().await;
        };
        let line = line!() + 1;
        assert!(timeout(Duration::from_millis(1), writes).await.is_err());
        assert_eq!(cut_short(made), (1, Some(line), By::Timeout as u8));
    });
}

#[test]
fn an_aborted_task_cuts_its_hold_short_and_one_that_ends_or_panics_does_not() {
    run(async {
        let (mutex, made) = (std::sync::Arc::new(Mutex::new(0)), here());
        let of_task = std::sync::Arc::clone(&mutex);
        let line = line!() + 1;
        let task = task::spawn(async move {
            let _guard = of_task.lock_owned().await;
            pending::<()>().await;
        });
        others().await;
        task.abort();
        let _ = task.await;
        assert_eq!(cut_short(made), (1, Some(line), By::Task as u8));
        let of_task = std::sync::Arc::clone(&mutex);
        let panics = task::spawn(async move {
            let _guard = of_task.lock().await;
            task::yield_now().await;
            panic!("on purpose");
        });
        error(panics.await);
        assert_eq!(cut_short(made).0, 1);
    });
}

#[test]
fn who_begins_a_drop_is_told_and_not_what_is_dropped_with_it() {
    run(async {
        let (mutex, made) = (std::sync::Arc::new(Mutex::new(0)), here());
        let of_task = std::sync::Arc::clone(&mutex);
        let line = line!() + 1;
        let task = task::spawn(async move {
            let held = async {
                let _guard = of_task.lock().await;
                pending::<()>().await;
            };
            select! {
                biased;
                () = held => {}
                () = pending() => {}
            }
        });
        others().await;
        task.abort();
        let _ = task.await;
        assert_eq!(cut_short(made), (1, Some(line), By::Task as u8));
    });
}

#[test]
fn what_a_destructor_locks_and_lets_go_of_is_not_cut_short() {
    struct Counts(std::sync::Arc<Mutex<u32>>);
    impl Drop for Counts {
        fn drop(&mut self) {
            *self.0.try_lock().unwrap() += 1;
        }
    }
    run(async {
        let (mutex, made) = (std::sync::Arc::new(Mutex::new(0)), here());
        let counts = Counts(std::sync::Arc::clone(&mutex));
        let dropped = async move {
            let _counts = counts;
            pending::<()>().await;
        };
        assert!(timeout(Duration::from_millis(1), dropped).await.is_err());
        assert_eq!((*mutex.lock().await, cut_short(made).0), (1, 0));
    });
}

#[test]
fn a_token_that_is_cancelled_cuts_what_runs_until_then_short() {
    run(async {
        let (mutex, made) = (Mutex::new(0), here());
        let token = CancellationToken::new();
        let held = async {
            let _guard = mutex.lock().await;
            pending::<()>().await;
        };
        let cancels = async {
            others().await;
            token.cancel();
        };
        let line = line!() + 1;
        let (ended, ()) = ::tokio::join!(token.run_until_cancelled(held), cancels);
        assert_eq!((ended, cut_short(made)), (None, (1, Some(line), By::Token as u8)));
        let held = async {
            let _guard = mutex.lock().await;
            pending::<()>().await;
        };
        let (other, token) = (token, CancellationToken::new());
        drop(other);
        let mut held = Box::pin(held.with_cancellation_token(&token));
        assert!(poll_once(held.as_mut()).is_pending());
        token.cancel();
        assert_eq!(held.await, None);
        assert_eq!(cut_short(made).0, 2);
    });
}

#[test]
fn what_was_awaited_under_a_lock_is_told_only_if_it_went_with_the_hold() {
    let hour = || crate::tokio::time::sleep(Duration::from_hours(1));
    run(async {
        let (mutex, made) = (Mutex::new(0), here());
        let given_up = || lock(made).site.given_up().map(|it| it.place.line());
        // Nothing that is watched is awaited by it, but beside it.
        let unseen = async {
            let _guard = mutex.lock().await;
            others().await;
            pending::<()>().await;
        };
        let beside = async {
            let _ = timeout(Duration::from_millis(5), hour()).await;
        };
        crate::tokio::join!(async { timeout(Duration::from_millis(1), unseen).await.unwrap_err() }, beside);
        assert_eq!((cut_short(made).0, given_up()), (1, None));

        let line = line!() + 3;
        let held = async {
            let _guard = mutex.lock().await;
            hour().await;
        };
        assert!(timeout(Duration::from_millis(1), held).await.is_err());
        assert_eq!((cut_short(made).0, given_up()), (2, Some(line)));
        assert_eq!(lock(made).site.given_up().map(|it| it.at), lock(made).cut_short.map(|it| it.at));

        // Dropped with the hold and before it, but awaited beside it; and what was given up the time before is over.
        let beside = async {
            let suspended = async {
                let _guard = mutex.lock().await;
                others().await;
                pending::<()>().await;
            };
            crate::tokio::join!(hour(), suspended)
        };
        assert!(timeout(Duration::from_millis(1), beside).await.is_err());
        assert_eq!((cut_short(made).0, given_up()), (3, None));
    });
}
