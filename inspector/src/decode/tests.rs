//! What is refused, and that nothing panics.
use async_inspect_proto::{MAX_ROWS, v1};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::model::{Model, TaskState};

#[allow(clippy::unnecessary_wraps, reason = "as a field of an update")]
fn strings(values: &[&str]) -> Option<v1::Strings> {
    Some(v1::Strings { first: 1, values: values.iter().map(|&value| value.to_owned()).collect() })
}

#[allow(clippy::unnecessary_wraps, reason = "as a field of an update")]
fn site(id: u32) -> Option<v1::Sites> {
    Some(v1::Sites {
        id: vec![id],
        kind: vec![v1::SiteKind::Spawn.into()],
        file: vec![1],
        line: vec![10],
        column: vec![5],
        name: vec![2],
        output: vec![99],
    })
}

fn task(id: u64, site: u32) -> v1::Update {
    v1::Update {
        task_births: Some(v1::TaskBirths {
            id: vec![id.cast_signed()],
            kind: vec![v1::TaskKind::Async.into()],
            site: vec![site],
            name: vec![0],
            spawned_at_ns: vec![1],
            future_bytes: vec![64],
            parent: vec![0],
        }),
        ..v1::Update::default()
    }
}

fn states(waits: &[u32], kinds: &[i32]) -> v1::Update {
    let n = waits.len();
    v1::Update {
        task_states: Some(v1::TaskStates {
            id: vec![1; n],
            state: vec![v1::TaskState::Idle.into(); n],
            state_since_ns: [1000].into_iter().chain([0; 9]).take(n).collect(),
            polls: vec![1; n],
            busy_ns: vec![1; n],
            max_poll_ns: vec![1; n],
            wakes: vec![1; n],
            self_wakes: vec![1; n],
            sched_total_ns: vec![1; n],
            sched_max_ns: vec![1; n],
            flags: vec![u32::MAX; n],
            waits: waits.to_vec(),
            wait_kind: kinds.to_vec(),
            wait_for: (100..).take(kinds.len()).collect(),
            wait_site: vec![0; kinds.len()],
            wait_before_ns: (0..).map(|at| 400 - 500 * at).take(kinds.len()).collect(),
            wakers_plus_one: vec![0; n],
            token: vec![0; n],
            tracker: vec![0; n],
            sched_p99_bucket: vec![5; n],
        }),
        ..v1::Update::default()
    }
}

#[test]
fn rows_come_out_with_their_strings_and_waits() {
    let mut decoder = Decoder::new();
    let news = v1::Update { strings: strings(&["src/a.rs", "work\u{1b}"]), sites: site(7), ..v1::Update::default() };
    let batch = decoder.update(news).unwrap();
    assert_eq!((batch.sites[0].location.as_str(), &*batch.sites[0].name), ("src/a.rs:10:5", "work␛"));

    assert_eq!(decoder.update(task(3, 7)).unwrap().task_births[0].site.0, 7);
    let batch = decoder.update(states(&[0, 2, 1], &[1, 2, 4])).unwrap();
    let waits: Vec<usize> = batch.task_states.iter().map(|task| task.waits.len()).collect();
    assert_eq!(waits, [0, 2, 1]);
    assert_eq!(batch.task_states.iter().map(|task| task.id.0).collect::<Vec<_>>(), [1, 2, 3]);
    let since = batch.task_states.iter().flat_map(|task| &task.waits).map(|wait| wait.since.0);
    assert_eq!(since.collect::<Vec<_>>(), [600, 1100, 1600]);
    assert_eq!(batch.task_states[2].waits[0].on, crate::model::WaitFor::Join(TaskId(102)));
    assert_eq!(batch.task_states[0].state, TaskState::Idle);
}

#[test]
fn what_a_target_leaves_out_is_zero() {
    let mut update = states(&[1, 0], &[4]);
    let table = update.task_states.as_mut().unwrap();
    for column in [&mut table.wakes, &mut table.self_wakes, &mut table.max_poll_ns, &mut table.wait_for] {
        column.clear();
    }
    (table.flags, table.wait_site, table.sched_p99_bucket) = Default::default();
    let tasks = Decoder::new().update(update).unwrap().task_states;
    assert_eq!((tasks[1].polls, tasks[1].wakes, tasks[1].max_poll), (1, 0, Duration::ZERO));
    assert_eq!((tasks[1].sched_p99_bucket, tasks[1].flags.handle_held, tasks[1].waits.len()), (None, false, 0));
    assert_eq!(tasks[0].waits[0].on, crate::model::WaitFor::Join(TaskId(0)));
    // What cannot be zero cannot be left out.
    let mut update = states(&[0], &[]);
    update.task_states.as_mut().unwrap().state.clear();
    assert_eq!(Decoder::new().update(update).unwrap_err(), DecodeError::Value { field: "task_states.state", value: 0 });
}

#[test]
fn a_fresh_snapshot_may_send_strings_and_sites_again() {
    let mut decoder = Decoder::new();
    for _ in 0..2 {
        decoder.update(v1::Update { strings: strings(&["a", "b"]), sites: site(7), ..Default::default() }).unwrap();
    }
    let more = v1::Strings { first: 3, values: vec!["c".into()] };
    decoder.update(v1::Update { strings: Some(more), ..Default::default() }).unwrap();
}

#[test]
fn updates_that_never_came_are_counted_by_the_gaps_in_their_numbers() {
    let mut decoder = Decoder::new();
    let mut skipped = |seq| {
        let update = v1::Update { seq, loss: Some(v1::Loss::default()), ..v1::Update::default() };
        decoder.update(update).unwrap().loss.unwrap().updates
    };
    // Several messages of one update have its number, and so has the snapshot that follows it.
    assert_eq!([7, 7, 8, 12, 12, 13].map(&mut skipped), [0, 0, 0, 3, 3, 3]);
    // A target that counts as it likes breaks nothing.
    assert_eq!([0, u64::MAX, u64::MAX, 0].map(&mut skipped), [3, u64::MAX, u64::MAX, u64::MAX]);
}

#[test]
fn ids_that_were_never_sent_are_refused() {
    let mut decoder = Decoder::new();
    assert_eq!(decoder.update(task(3, 7)).unwrap_err(), DecodeError::Site { id: 7 });
    let gap = v1::Strings { first: 3, values: vec!["x".into()] };
    let gap = v1::Update { strings: Some(gap), ..Default::default() };
    assert_eq!(decoder.update(gap).unwrap_err(), DecodeError::String { id: 2 });
    let none = v1::Strings { first: 0, values: vec!["x".into()] };
    assert!(decoder.update(v1::Update { strings: Some(none), ..Default::default() }).is_err());
    let nameless = v1::Update { sites: site(7), ..Default::default() };
    assert_eq!(decoder.update(nameless).unwrap_err(), DecodeError::String { id: 1 });
    let anonymous = v1::Panic { file: 9, ..Default::default() };
    assert!(decoder.update(v1::Update { panics: vec![anonymous], ..Default::default() }).is_err());
}

#[test]
fn columns_of_different_lengths_are_refused() {
    let mut short = states(&[0, 0], &[]);
    short.task_states.as_mut().unwrap().polls.pop();
    let columns = DecodeError::Columns { table: "task_states" };
    assert_eq!(Decoder::new().update(short).unwrap_err(), columns);
    assert_eq!(Decoder::new().update(states(&[2], &[1])).unwrap_err(), columns);
    assert_eq!(Decoder::new().update(states(&[0], &[1])).unwrap_err(), columns);
    let many = DecodeError::Rows { table: "task_states", rows: 2 * u32::MAX as usize };
    assert_eq!(Decoder::new().update(states(&[u32::MAX, u32::MAX], &[1])).unwrap_err(), many);
    let mut lock = locks(&[0]);
    lock.wait_buckets.pop();
    for lock in [
        lock,
        v1::LockStates { hold_task: vec![7], ..locks(&[2]) },
        v1::LockStates { hold_task: vec![7], ..locks(&[0]) },
    ] {
        let update = v1::Update { lock_states: Some(lock), ..Default::default() };
        assert_eq!(Decoder::new().update(update).unwrap_err(), DecodeError::Columns { table: "lock_states" });
    }
}

#[test]
fn of_very_long_lists_a_few_are_kept_and_it_is_said() {
    let mut long = states(&[40, 1], &[1; 41]);
    long.task_states.as_mut().unwrap().flags = vec![0; 2];
    let tasks = Decoder::new().update(long).unwrap().task_states;
    assert_eq!((tasks[0].waits.len(), tasks[0].flags.more_waits), (MAX_LISTED, true));
    let second = crate::model::WaitFor::Lock(LockId(140));
    assert_eq!((tasks[1].waits[0].on, tasks[1].flags.more_waits), (second, false), "what follows is in its place");

    let held = v1::LockStates {
        hold_task: vec![7; 40],
        hold_site: vec![0; 40],
        hold_since_ns: vec![1; 40],
        hold_permits: vec![1; 40],
        hold_exclusive: vec![false; 40],
        ..locks(&[40])
    };
    let update = v1::Update { lock_states: Some(held), ..Default::default() };
    let lock = &Decoder::new().update(update).unwrap().lock_states[0];
    assert_eq!((lock.holders.len(), lock.holder_count), (MAX_LISTED, 40));
}

#[test]
fn a_name_is_kept_once_however_many_go_by_it() {
    let mut decoder = Decoder::new();
    let named = |decoder: &mut Decoder| {
        let mut update = task(3, 0);
        update.task_births.as_mut().unwrap().name = vec![1];
        update.strings = strings(&["report"]);
        decoder.update(update).unwrap().task_births.remove(0).name
    };
    let (first, again) = (named(&mut decoder), named(&mut decoder));
    assert!(&*first == "report" && std::sync::Arc::ptr_eq(&first, &again), "a fresh snapshot says it again");
}

#[test]
fn strings_beyond_all_measure_are_not_kept_and_counted() {
    let mut decoder = Decoder::new();
    let update = |first: u32, count: usize| v1::Update {
        strings: Some(v1::Strings { first, values: vec!["x".repeat(text::MAX_BYTES); count] }),
        loss: Some(v1::Loss { shed_names: 1, ..v1::Loss::default() }),
        ..v1::Update::default()
    };
    let (room, piece) = ((64 << 20) / text::MAX_BYTES, 1 << 12);
    for first in (0..room).step_by(piece) {
        let batch = decoder.update(update(first as u32 + 1, piece)).unwrap();
        assert_eq!(batch.loss.unwrap().names, 1, "what the probe itself counted");
    }
    assert_eq!(decoder.update(update(room as u32 + 1, 10)).unwrap().loss.unwrap().names, 11);
    let mut late = task(3, 0);
    late.task_births.as_mut().unwrap().name = vec![room as u32 + 5];
    assert_eq!(&*decoder.update(late).unwrap().task_births[0].name, "…");
}

#[test]
fn a_short_message_that_stands_for_very_long_text_is_refused() {
    let (long, many) = ("x".repeat(text::MAX_BYTES), 20_000);
    let sites = v1::Sites {
        id: (1..=many).collect(),
        kind: vec![v1::SiteKind::Spawn.into(); many as usize],
        file: vec![1; many as usize],
        line: vec![10; many as usize],
        column: vec![5; many as usize],
        name: vec![1; many as usize],
        output: vec![0; many as usize],
    };
    let update = v1::Update { strings: strings(&[&long]), sites: Some(sites), ..Default::default() };
    assert!(matches!(Decoder::new().update(update), Err(DecodeError::TooMany { .. })));

    let frame = v1::Frame { function: 1, file: 1, line: 1, column: 1, user: true };
    let stack = v1::Stack { worker: 1, frames: vec![frame; 200], ..Default::default() };
    let update =
        |count| v1::Update { strings: strings(&[&long]), stacks: vec![stack.clone(); count], ..Default::default() };
    assert_eq!(Decoder::new().update(update(10)).unwrap().stacks.len(), 10);
    assert!(matches!(Decoder::new().update(update(100)), Err(DecodeError::TooMany { .. })));
}

/// One lock, said to have so many holds listed, which are not there.
fn locks(holds: &[u32]) -> v1::LockStates {
    v1::LockStates {
        id: vec![1],
        holder: vec![0],
        holder_site: vec![0],
        held_since_ns: vec![0],
        waiters: vec![0],
        acquires: vec![0],
        contended: vec![0],
        wait_total_ns: vec![0],
        wait_max_ns: vec![0],
        wait_buckets: vec![0; 16],
        hold_total_ns: vec![0],
        hold_max_ns: vec![0],
        hold_max_site: vec![0],
        hold_buckets: vec![0; 16],
        suspended_holds: vec![0],
        last_suspended_ns: vec![0],
        last_suspended_at_ns: vec![0],
        last_suspended_site: vec![0],
        last_suspended_waiters: vec![0],
        permits_total: vec![5],
        permits_available: vec![2],
        holders: vec![3],
        waiting_writers: vec![0],
        closed: vec![false],
        forgotten: vec![0],
        lost_notifies: vec![0],
        last_lost_notify_at_ns: vec![0],
        last_lost_notify_site: vec![0],
        closed_at_ns: vec![0],
        closed_site: vec![0],
        closed_by: vec![0],
        holds: holds.to_vec(),
        holder_may_move: vec![false],
        ..v1::LockStates::default()
    }
}

#[test]
fn holds_come_out_with_their_lock() {
    let table = v1::LockStates {
        hold_task: vec![7, 0],
        hold_site: vec![0, 0],
        hold_since_ns: vec![1000, 2000],
        hold_permits: vec![2, 1],
        hold_exclusive: vec![false, false],
        ..locks(&[2])
    };
    let update = v1::Update { lock_states: Some(table), ..Default::default() };
    let lock = &Decoder::new().update(update).unwrap().lock_states[0];
    assert_eq!((lock.holder_count, lock.permits_total, lock.permits_available), (3, 5, 2));
    let holders: Vec<_> = lock.holders.iter().map(|hold| (hold.task, hold.since.0, hold.permits)).collect();
    assert_eq!(holders, [(TaskId(7), 1000, 2), (TaskId(0), 2000, 1)]);
}

#[test]
fn values_outside_of_the_protocol_are_refused() {
    let mut update = states(&[0], &[]);
    update.task_states.as_mut().unwrap().state[0] = 0;
    assert_eq!(Decoder::new().update(update).unwrap_err(), DecodeError::Value { field: "task_states.state", value: 0 });
    assert!(Decoder::new().update(states(&[1], &[77])).is_err());
    let mut update = task(1, 0);
    update.task_births.as_mut().unwrap().kind[0] = -1;
    assert!(Decoder::new().update(update).is_err());
    assert_eq!(Decoder::new().update(task(0, 0)).unwrap_err(), DecodeError::NoId { table: "task_births" });
}

#[test]
fn a_table_that_no_message_can_hold_is_refused() {
    let n = MAX_ROWS + 1;
    let table = v1::LockBirths { id: vec![1; n], ..v1::LockBirths::default() };
    let update = v1::Update { lock_births: Some(table), ..Default::default() };
    assert_eq!(Decoder::new().update(update).unwrap_err(), DecodeError::Rows { table: "lock_births", rows: n });
}

#[test]
fn a_greeting_is_cleaned_and_bounded() {
    let answer = v1::HelloResponse { app: "x\u{1b}]0;pwned\u{7}".into(), ..Default::default() };
    assert_eq!(hello("here".into(), answer).unwrap().app, "x␛]0;pwned␇");
    let answer = v1::HelloResponse { capabilities: vec![String::new(); 1000], ..Default::default() };
    assert!(hello("here".into(), answer).is_err());
}

/// Columns of up to three rows each, often of the same length, so that deeper checks are reached.
fn column<T: std::fmt::Debug + Clone + 'static>(
    of: impl Strategy<Value = T> + Clone + 'static,
    rows: usize,
) -> BoxedStrategy<Vec<T>> {
    prop_oneof![8 => vec(of.clone(), rows), 1 => Just(Vec::new()), 1 => vec(of, 0..4)].boxed()
}

fn number() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![0..4_u64, Just(u64::MAX), any::<u64>()]
}

fn small() -> impl Strategy<Value = u32> + Clone {
    prop_oneof![9 => 0..4_u32, 1 => any::<u32>()]
}

fn choice() -> impl Strategy<Value = i32> + Clone {
    prop_oneof![9 => 1..4_i32, 1 => any::<i32>()]
}

prop_compose! {
    fn update()(rows in 0..3_usize)(
        task in (column(number(), rows), column(choice(), rows), column(small(), rows), column(number(), rows)),
        waits in (column(small(), rows), column(choice(), rows), column(number(), rows)),
        channel in (column(number(), rows), column(small(), rows), column(any::<bool>(), rows)),
        values in vec(any::<String>(), 0..4),
        stamps in (number(), any::<bool>(), any::<bool>()),
        gone in vec(number(), 0..3),
    ) -> v1::Update {
        let (id, kind, word, figure) = task;
        let steps: Vec<i64> = id.iter().map(|id| id.cast_signed()).collect();
        let times: Vec<i64> = figure.iter().map(|figure| figure.cast_signed()).collect();
        let (count, wait_kind, wait_for) = waits;
        v1::Update {
            now_ns: stamps.0,
            snapshot_begin: stamps.1,
            snapshot_end: stamps.2,
            strings: Some(v1::Strings { first: 1, values }),
            sites: Some(v1::Sites {
                id: word.clone(), kind: kind.clone(), file: count.clone(), line: word.clone(), column: word.clone(),
                name: count.clone(), output: kind.clone(),
            }),
            task_births: Some(v1::TaskBirths {
                id: steps.clone(), kind: kind.clone(), site: word.clone(), name: count.clone(),
                spawned_at_ns: times.clone(), future_bytes: word.clone(), parent: steps.clone(),
            }),
            task_states: Some(v1::TaskStates {
                id: steps.clone(), state: kind.clone(), state_since_ns: times.clone(), polls: figure.clone(),
                busy_ns: figure.clone(), max_poll_ns: figure.clone(), wakes: figure.clone(),
                self_wakes: figure.clone(), sched_total_ns: figure.clone(), sched_max_ns: figure.clone(),
                flags: word.clone(), waits: count.clone(), wait_kind, wait_for: wait_for.clone(),
                wait_site: word.clone(), wait_before_ns: times.clone(), wakers_plus_one: word.clone(), token: id.clone(),
                tracker: id.clone(), sched_p99_bucket: word.clone(),
            }),
            channel_births: Some(v1::ChannelBirths {
                id: steps.clone(), kind: kind.clone(), site: word.clone(), name: count.clone(),
                capacity: figure.clone(), inferred: channel.2.clone(),
            }),
            channel_states: Some(v1::ChannelStates {
                id: steps.clone(), sent: channel.0.clone(), received: figure.clone(), blocked_senders: channel.1.clone(),
                sends_blocked: figure.clone(), send_wait_total_ns: figure.clone(), senders: channel.1.clone(),
                receivers: channel.1.clone(), closed: channel.2.clone(), last_recv_at_ns: figure.clone(),
                receiver_task: id.clone(), recv_site: word.clone(), last_send_at_ns: figure.clone(),
                sender_task: id.clone(), send_site: word.clone(), lagged: figure.clone(),
                messages_lost: figure.clone(), last_lag_at_ns: figure.clone(), last_lag_task: id.clone(),
                last_lag_site: word.clone(), unheard: figure.clone(), blocked_with_message: channel.1.clone(),
            }),
            worker_states: Some(v1::WorkerStates {
                id: id.clone(), kind: kind.clone(), name: count.clone(), task: id.clone(),
                poll_started_ns: figure.clone(), polls: figure.clone(), busy_ns: figure.clone(),
                cpu_wait_ns: figure.clone(), poll_cpu_wait_ns: figure.clone(), parks: figure.clone(),
                local_queue_plus_one: word.clone(), steals: figure.clone(), awake_ns: figure.clone(),
                cpu_ns: figure.clone(),
            }),
            runtime_states: Some(v1::RuntimeStates {
                id: id.clone(), kind: kind.clone(), name: count.clone(), workers: word.clone(),
                alive_tasks: figure.clone(), global_queue: figure.clone(), awake_ns: figure.clone(),
                parks: figure.clone(), detailed: channel.2.clone(), steals: figure.clone(),
                local_queues: figure.clone(), blocking_threads: word.clone(), blocking_idle: word.clone(),
                blocking_queue: figure.clone(),
            }),
            lock_births: Some(v1::LockBirths { id: steps.clone(), kind: kind.clone(), site: word, name: count, parent: id.clone() }),
            lock_states: Some(v1::LockStates {
                id: steps.clone(), holder: id.clone(), holder_site: channel.1.clone(), held_since_ns: figure.clone(),
                waiters: channel.1.clone(), acquires: figure.clone(), contended: figure.clone(),
                wait_total_ns: figure.clone(), wait_max_ns: figure.clone(),
                wait_buckets: vec![u32::MAX; id.len() * 16], hold_total_ns: figure.clone(),
                hold_max_ns: figure.clone(), hold_max_site: channel.1.clone(), hold_buckets: vec![3; id.len() * 16],
                suspended_holds: figure.clone(), last_suspended_ns: figure.clone(),
                last_suspended_at_ns: figure.clone(), last_suspended_site: channel.1.clone(),
                last_suspended_waiters: channel.1.clone(), permits_total: figure.clone(),
                permits_available: figure.clone(), holders: channel.1.clone(), waiting_writers: channel.1.clone(),
                closed: vec![true; id.len()], forgotten: figure.clone(), lost_notifies: figure.clone(),
                last_lost_notify_at_ns: figure.clone(), last_lost_notify_site: channel.1.clone(),
                holds: vec![1; id.len()], hold_task: id.clone(), hold_site: channel.1.clone(),
                hold_since_ns: figure.clone(), hold_permits: channel.1.clone(), hold_exclusive: vec![false; id.len()],
                closed_at_ns: figure.clone(), closed_site: channel.1.clone(), closed_by: id.clone(),
                holder_may_move: vec![true; id.len()],
            }),
            sights: Some(v1::Sights {
                kind: kind.clone(), of: id.clone(), at_ns: figure.clone(), site: channel.1.clone(), cause: kind.clone(),
            }),
            cut_shorts: Some(v1::CutShorts {
                lock: id.clone(), times: figure.clone(), held_ns: figure.clone(), at_ns: figure.clone(),
                site: channel.1.clone(), by: kind, dropped_site: channel.1.clone(),
            }),
            lock_orders: Some(v1::LockOrders {
                id: channel.1.clone(), first: channel.1.clone(), second: channel.1.clone(), first_lock: id.clone(),
                second_lock: id.clone(), first_site: channel.1.clone(), second_site: channel.1, times: figure.clone(),
                last_at_ns: figure, around: id,
            }),
            gone_tasks: gone.clone(),
            gone_locks: gone.clone(),
            gone_channels: gone,
            cost: Some(v1::Cost { cpu_ns: stamps.0, ..Default::default() }),
            loss: Some(v1::Loss { shed_tasks: stamps.0, shed_locks: stamps.0, ..Default::default() }),
            ..v1::Update::default()
        }
    }
}

#[test]
fn a_sight_of_a_kind_of_later_versions_is_left_out_and_ends_no_connection() {
    let rows = |kind: Vec<i32>| v1::Update {
        sights: Some(v1::Sights {
            of: vec![0; kind.len()],
            at_ns: vec![0; kind.len()],
            site: vec![0; kind.len()],
            cause: vec![0; kind.len()],
            kind,
        }),
        ..v1::Update::default()
    };
    let told = Decoder::new().update(rows(vec![99]));
    assert_eq!(told.map(|batch| batch.sights.len()).ok(), Some(0));
    assert!(Decoder::new().update(rows(vec![0])).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_sequence_of_updates_panics_decoder_or_model(updates in vec(update(), 1..6)) {
        let mut decoder = Decoder::new();
        let mut model = Model::new(Target::default());
        for update in updates {
            if let Ok(batch) = decoder.update(update) {
                model.apply(batch);
                let _ = model.live_tasks();
                let _ = model.loss.total();
            }
        }
    }

    #[test]
    fn no_bytes_that_parse_as_a_message_panic_the_decoder(bytes in vec(any::<u8>(), 0..512)) {
        if let Ok(update) = v1::Update::decode(bytes.as_slice()) {
            let _ = Decoder::new().update(update);
        }
    }
}
