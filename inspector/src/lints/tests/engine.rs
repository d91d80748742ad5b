//! How findings begin, last, clear and fold.
use super::*;
use crate::lints::engine::RETENTION;

/// A site that throws results away.
fn leaky(judged: &mut Judged, place: &str) -> SiteId {
    judged.target.spawn_site(place, "shop::save::{{closure}}", OutputKind::Result)
}

fn leak(target: &mut Fixture, site: SiteId) {
    target.totals(site, |totals| totals.handles_dropped += 1);
}

fn block(judged: &mut Judged, site: SiteId) -> crate::model::WorkerId {
    let task = judged.target.task(site);
    let worker = judged.target.worker("tokio-worker-9");
    let since = judged.target.now;
    judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
    worker
}

#[test]
fn before_the_first_snapshot_is_whole_nothing_is_said() {
    let mut fixture = Fixture::new();
    let site = fixture.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    fixture.totals(site, |totals| (totals.panics, totals.panics_lost) = (1, 1));
    let at = fixture.now;
    fixture.panic(Panic { task: TaskId(1), site, at, message: String::new(), location: String::new() });
    fixture.tick(ms(100));
    let mut engine = Engine::new(Settings::default());
    fixture.model.complete = false;
    engine.evaluate(&fixture.model);
    assert!(engine.findings().is_empty());
    fixture.model.complete = true;
    engine.evaluate(&fixture.model);
    assert_eq!(engine.findings().len(), 1);
}

#[test]
fn a_condition_must_last_before_it_is_said() {
    let mut judged = Judged::new();
    let site = leaky(&mut judged, "src/a.rs:1:1");
    judged.settle();
    leak(&mut judged.target, site);
    judged.tick(ms(100));
    judged.expect_nothing();
    let began = judged.target.now;
    judged.run(ms(500));
    assert_eq!(judged.only("never-awaited-handle").since, began);
}

#[test]
fn a_cleared_finding_is_kept_for_a_minute_and_says_when_it_ended() {
    let mut judged = Judged::new();
    let site = leaky(&mut judged, "src/a.rs:1:1");
    judged.settle();
    judged.every(ms(2000), |target| leak(target, site));
    judged.run(ms(10_500));
    judged.expect_nothing();
    let cleared = judged.engine.findings()[0].clone();
    let at = cleared.cleared.expect("cleared");
    assert!(at > cleared.last_seen && cleared.last_seen > cleared.since);
    judged.run(RETENTION.saturating_sub(ms(1000)));
    assert_eq!(judged.engine.findings(), [cleared], "it does not change any more");
    judged.run(ms(1000));
    assert!(judged.engine.findings().is_empty());
}

#[test]
fn what_was_so_when_somebody_began_to_look_may_be_older_unless_its_beginning_is_told() {
    let mut judged = Judged::new();
    let leaks = leaky(&mut judged, "src/a.rs:1:1");
    let blocks = judged.target.spawn_site("src/b.rs:1:1", "b", OutputKind::Unit);
    judged.settle();
    judged.every(ms(2000), |target| leak(target, leaks));
    assert!(
        judged.only("never-awaited-handle").older,
        "it leaked in the first seconds, and before that for all we know"
    );
    block(&mut judged, blocks);
    judged.run(ms(500));
    let blocked = judged.active().into_iter().find(|finding| finding.rule == "blocked-worker").expect("it").clone();
    assert!(!blocked.older, "the target tells when the poll began");
    assert!(judged.active()[1].age(judged.target.now).starts_with(">2."));

    judged.run(ms(20_000));
    let cleared = judged.engine.findings().iter().find(|finding| finding.rule == "never-awaited-handle").expect("kept");
    assert!(cleared.older && !cleared.active());
    judged.every(ms(2000), |target| leak(target, leaks));
    let again = judged.active().into_iter().find(|finding| finding.rule == "never-awaited-handle").expect("it");
    assert!(!again.older, "it has begun before our eyes");
}

#[test]
fn a_finding_that_comes_back_is_the_same_one_with_another_beginning() {
    let mut judged = Judged::new();
    let site = judged.target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    judged.settle();
    let worker = block(&mut judged, site);
    judged.run(ms(500));
    let first = judged.only("blocked-worker");
    judged.target.worker_state(worker, |worker| worker.poll = None);
    judged.run(ms(5000));
    judged.expect_nothing();
    block(&mut judged, site);
    judged.run(ms(500));
    let second = judged.only("blocked-worker");
    assert_eq!(judged.engine.findings().len(), 1);
    assert_eq!((second.count, second.key()), (2, first.key()));
    assert!(second.since > first.last_seen);
}

#[test]
fn the_worst_comes_first_and_what_has_cleared_last() {
    let mut judged = Judged::new();
    let site = judged.target.spawn_site("src/a.rs:1:1", "a", OutputKind::Unit);
    let cleared = judged.target.spawn_site("src/b.rs:1:1", "b", OutputKind::Unit);
    let (warn, info) = (leaky(&mut judged, "src/c.rs:1:1"), OutputKind::Unit);
    let info = judged.target.spawn_site("src/d.rs:1:1", "d", info);
    judged.settle();
    let worker = block(&mut judged, cleared);
    judged.run(ms(500));
    judged.target.worker_state(worker, |worker| worker.poll = None);
    judged.run(ms(4000));
    block(&mut judged, site);
    judged.every(ms(1000), |target| {
        leak(target, warn);
        leak(target, info);
    });
    let order: Vec<_> = judged.engine.findings().iter().map(|f| (f.active(), f.severity)).collect();
    let expected = [(true, Severity::Crit), (true, Severity::Warn), (true, Severity::Info), (false, Severity::Crit)];
    assert_eq!(order, expected);
    assert_eq!(crate::lints::worst(judged.engine.findings()), Some(Severity::Crit));
}

#[test]
fn a_rule_that_is_off_is_silent_and_a_limit_that_is_set_counts() {
    let mut settings = Settings::default();
    settings.switch_off("never-awaited-handle").expect("a rule");
    settings.set_limit("blocked-worker", "running", "2s").expect("a threshold");
    settings.set_severity("blocked-worker", Severity::Info).expect("a rule");
    let mut judged = Judged::with(settings);
    let site = leaky(&mut judged, "src/a.rs:1:1");
    judged.settle();
    block(&mut judged, site);
    judged.every(ms(2000), |target| leak(target, site));
    judged.expect_nothing();
    judged.run(ms(200));
    let finding = judged.only("blocked-worker");
    assert_eq!(finding.severity, Severity::Info);
    assert_eq!(evidence(&finding, "poll_running_ns").limit, "> 2.00 s");
}

#[test]
fn a_lost_link_neither_raises_nor_repeats_anything() {
    let mut judged = Judged::new();
    let site = leaky(&mut judged, "src/a.rs:1:1");
    judged.settle();
    judged.every(ms(2000), |target| leak(target, site));
    let before = judged.only("never-awaited-handle");
    judged.target.snapshot(ms(3000));
    judged.engine.evaluate(&judged.target.model);
    let after = judged.only("never-awaited-handle");
    assert_eq!((after.since, after.count), (before.since, before.count));
}

#[test]
fn places_that_the_compiler_made_two_of_are_one_finding() {
    let mut judged = Judged::new();
    let sites = [leaky(&mut judged, "src/a.rs:1:1"), leaky(&mut judged, "src/a.rs:1:1")];
    judged.settle();
    judged.every(ms(2000), |target| sites.into_iter().for_each(|site| leak(target, site)));
    assert_eq!(evidence(&judged.only("never-awaited-handle"), "alike_from_this_line").value, 1);
}

#[test]
fn a_busy_healthy_service_raises_no_alarm_from_its_start_to_its_end() {
    let mut judged = Judged::new();
    let accept = judged.target.spawn_site("src/main.rs:9:9", "shop::connection::{{closure}}", OutputKind::Unit);
    let made = judged.target.lock_site("src/state.rs:3:9", "shop::State");
    let lock = judged.target.lock(made);
    let place = judged.target.channel_site("src/jobs.rs:3:9", "shop::Job");
    let (bounded, unbounded) = (judged.target.channel(place, Some(64)), judged.target.channel(place, None));
    let worker = judged.target.worker("tokio-worker-1");
    let mut n = 0_u64;
    judged.every(ms(60_000), |target| {
        n += 1;
        let now = target.now;
        let task = target.task(accept);
        target.worker_state(worker, |worker| worker.poll = Some((task, now.before(ms(n % 9)))));
        target.totals(accept, |totals| {
            totals.spawned += 400;
            totals.finished += 400;
            totals.handles_dropped += 400;
            // Now and then a poll is preempted.
            if n.is_multiple_of(50) {
                totals.slow_polls += 1;
                totals.last_slow_poll = ms(14);
                totals.slow_poll_total += ms(14);
                totals.last_slow_poll_at = now;
            }
        });
        target.lock_state(lock, |lock| {
            lock.acquires += 1000;
            lock.contended += n % 200;
            lock.wait_hist.0[2] += (n % 200) as u32;
            lock.wait_max = ms(40);
            lock.waiters = (n % 3) as u32;
            if n.is_multiple_of(97) {
                lock.suspended_holds += 1;
                lock.last_suspended = ms(4);
                lock.last_suspended_at = now;
                lock.last_suspended_waiters = 1;
            }
        });
        target.channel_state(bounded, |channel| {
            channel.received = channel.sent;
            channel.sent += n % 65;
            channel.blocked_senders = u32::from(n % 65 == 64);
            channel.sends_blocked += u64::from(n % 65 == 64);
        });
        // A burst of three seconds every fifteen, which is then drained.
        target.channel_state(unbounded, |channel| {
            channel.sent += if n % 150 < 30 { 900 } else { 10 };
            channel.received = (channel.received + 250).min(channel.sent);
        });
    });
    judged.expect_no_alarm();
    let loud: Vec<_> = judged.engine.findings().iter().filter(|f| f.severity > Severity::Info).collect();
    assert!(loud.is_empty(), "{loud:#?}");
}

#[test]
fn nonsense_from_a_target_is_judged_without_a_panic() {
    let mut judged = Judged::new();
    let names = ["", "\u{202e}", "::<>::{{closure}}", &"a::<".repeat(4000), "{{closure}}", "((((", ":::::"];
    for (n, name) in names.into_iter().enumerate() {
        let site = judged.target.spawn_site(name, name, OutputKind::Result);
        let (lock_site, channel_site) = (judged.target.lock_site(name, name), judged.target.channel_site(name, name));
        let (lock, task) = (judged.target.lock(lock_site), judged.target.task(site));
        let channel = judged.target.channel(channel_site, (n % 2 == 0).then_some(n as u64));
        let worker = judged.target.worker(name);
        let rise = u64::MAX / 40;
        judged.every(ms(4000), |target| {
            let now = target.now;
            target.worker_state(worker, |worker| worker.poll = Some((TaskId(task.0 ^ (now.0 & 1)), Stamp(0))));
            target.totals(site, |totals| {
                totals.slow_polls = totals.slow_polls.saturating_add(rise);
                totals.last_slow_poll = Duration::from_secs(u64::MAX / 4);
                totals.slow_poll_total = Duration::from_secs(u64::MAX / 4);
                totals.last_slow_poll_at = Stamp(u64::MAX);
                totals.handles_dropped = totals.handles_dropped.saturating_add(rise);
                totals.errors_lost = u64::MAX;
                totals.panics_lost = u64::MAX;
            });
            target.panic(Panic { task, site, at: now, message: name.into(), location: name.into() });
            target.lock_state(lock, |lock| {
                lock.acquires = lock.acquires.saturating_add(rise);
                lock.contended = u64::MAX;
                lock.suspended_holds = lock.suspended_holds.saturating_add(rise);
                lock.last_suspended = Duration::from_secs(u64::MAX / 4);
                lock.last_suspended_at = now;
                lock.last_suspended_waiters = u32::MAX;
                lock.wait_hist.0[15] = u32::MAX;
                lock.wait_max = Duration::MAX;
                lock.held_since = Some(Stamp(u64::MAX));
                lock.holder = task;
                lock.waiters = u32::MAX;
            });
            target.channel_state(channel, |channel| {
                channel.sent = channel.sent.saturating_add(rise);
                channel.received = n as u64;
                channel.blocked_senders = u32::MAX;
                channel.receiver_task = task;
                channel.last_recv_at = Some(Stamp(u64::MAX));
            });
        });
    }
    assert!(judged.active().len() > 10, "{:#?}", judged.active());
    for finding in judged.active() {
        assert!(finding.message.chars().count() < 400, "{}", finding.message);
    }
}
