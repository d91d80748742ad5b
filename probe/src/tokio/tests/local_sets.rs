//! Tasks that a library spawns with a tokio of its own, here `::tokio`, and that run within the poll of a root: what they hold
//! and wait for is theirs, with the runtime's hooks and without.
use std::sync::Arc;

use super::*;
use crate::{
    recorder::{task::ROOT_BIT, thread, wait::WaitKind},
    tokio::{
        runtime::Handle,
        sync::{Mutex, Notify, mpsc},
        task::LocalSet,
    },
};

/// The same for a task of that number, as a root has one.
fn numbered(id: u64) -> TaskReading {
    recorder().tasks.all().filter_map(|(_, slot)| slot.read()).find(|task| task.id == id).expect("the task is known")
}

fn wait_kinds(task: &TaskReading) -> Vec<u8> {
    task.waits.iter().flatten().map(|wait| wait.kind).collect()
}

/// To be run as a root in whose poll a set of tokio's polls what `::tokio` spawns.
async fn a_librarys_task_holds_and_waits() {
    let root = thread::current_task_id();
    assert_eq!(root & ROOT_BIT, ROOT_BIT);
    #[rustfmt::skip]
    let (m, made) = (Arc::new(Mutex::new(0)), here());
    #[rustfmt::skip]
    let (inner, made_inner) = (Arc::new(Mutex::new(0)), here());
    let (go, unwatched) = (Arc::new(Notify::new()), Arc::new(::tokio::sync::Notify::new()));
    let (tx, mut rx) = mpsc::channel(1);
    let outer = inner.lock().await;
    let theirs = ::tokio::task::spawn_local({
        let (m, go, unwatched) = (Arc::clone(&m), Arc::clone(&go), Arc::clone(&unwatched));
        async move {
            let _guard = m.lock().await;
            tx.send(thread::current_task_id()).await.unwrap();
            unwatched.notified().await;
            go.notified().await;
            thread::current_task_id()
        }
    });
    let id = peek::task_id(theirs.id());
    assert_eq!(rx.recv().await, Some(id));
    let held = lock(made);
    assert_eq!((held.holder, lock(made_inner).holder), (id, root), "each holds its own");

    // The root waits for the lock, and the library's task for what is not watched: no one waits for itself.
    let mut waiting = Box::pin(m.lock());
    assert!(poll_once(waiting.as_mut()).is_pending());
    assert_eq!(wait_kinds(&numbered(root)), [WaitKind::Lock as u8]);
    drop(waiting);

    unwatched.notify_one();
    others().await;
    let seen = task(theirs.id());
    assert_eq!(wait_kinds(&seen), [WaitKind::Lock as u8], "what it waits for is its own");
    assert!(wait_kinds(&numbered(root)).is_empty());
    assert_ne!(seen.parent, seen.id);

    go.notify_one();
    assert_eq!(theirs.await.unwrap(), id);
    assert_eq!(lock(made).holder, 0);
    drop(outer);
}

#[test]
fn what_a_librarys_task_in_a_set_of_the_drop_ins_or_its_own_holds_and_waits_for_is_its_own() {
    // One after the other: locks are found by their lines.
    run(async { LocalSet::new().run_until(a_librarys_task_holds_and_waits()).await });
    run(async { ::tokio::task::LocalSet::new().run_until(a_librarys_task_holds_and_waits()).await });
}

#[test]
fn a_root_within_a_librarys_task_waits_by_itself() {
    let runtime = crate::testing::runtime("root-within", 1);
    #[rustfmt::skip]
    let (m, made) = (Arc::new(Mutex::new(0)), here());
    let theirs = runtime.spawn(async move {
        let waits = async move {
            let root = thread::current_task_id();
            let _guard = m.lock().await;
            assert_eq!(lock(made).holder, root);
            let mut waiting = Box::pin(m.lock());
            assert!(poll_once(waiting.as_mut()).is_pending());
            assert_eq!(wait_kinds(&numbered(root)), [WaitKind::Lock as u8]);
            root
        };
        let theirs = ::tokio::spawn(async { ::tokio::task::block_in_place(|| Handle::current().block_on(waits)) });
        theirs.await.unwrap()
    });
    assert_eq!(runtime.block_on(theirs).unwrap() & ROOT_BIT, ROOT_BIT);
}
