//! A poll that is still running, in made-up targets.
use crate::lints::tests::*;
use crate::model::{Frame, Stack, StackCause};

fn blocked() -> (Judged, SiteId, TaskId) {
    let mut judged = Judged::new();
    let site = judged.target.spawn_site("src/sign_in.rs:12:9", "shop::sign_in::{{closure}}", OutputKind::Unit);
    let task = judged.target.task(site);
    let worker = judged.target.worker("tokio-worker-1");
    judged.target.worker("tokio-worker-2");
    judged.settle();
    let since = judged.target.now;
    judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
    judged.target.task_state(task, |task| {
        task.state = TaskState::Running;
        task.state_since = since;
    });
    (judged, site, task)
}

fn unblock(judged: &mut Judged) {
    for worker in judged.target.model.workers.keys().copied().collect::<Vec<_>>() {
        judged.target.worker_state(worker, |worker| worker.poll = None);
    }
}

#[test]
fn a_poll_that_does_not_end_is_named_with_its_place_and_its_worker() {
    let (mut judged, site, task) = blocked();
    judged.run(ms(100));
    judged.expect_nothing();
    judged.run(ms(300));
    let finding = judged.only("blocked-worker");
    assert_eq!(finding.severity, Severity::Crit);
    assert_eq!(finding.subject.kind, SubjectKind::Site(site));
    assert_eq!(finding.subject.location, "src/sign_in.rs:12:9");
    assert_eq!(finding.message, "`sign_in` has blocked 1 of 2 worker threads for 400 ms, without an await");
    assert_eq!(evidence(&finding, "poll_running_ns").value, 400_000_000);
    assert_eq!(evidence(&finding, "poll_running_ns").limit, "> 100 ms");
    assert_eq!(evidence(&finding, "blocking_task").value, task.0.to_string());
    assert_eq!(finding.count, 1);
}

#[test]
fn where_a_stack_was_taken_the_blocking_line_is_named_and_the_advice_fits_it() {
    let (mut judged, _, task) = blocked();
    let started = judged.target.now;
    let worker = judged.target.model.workers.values().find(|w| &*w.name == "tokio-worker-1").expect("it").id;
    judged.target.stack(Stack {
        worker,
        task,
        poll_started: started,
        at: started.after(ms(150)),
        cause: StackCause::Sleep,
        samples: 1,
        frames: vec![
            Frame { function: "std::thread::sleep".into(), ..Frame::default() },
            Frame { function: "shop::back_off".into(), location: "src/back_off.rs:7:5".into(), user: true },
        ],
        ..Stack::default()
    });
    judged.run(ms(400));
    let finding = judged.only("blocked-worker");
    assert_eq!(
        finding.message,
        "`sign_in` has blocked 1 of 2 worker threads for 400 ms: std::thread::sleep in `back_off` at back_off.rs:7"
    );
    assert_eq!(finding.subject.location, "src/back_off.rs:7:5");
    assert_eq!(evidence(&finding, "blocked_location").value, "src/back_off.rs:7:5");
    assert_eq!(evidence(&finding, "spawned_location").value, "src/sign_in.rs:12:9");
    assert_eq!(evidence(&finding, "blocked_by").text, "std::thread::sleep");
    assert!(finding.advice.starts_with("Make `back_off` async and use tokio::time::sleep"), "{}", finding.advice);
}

#[test]
fn who_computes_is_named_by_the_line_that_it_keeps_to() {
    for (last, named) in [("src/hash.rs:9:5", "src/hash.rs:9:5"), ("src/hash.rs:12:5", "src/sign_in.rs:12:9")] {
        let (mut judged, _, task) = blocked();
        let worker = judged.target.model.workers.values().find(|w| &*w.name == "tokio-worker-1").expect("it").id;
        for line in ["src/hash.rs:9:5", "src/hash.rs:9:5", last] {
            let since = judged.target.now;
            judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
            judged.run(ms(200));
            stack(&mut judged, worker, task, StackCause::Cpu, 1, line);
            judged.run(ms(200));
        }
        assert_eq!(judged.only("blocked-worker").subject.location, named);
    }
}

#[test]
fn a_poll_that_panics_is_not_blocked_by_the_printing_of_its_backtrace() {
    let (mut judged, _, task) = blocked();
    let worker = judged.target.model.workers.values().find(|w| &*w.name == "tokio-worker-1").expect("it").id;
    let mut panics = made_stack(judged.target.now, worker, task, StackCause::Cpu, 2, "src/hash.rs:9:5");
    let hook = Frame { function: "std::panicking::rust_panic_with_hook".into(), ..Frame::default() };
    panics.frames.insert(1, hook);
    judged.target.stack(panics);
    judged.run(ms(1000));
    judged.expect_nothing();
}

#[test]
fn a_poll_that_hardly_gets_a_cpu_is_held_up_by_the_machine() {
    for (share, found) in [(20, false), (4, true)] {
        let (mut judged, ..) = blocked();
        let since = judged.target.now;
        let worker = judged.target.model.workers.values().find(|w| &*w.name == "tokio-worker-1").expect("it").id;
        judged.every(ms(4000), |target| {
            let lasted = target.now.since(since);
            target.worker_state(worker, |worker| worker.poll_cpu_wait = lasted.saturating_sub(lasted / share));
        });
        assert_eq!(!judged.active().is_empty(), found, "a {share}th");
    }
}

#[test]
fn a_program_without_line_tables_is_said_to_have_none() {
    let (mut judged, _, task) = blocked();
    let started = judged.target.now;
    let worker = judged.target.model.workers.values().find(|w| &*w.name == "tokio-worker-1").expect("it").id;
    judged.target.stack(Stack {
        worker,
        task,
        poll_started: started,
        at: started.after(ms(150)),
        cause: StackCause::Sleep,
        samples: 1,
        frames: vec![Frame { function: "clock_nanosleep".into(), ..Frame::default() }],
        ..Stack::default()
    });
    judged.run(ms(400));
    let finding = judged.only("blocked-worker");
    assert_eq!(finding.subject.location, "src/sign_in.rs:12:9");
    assert!(evidence(&finding, "blocked_location").text.contains("debug = \"line-tables-only\""));
}

#[test]
fn tasks_that_wait_for_a_worker_are_its_effects() {
    let (mut judged, site, _) = blocked();
    for _ in 0..31 {
        let task = judged.target.task(site);
        judged.target.task_state(task, |task| task.state = TaskState::Scheduled);
    }
    judged.run(ms(500));
    let finding = judged.only("blocked-worker");
    assert!(finding.message.ends_with("; 31 tasks wait for a worker"), "{}", finding.message);
    assert_eq!(evidence(&finding, "waiting_tasks").value, 31);
}

#[test]
fn it_clears_three_seconds_after_the_poll_ended() {
    let (mut judged, ..) = blocked();
    judged.run(ms(500));
    unblock(&mut judged);
    judged.run(ms(2500));
    assert!(judged.only("blocked-worker").active());
    judged.run(ms(1000));
    judged.expect_nothing();
    assert_eq!(judged.engine.findings().len(), 1, "kept for a while");
}

#[test]
fn a_handler_that_blocks_for_each_request_is_one_finding_that_counts() {
    let (mut judged, site, _) = blocked();
    let worker = judged.target.worker("tokio-worker-3");
    for _ in 0..10 {
        let task = judged.target.task(site);
        let since = judged.target.now;
        judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
        judged.run(ms(300));
        judged.target.worker_state(worker, |worker| worker.poll = None);
        judged.target.gone_task(task);
        judged.run(ms(700));
    }
    let finding = judged.only("blocked-worker");
    assert_eq!(finding.count, 11);
}

#[test]
fn that_it_happens_again_and_again_hides_neither_all_workers_nor_one_poll_that_is_much_longer() {
    for (workers, lasts, told) in [
        (1, ms(300), "blocks its worker thread again and again, "),
        (1, ms(2000), "has blocked 1 of 2 worker threads for 2.00 s"),
        (2, ms(300), "blocks both worker threads, the longest for 300 ms"),
    ] {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/sign_in.rs:12:9", "shop::sign_in::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(site);
        let all = ["tokio-worker-1", "tokio-worker-2"].map(|name| judged.target.worker(name));
        judged.settle();
        let poll = |judged: &mut Judged, on: &[WorkerId], took: Duration| {
            let since = judged.target.now;
            for worker in on {
                judged.target.worker_state(*worker, |worker| worker.poll = Some((task, since)));
            }
            judged.run(took);
        };
        for _ in 0..3 {
            poll(&mut judged, &all[..1], ms(200));
            unblock(&mut judged);
            let at = judged.target.now;
            judged.target.totals(site, |totals| {
                totals.slow_polls += 1;
                totals.slow_poll_total += ms(200);
                totals.max_poll = ms(200);
                (totals.last_slow_poll, totals.last_slow_poll_at, totals.last_slow_poll_task) = (ms(200), at, task);
            });
            judged.run(ms(200));
        }
        poll(&mut judged, &all[..workers], lasts);
        let finding = judged.only("blocked-worker");
        assert!(finding.message.contains(told), "{}", finding.message);
        assert_eq!(evidence(&finding, "blocked_workers").aside, workers == 1);
    }
}

#[test]
fn jobs_of_the_blocking_pool_may_block() {
    let mut judged = Judged::new();
    let site = judged.target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    let task = judged.target.task(site);
    let worker = judged.target.worker("tokio-blocking-1");
    let since = judged.target.now;
    judged.target.worker_state(worker, |worker| {
        worker.kind = WorkerKind::Blocking;
        worker.poll = Some((task, since));
    });
    judged.run(ms(20_000));
    judged.expect_nothing();
}

#[test]
fn main_may_set_things_up_for_a_while_after_its_start() {
    let mut judged = Judged::new();
    let site = judged.target.spawn_site("src/main.rs:1:1", "main", OutputKind::Unit);
    let task = judged.root(site);
    let worker = judged.target.worker("main");
    let since = judged.target.now;
    judged.target.worker_state(worker, |worker| {
        worker.kind = WorkerKind::BlockOn;
        worker.poll = Some((task, since));
    });
    judged.run(ms(4000));
    judged.expect_nothing();
    judged.run(ms(2000));
    assert_eq!(judged.only("blocked-worker").severity, Severity::Crit);
}

#[test]
fn a_machine_that_stood_still_blames_nobody() {
    let (mut judged, ..) = blocked();
    judged.tick(ms(60_000));
    judged.expect_nothing();
    unblock(&mut judged);
    judged.run(ms(1000));
    judged.expect_nothing();
}

/// A handler of a web framework sleeps, in a task that the framework spawned.
fn handler_sleeps(judged: &mut Judged, task: TaskId) -> Stamp {
    let worker = judged.target.worker("tokio-worker-1");
    let since = judged.target.now;
    judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
    judged.target.stack(Stack {
        worker,
        task,
        poll_started: since,
        at: since.after(ms(100)),
        cause: StackCause::Sleep,
        samples: 1,
        frames: vec![
            Frame { function: "std::thread::sleep".into(), ..Frame::default() },
            Frame { function: "shop::slow_handler".into(), location: "src/http.rs:14:9".into(), user: true },
            Frame { function: "axum::handler::call".into(), ..Frame::default() },
        ],
        ..Stack::default()
    });
    since
}

#[test]
fn a_handler_in_a_task_that_nobody_watches_is_accused_at_its_own_line() {
    let mut judged = Judged::new();
    judged.settle();
    handler_sleeps(&mut judged, TaskId(0));
    judged.run(ms(100));
    judged.expect_nothing();
    judged.run(ms(300));
    let finding = judged.only("blocked-worker");
    assert_eq!(
        finding.message,
        "`slow_handler` (in a task that a library spawned) has blocked the only worker thread for 400 ms: std::thread::sleep at http.rs:14"
    );
    assert_eq!(finding.subject.location, "src/http.rs:14:9");
    assert!(evidence(&finding, "blocking_task").text.contains("not watched"));
    unblock(&mut judged);
    judged.run(ms(4000));
    judged.expect_nothing();
}

#[test]
fn a_handler_that_was_done_before_its_stack_was_named_is_accused_all_the_same() {
    for (cause, expected) in [(StackCause::Sleep, 1), (StackCause::Lock, 0), (StackCause::Unknown, 0)] {
        let mut judged = Judged::new();
        judged.settle();
        let worker = judged.target.worker("tokio-worker-1");
        let since = judged.target.now;
        judged.run(ms(300));
        judged.target.stack(Stack {
            worker,
            task: TaskId(0),
            poll_started: since,
            at: since.after(ms(180)),
            cause,
            samples: 1,
            frames: vec![Frame { function: "shop::slow".into(), location: "src/http.rs:14:9".into(), user: true }],
            ..Stack::default()
        });
        judged.run(ms(200));
        if expected == 1 {
            let finding = judged.only("blocked-worker");
            assert_eq!(
                finding.message,
                "`slow` (in a task that a library spawned) blocked the only worker thread for 180 ms and longer: std::thread::sleep at http.rs:14"
            );
            assert_eq!((finding.subject.location.as_str(), finding.count), ("src/http.rs:14:9", 1));
        }
        judged.run(ms(6500));
        judged.expect_nothing();
    }
}

#[test]
fn a_poll_of_the_apps_own_is_accused_though_its_stack_was_named_after_it_had_ended() {
    let (mut judged, _, task) = blocked();
    let (since, worker) = (judged.target.now, *judged.target.model.workers.keys().next().expect("it"));
    // Too short for the names to be waited for.
    judged.target.model.target.capabilities.push("stacks".into());
    judged.run(ms(300));
    unblock(&mut judged);
    judged.run(ms(500));
    judged.expect_nothing();
    judged.target.stack(Stack {
        worker,
        task,
        poll_started: since,
        at: since.after(ms(180)),
        cause: StackCause::Sleep,
        samples: 1,
        frames: vec![Frame { function: "shop::back_off".into(), location: "src/back_off.rs:7:5".into(), user: true }],
        ..Stack::default()
    });
    judged.run(ms(100));
    let finding = judged.only("blocked-worker");
    assert_eq!(
        finding.message,
        "`sign_in` blocked a worker thread for 180 ms and longer: std::thread::sleep in `back_off` at back_off.rs:7"
    );
    assert_eq!(finding.subject.location, "src/back_off.rs:7:5");
    judged.run(ms(6500));
    judged.expect_nothing();
}

#[test]
fn a_handler_is_accused_at_its_own_line_rather_than_where_the_framework_spawned_its_task() {
    let mut judged = Judged::new();
    let site = judged.target.spawn_site("/registry/src/axum-0.8.0/src/serve/mod.rs:390:9", "", OutputKind::Unknown);
    let task = judged.target.task(site);
    judged.settle();
    handler_sleeps(&mut judged, task);
    judged.run(ms(400));
    let finding = judged.only("blocked-worker");
    assert_eq!(finding.subject.kind, SubjectKind::Site(site));
    assert_eq!(
        (finding.subject.name.as_str(), finding.subject.location.as_str()),
        ("slow_handler", "src/http.rs:14:9")
    );
    assert_eq!(evidence(&finding, "blocking_task").value, task.0.to_string());

    // The long poll that it was is the same fault, by the name of the place where the framework spawned it.
    unblock(&mut judged);
    let at = judged.target.now;
    judged.target.totals(site, |totals| {
        (totals.slow_polls, totals.slow_poll_total) = (1, ms(400));
        (totals.last_slow_poll, totals.last_slow_poll_at, totals.last_slow_poll_task) = (ms(400), at, task);
    });
    judged.run(ms(2000));
    judged.only("blocked-worker");
}

#[test]
fn a_librarys_task_is_not_accused_before_its_stack_has_come_where_stacks_are_taken() {
    for (stacks, findings) in [(true, 0), (false, 1)] {
        let mut judged = Judged::new();
        judged.target.model.target.capabilities.retain(|name| stacks || name != "stacks");
        if stacks && !judged.target.model.target.capabilities.iter().any(|name| name == "stacks") {
            judged.target.model.target.capabilities.push("stacks".into());
        }
        let site = judged.target.spawn_site("src/axum/serve.rs:390:9", "", OutputKind::Unknown);
        let task = judged.target.task(site);
        let worker = judged.target.worker("tokio-worker-1");
        judged.settle();
        let since = judged.target.now;
        judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
        judged.run(ms(5000));
        assert_eq!(judged.engine.findings().len(), findings);
    }
}

#[test]
fn a_poll_that_nobody_watches_is_not_accused_without_the_stack_that_proves_it() {
    let mut judged = Judged::new();
    let worker = judged.target.worker("tokio-worker-1");
    judged.settle();
    let since = judged.target.now;
    judged.target.worker_state(worker, |worker| worker.poll = Some((TaskId(0), since)));
    judged.run(ms(5000));
    judged.expect_nothing();
}

#[test]
fn a_thread_blocked_by_a_task_that_is_not_shown_is_still_blocked() {
    let mut judged = Judged::new();
    let worker = judged.target.worker("tokio-worker-1");
    judged.settle();
    let since = judged.target.now;
    judged.target.worker_state(worker, |worker| worker.poll = Some((TaskId(999), since)));
    judged.run(ms(500));
    judged.expect_nothing();
    judged.target.loss(Loss { tasks: 1, ..Loss::default() });
    judged.run(ms(500));
    let finding = judged.only("blocked-worker");
    assert_eq!((finding.subject.kind, finding.subject.location.as_str()), (SubjectKind::Task(TaskId(999)), ""));
}
