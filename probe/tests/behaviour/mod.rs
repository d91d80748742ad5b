//! What tokio documents of its tasks, locks, channels and runtimes, asked of the drop-in. The crate that includes this
//! says by `start` whether anything is recorded meanwhile.
mod broadcast;
#[cfg(all(tokio_unstable, feature = "tracing"))]
mod builders;
mod channels;
mod channels_unbounded;
mod hooks;
mod join_set;
mod locks;
mod notify;
mod once;
mod oneshot;
mod runtime;
mod rwlock;
mod select;
mod semaphore;
mod tasks;
mod time;
mod watch;

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use async_inspect_probe::tokio;

/// Runs a test on one thread, with a clock that jumps.
pub(crate) fn run<F: Future>(test: F) -> F::Output {
    crate::start();
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap().block_on(test)
}

/// Runs a test on several threads.
pub(crate) fn run_on_threads<F: Future>(test: F) -> F::Output {
    crate::start();
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap().block_on(test)
}

/// One poll of a future, with a waker that does nothing.
pub(crate) fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets everything else that is ready run.
pub(crate) async fn others() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}
