//! A thumbnailer. The faulty one scales each image on the runtime's own thread, the healthy one on the blocking pool.
use std::{io, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::{JoinSet, spawn_blocking},
    time::sleep,
};

use crate::{Program, work::compute};

pub(super) const PROGRAM: Program = Program {
    name: "long-poll",
    rule: Some("long-poll"),
    about: "a thumbnailer that scales images (20-40 ms of CPU each) inside an async task",
    source: include_str!("long_poll.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

struct Upload {
    image: u64,
    reply: oneshot::Sender<Thumbnail>,
}

#[derive(Clone, Copy)]
struct Thumbnail {
    checksum: u64,
}

fn scale(image: u64) -> Thumbnail {
    Thumbnail { checksum: compute(Duration::from_millis(20 + image % 3 * 10)) }
}

async fn store(thumbnail: Thumbnail) {
    // The object store takes a moment, more for some.
    sleep(Duration::from_millis(2 + thumbnail.checksum % 2)).await;
}

/// Three clients that upload an image, wait for its thumbnail, and think.
fn uploads(queue: &mpsc::Sender<Upload>) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    for client in 0..3 {
        let queue = queue.clone();
        clients.spawn(async move {
            for number in 0.. {
                let (reply, thumbnail) = oneshot::channel();
                if queue.send(Upload { image: client + number, reply }).await.is_err() || thumbnail.await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(200)).await;
            }
        });
    }
    clients
}

async fn thumbnails_inline(mut uploaded: mpsc::Receiver<Upload>) {
    while let Some(upload) = uploaded.recv().await {
        let thumbnail = scale(upload.image); // <- open: long-poll
        store(thumbnail).await;
        let _ = upload.reply.send(thumbnail);
    }
}

async fn thumbnails_off_thread(mut uploaded: mpsc::Receiver<Upload>) {
    while let Some(upload) = uploaded.recv().await {
        let Ok(thumbnail) = spawn_blocking(move || scale(upload.image)).await else { continue };
        store(thumbnail).await;
        let _ = upload.reply.send(thumbnail);
    }
}

async fn faulty() -> io::Result<()> {
    let (queue, uploaded) = mpsc::channel(16);
    let clients = uploads(&queue);
    let thumbnailer = tokio::spawn(thumbnails_inline(uploaded)); // <- fault: long-poll
    clients.join_all().await;
    Ok(thumbnailer.await?)
}

async fn healthy() -> io::Result<()> {
    let (queue, uploaded) = mpsc::channel(16);
    let clients = uploads(&queue);
    let thumbnailer = tokio::spawn(thumbnails_off_thread(uploaded));
    clients.join_all().await;
    Ok(thumbnailer.await?)
}
