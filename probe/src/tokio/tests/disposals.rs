//! Who did away with something is known, also when that task has ended since.
use super::*;
use crate::{
    recorder::disposal::DisposalReading,
    tokio::{
        self,
        sync::{Semaphore, oneshot, watch},
        task::JoinSet,
    },
};

/// A file and a line.
type At = Option<(&'static str, u32)>;

/// Where the task that did it was spawned, and the line that did, if that is known.
fn told(disposal: Option<DisposalReading>) -> (At, At) {
    let disposal = disposal.expect("somebody did it");
    assert!(disposal.at > 0);
    (disposal.spawned.map(|site| place(site.info.location)), disposal.site.map(place))
}

fn by(disposal: Option<DisposalReading>) -> u64 {
    disposal.map_or(0, |disposal| disposal.by)
}

/// Runs `future` as a task, which has ended when this is over; returns where it was spawned, and its id.
async fn as_a_task(future: impl Future<Output = ()> + Send + 'static) -> ((&'static str, u32), u64) {
    #[rustfmt::skip]
    let (handle, at) = (tokio::spawn(future), here());
    let id = peek::task_id(handle.id());
    handle.await.unwrap();
    (at, id)
}

#[test]
fn who_aborts_a_task_and_where_and_how_old_it_was() {
    run(async {
        #[rustfmt::skip]
        let (victim, at) = (tokio::spawn(std::future::pending::<()>()), here());
        others().await;
        let site = spawn_site(at);
        assert!(site.disposal().is_none());
        let line = here();
        let (spawned, id) = as_a_task(async move {
            victim.abort();
            // A second one changes nothing.
            victim.abort_handle().abort();
        })
        .await;
        assert_eq!(told(site.disposal()), (Some(spawned), Some((line.0, line.1 + 2))));
        assert_eq!(by(site.disposal()), id);
        others().await;
        assert_eq!(site.total(Total::Aborted), 1);
        assert!(site.total(Total::AbortedAge) > 0);
    });
}

#[test]
fn who_aborts_a_set_and_who_drops_one_with_tasks_in_it() {
    run(async {
        let mut set = JoinSet::new();
        #[rustfmt::skip]
        let (_, at) = (set.spawn(std::future::pending::<()>()), here());
        let line = here();
        let (spawned, _) = as_a_task(async move {
            set.abort_all();
        })
        .await;
        assert_eq!(told(spawn_site(at).disposal()), (Some(spawned), Some((line.0, line.1 + 2))));

        let mut set = JoinSet::new();
        #[rustfmt::skip]
        let (_, at) = (set.spawn(std::future::pending::<()>()), here());
        let (spawned, _) = as_a_task(async move { drop(set) }).await;
        assert_eq!(told(spawn_site(at).disposal()), (Some(spawned), None));

        let mut set = JoinSet::new();
        #[rustfmt::skip]
        let (_, at) = (set.spawn(async {}), here());
        set.join_next().await.unwrap().unwrap();
        drop(set);
        assert!(spawn_site(at).disposal().is_none());
    });
}

#[test]
fn who_drops_a_sender_without_sending_and_be_it_because_it_is_aborted() {
    run(async {
        #[rustfmt::skip]
        let ((tx, rx), made) = (oneshot::channel::<u8>(), here());
        let (spawned, id) = as_a_task(async move { drop(tx) }).await;
        rx.await.unwrap_err();
        let site = site(SiteKind::Oneshot, made);
        assert_eq!((told(site.disposal()), by(site.disposal())), ((Some(spawned), None), id));

        #[rustfmt::skip]
        let ((tx, rx), made) = (oneshot::channel::<u16>(), here());
        #[rustfmt::skip]
        let (owner, spawned) = (tokio::spawn(async move { tokio::select! { () = std::future::pending() => drop(tx) } }), here());
        others().await;
        owner.abort();
        rx.await.unwrap_err();
        let of_aborted = super::site(SiteKind::Oneshot, made).disposal();
        assert_eq!((told(of_aborted), by(of_aborted)), ((Some(spawned), None), peek::task_id(owner.id())));

        #[rustfmt::skip]
        let ((tx, rx), made) = (oneshot::channel::<u32>(), here());
        tx.send(1).unwrap();
        rx.await.unwrap();
        assert!(super::site(SiteKind::Oneshot, made).disposal().is_none());
    });
}

#[test]
fn a_task_that_goes_with_what_is_given_up_is_the_one_that_drops_its_sender() {
    run(async {
        #[rustfmt::skip]
        let ((tx, rx), made) = (oneshot::channel::<i8>(), here());
        let mut spawned = None;
        let given_up = async {
            let set = tokio::task::LocalSet::new();
            #[rustfmt::skip]
            let (owner, at) = (set.spawn_local(async move { tokio::select! { () = std::future::pending() => drop(tx) } }), here());
            spawned = Some((at, peek::task_id(owner.id())));
            set.run_until(std::future::pending::<()>()).await;
        };
        assert!(tokio::time::timeout(std::time::Duration::from_millis(1), given_up).await.is_err());
        rx.await.unwrap_err();
        let (spawned, id) = spawned.unwrap();
        let disposal = site(SiteKind::Oneshot, made).disposal();
        assert_eq!((told(disposal), by(disposal)), ((Some(spawned), None), id));
    });
}

#[test]
fn who_drops_the_last_receiver_of_a_watch_until_there_is_another() {
    run(async {
        #[rustfmt::skip]
        let ((tx, rx), made) = (watch::channel(1), here());
        let other = rx.clone();
        drop(other);
        assert!(channel(made).left.is_none());
        let (spawned, _) = as_a_task(async move { drop(rx) }).await;
        assert_eq!(told(channel(made).left), (Some(spawned), None));
        let _again = tx.subscribe();
        assert!(channel(made).left.is_none());
    });
}

#[test]
fn who_forgets_a_permit_and_where() {
    run(async {
        #[rustfmt::skip]
        let (semaphore, made) = (std::sync::Arc::new(Semaphore::new(2)), here());
        drop(semaphore.acquire().await.unwrap());
        assert!(lock(made).forgot.is_none());
        let theirs = semaphore.clone();
        let line = here();
        let (spawned, _) = as_a_task(async move {
            theirs.acquire().await.unwrap().forget();
        })
        .await;
        assert_eq!(told(lock(made).forgot), (Some(spawned), Some((line.0, line.1 + 2))));
    });
}

#[test]
fn outside_of_any_task_it_is_nobody() {
    recorder();
    let (tx, _rx) = oneshot::channel::<u64>();
    #[rustfmt::skip]
    let ((tx2, _rx2), made) = (oneshot::channel::<u64>(), here());
    drop((tx, tx2));
    let disposal = site(SiteKind::Oneshot, made).disposal();
    assert_eq!((told(disposal), by(disposal)), ((None, None), 0));
}

#[test]
fn where_a_task_waited_that_is_dropped_before_its_end() {
    const HOUR: std::time::Duration = std::time::Duration::from_hours(1);
    run(async {
        #[rustfmt::skip]
        let (victim, at) = (tokio::spawn(async { tokio::time::sleep(HOUR).await }), here());
        others().await;
        assert!(spawn_site(at).given_up().is_none());
        victim.abort();
        others().await;
        assert_eq!(spawn_site(at).given_up().map(|it| place(it.place)), Some(at));

        // Of two at once nobody knows which one matters.
        let both = async {
            tokio::join!(tokio::time::sleep(HOUR), tokio::time::sleep(HOUR));
        };
        #[rustfmt::skip]
        let (victim, at) = (tokio::spawn(both), here());
        others().await;
        victim.abort();
        others().await;
        assert!(spawn_site(at).given_up().is_none());

        // Nor of one that has an entry and one that is only counted.
        let (tx, rx) = oneshot::channel::<()>();
        let three = async {
            let _ = tokio::join!(rx, tokio::time::sleep(HOUR), tokio::time::sleep(HOUR));
        };
        #[rustfmt::skip]
        let (victim, at) = (tokio::spawn(three), here());
        others().await;
        tx.send(()).unwrap();
        others().await;
        victim.abort();
        others().await;
        assert!(spawn_site(at).given_up().is_none());
    });
}
