//! A start-up storm: twenty thousand tasks are spawned at once, each does a little, and most stay. Then requests come and go
//! beside them: where so many that stay fill all the room that there is to watch tasks one by one, these are counted only.
use std::{io, time::Duration};

use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
    time::sleep,
};

use crate::{Program, work::compute};

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/storm",
    rule: None,
    about: "twenty thousand sessions restored at start-up, which then tick once in a while, and requests beside them",
    source: include_str!("storm.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

const SESSIONS: u64 = 20_000;

static RESTORED: Mutex<u64> = Mutex::const_new(0);

async fn session(number: u64, ready: mpsc::Sender<u64>) {
    let state = compute(Duration::from_micros(5));
    *RESTORED.lock().await += 1;
    if ready.send(state ^ number).await.is_err() {
        return;
    }
    drop(ready);
    loop {
        sleep(Duration::from_millis(4_000 + number % 4_000)).await;
    }
}

async fn request(number: u64) -> u64 {
    sleep(Duration::from_millis(number % 4)).await;
    compute(Duration::from_micros(5))
}

async fn healthy() -> io::Result<()> {
    let (ready, mut restored) = mpsc::channel(256);
    let mut sessions = JoinSet::new();
    for number in 0..SESSIONS {
        sessions.spawn(session(number, ready.clone()));
    }
    drop(ready);
    while restored.recv().await.is_some() {}
    loop {
        let mut requests = JoinSet::new();
        for number in 0..20 {
            requests.spawn(request(number));
        }
        requests.join_all().await;
        sleep(Duration::from_millis(10)).await;
    }
}
