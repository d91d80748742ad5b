//! The audit log: entries are queued without bound, since no request may wait for the log.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinSet, time::sleep};

use super::faults::{Switches, Which};

/// Entries beyond this are dropped, so that a forgotten demo does not eat the machine.
const FORGOTTEN: u64 = 2_000_000;

/// Something worth an entry.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry {
    /// A request came in.
    Asked(u32),
    /// It was answered.
    Answered(u32),
}

#[derive(Debug, Clone)]
pub(super) struct Audit {
    entries: mpsc::UnboundedSender<Entry>,
    queued: Arc<AtomicU64>,
}

impl Audit {
    pub(super) fn log(&self, entry: Entry) {
        if self.queued.load(Ordering::Relaxed) < FORGOTTEN && self.entries.send(entry).is_ok() {
            self.queued.fetch_add(1, Ordering::Relaxed);
        }
    }
}

pub(super) fn start(background: &mut JoinSet<()>, faults: &Switches) -> Audit {
    let (entries, log) = mpsc::unbounded_channel(); // <- fault: channel-growing
    let queued = Arc::new(AtomicU64::new(0));
    background.spawn(write(log, faults.clone(), Arc::clone(&queued)));
    Audit { entries, queued }
}

/// Writes what has gathered in one go; with the fault on, one entry at a time.
async fn write(mut log: mpsc::UnboundedReceiver<Entry>, faults: Switches, queued: Arc<AtomicU64>) {
    let mut page = Vec::with_capacity(4_096);
    let mut written = 0_u64;
    loop {
        let most = if faults.on(Which::ChannelGrowing) { 1 } else { 4_096 };
        let taken = log.recv_many(&mut page, most).await;
        if taken == 0 {
            return;
        }
        // `queued` may lag behind a send that is under way; it must not wrap.
        let _ = queued.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |now| Some(now.saturating_sub(taken as u64)));
        for entry in page.drain(..) {
            let (Entry::Asked(sku) | Entry::Answered(sku)) = entry;
            written = written.wrapping_add(u64::from(sku));
        }
        std::hint::black_box(written);
        sleep(Duration::from_millis(2)).await;
    }
}
