//! A crate that names this one `tokio_util`, and its neighbour `tokio`, compiles and runs unchanged.
#![allow(clippy::unwrap_used, reason = "a test helper may fail the test")]
// What `package = "…"` does in a `Cargo.toml`.
extern crate async_inspect_tokio as tokio;
extern crate async_inspect_tokio_util as tokio_util;

use std::{
    future::{Future, poll_fn},
    io::{Read, Write},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt as _, SinkExt, StreamExt};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::{Handle, Runtime},
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    task::{AbortHandle, JoinHandle, LocalSet},
    time::{Instant, sleep, timeout},
};
use tokio_util::{
    codec::{Framed, LinesCodec},
    compat::TokioAsyncReadCompatExt,
    context::{RuntimeExt, TokioContext},
    either::Either,
    future::FutureExt,
    io::{ReaderStream, StreamReader, SyncIoBridge},
    sync::{
        CancellationToken, DropGuard, PollSemaphore, PollSendError, PollSender, ReusableBoxFuture,
        WaitForCancellationFuture, WaitForCancellationFutureOwned,
    },
    task::{
        AbortOnDropHandle, JoinMap, JoinQueue, LocalPoolHandle, TaskTracker,
        task_tracker::{TaskTrackerToken, TrackedFuture},
    },
    time::DelayQueue,
};

struct Service {
    shutdown: CancellationToken,
    tracker: TaskTracker,
    limit: PollSemaphore,
    jobs: PollSender<u32>,
    _guard: Option<DropGuard>,
}

struct Stop<'a>(Pin<Box<WaitForCancellationFuture<'a>>>, Pin<Box<WaitForCancellationFutureOwned>>);

impl Future for Stop<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.as_mut().poll(cx).is_ready() { Poll::Ready(()) } else { self.1.as_mut().poll(cx) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_with_a_token_a_tracker_and_a_graceful_shutdown() {
    let (jobs, mut inbox) = mpsc::channel(2);
    let shutdown = CancellationToken::new();
    let mut service = Service {
        shutdown: shutdown.clone(),
        tracker: TaskTracker::new(),
        limit: PollSemaphore::new(Arc::new(Semaphore::new(1))),
        jobs: PollSender::new(jobs),
        _guard: None,
    };
    assert!(service.shutdown == shutdown && !shutdown.is_cancelled());
    for n in 0..2 {
        let (token, tracked) = (service.shutdown.child_token(), service.tracker.token());
        let handle: JoinHandle<Option<u32>> = service.tracker.spawn(async move {
            let _tracked: TaskTrackerToken = tracked;
            token.run_until_cancelled(sleep(Duration::from_hours(n))).await?;
            Some(7)
        });
        assert!(!handle.is_finished());
    }
    let tracked: TrackedFuture<_> = service.tracker.track_future(async { 3 });
    assert_eq!((tracked.await, service.tracker.len()), (3, 4));

    poll_fn(|cx| service.jobs.poll_reserve(cx)).await.unwrap();
    service.jobs.send_item(1).unwrap();
    service.jobs.send(2).await.unwrap();
    assert!(poll_fn(|cx| Poll::Ready(service.jobs.poll_reserve(cx).is_pending())).await);
    assert!(service.jobs.abort_send() && service.jobs.get_ref().unwrap().max_capacity() == 2);
    assert_eq!((inbox.recv().await, inbox.recv().await), (Some(1), Some(2)));
    SinkExt::close(&mut service.jobs).await.unwrap();
    let closed: PollSendError<u32> = service.jobs.send(3).await.unwrap_err();
    assert!(closed.into_inner().is_none() && inbox.recv().await.is_none());

    let permit: OwnedSemaphorePermit = poll_fn(|cx| service.limit.poll_acquire(cx)).await.unwrap();
    assert!(poll_fn(|cx| Poll::Ready(service.limit.poll_acquire(cx).is_pending())).await);
    drop(permit);
    let permit = service.limit.next().await;
    assert!(permit.is_some() && service.limit.available_permits() == 0);
    service.limit.close();
    assert!(service.limit.next().await.is_none());

    let stop = Stop(Box::pin(shutdown.cancelled()), Box::pin(shutdown.clone().cancelled_owned()));
    assert!(service.tracker.close() && service.tracker.is_closed());
    assert!(timeout(Duration::from_secs(1), service.tracker.wait()).await.is_err());
    drop(service.shutdown.drop_guard());
    stop.await;
    service.tracker.wait().await;
    assert!(shutdown.is_cancelled() && shutdown.child_token().is_cancelled());
    assert_eq!(sleep(Duration::from_secs(1)).with_cancellation_token(&shutdown).await, None);
    assert_eq!(async { 1 }.timeout(Duration::from_secs(1)).await, Ok(1));
    assert_eq!(async { 1 }.with_cancellation_token_owned(CancellationToken::new()).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn sets_of_tasks_by_key_and_in_order() {
    let mut map = JoinMap::new();
    map.spawn("a", async { 1 });
    map.spawn_on("b", std::future::pending(), &Handle::current());
    map.spawn_blocking("c", || 3);
    assert!(map.contains_key("b") && map.abort("b"));
    let mut ended = Vec::new();
    while let Some((key, result)) = map.join_next().await {
        ended.push((key, result.ok()));
    }
    ended.sort_unstable();
    assert_eq!(ended, [("a", Some(1)), ("b", None), ("c", Some(3))]);

    let mut queue: JoinQueue<u32> = [2, 1]
        .into_iter()
        .map(|n| async move {
            sleep(Duration::from_secs(n)).await;
            n as u32
        })
        .collect();
    let _: AbortHandle = queue.spawn(async { 0 });
    assert_eq!(queue.join_next().await.unwrap().unwrap(), 2);
    assert_eq!(queue.join_all().await, [1, 0]);

    let handle = AbortOnDropHandle::new(tokio::spawn(std::future::pending::<()>()));
    let aborted = handle.abort_handle();
    drop(handle);
    tokio::task::yield_now().await;
    assert!(aborted.is_finished());
    assert_eq!(AbortOnDropHandle::new(tokio::spawn(async { 5 })).detach().await.unwrap(), 5);
}

#[test]
fn runtimes_are_brought_along_and_local_tasks_stay_on_their_threads() {
    let runtime = Runtime::new().unwrap();
    let wrapped: TokioContext<_> = runtime.wrap(async { tokio::spawn(async { 4 }).await.unwrap() });
    assert_eq!(wrapped.handle().id(), runtime.handle().id());
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(other.block_on(wrapped), 4);

    runtime.block_on(async {
        let pool = LocalPoolHandle::new(1);
        let text: JoinHandle<usize> = pool.spawn_pinned(|| async { std::rc::Rc::new("local").len() });
        assert_eq!(text.await.unwrap(), 5);
        let (tracker, set) = (TaskTracker::new(), LocalSet::new());
        let local = tracker.spawn_local_on(async { *std::rc::Rc::new(6) }, &set);
        assert_eq!(set.run_until(local).await.unwrap(), 6);
        let blocking = tracker.spawn_blocking_on(|| 8, &Handle::current());
        assert_eq!(blocking.await.unwrap() + tracker.spawn_blocking(|| 1).await.unwrap(), 9);
        tracker.close();
        tracker.wait().await;
    });

    let (near, mut far) = tokio::io::duplex(64);
    let mut bridge = SyncIoBridge::new_with_handle(near, runtime.handle().clone());
    bridge.write_all(b"ping").unwrap();
    runtime.block_on(async {
        let mut text = [0; 4];
        far.read_exact(&mut text).await.unwrap();
        far.write_all(&text).await.unwrap();
    });
    drop(far);
    let mut text = String::new();
    bridge.read_to_string(&mut text).unwrap();
    assert_eq!(text, "ping");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_watched_is_tokio_utils_own() {
    let (near, far) = tokio::io::duplex(64);
    let mut lines = Framed::new(near, LinesCodec::new());
    lines.send("hello").await.unwrap();
    drop(lines);
    let mut reader = StreamReader::new(ReaderStream::new(far));
    let mut text = String::new();
    reader.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "hello\n");
    let _ = tokio::io::empty().compat();
    let mut delays = DelayQueue::new();
    delays.insert_at("due", Instant::now() + Duration::from_secs(1));
    assert_eq!(delays.next().await.unwrap().into_inner(), "due");
    let either: Either<_, std::future::Ready<u32>> = Either::Left(async { 1 });
    assert_eq!(either.await, 1);
    let mut reusable = pin!(ReusableBoxFuture::new(async { 2 }));
    assert_eq!(reusable.as_mut().now_or_never(), Some(2));
}

#[tokio::test]
async fn there_is_a_way_to_tokio_utils_own_and_back() {
    let token = CancellationToken::new();
    let theirs: tokio_util::raw::sync::CancellationToken = token.clone().into();
    let ours = CancellationToken::from(theirs.clone());
    theirs.cancel();
    assert!(token.is_cancelled() && ours.is_cancelled() && format!("{token:?}") == format!("{theirs:?}"));
    let tracker = TaskTracker::new();
    let theirs: tokio_util::raw::task::TaskTracker = tracker.clone().into();
    theirs.close();
    assert!(tracker.is_closed() && TaskTracker::ptr_eq(&tracker, &tracker.clone()));
}

#[tokio::test]
async fn adapters_of_futures_are_the_same_by_their_older_path() {
    fn of_tokio<F: tokio_util::time::FutureExt>(future: F, token: &CancellationToken) -> impl Future<Output = bool> {
        let cut_short = tokio_util::time::FutureExt::with_cancellation_token(future, token);
        async { cut_short.await.is_none() }
    }
    let late: tokio::time::Timeout<_> =
        tokio_util::time::FutureExt::timeout(std::future::pending::<()>(), Duration::from_millis(1));
    assert!(late.await.is_err());
    let token = CancellationToken::new();
    token.cancel();
    assert!(of_tokio(async {}, &token).await);
}

#[tokio::test]
async fn what_a_cancelled_token_is_given_goes_at_once_and_gives_back_what_it_borrowed() {
    let (token, (tx, mut rx)) = (CancellationToken::new(), mpsc::channel::<u8>(1));
    token.cancel();
    let holds = |tx: mpsc::Sender<u8>| async move {
        let _tx = tx;
        std::future::pending::<()>().await;
    };
    let mut borrows = pin!(holds(tx.clone()).with_cancellation_token(&token));
    let mut owns = pin!(holds(tx).with_cancellation_token_owned(token.clone()));
    // Both futures are still here, and what they were given is not.
    assert_eq!(rx.recv().await, None);
    assert_eq!((borrows.as_mut().await, owns.as_mut().await), (None, None));
    let (tx, mut rx) = tokio::sync::oneshot::channel::<u8>();
    let mut waits = pin!((&mut rx).with_cancellation_token(&token));
    assert_eq!(waits.as_mut().await, None);
    rx.close();
    assert!(tx.is_closed());
}
