//! Updates made by hand: what they become, and that nothing in them does harm.
mod target;

use console_api::resources::{Resource, Stats as ResourceStats};
use console_api::tasks::Task;
use console_api::{Location, PollStats, field};
use proptest::prelude::*;
use prost_types::{Duration as ProtoDuration, Timestamp};

use super::*;
use crate::model::{LockId, LockKind, LockReading, Model, TaskId, TaskReading, TaskState};
use target::{Target, at, attribute, named, place, stamp};

fn state(batch: &Batch, id: u64) -> &TaskReading {
    batch.task_states.iter().find(|task| task.id == TaskId(id)).unwrap()
}

fn mutex(batch: &Batch) -> &LockReading {
    let mutex = batch.lock_births.iter().find(|birth| birth.kind == LockKind::Mutex).map(|birth| birth.id);
    batch.lock_states.iter().rfind(|lock| mutex.is_none_or(|id| lock.id == id)).unwrap()
}

#[test]
fn the_first_update_is_a_whole_state_of_tasks_by_tokios_ids() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    target.task(8, 1, "block_on");
    let batch = target.whole(10, Place::Connected);
    assert!(batch.snapshot_begin && batch.snapshot_end);
    let task = &target.model.tasks[&TaskId(3)];
    assert_eq!((task.state, task.future_bytes), (TaskState::New, 512));
    assert_eq!(target.model.sites[&task.site].location, "src/main.rs:7:5");
    assert_eq!(crate::text::task_id(batch.task_births.iter().map(|birth| birth.id).max().unwrap()), "main");
    let who = target.decoder.target("console:x:1".into());
    assert!(who.sees("tasks") && !who.sees("holders") && !who.sees("workers") && who.instance != 0);
    assert!(!who.blind.is_empty());
}

#[test]
fn a_future_that_was_boxed_has_the_size_that_it_had_before() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    let original = named("original_size.bytes", field::Value::U64Val(70_000));
    target.update.task_update.get_or_insert_default().new_tasks[0].fields.insert(0, original);
    target.task(8, 4, "task");
    target.whole(10, Place::Connected);
    let bytes = |id| target.model.tasks[&TaskId(id)].future_bytes;
    assert_eq!((bytes(3), bytes(4)), (70_000, 512));
}

#[test]
fn wakers_that_are_alive_are_counted_where_they_are_told_and_add_up() {
    let mut target = Target::new();
    let wakers = |target: &mut Target, span, clones, drops| {
        target.polled(span, 1, Some(1), Some(1), 0);
        let stats = target.update.task_update.get_or_insert_default().stats_update.entry(span).or_default();
        (stats.waker_clones, stats.waker_drops) = (clones, drops);
    };
    for span in 7..10 {
        target.task(span, span - 4, "task");
        wakers(&mut target, span, 0, 0);
    }
    let batch = target.whole(10, Place::Connected);
    assert_eq!(state(&batch, 3).wakers, None, "none was told of yet: it may be that tokio does not tell");
    wakers(&mut target, 7, 5, 4);
    wakers(&mut target, 8, 2, 2);
    wakers(&mut target, 9, 1, 2);
    let batch = target.later(1000);
    assert_eq!([3, 4, 5].map(|id| state(&batch, id).wakers), [Some(1), Some(0), None]);
}

#[test]
fn who_has_another_waker_may_be_woken_by_another() {
    for (clones, more) in [(1, false), (2, true)] {
        let mut target = Target::new();
        target.task(7, 3, "task");
        target.mutex(20, true, 0);
        target.locks(30, 20, 7, 1, None);
        let stats = target.update.task_update.get_or_insert_default().stats_update.entry(7).or_default();
        stats.waker_clones = clones;
        let batch = target.whole(5000, Place::Connected);
        assert_eq!((state(&batch, 3).waits.len(), state(&batch, 3).flags.more_waits), (1, more), "{clones}");
    }
}

#[test]
fn what_became_of_a_oneshot_is_told_when_both_of_its_ends_are_gone() {
    let mut target = Target::new();
    let ends: [(&[&str], [u64; 4]); 6] = [
        (&["value_sent"], [1, 0, 0, 0]),
        (&["value_sent", "rx_dropped", "value_received"], [1, 0, 0, 0]),
        (&["tx_dropped"], [0, 1, 1, 0]),
        (&["tx_dropped", "rx_dropped"], [0, 0, 0, 0]),
        (&["value_sent", "rx_dropped"], [0, 0, 0, 1]),
        (&["rx_dropped"], [0, 0, 0, 1]),
    ];
    let mut all = [0; 4];
    target.whole(10, Place::Connected);
    for (n, (told, counts)) in (0_u8..).zip(ends) {
        let span = 20 + u64::from(n);
        let resources = target.update.resource_update.get_or_insert_default();
        let made = Resource {
            id: Some(span.into()),
            concrete_type: "Sender|Receiver".into(),
            location: place(9),
            ..Resource::default()
        };
        resources.new_resources.push(made);
        let attributes = told.iter().map(|name| attribute(name, field::Value::BoolVal(true))).collect();
        let stats = ResourceStats { created_at: at(20), dropped_at: at(30), attributes };
        resources.stats_update.insert(span, stats);
        let batch = target.later(1000 * (i64::from(n) + 1));
        let one = &batch.oneshots[0];
        all.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
        assert_eq!([one.delivered, one.unsent, one.unsent_awaited, one.unreceived], all, "{told:?}");
        assert_eq!(one.made, u64::from(n) + 1);
    }
}

#[test]
fn a_poll_in_progress_is_told_while_the_target_bears_it_out_and_no_longer() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    target.whole(10, Place::Connected);
    target.polled(7, 1, Some(800), None, 0);
    let running = target.later(1000);
    assert_eq!(running.worker_states.len(), 1);
    assert_eq!(running.worker_states[0].poll, Some((TaskId(3), stamp(800))));
    assert_eq!(running.worker_states[0].kind, WorkerKind::Untold);
    // It says no more of it: it may go on, or have ended unseen.
    let silent = target.later(2000);
    assert_eq!((silent.worker_states.len(), silent.gone_workers.len()), (0, 1));
    assert!(!target.decoder.wants_whole(), "too soon after the last one");
    target.later(2500);
    assert!(target.decoder.wants_whole());
    target.task(7, 3, "task");
    target.polled(7, 1, Some(800), None, 0);
    assert_eq!(target.whole(2600, Place::Renewed).worker_states.len(), 1);
}

#[test]
fn a_task_that_is_in_its_next_poll_is_in_the_same_thread_and_in_no_other() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    target.whole(10, Place::Connected);
    target.polled(7, 1, Some(800), None, 0);
    let first = target.later(1000).worker_states[0].id;
    target.polled(7, 2, Some(1900), Some(1200), 400);
    let next = target.later(2000);
    assert_eq!(next.worker_states.len(), 1);
    assert_eq!((next.worker_states[0].id, next.worker_states[0].poll), (first, Some((TaskId(3), stamp(1900)))));
    assert_eq!(target.later(3000).gone_workers, [first]);
}

#[test]
fn what_a_whole_state_no_longer_has_is_gone_and_live_tasks_are_not_counted_any_more() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    target.task(8, 4, "task");
    target.whole(10, Place::Connected);
    target.task(8, 4, "task");
    let batch = target.whole(8000, Place::Renewed);
    assert_eq!(batch.gone_tasks, [TaskId(3)]);
    assert_eq!(target.model.tasks.len(), 1);
    assert!(batch.site_totals.iter().all(|site| site.spawned == site.finished));
}

#[test]
fn ended_tasks_that_are_told_again_are_not_counted_again() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    target.whole(10, Place::Connected);
    target.ends(7, 500);
    let batch = target.later(1000);
    assert_eq!((batch.site_totals[0].spawned, batch.site_totals[0].finished), (1, 1));
    target.task(7, 3, "task");
    target.ends(7, 500);
    let again = target.whole(9000, Place::Renewed);
    assert_eq!((again.site_totals[0].spawned, again.site_totals[0].finished), (1, 1));
    assert!(again.task_births.is_empty());
}

#[test]
fn who_got_a_lock_last_has_it_and_who_awaits_it_waits() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    target.task(8, 4, "task");
    target.mutex(20, false, 1);
    target.whole(10, Place::Connected);
    target.locked(20, true, 0);
    target.locks(30, 20, 7, 500, Some(500));
    target.locks(31, 20, 8, 600, None);
    let batch = target.later(1000);
    let lock = mutex(&batch);
    assert_eq!((lock.holder, lock.held_since, lock.waiters), (TaskId(3), Some(stamp(500)), 1));
    assert_eq!((lock.acquires, lock.contended), (1, 0));
    let waiter = state(&batch, 4);
    assert_eq!(waiter.waits.len(), 1);
    assert_eq!((waiter.waits[0].on, waiter.waits[0].since), (WaitFor::Lock(lock.id), stamp(600)));
    assert!(waiter.flags.more_waits, "it may yet be given up");
    // Then it gets it.
    target.locked(20, true, 0);
    target.locks(31, 20, 8, 600, Some(1500));
    let batch = target.later(2000);
    let lock = mutex(&batch);
    assert_eq!((lock.holder, lock.waiters, lock.acquires, lock.contended), (TaskId(4), 0, 2, 1));
    assert_eq!((lock.wait_max, lock.hold_max), (Duration::from_millis(900), Duration::from_secs(1)));
    assert!(state(&batch, 4).waits.is_empty());
}

#[test]
fn a_lock_that_try_lock_has_or_that_changed_since_has_an_unknown_holder() {
    let holder = |locked: &dyn Fn(&mut Target)| {
        let mut target = Target::new();
        target.task(7, 3, "task");
        target.mutex(20, false, 1);
        target.whole(10, Place::Connected);
        target.later(1000);
        target.locks(30, 20, 7, 1500, Some(1500));
        locked(&mut target);
        target.later(2000);
        target.locked(20, true, 0);
        let batch = target.later(3000);
        let lock = mutex(&batch);
        assert!(lock.held_since.is_some());
        lock.holder
    };
    // It changed in the third second, and nobody was told to have got it then.
    assert_eq!(holder(&|target| target.locked(20, true, 0)), TaskId(0));

    let mut target = Target::new();
    target.task(7, 3, "task");
    target.mutex(20, false, 1);
    target.whole(10, Place::Connected);
    target.locks(30, 20, 7, 500, Some(500));
    // The permit of the one who got it last is back, and the lock is taken.
    target.locked(20, true, 1);
    let batch = target.later(1000);
    assert_eq!((mutex(&batch).holder, mutex(&batch).held_since.is_some()), (TaskId(0), true));
}

#[test]
fn with_more_events_than_it_takes_in_nothing_is_said_of_what_may_have_changed() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    target.mutex(20, false, 1);
    target.whole(10, Place::Connected);
    target.locked(20, true, 0);
    target.locks(30, 20, 7, 500, Some(500));
    for span in 100..220 {
        target.task(span, span, "task");
    }
    let batch = target.later(1000);
    assert_eq!(mutex(&batch).holder, TaskId(0), "another may have got it since, and is not told yet");
    assert_eq!(target.decoder.delay(), Some(Duration::from_millis(500)));
    target.locked(20, true, 0);
    target.later(2000);
    assert_eq!(target.decoder.delay(), None);
}

#[test]
fn dropped_events_are_loss_and_no_wait_is_taken_for_all_there_is() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    target.mutex(20, true, 0);
    target.locks(30, 20, 7, 1, None);
    target.update.task_update.get_or_insert_default().dropped_events = 5;
    target.update.async_op_update.get_or_insert_default().dropped_events = u64::MAX;
    target.update.resource_update.get_or_insert_default().dropped_events = 2;
    let batch = target.whole(5000, Place::Connected);
    assert_eq!(batch.loss.map(|loss| (loss.tasks, loss.locks)), Some((5, u64::MAX)));
    assert!(state(&batch, 3).flags.more_waits);
    assert_eq!(mutex(&batch).holder, TaskId(0));
}

#[test]
fn the_same_process_is_known_again_and_another_starts_clean() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    target.mutex(20, false, 1);
    target.whole(10, Place::Connected);
    let (instance, lock) = (target.decoder.target(String::new()).instance, mutex_id(&target));
    target.task(7, 3, "task");
    target.mutex(20, false, 1);
    target.whole(60_000, Place::Connected);
    assert_eq!((target.decoder.target(String::new()).instance, mutex_id(&target)), (instance, lock));

    // The same numbers, made at another time.
    target.task(7, 3, "task");
    target.update.task_update.get_or_insert_default().stats_update.entry(7).or_default().created_at = at(70_000);
    target.whole(71_000, Place::Connected);
    assert_ne!(target.decoder.target(String::new()).instance, instance);
}

fn mutex_id(target: &Target) -> crate::model::LockId {
    target.model.locks.values().find(|lock| lock.kind == LockKind::Mutex).unwrap().id
}

#[test]
fn an_update_without_a_time_is_refused_and_one_that_comes_late_changes_nothing() {
    let mut decoder = Decoder::new();
    assert!(decoder.update(Update::default(), Place::Connected).is_err());
    let nanos = Some(Timestamp { seconds: 1, nanos: -1 });
    assert!(decoder.update(Update { now: nanos, ..Update::default() }, Place::Connected).is_err());

    let mut target = Target::new();
    target.task(7, 3, "task");
    target.whole(1000, Place::Connected);
    target.later(3000);
    let overtaken = target.whole(2000, Place::Renewed);
    assert_eq!((overtaken.now, overtaken.snapshot_begin, overtaken.gone_tasks.len()), (stamp(3000), false, 0));
}

#[test]
fn what_makes_no_sense_is_left_out_and_strings_are_cleaned() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    target.task(8, 3, "task");
    target.task(9, u64::MAX, "task");
    let tasks = target.update.task_update.get_or_insert_default();
    tasks.new_tasks.push(Task::default());
    tasks.new_tasks[0].location = Some(Location { file: Some("a\u{1b}[31m.rs".into()), ..Location::default() });
    let stats = tasks.stats_update.entry(7).or_default();
    stats.scheduled_time = Some(ProtoDuration { seconds: -5, nanos: i32::MIN });
    stats.created_at = Some(Timestamp { seconds: i64::MIN, nanos: 0 });
    stats.last_wake = Some(Timestamp { seconds: i64::MAX, nanos: 999_999_999 });
    let batch = target.whole(1000, Place::Connected);
    assert_eq!(batch.task_births.len(), 3);
    let mut ids: Vec<TaskId> = batch.task_births.iter().map(|birth| birth.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3, "no two tasks share an id");
    assert!(batch.sites.iter().any(|site| site.location == "a␛[31m.rs"));
    assert!(batch.task_states.iter().all(|task| task.state_since <= batch.now && task.sched_total.is_zero()));
}

prop_compose! {
    fn hostile_time()(seconds in prop_oneof![Just(i64::MIN), Just(i64::MAX), -3_i64..3, any::<i64>()], nanos in any::<i32>())
        -> Option<Timestamp> { Some(Timestamp { seconds, nanos: nanos % 1_000_000_001 }) }
}

prop_compose! {
    fn hostile_polls()(polls in prop_oneof![0_u64..4, Just(u64::MAX)], times in prop::collection::vec(hostile_time(), 4),
        busy in any::<(i64, i32)>()) -> Option<PollStats> {
        Some(PollStats {
            polls,
            first_poll: times[0],
            last_poll_started: times[2],
            last_poll_ended: times[3],
            busy_time: Some(ProtoDuration { seconds: busy.0, nanos: busy.1 }),
        })
    }
}

prop_compose! {
    fn hostile_update()(
        now in hostile_time(),
        spans in prop::collection::vec(prop_oneof![0_u64..6, Just(u64::MAX)], 12),
        times in prop::collection::vec(hostile_time(), 12),
        polls in hostile_polls(),
        number in any::<u64>(),
        ready in any::<bool>(),
        text in any::<String>(),
    ) -> Update {
        let mut target = Target::new();
        target.task(spans[0], number, &text);
        target.task(spans[1], spans[2], "block_on");
        target.mutex(spans[3].min(5), ready, number);
        target.locks(spans[4], spans[5], spans[6], 0, ready.then_some(1));
        let mut update = target.update;
        update.now = now;
        for (n, stats) in update.task_update.iter_mut().flat_map(|tasks| tasks.stats_update.values_mut()).enumerate() {
            (stats.created_at, stats.dropped_at) = (times[n], times[n + 2]);
            (stats.poll_stats, stats.wakes, stats.self_wakes) = (polls, number, number);
        }
        for stats in update.async_op_update.iter_mut().flat_map(|operations| operations.stats_update.values_mut()) {
            (stats.created_at, stats.poll_stats) = (times[6], polls);
        }
        update
    }
}

#[test]
fn a_number_that_goes_on_to_another_operation_leaves_nobody_waiting_behind() {
    let mut target = Target::new();
    target.task(7, 3, "task");
    for lock in [20, 40] {
        target.mutex(lock, true, 0);
    }
    target.locks(30, 20, 7, 5, None);
    target.whole(1000, Place::Connected);
    let first = LockId(1);
    assert_eq!(target.model.locks[&first].waiters, 1);
    // Its end is not told, and the next one by that number is on another lock, which it gets.
    target.locks(30, 40, 7, 1100, Some(1200));
    target.later(2000);
    assert_eq!(target.model.locks[&first].waiters, 0);
    assert!(target.model.tasks[&TaskId(3)].waits.is_empty());
    // So an endless stream of such fills nothing.
    for n in 0..500 {
        let (began, span) = (2000 + n * 20, 50 + n as u64);
        target.locks(span, 20, 7, began, None);
        target.later(began + 9);
        target.locks(span, 40, 7, began + 10, Some(began + 11));
        target.later(began + 19);
    }
    assert!(target.decoder.resources.lock(20).unwrap().waiting.is_empty());
}

#[test]
fn an_operation_that_goes_from_task_to_task_is_waited_for_by_the_last() {
    let mut target = Target::new();
    for span in 100..110 {
        target.task(span, span, "task");
    }
    target.mutex(20, true, 0);
    target.locks(30, 20, 100, 5, None);
    target.whole(1000, Place::Connected);
    for (ms, task) in (1001..).zip(101..110) {
        target.locks(30, 20, task, 5, None);
        target.later(ms);
    }
    let waits: Vec<u64> = (100..110).filter(|task| !target.decoder.tasks.get(*task).unwrap().ops.is_empty()).collect();
    assert_eq!(waits, [109]);
    let waits = target.model.tasks.values().filter(|task| !task.waits.is_empty()).map(|task| task.id);
    assert_eq!(waits.collect::<Vec<_>>(), [TaskId(109)]);
}

#[test]
fn names_beyond_what_there_is_room_for_are_counted_and_those_of_the_ended_make_room() {
    let mut target = Target::new();
    let long = "n".repeat(1024);
    let named_tasks = |target: &mut Target, spans: std::ops::Range<u64>| {
        for span in spans {
            target.task(span, span, "task");
            let new = target.update.task_update.get_or_insert_default().new_tasks.last_mut().unwrap();
            (new.location, new.fields) = (place(9), vec![named("task.name", field::Value::StrVal(long.clone()))]);
        }
    };
    let room = 32 << 10;
    named_tasks(&mut target, 1..room + 11);
    let batch = target.whole(1000, Place::Connected);
    assert_eq!(batch.loss.unwrap().names, 10);
    assert_eq!(batch.task_births.iter().filter(|birth| birth.name.is_empty()).count(), 10);
    for span in 1..=room + 10 {
        target.ends(span, 1500);
    }
    target.later(2000);
    named_tasks(&mut target, room + 20..room + 30);
    let batch = target.later(3000);
    assert_eq!(batch.loss.unwrap().names, 10);
    assert!(batch.task_births.len() == 10 && batch.task_births.iter().all(|birth| birth.name.len() == 1024));
}

#[test]
fn operations_beyond_what_there_is_room_for_are_counted() {
    use console_api::async_ops::{AsyncOp, Stats};
    let mut target = Target::new();
    let beyond = |target: &mut Target, spans: std::ops::RangeInclusive<u64>| {
        let operations = target.update.async_op_update.get_or_insert_default();
        for span in spans {
            operations.new_async_ops.push(AsyncOp { id: Some(span.into()), ..AsyncOp::default() });
            operations.stats_update.insert(span, Stats { created_at: at(1), ..Stats::default() });
        }
    };
    let most = operations::MAX_OPERATIONS as u64;
    beyond(&mut target, 1..=most + 5);
    let batch = target.whole(1000, Place::Connected);
    assert_eq!(batch.loss.unwrap().details, 5);
    // A whole state tells of the same once more.
    beyond(&mut target, 1..=most + 5);
    assert_eq!(target.whole(2000, Place::Renewed).loss.unwrap().details, 5);
    beyond(&mut target, most + 6..=most + 6);
    assert_eq!(target.later(3000).loss.unwrap().details, 6);
}

proptest! {
    #[test]
    fn whatever_comes_it_is_decoded_or_refused(updates in prop::collection::vec((hostile_update(), 0..3), 1..6)) {
        let (mut decoder, mut model) = (Decoder::new(), Model::default());
        for (update, place) in updates {
            let place = [Place::Connected, Place::Renewed, Place::Later][place as usize];
            if let Ok(batch) = decoder.update(update, place) {
                let now = batch.now;
                prop_assert!(batch.task_states.iter().all(|task| task.state_since <= now));
                model.apply(batch);
                decoder.wants_whole();
                decoder.delay();
            }
        }
    }
}
