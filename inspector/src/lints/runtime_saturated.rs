//! More work than the workers can do.
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::saturation::{all_full, in_polls, own, places_in_polls, queued, workers};
use super::{Evidence, Severity, words};
use crate::model::Task;
use crate::text;

const QUEUE: Threshold = Threshold::count("queue", 50, "more tasks than this wait for a worker");
pub(super) const DELAY: Threshold =
    Threshold::millis("delay", 500, "new ones for longer than this until they are first polled");

/// Seconds of which it is told how many tasks begin and end, and what one takes.
const FLOW: usize = 3;

pub(super) const RULE: Rule = Rule {
    id: "runtime-saturated",
    severity: Severity::Warn,
    summary: "all workers are busy, and the tasks that wait for one become more",
    explain: EXPLAIN,
    thresholds: &[QUEUE, DELAY],
    enter_after: Duration::from_secs(2),
    leave_after: Duration::from_secs(1),
    subsumed_by: &["blocked-worker", "sync-lock-in-async", "block-on-in-async", "busy-self-wake"],
    evaluate,
};

const EXPLAIN: &str = "\
Every worker thread has been in polls for nearly all of the last two seconds, and many tasks wait in the queue, for
longer and longer.

Why it hurts
  There is more to do than these threads can do. Whatever comes in waits behind all that came before it, and the service
  does not recover by itself as long as as much comes in.

WRONG
  loop {
      let (stream, _) = listener.accept().await?;
      tokio::spawn(render_for(stream));             // 10 ms of computing each, 500 a second, on two workers
  }

RIGHT
  let limit = Arc::new(Semaphore::new(64));
  loop {
      let (stream, _) = listener.accept().await?;
      let Ok(permit) = limit.clone().try_acquire_owned() else { busy(stream); continue };
      tasks.spawn(async move { render_for(stream).await; drop(permit); });
  }

  // and computing off the runtime's threads: spawn_blocking or rayon

Thresholds
  queue = 50       more tasks than this wait for a worker
  delay = 500 ms   new ones for longer than this until they are first polled
";

/// The new task that waits longest for its first poll, and how long, less what the machine adds to it. What goes round
/// and round among old tasks is `starved-task`.
pub(super) fn longest<'a>(cx: &Cx<'a>) -> Option<(Duration, &'a Task)> {
    let model = cx.model;
    let first = model.unpolled().next()?;
    Some((own(model, model.lasted(first.state_since)), first))
}

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let model = cx.model;
    let queued = queued(model);
    if queued <= cx.count(&QUEUE) || !all_full(model) {
        return;
    }
    let Some((delay, first)) = longest(cx).filter(|(delay, _)| *delay > cx.span(&DELAY)) else { return };
    let running = in_polls(model);
    let Some(site) = running.first().and_then(|(site, _)| model.sites.get(site)) else { return };
    let subject = words::site_subject(site);
    let group = site.location.clone();
    let count = workers(model).count();
    let all = match count {
        1 => "the only worker is".to_owned(),
        2 => "both workers are".to_owned(),
        n => format!("all {n} workers are"),
    };
    let mut causes = places_in_polls(model);
    causes.push(group.clone());
    let at = words::at(&site.location);
    let (come, go) = (site.spawned_s.recent_mean(FLOW), site.finished_s.recent_mean(FLOW));
    let flow = if come > go { format!(" ({} begin, {} end)", text::rate(come), text::rate(go)) } else { String::new() };
    let mut evidence = vec![
        Evidence::count("waiting_tasks", queued).over(cx.limit_text(&QUEUE)),
        Evidence::span("schedule_delay_ns", delay).over(cx.limit_text(&DELAY)),
        Evidence::count("workers", count as u64).aside(),
        Evidence::task("longest_waiting_task", first.id),
        Evidence::words("running_location", site.location.as_str()),
        Evidence::rate("spawned_per_s", come).aside(),
        Evidence::rate("finished_per_s", go).aside(),
    ];
    if let Some(mean) = site.mean_busy(FLOW) {
        evidence.insert(0, Evidence::span("mean_task_busy_ns", mean));
    }
    out.push(Candidate {
        message: format!(
            "{all} always busy, mostly with `{}`{flow}: {} wait for a worker, a new one for {} until its first poll",
            subject.name,
            text::counted(queued, "task"),
            text::duration(delay),
        ),
        evidence,
        advice: format!(
            "Begin no more than can be done: try_acquire a Semaphore permit before the spawn{at}, refuse the work when there is \
             none, and give the permit back when the task ends."
        )
        .into(),
        hurt: queued,
        causes,
        // The task that waits longest tells since when one has waited for too long, whatever a moment looked like between.
        onset: Some(model.now.before(delay.saturating_sub(cx.span(&DELAY)))),
        ..Candidate::enter(subject, &group, Severity::Warn)
    });
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;
    use crate::model::{Runtime, RuntimeDetail, RuntimeId, RuntimeKind};

    fn queue(waiting: usize, busy: u64) -> Judged {
        queue_through(waiting, &[(6000, busy, 0)])
    }

    /// For so many milliseconds each, the worker is busy for so many of every hundred, and without a CPU for so many.
    fn queue_through(waiting: usize, spans: &[(u64, u64, u64)]) -> Judged {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/render.rs:8:9", "shop::render::{{closure}}", OutputKind::Unit);
        let hog = judged.target.task(site);
        let worker = judged.target.worker("tokio-worker-1");
        judged.settle();
        let now = judged.target.now;
        for _ in 0..waiting {
            let task = judged.target.task(site);
            judged.target.task_state(task, |task| (task.state, task.state_since) = (TaskState::New, now));
        }
        for &(span, busy, stolen) in spans {
            judged.every(ms(span), |target| {
                let now = target.now;
                target.worker_state(worker, |worker| {
                    worker.busy += ms(busy);
                    worker.cpu_wait += ms(stolen);
                    worker.polls += 20;
                    worker.poll = Some((hog, now.before(ms(2))));
                });
            });
        }
        judged
    }

    #[test]
    fn a_moment_in_which_the_machine_is_full_does_not_begin_it_anew() {
        queue_through(100, &[(1800, 99, 0), (600, 99, 95), (1900, 99, 0)]).only("runtime-saturated");
    }

    #[test]
    fn a_queue_behind_busy_workers_is_named_with_who_has_them() {
        let finding = queue(200, 99).only("runtime-saturated");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/render.rs:8:9"));
        assert!(
            finding.message.starts_with(
                "the only worker is always busy, mostly with `render`: 200 tasks wait for a worker, a new one for "
            ),
            "{}",
            finding.message
        );
    }

    #[test]
    fn what_a_task_takes_is_of_the_same_seconds_as_how_many_begin_and_end() {
        let mut judged = queue(200, 99);
        let site = *judged.target.model.sites.keys().next().expect("one");
        let worker = *judged.target.model.workers.keys().next().expect("one");
        let saturated = |judged: &mut Judged, took: u64| {
            judged.every(ms(5000), |target| {
                let now = target.now;
                target.worker_state(worker, |worker| {
                    worker.busy += ms(99);
                    worker.polls += 20;
                    worker.poll = worker.poll.map(|(hog, _)| (hog, now.before(ms(2))));
                });
                target.totals(site, |totals| {
                    (totals.spawned, totals.finished) = (totals.spawned + 10, totals.finished + 5);
                    totals.finished_busy += ms(5 * took);
                });
            });
            let finding = judged.only("runtime-saturated");
            ["mean_task_busy_ns", "finished_per_s"].map(|name| evidence(&finding, name).text.clone())
        };
        assert_eq!(saturated(&mut judged, 1), ["1.00 ms", "50/s"]);
        assert_eq!(saturated(&mut judged, 20), ["20.0 ms", "50/s"]);
    }

    #[test]
    fn the_runtimes_own_count_has_the_tasks_of_libraries_too() {
        let mut judged = queue(10, 99);
        judged.expect_no_alarm_of("runtime-saturated");
        let detail = RuntimeDetail { local_queues: 250, ..RuntimeDetail::default() };
        let id = RuntimeId(1);
        let kind = RuntimeKind::MultiThread;
        let runtime = Runtime { id, kind, global_queue: 50, detail: Some(detail), ..Runtime::default() };
        judged.target.model.runtimes.insert(id, runtime);
        let worker = *judged.target.model.workers.keys().next().expect("one");
        judged.every(ms(3000), |target| {
            let now = target.now;
            target.worker_state(worker, |worker| {
                worker.busy += ms(99);
                worker.polls += 20;
                worker.poll = worker.poll.map(|(hog, _)| (hog, now.before(ms(2))));
            });
        });
        let finding = judged.only("runtime-saturated");
        assert_eq!(evidence(&finding, "waiting_tasks").value, 300);
    }

    #[test]
    fn a_short_queue_is_nothing() {
        queue(20, 99).expect_no_alarm_of("runtime-saturated");
    }
}
