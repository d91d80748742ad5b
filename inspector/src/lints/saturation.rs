//! How full the threads of a runtime are, and who fills them.
use std::collections::BTreeMap;
use std::time::Duration;

use super::words;
use crate::model::{Model, RuntimeKind, SiteId, TaskState, Worker, WorkerKind};
use crate::text;

/// A worker counts as full from this share of its time in polls.
const FULL: f64 = 0.9;
/// From this share of time without a CPU, it is the machine that is full.
const STOLEN: f64 = 0.5;
/// From this one, what is short may be all its doing.
const CROWDED: f64 = 0.1;

/// Threads that poll. Of which kind the worst off is makes no difference to a task that waits for what another one has.
fn polling(model: &Model) -> impl Iterator<Item = &Worker> {
    model.workers.values().filter(|worker| worker.kind != WorkerKind::Blocking)
}

/// Share of the last second or so for which the worst off of the threads that poll was ready to run and had no CPU.
fn without_a_cpu(model: &Model) -> f64 {
    polling(model).map(|worker| worker.cpu_wait_lately).fold(0.0, f64::max)
}

/// From this one on, it is told where nothing else is.
const SHORT: f64 = 0.2;
/// A wait for a worker that is told where nothing else is.
const LATE: Duration = Duration::from_millis(100);

/// What strains the service though no rule speaks, as the end of a sentence: a service without findings need not be well.
pub(crate) fn strain(model: &Model) -> Option<String> {
    let stolen = Theft::of(model).stolen;
    let short = (stolen >= SHORT).then(|| {
        let share = text::percent(stolen);
        format!("this machine is short of CPU: workers waited for a core {share} of the time")
    });
    let shares: Vec<f64> = workers(model).map(|worker| worker.busy_share).collect();
    if !shares.is_empty() && shares.iter().all(|share| *share >= FULL) {
        let who = match shares.len() {
            1 => "the only worker is".to_owned(),
            2 => "both workers are".to_owned(),
            n => format!("all {n} workers are"),
        };
        let mean = shares.iter().sum::<f64>() / shares.len() as f64;
        let busy = format!("{who} {} busy{}", text::percent(mean), mostly_in(model));
        return Some(match short {
            Some(short) => format!("{busy}, and {short}"),
            None => busy,
        });
    }
    if short.is_some() {
        return short;
    }
    let new = model.unpolled().next().map_or(Duration::ZERO, |task| model.lasted(task.state_since));
    let late = model.woken_lately().max(new);
    (late >= LATE).then(|| format!("tasks wait up to {} for a worker{}", text::duration(late), mostly_in(model)))
}

/// ``, mostly in `render` (spawned at render.rs:8)``
fn mostly_in(model: &Model) -> String {
    let Some(site) = in_polls(model).first().and_then(|(site, _)| model.sites.get(site)) else { return String::new() };
    let place = text::file_line(&site.location);
    let spawned = if place.is_empty() { String::new() } else { format!(" (spawned at {place})") };
    format!(", mostly in `{}`{spawned}", words::site_subject(site).name)
}

/// Threads that run spawned tasks.
pub(super) fn workers(model: &Model) -> impl Iterator<Item = &Worker> {
    model.workers.values().filter(|worker| worker.kind == WorkerKind::Worker)
}

/// Whether every worker has been in polls for nearly all of the last second, and not because others have the CPUs.
pub(super) fn all_full(model: &Model) -> bool {
    let mut any = false;
    workers(model).all(|worker| {
        any = true;
        worker.busy_share >= FULL
    }) && any
        && Theft::of(model).stolen < STOLEN
}

/// What others, programs and threads that poll nothing, take of the CPUs that the threads that poll would use.
#[derive(Debug, Clone, Copy)]
struct Theft {
    /// Share of its time for which the worst off of them was ready to run and had no CPU because of others.
    stolen: f64,
    /// Of the CPU time that they would have had alone, the share that they did not get.
    missed: f64,
}

impl Theft {
    /// What they take from each other is their own doing: where they are more than there are CPUs, and together have them
    /// all, nothing is stolen.
    fn of(model: &Model) -> Self {
        let got: f64 = polling(model).map(|worker| (worker.busy_share - worker.cpu_wait_lately).max(0.0)).sum();
        let wanted: f64 = polling(model).map(|worker| worker.busy_share.max(worker.cpu_wait_lately)).sum();
        let alone = match model.target.cpus {
            0 => wanted,
            cpus => wanted.min(cpus.into()),
        };
        let missed = if alone > 0.0 { (1.0 - got / alone).max(0.0) } else { 1.0 };
        Self { stolen: without_a_cpu(model).min(missed), missed }
    }

    /// Threads wait for a CPU longer than they have one, and for a good part of the time.
    fn is_crowded(self) -> bool {
        self.stolen >= CROWDED && self.missed >= 0.5
    }
}

/// Tasks that wait for a worker: those that are seen one by one, or what the runtimes count where that is more, since
/// it has the tasks of libraries too. What lies in the workers' own queues is told under `--cfg tokio_unstable` only.
pub(super) fn queued(model: &Model) -> u64 {
    let seen = model.states.get(TaskState::Scheduled) + model.states.get(TaskState::New);
    let runtimes = model.runtimes.values().filter(|runtime| runtime.kind == RuntimeKind::MultiThread);
    let told = runtimes.map(|r| r.global_queue.saturating_add(r.detail.map_or(0, |detail| detail.local_queues)));
    told.fold(0, u64::saturating_add).max(seen)
}

/// Threads of the blocking pools that have a job, and jobs without one, by the runtimes' own counts; `None` where these
/// do not tell.
pub(super) fn pools(model: &Model) -> Option<(u64, u64)> {
    let told = model.runtimes.values().filter_map(|runtime| runtime.detail);
    told.map(|d| (u64::from(d.blocking_threads.saturating_sub(d.blocking_idle)), d.blocking_queue))
        .reduce(|a, b| (a.0 + b.0, a.1.saturating_add(b.1)))
}

/// `delay` without what the machine adds to it by giving the threads no CPU. How much that is, is known by the tick: all
/// that was stolen in one may have fallen into one delay, and on a crowded machine several such follow one another.
pub(super) fn own(model: &Model, delay: Duration) -> Duration {
    let (theft, tick) = (Theft::of(model), model.target.tick);
    let stolen = theft.stolen.min(1.0);
    let added = if theft.is_crowded() { delay.mul_f64(stolen).max(tick * 2) } else { delay.max(tick).mul_f64(stolen) };
    delay.saturating_sub(added)
}

/// Whether more of what happened was late than the machine can be the reason for: `late` is that share of it. While a
/// thread has no CPU, and for as long after as it takes to catch up, everything is late; that is not so otherwise.
pub(super) fn too_often(model: &Model, late: f64) -> bool {
    late > 2.0 * without_a_cpu(model)
}

/// Sites whose tasks are in a poll now, those with the most first.
pub(super) fn in_polls(model: &Model) -> Vec<(SiteId, u64)> {
    let mut sites: BTreeMap<SiteId, u64> = BTreeMap::new();
    for (task, _) in workers(model).filter_map(|worker| worker.poll) {
        if let Some(task) = model.tasks.get(&task) {
            *sites.entry(task.site).or_default() += 1;
        }
    }
    let mut sites: Vec<_> = sites.into_iter().collect();
    sites.sort_by_key(|&(site, polls)| (std::cmp::Reverse(polls), site));
    sites
}

/// Places where the tasks that are in polls now were spawned.
pub(super) fn places_in_polls(model: &Model) -> Vec<String> {
    let places = in_polls(model).into_iter().map(|(site, _)| words::place(model, site).to_owned());
    places.filter(|place| !place.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lints::tests::*;

    /// `threads` workers that want all of the time, of which each has no CPU for a share; the process may use two CPUs.
    fn crowded(threads: usize, share: f64) -> Model {
        let mut judged = Judged::new();
        let ids: Vec<_> = (0..threads).map(|n| judged.target.worker(&format!("tokio-worker-{n}"))).collect();
        judged.settle();
        judged.target.model.target.cpus = 2;
        judged.every(ms(4000), |target| {
            for &id in &ids {
                target.worker_state(id, |worker| {
                    worker.busy += ms(100);
                    worker.cpu_wait += ms(100).mul_f64(share);
                });
            }
        });
        judged.target.model
    }

    #[test]
    fn threads_that_take_the_cpus_from_each_other_have_nothing_stolen() {
        let own_doing = crowded(4, 0.5);
        assert!(all_full(&own_doing) && Theft::of(&own_doing).stolen < 0.05, "{}", Theft::of(&own_doing).stolen);
        let others_doing = crowded(2, 0.6);
        assert!(
            !all_full(&others_doing) && Theft::of(&others_doing).stolen > 0.55,
            "{}",
            Theft::of(&others_doing).stolen
        );
        let both = crowded(4, 0.8);
        assert!(!all_full(&both) && Theft::of(&both).stolen > 0.55, "{}", Theft::of(&both).stolen);
    }

    #[test]
    fn what_strains_a_service_without_findings_is_said() {
        assert_eq!(strain(&crowded(2, 0.0)).unwrap(), "both workers are 100 % busy");
        let short = strain(&crowded(2, 0.6)).unwrap();
        let both = "both workers are 100 % busy, and this machine is short of CPU: workers waited for a core 6";
        assert!(short.starts_with(both), "{short}");
        let mut judged = Judged::new();
        judged.target.worker("tokio-worker-1");
        judged.settle();
        assert_eq!(strain(&judged.target.model), None);
    }

    #[test]
    fn all_that_was_stolen_in_a_tick_may_have_fallen_into_one_delay() {
        let model = crowded(2, 0.4);
        assert!(own(&model, ms(30)).is_zero());
        let left = own(&model, ms(1000));
        assert!((ms(550)..ms(650)).contains(&left), "{left:?}");
        assert_eq!(own(&crowded(2, 0.0), ms(30)), ms(30));
    }

    #[test]
    fn what_is_late_more_often_than_the_machine_has_no_cpu_is_so_by_itself() {
        let model = crowded(2, 0.2);
        assert!(too_often(&model, 0.5) && !too_often(&model, 0.3));
        assert!(!too_often(&crowded(2, 0.6), 1.0));
    }

    #[test]
    fn a_runtime_of_one_thread_may_be_without_a_cpu_too() {
        let mut model = crowded(2, 0.2);
        model.workers.values_mut().for_each(|worker| worker.kind = WorkerKind::BlockOn);
        assert!(!too_often(&model, 0.3) && Theft::of(&model).stolen > 0.15);
    }

    #[test]
    fn on_a_crowded_machine_nothing_short_is_told_from_what_it_adds() {
        let model = crowded(2, 0.6);
        assert!(own(&model, ms(190)).is_zero() && own(&model, ms(1000)) > ms(350));
    }
}
