//! A crate that names this one `tokio_stream`, and its neighbour `tokio`, compiles and runs unchanged.
#![allow(clippy::unwrap_used, reason = "a test helper may fail the test")]
// What `package = "…"` does in a `Cargo.toml`.
extern crate async_inspect_tokio as tokio;
extern crate async_inspect_tokio_stream as tokio_stream;

use std::{pin::Pin, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::{broadcast, mpsc, watch},
    task::JoinSet,
    time::{Instant, interval},
};
use tokio_stream::{
    Stream, StreamExt, StreamMap,
    wrappers::{
        BroadcastStream, IntervalStream, JoinSetStream, LinesStream, ReceiverStream, TcpListenerStream,
        UnboundedReceiverStream, WatchStream, errors::BroadcastStreamRecvError,
    },
};

type Numbers = Pin<Box<dyn Stream<Item = u32> + Send>>;

fn numbers() -> Numbers {
    let (tx, rx) = mpsc::channel(4);
    let (unbounded, all) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        for n in 0..3 {
            tx.send(n).await.unwrap();
            unbounded.send(10 + n).unwrap();
        }
    });
    Box::pin(ReceiverStream::new(rx).chain(UnboundedReceiverStream::from(all)))
}

#[tokio::test(start_paused = true)]
async fn channels_are_streams() {
    assert_eq!(numbers().collect::<Vec<_>>().await, [0, 1, 2, 10, 11, 12]);

    let (tx, rx) = mpsc::channel::<u32>(4);
    let mut stream = ReceiverStream::new(rx);
    tx.send(1).await.unwrap();
    assert_eq!(stream.size_hint(), (1, None));
    stream.close();
    assert_eq!((stream.size_hint(), stream.as_ref().len()), ((1, Some(1)), 1));
    assert_eq!(stream.into_inner().recv().await, Some(1));

    let (tx, rx) = broadcast::channel(2);
    let mut heard = BroadcastStream::new(rx);
    for n in 0..4 {
        tx.send(n).unwrap();
    }
    assert_eq!(heard.next().await, Some(Err(BroadcastStreamRecvError::Lagged(2))));
    drop(tx);
    assert_eq!((heard.next().await, heard.next().await, heard.next().await), (Some(Ok(2)), Some(Ok(3)), None));

    let (tx, rx) = watch::channel(1);
    let (mut values, mut changes) = (WatchStream::new(rx.clone()), WatchStream::from_changes(rx));
    assert_eq!(values.next().await, Some(1));
    tx.send(2).unwrap();
    assert_eq!((values.next().await, changes.next().await), (Some(2), Some(2)));
    drop(tx);
    assert_eq!((values.next().await, changes.next().await), (None, None));
}

#[tokio::test(start_paused = true)]
async fn timers_sets_and_maps_are_streams() {
    let start = Instant::now();
    let ticks: Vec<_> = IntervalStream::new(interval(Duration::from_secs(1))).take(3).collect().await;
    assert_eq!(ticks[2] - start, Duration::from_secs(2));
    let (_tx, rx) = mpsc::channel::<()>(1);
    let mut late = Box::pin(ReceiverStream::new(rx).timeout_repeating(interval(Duration::from_secs(1))));
    assert!(late.next().await.unwrap().is_err() && late.next().await.unwrap().is_err());
    let rare = IntervalStream::new(interval(Duration::from_secs(3)));
    let mut rare = Box::pin(rare.timeout_repeating(interval(Duration::from_secs(2)).into_inner()));
    assert!(rare.next().await.unwrap().is_ok() && rare.next().await.unwrap().is_err());
    let mut set = JoinSet::new();
    set.spawn(async { 1 });
    set.spawn(async { 2 });
    let joined: Vec<_> = JoinSetStream::new(set).map(Result::unwrap).collect().await;
    assert_eq!(joined.iter().sum::<u32>(), 3);
    let mut map = StreamMap::new();
    map.insert("a", numbers());
    assert_eq!(map.next().await, Some(("a", 0)));
    let late = tokio_stream::pending::<()>().timeout(Duration::from_secs(1));
    assert!(Box::pin(late).next().await.unwrap().is_err());
}

#[tokio::test]
async fn what_is_not_watched_is_tokio_streams_own() {
    let lines = LinesStream::new(BufReader::new(&b"one\ntwo"[..]).lines());
    assert_eq!(lines.map(Result::unwrap).collect::<Vec<_>>().await, ["one", "two"]);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut accepted = TcpListenerStream::new(listener);
    let (socket, near) = tokio::join!(accepted.next(), tokio::net::TcpStream::connect(address));
    assert_eq!(socket.unwrap().unwrap().peer_addr().unwrap(), near.unwrap().local_addr().unwrap());
    assert_eq!(tokio_stream::iter([1, 2]).merge(tokio_stream::once(3)).fold(0, |sum, n| sum + n).await, 6);
}
