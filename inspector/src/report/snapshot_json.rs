//! The whole state of a target as JSON.
use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use serde::Serialize;

use super::json::{self, BlindJson, FindingJson, SilencedJson, TargetJson, TotalsJson, round};
use super::snapshot_rows::{
    ChannelJson, FrameJson, HolderJson, LockJson, PanicJson, PermitsJson, RuntimeJson, ScopeJson, SiteJson,
    SpawnedJson, StackJson, TaskJson, WaitJson, WorkerJson,
};
use super::{SCHEMA_VERSION, Silenced, nanos};
use crate::lints::Finding;
use crate::model::{
    Channel, Lock, LockId, LockKind, Model, OutputKind, Panic, Runtime, RuntimeKind, Site, SiteId, SiteKind, Stack,
    Stamp, Task, TaskId, TaskKind, WaitFor, Worker, WorkerKind,
};

#[derive(Serialize)]
struct Snapshot<'a> {
    schema_version: u32,
    target: TargetJson<'a>,
    /// Age of the probe.
    now_ns: u64,
    dropped: u64,
    totals: TotalsJson,
    findings: Vec<FindingJson<'a>>,
    #[serde(flatten)]
    silenced: SilencedJson<'a>,
    runtimes: Vec<RuntimeJson<'a>>,
    workers: Vec<WorkerJson<'a>>,
    sites: Vec<SiteJson<'a>>,
    tasks: Vec<TaskJson<'a>>,
    locks: Vec<LockJson<'a>>,
    channels: Vec<ChannelJson<'a>>,
    panics: Vec<PanicJson<'a>>,
    stacks: Vec<StackJson<'a>>,
    not_visible: Vec<BlindJson<'a>>,
}

pub(super) fn write(
    model: &Model,
    findings: &[Finding],
    silenced: &Silenced,
    mut out: impl Write,
) -> std::io::Result<()> {
    let see = See::new(model);
    let snapshot = Snapshot {
        schema_version: SCHEMA_VERSION,
        target: json::target(&model.target),
        now_ns: model.now.0,
        dropped: json::dropped(&model.loss),
        totals: json::totals(model),
        findings: findings.iter().map(|one| json::finding(model, one)).collect(),
        silenced: json::silenced(silenced),
        runtimes: ordered(&model.runtimes).map(runtime).collect(),
        workers: ordered(&model.workers).map(|worker| see.worker(worker)).collect(),
        sites: ordered(&model.sites).map(site).collect(),
        tasks: {
            let mut tasks: Vec<&Task> = model.tasks.values().collect();
            tasks.sort_unstable_by_key(|task| task.id);
            tasks.into_iter().map(|task| see.task(task)).collect()
        },
        locks: ordered(&model.locks).map(|lock| see.lock(lock)).collect(),
        channels: ordered(&model.channels).map(|channel| see.channel(channel)).collect(),
        panics: model.panics.iter().map(|panic| see.panic(panic)).collect(),
        stacks: model.stacks.iter().map(|stack| see.stack(stack)).collect(),
        not_visible: json::not_visible(&model.target),
    };
    serde_json::to_writer_pretty(&mut out, &snapshot)?;
    out.write_all(b"\n")
}

/// By id, so that two snapshots can be compared line by line.
fn ordered<K: Ord + Copy, V>(map: &std::collections::HashMap<K, V>) -> impl Iterator<Item = &V> {
    let mut entries: Vec<(&K, &V)> = map.iter().collect();
    entries.sort_unstable_by_key(|entry| *entry.0);
    entries.into_iter().map(|entry| entry.1)
}

fn id(id: u64) -> Option<String> {
    (id != 0).then(|| id.to_string())
}

fn runtime(runtime: &Runtime) -> RuntimeJson<'_> {
    let detail = runtime.detail;
    RuntimeJson {
        id: runtime.id.0.to_string(),
        kind: match runtime.kind {
            RuntimeKind::Unknown => "unknown",
            RuntimeKind::CurrentThread => "current_thread",
            RuntimeKind::MultiThread => "multi_thread",
        },
        name: &runtime.name,
        workers: runtime.workers,
        alive_tasks: runtime.alive_tasks,
        global_queue: runtime.global_queue,
        awake_share: round(runtime.awake_share),
        parks_per_s: round(runtime.parks_per_s),
        local_queues: detail.map(|d| d.local_queues),
        steals_per_s: detail.map(|d| round(d.steals_per_s)),
        blocking_threads: detail.map(|d| d.blocking_threads),
        blocking_idle: detail.map(|d| d.blocking_idle),
        blocking_queue: detail.map(|d| d.blocking_queue),
    }
}

fn site(site: &Site) -> SiteJson<'_> {
    let spawned = (site.kind == SiteKind::Spawn).then(|| SpawnedJson {
        output: match site.output {
            OutputKind::Unknown => "unknown",
            OutputKind::Unit => "unit",
            OutputKind::Result => "result",
            OutputKind::Value => "value",
        },
        live: site.live(),
        spawned: site.spawned,
        finished: site.finished,
        not_shown: site.shed,
        finished_busy_ns: nanos(site.finished_busy),
        finished_polls: site.finished_polls,
        max_poll_ns: nanos(site.max_poll),
        slow_polls: site.slow_polls,
        slow_poll_total_ns: nanos(site.slow_poll_total),
        handles_dropped: site.handles_dropped,
        errors_lost: site.errors_lost,
        panics: site.panics,
        panics_lost: site.panics_lost,
        aborted: site.aborted,
    });
    SiteJson {
        id: site.id.0.to_string(),
        kind: match site.kind {
            SiteKind::Spawn => "spawn",
            SiteKind::Lock => "lock",
            SiteKind::Channel => "channel",
            SiteKind::Call => "call",
        },
        location: &site.location,
        name: &site.name,
        names: site.given.names(),
        spawned,
    }
}

/// Rows as seen in their model.
struct See<'a> {
    model: &'a Model,
    waiting: HashMap<LockId, Waiting>,
}

/// Waits for one lock that go on.
#[derive(Default)]
struct Waiting {
    total: Duration,
    longest: Duration,
}

impl<'a> See<'a> {
    fn new(model: &'a Model) -> Self {
        let mut waiting: HashMap<LockId, Waiting> = HashMap::new();
        for wait in model.tasks.values().flat_map(|task| &task.waits) {
            if let WaitFor::Lock(id) | WaitFor::Read(id) = wait.on {
                let (so_far, all) = (model.now.since(wait.since), waiting.entry(id).or_default());
                all.total = all.total.saturating_add(so_far);
                all.longest = all.longest.max(so_far);
            }
        }
        Self { model, waiting }
    }
}

impl<'a> See<'a> {
    fn ago(&self, at: Stamp) -> u64 {
        nanos(self.model.now.since(at))
    }

    fn location(&self, site: SiteId) -> &'a str {
        self.model.sites.get(&site).map_or("", |site| &site.location)
    }

    /// Its own name, or that of its site.
    fn name(&self, own: &'a str, site: SiteId) -> &'a str {
        if own.is_empty() { self.model.sites.get(&site).map_or("", |site| &site.name) } else { own }
    }

    fn worker(&self, worker: &'a Worker) -> WorkerJson<'a> {
        WorkerJson {
            id: worker.id.0.to_string(),
            kind: match worker.kind {
                WorkerKind::Worker => "worker",
                WorkerKind::BlockOn => "block_on",
                WorkerKind::Blocking => "blocking",
                WorkerKind::Untold => "unknown",
            },
            name: &worker.name,
            task: worker.poll.and_then(|(task, _)| id(task.0)),
            in_poll_ns: worker.poll.map(|(_, since)| self.ago(since)),
            polls: worker.polls,
            busy_ns: nanos(worker.busy),
            busy_share: round(worker.busy_share),
            parks_per_s: self.model.target.sees("runtimes").then(|| round(worker.parks_per_s)),
            local_queue: worker.detail.map(|detail| detail.local_queue),
            steals_per_s: worker.detail.map(|detail| round(detail.steals_per_s)),
        }
    }

    fn task(&self, task: &'a Task) -> TaskJson<'a> {
        let wait = |wait: &crate::model::Wait| {
            let (kind, on) = match wait.on {
                WaitFor::Lock(id) => ("lock", id.0),
                WaitFor::Read(id) => ("lock_read", id.0),
                WaitFor::Send(id) => ("channel_send", id.0),
                WaitFor::Recv(id) => ("channel_recv", id.0),
                WaitFor::Join(id) => ("join", id.0),
                WaitFor::Closed(id) => ("channel_closed", id.0),
                WaitFor::Oneshot(site) => ("oneshot", site.0.into()),
                WaitFor::OneshotClosed(site) => ("oneshot_closed", site.0.into()),
                WaitFor::Timer(_) => ("timer", 0),
            };
            let (location, wait_ns) = (self.location(wait.site), self.ago(wait.since));
            WaitJson { kind, id: on.to_string(), location, wait_ns }
        };
        TaskJson {
            id: task.id.0.to_string(),
            kind: match task.kind {
                TaskKind::Async => "async",
                TaskKind::Blocking => "blocking",
                TaskKind::Root => "root",
                TaskKind::Local => "local",
                TaskKind::Unwatched => "unwatched",
            },
            name: self.name(&task.name, task.site),
            location: self.location(task.site),
            parent: id(task.parent.0),
            state: format!("{:?}", task.state).to_lowercase(),
            state_for_ns: self.ago(task.state_since),
            age_ns: self.ago(task.spawned_at),
            future_bytes: task.future_bytes,
            polls: task.polls,
            polls_per_s: round(task.polls_per_s),
            busy_ns: nanos(task.busy),
            busy_share: round(task.busy_share),
            max_poll_ns: nanos(task.max_poll),
            wakes: task.wakes,
            self_wakes: task.self_wakes,
            sched_total_ns: nanos(task.sched_total),
            sched_max_ns: nanos(task.sched_max),
            sched_p99_ns: task.sched_p99().map(nanos),
            handle_held: task.flags.handle_held,
            handle_awaited: task.flags.handle_awaited,
            handle_dropped: task.flags.handle_dropped,
            aborted: task.flags.aborted,
            token: id(task.token.0),
            tracker: id(task.tracker.0),
            waits: task.waits.iter().map(wait).collect(),
        }
    }

    fn holders(&self, lock: &'a Lock) -> Vec<HolderJson<'a>> {
        let json = |task: TaskId, site, since, permits, exclusive| HolderJson {
            task: id(task.0),
            location: self.location(site),
            held_ns: self.ago(since),
            permits,
            exclusive,
        };
        match lock.held_since.filter(|_| lock.kind == LockKind::Mutex) {
            Some(since) => vec![json(lock.holder, lock.holder_site, since, 1, true)],
            None => lock
                .holders
                .iter()
                .map(|holder| {
                    let permits = if lock.kind == LockKind::Semaphore { holder.permits.into() } else { 1 };
                    json(holder.task, holder.site, holder.since, permits, holder.exclusive)
                })
                .collect(),
        }
    }

    fn lock(&self, lock: &'a Lock) -> LockJson<'a> {
        let waiting = self.waiting.get(&lock.id);
        LockJson {
            id: lock.id.0.to_string(),
            kind: lock.kind.key(),
            name: self.name(&lock.name, lock.site),
            location: self.location(lock.site),
            holder_task: id(lock.holder.0),
            holder_location: self.location(lock.holder_site),
            held_ns: lock.held_since.map(|since| self.ago(since)),
            holders: self.holders(lock),
            holder_count: lock.holder_count.max(u32::from(lock.held_since.is_some())),
            waiters: lock.waiters,
            acquires: lock.acquires,
            contended: lock.contended,
            wait_total_ns: nanos(lock.wait_total),
            wait_max_ns: nanos(lock.wait_max),
            wait_p99_10s_ns: lock.wait_p99().map(nanos),
            hold_total_ns: nanos(lock.hold_total),
            hold_max_ns: nanos(lock.hold_max),
            hold_max_location: self.location(lock.hold_max_site),
            hold_p99_10s_ns: lock.hold_p99().map(nanos),
            suspended_holds: lock.suspended_holds,
            waiting_total_ns: waiting.map_or(0, |waits| nanos(waits.total)),
            waiting_max_ns: waiting.map_or(0, |waits| nanos(waits.longest)),
            closed: lock.closed,
            permits: (lock.kind == LockKind::Semaphore).then(|| PermitsJson {
                permits_total: self.model.permits(lock),
                permits_available: lock.permits_available,
            }),
            scope: lock.kind.ends_tasks().then(|| {
                let ended = self.model.ended(lock.id);
                ScopeJson {
                    parent: id(lock.parent.0),
                    handles: lock.holder_count,
                    tasks: self.model.scopes.count(lock.id),
                    closed_ago_ns: ended.map(|ended| self.ago(ended.at)),
                    closed_location: ended.map_or("", |ended| self.location(ended.site)),
                }
            }),
        }
    }

    fn channel(&self, channel: &'a Channel) -> ChannelJson<'a> {
        ChannelJson {
            id: channel.id.0.to_string(),
            kind: channel.kind.key(),
            name: self.name(&channel.name, channel.site),
            location: self.location(channel.site),
            depth: channel.depth(),
            capacity: channel.capacity.filter(|n| *n > 0),
            sent: channel.sent,
            received: channel.received,
            sent_per_s: round(channel.sent_s.last().unwrap_or(0.0)),
            received_per_s: round(channel.received_s.last().unwrap_or(0.0)),
            blocked_senders: channel.blocked_senders,
            sends_blocked: channel.sends_blocked,
            send_wait_total_ns: nanos(channel.send_wait_total),
            senders: (!channel.inferred).then_some(channel.senders),
            receivers: (!channel.inferred).then_some(channel.receivers),
            closed: channel.closed,
            saturated_ns: channel.saturated_since.map(|since| self.ago(since)),
            last_recv_ago_ns: channel.last_recv_at.map(|at| self.ago(at)),
            receiver_task: id(channel.receiver_task.0),
            recv_location: self.location(channel.recv_site),
            last_send_ago_ns: channel.last_send_at.map(|at| self.ago(at)),
            sender_task: id(channel.sender_task.0),
            send_location: self.location(channel.send_site),
        }
    }

    fn panic(&self, panic: &'a Panic) -> PanicJson<'a> {
        PanicJson {
            task: panic.task.0.to_string(),
            ago_ns: self.ago(panic.at),
            spawned_at: self.location(panic.site),
            location: &panic.location,
            message: &panic.message,
        }
    }

    fn stack(&self, stack: &'a Stack) -> StackJson<'a> {
        StackJson {
            task: stack.task.0.to_string(),
            worker: stack.worker.0.to_string(),
            ago_ns: self.ago(stack.at),
            cause: format!("{:?}", stack.cause).to_lowercase(),
            frames: stack
                .frames
                .iter()
                .map(|frame| FrameJson { function: &frame.function, location: &frame.location, user: frame.user })
                .collect(),
        }
    }
}
