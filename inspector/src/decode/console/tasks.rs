//! Tasks: from spans and sums of polls to readings.
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use console_api::tasks::{Stats, Task as Spawned};

use super::clock::{Clock, duration};
use super::fields::{FieldNames, number, words};
use super::newcomers::{self, Entities};
use super::places::Places;
use crate::model::{SiteId, SiteKind, SiteReading, Stamp, TaskBirth, TaskId, TaskKind, TaskReading, TaskState};

/// Tasks that are shown one by one.
const MAX_TASKS: usize = 1 << 20;
/// Bytes of their names.
const MAX_NAMES: usize = 32 << 20;
/// The duration from which a poll counts as slow, as a probe has it.
pub(super) const SLOW: Duration = Duration::from_millis(10);
/// Set in the id of a task that came without tokio's own, and bears the number of its span.
const SPAN: u64 = 1 << 62;
/// Set in the id of a future of a `block_on`.
const ROOT: u64 = 1 << 63;

/// One task.
#[derive(Debug, Default)]
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) site: SiteId,
    pub(super) created: Stamp,
    pub(super) kind: TaskKind,
    name: String,
    future_bytes: u32,
    /// Its first figures have come.
    known: bool,
    /// The model knows of it.
    told: bool,
    /// Completed polls, and the time in them.
    polls: u64,
    busy: Duration,
    max_poll: Duration,
    wakes: u64,
    self_wakes: u64,
    /// Wakers of it that are alive, where that adds up.
    wakers: Option<u32>,
    /// Polls begun, and the time from wake to poll of these.
    begun: u64,
    sched_total: Duration,
    sched_max: Duration,
    pub(super) state: TaskState,
    pub(super) since: Stamp,
    /// The update that last said so.
    pub(super) confirmed: Stamp,
    /// Operations that it waits for.
    pub(super) ops: BTreeSet<u64>,
    /// The whole state that it was last in.
    named: u32,
}

/// All tasks, by the id of their span.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    all: HashMap<u64, Task>,
    /// Ids that are taken, and by which span.
    ids: HashMap<TaskId, u64>,
    sites: HashMap<SiteId, SiteReading>,
    changed_sites: BTreeSet<SiteId>,
    /// Tasks whose reading has changed.
    pub(super) changed: BTreeSet<u64>,
    /// Tasks that are, or were when last heard of, in a poll.
    pub(super) running: BTreeSet<u64>,
    gone: Vec<TaskId>,
    /// The target has told of a waker: tokio's events of them come through.
    tells_wakers: bool,
    /// When the newest was made.
    pub(super) newest: Stamp,
    /// Tasks that are not shown one by one.
    pub(super) lost: u64,
    /// Bytes of the names that are kept, and how many are not.
    names: usize,
    pub(super) lost_names: u64,
}

/// What an update is to the tasks and operations in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    /// The number of the last whole state.
    pub(super) snapshot: u32,
    /// The update is one.
    pub(super) whole: bool,
    /// It is the first of all: what happened before is not known.
    pub(super) first: bool,
    /// The time of the update before it.
    pub(super) before: Stamp,
}

impl Seen {
    /// Whether an entity that ended at `at`, and is not known, has been told of before: an ended one is kept, and told
    /// again with each whole state.
    pub(super) fn is_old(self, at: Stamp) -> bool {
        self.whole && !self.first && at <= self.before
    }
}

impl Tasks {
    pub(super) fn get(&self, span: u64) -> Option<&Task> {
        self.all.get(&span)
    }

    pub(super) fn get_mut(&mut self, span: u64) -> Option<&mut Task> {
        self.all.get_mut(&span)
    }

    /// The id of a task that has not ended; `TaskId(0)` of any other.
    pub(super) fn id(&self, span: u64) -> TaskId {
        self.all.get(&span).map_or(TaskId(0), |task| task.id)
    }

    /// The span of a task that has not ended.
    pub(super) fn span(&self, id: TaskId) -> Option<u64> {
        self.ids.get(&id).copied()
    }

    /// Takes in what tasks are, and then how they fare.
    pub(super) fn learn(
        &mut self,
        spawned: Vec<Spawned>,
        mut stats: HashMap<u64, Stats>,
        cx: (&Clock, &FieldNames, &mut Places),
        seen: Seen,
    ) {
        let clock = cx.0;
        newcomers::enter(self, spawned, &mut stats, cx, seen);
        for (span, stats) in stats {
            self.read(span, &stats, clock, seen);
        }
    }

    fn spawned(&mut self, span: u64, new: &Spawned, names: &FieldNames, places: &mut Places) -> Task {
        let field = |name| names.find(&new.fields, name);
        let kind = match field("kind").and_then(words).as_deref() {
            Some("blocking") => TaskKind::Blocking,
            Some("block_on") => TaskKind::Root,
            Some("local") => TaskKind::Local,
            _ => TaskKind::Async,
        };
        let of_tokio = field("task.id").and_then(number).filter(|id| (1..SPAN).contains(id));
        let root = if kind == TaskKind::Root { ROOT } else { 0 };
        let id = of_tokio.map(|id| TaskId(id | root)).filter(|id| !self.ids.contains_key(id));
        let id = id.unwrap_or(TaskId(span | SPAN));
        self.ids.insert(id, span);
        // What is too large is put into a box before it is spawned, and then that is what has a size; a job has no future.
        let size = field("original_size.bytes").or_else(|| field("size.bytes")).and_then(number);
        let size = size.filter(|_| kind != TaskKind::Blocking).unwrap_or_default();
        let function = field("fn").and_then(words).unwrap_or_default();
        Task {
            id,
            kind,
            site: places.id(SiteKind::Spawn, new.location.as_ref(), &function),
            name: self.name(field("task.name").and_then(words).unwrap_or_default()),
            future_bytes: u32::try_from(size).unwrap_or(u32::MAX),
            ..Task::default()
        }
    }

    /// A name, if there is room for it.
    fn name(&mut self, name: String) -> String {
        if self.names + name.len() > MAX_NAMES {
            self.lost_names = self.lost_names.saturating_add(1);
            return String::new();
        }
        self.names += name.len();
        name
    }

    fn read(&mut self, span: u64, stats: &Stats, clock: &Clock, seen: Seen) {
        let Some(task) = self.all.get_mut(&span) else {
            // Its spawning was dropped on the way, or came before a whole state that never came.
            if stats.dropped_at.is_none() {
                self.lost = self.lost.max(1);
            }
            return;
        };
        let now = clock.now;
        let polls = stats.poll_stats.as_ref();
        let at = |of: fn(&console_api::PollStats) -> Option<&prost_types::Timestamp>| {
            polls.and_then(of).and_then(|at| clock.stamp(Some(at)))
        };
        let started = at(|polls| polls.last_poll_started.as_ref());
        let ended = at(|polls| polls.last_poll_ended.as_ref());
        let running = started.is_some() && ended < started && stats.dropped_at.is_none();
        let begun = polls.map_or(0, |polls| polls.polls);
        let completed = begun.saturating_sub(u64::from(running));
        let busy = duration(polls.and_then(|polls| polls.busy_time.as_ref()));
        let last = match (started, ended) {
            (Some(started), Some(ended)) if started <= ended => Some(ended.since(started)),
            _ => None,
        };

        let born = !task.known;
        if born {
            task.known = true;
            task.created = clock.stamp(stats.created_at.as_ref()).unwrap_or(now);
        }
        let site = self.sites.entry(task.site).or_insert_with(|| SiteReading { site: task.site, ..Default::default() });
        self.changed_sites.insert(task.site);
        if born {
            site.spawned = site.spawned.saturating_add(1);
        }
        if born && seen.first {
            // What it did before is not lately.
            task.max_poll = last.unwrap_or_default();
        } else if task.kind != TaskKind::Blocking {
            let of = (completed.saturating_sub(task.polls), busy.saturating_sub(task.busy));
            let slow = Slow::of(of, last);
            task.max_poll = task.max_poll.max(slow.longest).max(last.unwrap_or_default());
            if slow.count > 0 {
                site.slow_polls = site.slow_polls.saturating_add(slow.count);
                site.slow_poll_total = site.slow_poll_total.saturating_add(slow.total);
                site.last_slow_poll = slow.newest;
                site.last_slow_poll_at = ended.unwrap_or(now);
                site.last_slow_poll_task = task.id;
            }
        }
        if task.kind != TaskKind::Blocking {
            site.max_poll = site.max_poll.max(task.max_poll);
        }

        let sched_total = duration(stats.scheduled_time.as_ref());
        let (more, waited) = (begun.saturating_sub(task.begun), sched_total.saturating_sub(task.sched_total));
        if let Ok(more @ 1..) = u32::try_from(more) {
            // Of several, the longest was no shorter than all on average.
            task.sched_max = task.sched_max.max(waited / more);
        }
        (task.begun, task.sched_total) = (begun, sched_total);
        (task.polls, task.busy) = (completed, busy);
        (task.wakes, task.self_wakes) = (stats.wakes, stats.self_wakes);
        task.wakers = stats.waker_clones.checked_sub(stats.waker_drops).and_then(|n| u32::try_from(n).ok());
        self.tells_wakers |= stats.waker_clones > 0;
        (task.confirmed, task.named) = (now, seen.snapshot);
        let woken = clock.stamp(stats.last_wake.as_ref()).filter(|woken| started.is_some_and(|at| *woken > at));
        (task.state, task.since) = match (started, ended, woken) {
            (None, ..) => (TaskState::New, task.created),
            (Some(started), ..) if running => (TaskState::Running, started),
            (_, ended, Some(woken)) => (TaskState::Scheduled, woken.max(ended.unwrap_or(woken))),
            (Some(started), ended, None) => (TaskState::Idle, ended.unwrap_or(started)),
        };
        self.changed.insert(span);
        if running {
            self.running.insert(span);
        } else {
            self.running.remove(&span);
        }
        if stats.dropped_at.is_some() {
            self.end(span);
        }
    }

    fn end(&mut self, span: u64) {
        let Some(task) = self.all.remove(&span) else { return };
        self.ids.remove(&task.id);
        self.names = self.names.saturating_sub(task.name.len());
        self.running.remove(&span);
        self.changed.remove(&span);
        if task.told {
            self.gone.push(task.id);
        }
        if let Some(site) = self.sites.get_mut(&task.site).filter(|_| task.known) {
            site.finished = site.finished.saturating_add(1);
            site.finished_polls = site.finished_polls.saturating_add(task.polls);
            site.finished_busy = site.finished_busy.saturating_add(task.busy);
            self.changed_sites.insert(task.site);
        }
    }

    /// Ends those that a whole state did not name: what became of them was not told. Says whether there were any.
    pub(super) fn sweep(&mut self, seen: Seen) -> bool {
        let missing: Vec<u64> =
            self.all.iter().filter(|(_, task)| task.named != seen.snapshot).map(|(&span, _)| span).collect();
        for span in &missing {
            self.end(*span);
        }
        !missing.is_empty()
    }

    /// Births and readings of those that changed, or of all. `waits` says what each waits for.
    pub(super) fn tell(
        &mut self,
        all: bool,
        mut waits: impl FnMut(u64, &Task, &mut TaskReading),
    ) -> (Vec<TaskBirth>, Vec<TaskReading>) {
        let spans: Vec<u64> =
            if all { self.all.keys().copied().collect() } else { self.changed.iter().copied().collect() };
        self.changed.clear();
        let (mut births, mut readings) = (Vec::new(), Vec::with_capacity(spans.len()));
        for span in spans {
            let Some(task) = self.all.get_mut(&span).filter(|task| task.known) else { continue };
            if !task.told || all {
                task.told = true;
                births.push(TaskBirth {
                    id: task.id,
                    kind: task.kind,
                    site: task.site,
                    name: task.name.as_str().into(),
                    spawned_at: task.created,
                    future_bytes: task.future_bytes,
                    parent: TaskId(0),
                });
            }
            let mut reading = TaskReading {
                id: task.id,
                state: task.state,
                state_since: task.since,
                polls: task.polls,
                busy: task.busy,
                max_poll: task.max_poll,
                wakes: task.wakes,
                self_wakes: task.self_wakes,
                sched_total: task.sched_total,
                sched_max: task.sched_max,
                wakers: task.wakers.filter(|_| self.tells_wakers && task.kind != TaskKind::Blocking),
                ..TaskReading::default()
            };
            waits(span, task, &mut reading);
            readings.push(reading);
        }
        (births, readings)
    }

    /// Totals of sites that changed, or of all. `counted` says whether tasks can be counted at all.
    pub(super) fn tell_sites(&mut self, all: bool, counted: bool) -> Vec<SiteReading> {
        let changed = std::mem::take(&mut self.changed_sites);
        let told = self.sites.values().filter(|site| site.site.0 != 0 && (all || changed.contains(&site.site)));
        let finished = |site: &SiteReading| if counted { site.finished } else { site.spawned };
        told.map(|site| SiteReading { finished: finished(site), ..site.clone() }).collect()
    }

    /// Tasks that ended.
    pub(super) fn take_gone(&mut self) -> Vec<TaskId> {
        std::mem::take(&mut self.gone)
    }

    /// Whether a task of that span, made at that moment, is known.
    pub(super) fn knows(&self, span: u64, created: Stamp) -> bool {
        self.all.get(&span).is_some_and(|task| task.known && task.created == created)
    }
}

impl Entities for Tasks {
    type Row = Spawned;
    type Stats = Stats;

    const MOST: usize = MAX_TASKS;

    fn len(&self) -> usize {
        self.all.len()
    }

    fn is_same(&self, span: u64, created: Option<Stamp>) -> Option<bool> {
        let known = self.all.get(&span)?;
        Some(!known.known || created.is_none_or(|created| created == known.created))
    }

    fn end(&mut self, span: u64) {
        Self::end(self, span);
    }

    fn newest(&mut self) -> &mut Stamp {
        &mut self.newest
    }

    fn lost(&mut self) -> &mut u64 {
        &mut self.lost
    }

    fn enter(&mut self, span: u64, new: &Spawned, (_, names, places): (&Clock, &FieldNames, &mut Places)) {
        let task = self.spawned(span, new, names, places);
        self.all.insert(span, task);
    }
}

/// Slow polls among those of one update.
#[derive(Debug, Default, PartialEq, Eq)]
struct Slow {
    count: u64,
    total: Duration,
    longest: Duration,
    newest: Duration,
}

impl Slow {
    /// What is certain of `polls` polls that took `busy` together, the newest of them `last` where that is known. Of the
    /// others, at least one was no shorter than all of them are on average.
    fn of((polls, busy): (u64, Duration), last: Option<Duration>) -> Self {
        let mut slow = Self::default();
        let last = last.filter(|_| polls > 0).map(|last| last.min(busy));
        let others = polls - u64::from(last.is_some());
        let rest = busy.saturating_sub(last.unwrap_or_default());
        if let Ok(others @ 1..) = u32::try_from(others)
            && let mean = rest / others
            && mean >= SLOW
        {
            let fast = SLOW.saturating_mul(others);
            slow = Self { count: 1, total: rest.saturating_sub(fast).max(mean), longest: mean, newest: mean };
        }
        if let Some(last) = last.filter(|last| *last >= SLOW) {
            slow.count += 1;
            slow.total = slow.total.saturating_add(last);
            slow.longest = slow.longest.max(last);
            slow.newest = last;
        }
        slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn the_newest_poll_is_exact_and_of_the_others_only_what_is_certain_is_said() {
        let one = Slow::of((1, ms(70)), Some(ms(70)));
        assert_eq!(one, Slow { count: 1, total: ms(70), longest: ms(70), newest: ms(70) });
        // 4 polls that took 120 ms together: one took 30 ms at least.
        let several = Slow::of((5, ms(121)), Some(ms(1)));
        assert_eq!(several, Slow { count: 1, total: ms(80), longest: ms(30), newest: ms(30) });
        let both = Slow::of((2, ms(60)), Some(ms(20)));
        assert_eq!(both, Slow { count: 2, total: ms(60), longest: ms(40), newest: ms(20) });
    }

    #[test]
    fn many_short_polls_are_no_slow_one() {
        assert_eq!(Slow::of((1000, ms(900)), Some(ms(1))), Slow::default());
        assert_eq!(Slow::of((0, ms(0)), Some(ms(500))), Slow::default(), "a poll that was counted before");
        assert_eq!(Slow::of((0, ms(50)), None), Slow::default());
        assert_eq!(Slow::of((u64::MAX, Duration::MAX), Some(Duration::MAX)).count, 1);
    }
}
