//! What a report keeps of a while.
use std::time::Duration;

use super::{Observed, Report, Silenced, Watched};
use crate::lints::{Engine, Settings, Severity};
use crate::model::fixture::Fixture;
use crate::model::{Blind, Holder, LockKind, OutputKind};

#[test]
fn what_turned_out_to_be_the_effect_of_something_is_not_told_beside_it() {
    let (mut target, mut engine, mut observed) = (Fixture::new(), Engine::new(Settings::default()), Observed::new());
    let site = target.spawn_site("src/report.rs:7:5", "shop::report::{{closure}}", OutputKind::Unit);
    let (task, worker) = (target.task(site), target.worker("tokio-worker-1"));
    let mut run = |target: &mut Fixture, millis: u64, poll| {
        for _ in 0..millis / 100 {
            target.worker_state(worker, |worker| worker.poll = poll);
            target.tick(Duration::from_millis(100));
            engine.evaluate(&target.model);
            observed.note(&engine);
        }
        observed.findings().iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    run(&mut target, 500, None);
    let at = target.now;
    target.totals(site, |totals| {
        (totals.slow_polls, totals.slow_poll_total, totals.max_poll) =
            (1, Duration::from_millis(300), Duration::from_millis(300));
        (totals.last_slow_poll, totals.last_slow_poll_at) = (Duration::from_millis(300), at);
    });
    assert_eq!(run(&mut target, 1500, None), ["long-poll"]);
    let since = target.now;
    assert_eq!(run(&mut target, 1000, Some((task, since))), ["blocked-worker"]);
}

#[test]
fn a_program_is_told_that_a_finding_may_be_older_than_it_was_watched() {
    let (mut target, mut engine) = (Fixture::new(), Engine::new(Settings::default()));
    let site = target.spawn_site("src/a.rs:1:1", "shop::save::{{closure}}", OutputKind::Result);
    for _ in 0..30 {
        target.totals(site, |totals| totals.handles_dropped += 1);
        target.tick(Duration::from_millis(100));
        engine.evaluate(&target.model);
    }
    let json = serde_json::to_value(super::json::finding(&target.model, &engine.findings()[0])).expect("it has a form");
    assert_eq!((&json["rule"], &json["older"]), (&"never-awaited-handle".into(), &true.into()));
}

#[test]
fn what_is_worth_a_word_at_many_lines_is_one_block_and_what_is_worse_is_not() {
    let (mut target, mut engine) = (Fixture::new(), Engine::new(Settings::default()));
    let mut site =
        |line: u32, output| target.spawn_site(&format!("src/a.rs:{line}:1"), &format!("shop::job{line}"), output);
    let sites: Vec<_> = (1..=20).map(|line| site(line, OutputKind::Unit)).collect();
    let worse: Vec<_> = (21..=22).map(|line| site(line, OutputKind::Result)).collect();
    for _ in 0..20 {
        for site in sites.iter().chain(&worse) {
            target.totals(*site, |totals| totals.handles_dropped += 1);
        }
        target.tick(Duration::from_millis(100));
        engine.evaluate(&target.model);
    }
    let (all, findings) = (Silenced::default(), engine.findings().to_vec());
    let report = Report { model: &target.model, observed: Duration::from_secs(2), findings, silenced: &all };
    let text = report.text(false);
    let heads = |severity: &str| text.lines().filter(|line| line.starts_with(severity)).count();
    assert_eq!((heads("INFO"), heads("WARN")), (1, 2), "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with("     also ")).count(), 1, "{text}");
    let also = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(also.contains("`job6` at src/a.rs:6 · 3 more (--format json has them all)"), "{text}");
    assert!(text.contains("2 warn, 20 info"), "{text}");
    let too_short = "2.00 s is too short to say that this is all: most rules need 5.00 s\n";
    let longer = Report { observed: Duration::from_secs(10), findings: report.findings.clone(), ..report };
    assert!(text.contains(too_short) && !longer.text(false).contains("too short"), "{text}");
}

#[test]
fn what_was_not_to_be_told_is_said_where_all_would_seem_well() {
    let mut model = crate::app::fixture::model();
    model.target.blind = vec![Blind { about: "locks".into(), why: "nothing tells of it".into(), ..Blind::default() }];
    let silenced = Silenced { off: vec!["deadlock", "long-poll"], muted: 3 };
    let report = |silenced| Report { model: &model, observed: Duration::from_secs(10), findings: Vec::new(), silenced };
    let words = "2 rules off (deadlock, long-poll), 3 findings muted";
    let verdict = format!("OK   no other rule fired in what was seen ({words})\n");
    let all = Silenced::default();
    assert!(report(&silenced).text(false).contains(&verdict), "{}", report(&silenced).text(false));
    assert!(report(&all).text(false).contains("OK   no rule fired in what was seen\n"));
    assert!(super::snapshot_text(&model, &[], &silenced).contains(&verdict));

    let (short, long) = (report(&all).text(false), report(&all).text(true));
    assert!(
        short.contains("Not visible in this target: 1 blind spot, 1 about locks (-v says what and why)\n"),
        "{short}"
    );
    assert!(long.contains("nothing tells of it") && !short.contains("nothing tells of it"), "{long}");

    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let mut snapshot = Vec::new();
    super::snapshot_json(&model, &[], &silenced, &mut snapshot).unwrap();
    let json = report(&silenced).json();
    let line = report(&silenced).ndjson();
    for json in [read(&json), read(line.lines().next().unwrap()), read(&String::from_utf8(snapshot).unwrap())] {
        assert_eq!(json["rules_off"], serde_json::json!(["deadlock", "long-poll"]));
        assert_eq!(json["findings_muted"], 3);
    }
    let watched = [Watched { address: "shop".into(), report: Some(report(&silenced)), failure: None }];
    let run = &read(&super::sarif(&watched))["runs"][0]["invocations"][0];
    assert_eq!(run["ruleConfigurationOverrides"][1]["descriptor"]["id"], "long-poll");
    assert_eq!(run["toolConfigurationNotifications"][0]["message"]["text"], words);
    assert_eq!(super::junit(&watched, Severity::Warn).matches("<skipped").count(), 2);
}

#[test]
fn who_holds_something_is_in_a_snapshot() {
    let mut target = Fixture::new();
    let (site, made) =
        (target.spawn_site("src/a.rs:1:1", "job", OutputKind::Unit), target.lock_site("src/a.rs:2:2", "m"));
    let (task, at, since) = (target.task(site), target.call_site("src/a.rs:3:3"), target.now);
    let mutex = target.lock(made);
    target.lock_state(mutex, |lock| {
        (lock.holder, lock.holder_site, lock.held_since) = (task, at, Some(since));
    });
    let semaphore = target.lock_of(LockKind::Semaphore, made);
    target.lock_state(semaphore, |lock| {
        lock.holders = vec![Holder { task, site: at, since, permits: 3, exclusive: false }];
        lock.holder_count = 9;
    });
    let rw = target.lock_of(LockKind::RwLock, made);
    target.lock_state(rw, |lock| {
        lock.holders = vec![Holder { task, site: at, since, permits: 1 << 29, exclusive: true }];
        lock.holder_count = 1;
    });
    target.tick(Duration::from_secs(2));
    let mut snapshot = Vec::new();
    super::snapshot_json(&target.model, &[], &Silenced::default(), &mut snapshot).expect("memory takes it");
    let json: serde_json::Value = serde_json::from_slice(&snapshot).expect("it is JSON");
    let locks = json["locks"].as_array().expect("a list");
    for (id, permits, exclusive, count) in [(mutex.0, 1, true, 1), (semaphore.0, 3, false, 9), (rw.0, 1, true, 1)] {
        let id = serde_json::Value::from(id.to_string());
        let lock = locks.iter().find(|lock| lock["id"] == id).expect("it is there");
        let holder = serde_json::json!({
            "task": task.0.to_string(), "location": "src/a.rs:3:3", "held_ns": 2_000_000_000_u64,
            "permits": permits, "exclusive": exclusive,
        });
        assert_eq!(
            (&lock["holders"], &lock["holder_count"]),
            (&serde_json::json!([holder]), &count.into()),
            "{lock:#}"
        );
    }
}
