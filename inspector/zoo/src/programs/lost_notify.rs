//! Workers that wait until a migration is done. The faulty ones look, do something else, and only then begin to wait: the
//! one notification there is has been by then. The healthy ones begin to listen before they look.
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{sync::Notify, task::JoinSet, time::sleep};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "lost-notify",
    rule: Some("lost-notify"),
    about: "workers that begin to wait for a notification after it has been",
    source: include_str!("lost_notify.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

#[derive(Default)]
struct Migration {
    done: AtomicBool,
    finished: Notify,
}

async fn migrate(migration: Arc<Migration>) {
    sleep(Duration::from_millis(30)).await;
    migration.done.store(true, Ordering::Release);
    migration.finished.notify_waiters(); // <- fault: lost-notify
}

async fn connect() {
    sleep(Duration::from_millis(60)).await;
}

async fn work() {
    loop {
        sleep(Duration::from_millis(20)).await;
    }
}

async fn worker_too_late(migration: Arc<Migration>) {
    let done = migration.done.load(Ordering::Acquire);
    connect().await;
    if !done {
        migration.finished.notified().await;
    }
    work().await;
}

async fn worker(migration: Arc<Migration>) {
    connect().await;
    let finished = migration.finished.notified();
    if !migration.done.load(Ordering::Acquire) {
        finished.await;
    }
    work().await;
}

async fn faulty() -> io::Result<()> {
    let migration = Arc::<Migration>::default();
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        tasks.spawn(worker_too_late(Arc::clone(&migration)));
    }
    tasks.spawn(migrate(migration));
    tasks.join_all().await;
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let migration = Arc::<Migration>::default();
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        tasks.spawn(worker(Arc::clone(&migration)));
    }
    tasks.spawn(migrate(migration));
    tasks.join_all().await;
    Ok(())
}
