//! Jobs of `spawn_blocking` that wait for a thread.
use std::collections::BTreeMap;
use std::time::Duration;

use super::culprit::Culprit;
use super::rule::{Candidate, Cx, Rule, Threshold};
use super::saturation::pools;
use super::{Evidence, Severity, words};
use crate::model::{SiteId, Stamp, Task, TaskId, TaskKind, TaskState, WorkerKind};
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

/// Seconds over which rates are taken.
const WINDOW: usize = 10;

/// Jobs compute if their threads are on a CPU for this share of the time, and wait if it is no more than that one.
const COMPUTES: f64 = 0.7;
const WAITS: f64 = 0.2;

const ENDLESS: &str =
    "None of these jobs has ended yet: give one that never ends a thread of its own (std::thread::spawn).";

fn evaluate(cx: &Cx, out: &mut Vec<Candidate>) {
    let model = cx.model;
    if !model.target.sees("workers") {
        return;
    }
    let limit = cx.span(&QUEUED);
    let late = |task: &&Task| model.lasted(task.spawned_at) > limit;
    let Some(first) = model.waiting_jobs().find(late) else { return };
    // Who has the threads.
    let mut having: BTreeMap<SiteId, (u64, Stamp, TaskId)> = BTreeMap::new();
    let mut running = 0;
    for (task, since) in model.workers.values().filter(|w| w.kind == WorkerKind::Blocking).filter_map(|w| w.poll) {
        if let Some(task) = model.tasks.get(&task).filter(|task| task.kind == TaskKind::Blocking) {
            running += 1;
            let (threads, longest, id) = having.entry(task.site).or_insert((0, since, task.id));
            *threads += 1;
            (*longest, *id) = (*longest, *id).min((since, task.id));
        }
    }
    let Some((&site, &(threads, began, oldest))) = having.iter().max_by_key(|&(site, (n, ..))| (*n, *site)) else {
        return;
    };
    let Some(site) = model.sites.get(&site) else { return };
    let waited = model.lasted(first.spawned_at);
    let alike = model.sites.get(&first.site).map_or(1, |site| site.states.get(TaskState::New).max(1));
    // The runtimes' own counts have the jobs of libraries too.
    let (busy, queued) = pools(model).unwrap_or_default();
    let (running, waiting) = (busy.max(running), queued.max(alike));
    // What the jobs are doing with their threads, where it is told of some.
    let told: Vec<f64> = model
        .workers
        .values()
        .filter(|worker| worker.poll.is_some_and(|(task, _)| model.tasks.get(&task).is_some_and(|t| t.site == site.id)))
        .filter_map(|worker| worker.cpu_share)
        .collect();
    let cpu = (!told.is_empty()).then(|| told.iter().sum::<f64>() / told.len() as f64);
    let subject = words::site_subject(site);
    let group = site.location.clone();
    let verb = if waiting == 1 { "waits" } else { "wait" };
    let late = match (first.site == site.id, waiting == alike) {
        (true, true) => format!("{} more of its jobs {verb}", text::count(waiting)),
        (true, false) => format!("{} {verb}", text::counted(waiting, "job")),
        (false, _) => {
            let name = words::task_name(model, first.id);
            format!("{} {verb}, the first of them `{name}`", text::counted(waiting, "job"))
        }
    };
    let all = match running {
        1 => "the only thread".to_owned(),
        n if n == threads => format!("all {} threads", text::count(n)),
        n => format!("{} of the {} threads", text::count(threads), text::count(n)),
    };
    let mut evidence = vec![
        Evidence::span("queued_for_ns", waited).over(cx.limit_text(&QUEUED)),
        Evidence::span("running_for_ns", model.lasted(began)).aside(),
        Evidence::count("waiting_jobs", waiting),
        Evidence::count("threads_taken", threads),
        Evidence::count("threads_busy", running).aside(),
        Evidence::task("waiting_task", first.id),
        Evidence::words("waiting_location", words::spawn_place(model, first.id)),
        Evidence::task("running_task", oldest),
    ];
    // What comes and what goes, where the queue is of its own jobs.
    let own = first.site == site.id;
    let (come, go) = (site.spawned_s.recent_mean(WINDOW), site.finished_s.recent_mean(WINDOW));
    // Threads that are never free end as many jobs as they are, in the time of one.
    if threads == running && go > 0.0 {
        evidence.insert(1, Evidence::span("mean_job_ns", Duration::from_secs_f64(threads as f64 / go)));
    }
    let does = match cpu {
        Some(share) if share >= COMPUTES => "compute",
        Some(share) if share <= WAITS => "wait",
        _ => "",
    };
    if let Some(share) = cpu {
        let share = Evidence::share("job_cpu_share", share);
        let what = if does.is_empty() { String::new() } else { format!(": they {does}") };
        evidence.insert(1, Evidence { text: format!("{}{what}", share.text), ..share });
    }
    let cpus = match model.target.cpus {
        0 => String::new(),
        n => format!(" ({n} here)"),
    };
    let flow =
        if own && come > go { format!(" ({} come, {} end)", text::rate(come), text::rate(go)) } else { String::new() };
    let place = text::file_line(&site.location);
    let bound = format!(
        "take a permit of a Semaphore before the spawn_blocking at {place}, and give it back when the job ends"
    );
    let advice = match does {
        _ if site.finished == 0 => ENDLESS.into(),
        "compute" => format!(
            "Begin no more of these jobs than can run: {bound}. They compute, so more threads than CPUs{cpus} make none faster."
        )
        .into(),
        "wait" => match enough(threads, come, go).filter(|_| own && threads == running) {
            Some(needed) => format!(
                "Give the pool at least {} threads (max_blocking_threads of the runtime's Builder): {} end {}, and {} come. \
                 They wait, so that more need no CPU. What comes beyond that: {bound}.",
                text::count(needed),
                text::count(threads),
                text::rate(go),
                text::rate(come),
            )
            .into(),
            None => format!(
                "Begin no more of these jobs than can run: {bound}. Where that is too few: they wait and need no CPU, so that \
                 more threads (max_blocking_threads) get more of them done."
            )
            .into(),
        },
        _ => format!("Begin no more of these jobs than can run: {bound}.").into(),
    };
    out.push(Candidate {
        message: format!(
            "`{}` keeps {all} of the blocking pool busy{flow}: {late}, the first for {}",
            subject.name,
            text::duration(waited)
        ),
        evidence,
        advice,
        // What runs longest is as good as any other.
        culprit: Culprit::of("one of them", oldest).filter(|_| site.finished == 0),
        onset: Some(first.spawned_at.after(limit)),
        hurt: waiting,
        ..Candidate::enter(subject, &group, Severity::Warn)
    });
}

/// Threads that end as many jobs a second as come, where so many end fewer; `None` where they do not, or that is not known.
fn enough(threads: u64, come: f64, go: f64) -> Option<u64> {
    let needed = (threads as f64 * come / go).ceil();
    (go > 0.0 && come > go && needed < f64::from(u32::MAX)).then_some(needed as u64)
}

#[cfg(test)]
mod tests {
    use super::enough;
    use crate::lints::tests::*;

    #[test]
    fn threads_enough_for_what_comes() {
        assert_eq!(enough(4, 60.0, 34.0), Some(8));
        assert_eq!(enough(4, 34.0, 34.0), None);
        assert_eq!(enough(4, 60.0, 0.0), None);
    }

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
            "`compress` keeps all 4 threads of the blocking pool busy: 20 more of its jobs wait, the first for 2.50 s"
        );
        for job in jobs {
            judged.target.gone_task(job);
        }
        judged.run(ms(1500));
        judged.expect_nothing();
    }

    #[test]
    fn whether_the_jobs_compute_or_wait_is_told_where_their_threads_tell() {
        for (cpu, told, fix) in
            [(95, ": they compute", "more threads than CPUs"), (5, ": they wait", "max_blocking_threads")]
        {
            let (mut judged, _) = pool(4, 20);
            let site = judged.target.model.tasks.values().next().expect("a job").site;
            judged.target.totals(site, |totals| totals.finished = 1);
            let threads: Vec<_> = judged.target.model.workers.keys().copied().collect();
            judged.every(ms(2500), |target| {
                for &thread in &threads {
                    target.worker_state(thread, |thread| {
                        thread.cpu = Some(thread.cpu.unwrap_or(ms(1)) + ms(cpu));
                    });
                }
            });
            let finding = judged.only("blocking-pool-saturated");
            let share = evidence(&finding, "job_cpu_share");
            assert!(share.text.ends_with(told), "{}", share.text);
            assert!(finding.advice.contains(fix), "{}", finding.advice);
        }
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
