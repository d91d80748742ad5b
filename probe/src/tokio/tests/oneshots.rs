use std::pin::pin;

use super::*;
use crate::{
    Named,
    recorder::{names, oneshot::Outcomes, wait::WaitKind},
    tokio::{self, sync::oneshot},
};

fn outcomes(made: (&str, u32)) -> (&'static Site, &'static Outcomes) {
    let site = site(SiteKind::Oneshot, made);
    (site, &site.oneshots)
}

#[test]
fn outcomes_are_counted_where_the_channels_are_made() {
    run(async {
        let mut made = ("", 0);
        let mut channel = || {
            #[rustfmt::skip]
            let (halves, at) = (oneshot::channel::<u64>(), here());
            made = at;
            halves
        };
        let (tx, rx) = channel();
        tx.send(1).unwrap();
        rx.await.unwrap();
        let (tx, mut rx) = channel();
        tx.send(1).unwrap();
        rx.try_recv().unwrap();
        drop(rx);

        let (tx, rx) = channel();
        drop(rx);
        #[rustfmt::skip]
        let (back, sent) = (tx.send(1), here());
        back.unwrap_err();
        let (tx, rx) = channel();
        tx.send(1).unwrap();
        drop(rx);

        let (tx, rx) = channel();
        drop(tx);
        drop(rx);
        let (tx, rx) = channel();
        drop(tx);
        #[rustfmt::skip]
        let (nothing, awaited) = (rx.await, here());
        nothing.unwrap_err();

        // Nobody is to blame for these.
        let (tx, rx) = channel();
        drop(rx);
        drop(tx);
        let (tx, mut rx) = channel();
        rx.close();
        drop(tx);
        rx.await.unwrap_err();

        let (site, outcomes) = outcomes(made);
        assert!(site.info.type_name.contains("u64"));
        assert_eq!((site.total(Total::Spawned), site.total(Total::Delivered)), (8, 2));
        assert_eq!((count(&outcomes.unreceived), count(&outcomes.unsent_awaited)), (2, 1));
        assert_eq!(site.total(Total::Unsent), 2);
        assert_eq!(place(outcomes.last_unreceived().1.unwrap()), sent);
        assert_eq!(place(outcomes.last_unsent().1.unwrap()), awaited);
    });
}

#[test]
fn who_awaits_an_answer_is_known() {
    run(async {
        #[rustfmt::skip]
        let ((tx, rx), made) = (oneshot::channel::<i64>(), here());
        let at = here();
        let asking = tokio::spawn(async move {
            let _ = rx.await;
            std::future::pending::<()>().await;
        });
        others().await;
        let [wait] = waits(asking.id())[..] else { panic!("one wait") };
        let id = u64::from(outcomes(made).0.id);
        assert_eq!((wait.kind, wait.on, place(wait.site.unwrap())), (WaitKind::Oneshot as u8, id, (at.0, at.1 + 2)));
        tx.send(1).unwrap();
        others().await;
        assert!(waits(asking.id()).is_empty());
        asking.abort();
    });
}

#[test]
fn who_waits_for_the_receiver_to_go_is_known() {
    run(async {
        #[rustfmt::skip]
        let ((mut tx, rx), made) = (oneshot::channel::<u16>(), here());
        let at = here();
        let asked = tokio::spawn(async move {
            tx.closed().await;
            std::future::pending::<()>().await;
        });
        others().await;
        let [wait] = waits(asked.id())[..] else { panic!("one wait") };
        let id = u64::from(outcomes(made).0.id);
        assert_eq!(
            (wait.kind, wait.on, place(wait.site.unwrap())),
            (WaitKind::OneshotClosed as u8, id, (at.0, at.1 + 2))
        );
        drop(rx);
        others().await;
        assert!(waits(asked.id()).is_empty());
        asked.abort();
    });
}

#[test]
fn those_of_a_line_go_by_the_one_name_that_it_gives() {
    recorder();
    let name = |made| names::text(outcomes(made).1.name());
    #[rustfmt::skip]
    let (replies, made) = ([0; 3].map(|_| oneshot::channel::<u16>().named("reply")), here());
    assert_eq!(name(made), "reply");
    drop(replies);
    #[rustfmt::skip]
    let (others, made) = (["a", "b", "a"].map(|name| oneshot::channel::<u16>().named(name)), here());
    assert_eq!(name(made), "", "which of them one goes by is not known");
    drop(others);
    #[rustfmt::skip]
    let ((tx, rx), made) = (oneshot::channel::<u16>(), here());
    assert_eq!(name(made), "");
    let _halves = (tx, rx.named("answer"));
    assert_eq!(name(made), "answer");
}

#[test]
fn halves_that_leave_their_wrappers_are_counted_no_more() {
    run(async {
        #[rustfmt::skip]
        let ((tx, rx), made) = (oneshot::channel::<i128>(), here());
        let (tx, rx) = (tx.into_inner(), rx.into_inner());
        drop(tx);
        assert!(poll_once(pin!(rx)).is_ready());
        let (site, outcomes) = outcomes(made);
        assert_eq!((site.total(Total::Spawned), site.total(Total::Unsent), count(&outcomes.unsent_awaited)), (1, 0, 0));
    });
}
