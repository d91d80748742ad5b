// Programs as anybody writes them, each with a log of what it saw. This file is included once where `tokio` is tokio, and
// once where it is the drop-in: it must name nothing but `super::tokio` and the standard library.
use std::{
    cell::RefCell,
    panic::AssertUnwindSafe,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc, Mutex as StdMutex,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
    time::Duration,
};

use super::tokio;
use tokio::{
    sync::{
        Barrier, Mutex, MutexGuard, Notify, OnceCell, OwnedMutexGuard, OwnedRwLockReadGuard, RwLock, RwLockWriteGuard,
        Semaphore, broadcast, mpsc, oneshot, watch,
    },
    task::{JoinSet, LocalSet},
    time::{Instant, MissedTickBehavior},
};

pub(super) type Log = Arc<StdMutex<Vec<String>>>;

pub(super) type Program = (&'static str, fn() -> Vec<String>);

pub(super) const ALL: &[Program] = &[
    ("select", select),
    ("guards", guards),
    ("local tasks", local_tasks),
    ("blocking", blocking),
    ("watch", watched),
    ("broadcast", lagging),
    ("mpsc", reserving),
    ("semaphore", permits),
    ("task locals", task_locals),
    ("joins", joins),
    ("shutdown", shutdown),
    ("errors", errors),
    ("time", time),
    ("borrowed", borrowed),
    ("budget", budget),
    ("by hand", by_hand),
    ("drop order", drop_order),
];

pub(super) fn run<F: Future<Output = ()>>(program: impl FnOnce(Log) -> F) -> Vec<String> {
    let log = Log::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(program(log.clone()));
    drop(runtime);
    said(&log)
}

fn said(log: &Log) -> Vec<String> {
    std::mem::take(&mut log.lock().unwrap())
}

macro_rules! say {
    ($log:expr, $($text:tt)*) => {{
        let text = format!($($text)*);
        $log.lock().unwrap().push(text);
    }};
}

fn select() -> Vec<String> {
    run(|log| async move {
        let (tx, mut rx) = mpsc::channel::<u32>(4);
        let (stop, mut stopped) = oneshot::channel::<()>();
        let notify = Arc::new(Notify::new());
        let notified = notify.clone().notified_owned();
        tokio::pin!(notified);
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        tokio::spawn(async move {
            for n in 0..3 {
                tokio::time::sleep(Duration::from_millis(15)).await;
                tx.send(n).await.unwrap();
            }
            notify.notify_waiters();
            let _ = stop.send(());
        });
        let mut told = false;
        loop {
            tokio::select! {
                biased;
                Some(n) = rx.recv() => say!(log, "got {n}"),
                () = &mut notified, if !told => { told = true; say!(log, "notified") }
                end = &mut stopped => { say!(log, "stopped {end:?}"); break }
                at = ticks.tick() => say!(log, "tick {}", at.elapsed().as_millis()),
                else => break,
            }
        }
        // What a lost arm did not take is still there.
        let lock = Mutex::new(rx);
        for _ in 0..2 {
            tokio::select! {
                biased;
                () = async {} => say!(log, "given up: {:?}", lock.try_lock().is_ok()),
                rx = lock.lock() => say!(log, "locked {}", rx.is_closed()),
            }
        }
    })
}

fn guards() -> Vec<String> {
    run(|log| async move {
        let pair = Arc::new(Mutex::new((1, String::from("a"))));
        let text = MutexGuard::map(pair.lock().await, |pair| &mut pair.1);
        say!(log, "{} {:?} {pair:?}", *text, pair.try_lock().map(|_| ()));
        drop(text);
        let owned =
            OwnedMutexGuard::try_map(pair.clone().lock_owned().await, |pair| (pair.0 > 1).then_some(&mut pair.1));
        let Err(owned) = owned else { panic!() };
        let count = OwnedMutexGuard::map(owned, |pair| &mut pair.0);
        say!(log, "{count:?}");
        drop(count);
        say!(log, "{:?}", Arc::try_unwrap(pair).unwrap().into_inner());

        let lock = Arc::new(RwLock::with_max_readers((1, [2, 3]), 2));
        let first = OwnedRwLockReadGuard::map(lock.clone().read_owned().await, |value| &value.1[0]);
        let second = lock.read().await;
        say!(log, "{first} {second:?} {:?} {:?}", lock.try_read().is_err(), lock.try_write().map(|_| ()));
        drop((first, second));
        let mut write = lock.write().await;
        write.0 = 10;
        let read = RwLockWriteGuard::downgrade(write);
        say!(log, "{} {:?}", read.0, lock);
        drop(read);
        let mut part = RwLockWriteGuard::try_map(lock.write().await, |value| value.1.get_mut(1)).unwrap();
        *part += 1;
        drop(part);
        say!(log, "{:?}", lock.blocking_read_from_elsewhere().await);
    })
}

trait Elsewhere {
    type Value;
    async fn blocking_read_from_elsewhere(&self) -> Self::Value;
}

impl<T: Copy + Send + Sync + 'static> Elsewhere for Arc<RwLock<T>> {
    type Value = T;

    async fn blocking_read_from_elsewhere(&self) -> T {
        let lock = self.clone();
        tokio::task::spawn_blocking(move || *lock.blocking_read()).await.unwrap()
    }
}

fn local_tasks() -> Vec<String> {
    run(|log| async move {
        let shared = Rc::new(RefCell::new(Vec::new()));
        let local = LocalSet::new();
        for n in 0..3_u64 {
            let shared = shared.clone();
            local.spawn_local(async move {
                tokio::time::sleep(Duration::from_millis(10 - n)).await;
                shared.borrow_mut().push(n);
            });
        }
        let inner = local.run_until(async { tokio::task::spawn_local(async { 7 }).await.unwrap() }).await;
        local.await;
        say!(log, "{inner} {:?} {}", shared.borrow(), Rc::strong_count(&shared));
    })
}

fn blocking() -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let log = Log::default();
    let handle = runtime.handle().clone();
    let told = log.clone();
    runtime.block_on(async move {
        let value = tokio::spawn(async {
            tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(async { 3 }))
        });
        say!(told, "in place {:?}", value.await.unwrap());
        let inside = handle.clone();
        let sum = tokio::task::spawn_blocking(move || {
            let (tx, mut rx) = mpsc::channel(1);
            inside.spawn(async move {
                for n in 1..=3 {
                    tx.send(n).await.unwrap();
                }
            });
            std::iter::from_fn(|| rx.blocking_recv()).sum::<i32>()
        });
        say!(told, "sum {}", sum.await.unwrap());
        let thread = std::thread::spawn(move || {
            let _entered = handle.enter();
            let task = tokio::spawn(async { tokio::task::id() == tokio::task::try_id().unwrap() });
            handle.block_on(task).unwrap()
        });
        say!(told, "from a thread {}", thread.join().unwrap());
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    said(&log)
}

fn watched() -> Vec<String> {
    run(|log| async move {
        let (tx, mut rx) = watch::channel(0_u32);
        let mut other = tx.subscribe();
        say!(log, "{}", tx.send_if_modified(|value| std::mem::replace(value, 0) != 0));
        say!(log, "{:?} {:?}", rx.has_changed(), tx.send_replace(5));
        tx.send_modify(|value| *value += 1);
        rx.changed().await.unwrap();
        say!(log, "{} {}", *rx.borrow_and_update(), other.borrow().has_changed());
        rx.mark_changed();
        say!(log, "{:?} {:?}", rx.has_changed(), rx.clone().changed().await);
        let waiting = tokio::spawn(async move { other.wait_for(|value| *value > 9).await.map(|value| *value) });
        tokio::task::yield_now().await;
        tx.send(10).unwrap();
        say!(log, "{:?} {} {}", waiting.await.unwrap(), tx.receiver_count(), rx.same_channel(&tx.subscribe()));
        drop(rx);
        tx.closed().await;
        say!(log, "{:?} {:?}", tx.send(1).is_err(), tx);
    })
}

fn lagging() -> Vec<String> {
    run(|log| async move {
        let (tx, mut rx) = broadcast::channel(4);
        for n in 0..7 {
            tx.send(n).unwrap();
        }
        say!(log, "{} {:?} {:?}", tx.len(), rx.try_recv(), rx.recv().await);
        let mut late = rx.resubscribe();
        let weak = tx.downgrade();
        tx.send(7).unwrap();
        say!(log, "{:?} {} {:?}", late.recv().await, rx.len(), weak.upgrade().is_some());
        drop(tx);
        while let Ok(n) = rx.recv().await {
            say!(log, "{n}");
        }
        say!(log, "{:?} {:?} {}", rx.recv().await, late.try_recv(), weak.upgrade().is_none());
    })
}

fn reserving() -> Vec<String> {
    run(|log| async move {
        let (tx, mut rx) = mpsc::channel(4);
        let mut permits = tx.reserve_many(3).await.unwrap();
        say!(log, "{} {:?} {:?}", permits.len(), tx.capacity(), tx.try_reserve_many(2).map(|_| ()));
        permits.next().unwrap().send(1);
        drop(permits);
        let weak = tx.downgrade();
        let permit = tx.clone().reserve_owned().await.unwrap();
        say!(log, "{} {} {}", tx.strong_count(), tx.weak_count(), tx.max_capacity());
        let back = permit.send(2);
        say!(log, "{:?} {:?}", back.try_reserve().map(|_| ()), back.send_timeout(3, Duration::from_millis(1)).await);
        back.send(4).await.unwrap();
        say!(log, "{:?}", back.send_timeout(5, Duration::from_millis(1)).await);
        let mut all = Vec::new();
        say!(log, "{} {all:?}", rx.recv_many(&mut all, 3).await);
        drop((tx, back));
        say!(log, "{} {:?} {:?} {:?}", weak.upgrade().is_none(), rx.recv().await, rx.recv().await, rx.try_recv());
        let (tx, mut rx) = mpsc::unbounded_channel::<Rc<u8>>();
        tx.send(Rc::new(1)).unwrap();
        rx.close();
        say!(log, "{:?} {} {:?} {:?}", tx.send(Rc::new(2)), tx.is_closed(), rx.recv().await, rx.blocking_is_over());
    })
}

trait Over {
    fn blocking_is_over(&mut self) -> bool;
}

impl<T> Over for mpsc::UnboundedReceiver<T> {
    fn blocking_is_over(&mut self) -> bool {
        self.is_closed() && self.is_empty() && self.sender_strong_count() == 1
    }
}

fn permits() -> Vec<String> {
    run(|log| async move {
        let pool = Arc::new(Semaphore::new(5));
        let mut four = pool.clone().acquire_many_owned(4).await.unwrap();
        let one = four.split(1).unwrap();
        say!(log, "{} {} {:?}", four.num_permits(), pool.available_permits(), four.split(9).is_none());
        drop(one);
        four.merge(pool.clone().try_acquire_owned().unwrap());
        say!(log, "{} {:?}", four.num_permits(), pool.try_acquire_many(3).map(|_| ()));
        let order = log.clone();
        let waiting = tokio::spawn({
            let pool = pool.clone();
            async move {
                let all = pool.acquire_many(5).await.unwrap();
                say!(order, "all {}", all.num_permits());
                all.forget();
            }
        });
        tokio::task::yield_now().await;
        say!(log, "queued: {:?}", pool.try_acquire().map(|_| ()));
        drop(four);
        waiting.await.unwrap();
        pool.add_permits(2);
        say!(log, "{} {}", pool.forget_permits(9), pool.available_permits());
        pool.close();
        say!(log, "{:?} {:?}", pool.acquire().await.map(|_| ()), pool.is_closed());
    })
}

tokio::task_local! {
    static REQUEST: u32;
}

fn task_locals() -> Vec<String> {
    run(|log| async move {
        let said = log.clone();
        REQUEST
            .scope(1, async move {
                let inner = REQUEST.scope(2, async { REQUEST.get() }).await;
                let spawned = tokio::spawn(async { REQUEST.try_with(|n| *n) }).await.unwrap();
                say!(said, "{inner} {} {spawned:?}", REQUEST.get());
            })
            .await;
        say!(log, "{:?} {}", REQUEST.try_with(|_| ()), REQUEST.sync_scope(3, || REQUEST.get()));
    })
}

fn joins() -> Vec<String> {
    run(|log| async move {
        let wait = |ms, result: Result<u64, &'static str>| async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            result
        };
        say!(log, "{:?}", tokio::try_join!(wait(5, Ok(1)), wait(1, Ok(2))));
        say!(log, "{:?}", tokio::try_join!(wait(50_000, Ok(1)), wait(1, Err("no"))));
        say!(log, "{:?}", tokio::join!(wait(5, Ok(1)), async { 4 }, wait(1, Err("no"))));
        let mut set: JoinSet<u64> = (0..4_u64)
            .map(|n| async move {
                tokio::time::sleep(Duration::from_millis(10 - n)).await;
                n
            })
            .collect();
        set.spawn_blocking(|| 9);
        let abort = set.spawn(std::future::pending());
        abort.abort();
        let mut ends = Vec::new();
        while let Some(end) = set.join_next_with_id().await {
            ends.push(end.map(|(_, n)| n).map_err(|error| error.is_cancelled()));
        }
        ends.sort();
        say!(log, "{ends:?} {} {}", set.is_empty(), abort.is_finished());
        let once = OnceCell::new();
        say!(
            log,
            "{:?}",
            tokio::join!(once.get_or_init(|| async { 1 }), once.get_or_try_init(|| async { Err::<i32, ()>(()) }))
        );
        let barrier = Arc::new(Barrier::new(3));
        let leaders = (0..3).map(|_| {
            tokio::spawn({
                let barrier = barrier.clone();
                async move { barrier.wait().await.is_leader() }
            })
        });
        let leaders: JoinSet<_> = leaders.map(|task| async move { task.await.unwrap() }).collect();
        say!(log, "{}", leaders.join_all().await.into_iter().filter(|leads| *leads).count());
    })
}

struct Said(&'static str, Log);

impl Drop for Said {
    fn drop(&mut self) {
        say!(self.1, "dropped {}", self.0);
    }
}

fn shutdown() -> Vec<String> {
    run(|log| async move {
        let (done, mut ended) = mpsc::channel::<()>(1);
        let (stop, _) = broadcast::channel::<()>(1);
        for n in 0..2_u64 {
            let (done, mut stop, log) = (done.clone(), stop.subscribe(), log.clone());
            tokio::spawn(async move {
                let _done = done;
                let end = tokio::time::timeout(Duration::from_secs(n * 10), stop.recv()).await;
                say!(log, "worker {n}: {end:?}");
            });
        }
        drop(done);
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.send(()).unwrap();
        say!(log, "{:?}", ended.recv().await);
        let held = Said("what a task held", log.clone());
        let task = tokio::spawn(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        task.abort();
        say!(log, "{:?}", task.await.unwrap_err().is_cancelled());
        let left = Said("what was left", log.clone());
        tokio::spawn(async move {
            let _left = left;
            std::future::pending::<()>().await;
        });
        tokio::task::yield_now().await;
        say!(log, "the root is over");
    })
}

fn errors() -> Vec<String> {
    run(|log| async move {
        let panicked =
            tokio::spawn(async { std::panic::resume_unwind(Box::new("on purpose")) as () }).await.unwrap_err();
        say!(log, "{} {:?}", panicked.is_panic(), panicked.into_panic().downcast_ref::<&str>());
        let lock = Arc::new(Mutex::new(1));
        let spoiled = tokio::spawn({
            let lock = lock.clone();
            async move {
                let _held = lock.lock().await;
                std::panic::resume_unwind(Box::new(()));
            }
        });
        say!(log, "{} {:?}", spoiled.await.is_err(), lock.try_lock());
        let blocked = std::panic::catch_unwind(AssertUnwindSafe(|| ()));
        say!(log, "{blocked:?}");
        let (tx, rx) = oneshot::channel::<u8>();
        drop(rx);
        say!(log, "{:?} {}", tx.is_closed(), tx.send(1).unwrap_err());
        let (tx, mut rx) = oneshot::channel::<u8>();
        say!(log, "{:?}", rx.try_recv());
        drop(tx);
        say!(log, "{:?}", rx.try_recv());
        let elapsed = tokio::time::timeout(Duration::ZERO, std::future::pending::<()>()).await.unwrap_err();
        say!(log, "{elapsed} {elapsed:?}");
        let (tx, rx) = mpsc::channel(1);
        say!(log, "{:?} {:?}", tx.try_send(1), tx.try_send(2));
        drop(rx);
        say!(log, "{} {}", tx.try_send(2).unwrap_err(), tx.send(3).await.unwrap_err());
    })
}

fn time() -> Vec<String> {
    run(|log| async move {
        let start = Instant::now();
        let since = || start.elapsed().as_millis();
        let mut sleep = Box::pin(tokio::time::sleep(Duration::from_millis(100)));
        sleep.as_mut().reset(start + Duration::from_millis(30));
        sleep.as_mut().await;
        say!(log, "{} {} {:?}", since(), sleep.is_elapsed(), sleep.deadline() - start);
        let mut ticks = tokio::time::interval_at(start + Duration::from_millis(40), Duration::from_millis(10));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks.tick().await;
        tokio::time::advance(Duration::from_millis(25)).await;
        for _ in 0..2 {
            ticks.tick().await;
            say!(log, "{}", since());
        }
        ticks.reset_after(Duration::from_millis(3));
        ticks.tick().await;
        let late = tokio::time::timeout_at(start + Duration::from_millis(200), std::future::pending::<()>()).await;
        say!(log, "{} {:?} {:?}", since(), ticks.period(), late.is_err());
        tokio::time::sleep_until(start).await;
        say!(log, "{}", since());
    })
}

/// What a timeout borrows may be used again while the timeout is still there: it has no destructor that would look at it.
fn borrowed() -> Vec<String> {
    struct Push<'a>(&'a mut Vec<u8>);
    impl Future for Push<'_> {
        type Output = usize;
        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<usize> {
            self.0.push(1);
            Poll::Ready(self.0.len())
        }
    }
    run(|log| async move {
        let (tx, mut rx) = oneshot::channel::<u8>();
        let wait = tokio::time::timeout(Duration::from_millis(5), &mut rx);
        tokio::pin!(wait);
        say!(log, "{}", (&mut wait).await.is_err());
        rx.close();
        say!(log, "{:?}", tx.send(1));
        let mut pushed = vec![];
        let push = tokio::time::timeout(Duration::from_millis(5), Push(&mut pushed));
        tokio::pin!(push);
        say!(log, "{:?}", push.as_mut().await);
        pushed.push(3);
        say!(log, "{pushed:?}");
    })
}

/// After how many of each a task lets others run: what is awaited takes from its budget, whether it is ready or not.
fn budget() -> Vec<String> {
    run(|log| async move {
        let turns = Arc::new(AtomicU32::new(0));
        let turn = turns.clone();
        let other = tokio::spawn(async move {
            loop {
                turn.fetch_add(1, Relaxed);
                tokio::task::yield_now().await;
            }
        });
        macro_rules! after {
            ($($name:literal: $made:expr, |$of:pat_param| $does:expr;)*) => {$({
                let ($of, turns) = ($made, turns.clone());
                let after = tokio::spawn(async move {
                    let (mut after, mut last) = (Vec::new(), turns.load(Relaxed));
                    for n in 0..300 {
                        let _ = $does;
                        let now = turns.load(Relaxed);
                        if std::mem::replace(&mut last, now) != now {
                            after.push(n);
                        }
                    }
                    after
                });
                say!(log, "{}: {:?}", $name, after.await.unwrap());
            })*};
        }
        after! {
            "a mutex": Mutex::new(1), |lock| *lock.lock().await;
            "an owned one": Arc::new(Mutex::new(1)), |lock| *lock.clone().lock_owned().await;
            "tried": Mutex::new(1), |lock| *lock.try_lock().unwrap();
            "a read": RwLock::new(1), |lock| *lock.read().await;
            "a write": RwLock::new(1), |lock| *lock.write().await;
            "a permit": Semaphore::new(1), |pool| pool.acquire().await.is_ok();
            "bounded": mpsc::channel(1), |mut channel| {
                channel.0.send(1).await.unwrap();
                channel.1.recv().await
            };
            "reserved": mpsc::channel::<u8>(1), |channel| drop(channel.0.reserve().await);
            "unbounded": mpsc::unbounded_channel(), |mut channel| {
                channel.0.send(1).unwrap();
                channel.1.recv().await
            };
            "without a budget": mpsc::channel(1), |mut channel| tokio::task::unconstrained(async {
                channel.0.send(1).await.unwrap();
                channel.1.recv().await
            }).await;
            "a oneshot": (), |()| {
                let (tx, rx) = oneshot::channel();
                tx.send(1).unwrap();
                rx.await
            };
            "a broadcast": broadcast::channel(1), |mut channel| {
                channel.0.send(1).unwrap();
                channel.1.recv().await
            };
            "a watch": watch::channel(1), |mut channel| {
                channel.0.send(1).unwrap();
                channel.1.changed().await
            };
            "a notification": Notify::new(), |notify| {
                notify.notify_one();
                notify.notified().await;
            };
            "a cell": OnceCell::new(), |cell| *cell.get_or_init(|| async { 1 }).await;
            "a set": JoinSet::new(), |mut set| {
                set.spawn(async {});
                set.join_next().await
            };
            "a sleep": (), |()| tokio::time::sleep(Duration::ZERO).await;
            "a timeout": (), |()| tokio::time::timeout(Duration::from_secs(1), async {}).await;
            "consumed": (), |()| tokio::task::coop::consume_budget().await;
        }
        other.abort();
    })
}

struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Relaxed);
    }
}

/// Without a runtime: who is woken when, and who is next.
fn by_hand() -> Vec<String> {
    let (log, count) = (Log::default(), Arc::new(Wakes(AtomicU32::new(0))));
    let (wake, woken) = (Waker::from(count.clone()), || count.0.load(Relaxed));
    let cx = &mut Context::from_waker(&wake);

    let lock = Arc::new(Mutex::new(0));
    let held = lock.try_lock().unwrap();
    let (mut first, mut second) = (Box::pin(lock.lock()), Box::pin(lock.clone().lock_owned()));
    say!(log, "{} {}", first.as_mut().poll(cx).is_pending(), second.as_mut().poll(cx).is_pending());
    drop(held);
    say!(log, "{} {} {}", woken(), lock.try_lock().is_err(), second.as_mut().poll(cx).is_pending());
    drop(first);
    say!(log, "given on: {} {}", woken(), second.as_mut().poll(cx).is_ready());

    let pool = Semaphore::new(0);
    let (mut two, mut one) = (Box::pin(pool.acquire_many(2)), Box::pin(pool.acquire()));
    say!(log, "{} {}", two.as_mut().poll(cx).is_pending(), one.as_mut().poll(cx).is_pending());
    pool.add_permits(1);
    say!(log, "{} {} {}", woken(), one.as_mut().poll(cx).is_pending(), pool.available_permits());
    drop(two);
    say!(log, "given on: {} {}", woken(), one.as_mut().poll(cx).is_ready());

    let cell = OnceCell::new();
    let mut never = Box::pin(cell.get_or_init(std::future::pending::<u8>));
    let mut other = Box::pin(cell.get_or_init(|| async { 2 }));
    say!(log, "{} {}", never.as_mut().poll(cx).is_pending(), other.as_mut().poll(cx).is_pending());
    drop(never);
    say!(log, "given on: {} {:?}", woken(), other.as_mut().poll(cx));

    let notify = Notify::new();
    let mut enabled = Box::pin(notify.notified());
    say!(log, "{}", enabled.as_mut().enable());
    let mut behind = Box::pin(notify.notified());
    say!(log, "{:?}", behind.as_mut().poll(cx));
    notify.notify_one();
    drop(enabled);
    say!(log, "given on: {} {:?}", woken(), behind.as_mut().poll(cx));

    let barrier = Barrier::new(2);
    let (mut first, mut last) = (Box::pin(barrier.wait()), Box::pin(barrier.wait()));
    let leads = |wait: Poll<tokio::sync::BarrierWaitResult>| wait.map(|of| of.is_leader());
    say!(log, "{:?} {:?}", leads(first.as_mut().poll(cx)), leads(last.as_mut().poll(cx)));
    say!(log, "{:?} {}", leads(first.as_mut().poll(cx)), woken());
    said(&log)
}

/// When what goes into channels, tasks and sets is dropped.
fn drop_order() -> Vec<String> {
    run(|log| async move {
        let value = |name| Said(name, log.clone());
        let forever = |held: Said| async move {
            let _held = held;
            std::future::pending::<()>().await;
        };
        let (tx, rx) = mpsc::channel(2);
        tx.send(value("a message without a receiver")).await.ok();
        drop(rx);
        say!(log, "the receiver is gone");
        drop(tx);
        let (tx, rx) = watch::channel(value("a value"));
        tx.send_replace(value("another"));
        drop(tx);
        say!(log, "the sender is gone");
        drop(rx);
        let task = tokio::spawn(forever(value("what an aborted task holds")));
        tokio::task::yield_now().await;
        task.abort();
        say!(log, "aborted");
        tokio::task::yield_now().await;
        let task = tokio::spawn(forever(value("what is never polled")));
        task.abort();
        say!(log, "aborted, {}", task.await.is_err());
        let result = value("a result");
        let task = tokio::spawn(async move { result });
        tokio::task::yield_now().await;
        say!(log, "ended");
        drop(task);
        let mut set = JoinSet::new();
        set.spawn(forever(value("what a set's task holds")));
        tokio::task::yield_now().await;
        drop(set);
        say!(log, "the set is gone");
        tokio::task::yield_now().await;
        let late = forever(value("what is late"));
        say!(log, "{:?}", tokio::time::timeout(Duration::from_millis(1), late).await);
        let guard = Arc::new(Mutex::new(value("in a mutex"))).lock_owned().await;
        say!(log, "the guard is all that there is");
        drop(guard);
    })
}
