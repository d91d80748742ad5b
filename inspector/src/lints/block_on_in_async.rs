//! A task that calls `block_on`.
use std::time::Duration;

use super::culprit::{BLOCKS, Culprit};
use super::rule::{Candidate, Count, Cx, Rule, Threshold};
use super::stuck_poll::{Place, STARTUP, places};
use super::{Evidence, LocationRole, Severity, words};
use crate::model::{Frame, Panic, Stack, StackCause};
use crate::text;

const BLOCKED: Threshold = Threshold::millis("blocked", 100, "a poll has stood in block_on for longer than this");
const LATELY: Threshold = Threshold::millis("lately", 15_000, "a panic is told of for so long");

pub(super) const RULE: Rule = Rule {
    id: "block-on-in-async",
    severity: Severity::Crit,
    summary: "a task calls block_on, and blocks its worker thread or panics",
    explain: EXPLAIN,
    thresholds: &[BLOCKED, LATELY, STARTUP],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_secs(3),
    subsumed_by: &[],
    evaluate,
};

/// What tokio says when something blocks a thread that drives tasks.
const REFUSALS: [&str; 2] =
    ["Cannot start a runtime from within a runtime", "Cannot block the current thread from within a runtime"];

const EXPLAIN: &str = "\
A task calls `block_on` (or another call that blocks the thread until a future is done) while it is being polled.

Why it hurts
  tokio's own `block_on` panics there: a worker thread must not be blocked. Other executors' `block_on` does block it,
  and the worker runs nothing else until that future is done; if the future needs this worker, it never is.

WRONG
  fn price(&self, id: Id) -> Price {                // a synchronous trait method, called from a task
      futures::executor::block_on(self.client.get(id))
  }

RIGHT
  async fn price(&self, id: Id) -> Price {
      self.client.get(id).await
  }

  // where the caller cannot be async, leave the runtime's threads first
  let price = tokio::task::spawn_blocking(move || handle.block_on(client.get(id))).await?;

Thresholds
  blocked = 100 ms   a poll has stood in block_on for longer than this
  lately  = 15.0 s   a panic is told of for so long
  startup = 5.00 s   for so long after its start, what `main` does between awaits is set-up, not a fault
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    out.extend(places(cx, StackCause::BlockOn, cx.span(&STARTUP)).iter().filter_map(|place| blocked(cx, place)));
    let lately = |panic: &&Panic| cx.model.now.since(panic.at) < cx.span(&LATELY);
    let refused = |panic: &&Panic| REFUSALS.iter().any(|refusal| panic.message.contains(refusal));
    let mut panics: Vec<&Panic> = cx.model.panics.iter().filter(lately).filter(refused).collect();
    panics.reverse();
    let mut sites = Vec::new();
    for panic in &panics {
        if !sites.contains(&panic.site) {
            sites.push(panic.site);
            out.extend(panicked(cx, panic, panics.iter().filter(|other| other.site == panic.site)));
        }
    }
}

fn blocked(cx: &Cx, place: &Place) -> Option<Candidate> {
    if place.longest <= cx.span(&BLOCKED) {
        return None;
    }
    let subject = place.subject(cx);
    let at = place.at();
    let has = if place.now > 0 { "has blocked" } else { "blocked" };
    let threads = match place.now {
        0 | 1 => "its worker thread".to_owned(),
        n => format!("{n} worker threads"),
    };
    let (name, longest) = (&subject.name, text::duration(place.longest));
    let message = format!("`{name}` {has} {threads} for {longest}: it calls block_on inside async code {at}");
    let group = place.location.clone();
    let mut evidence = place.evidence(&cx.limit_text(&BLOCKED));
    if let Some(called) = called(place.stack) {
        evidence.insert(1, Evidence::words("blocked_by", text::head(called, 200)));
    }
    let caller = place.stack.user_frame().filter(|frame| frame.is_named()).map(Frame::name);
    let advice = match caller.filter(|caller| *caller != subject.name) {
        Some(caller) => format!("Make `{caller}` async and await the future instead of calling block_on. {ELSE}"),
        None => format!("Await the future instead of calling block_on. {ELSE}"),
    };
    Some(Candidate {
        message,
        evidence,
        advice: advice.into(),
        culprit: Culprit::of(BLOCKS, place.stack.task).filter(|_| place.now > 0),
        onset: Some(place.stack.poll_started),
        count: Count::Events(place.polls.iter().map(|&at| (at, 1)).collect()),
        hurt: place.now.max(1),
        causes: place.causes(cx),
        ..Candidate::enter(subject, &group, Severity::Crit)
    })
}

/// Whose `block_on` it is, which its path tells.
fn called(stack: &Stack) -> Option<&str> {
    let own = stack.frames.iter().position(|frame| frame.user)?;
    stack.frames[..own].iter().rev().map(|frame| frame.function.as_str()).find(|name| name.contains("block_on"))
}

const ELSE: &str = "If it cannot be async, call it in tokio::task::spawn_blocking.";

fn panicked<'a>(cx: &Cx, newest: &Panic, all: impl Iterator<Item = &'a &'a Panic>) -> Option<Candidate> {
    let site = cx.model.sites.get(&newest.site)?;
    let spawned = words::site_subject(site);
    let own = !newest.location.is_empty()
        && !["/registry/src/", "/rustc/", "/git/checkouts/"].iter().any(|part| newest.location.contains(part));
    let location = if own { newest.location.clone() } else { spawned.location.clone() };
    let events: Vec<_> = all.map(|panic| (panic.at, 1)).collect();
    let at = text::file_line(&location);
    let who = match events.len() {
        1 => format!("`{}`", spawned.name),
        n => format!("{n} `{}` tasks", spawned.name),
    };
    let evidence = vec![
        Evidence::count("panics", events.len() as u64).over("0"),
        Evidence::words("panic_message", text::head(&newest.message, 500)),
        Evidence::words("panic_location", newest.location.as_str()),
        Evidence::task("panicked_task", newest.task),
        Evidence::words("spawned_location", spawned.location.as_str()),
    ];
    let mut causes = vec![location.clone(), spawned.location.clone()];
    causes.retain(|place| !place.is_empty());
    Some(Candidate {
        message: format!("{who} panicked at {at}: tokio refuses block_on, and other blocking calls, inside async code"),
        evidence,
        advice: format!("Await the future instead of calling block_on. {ELSE}").into(),
        onset: Some(newest.at),
        hurt: events.len() as u64,
        count: Count::Events(events),
        causes,
        ..Candidate::enter(spawned.at(&location, LocationRole::Blocks), &location, Severity::Crit)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;
    use crate::model::StackCause;

    #[test]
    fn a_poll_that_stands_in_block_on_is_named_with_its_line() {
        let mut judged = Judged::new();
        let (task, worker) = blocked_poll(&mut judged);
        judged.run(ms(200));
        stack(&mut judged, worker, task, StackCause::BlockOn, 2, "src/price.rs:12:9");
        judged.run(ms(200));
        let finding = judged.only("block-on-in-async");
        assert_eq!(finding.subject.location, "src/price.rs:12:9");
        assert_eq!(
            finding.message,
            "`look_up` has blocked its worker thread for 400 ms: it calls block_on inside async code at price.rs:12"
        );
        judged.target.worker_state(worker, |worker| worker.poll = None);
        judged.run(ms(9000));
        judged.expect_nothing();
    }

    #[test]
    fn a_panic_that_tokio_raised_for_it_is_named_and_is_no_mere_lost_panic() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/price.rs:40:9", "shop::quote::{{closure}}", OutputKind::Unit);
        judged.settle();
        let at = judged.target.now;
        judged.target.panic(Panic {
            task: TaskId(7),
            site,
            at,
            message: "Cannot start a runtime from within a runtime. This happens because ...".into(),
            location: "src/price.rs:12:22".into(),
        });
        judged.target.totals(site, |totals| (totals.panics, totals.panics_lost) = (1, 1));
        judged.run(ms(500));
        let finding = judged.only("block-on-in-async");
        assert_eq!(finding.subject.location, "src/price.rs:12:22");
        assert_eq!(
            finding.message,
            "`quote` panicked at price.rs:12: tokio refuses block_on, and other blocking calls, inside async code"
        );
        judged.run(ms(20_000));
        judged.expect_nothing();
    }

    #[test]
    fn other_panics_are_not_its_business() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/price.rs:40:9", "shop::quote::{{closure}}", OutputKind::Unit);
        judged.settle();
        let at = judged.target.now;
        let (message, location) = ("index out of bounds".into(), "src/price.rs:12:22".into());
        judged.target.panic(Panic { task: TaskId(7), site, at, message, location });
        judged.run(ms(500));
        judged.expect_no_alarm_of("block-on-in-async");
    }
}
