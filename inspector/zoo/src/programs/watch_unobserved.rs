//! A service that reloads its settings. In the faulty one the part that uses them took them once, and new ones reach
//! nobody; in the healthy one it follows the watch.
use std::{io, time::Duration};

use tokio::{
    sync::watch,
    task::JoinSet,
    time::{interval, sleep},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "watch-unobserved",
    rule: Some("watch-unobserved"),
    about: "a service that reloads its settings for nobody: the only receiver was dropped after the start",
    source: include_str!("watch_unobserved.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

#[derive(Clone)]
struct Settings {
    pause: Duration,
}

fn load(version: u64) -> Settings {
    Settings { pause: Duration::from_millis(10 + version % 5) }
}

async fn work_with(settings: Settings) {
    loop {
        sleep(settings.pause).await;
    }
}

async fn work_following(mut settings: watch::Receiver<Settings>) {
    loop {
        let pause = settings.borrow_and_update().pause;
        tokio::select! {
            () = sleep(pause) => {}
            changed = settings.changed() => if changed.is_err() { return },
        }
    }
}

async fn reload(settings: watch::Sender<Settings>) {
    let mut clock = interval(Duration::from_millis(200));
    for version in 0.. {
        clock.tick().await;
        settings.send_replace(load(version));
    }
}

async fn faulty() -> io::Result<()> {
    let (settings, current) = watch::channel(load(0)); // <- fault: watch-unobserved
    let mut tasks = JoinSet::new();
    let taken = current.borrow().clone();
    drop(current);
    tasks.spawn(work_with(taken));
    tasks.spawn(reload(settings));
    tasks.join_all().await;
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let (settings, current) = watch::channel(load(0));
    let mut tasks = JoinSet::new();
    tasks.spawn(work_following(current));
    tasks.spawn(reload(settings));
    tasks.join_all().await;
    Ok(())
}
