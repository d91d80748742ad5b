//! Jobs of `spawn_blocking` that wait for a thread.
use std::collections::BTreeMap;
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::saturation::pools;
use super::{Evidence, Severity, words};
use crate::model::{SiteId, Task, TaskId, TaskKind, TaskState, WorkerKind};
use crate::text;

const QUEUED: Threshold = Threshold::millis("queued", 1000, "a job has waited longer than this for a thread");

pub(super) const RULE: Rule = Rule {
    id: "blocking-pool-saturated",
    severity: Severity::Warn,
    summary: "jobs of spawn_blocking wait for long, all threads of the pool are taken",
    explain: EXPLAIN,
    thresholds: &[QUEUED],
    enter_after: Duration::from_secs(1),
    leave_after: Duration::from_secs(1),
    subsumed_by: &[],
    evaluate,
};

const EXPLAIN: &str = "\
Jobs given to `spawn_blocking` wait for more than a second before any thread begins them. The line that is named is the
one whose jobs have the threads.

Why it hurts
  The pool has a limit (512 threads unless set otherwise). Everything that goes through it queues behind what has the
  threads: tokio's own file operations and name look-ups too, so that unrelated requests hang.

WRONG
  for file in files {
      spawn_blocking(move || compress(file));       // ten thousand at once
  }
  spawn_blocking(move || loop { consume(&queue) }); // never gives its thread back

RIGHT
  let limit = Arc::new(Semaphore::new(cores));
  for file in files {
      let permit = limit.clone().acquire_owned().await?;
      jobs.spawn_blocking(move || { compress(file); drop(permit) });
  }
  std::thread::spawn(move || loop { consume(&queue) });   // what runs for ever has a thread of its own

Thresholds
  queued = 1.00 s   a job has waited longer than this for a thread
";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let model = cx.model;
    if !model.target.sees("workers") {
        return;
    }
    let limit = cx.span(&QUEUED);
    let late = |task: &&Task| model.lasted(task.spawned_at) > limit;
    let Some(first) = model.waiting_jobs().find(late) else { return };
    // Who has the threads.
    let mut having: BTreeMap<SiteId, (u64, TaskId)> = BTreeMap::new();
    let mut running = 0;
    for (task, _) in model.workers.values().filter(|w| w.kind == WorkerKind::Blocking).filter_map(|w| w.poll) {
        if let Some(task) = model.tasks.get(&task).filter(|task| task.kind == TaskKind::Blocking) {
            running += 1;
            having.entry(task.site).or_insert((0, task.id)).0 += 1;
        }
    }
    let Some((&site, &(threads, one))) = having.iter().max_by_key(|&(site, (n, _))| (*n, *site)) else { return };
    let Some(site) = model.sites.get(&site) else { return };
    let waited = model.lasted(first.spawned_at);
    let waiting = model.sites.get(&first.site).map_or(1, |site| site.states.get(TaskState::New).max(1));
    // The runtimes' own counts have the jobs of libraries too.
    let (busy, queued) = pools(model).unwrap_or_default();
    let (running, waiting) = (busy.max(running), queued.max(waiting));
    let subject = words::site_subject(site);
    let group = site.location.clone();
    let of_others = first.site != site.id;
    let late = if of_others {
        format!("jobs of `{}` wait up to {}", words::task_name(model, first.id), text::duration(waited))
    } else {
        format!("{} more wait up to {}", text::count(waiting), text::duration(waited))
    };
    let evidence = vec![
        Evidence::span("queued_for_ns", waited).over(cx.limit_text(&QUEUED)),
        Evidence::count("waiting_jobs", waiting),
        Evidence::count("threads_taken", threads),
        Evidence::count("threads_busy", running),
        Evidence::task("waiting_task", first.id),
        Evidence::words("waiting_location", words::spawn_place(model, first.id)),
        Evidence::task("running_task", one),
    ];
    out.push(Candidate {
        message: format!(
            "`{}` has {} of the {running} threads of the blocking pool; {late}",
            subject.name,
            text::count(threads)
        ),
        evidence,
        advice:
            "Bound how many such jobs run at once (a Semaphore permit before spawn_blocking), give what never ends a \
                 std::thread of its own, or raise max_blocking_threads."
                .into(),
        onset: Some(first.spawned_at.after(limit)),
        hurt: waiting,
        ..Candidate::enter(subject, &group, Severity::Warn)
    });
}

#[cfg(test)]
mod tests {
    use crate::lints::tests::*;

    fn pool(threads: usize, waiting: usize) -> (Judged, Vec<TaskId>) {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/zip.rs:8:9", "shop::compress::{{closure}}", OutputKind::Unit);
        judged.settle();
        let now = judged.target.now;
        for n in 0..threads {
            let task = judged.blocking(site);
            judged.target.task_state(task, |task| (task.state, task.state_since) = (TaskState::Running, now));
            let worker = judged.target.worker(&format!("tokio-blocking-{n}"));
            judged.target.worker_state(worker, |worker| {
                worker.kind = WorkerKind::Blocking;
                worker.poll = Some((task, now));
            });
        }
        let jobs = (0..waiting)
            .map(|_| {
                let task = judged.blocking(site);
                judged.target.task_state(task, |task| (task.state, task.state_since) = (TaskState::New, now));
                task
            })
            .collect();
        (judged, jobs)
    }

    #[test]
    fn jobs_that_wait_for_a_thread_accuse_those_who_have_them() {
        let (mut judged, jobs) = pool(4, 20);
        judged.run(ms(1500));
        judged.expect_nothing();
        judged.run(ms(1000));
        let finding = judged.only("blocking-pool-saturated");
        assert_eq!((finding.severity, finding.subject.location.as_str()), (Severity::Warn, "src/zip.rs:8:9"));
        assert_eq!(
            finding.message,
            "`compress` has 4 of the 4 threads of the blocking pool; 20 more wait up to 2.50 s"
        );
        for job in jobs {
            judged.target.gone_task(job);
        }
        judged.run(ms(1500));
        judged.expect_nothing();
    }

    #[test]
    fn jobs_that_begin_soon_are_nothing() {
        let (mut judged, jobs) = pool(4, 20);
        judged.run(ms(800));
        for job in jobs {
            judged.target.task_state(job, |task| task.state = TaskState::Running);
        }
        judged.run(ms(3000));
        judged.expect_nothing();
    }
}
