use std::future::pending;

use super::*;
use crate::{
    recorder::{handle::flag, wait::WaitKind},
    tokio::{
        self,
        task::{AbortHandle, JoinSet},
    },
};

/// A site's spawned, dropped handles, lost errors, panics, lost panics.
fn totals(site: &Site) -> [u64; 5] {
    counts(site, [Total::Spawned, Total::HandlesDropped, Total::ErrorsLost, Total::Panics, Total::PanicsLost])
}

fn site_of(abort: &AbortHandle) -> &'static Site {
    task(abort.id()).site
}

#[test]
fn results_that_are_joined_are_not_lost() {
    run(async {
        let mut set = JoinSet::new();
        let at = here();
        for n in 0..10 {
            set.spawn(async move { if n % 2 == 0 { Ok(n) } else { Err(n) } });
        }
        let site = spawn_site((at.0, at.1 + 2));
        while set.join_next().await.is_some() {}
        assert_eq!((totals(site), site.total(Total::Finished)), ([10, 0, 0, 0, 0], 10));
    });
}

#[test]
fn errors_that_go_with_the_set_are_lost() {
    run(async {
        let mut set = JoinSet::new();
        let abort = set.spawn(async { Err::<(), _>("ended, not joined") });
        let site = site_of(&abort);
        others().await;
        drop(set);
        assert_eq!(totals(site), [1, 0, 1, 0, 0]);
    });
}

#[test]
fn a_panic_that_is_joined_is_not_lost_and_one_that_goes_with_the_set_is() {
    run(async {
        let mut set = JoinSet::new();
        let joined = site_of(&set.spawn(async { panic!("joined") }));
        others().await;
        assert!(error(set.join_next().await.unwrap()).is_panic());
        drop(set);
        assert_eq!(totals(joined), [1, 0, 0, 1, 0]);

        let mut set = JoinSet::new();
        let unseen = site_of(&set.spawn(async { panic!("goes with the set") }));
        let other = site_of(&set.spawn(pending::<()>()));
        others().await;
        assert_eq!(totals(unseen), [1, 0, 0, 1, 0], "the set may still be joined");
        drop(set);
        others().await;
        assert_eq!((totals(unseen), totals(other)), ([1, 0, 0, 1, 1], [1, 0, 0, 0, 0]));
        assert_eq!(other.total(Total::Aborted), 1);
    });
}

#[test]
fn a_panic_after_the_tasks_were_detached_is_lost_and_the_handles_are_dropped_by_choice() {
    run(async {
        let mut set = JoinSet::new();
        let abort = set.spawn(async {
            tokio::task::yield_now().await;
            panic!("detached")
        });
        let site = site_of(&abort);
        set.detach_all();
        assert_ne!(task(abort.id()).flags & flag::HANDLE_DROPPED, 0);
        others().await;
        drop::<JoinSet<()>>(set);
        assert_eq!(totals(site), [1, 1, 0, 1, 1]);
    });
}

#[test]
fn a_detached_error_is_lost_once() {
    run(async {
        let mut set = JoinSet::new();
        let ended = site_of(&set.spawn(async { Err::<u8, _>(1) }));
        others().await;
        let running = site_of(&set.spawn(async { Err::<u8, _>(2) }));
        set.detach_all();
        others().await;
        drop(set);
        assert_eq!((totals(ended), totals(running)), ([1, 0, 1, 0, 0], [1, 1, 1, 0, 0]));
    });
}

#[test]
fn aborting_all_is_by_intent() {
    run(async {
        let mut set = JoinSet::new();
        let abort = set.spawn(pending::<()>());
        let site = site_of(&abort);
        set.abort_all();
        assert_ne!(task(abort.id()).flags & flag::ABORTED, 0);
        set.shutdown().await;
        assert_eq!((totals(site), site.total(Total::Aborted)), ([1, 0, 0, 0, 0], 1));
    });
}

#[test]
fn the_panic_of_a_blocking_task_is_seen_or_lost_as_any_other() {
    run(async {
        let mut set = JoinSet::new();
        let seen = site_of(&set.spawn_blocking(|| panic!("seen")));
        assert!(error(set.join_next().await.unwrap()).is_panic());
        assert_eq!(totals(seen), [1, 0, 0, 1, 0]);
        let abort = set.spawn_blocking(|| panic!("unseen"));
        let unseen = site_of(&abort);
        while !abort.is_finished() {
            tokio::task::yield_now().await;
        }
        drop(set);
        assert_eq!(totals(unseen), [1, 0, 0, 1, 1]);
    });
}

#[test]
fn who_waits_for_a_set_is_seen_to_wait() {
    run(async {
        let at = here();
        let waiter = tokio::spawn(async {
            let mut set = JoinSet::new();
            set.spawn(pending::<()>());
            set.join_next().await;
        });
        others().await;
        let [wait] = waits(waiter.id())[..] else { panic!("one wait") };
        assert_eq!((wait.kind, wait.on, place(wait.site.unwrap())), (WaitKind::Join as u8, 0, (at.0, at.1 + 4)));
        waiter.abort();
    });
}

#[test]
fn a_set_that_is_used_for_long_keeps_few_slots() {
    struct Mine;
    run(async {
        let mut set = JoinSet::new();
        let mut site = None;
        for _ in 0..10_000 {
            let abort = set.spawn(async { Mine });
            site = site.or_else(|| Some(site_of(&abort)));
            drop(abort);
            set.join_next().await.unwrap().unwrap();
        }
        let site = site.unwrap();
        let kept = recorder().tasks.all().filter_map(|(_, slot)| slot.read()).filter(|t| std::ptr::eq(t.site, site));
        assert!(kept.count() <= 16);
        drop(set);
        assert_eq!(site.total(Total::FinishedPolls), 10_000);
    });
}
