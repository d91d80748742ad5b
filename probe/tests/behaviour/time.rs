use std::{
    future::{pending, poll_fn, ready},
    pin::pin,
    time::Duration,
};

use async_inspect_probe::tokio::{
    self,
    time::{
        Instant, Interval, MissedTickBehavior, Sleep, interval, interval_at, sleep, sleep_until, timeout, timeout_at,
    },
};

use super::{poll_once, run};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_sleep_lasts_as_long_as_was_said_and_can_be_put_off() {
    run(async {
        let start = Instant::now();
        sleep(SECOND).await;
        sleep_until(start + 2 * SECOND).await;
        assert_eq!(start.elapsed(), 2 * SECOND);

        let mut later = pin!(sleep(SECOND));
        assert_eq!(later.deadline(), start + 3 * SECOND);
        assert!(poll_once(later.as_mut()).is_pending() && !later.is_elapsed());
        later.as_mut().reset(start + 5 * SECOND);
        later.as_mut().await;
        assert!(later.is_elapsed() && start.elapsed() == 5 * SECOND);
        assert!(poll_once(later.as_mut()).is_ready());
    });
}

#[test]
fn a_timeout_gives_the_value_or_says_that_time_is_up() {
    run(async {
        let start = Instant::now();
        assert_eq!(timeout(SECOND, ready(1)).await, Ok(1));
        assert_eq!(timeout(SECOND, pending::<()>()).await.unwrap_err().to_string(), "deadline has elapsed");
        assert!(timeout_at(start + 3 * SECOND, sleep(5 * SECOND)).await.is_err());
        assert_eq!(start.elapsed(), 3 * SECOND);
        assert_eq!(timeout(Duration::MAX, ready(2)).await, Ok(2));
        assert_eq!(timeout(Duration::ZERO, ready(3)).await, Ok(3), "the value comes first");
        // Anything that becomes a future is taken.
        let mut set = tokio::task::JoinSet::new();
        set.spawn(ready(4));
        assert_eq!(timeout(SECOND, set.join_next()).await.unwrap().unwrap().unwrap(), 4);
        let mut inside = timeout(SECOND, ready(5));
        assert_eq!(format!("{:?}", inside.get_ref()), format!("{:?}", inside.get_mut()));
        assert_eq!(inside.into_inner().await, 5);
    });
}

#[test]
fn an_interval_ticks_and_catches_up_as_it_is_told() {
    run(async {
        let start = Instant::now();
        let mut ticks = interval(SECOND);
        assert_eq!((ticks.period(), ticks.missed_tick_behavior()), (SECOND, MissedTickBehavior::Burst));
        for n in 0..3 {
            assert_eq!(ticks.tick().await, start + n * SECOND);
        }
        sleep(3 * SECOND).await;
        assert_eq!((ticks.tick().await, ticks.tick().await), (start + 3 * SECOND, start + 4 * SECOND));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        sleep(2 * SECOND).await;
        ticks.tick().await;
        ticks.reset();
        let now = Instant::now();
        assert_eq!(poll_fn(|cx| ticks.poll_tick(cx)).await, now + SECOND);
        ticks.reset_after(5 * SECOND);
        assert_eq!(ticks.tick().await, now + 6 * SECOND);
        ticks.reset_at(now + 7 * SECOND);
        assert_eq!(ticks.tick().await, now + 7 * SECOND);
        ticks.reset_immediately();
        assert_eq!(ticks.tick().await, now + 7 * SECOND);
        assert_eq!(interval_at(now + 9 * SECOND, SECOND).tick().await, now + 9 * SECOND);
    });
}

#[test]
fn giving_up_a_tick_loses_none() {
    run(async {
        let mut ticks = interval(SECOND);
        let start = ticks.tick().await;
        tokio::select! {
            biased;
            _ = ticks.tick() => unreachable!("it is later"),
            () = sleep(SECOND / 2) => {}
        }
        assert_eq!(ticks.tick().await, start + SECOND);
    });
}

#[test]
#[should_panic(expected = "`period` must be non-zero.")]
fn there_is_no_interval_of_nothing() {
    run(async {
        let _ = interval(Duration::ZERO);
    });
}

#[test]
fn timers_become_tokios_and_come_back() {
    run(async {
        let raw: tokio::raw::time::Sleep = sleep(SECOND).into();
        Sleep::from(raw).await;
        let raw: tokio::raw::time::Interval = interval(SECOND).into();
        Interval::from(raw).tick().await;
    });
}

#[test]
fn without_timers_it_panics_where_it_is_called() {
    super::super::start();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let refused = std::panic::catch_unwind(|| runtime.block_on(async { sleep(SECOND).await })).unwrap_err();
    let text = refused.downcast_ref::<String>().map(String::as_str).or(refused.downcast_ref::<&str>().copied());
    assert!(text.unwrap().contains("timers are disabled"), "{text:?}");
}
