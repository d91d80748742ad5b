//! What the instruments record, read as the collector reads it.
//!
//! The recorder is one for the whole process, so each test looks at its own sites, tasks, locks and channels only.
#![cfg(all(
    feature = "watch-tasks",
    feature = "watch-locks",
    feature = "watch-channels",
    feature = "watch-time",
    feature = "tokio-util-join-map",
    feature = "tokio-stream-sync"
))]
mod broadcasts;
mod ceiling;
mod channels;
mod cut_short;
mod disposals;
mod endings;
mod events;
mod foreign;
mod holds;
mod join_set;
mod kept;
mod local_sets;
mod locks;
mod oneshots;
mod orders;
mod slots;
mod streams;
mod tasks;
mod timers;

use std::{
    future::Future,
    panic::Location,
    pin::Pin,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::{Context, Poll, Waker},
};

use crate::{
    recorder::{
        channel::ChannelReading,
        lock::LockReading,
        peek,
        place::Place,
        site::{Site, SiteKind},
        task::TaskReading,
        totals::Total,
        wait::WaitReading,
    },
    testing::recorder,
    tokio::{runtime::Builder, task},
};

/// Runs a test on one thread, so that what runs when is known.
fn run<F: Future>(test: F) -> F::Output {
    recorder();
    Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

/// Lets every task that is ready run.
async fn others() {
    for _ in 0..5 {
        task::yield_now().await;
    }
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A line of the test that calls this, as a `Location`'s.
#[track_caller]
fn here() -> (&'static str, u32) {
    place(Location::caller())
}

/// The error of a task that returns nothing.
fn error(result: Result<(), task::JoinError>) -> task::JoinError {
    result.unwrap_err()
}

fn place(at: impl Into<Place>) -> (&'static str, u32) {
    let at = at.into();
    (at.file(), at.line())
}

fn site(kind: SiteKind, at: (&str, u32)) -> &'static Site {
    let mut sites = recorder().sites.all().filter(|site| site.info.kind == kind && place(site.info.location) == at);
    let site = sites.next().expect("something was made there");
    assert!(sites.next().is_none(), "one site a line");
    site
}

fn spawn_site(at: (&str, u32)) -> &'static Site {
    site(SiteKind::Spawn, at)
}

fn counts<const N: usize>(site: &Site, totals: [Total; N]) -> [u64; N] {
    totals.map(|total| site.total(total))
}

fn count(total: &AtomicU64) -> u64 {
    total.load(Relaxed)
}

/// The task, while anything refers to it.
fn find_task(id: task::Id) -> Option<TaskReading> {
    let id = peek::task_id(id);
    recorder().tasks.all().filter_map(|(_, slot)| slot.read()).find(|task| task.id == id)
}

fn task(id: task::Id) -> TaskReading {
    find_task(id).expect("the task is known")
}

fn waits(id: task::Id) -> Vec<WaitReading> {
    task(id).waits.into_iter().flatten().collect()
}

fn find_lock(at: (&str, u32)) -> Option<LockReading> {
    let locks = recorder().locks.all().filter_map(|(_, slot)| slot.read());
    locks.into_iter().find(|lock| place(lock.site.info.location) == at)
}

fn lock(at: (&str, u32)) -> LockReading {
    find_lock(at).expect("the lock is known")
}

fn find_channel(at: (&str, u32)) -> Option<ChannelReading> {
    let channels = recorder().channels.all().filter_map(|(_, slot)| slot.read());
    channels.into_iter().find(|channel| place(channel.site.info.location) == at)
}

fn channel(at: (&str, u32)) -> ChannelReading {
    find_channel(at).expect("the channel is known")
}
