use std::{cell::Cell, future::pending, rc::Rc, time::Duration};

use async_inspect_probe::tokio::{
    self,
    task::{self, JoinHandle, LocalSet},
};

use super::{others, run, run_on_threads};

#[test]
fn a_handle_gives_what_the_task_returned() {
    run_on_threads(async {
        let tasks: Vec<JoinHandle<usize>> = (0..100).map(|n| tokio::spawn(async move { n * 2 })).collect();
        for (n, task) in tasks.into_iter().enumerate() {
            assert_eq!(task.await.unwrap(), n * 2);
        }
    });
}

#[test]
fn a_handle_gives_the_panic_of_its_task() {
    run(async {
        let task = task::spawn(async {
            task::yield_now().await;
            panic!("over board")
        });
        let id = task.id();
        let result: Result<(), task::JoinError> = task.await;
        let error = result.unwrap_err();
        assert!(error.is_panic() && !error.is_cancelled());
        assert_eq!(error.id(), id);
        assert_eq!(error.to_string(), format!("task {id} panicked with message \"over board\""));
        assert_eq!(*error.into_panic().downcast::<&str>().unwrap(), "over board");
    });
}

#[test]
fn an_aborted_task_is_dropped_where_it_waits() {
    run(async {
        struct Dropped(Rc<Cell<bool>>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let dropped = Rc::new(Cell::new(false));
        let set = LocalSet::new();
        let guard = Dropped(Rc::clone(&dropped));
        let task = set.spawn_local(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        set.run_until(others()).await;
        assert!(!task.is_finished());
        task.abort();
        let error = set.run_until(task).await.unwrap_err();
        assert!(error.is_cancelled() && dropped.get());
    });
}

#[test]
fn an_abort_handle_aborts_and_outlives_the_handle() {
    run(async {
        let task = tokio::spawn(pending::<()>());
        let abort = task.abort_handle();
        assert_eq!(abort.id(), task.id());
        assert_eq!(
            format!("{abort:?} {task:?}"),
            format!("AbortHandle {{ id: {0:?} }} JoinHandle {{ id: {0:?} }}", task.id())
        );
        drop(task);
        others().await;
        assert!(!abort.is_finished());
        let again = abort.clone();
        again.abort();
        others().await;
        assert!(abort.is_finished());
        abort.abort();
    });
}

#[test]
fn a_task_runs_on_when_its_handle_is_dropped() {
    run(async {
        let (tx, rx) = tokio::sync::oneshot::channel();
        drop(tokio::spawn(async move {
            task::yield_now().await;
            tx.send(7).unwrap();
        }));
        assert_eq!(rx.await.unwrap(), 7);
    });
}

#[test]
fn a_task_knows_its_id() {
    run(async {
        let task = tokio::spawn(async { (task::id(), task::try_id()) });
        let id = task.id();
        assert_eq!(task.await.unwrap(), (id, Some(id)));
        let blocking = task::spawn_blocking(task::id);
        let id = blocking.id();
        assert_eq!(blocking.await.unwrap(), id);
    });
}

#[test]
fn a_handle_can_be_awaited_by_reference_time_and_again() {
    run(async {
        let mut task = tokio::spawn(async {
            tokio::time::sleep(Duration::from_millis(4500)).await;
            "done"
        });
        let mut ticks = 0;
        let result = loop {
            tokio::select! {
                result = &mut task => break result.unwrap(),
                () = tokio::time::sleep(Duration::from_secs(1)) => ticks += 1,
            }
        };
        assert_eq!((result, ticks), ("done", 4));
    });
}

#[test]
fn a_blocking_closure_returns_panics_and_is_cancelled_before_it_runs() {
    run(async {
        assert_eq!(task::spawn_blocking(|| 1 + 1).await.unwrap(), 2);
        let result: Result<(), _> = task::spawn_blocking(|| panic!("no")).await;
        let panic = result.unwrap_err();
        assert_eq!(*panic.into_panic().downcast::<&str>().unwrap(), "no");
    });
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
    let cancelled = runtime.block_on(async {
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let first = task::spawn_blocking(move || wait.recv().is_ok());
        let second = task::spawn_blocking(|| ());
        second.abort();
        release.send(()).unwrap();
        let cancelled = second.await.unwrap_err().is_cancelled();
        first.await.unwrap() && cancelled
    });
    assert!(cancelled);
}

#[test]
fn local_tasks_share_what_is_not_send() {
    run(async {
        let count = Rc::new(Cell::new(0));
        let set = LocalSet::new();
        set.run_until(async {
            let tasks: Vec<_> = (0..5)
                .map(|n| {
                    let count = Rc::clone(&count);
                    task::spawn_local(async move {
                        task::yield_now().await;
                        count.set(count.get() + n);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
        })
        .await;
        assert_eq!(count.get(), 10);
        let later = Rc::clone(&count);
        set.spawn_local(async move { later.set(99) });
        set.await;
        assert_eq!(count.get(), 99);
    });
}

#[test]
fn a_local_set_blocks_on_a_runtime_and_is_entered() {
    crate::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let set = LocalSet::default();
    let task = {
        let _entered = set.enter();
        task::spawn_local(async { Rc::new(3) })
    };
    assert_eq!(*set.block_on(&runtime, task).unwrap(), 3);
    assert_eq!(format!("{set:?}"), "LocalSet");
}

#[test]
#[should_panic(expected = "`spawn_local` called from outside of a `task::LocalSet`")]
fn a_local_task_needs_its_set() {
    run(async { drop(task::spawn_local(async {})) });
}

#[test]
fn a_large_future_is_no_trouble() {
    run(async {
        let task = tokio::spawn(async {
            let big = [1_u8; 16 * 1024];
            task::yield_now().await;
            big.iter().map(|&n| usize::from(n)).sum::<usize>()
        });
        assert_eq!(task.await.unwrap(), 16 * 1024);
    });
}

#[test]
fn handles_turn_into_tokios_and_back() {
    run(async {
        let task = tokio::spawn(async { 1 });
        let abort: tokio::raw::task::AbortHandle = task.abort_handle().into();
        let task: tokio::raw::task::JoinHandle<_> = task.into();
        assert_eq!(abort.id(), task.id());
        assert_eq!(JoinHandle::from(task).await.unwrap(), 1);
    });
}
