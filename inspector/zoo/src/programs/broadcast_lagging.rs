//! A chat whose lines are archived. The faulty archive writes each line by itself and falls behind the broadcast; the
//! healthy one takes lines at once and writes what has gathered.
use std::{io, time::Duration};

use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::JoinSet,
    time::{interval, sleep},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "broadcast-lagging",
    rule: Some("broadcast-lagging"),
    about: "a chat archive that writes one line at a time (10 ms) while 400 are said in a second",
    source: include_str!("broadcast_lagging.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

#[derive(Clone)]
struct Line {
    speaker: u64,
}

/// One write, of however many lines.
async fn write(lines: &[Line]) {
    std::hint::black_box(lines.iter().map(|line| line.speaker).sum::<u64>());
    sleep(Duration::from_millis(10)).await;
}

async fn archive_one_by_one(mut chat: broadcast::Receiver<Line>) {
    loop {
        match chat.recv().await {
            Ok(line) => write(&[line]).await,
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

async fn archive_what_gathered(mut chat: broadcast::Receiver<Line>) {
    loop {
        let Ok(line) = chat.recv().await else { return };
        let mut lines = vec![line];
        while let Ok(line) = chat.try_recv() {
            lines.push(line);
        }
        write(&lines).await;
    }
}

/// Somebody in the chat.
async fn listen(mut chat: broadcast::Receiver<Line>) -> u64 {
    let mut heard = 0;
    while let Ok(line) = chat.recv().await {
        heard += line.speaker;
    }
    heard
}

async fn speak(chat: broadcast::Sender<Line>) {
    let mut clock = interval(Duration::from_millis(20));
    loop {
        clock.tick().await;
        for speaker in 0..8 {
            if chat.send(Line { speaker }).is_err() {
                return;
            }
        }
    }
}

async fn faulty() -> io::Result<()> {
    let (chat, heard) = broadcast::channel(256); // <- fault: broadcast-lagging
    let mut listeners = JoinSet::new();
    for _ in 0..5 {
        listeners.spawn(listen(chat.subscribe()));
    }
    let mut others = JoinSet::new();
    others.spawn(archive_one_by_one(heard));
    others.spawn(speak(chat));
    others.join_all().await;
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let (chat, heard) = broadcast::channel(256);
    let mut listeners = JoinSet::new();
    for _ in 0..5 {
        listeners.spawn(listen(chat.subscribe()));
    }
    let mut others = JoinSet::new();
    others.spawn(archive_what_gathered(heard));
    others.spawn(speak(chat));
    others.join_all().await;
    Ok(())
}
