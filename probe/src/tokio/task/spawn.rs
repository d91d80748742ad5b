//! Spawning on the current runtime.
use std::{
    future::{Future, poll_fn},
    panic::Location,
    pin::pin,
};

use super::{JoinHandle, watch::Spawning};
use crate::recorder::{
    active,
    poll::{Tracked, blocking},
    task::TaskKind,
    thread,
};

/// Whether tokio hands on an `F` in a register: with a slot's word beside it, it would go through memory, several times, and a
/// CPU waits where two words that were just written one by one are read as one. So few of such futures are bare while nothing
/// records; for all there would be twice the code.
#[inline]
pub(super) const fn is_in_register<F>() -> bool {
    size_of::<F>() <= size_of::<usize>()
}

/// Spawns a task, watched; see [`tokio::spawn`](::tokio::spawn).
///
/// # Panics
/// Outside of a runtime.
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    // Asked first, and what is done then apart from all else: while nothing records, that is all there is to do.
    if active().is_some() {
        return spawn_watched(future);
    }
    let handle =
        if is_in_register::<F>() { ::tokio::spawn(future) } else { ::tokio::spawn(Tracked::new(future, None)) };
    JoinHandle::new(handle, None)
}

#[track_caller]
#[inline(never)]
fn spawn_watched<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let mut spawning = Spawning::of::<F, F::Output>(TaskKind::Async, Location::caller());
    // Before the future, which is moved once less when nothing can panic between.
    let task = spawning.task();
    let handle = ::tokio::spawn(Tracked::new(future, task));
    spawning.end(handle)
}

/// Gives the worker to other tasks, once; see [`tokio::task::yield_now`](::tokio::task::yield_now).
///
/// Watched as a wake of the task by itself, which it is: tokio puts it off until the poll has ended.
pub async fn yield_now() {
    let mut own = pin!(::tokio::task::yield_now());
    let mut first = true;
    poll_fn(|cx| match thread::current_task().filter(|_| std::mem::take(&mut first)) {
        Some(task) => task.yields(cx, |cx| own.as_mut().poll(cx)),
        None => own.as_mut().poll(cx),
    })
    .await;
}

/// Runs a closure that may block on this thread, whose other tasks go to another one; see
/// [`tokio::task::block_in_place`](::tokio::task::block_in_place).
///
/// Watched as no part of the poll: the task runs, and blocks no worker meanwhile.
///
/// # Panics
/// In a runtime of one thread.
#[track_caller]
pub fn block_in_place<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    ::tokio::task::block_in_place(|| thread::in_place::run(f))
}

/// Runs a closure where it may block, watched as a task of one poll; see
/// [`tokio::task::spawn_blocking`](::tokio::task::spawn_blocking).
///
/// # Panics
/// Outside of a runtime.
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let mut spawning = Spawning::of::<F, R>(TaskKind::Blocking, Location::caller());
    let task = spawning.task();
    let handle = ::tokio::task::spawn_blocking(blocking(task, f));
    spawning.end(handle)
}
