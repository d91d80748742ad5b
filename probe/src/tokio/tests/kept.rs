//! Futures that are kept and polled by reference, while their task turns to something else.
use std::{
    future::{pending, ready},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};

use super::*;
use crate::{
    recorder::{clock, wait::WaitKind},
    tokio::{
        self, select,
        sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, SetOnce, broadcast, mpsc, oneshot, watch},
        task::JoinSet,
        time::{Instant, interval_at, sleep, timeout},
    },
    tokio_util::{
        future::FutureExt,
        sync::CancellationToken,
        task::{AbortOnDropHandle, JoinMap, JoinQueue, TaskTracker},
    },
};

const LONG: Duration = Duration::from_secs(1000);

/// What a task turns to while it keeps a future.
struct Else {
    signal: mpsc::Receiver<()>,
    mutex: Arc<Mutex<()>>,
}

impl Else {
    /// Asks `kept`, until something else comes first; does that; and awaits `kept`.
    async fn then<F: Future + ?Sized>(mut self, mut kept: Pin<&mut F>) {
        select! {
            biased;
            _ = &mut kept => panic!("it is not ready"),
            _ = self.signal.recv() => {}
        }
        task::yield_now().await;
        drop(self.mutex.lock().await);
        kept.await;
    }
}

/// Has a task do as [`Else::then`] with what `keeps` hands it, and looks at its waits meanwhile: `kind` is that of what is kept,
/// whose waits are told as long as it is asked for.
async fn is_a_wait_while_it_is_asked_for<F>(what: &str, kind: WaitKind, keeps: impl FnOnce(Else) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    // Its lock is found by its line, which all tests of this file go through.
    static TURN: ::tokio::sync::Mutex<()> = ::tokio::sync::Mutex::const_new(());
    let _turn = TURN.lock().await;
    #[rustfmt::skip]
    let (mutex, made) = (Arc::new(Mutex::new(())), here());
    let guard = mutex.lock().await;
    let elsewhere = LockId(lock(made).id);
    let (go, signal) = mpsc::channel(1);
    let task = tokio::spawn(keeps(Else { signal, mutex: Arc::clone(&mutex) }));
    let of_the_kept = || waits(task.id()).into_iter().find(|wait| wait.kind == kind as u8 && !elsewhere.is(wait));
    others().await;
    let first = of_the_kept().unwrap_or_else(|| panic!("{what}: {:?}", task_waits(&task)));
    go.send(()).await.unwrap();
    others().await;
    // What is kept with a limit of time has both entries, and the lock is counted only.
    let (listed, counted) = (waits(task.id()), crate::tokio::tests::task(task.id()).more_waits);
    assert!(
        listed.iter().all(|wait| elsewhere.is(wait)) && listed.len() + usize::from(counted) == 1,
        "{what}: {listed:?}"
    );
    drop(guard);
    others().await;
    let again = of_the_kept().unwrap_or_else(|| panic!("{what}: {:?}", task_waits(&task)));
    // What a handle or a timer has is begun anew, since it has one word for it.
    let begun_anew = matches!(kind, WaitKind::Join | WaitKind::Oneshot | WaitKind::Timer);
    assert!(
        again.since == first.since || begun_anew && (first.since..=clock::ticks()).contains(&again.since),
        "{what}"
    );
    assert!(kind == WaitKind::Timer || again.on == first.on, "{what}: {again:?}, {first:?}");
    task.abort();
    let _ = task.await;
}

struct LockId(u64);

impl LockId {
    fn is(&self, wait: &WaitReading) -> bool {
        wait.kind == WaitKind::Lock as u8 && wait.on == self.0
    }
}

fn task_waits<T>(task: &task::JoinHandle<T>) -> Vec<WaitReading> {
    waits(task.id())
}

/// Keeps a future, by a reference, in a box, as a `dyn`, and within an `async` block.
macro_rules! kept {
    ($kind:ident: $({ $($first:tt)* } => $future:expr;)*) => {$({
        let (what, kind) = (stringify!($future), WaitKind::$kind);
        is_a_wait_while_it_is_asked_for(what, kind, |other| async move {
            $($first)*
            other.then(pin!($future)).await;
        }).await;
        is_a_wait_while_it_is_asked_for(&format!("boxed {what}"), kind, |other| async move {
            $($first)*
            other.then(pin!(Box::pin($future))).await;
        }).await;
        is_a_wait_while_it_is_asked_for(&format!("dyn {what}"), kind, |other| async move {
            $($first)*
            let mut kept: Pin<Box<dyn Future<Output = _> + Send + '_>> = Box::pin($future);
            other.then(kept.as_mut()).await;
        }).await;
        is_a_wait_while_it_is_asked_for(&format!("async {what}"), kind, |other| async move {
            $($first)*
            other.then(pin!(async { $future.await })).await;
        }).await;
    })*};
}

#[test]
fn a_lock_is_waited_for_while_it_is_asked_for() {
    run(async {
        kept! { Lock:
            { let mutex = Mutex::new(0); let _held = mutex.lock().await; } => mutex.lock();
            { let mutex = Arc::new(Mutex::new(0)); let _held = mutex.lock().await; } => Arc::clone(&mutex).lock_owned();
            { let lock = RwLock::new(0); let _held = lock.read().await; } => lock.write();
            { let lock = Arc::new(RwLock::new(0)); let _held = lock.read().await; } => Arc::clone(&lock).write_owned();
            { let permits = Semaphore::new(0); } => permits.acquire();
            { let permits = Semaphore::new(1); } => permits.acquire_many(2);
            { let permits = Arc::new(Semaphore::new(0)); } => Arc::clone(&permits).acquire_owned();
            { let permits = Arc::new(Semaphore::new(1)); } => Arc::clone(&permits).acquire_many_owned(2);
        }
        kept! { LockRead:
            { let lock = RwLock::new(0); let _held = lock.write().await; } => lock.read();
            { let lock = Arc::new(RwLock::new(0)); let _held = lock.write().await; } => Arc::clone(&lock).read_owned();
        }
    });
}

#[test]
fn an_event_is_waited_for_while_it_is_asked_for() {
    run(async {
        kept! { Lock:
            { let notify = Notify::new(); } => notify.notified();
            { let notify = Arc::new(Notify::new()); } => Arc::clone(&notify).notified_owned();
            { let barrier = Barrier::new(2); } => barrier.wait();
            { let cell = SetOnce::<u8>::new(); } => cell.wait();
            {
                let cell = OnceCell::<u8>::new();
                let mut made_there = pin!(cell.get_or_init(pending));
                assert!(poll_once(made_there.as_mut()).is_pending());
            } => cell.get_or_init(|| ready(1));
            {
                let cell = OnceCell::<u8>::new();
                let mut made_there = pin!(cell.get_or_init(pending));
                assert!(poll_once(made_there.as_mut()).is_pending());
            } => cell.get_or_try_init(|| ready(Ok::<_, ()>(1)));
            { let token = CancellationToken::new(); } => token.cancelled();
            { let token = CancellationToken::new(); } => token.clone().cancelled_owned();
            { let token = CancellationToken::new(); } => token.run_until_cancelled(pending::<()>());
            { let token = CancellationToken::new(); } => token.clone().run_until_cancelled_owned(pending::<()>());
            { let token = CancellationToken::new(); } => pending::<()>().with_cancellation_token(&token);
            { let tracker = TaskTracker::new(); let _one = tracker.token(); } => tracker.wait();
        }
    });
}

#[test]
fn a_channel_is_waited_for_while_it_is_asked_for() {
    run(async {
        kept! { ChannelRecv:
            { let (_tx, mut rx) = mpsc::channel::<u8>(1); } => rx.recv();
            { let (_tx, mut rx) = mpsc::channel::<u8>(1); let mut some = Vec::new(); } => rx.recv_many(&mut some, 9);
            { let (_tx, mut rx) = mpsc::unbounded_channel::<u8>(); } => rx.recv();
            { let (_tx, mut rx) = broadcast::channel::<u8>(1); } => rx.recv();
            { let (_tx, mut rx) = watch::channel(1); } => rx.changed();
            { let (_tx, mut rx) = watch::channel(1); } => rx.wait_for(|value| *value > 1);
        }
        kept! { ChannelSend:
            { let (tx, _rx) = mpsc::channel(1); tx.try_send(1).unwrap(); } => tx.send(2);
            { let (tx, _rx) = mpsc::channel(1); tx.try_send(1).unwrap(); } => tx.send_timeout(2, LONG);
            { let (tx, _rx) = mpsc::channel(1); tx.try_send(1).unwrap(); } => tx.reserve();
            { let (tx, _rx) = mpsc::channel(2); tx.try_send(1).unwrap(); } => tx.reserve_many(2);
            { let (tx, _rx) = mpsc::channel(1); tx.try_send(1).unwrap(); } => tx.clone().reserve_owned();
        }
        kept! { ChannelClosed:
            { let (tx, _rx) = mpsc::channel::<u8>(1); } => tx.closed();
            { let (tx, _rx) = mpsc::unbounded_channel::<u8>(); } => tx.closed();
            { let (tx, _rx) = broadcast::channel::<u8>(1); } => tx.closed();
            { let (tx, _rx) = watch::channel(1); } => tx.closed();
        }
        kept! { Oneshot: { let (_tx, rx) = oneshot::channel::<u8>(); } => rx; }
        kept! { OneshotClosed: { let (mut tx, _rx) = oneshot::channel::<u8>(); } => tx.closed(); }
    });
}

#[test]
fn a_task_is_waited_for_while_it_is_asked_for() {
    run(async {
        kept! { Join:
            { let task = AbortOnDropHandle::new(tokio::spawn(pending::<()>())); } => task;
            { let task = AbortOnDropHandle::new(tokio::spawn(pending::<()>())); } => task.detach();
            { let mut tasks = JoinSet::new(); tasks.spawn(pending::<()>()); } => tasks.join_next();
            { let mut tasks = JoinSet::new(); tasks.spawn(pending::<()>()); } => tasks.join_next_with_id();
            { let mut tasks = JoinSet::new(); tasks.spawn(pending::<()>()); } => tasks.join_all();
            { let mut tasks = JoinMap::new(); tasks.spawn(1, pending::<()>()); } => tasks.join_next();
            { let mut tasks = JoinQueue::new(); tasks.spawn(pending::<()>()); } => tasks.join_next();
        }
    });
}

#[test]
fn a_moment_is_waited_for_while_it_is_asked_for() {
    run(async {
        kept! { Timer:
            {} => sleep(LONG);
            {} => timeout(LONG, pending::<()>());
            { let mut ticks = interval_at(Instant::now() + LONG, LONG); } => ticks.tick();
        }
    });
}

#[test]
fn what_is_within_is_waited_for_while_that_is_asked_for() {
    run(async {
        kept! { ChannelRecv:
            { let (_tx, mut rx) = broadcast::channel::<u8>(1); } => timeout(LONG, rx.recv());
            { let (_tx, mut rx) = mpsc::channel::<u8>(1); let mut receives = pin!(async { rx.recv().await }); }
                => timeout(LONG, receives.as_mut());
            { let (_tx, mut rx) = watch::channel(1); let token = CancellationToken::new(); }
                => token.run_until_cancelled(rx.changed());
            { let (_tx, mut rx) = watch::channel(1); let token = CancellationToken::new(); }
                => rx.changed().with_cancellation_token(&token);
            { let (_tx, mut rx) = watch::channel(1); let tracker = TaskTracker::new(); }
                => tracker.track_future(rx.changed());
            { let (_tx, mut rx) = watch::channel(1); let cell = OnceCell::<u8>::new(); }
                => cell.get_or_init(async || { rx.changed().await.unwrap(); 1 });
        }
    });
}

#[test]
fn what_a_task_awaits_with_others_is_waited_for_until_it_ends() {
    run(async {
        let (first, second) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
        #[rustfmt::skip]
        let (last, made) = (Arc::new(Mutex::new(0)), here());
        let guard = last.lock().await;
        let of_task = (Arc::clone(&first), Arc::clone(&second), Arc::clone(&last));
        let joins = tokio::spawn(async move {
            let (first, second, last) = of_task;
            let (a, b) = tokio::join!(first.acquire(), second.acquire());
            a.unwrap().forget();
            b.unwrap().forget();
            *last.lock_owned().await += 1;
        });
        let of_task = (Arc::clone(&first), Arc::clone(&second), Arc::clone(&last));
        let unordered = tokio::spawn(async move {
            let (first, second, last) = of_task;
            let permits: FuturesUnordered<_> = [first, second].map(Semaphore::acquire_owned).into_iter().collect();
            permits.for_each(async |permit| permit.unwrap().forget()).await;
            *last.lock().await += 1;
        });
        others().await;
        let told = |id| waits(id).len();
        assert_eq!((told(joins.id()), told(unordered.id())), (2, 2));
        // That one's future only is polled by the one task, in two polls at least.
        for _ in 0..2 {
            first.add_permits(1);
            others().await;
        }
        assert_eq!((told(joins.id()), told(unordered.id())), (1, 1));
        second.add_permits(2);
        others().await;
        for id in [joins.id(), unordered.id()] {
            let [wait] = waits(id)[..] else { panic!("{:?}", waits(id)) };
            assert!(LockId(lock(made).id).is(&wait));
        }
        drop(guard);
        joins.await.unwrap();
        unordered.await.unwrap();
        assert_eq!(*last.lock().await, 2);
    });
}
