//! What was there before anything was recorded: a library's tasks come to be known as they are polled.
#![cfg(tokio_unstable)]
#![allow(clippy::unwrap_used, reason = "a test may fail")]
use std::{
    collections::BTreeMap,
    sync::{Arc, mpsc},
};

use async_inspect_probe::{Builder, tokio};
use async_inspect_proto::{
    PROTOCOL,
    v1::{TaskKind, Update, WatchRequest, inspect_client::InspectClient},
};
use tonic::transport::Endpoint;

/// What was told so far.
#[derive(Default)]
struct Told {
    /// By task: of what kind it was said to be, and at which site, each time.
    births: BTreeMap<u64, Vec<(i32, u32)>>,
    gone: Vec<u64>,
    /// By site: lines; and how many were spawned and finished.
    lines: BTreeMap<u32, u32>,
    totals: BTreeMap<u32, (u64, u64)>,
}

impl Told {
    fn add(&mut self, update: &Update) {
        if let Some(sites) = &update.sites {
            self.lines.extend(sites.id.iter().copied().zip(sites.line.iter().copied()));
        }
        if let Some(totals) = &update.site_totals {
            let counts = totals.spawned.iter().copied().zip(totals.finished.iter().copied());
            self.totals.extend(totals.site.iter().copied().zip(counts));
        }
        if let Some(births) = &update.task_births {
            for (row, id) in births.id.iter().enumerate() {
                self.births.entry(id.cast_unsigned()).or_default().push((births.kind[row], births.site[row]));
            }
        }
        self.gone.extend(&update.gone_tasks);
    }

    /// Of which kind the task spawned in `line` was said to be last, if it was.
    fn kind_of(&self, line: u32) -> Option<(u64, TaskKind)> {
        let newest = self.births.iter().filter_map(|(&id, births)| Some((id, *births.last()?)));
        let mut there = newest.filter(|(_, (_, site))| self.lines.get(site) == Some(&line));
        there.next().map(|(id, (kind, _))| (id, TaskKind::try_from(kind).unwrap()))
    }

    fn totals_of(&self, line: u32) -> (u64, u64) {
        let there = self.totals.iter().filter(|(site, _)| self.lines.get(site) == Some(&line));
        there.fold((0, 0), |sum, (_, of)| (sum.0 + of.0, sum.1 + of.1))
    }
}

#[test]
fn a_librarys_task_of_before_is_known_from_its_next_poll_on() {
    let app = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let entered = app.enter();
    let goes_on = Arc::new(::tokio::sync::Semaphore::new(0));
    let lock = Arc::new(tokio::sync::Mutex::new(0));
    let (in_poll, polled) = mpsc::channel();
    let (recording, recorded) = mpsc::channel();

    let of_idle = Arc::clone(&goes_on);
    let idles = async move { drop(of_idle.acquire().await.unwrap()) };
    let idle_at = line!() + 1;
    let idle = ::tokio::spawn(idles);
    let (of_waiting, then) = (Arc::clone(&lock), Arc::clone(&goes_on));
    let locks = async move {
        in_poll.send(()).unwrap();
        recorded.recv().unwrap();
        *of_waiting.lock().await += 1;
        drop(then.acquire().await.unwrap());
    };
    let waits_at = line!() + 1;
    let waits = ::tokio::spawn(locks);
    drop(entered);
    polled.recv().unwrap();

    let probe = Builder::new().listen("127.0.0.1:0").unwrap().start().unwrap();
    let reader = ::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let target = probe.target().to_owned();
    let mut stream = reader.block_on(async {
        let channel = Endpoint::from_shared(target).unwrap().connect().await.unwrap();
        InspectClient::new(channel).watch(WatchRequest { protocol: PROTOCOL }).await.unwrap().into_inner()
    });
    let mut told = Told::default();
    let mut until = |done: &dyn Fn(&Told) -> bool| {
        while !done(&told) {
            let mut update = reader.block_on(stream.message()).unwrap().unwrap();
            update.unpack().unwrap();
            told.add(&update);
        }
        std::mem::take(&mut told.gone)
    };

    // In a poll as recording begins, it is seen waiting; and told of when it is polled again.
    let held = app.block_on(lock.lock());
    recording.send(()).unwrap();
    let waits_at_lock =
        |told: &Told| told.births.values().flatten().any(|(kind, _)| *kind == TaskKind::Unwatched as i32);
    until(&waits_at_lock);
    drop(held);
    let is_task = |line| move |told: &Told| told.kind_of(line).is_some_and(|(_, kind)| kind == TaskKind::Async);
    let gone = until(&is_task(waits_at));
    assert!(gone.is_empty(), "it is the same task");

    // The other one was idle all the time.
    until(&|told| told.totals_of(waits_at) == (0, 0) && told.kind_of(idle_at).is_none());
    goes_on.add_permits(1);
    app.block_on(async {
        idle.await.unwrap();
        waits.await.unwrap();
    });
    until(&|told| [idle_at, waits_at].map(|line| told.totals_of(line)) == [(1, 1); 2]);
}
