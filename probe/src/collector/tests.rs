//! What subscribers get who have just come, who fall behind, and who catch up.
#![cfg(feature = "watch-tasks")]

use ::tokio::sync::{Mutex, MutexGuard};
use prost::Message;

use super::*;
use crate::{
    recorder::peek,
    testing::{recorder, runtime},
};

/// A process has one collector: two would take each other's changes.
async fn only_collector() -> (MutexGuard<'static, ()>, Collector, Subscribers) {
    static ONLY: Mutex<()> = Mutex::const_new(());
    (ONLY.lock().await, Collector::new(recorder(), false), Subscribers::default())
}

fn decoded(messages: impl IntoIterator<Item = EncodedUpdate>) -> Vec<Update> {
    let decoded = |message: EncodedUpdate| {
        let mut update = Update::decode(message.encode_to_vec().as_slice()).unwrap();
        update.unpack().unwrap();
        update
    };
    messages.into_iter().map(decoded).collect()
}

/// Everything that waits for a subscriber.
fn waiting(joined: &mut Joined) -> Vec<Update> {
    decoded(std::iter::from_fn(|| joined.try_recv().ok()))
}

/// Whether there is a row of a task among them.
fn tells_of(task: u64, messages: &[Update]) -> bool {
    messages.iter().filter_map(|message| message.task_states.as_ref()).any(|rows| rows.id.contains(&task.cast_signed()))
}

#[::tokio::test]
async fn who_takes_nothing_is_sent_nothing_until_a_fresh_snapshot_and_can_tell_how_much_it_missed() {
    let (_only, mut collector, subscribers) = only_collector().await;
    let (mut slow, mut quick) = (subscribers.join().unwrap(), subscribers.join().unwrap());
    collector.tick(&subscribers).await;
    let first = waiting(&mut slow);
    assert!(first[0].snapshot_begin && first[first.len() - 1].snapshot_end);
    waiting(&mut quick);

    let mut all = Vec::new();
    for _ in 0..50 {
        collector.tick(&subscribers).await;
        all.extend(waiting(&mut quick).iter().map(|update| update.seq));
    }
    all.dedup();
    assert_eq!(all.len(), 50, "who keeps up gets all");
    let old = waiting(&mut slow);
    assert!(old.len() <= 32 && old.iter().all(|update| !update.snapshot_begin), "{}", old.len());
    let last = old[old.len() - 1].seq;
    assert!(last < all[49]);

    collector.tick(&subscribers).await;
    let fresh = waiting(&mut slow);
    assert!(fresh[0].snapshot_begin && fresh[fresh.len() - 1].snapshot_end);
    // The gap in the numbers is what was missed.
    assert_eq!(fresh[0].seq, all[49] + 1);
    assert!(waiting(&mut quick).iter().all(|update| !update.snapshot_begin));
    collector.tick(&subscribers).await;
    assert_eq!(waiting(&mut slow)[0].seq, fresh[0].seq + 1);
}

#[::tokio::test]
async fn of_what_changed_before_anybody_was_there_no_rows_are_made_that_nobody_takes() {
    let (_only, mut collector, subscribers) = only_collector().await;
    let runtime = runtime("collector", 1);
    let wake = std::sync::Arc::new(::tokio::sync::Notify::new());
    let woken = wake.clone();
    let task = runtime.spawn(async move {
        woken.notified().await;
        std::future::pending::<()>().await;
    });
    let id = peek::task_id(task.id());
    let mut joined = subscribers.join().unwrap();
    collector.take_changed();
    let delta = collector.delta(&subscribers);
    assert!(!tells_of(id, &decoded(delta.clone())));
    // All the same, the snapshot has it, and what changes from then on is told.
    subscribers.send(&delta);
    collector.continue_snapshots(&subscribers);
    assert!(tells_of(id, &waiting(&mut joined)));
    let polls = || recorder().task(id).unwrap().polls();
    let before = polls();
    wake.notify_one();
    crate::testing::wait_for(|| polls() > before);
    collector.tick(&subscribers).await;
    assert!(tells_of(id, &waiting(&mut joined)));
    ::tokio::task::spawn_blocking(|| drop(runtime)).await.unwrap();
}
