// Programs with tokio-util and tokio-stream, in the way of `programs.rs`: they may name these and futures-util too.
use std::{pin::Pin, time::Duration};

use super::{
    programs::{Program, run},
    tokio, tokio_stream, tokio_util,
};
use futures_util::SinkExt;
use tokio::{
    sync::{broadcast, mpsc, watch},
    task::JoinSet,
    time::Instant,
};
use tokio_stream::{
    Stream, StreamExt, StreamMap,
    wrappers::{
        BroadcastStream, IntervalStream, JoinSetStream, ReceiverStream, UnboundedReceiverStream, WatchStream,
    },
};
use tokio_util::{
    sync::{CancellationToken, PollSender},
    task::{AbortOnDropHandle, JoinMap, JoinQueue, TaskTracker},
};

pub(super) const ALL: &[Program] = &[
    ("streams of many kinds", streams),
    ("streams in time", in_time),
    ("a sink", sink),
    ("tokens", tokens),
    ("sets of tasks", sets),
    ("how they look", looks),
];

fn streams() -> Vec<String> {
    run(|log| async move {
        let ((tx, rx), (plain, plain_rx)) = (mpsc::channel(3), mpsc::unbounded_channel());
        let ((all, all_rx), (last, last_rx)) = (broadcast::channel(2), watch::channel(0));
        let mut map: StreamMap<_, Pin<Box<dyn Stream<Item = String> + Send>>> = StreamMap::new();
        map.insert("mpsc", Box::pin(ReceiverStream::new(rx)));
        map.insert("unbounded", Box::pin(UnboundedReceiverStream::from(plain_rx).map(|n: u8| n.to_string())));
        map.insert("broadcast", Box::pin(BroadcastStream::from(all_rx).map(|n| format!("{n:?}"))));
        map.insert("watch", Box::pin(WatchStream::from_changes(last_rx).map(|n: u8| n.to_string())));
        for n in 0..3_u8 {
            tx.send(n.to_string()).await.unwrap();
            plain.send(n).unwrap();
            all.send(n).unwrap();
            last.send(n).unwrap();
        }
        drop((tx, plain, all, last));
        let mut told: Vec<_> = map.collect().await;
        told.sort();
        say!(log, "{told:?}");
        let (tx, rx) = mpsc::channel(3);
        for n in [Ok(1), Err("no"), Ok(2)] {
            tx.send(n).await.unwrap();
        }
        let stream = ReceiverStream::new(rx);
        say!(log, "{:?}", stream.size_hint());
        drop(tx);
        say!(log, "{:?} {:?}", stream.size_hint(), stream.collect::<Result<Vec<u8>, _>>().await);
    })
}

fn in_time() -> Vec<String> {
    run(|log| async move {
        let start = Instant::now();
        let ticks = IntervalStream::new(tokio::time::interval(Duration::from_millis(10)));
        let ticks = ticks.take(4).map(|at| (at - start).as_millis()).chunks_timeout(3, Duration::from_millis(25));
        say!(log, "{:?}", ticks.collect::<Vec<_>>().await);
        let (tx, rx) = mpsc::channel(1);
        let mut late = std::pin::pin!(ReceiverStream::new(rx).timeout(Duration::from_millis(5)));
        say!(log, "{:?}", late.next().await);
        tx.send(1).await.unwrap();
        drop(tx);
        say!(log, "{:?} {:?} {:?}", late.next().await, late.next().await, start.elapsed());
        let set: JoinSet<_> = (0..3)
            .map(|n| async move {
                tokio::time::sleep(Duration::from_millis(9 - n)).await;
                n
            })
            .collect();
        say!(log, "{:?}", JoinSetStream::new(set).map(Result::unwrap).collect::<Vec<_>>().await);
    })
}

fn sink() -> Vec<String> {
    run(|log| async move {
        let (tx, mut rx) = mpsc::channel(1);
        let mut sink = PollSender::new(tx);
        sink.send(1).await.unwrap();
        say!(log, "{:?} {}", futures_util::poll!(sink.send(3)).is_pending(), sink.abort_send());
        say!(log, "{:?}", rx.recv().await);
        drop(rx);
        say!(log, "{:?} {:?}", sink.send(2).await, sink.get_ref().map(|_| ()));
    })
}

fn tokens() -> Vec<String> {
    run(|log| async move {
        let root = CancellationToken::new();
        let child = root.child_token();
        let waits = tokio::spawn(child.child_token().run_until_cancelled_owned(std::future::pending::<()>()));
        say!(log, "{:?}", child.run_until_cancelled(async { 1 }).await);
        child.cancel();
        say!(log, "{:?} {} {}", waits.await.unwrap(), root.is_cancelled(), child.child_token().is_cancelled());
        say!(log, "{:?}", child.run_until_cancelled(async { 1 }).await);
        let disarmed = root.drop_guard_ref().disarm();
        say!(log, "{} {}", disarmed.is_cancelled(), *disarmed == root);
        drop(root.clone().drop_guard());
        say!(log, "{}", root.is_cancelled());
    })
}

fn sets() -> Vec<String> {
    run(|log| async move {
        let mut map = JoinMap::new();
        map.spawn("ends", async { 1 });
        map.spawn("goes on", std::future::pending());
        map.spawn("is replaced", std::future::pending());
        map.spawn("is replaced", async { 2 });
        say!(log, "{} {}", map.len(), map.abort("goes on"));
        let mut ends = Vec::new();
        while let Some((key, end)) = map.join_next().await {
            ends.push((key, end.map_err(|error| error.is_cancelled())));
        }
        ends.sort();
        say!(log, "{ends:?}");
        let mut queue: JoinQueue<u64> = JoinQueue::new();
        for n in 0..3 {
            queue.spawn(async move {
                tokio::time::sleep(Duration::from_millis(9 - n)).await;
                n
            });
        }
        say!(log, "{:?} {:?}", queue.try_join_next().is_none(), queue.join_all().await);
        let tracker = TaskTracker::new();
        let token = tracker.token();
        let task = tracker.spawn(async { 1 });
        say!(log, "{} {} {:?}", tracker.len(), tracker.close(), task.await.ok());
        say!(log, "{:?}", tokio::time::timeout(Duration::from_millis(1), tracker.wait()).await);
        drop(token);
        tracker.wait().await;
        let task = AbortOnDropHandle::new(tokio::spawn(std::future::pending::<()>()));
        let handle = task.abort_handle();
        drop(task);
        tokio::task::yield_now().await;
        say!(log, "{}", handle.is_finished());
    })
}

/// What `{:?}` shows, but for addresses and what differs from run to run.
fn looks() -> Vec<String> {
    run(|log| async move {
        macro_rules! look {
            ($($of:expr),* $(,)?) => {$(
                let text = format!("{:?}", $of);
                let mut parts = text.split("0x");
                let first = parts.next().unwrap_or_default().to_owned();
                let rest = parts.map(|part| part.trim_start_matches(|digit: char| digit.is_ascii_hexdigit()));
                say!(log, "{}", first + &rest.collect::<String>());
            )*};
        }
        let token = CancellationToken::new();
        look!(token, token.cancelled(), token.drop_guard_ref(), token.clone().drop_guard(), token.clone().cancelled_owned());
        look!(TaskTracker::new(), TaskTracker::new().token(), TaskTracker::new().track_future(std::future::ready(1)));
        look!(JoinMap::<u8, u8>::new(), JoinQueue::<u8>::new());
        look!(ReceiverStream::new(mpsc::channel::<u8>(1).1));
        look!(UnboundedReceiverStream::new(mpsc::unbounded_channel::<u8>().1));
        look!(BroadcastStream::new(broadcast::channel::<u8>(1).1), WatchStream::new(watch::channel(1).1));
        look!(JoinSetStream::new(JoinSet::<u8>::new()));
        let ticks = IntervalStream::new(tokio::time::interval(Duration::from_secs(1)));
        say!(log, "{:?}", format!("{ticks:?}").split('{').next());
        say!(log, "{:?}", format!("{ticks:?}").split(['{', ':']).nth(1));
    })
}
