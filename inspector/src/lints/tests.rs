//! What tests of rules share, and what holds for all rules together.
mod chains;
mod engine;
mod pauses;
mod rules;

pub(super) use std::time::Duration;

use super::RULES;
pub(super) use super::{Confidence, Engine, Evidence, Finding, Settings, Severity, SubjectKind};
pub(super) use crate::model::fixture::Fixture;
pub(super) use crate::model::{
    ChannelId, ChannelKind, Disposal, Disposed, Frame, Holder, LockId, LockKind, Loss, OutputKind, Panic, Seen, SiteId,
    Stack, StackCause, Stamp, TaskDetails, TaskId, TaskKind, TaskState, Wait, WaitFor, Waits, WorkerId, WorkerKind,
};

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A made-up target that is judged after each update.
pub(super) struct Judged {
    pub(super) target: Fixture,
    pub(super) engine: Engine,
    /// What a look tells of a task that a rule doubts: whether it waits for nothing but what is told; `None` where nobody can
    /// look.
    pub(super) only_waits: Option<bool>,
}

impl Judged {
    pub(super) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(super) fn with(settings: Settings) -> Self {
        Self { target: Fixture::new(), engine: Engine::new(settings), only_waits: Some(true) }
    }

    /// One update, `after` the last.
    pub(super) fn tick(&mut self, after: Duration) {
        self.target.tick(after);
        self.engine.evaluate(&self.target.model);
        let model = &mut self.target.model;
        for &task in self.engine.doubted() {
            let suspended_polls = model.tasks[&task].polls;
            let details = TaskDetails { suspended_polls, only_waits: self.only_waits, ..TaskDetails::default() };
            model.learn(task, &details);
        }
    }

    /// Lets time go by with nothing new.
    pub(super) fn run(&mut self, span: Duration) {
        self.every(span, |_| {});
    }

    /// Lets time go by; `change` is called before each of ten updates a second, at the time of that update.
    pub(super) fn every(&mut self, span: Duration, mut change: impl FnMut(&mut Fixture)) {
        for _ in 0..span.as_millis() / 100 {
            self.target.now = self.target.now.after(ms(100));
            change(&mut self.target);
            self.tick(Duration::ZERO);
        }
    }

    /// The first snapshot, and a little more.
    pub(super) fn settle(&mut self) {
        self.run(ms(500));
    }

    /// The future of a `block_on` that has just begun.
    pub(super) fn root(&mut self, site: SiteId) -> TaskId {
        let id = self.target.task(site);
        self.target.tick(Duration::ZERO);
        self.target.model.tasks.get_mut(&id).expect("just made").kind = TaskKind::Root;
        id
    }

    /// A job of the blocking pool.
    pub(super) fn blocking(&mut self, site: SiteId) -> TaskId {
        let id = self.target.task(site);
        self.target.tick(Duration::ZERO);
        self.target.model.tasks.get_mut(&id).expect("just made").kind = TaskKind::Blocking;
        id
    }

    /// The findings that last.
    pub(super) fn active(&self) -> Vec<&Finding> {
        self.engine.findings().iter().filter(|finding| finding.active()).collect()
    }

    /// The one finding that lasts, which must be of `rule`.
    #[track_caller]
    pub(super) fn only(&self, rule: &str) -> Finding {
        let active = self.active();
        assert!(active.len() == 1 && active[0].rule == rule, "expected one {rule}, found {active:#?}");
        active[0].clone()
    }

    #[track_caller]
    pub(super) fn expect_nothing(&self) {
        assert!(self.active().is_empty(), "expected nothing, found {:#?}", self.active());
    }

    #[track_caller]
    pub(super) fn expect_no_alarm_of(&self, rule: &str) {
        assert!(
            self.active().iter().all(|finding| finding.rule != rule),
            "expected no {rule}, found {:#?}",
            self.active()
        );
    }

    /// No finding that would wake anybody.
    #[track_caller]
    pub(super) fn expect_no_alarm(&self) {
        let alarms: Vec<_> = self.active().into_iter().filter(|f| f.severity > Severity::Info).collect();
        assert!(alarms.is_empty(), "expected no alarm, found {alarms:#?}");
    }
}

/// A task whose poll has run since now, and its worker.
pub(super) fn blocked_poll(judged: &mut Judged) -> (TaskId, WorkerId) {
    let site = judged.target.spawn_site("src/look_up.rs:12:9", "shop::look_up::{{closure}}", OutputKind::Unit);
    let task = judged.target.task(site);
    let worker = judged.target.worker("tokio-worker-1");
    judged.settle();
    let since = judged.target.now;
    judged.target.worker_state(worker, |worker| worker.poll = Some((task, since)));
    judged.target.task_state(task, |task| (task.state, task.state_since) = (TaskState::Running, since));
    (task, worker)
}

/// A lock that `place` has held from now on, for which three wait.
pub(super) fn hogged_lock(judged: &mut Judged) -> TaskId {
    let made = judged.target.lock_site("src/orders.rs:9:9", "shop::Orders");
    let lock = judged.target.lock(made);
    let spawned = judged.target.spawn_site("src/main.rs:40:9", "shop::place::{{closure}}", OutputKind::Unit);
    let task = judged.target.task(spawned);
    judged.settle();
    let now = judged.target.now;
    judged.target.lock_state(lock, |lock| (lock.holder, lock.held_since, lock.waiters) = (task, Some(now), 3));
    task
}

/// A stack of the poll that `worker` is in.
pub(super) fn stack(judged: &mut Judged, worker: WorkerId, task: TaskId, cause: StackCause, samples: u32, line: &str) {
    let started = match judged.target.model.workers[&worker].poll {
        Some((_, started)) => started,
        None => judged.target.now,
    };
    let mut stack = made_stack(started, worker, task, cause, samples, line);
    stack.at = judged.target.now;
    judged.target.stack(stack);
}

pub(super) fn made_stack(
    poll_started: Stamp,
    worker: WorkerId,
    task: TaskId,
    cause: StackCause,
    samples: u32,
    line: &str,
) -> Stack {
    let frames = vec![
        Frame { function: "syscall".into(), ..Frame::default() },
        Frame { function: "shop::look_up".into(), location: line.into(), user: true },
    ];
    Stack { worker, task, poll_started, at: poll_started, cause, samples, frames, ..Stack::default() }
}

/// The evidence of that name.
#[track_caller]
pub(super) fn evidence<'a>(finding: &'a Finding, name: &str) -> &'a Evidence {
    finding.evidence.iter().find(|e| e.name == name).unwrap_or_else(|| panic!("no {name} in {:#?}", finding.evidence))
}
