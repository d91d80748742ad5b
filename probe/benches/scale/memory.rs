//! What each thing takes that is watched: the difference between many of them and a quarter of that, more than of tokio's
//! own, so that what a process takes with none falls out.
//!
//! A task's own allocation goes up by 128 bytes, so what a word more in its future takes is nothing or 128. Each kind of task is
//! therefore made in sixteen sizes, a word apart, and what is printed is the mean: what a word more takes of a future of any size.
use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use crate::{options::Options, process::Process, target, usage};

/// What is made; each is used once. Of the tasks, those that wait for a oneshot or to receive have it beside themselves.
const THINGS: [&str; 13] = [
    "task",
    "task-sleeps",
    "task-oneshot",
    "task-recv",
    "task-slow",
    "mutex",
    "rwlock",
    "semaphore",
    "notify",
    "mpsc",
    "broadcast",
    "watch",
    "oneshot",
];
/// Polls of all that is [`Larger`].
static POLLED: AtomicUsize = AtomicUsize::new(0);

/// A future that is so many words larger.
struct Larger<F, const WORDS: usize> {
    inner: F,
    more: [u64; WORDS],
}

impl<F: Future, const WORDS: usize> Future for Larger<F, WORDS> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        std::hint::black_box(&self.more);
        POLLED.fetch_add(1, Relaxed);
        // SAFETY: what is pinned stays where it is.
        unsafe { self.map_unchecked_mut(|this| &mut this.inner) }.poll(cx)
    }
}

/// A poll that counts as long.
const SLOW: Duration = Duration::from_micros(80);

/// Spawns the future, each time in the next of the sixteen sizes.
macro_rules! spawn_larger {
    ($spawn:path, $nth:ident, $inner:expr) => {
        spawn_larger!($spawn, $nth, $inner, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15)
    };
    ($spawn:path, $nth:ident, $inner:expr, $($words:literal)*) => {{
        let inner = $inner;
        $nth += 1;
        match $nth % 16 {
            $($words => $spawn(Larger { inner, more: [0; $words] }),)*
            _ => unreachable!(),
        }
    }};
}

/// Makes and uses so many, which are never dropped, with tokio's own or the drop-in's types.
macro_rules! make {
    ($tokio:path, $thing:expr, $n:expr) => {{
        use $tokio as tokio;
        let (thing, n): (&str, usize) = ($thing, $n);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            macro_rules! each {
                ($one:expr) => {
                    for _ in 0..n {
                        std::mem::forget($one);
                    }
                };
            }
            let mut nth = 0_usize;
            // A runtime of one thread comes back here after a few dozen polls.
            macro_rules! all_polled {
                () => {
                    while POLLED.load(Relaxed) < n {
                        tokio::task::yield_now().await;
                    }
                };
            }
            match thing {
                "task" => {
                    each!(spawn_larger!(tokio::spawn, nth, std::future::pending::<()>()));
                    all_polled!();
                }
                "task-sleeps" => {
                    each!(spawn_larger!(tokio::spawn, nth, tokio::time::sleep(Duration::from_hours(1))));
                    all_polled!();
                }
                "task-oneshot" => {
                    each!({
                        let (sender, receiver) = tokio::sync::oneshot::channel::<u64>();
                        (spawn_larger!(tokio::spawn, nth, async move { receiver.await.unwrap() }), sender)
                    });
                    all_polled!();
                }
                "task-recv" => {
                    each!({
                        let (sender, mut receiver) = tokio::sync::mpsc::channel::<u64>(1);
                        (spawn_larger!(tokio::spawn, nth, async move { receiver.recv().await }), sender)
                    });
                    all_polled!();
                }
                "task-slow" => {
                    each!(spawn_larger!(tokio::spawn, nth, async {
                        let began = Instant::now();
                        while began.elapsed() < SLOW {
                            std::hint::spin_loop();
                        }
                        std::future::pending::<()>().await;
                    }));
                    all_polled!();
                }
                "mutex" => each!({
                    let lock = Box::new(tokio::sync::Mutex::new(0_u64));
                    *lock.lock().await += 1;
                    lock
                }),
                "rwlock" => each!({
                    let lock = Box::new(tokio::sync::RwLock::new(0_u64));
                    *lock.write().await += 1;
                    lock
                }),
                "semaphore" => each!({
                    let semaphore = Box::new(tokio::sync::Semaphore::new(4));
                    drop(semaphore.acquire().await.unwrap());
                    semaphore
                }),
                "notify" => each!({
                    let notify = Box::new(tokio::sync::Notify::new());
                    notify.notify_one();
                    notify.notified().await;
                    notify
                }),
                "mpsc" => each!({
                    let mut channel = Box::new(tokio::sync::mpsc::channel::<u64>(1));
                    channel.0.send(1).await.unwrap();
                    channel.1.recv().await.unwrap();
                    channel
                }),
                "broadcast" => each!({
                    let mut channel = Box::new(tokio::sync::broadcast::channel::<u64>(2));
                    channel.0.send(1).unwrap();
                    channel.1.recv().await.unwrap();
                    channel
                }),
                "watch" => each!({
                    let mut channel = Box::new(tokio::sync::watch::channel(0_u64));
                    channel.0.send(1).unwrap();
                    channel.1.changed().await.unwrap();
                    channel
                }),
                "oneshot" => each!(Box::new(tokio::sync::oneshot::channel::<u64>())),
                _ => panic!("no {thing}"),
            }
        });
        println!("ready");
        target::until_stdin_ends();
    }};
}

/// `bare|ours THING N`: says `ready` when there are so many, and ends with stdin.
pub(crate) fn target(args: &[String]) {
    let [whose, thing, n] = args else { panic!("WHOSE THING N, not {args:?}") };
    let n = n.parse().unwrap();
    if whose == "bare" {
        make!(::tokio, thing, n);
    } else {
        let _address = target::start(target::LIMIT);
        make!(async_inspect_probe::tokio, thing, n);
    }
    std::process::exit(0);
}

/// Prints the table.
pub(crate) fn print(options: &Options) {
    let many = options.tasks / 10;
    println!("{:12} {:>12} {:>12} {:>12}", "bytes each", "bare", "started", "more");
    for thing in THINGS {
        let [bare, ours] = ["bare", "ours"].map(|whose| {
            let [few, many] = [many / 4, many].map(|n| (n, mib(whose, thing, n)));
            (many.1 - few.1) * 1024.0 * 1024.0 / (many.0 - few.0) as f64
        });
        println!("{thing:12} {bare:>12.0} {ours:>12.0} {:>12.0}", ours - bare);
    }
}

/// What a process takes that has so many.
fn mib(whose: &str, thing: &str, n: usize) -> f64 {
    let mut process = Process::own("things", &[whose, thing, &n.to_string()]);
    process.ready();
    usage::exact_rss_mib(process.id())
}
