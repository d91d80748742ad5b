//! A store that answers by oneshot. The faulty one answers only when there is something to say, and drops the sender
//! otherwise; the healthy one always answers.
use std::{collections::HashMap, io, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::sleep,
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "oneshot-abandoned",
    rule: Some("oneshot-abandoned"),
    about: "a store that drops the reply channel of every question it has no answer to",
    source: include_str!("oneshot_abandoned.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

type Answer = Option<u64>;

struct Question {
    key: u64,
    reply: oneshot::Sender<Answer>,
}

fn store() -> HashMap<u64, u64> {
    (0..75).map(|key| (key, key * 11)).collect()
}

async fn answer_what_is_known(mut questions: mpsc::Receiver<Question>) {
    let store = store();
    while let Some(Question { key, reply }) = questions.recv().await {
        sleep(Duration::from_millis(1)).await;
        if let Some(&value) = store.get(&key) {
            let _ = reply.send(Some(value));
        }
    } // <- open: oneshot-abandoned
}

async fn answer_all(mut questions: mpsc::Receiver<Question>) {
    let store = store();
    while let Some(Question { key, reply }) = questions.recv().await {
        sleep(Duration::from_millis(1)).await;
        let _ = reply.send(store.get(&key).copied());
    }
}

async fn ask_dropped(questions: mpsc::Sender<Question>) {
    for number in 0_u64.. {
        let (reply, answer) = oneshot::channel(); // <- fault: oneshot-abandoned
        if questions.send(Question { key: number * 7 % 100, reply }).await.is_err() {
            return;
        }
        std::hint::black_box(answer.await.unwrap_or_default());
        sleep(Duration::from_millis(20)).await;
    }
}

async fn ask(questions: mpsc::Sender<Question>) {
    for number in 0_u64.. {
        let (reply, answer) = oneshot::channel();
        if questions.send(Question { key: number * 7 % 100, reply }).await.is_err() {
            return;
        }
        std::hint::black_box(answer.await.unwrap_or_default());
        sleep(Duration::from_millis(20)).await;
    }
}

async fn faulty() -> io::Result<()> {
    let (questions, asked) = mpsc::channel(16);
    let mut tasks = JoinSet::new();
    tasks.spawn(answer_what_is_known(asked));
    for _ in 0..3 {
        tasks.spawn(ask_dropped(questions.clone()));
    }
    drop(questions);
    tasks.join_all().await;
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let (questions, asked) = mpsc::channel(16);
    let mut tasks = JoinSet::new();
    tasks.spawn(answer_all(asked));
    for _ in 0..3 {
        tasks.spawn(ask(questions.clone()));
    }
    drop(questions);
    tasks.join_all().await;
    Ok(())
}
