use std::sync::Arc;

use super::*;
use crate::{
    Named,
    recorder::{names, wait::WaitKind},
    tokio::{
        self, select,
        sync::{Mutex, mpsc},
    },
    tokio_util::{
        sync::CancellationToken,
        task::{JoinMap, JoinQueue, TaskTracker},
    },
};

#[test]
fn a_token_knows_its_parent_its_handles_and_who_cancelled_it() {
    run(async {
        #[rustfmt::skip]
        let (parent, made) = (CancellationToken::new(), here());
        #[rustfmt::skip]
        let (child, made_child) = (parent.child_token(), here());
        let other = parent.clone();
        let (of_parent, of_child) = (lock(made).ending.unwrap(), lock(made_child).ending.unwrap());
        assert_eq!((of_parent.parent, of_parent.members, of_parent.at), (0, 2, 0));
        assert_eq!((of_child.parent, of_child.members), (lock(made).id, 1));

        #[rustfmt::skip]
        let ((), at) = (other.cancel(), here());
        let of_parent = lock(made).ending.unwrap();
        assert!(of_parent.at > 0 && lock(made).ready && of_parent.by != 0);
        assert_eq!(place(of_parent.site.unwrap()), at);
        assert!(!lock(made_child).ready, "nobody has looked");
        assert!(child.is_cancelled());
        assert_eq!((lock(made_child).ready, lock(made_child).ending.unwrap().at), (true, 0));

        // The parent's slot stays for its children.
        let id = lock(made).id;
        drop((parent, other));
        assert_eq!(lock(made_child).ending.unwrap().parent, id);
        assert_eq!(lock(made).ending.unwrap().members, 0);
        drop(child);
        assert!(find_lock(made).is_none() && find_lock(made_child).is_none());
    });
}

#[test]
fn a_task_listens_to_the_token_that_is_its_own() {
    run(async {
        #[rustfmt::skip]
        let (token, made) = (CancellationToken::new(), here());
        let id = lock(made).id;
        let shared = Arc::new(token.clone());
        let in_its_future = tokio::spawn({
            let token = token.clone();
            async move {
                token.cancelled().await;
                std::future::pending::<()>().await;
                drop(token);
            }
        });
        let by_reference = tokio::spawn({
            let token = Arc::clone(&shared);
            async move { token.cancelled().await }
        });
        let cloned_there = tokio::spawn({
            let token = Arc::clone(&shared);
            async move { Box::pin((*token).clone().cancelled_owned()).await }
        });
        others().await;
        assert_eq!((task(in_its_future.id()).token, task(by_reference.id()).token), (id, 0));
        assert_eq!(task(cloned_there.id()).token, id);
        assert_eq!(lock(made).waiters, 3);
        let [wait] = waits(by_reference.id())[..] else { panic!("one wait") };
        assert_eq!((wait.on, place(wait.site.unwrap())), (id, (made.0, made.1 + 13)));

        token.cancel();
        others().await;
        assert_eq!((task(in_its_future.id()).token, lock(made).waiters), (id, 0));
        assert_eq!(task(cloned_there.id()).token, 0, "the future has gone");
        in_its_future.abort();
    });
}

#[test]
fn a_task_that_lets_go_of_its_token_listens_no_more() {
    run(async {
        #[rustfmt::skip]
        let (token, made) = (CancellationToken::new(), here());
        let id = lock(made).id;
        let worker = tokio::spawn({
            let token = token.clone();
            async move {
                {
                    let token = token;
                    while !token.is_cancelled() {
                        tokio::task::yield_now().await;
                    }
                }
                std::future::pending::<()>().await;
            }
        });
        others().await;
        assert_eq!(task(worker.id()).token, id);
        token.cancel();
        others().await;
        assert_eq!((task(worker.id()).token, lock(made).ending.unwrap().members), (0, 1));
        worker.abort();
    });
}

#[test]
fn a_tracker_knows_its_tasks_and_when_it_was_closed() {
    run(async {
        #[rustfmt::skip]
        let (tracker, made) = (TaskTracker::new(), here());
        let id = lock(made).id;
        #[rustfmt::skip]
        let (spawned, at) = (tracker.spawn(std::future::pending::<()>()), here());
        assert_eq!((task(spawned.id()).tracker, place(task(spawned.id()).site.info.location)), (id, at));
        let in_part = tokio::spawn({
            let part = tracker.track_future(async { tokio::task::yield_now().await });
            async move {
                part.await;
                std::future::pending::<()>().await;
            }
        });
        assert_eq!(task(in_part.id()).tracker, 0);
        let token = tracker.token();
        assert_eq!(lock(made).ending.unwrap().members, 3);
        tokio::task::yield_now().await;
        assert_eq!(task(in_part.id()).tracker, id);
        others().await;
        assert_eq!((task(in_part.id()).tracker, lock(made).ending.unwrap().members), (0, 2));
        drop(token);

        #[rustfmt::skip]
        let (_, closed) = (tracker.close(), here());
        let ending = lock(made).ending.unwrap();
        assert_eq!((place(ending.site.unwrap()), lock(made).ready, ending.at > 0), (closed, true, true));
        assert!(tracker.reopen());
        assert_eq!((lock(made).ready, lock(made).ending.unwrap().at), (false, 0));
        tracker.close();
        let waiter = tokio::spawn({
            let tracker = tracker.clone();
            async move { tracker.wait().await }
        });
        others().await;
        assert_eq!((lock(made).waiters, waits(waiter.id()).len()), (1, 1));
        spawned.abort();
        waiter.await.unwrap();
        assert_eq!((lock(made).waiters, lock(made).ending.unwrap().members), (0, 0));
        in_part.abort();
    });
}

#[test]
fn things_go_by_the_names_that_they_are_given() {
    run(async {
        #[rustfmt::skip]
        let (mutex, made) = (tokio::sync::Mutex::new(0).named("stock"), here());
        let _ = mutex.lock().await;
        assert_eq!(names::text(lock(made).name), "stock");
        let limit = mutex.named("shelves");
        assert_eq!(names::text(lock(made).name), "shelves");
        drop(limit);
        #[rustfmt::skip]
        let ((tx, rx), made) = (tokio::sync::mpsc::channel::<u8>(1).named("orders"), here());
        assert_eq!(names::text(channel(made).name), "orders");
        drop((tx, rx));
        #[rustfmt::skip]
        let (tx, made) = (tokio::sync::broadcast::Sender::<u8>::new(1).named("events"), here());
        assert_eq!(names::text(channel(made).name), "events");
        drop(tx);
        let task_of_it = tokio::spawn(std::future::pending::<()>()).named("mailer");
        assert_eq!(names::text(task(task_of_it.id()).name), "mailer");
        task_of_it.abort();
        #[rustfmt::skip]
        let (token, made) = (CancellationToken::new().named("shutdown"), here());
        assert_eq!(names::text(lock(made).name), "shutdown");
        drop(token);
        #[rustfmt::skip]
        let (tracker, made) = (TaskTracker::new().named("connections"), here());
        assert_eq!(names::text(lock(made).name), "connections");
        drop(tracker);
    });
}

#[test]
fn a_static_is_named_by_reference_before_it_is_known_and_after() {
    static RATES: tokio::sync::Mutex<u8> = tokio::sync::Mutex::const_new(0);
    static LIMIT: tokio::sync::Semaphore = tokio::sync::Semaphore::const_new(1);
    let named_lock = |name: &str| {
        let locks = recorder().locks.all().filter_map(|(_, slot)| slot.read());
        locks.into_iter().filter(|lock| names::text(lock.name) == name).count()
    };
    run(async {
        RATES.set_name("rates of a static");
        let _ = RATES.lock().await;
        assert_eq!(named_lock("rates of a static"), 1);
        let _ = LIMIT.acquire().await;
        LIMIT.set_name("limit of a static");
        assert_eq!(named_lock("limit of a static"), 1);
        RATES.set_name("rates of a static, anew");
        assert_eq!((named_lock("rates of a static"), named_lock("rates of a static, anew")), (0, 1));
    });
}

#[test]
fn the_tasks_of_a_set_go_by_its_name_unless_they_have_their_own() {
    fn name(id: task::Id) -> &'static str {
        names::text(task(id).name)
    }
    run(async {
        let mut set = tokio::task::JoinSet::new();
        let [own, before] = ["one of many", ""].map(|name| set.spawn(std::future::pending::<()>()).named(name).id());
        set.set_name("connections");
        let after = set.spawn(std::future::pending()).id();
        let blocking = set.spawn_blocking(|| ()).id();
        assert_eq!(
            [own, before, after, blocking].map(name),
            ["one of many", "connections", "connections", "connections"]
        );

        let mut queue = JoinQueue::new().named("in order");
        let [queued, own] = [queue.spawn(async {}), queue.spawn(async {}).named("first")].map(|task| task.id());
        assert_eq!([queued, own].map(name), ["in order", "first"]);

        let mut map = JoinMap::new().named("by key");
        map.spawn(1, async { name(task::id()) });
        assert_eq!(map.join_next().await.unwrap().1.unwrap(), "by key");
    });
}

#[test]
fn every_kind_of_lock_and_channel_goes_by_its_name() {
    /// Makes a thing of the name that it has in the source, and uses it: locks are known from their first use on.
    macro_rules! named {
        ($find:ident: $new:expr, $used:expr) => {{
            let (thing, made) = ($new.named(stringify!($new)), here());
            $used(&thing);
            assert_eq!(names::text($find(made).name), stringify!($new));
        }};
    }
    run(async {
        use tokio::sync::{Barrier, Notify, OnceCell, RwLock, Semaphore, SetOnce, broadcast, watch};
        named!(lock: RwLock::new(0), |lock: &RwLock<_>| drop(lock.try_read()));
        named!(lock: Semaphore::new(1), |semaphore: &Semaphore| drop(semaphore.try_acquire()));
        named!(lock: Notify::new(), Notify::notify_one);
        named!(lock: Barrier::new(2), |barrier: &Barrier| {
            assert!(poll_once(std::pin::pin!(barrier.wait())).is_pending());
        });
        named!(lock: OnceCell::<u8>::new(), |cell: &OnceCell<u8>| {
            let never = cell.get_or_init(std::future::pending);
            assert!(poll_once(std::pin::pin!(never)).is_pending());
        });
        named!(lock: SetOnce::<u8>::new(), |cell: &SetOnce<u8>| {
            assert!(poll_once(std::pin::pin!(cell.wait())).is_pending());
        });
        named!(channel: mpsc::unbounded_channel::<u8>(), |_: &_| ());
        named!(channel: broadcast::channel::<u8>(1), |_: &_| ());
        named!(channel: watch::channel(0), |_: &_| ());
    });
}

#[cfg(all(tokio_unstable, feature = "tracing"))]
#[test]
fn a_task_goes_by_the_name_that_its_builder_has() {
    run(async {
        let spawned = tokio::task::Builder::new().name("by hand").spawn(std::future::pending::<()>()).unwrap();
        assert_eq!(names::text(task(spawned.id()).name), "by hand");
        spawned.abort();
        let mut set = tokio::task::JoinSet::new();
        let in_set = set.build_task().name("of a set").spawn(async {}).unwrap();
        assert_eq!(names::text(task(in_set.id()).name), "of a set");
        let blocking = tokio::task::Builder::new().name("thread").spawn_blocking(|| {}).unwrap();
        assert_eq!(names::text(task(blocking.id()).name), "thread");
    });
}

#[test]
fn a_wait_that_is_kept_while_the_task_turns_to_something_else_is_none_then() {
    run(async {
        let (token, mutex) = (CancellationToken::new(), Arc::new(Mutex::new(0)));
        let guard = mutex.lock().await;
        let (orders, mut inbox) = mpsc::channel::<()>(1);
        let (of_task, stop) = (Arc::clone(&mutex), token.clone());
        let task = task::spawn(async move {
            let mut stop = std::pin::pin!(stop.cancelled());
            select! {
                biased;
                () = &mut stop => {}
                _ = inbox.recv() => {}
            }
            task::yield_now().await;
            *of_task.lock().await += 1;
            stop.await;
        });
        let now = || waits(task.id()).into_iter().map(|wait| (wait.kind, wait.on, wait.since)).collect::<Vec<_>>();
        others().await;
        let both = now();
        assert_eq!((both.len(), both[0].0), (2, WaitKind::Lock as u8), "{both:?}");
        orders.send(()).await.unwrap();
        others().await;
        let [(kind, on, _)] = now()[..] else { panic!("{:?}", now()) };
        assert!(kind == WaitKind::Lock as u8 && on != both[0].1, "the mutex, and not the token");
        drop(guard);
        others().await;
        assert_eq!(now(), both[..1], "the token, since then");
        token.cancel();
        task.await.unwrap();
    });
}
