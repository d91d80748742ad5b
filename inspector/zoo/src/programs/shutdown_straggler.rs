//! A service whose server is told to end while its writers still wait for acknowledgements. In the faulty one nobody
//! acknowledges any more and a writer waits all the same, so the shutdown never ends; in the healthy one that wait ends
//! with the shutdown too, and the service starts anew.
use std::{io, time::Duration};

use tokio::{
    sync::mpsc,
    time::{interval, sleep},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "shutdown-straggler",
    rule: Some("shutdown-straggler"),
    about: "a shutdown that waits for tasks which wait for an answer that nobody will send",
    source: include_str!("shutdown_straggler.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

/// Acknowledges what the writers write, until it is told to end.
async fn acknowledge(acks: Vec<mpsc::Sender<u64>>, shutdown: CancellationToken) {
    let mut ticks = interval(Duration::from_millis(20));
    for number in 0_u64.. {
        tokio::select! {
            biased;
            () = shutdown.cancelled() => return,
            _ = ticks.tick() => {}
        }
        for ack in &acks {
            let _ = ack.try_send(number);
        }
    }
}

async fn writer_without_a_way_out(mut acks: mpsc::Receiver<u64>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = acks.recv() => {}
        }
    }
    // What was written last is to be acknowledged before it ends.
    acks.recv().await; // <- fault: shutdown-straggler
}

async fn writer(mut acks: mpsc::Receiver<u64>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(_) = acks.recv() => {}
        }
    }
    tokio::select! {
        _ = acks.recv() => {}
        () = sleep(Duration::from_millis(200)) => {}
    }
}

/// Writers on a tracker, and the senders of acknowledgements, of which somebody else has clones.
fn start(
    shutdown: &CancellationToken,
    write: impl Fn(&TaskTracker, mpsc::Receiver<u64>),
) -> (TaskTracker, Vec<mpsc::Sender<u64>>) {
    let writers = TaskTracker::new();
    let mut acks = Vec::new();
    for _ in 0..3 {
        let (sender, receiver) = mpsc::channel(1);
        acks.push(sender);
        write(&writers, receiver);
    }
    writers.spawn(acknowledge(acks.clone(), shutdown.clone()));
    (writers, acks)
}

async fn faulty() -> io::Result<()> {
    let shutdown = CancellationToken::new();
    let (writers, acks) = start(&shutdown, |writers, acks| {
        drop(writers.spawn(writer_without_a_way_out(acks, shutdown.child_token())));
    });
    // Between two acknowledgements: one on its way would let its writer end.
    sleep(Duration::from_millis(310)).await;
    shutdown.cancel();
    writers.close();
    writers.wait().await;
    drop(acks);
    Ok(())
}

async fn healthy() -> io::Result<()> {
    loop {
        let shutdown = CancellationToken::new();
        let (writers, acks) = start(&shutdown, |writers, acks| {
            drop(writers.spawn(writer(acks, shutdown.child_token())));
        });
        sleep(Duration::from_secs(2)).await;
        shutdown.cancel();
        writers.close();
        writers.wait().await;
        drop(acks);
    }
}
