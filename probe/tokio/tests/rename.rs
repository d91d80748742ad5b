//! A crate that names this one `tokio` in its `Cargo.toml` compiles and runs unchanged, tokio's macros included.
#![allow(clippy::unwrap_used, reason = "a test helper may fail the test")]
// What `package = "async-inspect-tokio"` does in a `Cargo.toml`.
extern crate async_inspect_tokio as tokio;

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Mutex, RwLock, mpsc},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};

tokio::task_local! {
    static REQUEST: u32;
}

#[tokio::main]
async fn on_threads() -> u32 {
    tokio::spawn(async { 1 }).await.unwrap()
}

#[tokio::main(flavor = "current_thread")]
async fn on_one_thread() -> u32 {
    2
}

#[test]
fn main_builds_its_runtime_here() {
    assert_eq!((on_threads(), on_one_thread()), (1, 2));
}

#[tokio::test]
async fn select_and_join_wait_for_wrapped_things() {
    let (tx, mut rx) = mpsc::channel(1);
    let lock = Arc::new(Mutex::new(0));
    let task = tokio::spawn({
        let lock = Arc::clone(&lock);
        async move {
            *lock.lock().await += 1;
            tx.send("hello").await
        }
    });
    let (sent, got) = tokio::join!(task, rx.recv());
    sent.unwrap().unwrap();
    assert_eq!(got, Some("hello"));
    let (a, b) = tokio::try_join!(tokio::spawn(async { 1 }), tokio::spawn(async { 2 })).unwrap();
    assert_eq!(a + b, 3);
    let held = lock.lock().await;
    tokio::pin! {
        let waiting = lock.lock();
    }
    tokio::select! {
        biased;
        _ = &mut waiting => unreachable!("it is held"),
        none = rx.recv() => assert!(none.is_none()),
    }
    drop(held);
    assert_eq!(*waiting.await, 1);
}

#[tokio::test(start_paused = true)]
async fn the_clock_can_be_paused() {
    let before = Instant::now();
    assert!(timeout(Duration::from_mins(1), std::future::pending::<()>()).await.is_err());
    sleep(Duration::from_hours(1)).await;
    assert!(before.elapsed() >= Duration::from_mins(61));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_runs_unchanged() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answers = Arc::new(RwLock::new(0));
    let server = tokio::spawn({
        let answers = Arc::clone(&answers);
        async move {
            let mut connections = JoinSet::new();
            for _ in 0..4 {
                let (mut socket, _) = listener.accept().await?;
                let answers = Arc::clone(&answers);
                connections.spawn(async move {
                    let mut text = [0; 4];
                    socket.read_exact(&mut text).await?;
                    socket.write_all(&text).await?;
                    *answers.write().await += 1;
                    std::io::Result::Ok(())
                });
            }
            connections.join_all().await.into_iter().collect::<std::io::Result<()>>()
        }
    });
    for _ in 0..4 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        socket.write_all(b"ping").await.unwrap();
        let mut text = String::new();
        socket.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "ping");
    }
    server.await.unwrap().unwrap();
    assert_eq!(*answers.read().await, 4);
}

#[tokio::test]
async fn what_is_not_watched_is_tokios_own() {
    let (mut near, far): (tokio::io::DuplexStream, tokio::raw::io::DuplexStream) = tokio::io::duplex(1);
    drop(far);
    assert_eq!(near.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(REQUEST.scope(7, async { REQUEST.get() }).await, 7);
    assert_eq!(tokio::task::unconstrained(async { 3 }).await, 3);
}

#[tokio::test(flavor = "local")]
async fn a_local_runtime_runs_what_is_not_send() {
    let text = std::rc::Rc::new("local");
    assert_eq!(*tokio::task::spawn_local(async move { *text }).await.unwrap(), *"local");
}
