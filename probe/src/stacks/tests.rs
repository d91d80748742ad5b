//! Tasks that axum spawns with a tokio of its own, and blocks.
use std::{
    io::{Read, Write},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
#[cfg(not(tokio_unstable))]
use std::sync::{Arc, atomic::AtomicU64};

use axum::{Router, routing::get};

use super::{Cause, Stack, Watchdog};
use crate::{
    testing::{pause, recorder, runtime, wait_for, workers},
    tokio::runtime::{Builder, Runtime},
};

/// A process has one watchdog: two would take each other's signals for signs of life.
pub(super) fn only_watchdog() -> (MutexGuard<'static, ()>, Watchdog) {
    static ONLY: Mutex<()> = Mutex::new(());
    let only = ONLY.lock().unwrap_or_else(PoisonError::into_inner);
    (only, Watchdog::new(recorder(), true))
}

/// What the watchdog says of the workers of a runtime while `until` does not hold.
fn stacks(watchdog: &mut Watchdog, name: &str, mut until: impl FnMut(&[Stack]) -> bool) -> Vec<Stack> {
    let mut stacks = Vec::new();
    wait_for(|| {
        let ours: Vec<u64> = workers(name).iter().map(|worker| worker.id).collect();
        // Other tests of this process have blocked polls too.
        stacks.extend(watchdog.look().into_iter().filter(|stack| ours.contains(&stack.worker)));
        std::thread::sleep(Duration::from_millis(50));
        until(&stacks)
    });
    stacks
}

fn serve(runtime: &Runtime, router: Router) -> std::net::SocketAddr {
    let listener = runtime.block_on(::tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

fn request(address: std::net::SocketAddr, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Lets the handler come to its end, also where the test fails: the runtime waits for it.
struct SetOnDrop(&'static AtomicBool);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn an_axum_handler_that_sleeps_is_told_with_its_line() {
    const LINE: u32 = line!() + 4;
    static SHOWN: AtomicBool = AtomicBool::new(false);
    async fn slow() -> &'static str {
        while !SHOWN.load(Relaxed) {
            std::thread::sleep(Duration::from_millis(200));
        }
        "done"
    }
    let (_only, mut watchdog) = only_watchdog();
    let runtime = runtime("axum-sleeps", 2);
    let address = serve(&runtime, Router::new().route("/", get(slow)));
    let client = std::thread::spawn(move || request(address, "/"));
    let seen = SetOnDrop(&SHOWN);
    let shown = |stack: &Stack| {
        let worker = workers("axum-sleeps").into_iter().find(|worker| worker.id == stack.worker).unwrap();
        if cfg!(tokio_unstable) {
            stack.task != 0
                && worker.poll.map(|poll| (poll.task_id, poll.started)) == Some((stack.task, stack.poll_started))
        } else {
            stack.task == 0 && worker.poll.is_none() && worker.unwatched_since == stack.poll_started
        }
    };
    let stacks = stacks(&mut watchdog, "axum-sleeps", |stacks| stacks.last().is_some_and(shown));
    drop(seen);
    let stack = &stacks[0];
    let user = stack.frames.iter().find(|frame| frame.user).unwrap();
    assert_eq!((user.file.as_str(), user.line), (file!(), LINE), "{:#?}", stack.frames);
    assert_eq!(stack.cause, Cause::Sleep);
    assert!(client.join().unwrap().ends_with("done"));
    wait_for(|| workers("axum-sleeps").iter().all(|worker| worker.poll.is_none() && worker.unwatched_since == 0));
}

/// Computes for about as long.
fn compute(time: Duration) -> u64 {
    let (began, mut sum) = (Instant::now(), 0_u64);
    while began.elapsed() < time {
        for n in 0..100 {
            sum = std::hint::black_box(sum.wrapping_mul(31) ^ n);
        }
    }
    sum
}

#[test]
fn an_axum_handler_that_computes_is_told_with_its_line() {
    const LINE: u32 = line!() + 5;
    static SHOWN: AtomicBool = AtomicBool::new(false);
    async fn hash() -> String {
        let mut sum = 0;
        while !SHOWN.load(Relaxed) {
            sum ^= compute(Duration::from_millis(200));
        }
        sum.to_string()
    }
    let (_only, mut watchdog) = only_watchdog();
    let runtime = runtime("axum-computes", 2);
    let address = serve(&runtime, Router::new().route("/", get(hash)));
    let client = std::thread::spawn(move || request(address, "/"));
    let seen = SetOnDrop(&SHOWN);
    let stacks = stacks(&mut watchdog, "axum-computes", |stacks| !stacks.is_empty());
    drop(seen);
    let line = stacks[0].frames.iter().find(|frame| frame.user && frame.function.ends_with("hash"));
    assert_eq!(line.map(|frame| (frame.file.as_str(), frame.line)), Some((file!(), LINE)), "{stacks:#?}");
    assert_eq!(stacks[0].cause, Cause::Cpu);
    assert!(client.join().unwrap().starts_with("HTTP/1.1 200"));
    wait_for(|| workers("axum-computes").iter().all(|worker| worker.unwatched_since == 0));
}

/// One task after the other, or one and the same, that nobody watches, and a worker that never rests.
#[test]
#[cfg(not(tokio_unstable))]
fn many_short_polls_in_a_row_are_not_taken_for_a_long_one() {
    let (_only, mut watchdog) = only_watchdog();
    let runtime = runtime("never-rests", 1);
    let (tx, mut rx) = ::tokio::sync::mpsc::unbounded_channel();
    for _ in 0..1_000_000 {
        tx.send(()).unwrap();
    }
    let end = Instant::now() + Duration::from_secs(1);
    let longest = Arc::new(AtomicU64::new(0));
    let took = longest.clone();
    runtime.block_on(async move {
        ::tokio::spawn(async move {
            while let Some(()) = rx.recv().await {
                compute(Duration::from_micros(20));
            }
        });
        for _ in 0..2 {
            let took = took.clone();
            ::tokio::spawn(async move {
                while Instant::now() < end {
                    let began = Instant::now();
                    compute(Duration::from_millis(5));
                    took.fetch_max(began.elapsed().as_millis() as u64, Relaxed);
                    ::tokio::task::yield_now().await;
                }
            });
        }
    });
    let mut awake = false;
    let stacks = stacks(&mut watchdog, "never-rests", |_| {
        awake |= workers("never-rests").iter().any(|worker| worker.unparked_at != 0);
        Instant::now() >= end
    });
    assert!(awake);
    // On a machine that is busy with something else, a poll can be held up for as long as a long one takes.
    assert!(stacks.is_empty() || longest.load(Relaxed) > 100, "{stacks:#?}");
    drop(tx);
}

#[test]
fn a_busy_axum_service_is_not_accused() {
    async fn quick() -> String {
        compute(Duration::from_micros(500));
        pause(1).await;
        compute(Duration::from_millis(2)).to_string()
    }
    let (_only, mut watchdog) = only_watchdog();
    let runtime = runtime("axum-busy", 2);
    let address = serve(&runtime, Router::new().route("/", get(quick)));
    let end = Instant::now() + Duration::from_millis(1500);
    let clients: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(move || {
                while Instant::now() < end {
                    assert!(request(address, "/").starts_with("HTTP/1.1 200"));
                }
            })
        })
        .collect();
    let stacks = stacks(&mut watchdog, "axum-busy", |_| {
        assert!(workers("axum-busy").iter().all(|worker| worker.unwatched_since == 0));
        Instant::now() >= end
    });
    assert!(stacks.is_empty(), "{stacks:#?}");
    for client in clients {
        client.join().unwrap();
    }
}

/// What may take long: an idle runtime, a job of the blocking pool, `block_in_place`, and a thread that has left the
/// runtime. With the hooks in, a poll inside of `block_in_place` is watched, and inspectors know it by its stack.
#[test]
fn what_may_block_is_not_accused() {
    let (_only, mut watchdog) = only_watchdog();
    let runtime = runtime("may-block", 3);
    let single = Builder::new_current_thread().enable_all().build().unwrap();
    single.block_on(async { pause(1).await });
    let long = Duration::from_millis(500);
    runtime.block_on(async {
        ::tokio::spawn(async move {
            drop(::tokio::task::spawn_blocking(move || std::thread::sleep(long)));
            if cfg!(not(tokio_unstable)) {
                ::tokio::task::block_in_place(|| std::thread::sleep(long));
            }
        });
    });
    let end = Instant::now() + Duration::from_secs(1);
    let stacks = stacks(&mut watchdog, "may-block", |_| {
        assert!(workers("may-block").iter().all(|worker| worker.unwatched_since == 0));
        Instant::now() >= end
    });
    assert!(stacks.is_empty(), "{stacks:#?}");
}
