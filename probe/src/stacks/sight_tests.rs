//! Lines of what happens at a moment, or in many short polls.
#![cfg(all(feature = "watch-tasks", feature = "watch-channels"))]
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use super::{Cause, Sight, SightKind, Watchdog, tests::only_watchdog};
use crate::{
    recorder::{
        peek,
        site::{Site, SiteKind},
    },
    testing::{pause, recorder, runtime, wait_for},
    tokio::{runtime::Runtime, sync::oneshot, task::yield_now},
};

/// The site of that kind in this line of this file.
fn site(kind: SiteKind, line: u32) -> &'static Site {
    let is_it =
        |site: &&Site| site.info.kind == kind && site.info.location.file() == file!() && site.info.location.line() == line;
    recorder().sites.all().find(is_it).expect("something was made there")
}

/// What is seen of that kind, of what comes from that site, by a watchdog that looks again and again; `change` goes before
/// each look.
fn sight(watchdog: &mut Watchdog, kind: SightKind, of: &Site, mut change: impl FnMut(&mut Watchdog)) -> Sight {
    let mut found = None;
    wait_for(|| {
        change(watchdog);
        watchdog.look();
        watchdog.look_into_polls();
        for looks in 0..20 {
            if let Some(pause) = watchdog.closer_look(looks) {
                std::thread::sleep(pause);
                watchdog.look_closer();
            }
        }
        found = watchdog.sights().into_iter().find(|sight| (sight.kind, sight.of) == (kind, of.id.into()));
        found.is_some()
    });
    found.unwrap()
}

fn line(sight: &Sight) -> (&str, u32) {
    (&sight.frame.file, sight.frame.line)
}

#[test]
fn a_sender_that_is_dropped_unsent_is_seen_at_the_end_of_its_block() {
    const MADE: u32 = line!() + 2;
    async fn ask() {
        let (reply, answer) = oneshot::channel::<u8>();
        {
            let reply = reply;
            if line!() == 0 {
                let _ = reply.send(1);
            }
        }
        answer.await.unwrap_err();
    }
    let (_only, mut watchdog) = only_watchdog();
    let runtime = runtime("unsent", 1);
    let ask_once = |_: &mut Watchdog| runtime.block_on(async { runtime.spawn(ask()).await.unwrap() });
    watchdog.look();
    ask_once(&mut watchdog);
    let seen = sight(&mut watchdog, SightKind::Unsent, site(SiteKind::Oneshot, MADE), ask_once);
    assert_eq!(line(&seen), (file!(), MADE + 6), "{seen:#?}");
}

/// The line at which a task that is polled over and over is seen to wake itself.
fn wakes_at(watchdog: &mut Watchdog, runtime: &Runtime, future: impl Future<Output = ()> + Send + 'static) -> Sight {
    let task = runtime.spawn(future);
    let slot = recorder().task(peek::task_id(task.id())).unwrap();
    let seen = sight(watchdog, SightKind::SelfWake, slot.site(), |watchdog| {
        pause_thread(20);
        watchdog.polled(slot, &slot.read().unwrap());
    });
    task.abort();
    seen
}

fn pause_thread(ms: u64) {
    std::thread::sleep(Duration::from_millis(ms));
}

#[test]
fn a_task_that_yields_over_and_over_is_seen_at_that_await() {
    const YIELDS: u32 = line!() + 3;
    async fn ask_over_and_over() {
        loop {
            yield_now().await;
        }
    }
    let (_only, mut watchdog) = only_watchdog();
    let runtime = runtime("yields", 1);
    let seen = wakes_at(&mut watchdog, &runtime, ask_over_and_over());
    assert_eq!(line(&seen), (file!(), YIELDS), "{seen:#?}");
}

#[test]
fn a_future_that_wakes_its_task_by_hand_is_seen_in_its_own_poll() {
    const WAKES: u32 = line!() + 5;
    struct Asks;
    impl Future for Asks {
        type Output = ();
        fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    }
    let (_only, mut watchdog) = only_watchdog();
    let runtime = runtime("wakes-by-hand", 1);
    let seen = wakes_at(&mut watchdog, &runtime, Asks);
    assert_eq!(line(&seen), (file!(), WAKES), "{seen:#?}");
}

#[test]
fn polls_of_some_hundredths_of_a_second_are_seen_at_the_line_that_calls_what_takes_long() {
    const CALLS: u32 = line!() + 9;
    fn scale() {
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(25) {
            std::hint::black_box((0..100_u64).sum::<u64>());
        }
    }
    async fn thumbnails() {
        loop {
            scale();
            pause(1).await;
        }
    }
    let (_only, mut watchdog) = only_watchdog();
    let runtime = runtime("thumbnails", 1);
    let task = runtime.spawn(thumbnails());
    let slot = recorder().task(peek::task_id(task.id())).unwrap();
    let seen = sight(&mut watchdog, SightKind::LongPoll, slot.site(), |_| {});
    task.abort();
    assert_eq!((line(&seen), seen.cause), ((file!(), CALLS), Cause::Cpu), "{seen:#?}");
}
