//! What exists under `--cfg tokio_unstable` with the feature `tracing` only.
use std::future::pending;

use async_inspect_probe::tokio::{
    runtime::Handle,
    task::{Builder, JoinSet, LocalSet},
};

use super::run;

#[test]
fn named_tasks_are_spawned_everywhere() {
    run(async {
        let local = LocalSet::new();
        let handle = Handle::current();
        let tasks = [
            Builder::new().name("here").spawn(async { 1 }).unwrap(),
            Builder::new().name("there").spawn_on(async { 2 }, &handle).unwrap(),
            Builder::new().spawn_local_on(async { 3 }, &local).unwrap(),
            Builder::new().name("blocking").spawn_blocking(|| 4).unwrap(),
            Builder::new().spawn_blocking_on(|| 5, &handle).unwrap(),
        ];
        let sum = local.run_until(async {
            let mut sum = Builder::new().name("local").spawn_local(async { 6 }).unwrap().await.unwrap();
            for task in tasks {
                sum += task.await.unwrap();
            }
            sum
        });
        assert_eq!(sum.await, 21);
    });
}

#[test]
fn named_tasks_go_into_a_set() {
    run(async {
        let local = LocalSet::new();
        let handle = Handle::current();
        let mut set = JoinSet::new();
        set.build_task().name("here").spawn(async { 1 }).unwrap();
        set.build_task().name("there").spawn_on(async { 2 }, &handle).unwrap();
        set.build_task().spawn_local_on(async { 3 }, &local).unwrap();
        set.build_task().name("blocking").spawn_blocking(|| 4).unwrap();
        set.build_task().spawn_blocking_on(|| 5, &handle).unwrap();
        set.build_task().name("aborted").spawn(pending()).unwrap().abort();
        let (sum, cancelled) = local
            .run_until(async {
                set.build_task().spawn_local(async { 6 }).unwrap();
                let (mut sum, mut cancelled) = (0, 0);
                while let Some(result) = set.join_next().await {
                    match result {
                        Ok(n) => sum += n,
                        Err(error) => cancelled += u32::from(error.is_cancelled()),
                    }
                }
                (sum, cancelled)
            })
            .await;
        assert_eq!((sum, cancelled), (21, 1));
    });
}
