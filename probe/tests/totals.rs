//! What a subscriber is told of a burst: many tasks that are born and die between two looks are in the totals, each once.
#![allow(clippy::unwrap_used, reason = "a test may fail")]
use std::collections::{BTreeSet, HashMap};

use async_inspect_probe::{Builder, tokio};
use async_inspect_proto::{
    PROTOCOL,
    v1::{Update, WatchRequest, inspect_client::InspectClient},
};
use tonic::transport::Endpoint;

const ENDING: u64 = 20_000;
const STAYING: u64 = 300;

/// What was told so far.
#[derive(Default)]
struct Told {
    /// Spawned, finished and shed, by site.
    sites: HashMap<u32, [u64; 3]>,
    /// Tasks that are there, with their sites.
    tasks: HashMap<u64, u32>,
    gone: BTreeSet<u64>,
}

impl Told {
    fn add(&mut self, update: &Update) {
        if let Some(totals) = &update.site_totals {
            for (row, &site) in totals.site.iter().enumerate() {
                self.sites.insert(site, [totals.spawned[row], totals.finished[row], totals.shed[row]]);
            }
        }
        if let Some(births) = &update.task_births {
            self.tasks.extend(births.id.iter().map(|id| id.cast_unsigned()).zip(births.site.iter().copied()));
        }
        for id in &update.gone_tasks {
            self.tasks.remove(id);
            assert!(self.gone.insert(*id), "a task goes once");
        }
    }

    /// The site with those totals, once it is told with them.
    fn site(&self, spawned: u64, finished: u64) -> Option<u32> {
        self.sites.iter().find(|(_, totals)| **totals == [spawned, finished, 0]).map(|(site, _)| *site)
    }
}

#[test]
fn a_burst_of_births_and_deaths_between_two_looks_is_right_in_the_totals() {
    let probe = Builder::new().listen("127.0.0.1:0").unwrap().start().unwrap();
    // The subscriber is plain tokio, as an inspector is; the tasks are the drop-in's.
    let reader = ::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut told = Told::default();
    let target = probe.target().to_owned();
    let mut stream = reader.block_on(async {
        let channel = Endpoint::from_shared(target).unwrap().connect().await.unwrap();
        InspectClient::new(channel).watch(WatchRequest { protocol: PROTOCOL }).await.unwrap().into_inner()
    });
    let mut until = |told: &mut Told, done: &dyn Fn(&Told, &Update) -> bool| {
        reader.block_on(async {
            loop {
                let mut update = stream.message().await.unwrap().unwrap();
                update.unpack().unwrap();
                told.add(&update);
                if done(told, &update) {
                    return;
                }
            }
        });
    };
    until(&mut told, &|_, update| update.snapshot_end);

    let app = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let staying = app.block_on(async {
        tokio::spawn(async {
            let staying: Vec<_> = (0..STAYING).map(|_| tokio::spawn(std::future::pending::<()>())).collect();
            for _ in 0..ENDING / 100 {
                let ending: Vec<_> = (0..100).map(|_| tokio::spawn(async {})).collect();
                for task in ending {
                    task.await.unwrap();
                }
            }
            staying
        })
        .await
        .unwrap()
    });
    let whole = |told: &Told| {
        let (ended, stays) = (told.site(ENDING, ENDING)?, told.site(STAYING, 0)?);
        let of = |site| told.tasks.values().filter(|&&of| of == site).count() as u64;
        (of(ended) == 0 && of(stays) == STAYING).then_some(stays)
    };
    until(&mut told, &|told, _| whole(told).is_some());
    let stays = whole(&told).unwrap();

    for task in staying {
        task.abort();
    }
    until(&mut told, &|told, _| {
        told.sites[&stays] == [STAYING, STAYING, 0] && !told.tasks.values().any(|&of| of == stays)
    });
}
