use std::{
    collections::HashMap,
    future::{Future, pending},
    panic::AssertUnwindSafe,
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::Poll,
    time::Duration,
};

use async_inspect_probe::tokio::{
    self,
    runtime::Handle,
    task::{self, JoinSet, LocalSet},
};

use super::{others, run, run_on_threads};

#[test]
fn all_that_was_spawned_is_joined_once() {
    run_on_threads(async {
        let mut set = JoinSet::new();
        for n in 0..500 {
            set.spawn(async move {
                if n % 3 == 0 {
                    task::yield_now().await;
                }
                n
            });
        }
        assert_eq!((set.len(), format!("{set:?}")), (500, "JoinSet { len: 500 }".to_owned()));
        let mut seen = vec![false; 500];
        while let Some(n) = set.join_next().await {
            assert!(!std::mem::replace(&mut seen[n.unwrap()], true));
        }
        assert!(set.is_empty() && seen.into_iter().all(|seen| seen));
    });
}

#[test]
fn results_come_in_the_order_in_which_tasks_end_and_name_their_task() {
    run(async {
        let mut set = JoinSet::new();
        let ids: HashMap<_, _> = [3, 1, 2]
            .map(|secs| {
                let abort = set.spawn(async move {
                    tokio::time::sleep(Duration::from_secs(secs)).await;
                    secs
                });
                (abort.id(), secs)
            })
            .into();
        for expected in 1..=3 {
            let (id, secs) = set.join_next_with_id().await.unwrap().unwrap();
            assert_eq!((secs, ids[&id]), (expected, expected));
        }
        assert!(set.join_next_with_id().await.is_none());
    });
}

#[test]
fn panics_and_aborts_come_as_errors() {
    run(async {
        let mut set = JoinSet::new();
        let aborted = set.spawn(pending::<()>());
        let panicked = set.spawn(async { panic!("in a set") });
        let (aborted_id, panicked_id) = (aborted.id(), panicked.id());
        others().await;
        let panic = set.join_next().await.unwrap().unwrap_err();
        assert_eq!(panic.id(), panicked_id);
        assert_eq!(*panic.into_panic().downcast::<&str>().unwrap(), "in a set");
        aborted.abort();
        let error = set.join_next_with_id().await.unwrap().unwrap_err();
        assert!(error.is_cancelled() && error.id() == aborted_id && aborted.is_finished());
    });
}

#[test]
fn try_join_takes_what_is_there() {
    run(async {
        let mut set = JoinSet::new();
        set.spawn(async { 1 });
        assert!(set.try_join_next().is_none());
        others().await;
        assert_eq!(set.try_join_next().unwrap().unwrap(), 1);
        let id = set.spawn(async { 2 }).id();
        others().await;
        assert_eq!(set.try_join_next_with_id().unwrap().unwrap(), (id, 2));
        assert!(set.try_join_next().is_none() && set.is_empty());
    });
}

#[test]
fn a_wait_that_gives_up_loses_no_result() {
    run(async {
        let mut set = JoinSet::new();
        set.spawn(async {
            tokio::time::sleep(Duration::from_secs(2)).await;
            "late"
        });
        tokio::select! {
            _ = set.join_next() => unreachable!("it takes longer"),
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        assert_eq!(set.join_next().await.unwrap().unwrap(), "late");
    });
}

fn counted(alive: &Arc<AtomicUsize>) -> impl Future<Output = ()> + Send + 'static + use<> {
    struct Alive(Arc<AtomicUsize>);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Relaxed);
        }
    }
    alive.fetch_add(1, Relaxed);
    let alive = Alive(Arc::clone(alive));
    async move {
        let _alive = alive;
        pending::<()>().await;
    }
}

#[test]
fn a_set_that_is_dropped_or_shut_down_aborts_and_one_that_detaches_does_not() {
    run(async {
        let alive = Arc::new(AtomicUsize::new(0));
        let mut set: JoinSet<()> = (0..5).map(|_| counted(&alive)).collect();
        others().await;
        set.shutdown().await;
        assert_eq!((alive.load(Relaxed), set.len()), (0, 0));

        set.extend((0..5).map(|_| counted(&alive)));
        set.abort_all();
        assert_eq!(set.len(), 5);
        while let Some(result) = set.join_next().await {
            assert!(result.unwrap_err().is_cancelled());
        }

        set.extend((0..5).map(|_| counted(&alive)));
        others().await;
        drop(set);
        others().await;
        assert_eq!(alive.load(Relaxed), 0);

        let mut set = JoinSet::default();
        set.spawn(counted(&alive));
        set.detach_all();
        assert!(set.is_empty());
        drop(set);
        others().await;
        assert_eq!(alive.load(Relaxed), 1);
    });
}

#[test]
fn join_all_gives_all_or_panics_as_the_task_did() {
    run(async {
        let mut all = (0..10).map(|n| async move { n }).collect::<JoinSet<_>>().join_all().await;
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());

        let mut set = JoinSet::new();
        set.spawn(async { panic!("as it did") });
        let mut joining = Box::pin(set.join_all());
        let panic =
            std::future::poll_fn(|cx| match std::panic::catch_unwind(AssertUnwindSafe(|| joining.as_mut().poll(cx))) {
                Ok(poll) => poll.map(|_: Vec<()>| None),
                Err(panic) => Poll::Ready(Some(panic)),
            })
            .await;
        assert_eq!(*panic.unwrap().downcast::<&str>().unwrap(), "as it did");
    });
}

#[test]
fn tasks_of_every_kind_go_in() {
    run(async {
        let mut set = JoinSet::new();
        set.spawn_on(async { 1 }, &Handle::current());
        set.spawn_blocking(|| 2);
        set.spawn_blocking_on(|| 3, &Handle::current());
        let local = LocalSet::new();
        let four = Rc::new(4);
        set.spawn_local_on(
            {
                let four = Rc::clone(&four);
                async move { *four }
            },
            &local,
        );
        let sum = local
            .run_until(async {
                set.spawn_local(async move { *four + 1 });
                let mut sum = 0;
                while let Some(n) = set.join_next().await {
                    sum += n.unwrap();
                }
                sum
            })
            .await;
        assert_eq!(sum, 1 + 2 + 3 + 4 + 5);
    });
}

#[test]
fn it_can_be_polled_by_hand() {
    run(async {
        let mut set = JoinSet::new();
        set.spawn(async { 1 });
        set.spawn(async { 2 });
        let mut sum = 0;
        while let Some(result) = std::future::poll_fn(|cx| set.poll_join_next(cx)).await {
            sum += result.unwrap();
            if let Some(result) = std::future::poll_fn(|cx| set.poll_join_next_with_id(cx)).await {
                sum += result.unwrap().1;
            }
        }
        assert_eq!(sum, 3);
        let nothing: Pin<Box<dyn Future<Output = _>>> = Box::pin(set.join_next());
        assert!(nothing.await.is_none());
    });
}
