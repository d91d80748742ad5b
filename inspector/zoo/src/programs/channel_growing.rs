//! A click counter. The faulty one queues clicks without bound before a counter that is too slow; the healthy one has
//! a bounded queue and counts in batches.
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{interval, sleep},
};

use crate::Program;

pub(super) const PROGRAM: Program = Program {
    name: "channel-growing",
    rule: Some("channel-growing"),
    about: "a click counter behind an unbounded channel: 8,000 clicks a second come in, 500 go out",
    source: include_str!("channel_growing.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

struct Click {
    page: u32,
}

/// The faulty queue stops to grow here, so that a forgotten demo does not eat the machine.
const FORGOTTEN: u64 = 2_000_000;

const CLICKS_PER_TICK: u32 = 40;
const TICK: Duration = Duration::from_millis(10);

/// One round trip to the counter's database, for however many clicks.
async fn count(clicks: &[Click]) {
    std::hint::black_box(clicks.iter().map(|click| u64::from(click.page)).sum::<u64>());
    sleep(Duration::from_millis(1)).await;
}

async fn faulty() -> io::Result<()> {
    let (clicks, mut arriving) = mpsc::unbounded_channel(); // <- fault: channel-growing
    let queued = Arc::new(AtomicU64::new(0));
    let mut pages = JoinSet::new();
    for _ in 0..2 {
        let (clicks, queued) = (clicks.clone(), Arc::clone(&queued));
        pages.spawn(async move {
            let mut clock = interval(TICK);
            loop {
                clock.tick().await;
                for page in 0..CLICKS_PER_TICK {
                    if queued.load(Ordering::Relaxed) < FORGOTTEN && clicks.send(Click { page }).is_ok() {
                        queued.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
    }
    while let Some(click) = arriving.recv().await {
        queued.fetch_sub(1, Ordering::Relaxed);
        count(&[click]).await;
    }
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let (clicks, mut arriving) = mpsc::channel(4_096);
    let mut pages = JoinSet::new();
    for _ in 0..2 {
        let clicks = clicks.clone();
        pages.spawn(async move {
            let mut clock = interval(TICK);
            loop {
                clock.tick().await;
                for page in 0..CLICKS_PER_TICK {
                    if clicks.send(Click { page }).await.is_err() {
                        return;
                    }
                }
            }
        });
    }
    let mut batch = Vec::with_capacity(1_024);
    while arriving.recv_many(&mut batch, 1_024).await > 0 {
        count(&batch).await;
        batch.clear();
    }
    Ok(())
}
