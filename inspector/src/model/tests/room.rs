//! Whatever a target tells, it takes no memory without end.
use super::*;

#[test]
fn of_sites_that_are_not_kept_nothing_else_is_kept() {
    let mut target = Fixture::new();
    let site = target.channel_site("src/a.rs:1:1", "Answer");
    target.tick(TICK);
    let of = |site| OneshotReading { site, made: 1, ..OneshotReading::default() };
    let unknown = SiteId(99);
    target.model.apply(Batch {
        now: target.now,
        oneshots: vec![of(site), of(unknown)],
        sights: vec![(Seen::Unsent, site, Sight::default()), (Seen::Unsent, unknown, Sight::default())],
        ..Batch::default()
    });
    assert_eq!(target.model.oneshots.keys().collect::<Vec<_>>(), [&site]);
    assert_eq!(target.model.sights.keys().collect::<Vec<_>>(), [&(Seen::Unsent, site)]);
}

#[test]
fn a_target_that_tells_of_more_and_more_is_believed_up_to_a_limit_and_the_rest_is_counted() {
    let mut model = Model::new(Target::default());
    let most = 1 << 14;
    for first in (0..most + 100).step_by(100) {
        let order = |id| LockOrder { id, ..LockOrder::default() };
        let worker = |id: u32| WorkerReading { id: WorkerId(id.into()), ..WorkerReading::default() };
        let ids = first..first + 100;
        model.apply(Batch {
            lock_orders: ids.clone().map(order).collect(),
            worker_states: ids.map(worker).collect(),
            loss: Some(Loss::default()),
            ..Batch::default()
        });
    }
    let told = (most + 100).div_ceil(100) * 100;
    assert_eq!((model.lock_orders.len(), model.workers.len()), (most as usize, most as usize));
    assert_eq!(model.loss.details, u64::from(2 * (told - most)));
}

#[test]
fn names_take_no_memory_without_end_and_those_left_out_are_counted() {
    let mut model = Model::new(Target::default());
    let name: std::sync::Arc<str> = "x".repeat(1024).into();
    let birth = |id| TaskBirth { id: TaskId(id), name: name.clone(), ..TaskBirth::default() };
    let (room, more) = (1 << 18, 10);
    let told = |ids: std::ops::RangeInclusive<u64>| Batch {
        task_births: ids.map(birth).collect(),
        loss: Some(Loss::default()),
        ..Batch::default()
    };
    model.apply(told(1..=room));
    assert_eq!((model.tasks[&TaskId(room)].name.len(), model.loss.names), (1024, 0));
    model.apply(told(room + 1..=room + more));
    assert_eq!((model.tasks[&TaskId(room + more)].name.len(), model.loss.names), (0, more));
    // Who goes makes room.
    model.apply(Batch { gone_tasks: vec![TaskId(1), TaskId(2)], ..Batch::default() });
    model.apply(told(room + more + 1..=room + more + 3));
    let named = |n: u64| !model.tasks[&TaskId(room + more + n)].name.is_empty();
    assert_eq!((named(1), named(2), named(3), model.loss.names), (true, true, false, more + 1));
}

#[test]
fn a_task_that_is_born_and_goes_without_end_takes_no_memory_without_end() {
    let mut model = Model { complete: true, ..Model::default() };
    model.now = Stamp(1_000_000_000);
    for _ in 0..10_000 {
        let reading = TaskReading { id: TaskId(1), polls: 1, ..TaskReading::default() };
        model.apply(Batch {
            now: model.now,
            task_births: vec![TaskBirth { id: TaskId(1), spawned_at: model.now, ..TaskBirth::default() }],
            task_states: vec![reading],
            ..Batch::default()
        });
        model.apply(Batch { now: model.now, gone_tasks: vec![TaskId(1)], ..Batch::default() });
    }
    assert!(model.track.lively() < 2000, "{}", model.track.lively());
}
