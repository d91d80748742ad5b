//! A task's waker: whose the waker is that it wakes by, and when that is dropped.
use std::{
    sync::Arc,
    task::{Poll, Wake, Waker},
};

use loom::{
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread,
};

use crate::{
    check,
    recorder::{
        clock::NOW,
        task::{TaskRef, TaskSlot},
    },
};

/// In the place of tokio's task: how often it was woken. What refers to it is counted by the `Arc`.
struct Tokio(AtomicU32);

impl Wake for Tokio {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A task, and tokio's of it; for what is left when the task is gone.
struct Task {
    slot: &'static TaskSlot,
    tokio: Arc<Tokio>,
}

impl Task {
    fn new() -> (TaskRef, Self) {
        let future = TaskSlot::register();
        let slot = future.slot();
        (future, Self { slot, tokio: Arc::new(Tokio(AtomicU32::new(0))) })
    }

    fn waker(&self) -> Waker {
        self.tokio.clone().into()
    }

    fn woken(&self) -> u32 {
        self.tokio.0.load(SeqCst)
    }

    /// Nobody refers to the slot any more: it was retired, once, and tokio's waker was dropped as often as it was cloned.
    fn is_gone(&self) {
        assert_eq!(self.slot.retired.load(SeqCst), 1);
        assert_eq!(Arc::strong_count(&self.tokio), 1);
    }
}

/// Polls it pending, and gives a clone of its waker to a thread that does so with it.
fn waits_for(task: &Task, other: impl FnOnce(Waker) + Send + 'static) -> thread::JoinHandle<()> {
    let mut handle = None;
    task.slot.poll(&task.waker(), NOW - 10, |cx| {
        let waker = cx.waker().clone();
        handle = Some(thread::spawn(move || other(waker)));
        Poll::Pending
    });
    handle.unwrap()
}

#[test]
fn a_wake_that_comes_within_the_first_poll_comes_to_tokio() {
    check(|| {
        let (future, task) = Task::new();
        let other = waits_for(&task, Waker::wake);
        drop(future);
        other.join().unwrap();
        assert_eq!((task.woken(), task.slot.woken()), (1, (NOW, 1)));
        task.is_gone();
    });
}

#[test]
fn a_waker_may_outlive_the_task_that_ended_in_its_first_poll() {
    check(|| {
        let (future, task) = Task::new();
        let mut other = None;
        task.slot.poll(&task.waker(), NOW, |cx| {
            let waker = cx.waker().clone();
            other = Some(thread::spawn(move || {
                waker.wake_by_ref();
                drop(waker.clone());
            }));
            Poll::Ready(())
        });
        drop(future);
        other.unwrap().join().unwrap();
        assert_eq!(task.woken(), 1);
        task.is_gone();
    });
}

#[test]
fn a_task_that_ends_in_its_first_poll_and_is_not_waited_for_clones_nothing() {
    check(|| {
        let (future, task) = Task::new();
        let waker = task.waker();
        task.slot.poll(&waker, NOW, |_| {
            assert_eq!(Arc::strong_count(&task.tokio), 2);
            Poll::Ready(())
        });
        assert_eq!(Arc::strong_count(&task.tokio), 2);
        drop(waker);
        drop(future);
        task.is_gone();
    });
}

#[test]
fn who_wakes_a_task_that_is_polled_meanwhile_wakes_it_however_it_is_polled() {
    check(|| {
        let (future, task) = Task::new();
        let other = waits_for(&task, Waker::wake);
        // By the same waker, and by one that is not the task's.
        let late = task.slot.poll(&task.waker(), NOW + 10, |_| Poll::Pending);
        assert!(late == 0 || late == 10);
        let stranger: Waker = Arc::new(Tokio(AtomicU32::new(0))).into();
        task.slot.poll(&stranger, NOW + 20, |_| Poll::Pending);
        drop(future);
        other.join().unwrap();
        assert_eq!(task.woken(), 1);
        task.is_gone();
    });
}

#[test]
fn a_task_that_is_looked_at_while_it_is_polled_and_woken_is_polled_as_ever() {
    check(|| {
        let (future, task) = Task::new();
        let other = waits_for(&task, Waker::wake);
        let asks = thread::spawn({
            let (slot, waker) = (task.slot, task.slot.retained());
            move || {
                let asked = slot.look();
                slot.look_no_more();
                drop(waker);
                u32::from(asked)
            }
        });
        // One that waits within a poll that is looked at has another's table, and the same references.
        let mut waiter = None;
        task.slot.poll(&task.waker(), NOW + 10, |cx| {
            waiter = Some(cx.waker().clone());
            Poll::Pending
        });
        let asked = asks.join().unwrap();
        other.join().unwrap();
        assert_eq!(task.woken(), 1 + asked);
        assert_eq!(task.slot.counted(), Some(2), "the future, and who waits");
        drop((future, waiter));
        task.is_gone();
    });
}
