//! What a report keeps of a while.
use std::time::Duration;

use super::Observed;
use crate::lints::{Engine, Settings};
use crate::model::OutputKind;
use crate::model::fixture::Fixture;

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
