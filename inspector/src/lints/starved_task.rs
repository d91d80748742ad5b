//! Tasks that are woken and wait for a worker.
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::runtime_saturated;
use super::saturation::{all_full, in_polls, own, places_in_polls, workers};
use super::{Evidence, Severity, words};
use crate::model::{Task, TaskState};
use crate::text;

const DELAY: Threshold =
    Threshold::millis("delay", 100, "within the last half second, a task was woken so long ago and not polled");

pub(super) const RULE: Rule = Rule {
    id: "starved-task",
    severity: Severity::Warn,
    summary: "tasks are woken and wait for long until a worker polls them",
    explain: EXPLAIN,
    thresholds: &[DELAY],
    enter_after: Duration::from_secs(2),
    leave_after: Duration::from_secs(1),
    subsumed_by: &[
        "blocked-worker",
        "sync-lock-in-async",
        "block-on-in-async",
        "runtime-saturated",
        "long-poll",
        "busy-self-wake",
        "task-leak",
    ],
    evaluate,
};

const EXPLAIN: &str = "\
Tasks are ready to run, and for two seconds, in each half of one, some have waited more than 100 ms for their turn:
workers are busy with others.

Why it hurts
  What such a task waits for has come: the answer is there, the timer has gone off, and nothing happens. Every await of
  every request takes that much longer.

WRONG
  for chunk in chunks {
      tokio::spawn(async move { crunch(chunk) });   // hundreds of tasks of 5 ms of computing each
  }

RIGHT
  let work = tokio::task::spawn_blocking(move || chunks.into_iter().map(crunch).collect());
  let done = work.await?;                           // rayon, for much of it

  // or a runtime of its own for what computes
  let crunching = runtime::Builder::new_multi_thread().worker_threads(2).build()?;
  crunching.spawn(async move { crunch(chunk) });

Thresholds
  delay = 100 ms   within the last half second, a task was woken so long ago and not polled

Where the queue grows without end, `runtime-saturated` speaks; where the machine has no CPU to give, nobody does.
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let model = cx.model;
    let Some(first) = model.woken().next() else { return };
    let delay = own(model, model.woken_lately());
    if runtime_saturated::longest(cx).is_some_and(|(new, _)| new > cx.span(&runtime_saturated::DELAY)) {
        return;
    }
    // Workers that are free, or have no CPU, do not let anybody wait by what they run.
    if delay > cx.span(&DELAY) && all_full(model) {
        out.extend(judge(cx, first, delay));
    }
}

fn judge(cx: &Cx, first: &Task, delay: Duration) -> Option<Candidate> {
    let model = cx.model;
    let waiting = model.states.get(TaskState::Scheduled);
    let running = in_polls(model);
    let (site, _) = running.first()?;
    let hog = model.sites.get(site)?;
    // The tasks that have the workers are where to look.
    let subject = words::site_subject(hog);
    let group = hog.location.clone();
    let mut causes = places_in_polls(model);
    causes.push(group.clone());
    let (name, late) = (&subject.name, words::task(model, first.id));
    let hogs = match hog.live() {
        0 | 1 => format!("`{name}` keeps"),
        n => format!("{} tasks of `{name}` keep", text::count(n)),
    };
    let all = match workers(model).count() {
        1 => "the only worker".to_owned(),
        2 => "both workers".to_owned(),
        n => format!("all {n} workers"),
    };
    let verb = if waiting == 1 { "waits" } else { "wait" };
    Some(Candidate {
        message: format!(
            "{hogs} {all} always busy: {} {verb} for up to {} to be polled, {late} longest",
            text::counted(waiting, "woken task"),
            text::duration(delay),
        ),
        evidence: vec![
            Evidence::span("schedule_delay_ns", delay).over(cx.limit_text(&DELAY)),
            Evidence::count("waiting_tasks", waiting),
            Evidence::task("longest_waiting_task", first.id),
            Evidence::words("longest_waiting_location", words::spawn_place(model, first.id)),
            Evidence::words("running_location", hog.location.as_str()),
            Evidence::span("longest_poll_ns", hog.max_poll),
        ],
        advice: format!(
            "Move what `{name}` computes into tokio::task::spawn_blocking(..).await, or give such tasks a runtime of their own."
        )
        .into(),
        hurt: waiting,
        causes,
        ..Candidate::enter(subject, &group, Severity::Warn)
    })
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn busy(full: bool, late: bool) -> Judged {
        let mut judged = Judged::new();
        let hogs = judged.target.spawn_site("src/crunch.rs:8:9", "shop::crunch::{{closure}}", OutputKind::Unit);
        let others = judged.target.spawn_site("src/answer.rs:8:9", "shop::answer::{{closure}}", OutputKind::Unit);
        let (hog, other) = (judged.target.task(hogs), judged.target.task(others));
        let worker = judged.target.worker("tokio-worker-1");
        judged.settle();
        judged.every(ms(3500), |target| {
            let now = target.now;
            target.worker_state(worker, |worker| {
                worker.busy += if full { ms(99) } else { ms(50) };
                worker.polls += 20;
                worker.poll = Some((hog, now.before(ms(2))));
            });
            let since = if late { now.before(ms(350)) } else { now.before(ms(20)) };
            target.task_state(other, |task| (task.state, task.state_since) = (TaskState::Scheduled, since));
        });
        judged
    }

    #[test]
    fn tasks_that_wait_long_for_a_worker_accuse_those_who_have_it() {
        let judged = busy(true, true);
        let finding = judged.only("starved-task");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/crunch.rs:8:9"));
        assert!(
            finding.message.starts_with(
                "`crunch` keeps the only worker always busy: 1 woken task waits for up to 350 ms to be polled, `answer` #"
            ),
            "{}",
            finding.message
        );
    }

    #[test]
    fn a_short_wait_or_a_worker_that_is_free_is_nothing() {
        busy(true, false).expect_nothing();
        busy(false, true).expect_nothing();
    }
}
