//! A queue with a future of its own. The faulty one returns `Pending` without keeping the waker; the healthy one keeps it
//! for whoever pushes.
use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{interval, sleep},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "lost-waker",
    rule: Some("lost-waker"),
    about: "a hand-written queue whose pop returns Pending and gives its waker to nobody",
    source: include_str!("lost_waker.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

#[derive(Default)]
struct Inner {
    items: VecDeque<u64>,
    popping: Option<Waker>,
}

#[derive(Clone, Default)]
struct Queue(Arc<Mutex<Inner>>);

impl Queue {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, item: u64) {
        let mut inner = self.inner();
        inner.items.push_back(item);
        inner.items.truncate(1_000);
        if let Some(waker) = inner.popping.take() {
            waker.wake();
        }
    }

    fn pop(&self, keep_waker: bool) -> Pop<'_> {
        Pop { queue: self, keep_waker }
    }
}

/// The next item.
struct Pop<'a> {
    queue: &'a Queue,
    keep_waker: bool,
}

impl Future for Pop<'_> {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        let mut inner = self.queue.inner();
        if let Some(item) = inner.items.pop_front() {
            return Poll::Ready(item);
        }
        if self.keep_waker {
            inner.popping = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

async fn consume(queue: Queue, keep_waker: bool) {
    loop {
        let item = queue.pop(keep_waker).await;
        sleep(Duration::from_millis(item % 3)).await;
    }
}

async fn produce(queue: Queue) {
    let mut clock = interval(Duration::from_millis(25));
    for item in 0.. {
        clock.tick().await;
        queue.push(item);
    }
}

async fn faulty() -> io::Result<()> {
    let queue = Queue::default();
    let mut tasks = JoinSet::new();
    tasks.spawn(consume(queue.clone(), false)); // <- fault: lost-waker
    tasks.spawn(produce(queue));
    tasks.join_all().await;
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let queue = Queue::default();
    let mut tasks = JoinSet::new();
    tasks.spawn(consume(queue.clone(), true));
    tasks.spawn(produce(queue));
    tasks.join_all().await;
    Ok(())
}
