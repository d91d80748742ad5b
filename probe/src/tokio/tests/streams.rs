//! Streams, and what else is polled: they keep their wait from one poll to the next.
use std::{future::poll_fn, sync::Arc};

use futures_util::Stream;

use super::*;
use crate::{
    recorder::wait::WaitKind,
    tokio::{
        self,
        sync::{Mutex, Semaphore, broadcast, watch},
    },
    tokio_stream::wrappers::{BroadcastStream, WatchStream},
    tokio_util::sync::PollSemaphore,
};

async fn asked_once<S: Stream + Unpin>(stream: &mut S) {
    assert!(poll_fn(|cx| Poll::Ready(Pin::new(&mut *stream).poll_next(cx))).await.is_pending());
}

/// A task asks `stream`, waits for a lock, and then for the stream. Says where that is.
async fn turns_away_and_back<S: Stream + Unpin + Send + 'static>(mut stream: S, kind: WaitKind) -> (&'static str, u32) {
    let mutex = Arc::new(Mutex::new(0));
    let guard = mutex.lock().await;
    let of_task = Arc::clone(&mutex);
    let task = tokio::spawn(async move {
        asked_once(&mut stream).await;
        task::yield_now().await;
        *of_task.lock().await += 1;
        poll_fn(|cx| Pin::new(&mut stream).poll_next(cx).map(drop)).await;
    });
    others().await;
    let [locks] = waits(task.id())[..] else { panic!("{:?}", waits(task.id())) };
    drop(guard);
    others().await;
    let [asks] = waits(task.id())[..] else { panic!("{:?}", waits(task.id())) };
    assert_eq!((locks.kind, asks.kind), (WaitKind::Lock as u8, kind as u8));
    assert_ne!(locks.on, asks.on);
    task.abort();
    place(asks.site.unwrap())
}

#[test]
fn a_stream_that_is_kept_is_no_wait_while_the_task_does_something_else() {
    run(async {
        let (_tx, rx) = broadcast::channel::<u8>(4);
        #[rustfmt::skip]
        let (stream, made) = (BroadcastStream::new(rx), here());
        assert_eq!(turns_away_and_back(stream, WaitKind::ChannelRecv).await, made);

        let (_tx, rx) = watch::channel(1);
        #[rustfmt::skip]
        let (stream, made) = (WatchStream::from_changes(rx), here());
        assert_eq!(turns_away_and_back(stream, WaitKind::ChannelRecv).await, made);

        let permits = PollSemaphore::new(Arc::new(Semaphore::new(0)));
        let (file, _) = turns_away_and_back(permits, WaitKind::Lock).await;
        assert_eq!(file, here().0);
    });
}

/// Nothing tells what a library's task turns to.
#[cfg(not(tokio_unstable))]
#[test]
fn a_stream_that_a_librarys_task_keeps_is_no_wait_of_it() {
    run(async {
        let (_tx, rx) = broadcast::channel::<u8>(4);
        let keeps = ::tokio::spawn(async move {
            let mut stream = BroadcastStream::new(rx);
            asked_once(&mut stream).await;
            std::future::pending::<()>().await;
        });
        others().await;
        assert!(find_task(keeps.id()).is_none());
        keeps.abort();
    });
}
