//! Tasks that wait for a worker, the longest first, and tasks that are polled very often: kept from reading to reading, so
//! that nobody has to look at all tasks for the few that matter.
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::{Model, Stamp, Task, TaskId, TaskKind, TaskState, Tasks, WaitFor};

/// Polls per second from which a task counts as polled very often.
const OFTEN: f64 = 500.0;
/// Who rests for longer than this is not polled without a break. A reading may just meet one that does between two polls.
const REST: Duration = Duration::from_millis(20);
/// Tasks that are looked at when the one that waits longest is asked for.
const LOOK: usize = 64;

/// A wait for a worker counts as one of lately for so long. Workers that take what yielded in rounds let the longest wait
/// rise and fall, and fall short at any one moment.
const LATELY: Duration = Duration::from_millis(500);

/// Tasks in one state, by when it began; those that left it meanwhile are dropped when they come to the front.
#[derive(Debug, Clone, Default)]
struct Queue(VecDeque<(Stamp, TaskId)>);

impl Queue {
    fn push(&mut self, since: Stamp, id: TaskId) {
        self.0.push_back((since, id));
    }

    fn tidy(&mut self, tasks: &Tasks, state: TaskState, in_state: u64) {
        let waits = |(since, id): (Stamp, TaskId)| {
            tasks.get(&id).is_some_and(|task| task.state == state && task.state_since == since)
        };
        while self.0.front().is_some_and(|&front| !waits(front)) {
            self.0.pop_front();
        }
        // Behind one that waits for very long, others come and go.
        if self.0.len() as u64 > in_state.saturating_mul(2).saturating_add(1024) {
            self.0.retain(|&entry| waits(entry));
        }
    }
}

/// Since when a task has been seen to be polled very often and without a break, and its counters then.
#[derive(Debug, Clone, Copy)]
struct Since {
    at: Stamp,
    polls: u64,
    self_wakes: u64,
    busy: Duration,
}

/// A task that is polled very often and without a break, and what it has done since it is.
#[derive(Debug, Clone, Copy)]
pub struct OftenPolled<'a> {
    /// The task.
    pub task: &'a Task,
    /// Since when.
    pub since: Stamp,
    /// Polls since then.
    pub polls: u64,
    /// Times it woke itself since then.
    pub self_wakes: u64,
    /// Time in those polls.
    pub busy: Duration,
}

/// Who waits for whom to end. A handle is awaited by one task at a time.
#[derive(Debug, Clone, Default)]
struct Joins {
    of: HashMap<TaskId, TaskId>,
    by: HashMap<TaskId, TaskId>,
    /// Tasks that wait for one that waits as well.
    chained: BTreeSet<TaskId>,
}

impl Joins {
    /// `task` waits for `joined` now, or for none.
    fn set(&mut self, task: TaskId, joined: Option<TaskId>) {
        let before = self.of.get(&task).copied();
        if before == joined {
            return;
        }
        if let Some(before) = before {
            self.of.remove(&task);
            self.by.remove(&before);
            self.chained.remove(&task);
            if let Some(waiter) = self.by.get(&task) {
                self.chained.remove(waiter);
            }
        }
        if let Some(joined) = joined {
            self.of.insert(task, joined);
            self.by.insert(joined, task);
            if self.of.contains_key(&joined) {
                self.chained.insert(task);
            }
            if let Some(&waiter) = self.by.get(&task) {
                self.chained.insert(waiter);
            }
        }
    }
}

/// The queues, and the busy ones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queues {
    unpolled: Queue,
    jobs: Queue,
    scheduled: Queue,
    /// How long the first of `scheduled` had waited, at the updates of lately.
    late: VecDeque<(Stamp, Duration)>,
    /// Tasks that are idle with no waker left, and not meant to be, with when that was told first.
    unwakeable: BTreeMap<TaskId, Stamp>,
    joins: Joins,
    /// Tasks that are polled very often and without a break.
    often: BTreeMap<TaskId, Since>,
}

impl Queues {
    /// Notes what a task does now.
    pub(super) fn note(&mut self, task: &mut Task, at: Stamp) {
        if task.track.queued_at != (task.state, task.state_since) {
            task.track.queued_at = (task.state, task.state_since);
            match task.state {
                TaskState::New if task.kind == TaskKind::Blocking => self.jobs.push(task.state_since, task.id),
                TaskState::New => self.unpolled.push(task.state_since, task.id),
                TaskState::Scheduled => self.scheduled.push(task.state_since, task.id),
                _ => {}
            }
        }
        if task.state == TaskState::Idle && task.wakers == Some(0) && !task.waits_for_nothing() {
            self.unwakeable.entry(task.id).or_insert(at);
        } else if !self.unwakeable.is_empty() {
            self.unwakeable.remove(&task.id);
        }
        let joined = task.waits.iter().find_map(|wait| match wait.on {
            WaitFor::Join(of) if of.0 != 0 && task.state == TaskState::Idle => Some(of),
            _ => None,
        });
        self.joins.set(task.id, joined);
        if without_a_break(task, at) {
            let since = Since { at, polls: task.polls, self_wakes: task.self_wakes, busy: task.busy };
            self.often.entry(task.id).or_insert(since);
        } else if !self.often.is_empty() {
            self.often.remove(&task.id);
        }
    }

    /// The task is no longer known, or waits no more.
    pub(super) fn forget(&mut self, id: TaskId) {
        self.joins.set(id, None);
    }
}

/// Whether a task is polled very often, and does not rest.
fn without_a_break(task: &Task, now: Stamp) -> bool {
    let rests = task.state == TaskState::Idle && now.since(task.state_since) > REST;
    task.polls_per_s >= OFTEN && !rests
}

impl Model {
    pub(super) fn tidy_queues(&mut self) {
        let (new, scheduled) = (self.states.get(TaskState::New), self.states.get(TaskState::Scheduled));
        let queues = &mut self.track.queues;
        queues.unpolled.tidy(&self.tasks, TaskState::New, new);
        queues.jobs.tidy(&self.tasks, TaskState::New, new);
        queues.scheduled.tidy(&self.tasks, TaskState::Scheduled, scheduled);
        // Tasks that are gone are not found either way, so this is for the memory only, and no pass over all each time.
        if queues.unwakeable.len() > self.tasks.len() {
            queues.unwakeable.retain(|id, _| self.tasks.contains_key(id));
        }
        queues.often.retain(|id, _| self.tasks.get(id).is_some_and(|task| without_a_break(task, self.now)));
        let late = self.woken().next().map_or(Duration::ZERO, |task| self.lasted(task.state_since));
        let (now, queues) = (self.now, &mut self.track.queues);
        // One a moment, however many updates a target has for it.
        queues.late.pop_back_if(|(at, _)| *at == now);
        queues.late.push_back((now, late));
        queues.late.retain(|&(at, _)| at <= now && now.since(at) <= LATELY);
    }

    fn first_of<'a>(&'a self, queue: &'a Queue, state: TaskState) -> impl Iterator<Item = &'a Task> {
        let entries = queue.0.iter().take(LOOK);
        entries.filter_map(move |&(since, id)| {
            self.tasks.get(&id).filter(|task| task.state == state && task.state_since == since)
        })
    }

    /// Tasks that were spawned and not polled yet, those that wait longest first; some dozens.
    pub fn unpolled(&self) -> impl Iterator<Item = &Task> {
        self.first_of(&self.track.queues.unpolled, TaskState::New)
    }

    /// The same of jobs of `spawn_blocking` that no thread has begun.
    pub fn waiting_jobs(&self) -> impl Iterator<Item = &Task> {
        self.first_of(&self.track.queues.jobs, TaskState::New)
    }

    /// Tasks that were woken and not polled since, those that wait longest first; some dozens.
    pub fn woken(&self) -> impl Iterator<Item = &Task> {
        self.first_of(&self.track.queues.scheduled, TaskState::Scheduled)
    }

    /// The longest that a woken task was seen to wait within the last half second.
    pub fn woken_lately(&self) -> Duration {
        self.track.queues.late.iter().map(|&(_, waited)| waited).max().unwrap_or_default()
    }

    /// Tasks that are idle and that nothing is left to wake, without those that [are meant to be](Task::waits_for_nothing). A
    /// task that was read while it was woken or polled may look so; then the next update, which has to be whole, tells that it
    /// is not.
    pub fn unwakeable(&self) -> impl Iterator<Item = &Task> {
        let confirmed = |&(_, since): &(&TaskId, &Stamp)| *since < self.track.told;
        self.track.queues.unwakeable.iter().filter(confirmed).filter_map(|(id, _)| self.tasks.get(id))
    }

    /// Tasks that wait for another one to end, which itself waits for another one to end.
    pub fn joining(&self) -> impl Iterator<Item = &Task> {
        self.track.queues.joins.chained.iter().filter_map(|id| self.tasks.get(id))
    }

    /// Tasks that are polled more than 500 times a second, and never seen to rest in between.
    pub fn polled_often(&self) -> impl Iterator<Item = OftenPolled<'_>> {
        self.track.queues.often.iter().filter_map(|(id, since)| {
            let task = self.tasks.get(id)?;
            Some(OftenPolled {
                task,
                since: since.at,
                polls: task.polls.saturating_sub(since.polls),
                self_wakes: task.self_wakes.saturating_sub(since.self_wakes),
                busy: task.busy.saturating_sub(since.busy),
            })
        })
    }
}
