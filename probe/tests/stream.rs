//! With the feature `stream`, what can be polled for one thing after the other is a `Stream`.
#![cfg(feature = "stream")]
#![allow(clippy::unwrap_used, reason = "a test helper may fail the test")]
use std::time::Duration;

use async_inspect_probe::tokio::{self, sync::mpsc, time};
use futures_util::StreamExt;

#[test]
fn receivers_and_intervals_are_streams() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let ((tx, rx), (utx, urx)) = (mpsc::channel(4), mpsc::unbounded_channel());
        for n in 0..3 {
            tx.send(n).await.unwrap();
            utx.send(10 * n).unwrap();
        }
        drop((tx, utx));
        assert_eq!(rx.zip(urx).collect::<Vec<_>>().await, [(0, 0), (1, 10), (2, 20)]);
        let start = time::Instant::now();
        let ticks: Vec<_> = time::interval(Duration::from_secs(1)).take(3).collect().await;
        assert_eq!(ticks[2] - start, Duration::from_secs(2));
    });
}
