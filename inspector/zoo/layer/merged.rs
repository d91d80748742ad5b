//! Tasks of which several tell: the drop-in of its own, its runtime's hooks of others, and the layer of all.
use std::future::{Future, pending};

use async_inspect_probe::tokio as drop_in;
use tokio::task::yield_now;

/// Shows them until the process is killed.
pub(crate) fn run() {
    // Its thread is met at work.
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.expect("a runtime").block_on(pending::<()>());
    });
    let runtime = drop_in::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime needs threads").block_on(show());
}

async fn show() {
    let stays = || async {
        three_polls().await;
        pending::<()>().await;
    };
    drop_in::spawn(stays()); // <- exhibit: own
    tokio::spawn(stays()); // <- exhibit: plain
    tokio::spawn(three_polls()).await.unwrap(); // <- exhibit: ended
    let aborted = tokio::spawn(pending::<()>()); // <- exhibit: aborted
    yield_now().await;
    aborted.abort();
    assert!(aborted.await.is_err());
    drop_in::task::Builder::new().name("by hand").spawn(stays()).unwrap(); // <- exhibit: built
    let mutex = drop_in::sync::Mutex::new(0); // <- exhibit: own lock
    for _ in 0..10 {
        *mutex.lock().await += 1;
    }
    println!("listening on 127.0.0.1:1");
    pending().await
}

fn three_polls() -> impl Future<Output = ()> + Send {
    async {
        yield_now().await;
        yield_now().await;
    }
}
