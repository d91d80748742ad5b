//! A chat over a broadcast channel: members come, listen, speak and leave.
use std::{io, time::Duration};

use tokio::{
    sync::broadcast::{self, error::RecvError},
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::Program;

pub(in crate::programs) const PROGRAM: Program = Program {
    name: "healthy/chat",
    rule: None,
    about: "a chat of thirty members over a broadcast channel, who come and go",
    source: include_str!("chat.rs"),
    file: file!(),
    faulty: None,
    healthy: || Box::pin(healthy()),
};

#[derive(Clone)]
struct Line {
    speaker: u64,
    text: String,
}

/// Listens for a while, says something now and then, and leaves.
async fn member(chat: broadcast::Sender<Line>, speaker: u64) -> usize {
    let mut heard = 0;
    let mut lines = chat.subscribe();
    for number in 0..200_u64 {
        match timeout(Duration::from_millis(10 + speaker % 7), lines.recv()).await {
            Ok(Ok(line)) => heard += line.text.len() + line.speaker as usize,
            Ok(Err(RecvError::Lagged(missed))) => heard += missed as usize,
            Ok(Err(RecvError::Closed)) => break,
            Err(_) => {}
        }
        if number % 40 == speaker % 40 {
            let _ = chat.send(Line { speaker, text: format!("{number} from {speaker}") });
        }
    }
    heard
}

async fn healthy() -> io::Result<()> {
    let (chat, kept) = broadcast::channel(1_024);
    drop(kept);
    let mut members = JoinSet::new();
    for speaker in 0.. {
        while members.len() >= 30 {
            members.join_next().await;
        }
        members.spawn(member(chat.clone(), speaker));
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
