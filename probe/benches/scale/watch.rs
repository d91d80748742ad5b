//! A subscriber that reads as fast as it comes and says what came.
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use async_inspect_proto::{
    PROTOCOL,
    v1::{Cost, Loss, Update, WatchRequest, inspect_client::InspectClient},
};
use prost::Message;
use tonic::{
    Streaming,
    transport::{Channel, Endpoint},
};

/// Attaches to `target`, says `ready`, watches for so many seconds from its first whole picture on, and prints
/// `FIRST_SECONDS SNAPSHOT_BYTES BYTES_PER_SECOND PROBE_CPU LONGEST_GAP_SECONDS SNAPSHOTS_LOST`.
pub(crate) fn run(target: &str, seconds: f64) {
    block_on(async {
        let began = Instant::now();
        let mut stream = attach(target).await;
        println!("ready");
        let mut snapshot_bytes = 0;
        loop {
            let update = next(&mut stream).await;
            snapshot_bytes += update.encoded_len();
            if update.snapshot_end {
                break;
            }
        }
        let first = began.elapsed().as_secs_f64();
        let (mut bytes, mut cpu, mut gap, mut restarts) = (0, None, Duration::ZERO, 0);
        let (watching, mut last) = (Instant::now(), Instant::now());
        while watching.elapsed().as_secs_f64() < seconds {
            let update = next(&mut stream).await;
            bytes += update.encoded_len();
            restarts += u32::from(update.snapshot_begin);
            if let Some(cost) = update.cost {
                gap = gap.max(last.elapsed());
                last = Instant::now();
                let (from, since, _) = cpu.unwrap_or((cost.cpu_ns, Instant::now(), 0));
                cpu = Some((from, since, cost.cpu_ns));
            }
        }
        let (from, since, to) = cpu.unwrap();
        let share = (to - from) as f64 / 1e9 / since.elapsed().as_secs_f64();
        let per_second = bytes as f64 / watching.elapsed().as_secs_f64();
        println!("{first} {snapshot_bytes} {per_second} {share} {} {restarts}", gap.as_secs_f64());
    });
}

/// Runs on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// The stream of `target`.
pub(crate) async fn attach(target: &str) -> Streaming<Update> {
    let channel: Channel = Endpoint::from_shared(target.to_owned()).unwrap().connect().await.unwrap();
    InspectClient::new(channel).watch(WatchRequest { protocol: PROTOCOL }).await.unwrap().into_inner()
}

/// The next message, as it came.
async fn next(stream: &mut Streaming<Update>) -> Update {
    stream.message().await.unwrap().expect("the target lives")
}

/// The next message, its tables unpacked.
pub(crate) async fn next_unpacked(stream: &mut Streaming<Update>) -> Update {
    let mut update = next(stream).await;
    update.unpack().unwrap();
    update
}

/// Sums over all spawn sites, and what else was told last.
#[derive(Default)]
pub(crate) struct Totals {
    sites: HashMap<u32, [u64; 3]>,
    pub(crate) loss: Loss,
    pub(crate) cost: Cost,
}

impl Totals {
    /// What an update tells whose tables are unpacked.
    pub(crate) fn add(&mut self, update: &Update) {
        if let Some(totals) = &update.site_totals {
            for (row, &site) in totals.site.iter().enumerate() {
                self.sites.insert(site, [totals.spawned[row], totals.finished[row], totals.shed[row]]);
            }
        }
        if let (Some(loss), Some(cost)) = (update.loss, update.cost) {
            (self.loss, self.cost) = (loss, cost);
        }
    }

    /// Whatever was shed.
    pub(crate) fn shed(&self) -> u64 {
        let Loss {
            shed_tasks,
            shed_locks,
            shed_channels,
            shed_sites,
            shed_panics,
            shed_names,
            shed_details,
            shed_stacks,
        } = self.loss;
        [shed_tasks, shed_locks, shed_channels, shed_sites, shed_panics, shed_names, shed_details, shed_stacks]
            .iter()
            .sum()
    }

    /// Tasks spawned, finished and shed.
    pub(crate) fn tasks(&self) -> [u64; 3] {
        self.sites.values().fold([0; 3], |sum, site| std::array::from_fn(|i| sum[i] + site[i]))
    }
}
