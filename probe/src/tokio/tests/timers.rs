use std::{future::pending, time::Duration};

use super::*;
use crate::{
    recorder::wait::WaitKind,
    tokio::{
        self,
        sync::Mutex,
        time::{Instant, interval, interval_at, sleep, timeout},
    },
};

const LONG: Duration = Duration::from_secs(1000);

/// For so many milliseconds, or less.
fn waits_for_a_timer(id: task::Id, at: (&str, u32), most: u64) {
    let [wait] = waits(id)[..] else { panic!("one wait") };
    assert_eq!((wait.kind, place(wait.site.unwrap())), (WaitKind::Timer as u8, at));
    assert!((1..=most).contains(&wait.on), "{} ms", wait.on);
}

#[test]
fn a_task_that_sleeps_waits_for_a_timer_at_its_line() {
    // Long enough to be looked at by a thread that loses its CPU.
    const SHORT: Duration = Duration::from_millis(250);
    run(async {
        let at = here();
        let sleeper = tokio::spawn(async {
            sleep(SHORT).await;
            sleep(LONG).await;
        });
        others().await;
        waits_for_a_timer(sleeper.id(), (at.0, at.1 + 2), 250);
        while waits(sleeper.id()).first().is_none_or(|wait| place(wait.site.unwrap()).1 != at.1 + 3) {
            sleep(Duration::from_millis(1)).await;
        }
        // What the code says, though its first poll came later.
        assert_eq!(waits(sleeper.id())[0].on, 1_000_000);
        sleeper.abort();

        let at = here();
        let sleeper = tokio::spawn(async {
            sleep(SHORT).await;
            let mut ticks = interval(LONG);
            ticks.tick().await;
            ticks.tick().await;
        });
        others().await;
        waits_for_a_timer(sleeper.id(), (at.0, at.1 + 2), 250);
        while waits(sleeper.id()).first().is_none_or(|wait| place(wait.site.unwrap()).1 != at.1 + 5) {
            sleep(Duration::from_millis(1)).await;
        }
        waits_for_a_timer(sleeper.id(), (at.0, at.1 + 5), 1_000_000);
        sleeper.abort();
    });
}

#[test]
fn what_a_timeout_gives_up_is_counted_where_it_is_unless_it_waited_for_something_watched() {
    run(async {
        let (short, mutex) = (Duration::from_millis(1), std::sync::Arc::new(Mutex::new(0)));
        let held = mutex.lock().await;
        let at = here();
        let (counted, nothing) = ((at.0, at.1 + 7), (at.0, at.1 + 9));
        let waiting = std::sync::Arc::clone(&mutex);
        let limited = tokio::spawn(async move {
            // The first ends in time, when nothing is known of the place yet.
            for ends in [true, false, false, true] {
                let work = async move { if ends { sleep(Duration::ZERO).await } else { pending().await } };
                let _ = timeout(if ends { LONG } else { short }, work).await;
            }
            let _ = timeout(short, waiting.lock()).await;
        });
        limited.await.unwrap();
        drop(held);
        let site = site(SiteKind::Timeout, counted);
        assert_eq!((site.total(Total::Finished), site.total(Total::Aborted), site.total(Total::Spawned)), (3, 2, 0));
        assert!(recorder().sites.all().all(|site| place(site.info.location) != nothing));
    });
}

#[test]
fn a_wait_with_a_timeout_is_two_waits_until_either_is_over() {
    run(async {
        #[rustfmt::skip]
        let (m, made) = (std::sync::Arc::new(Mutex::new(0)), here());
        let held = m.lock().await;
        let id = lock(made).id;
        let waiter = tokio::spawn({
            let m = std::sync::Arc::clone(&m);
            async move {
                let _ = timeout(LONG, m.lock()).await;
                pending::<()>().await;
            }
        });
        others().await;
        let mut both: Vec<_> = waits(waiter.id()).iter().map(|wait| (wait.kind, wait.on)).collect();
        both.sort_unstable();
        assert_eq!(both, [(WaitKind::Lock as u8, id), (WaitKind::Timer as u8, 1_000_000)]);
        drop(held);
        others().await;
        assert!(waits(waiter.id()).is_empty());
        waiter.abort();
    });
}

#[test]
fn a_sleep_that_lost_a_select_is_not_waited_for_any_more() {
    run(async {
        let (go, come) = tokio::sync::oneshot::channel::<()>();
        let waiter = tokio::spawn(async move {
            let mut later = std::pin::pin!(sleep(LONG));
            tokio::select! {
                biased;
                _ = come => {}
                () = &mut later => {}
            }
            tokio::task::yield_now().await;
            pending::<()>().await;
            later.await;
        });
        others().await;
        assert_eq!(waits(waiter.id()).len(), 2);
        go.send(()).unwrap();
        others().await;
        assert!(waits(waiter.id()).is_empty(), "the timer lives, but nobody waits for it");
        waiter.abort();
    });
}

#[test]
fn a_timer_that_is_put_off_tells_when_it_is_due_now() {
    run(async {
        let hundreds = |id| waits(id).iter().map(|wait| wait.on.div_ceil(100_000)).collect::<Vec<_>>();
        let (go, come) = tokio::sync::oneshot::channel::<()>();
        let sleeper = tokio::spawn(async move {
            let mut later = std::pin::pin!(sleep(LONG));
            tokio::select! {
                biased;
                () = &mut later => {}
                _ = come => {}
            }
            later.as_mut().reset(Instant::now() + 2 * LONG);
            later.await;
        });
        let ticker = tokio::spawn(async { interval_at(Instant::now() + 3 * LONG, LONG).tick().await });
        others().await;
        assert!(hundreds(sleeper.id()).contains(&10), "{:?}", hundreds(sleeper.id()));
        assert_eq!(hundreds(ticker.id()), [30]);
        go.send(()).unwrap();
        others().await;
        assert_eq!(hundreds(sleeper.id()), [20]);
        sleeper.abort();
        ticker.abort();
    });
}
