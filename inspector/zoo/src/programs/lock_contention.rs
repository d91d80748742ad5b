//! A ledger behind one mutex. The faulty one proves each entry while it holds the lock, the healthy one before.
use std::{io, sync::Arc, time::Duration};

use tokio::{sync::Mutex, task::JoinSet, time::interval};

use crate::{Program, work::compute};

pub(super) const PROGRAM: Program = Program {
    name: "lock-contention",
    rule: Some("lock-contention"),
    about: "a ledger whose 24 tellers each compute for 1 ms while they hold the one lock",
    source: include_str!("lock_contention.rs"),
    file: file!(),
    faulty: Some(|| Box::pin(faulty())),
    healthy: || Box::pin(healthy()),
};

const TELLERS: u64 = 24;

#[derive(Default)]
struct Ledger {
    entries: u64,
    digest: u64,
}

impl Ledger {
    fn post(&mut self, proof: u64) {
        self.entries += 1;
        self.digest ^= proof;
    }
}

/// Proof that an entry is in balance.
fn prove() -> u64 {
    compute(Duration::from_millis(1))
}

/// One teller: a batch of entries arrives 16 times a second, for all tellers at once.
async fn at_each_batch<P: Future<Output = ()>>(post: impl Fn() -> P) {
    let mut batches = interval(Duration::from_millis(62));
    loop {
        batches.tick().await;
        post().await;
    }
}

async fn faulty() -> io::Result<()> {
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let mut tellers = JoinSet::new();
    for _ in 0..TELLERS {
        let ledger = Arc::clone(&ledger);
        tellers.spawn(async move {
            at_each_batch(|| async {
                let mut ledger = ledger.lock().await; // <- fault: lock-contention
                ledger.post(prove());
            })
            .await;
        });
    }
    tellers.join_all().await;
    Ok(())
}

async fn healthy() -> io::Result<()> {
    let ledger = Arc::new(Mutex::new(Ledger::default()));
    let mut tellers = JoinSet::new();
    for _ in 0..TELLERS {
        let ledger = Arc::clone(&ledger);
        tellers.spawn(async move {
            at_each_batch(|| async {
                let proof = prove();
                ledger.lock().await.post(proof);
            })
            .await;
        });
    }
    tellers.join_all().await;
    Ok(())
}
