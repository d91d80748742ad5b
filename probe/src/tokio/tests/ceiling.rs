//! At the ceiling of the memory: what finds no room is counted, its beginning and its end, exactly.
use std::{iter::zip, process::Command};

use super::*;
use crate::{
    recorder::{self, Recorder},
    tokio::{
        self,
        sync::{Mutex, mpsc},
        task::JoinSet,
    },
};

/// Room for some thousands of anything.
const LIMIT_BYTES: u64 = 1 << 20;
const MANY: u64 = 20_000;

/// Runs a test in a process of its own, which has the recorder for itself.
fn alone(name: &str, test: impl FnOnce(&'static Recorder)) {
    const ALONE: &str = "ASYNC_INSPECT_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        recorder::start(LIMIT_BYTES);
        return test(recorder::active().unwrap());
    }
    let path = module_path!().split_once("::").unwrap().1;
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", &format!("{path}::{name}")]).env(ALONE, "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

/// Over all sites of a kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sums {
    spawned: u64,
    finished: u64,
    aborted: u64,
    panics: u64,
}

/// The sums, and how many were shed.
fn sums(recorder: &'static Recorder, kind: SiteKind) -> (Sums, u64) {
    recorder.sites.all().filter(|site| site.info.kind == kind).fold((Sums::default(), 0), |(sums, shed), site| {
        let [spawned, finished, aborted, panics] =
            counts(site, [Total::Spawned, Total::Finished, Total::Aborted, Total::Panics]);
        let sums = Sums {
            spawned: sums.spawned + spawned,
            finished: sums.finished + finished,
            aborted: sums.aborted + aborted,
            panics: sums.panics + panics,
        };
        (sums, shed + site.total(Total::Shed))
    })
}

#[test]
fn every_task_that_begins_ends() {
    alone("every_task_that_begins_ends", |recorder| {
        run(async {
            // The root is among them.
            let mut expected = Sums { spawned: 1, ..Sums::default() };
            let agree = |expected: Sums| {
                let (told, shed) = sums(recorder, SiteKind::Spawn);
                assert_eq!((told, shed), (expected, recorder.tasks.shed()));
                shed
            };
            let live: Vec<_> = (0..MANY).map(|_| tokio::spawn(std::future::pending::<()>())).collect();
            others().await;
            expected.spawned += MANY;
            let shed = agree(expected);
            let shown = recorder.tasks.all().filter_map(|(_, slot)| slot.read()).count() as u64;
            assert!(shed > 0);
            assert_eq!(shown + shed, expected.spawned);

            for _ in 0..1000 {
                tokio::spawn(async {}).await.unwrap();
                tokio::task::spawn_blocking(|| ()).await.unwrap();
            }
            (expected.spawned, expected.finished) = (expected.spawned + 2000, expected.finished + 2000);
            assert_eq!(agree(expected), shed + 2000);

            let mut set = JoinSet::new();
            for n in 0..100 {
                set.spawn(async move { n });
                set.spawn_blocking(move || n);
            }
            assert_eq!(set.join_all().await.len(), 200);
            (expected.spawned, expected.finished) = (expected.spawned + 200, expected.finished + 200);
            assert_eq!(agree(expected), shed + 2200);

            for _ in 0..10 {
                tokio::spawn(async { panic!("of a task without a slot") }).await.unwrap_err();
                tokio::task::spawn_blocking(|| panic!("of work without a slot")).await.unwrap_err();
            }
            let mut set = JoinSet::new();
            for _ in 0..50 {
                set.spawn(std::future::pending::<()>());
            }
            others().await;
            drop(set);
            others().await;
            (expected.spawned, expected.finished) = (expected.spawned + 70, expected.finished + 70);
            (expected.panics, expected.aborted) = (20, 50);
            assert_eq!(agree(expected), shed + 2270);

            for task in live {
                task.abort();
                task.await.unwrap_err();
            }
            (expected.finished, expected.aborted) = (expected.finished + MANY, expected.aborted + MANY);
            agree(expected);
            assert_eq!(expected.spawned - expected.finished, 1, "the root lives");

            tokio::spawn(async {}).await.unwrap();
            (expected.spawned, expected.finished) = (expected.spawned + 1, expected.finished + 1);
            assert_eq!(agree(expected), shed + 2270, "there is room again");
        });
    });
}

#[cfg(tokio_unstable)]
#[test]
fn every_task_of_a_library_that_begins_ends() {
    alone("every_task_of_a_library_that_begins_ends", |recorder| {
        run(async {
            let live: Vec<_> = (0..MANY).map(|_| ::tokio::spawn(std::future::pending::<()>())).collect();
            for _ in 0..1000 {
                ::tokio::spawn(async {}).await.unwrap();
            }
            let live_and_root = |expected| {
                let (told, shed) = sums(recorder, SiteKind::Spawn);
                assert!(shed > 1000, "{shed} shed");
                assert_eq!(told.spawned - told.finished, expected + 1);
            };
            live_and_root(MANY);
            for task in live {
                task.abort();
                task.await.unwrap_err();
            }
            live_and_root(0);
        });
    });
}

#[test]
fn every_lock_and_channel_is_counted_where_it_is_made() {
    alone("every_lock_and_channel_is_counted_where_it_is_made", |recorder| {
        let locks: Vec<_> = (0..MANY).map(Mutex::new).collect();
        for lock in &locks {
            drop(lock.try_lock().unwrap());
        }
        // Made where locks have taken all the room but for what each kind takes at once.
        let channels: Vec<_> = (0..MANY).map(|_| mpsc::channel::<()>(1)).collect();
        let kinds = [SiteKind::Lock, SiteKind::Channel];
        let shed = [recorder.locks.shed(), recorder.channels.shed()];
        let agree = |finished: [u64; 2]| {
            for ((kind, shed), finished) in zip(zip(kinds, shed), finished) {
                assert!(shed > 0);
                assert_eq!(
                    sums(recorder, kind),
                    (Sums { spawned: MANY, finished, ..Sums::default() }, shed),
                    "{kind:?}"
                );
            }
        };
        agree([0, 0]);
        drop((locks, channels));
        agree(shed.map(|shed| MANY - shed));
    });
}
