//! What `apply` makes of updates, as sentences.
mod room;

use std::time::Duration;

use super::fixture::Fixture;
use super::*;

const TICK: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);

fn points(series: &Series) -> Vec<f64> {
    series.points().map(|point| (point * 1000.0).round() / 1000.0).collect()
}

#[test]
fn what_happened_before_attach_is_history_and_not_recent() {
    let mut target = Fixture::new();
    let site = target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    target.totals(site, |totals| totals.slow_polls = 900);
    let place = target.lock_site("src/b.rs:1:1", "Mutex<u8>");
    let lock = target.lock(place);
    target.lock_state(lock, |lock| {
        lock.suspended_holds = 50;
        lock.acquires = 1000;
        lock.contended = 1000;
        lock.wait_hist.0[3] = 1000;
    });
    target.tick(TICK);
    target.every(TICK, 20, |target, _| target.lock_state(lock, |_| {}));

    let model = &target.model;
    assert!(model.complete);
    assert!(model.sites[&site].recent_slow.is_empty());
    let lock = &model.locks[&lock];
    assert!(lock.recent_suspended.is_empty());
    assert_eq!(points(&lock.acquires_s), [0.0, 0.0]);
    assert_eq!(lock.recent_waits().count(), 0);
    assert_eq!(points(&model.totals.lock_waits), [0.0, 0.0]);
}

#[test]
fn slow_polls_are_recent_for_a_minute_and_say_how_many_they_stand_for() {
    let mut target = Fixture::new();
    target.model.target.tick = SECOND;
    let site = target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    target.totals(site, |totals| totals.slow_polls = 1);
    target.tick(TICK);
    let at = target.now;
    target.totals(site, |totals| {
        totals.slow_polls += 3;
        totals.slow_poll_total += Duration::from_millis(200);
        totals.max_poll = Duration::from_millis(150);
        totals.last_slow_poll = Duration::from_millis(20);
        totals.last_slow_poll_at = at;
        totals.last_slow_poll_task = TaskId(7);
    });
    target.tick(TICK);
    assert_eq!(
        target.model.sites[&site].recent_slow.iter().copied().collect::<Vec<_>>(),
        [SlowPoll {
            at,
            took: Duration::from_millis(20),
            task: TaskId(7),
            count: 3,
            total: Duration::from_millis(200),
            longest: Duration::from_millis(150),
        }]
    );
    target.every(SECOND, 59, |_, _| {});
    assert_eq!(target.model.sites[&site].recent_slow.iter().len(), 1);
    target.every(SECOND, 3, |_, _| {});
    assert!(target.model.sites[&site].recent_slow.is_empty());
}

#[test]
fn everything_of_a_site_that_appears_after_attach_is_recent() {
    let mut target = Fixture::new();
    target.tick(TICK);
    let site = target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    let now = target.now;
    target.totals(site, |totals| {
        totals.slow_polls = 2;
        totals.last_slow_poll_at = now;
    });
    target.tick(TICK);
    assert_eq!(target.model.sites[&site].recent_slow.iter().next().map(|slow| slow.count), Some(2));
}

#[test]
fn series_follow_the_targets_time_through_late_and_skipped_ticks() {
    let mut target = Fixture::new();
    let place = target.lock_site("src/b.rs:1:1", "Mutex<u8>");
    let lock = target.lock(place);
    target.tick(TICK);
    // 10 a second, at ticks that are never on time.
    for after in [130, 70, 900, 400, 1500, 950, 50, 3000] {
        let n = after / 10;
        target.lock_state(lock, |lock| lock.acquires += n / 10);
        target.tick(Duration::from_millis(after));
    }
    let series = points(&target.model.locks[&lock].acquires_s);
    assert_eq!(series.len(), 7, "{series:?}");
    for rate in series {
        assert!((9.0..=11.0).contains(&rate), "{rate}");
    }
}

#[test]
fn a_series_holds_a_minute_and_no_more_after_a_day_without_updates() {
    let mut target = Fixture::new();
    target.tick(TICK);
    target.tick(Duration::from_hours(24));
    assert_eq!(target.model.totals.tasks.points().len(), Series::POINTS);
}

#[test]
fn a_histogram_window_covers_the_last_ten_seconds() {
    let mut target = Fixture::new();
    target.model.target.tick = SECOND;
    let place = target.lock_site("src/b.rs:1:1", "Mutex<u8>");
    let lock = target.lock(place);
    target.tick(TICK);
    let recent = |target: &Fixture| {
        let lock = &target.model.locks[&lock];
        lock.recent_waits().count()
    };
    target.every(SECOND, 30, |target, n| {
        if n < 15 {
            target.lock_state(lock, |lock| lock.wait_hist.0[0] += 1);
        }
        if n == 4 {
            assert_eq!(recent(target), 4);
        }
        if n == 15 {
            assert_eq!(recent(target), 10);
        }
    });
    assert_eq!(recent(&target), 0);
}

#[test]
fn busy_shares_of_tasks_rise_with_their_polls_and_fall_back_to_zero() {
    let mut target = Fixture::new();
    let site = target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    let task = target.task(site);
    target.tick(TICK);
    target.every(TICK, 20, |target, _| {
        target.task_state(task, |task| {
            task.busy += Duration::from_millis(50);
            task.polls += 5;
        });
    });
    let seen = &target.model.tasks[&task];
    assert!((seen.busy_share - 0.5).abs() < 0.01 && (seen.polls_per_s - 50.0).abs() < 1.0, "{seen:?}");
    // It goes quiet: no more rows of it come.
    target.every(TICK, 25, |_, _| {});
    let seen = &target.model.tasks[&task];
    assert_eq!((seen.busy_share, seen.polls_per_s), (0.0, 0.0));
}

#[test]
fn a_poll_that_does_not_end_makes_its_task_and_its_worker_busy() {
    let mut target = Fixture::new();
    let site = target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    let task = target.task(site);
    let worker = target.worker("tokio-runtime-worker");
    target.tick(TICK);
    let since = target.now;
    target.task_state(task, |task| {
        task.state = TaskState::Running;
        task.state_since = since;
    });
    target.worker_state(worker, |worker| worker.poll = Some((task, since)));
    target.every(TICK, 30, |_, _| {});
    assert!(target.model.workers[&worker].busy_share > 0.99);
    assert!(target.model.tasks[&task].busy_share > 0.99);
}

#[test]
fn a_worker_that_runs_librarys_tasks_is_busy_for_as_long_as_its_loop_is_awake() {
    let mut target = Fixture::new();
    let worker = target.worker("tokio-runtime-worker");
    target.every(TICK, 30, |target, tick| {
        target.worker_state(worker, |worker| worker.awake = TICK * tick * 9 / 10);
    });
    let seen = &target.model.workers[&worker];
    assert!((seen.busy_share - 0.9).abs() < 0.05, "{seen:?}");
}

#[test]
fn a_channel_is_saturated_only_while_every_reading_says_so() {
    let mut target = Fixture::new();
    let place = target.channel_site("src/c.rs:1:1", "Job");
    let channel = target.channel(place, Some(10));
    target.tick(TICK);
    let full = |reading: &mut ChannelReading| {
        reading.sent = reading.received + 10;
        reading.blocked_senders = 2;
    };
    target.channel_state(channel, full);
    target.tick(TICK);
    let onset = target.now;
    // Unchanged, hence without a row; then drained by one, with the room given to a waiting sender.
    target.every(TICK, 5, |_, _| {});
    target.channel_state(channel, |channel| {
        channel.received += 1;
        channel.blocked_senders = 1;
    });
    target.tick(TICK);
    assert_eq!(target.model.channels[&channel].saturated_since, Some(onset));
    // Nobody waits any more.
    target.channel_state(channel, |channel| channel.blocked_senders = 0);
    target.tick(TICK);
    assert_eq!(target.model.channels[&channel].saturated_since, None);
    target.channel_state(channel, full);
    target.tick(TICK);
    assert_eq!(target.model.channels[&channel].saturated_since, Some(target.now));
    target.every(TICK, 12, |_, _| {});
    let shares = points(&target.model.channels[&channel].saturated_s);
    assert!(shares[0] > 0.5 && shares[0] < 1.0, "{shares:?}");
    assert!((shares[1] - 1.0).abs() < 1e-9, "{shares:?}");
}

#[test]
fn a_fresh_snapshot_drops_what_is_gone_and_keeps_the_history_of_what_is_not() {
    let mut target = Fixture::new();
    let site = target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    let place = target.lock_site("src/b.rs:1:1", "Mutex<u8>");
    let (kept, gone) = (target.lock(place), target.lock(place));
    let (task, ended) = (target.task(site), target.task(site));
    target.tick(TICK);
    target.every(TICK, 20, |target, _| target.lock_state(kept, |lock| lock.acquires += 1));

    target.gone_lock(gone);
    target.gone_task(ended);
    target.lock_state(kept, |lock| lock.acquires += 50);
    target.snapshot(Duration::from_secs(5));

    let model = &target.model;
    assert!(model.locks.contains_key(&kept) && !model.locks.contains_key(&gone));
    assert!(model.tasks.contains_key(&task) && !model.tasks.contains_key(&ended));
    assert_eq!(model.states.total(), 1);
    assert_eq!(model.sites[&site].states.get(TaskState::Idle), 1);
    assert_eq!(points(&model.locks[&kept].acquires_s), [10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 10.0]);
}

#[test]
fn time_stands_still_until_a_later_snapshot_is_whole() {
    let mut target = Fixture::new();
    let place = target.lock_site("src/b.rs:1:1", "Mutex<u8>");
    let lock = target.lock(place);
    let since = target.now;
    target.lock_state(lock, |lock| lock.held_since = Some(since));
    target.tick(TICK);
    let before = target.model.now;
    let later = before.after(Duration::from_secs(30));
    target.model.apply(Batch { now: later, snapshot_begin: true, ..Batch::default() });
    // The lock's row is still to come: nothing may say that it has been held for 30 s.
    assert_eq!(target.model.now, before);
    target.model.apply(Batch { now: later, snapshot_end: true, ..Batch::default() });
    assert_eq!(target.model.now, later);
    assert!(target.model.locks.is_empty());
}

#[test]
fn the_first_snapshot_is_complete_only_at_its_last_part() {
    let mut model = Model::new(Target::default());
    model.apply(Batch { now: Stamp(5), snapshot_begin: true, ..Batch::default() });
    model.apply(Batch { now: Stamp(5), ..Batch::default() });
    assert!(!model.complete);
    model.apply(Batch { now: Stamp(5), snapshot_end: true, ..Batch::default() });
    assert!(model.complete);
}

#[test]
fn what_a_snapshot_named_that_was_begun_anew_is_gone_unless_it_is_named_again() {
    let births = |ids: &[u64]| Batch {
        now: Stamp(5),
        snapshot_begin: true,
        task_births: ids.iter().map(|&id| TaskBirth { id: TaskId(id), ..TaskBirth::default() }).collect(),
        lock_births: ids.iter().map(|&id| LockBirth { id: LockId(id), ..LockBirth::default() }).collect(),
        ..Batch::default()
    };
    let mut model = Model::new(Target::default());
    // The subscriber falls behind, and is not told that 1 ends.
    model.apply(births(&[1, 2]));
    model.apply(births(&[2]));
    model.apply(Batch { now: Stamp(6), snapshot_end: true, ..Batch::default() });
    assert_eq!(model.tasks.values().map(|task| task.id).collect::<Vec<_>>(), [TaskId(2)]);
    assert_eq!(model.locks.keys().collect::<Vec<_>>(), [&LockId(2)]);
    assert_eq!(model.states.total(), 1);
}

#[test]
fn tasks_are_counted_by_state_and_site_as_they_come_and_go() {
    let mut target = Fixture::new();
    let site = target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    let tasks: Vec<TaskId> = (0..5).map(|_| target.task(site)).collect();
    target.tick(TICK);
    target.task_state(tasks[0], |task| task.state = TaskState::Running);
    target.task_state(tasks[1], |task| task.state = TaskState::Done);
    target.gone_task(tasks[2]);
    target.tick(TICK);
    for counts in [target.model.states, target.model.sites[&site].states] {
        assert_eq!(counts.get(TaskState::Running), 1);
        assert_eq!(counts.get(TaskState::Done), 1);
        assert_eq!(counts.get(TaskState::Idle), 2);
        assert_eq!(counts.live(), 3);
    }
}

#[test]
fn a_panic_that_is_told_twice_is_kept_once() {
    let mut target = Fixture::new();
    let panic = Panic {
        task: TaskId(3),
        site: SiteId(1),
        at: Stamp(9),
        message: "boom".into(),
        location: "src/a.rs:2:2".into(),
    };
    target.panic(panic.clone());
    target.tick(TICK);
    target.panic(panic);
    target.snapshot(TICK);
    assert_eq!(target.model.panics.len(), 1);
}

#[test]
fn rows_of_unknown_entities_are_left_out() {
    let mut model = Model::new(Target::default());
    model.apply(Batch {
        snapshot_end: true,
        task_states: vec![TaskReading { id: TaskId(1), ..TaskReading::default() }],
        lock_states: vec![LockReading { id: LockId(1), ..LockReading::default() }],
        channel_states: vec![ChannelReading { id: ChannelId(1), ..ChannelReading::default() }],
        gone_tasks: vec![TaskId(2)],
        ..Batch::default()
    });
    assert!(model.tasks.is_empty() && model.locks.is_empty() && model.channels.is_empty());
}

#[test]
fn the_task_that_waits_longest_for_its_first_poll_is_known_without_a_search() {
    let mut target = Fixture::new();
    let site = target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    let tasks: Vec<TaskId> = (0..5)
        .map(|_| {
            let task = target.task(site);
            let now = target.now;
            target.task_state(task, |task| (task.state, task.state_since) = (TaskState::New, now));
            target.tick(Duration::from_millis(100));
            task
        })
        .collect();
    assert_eq!(target.model.unpolled().map(|task| task.id).collect::<Vec<_>>(), tasks);
    let now = target.now;
    target.task_state(tasks[0], |task| (task.state, task.state_since) = (TaskState::Idle, now));
    target.task_state(tasks[1], |task| (task.state, task.state_since) = (TaskState::Scheduled, now));
    target.gone_task(tasks[2]);
    target.tick(Duration::from_millis(100));
    assert_eq!(target.model.unpolled().map(|task| task.id).collect::<Vec<_>>(), tasks[3..]);
    assert_eq!(target.model.woken().map(|task| task.id).collect::<Vec<_>>(), [tasks[1]]);
}

#[test]
fn a_task_that_is_polled_very_often_is_listed_with_what_it_did_since() {
    let mut target = Fixture::new();
    let site = target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    let task = target.task(site);
    target.every(Duration::from_millis(100), 20, |target, _| {
        let now = target.now;
        target.task_state(task, |task| {
            (task.polls, task.self_wakes) = (task.polls + 1000, task.self_wakes + 900);
            (task.state, task.state_since) = (TaskState::Scheduled, now);
        });
    });
    let often = target.model.polled_often().next().expect("it is");
    assert_eq!(often.task.id, task);
    assert_eq!(often.self_wakes * 10, often.polls * 9);
    target.every(Duration::from_millis(100), 20, |_, _| {});
    assert_eq!(target.model.polled_often().count(), 0);
}

#[test]
fn a_task_that_is_polled_very_often_in_bursts_is_not_listed_between_them() {
    let mut target = Fixture::new();
    let site = target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    let task = target.task(site);
    target.every(Duration::from_millis(100), 20, |target, n| {
        let (now, bursts) = (target.now, n % 5 == 0);
        target.task_state(task, |task| {
            if bursts {
                (task.polls, task.state, task.state_since) = (task.polls + 2000, TaskState::Scheduled, now);
            } else if task.state == TaskState::Scheduled {
                (task.state, task.state_since) = (TaskState::Idle, now);
            }
        });
        // What is seen here is the update before.
        assert!(n < 10 || [1, 2].contains(&(n % 5)) || target.model.polled_often().count() == 0, "update {n}");
    });
}

#[test]
fn a_spawn_site_has_a_point_a_second_of_what_lives_and_what_ends() {
    let mut target = Fixture::new();
    let site = target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    target.totals(site, |totals| totals.spawned = 5);
    target.tick(Duration::from_millis(100));
    target.every(Duration::from_millis(100), 31, |target, _| {
        target.totals(site, |totals| (totals.spawned, totals.finished) = (totals.spawned + 3, totals.finished + 1));
    });
    let site = &target.model.sites[&site];
    let near = |value: Option<f64>, wanted: f64| value.is_some_and(|value| (value - wanted).abs() < 1.0);
    assert!(near(site.spawned_s.last(), 30.0) && near(site.finished_s.last(), 10.0), "{site:?}");
    assert_eq!(site.live_s.points().next(), Some(5.0));
    assert!(site.live_s.last() > Some(60.0));
}

#[test]
fn of_each_second_it_is_known_how_long_99_of_100_waits_and_holds_of_a_lock_took() {
    let mut target = Fixture::new();
    let place = target.lock_site("src/b.rs:1:1", "Mutex<u8>");
    let lock = target.lock(place);
    target.lock_state(lock, |lock| lock.wait_hist.0[14] = 1000);
    target.tick(TICK);
    // In the first second nothing, in the second short waits, in the third one long one, in the fourth nothing ends.
    target.tick(SECOND);
    assert_eq!(points(&target.model.locks[&lock].wait_p99_s), [0.0; 0], "nothing has ended since attach");
    target.lock_state(lock, |lock| (lock.wait_hist.0[2], lock.hold_hist.0[1]) = (500, 500));
    target.tick(SECOND);
    target.lock_state(lock, |lock| lock.wait_hist.0[10] = 1);
    target.tick(SECOND);
    let since = target.now;
    target.lock_state(lock, |lock| lock.held_since = Some(since));
    target.tick(SECOND);
    target.tick(SECOND);
    let lock = &target.model.locks[&lock];
    let bound = |bucket| (Histogram::bound(bucket).as_secs_f64() * 1000.0).round() / 1000.0;
    assert_eq!(points(&lock.wait_p99_s), [bound(2), bound(10), 0.0, 0.0]);
    // One that is going on is told of too.
    assert_eq!(points(&lock.hold_p99_s), [bound(1), 0.0, 1.0, 2.0]);
}
