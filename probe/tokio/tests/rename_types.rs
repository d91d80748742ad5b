//! Code that names tokio's types, in fields, signatures, statics and trait bounds, compiles and runs unchanged.
#![allow(clippy::unwrap_used, reason = "a test helper may fail the test")]
extern crate async_inspect_tokio as tokio;

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    select,
    sync::{
        Barrier, Notify, OnceCell, OwnedRwLockWriteGuard, OwnedSemaphorePermit, RwLock, RwLockReadGuard, Semaphore,
        SemaphorePermit, SetOnce, TryAcquireError, broadcast, futures::Notified, mpsc, oneshot, watch,
    },
    time::{self, Instant, Interval, MissedTickBehavior, Sleep, Timeout},
};

static CONFIG: OnceCell<String> = OnceCell::const_new();
static READY: Notify = Notify::const_new();
static STATE: LazyLock<RwLock<HashMap<u32, String>>> = LazyLock::new(RwLock::default);
static LIMIT: Semaphore = Semaphore::const_new(2);

/// An actor that answers by oneshot.
#[derive(Debug)]
enum Command {
    Get { key: u32, reply: oneshot::Sender<Option<String>> },
    Put(u32, String),
}

#[derive(Debug, Clone)]
struct Client {
    commands: mpsc::Sender<Command>,
    events: broadcast::Sender<u32>,
    shutdown: watch::Receiver<bool>,
    limit: Arc<Semaphore>,
}

struct Lease {
    _permit: OwnedSemaphorePermit,
    until: Pin<Box<Sleep>>,
}

impl Future for Lease {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.until.as_mut().poll(cx)
    }
}

struct Ticker {
    interval: Interval,
    last: Option<Instant>,
}

impl Ticker {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let tick = std::task::ready!(self.interval.poll_tick(cx));
        self.last = Some(tick);
        Poll::Ready(tick)
    }
}

impl Client {
    async fn get(&self, key: u32) -> Result<Option<String>, oneshot::error::RecvError> {
        let (reply, answer) = oneshot::channel();
        let _ = self.commands.send(Command::Get { key, reply }).await;
        answer.await
    }

    async fn lease(&self, span: Duration) -> Result<Lease, tokio::sync::AcquireError> {
        Ok(Lease { _permit: self.limit.clone().acquire_owned().await?, until: Box::pin(time::sleep(span)) })
    }
}

async fn actor(mut commands: mpsc::Receiver<Command>, events: broadcast::Sender<u32>, stop: watch::Receiver<bool>) {
    let mut stop = stop;
    let mut store = HashMap::new();
    loop {
        select! {
            changed = stop.changed() => {
                if changed.is_err() || *stop.borrow_and_update() {
                    return;
                }
            }
            Some(command) = commands.recv() => match command {
                Command::Get { key, reply } => drop(reply.send(store.get(&key).cloned())),
                Command::Put(key, value) => {
                    store.insert(key, value);
                    let _ = events.send(key);
                }
            },
            else => return,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_actor_with_replies_events_and_a_shutdown() {
    let ((commands, inbox), (events, mut heard)) = (mpsc::channel(8), broadcast::channel(8));
    let (stop, shutdown) = watch::channel(false);
    let running = tokio::spawn(actor(inbox, events.clone(), shutdown.clone()));
    let client = Client { commands, events, shutdown, limit: Arc::new(Semaphore::new(1)) };
    client.commands.send(Command::Put(1, "one".into())).await.unwrap();
    assert_eq!(heard.recv().await.unwrap(), 1);
    assert_eq!(client.get(1).await.unwrap().as_deref(), Some("one"));

    let lease = client.lease(Duration::from_secs(5)).await.unwrap();
    assert!(matches!(client.limit.try_acquire(), Err(TryAcquireError::NoPermits)));
    let limited: Timeout<_> = time::timeout(Duration::from_secs(1), client.lease(Duration::ZERO));
    assert!(limited.await.is_err());
    lease.await;
    client.lease(Duration::ZERO).await.unwrap().await;

    stop.send(true).unwrap();
    running.await.unwrap();
    assert!(*client.shutdown.borrow() && client.get(1).await.is_err() && client.events.receiver_count() == 1);
}

fn longest(guard: RwLockReadGuard<'_, HashMap<u32, String>>) -> usize {
    RwLockReadGuard::map(guard, |map| map).values().map(String::len).max().unwrap_or(0)
}

fn double(mut guard: OwnedRwLockWriteGuard<u32>) -> u32 {
    *guard *= 2;
    *guard.downgrade()
}

async fn two<'a>() -> (SemaphorePermit<'a>, SemaphorePermit<'static>) {
    let mut both = LIMIT.acquire_many(2).await.unwrap();
    (both.split(1).unwrap(), both)
}

fn wait_for_ready() -> Notified<'static> {
    READY.notified()
}

#[tokio::test(start_paused = true)]
async fn statics_guards_and_named_futures() {
    assert_eq!(CONFIG.get_or_init(|| async { "config".to_owned() }).await, "config");
    STATE.write().await.insert(1, "state".into());
    assert_eq!(longest(STATE.read().await), 5);
    assert_eq!(double(Arc::new(RwLock::new(2)).write_owned().await), 4);
    let (one, other) = two().await;
    assert_eq!((one.num_permits() + other.num_permits(), LIMIT.available_permits()), (2, 0));

    let ready = wait_for_ready();
    READY.notify_waiters();
    ready.await;
    let (barrier, value) = (Barrier::new(1), SetOnce::new());
    assert!(barrier.wait().await.is_leader());
    value.set(3).unwrap();
    assert_eq!(*value.wait().await, 3);

    let mut ticker = Ticker { interval: time::interval(Duration::from_secs(1)), last: None };
    ticker.interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let first = std::future::poll_fn(|cx| ticker.poll_next(cx)).await;
    assert_eq!(ticker.last, Some(first));
    let later = time::sleep_until(first + Duration::from_secs(3));
    tokio::pin!(later);
    loop {
        select! {
            () = &mut later => break,
            _ = ticker.interval.tick() => later.as_mut().reset(first),
        }
    }
}
