//! Tasks.
use std::collections::VecDeque;
use std::time::Duration;

use super::room::{MOST_TASKS, has_room};
use crate::model::window::{Rates, Window};
use crate::model::{Model, Stamp, Task, TaskBirth, TaskId, TaskReading, TaskState};

impl Model {
    pub(super) fn task_birth(&mut self, at: Stamp, birth: TaskBirth) {
        let (known, kept) = (self.tasks.contains_key(&birth.id), self.tasks.len());
        if !has_room(known, kept, MOST_TASKS, &mut self.track.room.refused.tasks) {
            return;
        }
        // A fresh snapshot names tasks that are known already: they keep their readings.
        let mut task = self.remove_task(birth.id).unwrap_or_else(|| {
            // Born under our eyes, its counters began with it; otherwise the first reading is the baseline.
            let window = Window::starting(birth.spawned_at.min(at), Duration::ZERO, 0);
            let mut task = Task { state_since: birth.spawned_at, ..Task::default() };
            task.track.window = window;
            task.track.seen = self.complete;
            task
        });
        task.id = birth.id;
        task.kind = birth.kind;
        task.site = birth.site;
        task.name = self.track.room.name(birth.name, "");
        task.spawned_at = birth.spawned_at;
        task.future_bytes = birth.future_bytes;
        task.parent = birth.parent;
        task.track.generation = self.track.generation;
        self.states.add(task.state);
        if let Some(site) = self.sites.get_mut(&task.site) {
            site.states.add(task.state);
            site.detached += u64::from(task.detached());
            site.unjoined += u64::from(task.unjoined());
            site.future_bytes = site.future_bytes.max(task.future_bytes);
            site.given.add(&task.name);
            site.given.named += u64::from(!task.name.is_empty());
        }
        self.scopes.enter(&task);
        self.tasks.insert(task);
    }

    pub(super) fn remove_task(&mut self, id: TaskId) -> Option<Task> {
        let task = self.tasks.remove(&id)?;
        self.scopes.leave(&task);
        self.track.queues.forget(id);
        self.track.room.leave(&task.name);
        self.states.remove(task.state);
        if let Some(site) = self.sites.get_mut(&task.site) {
            site.states.remove(task.state);
            site.detached -= u64::from(task.detached()).min(site.detached);
            site.unjoined -= u64::from(task.unjoined()).min(site.unjoined);
            site.given.named -= u64::from(!task.name.is_empty()).min(site.given.named);
        }
        Some(task)
    }

    pub(super) fn task_reading(&mut self, at: Stamp, reading: TaskReading) {
        let Some(task) = self.tasks.get_mut(&reading.id) else { return };
        if task.state != reading.state {
            self.states.remove(task.state);
            self.states.add(reading.state);
            if let Some(site) = self.sites.get_mut(&task.site) {
                site.states.remove(task.state);
                site.states.add(reading.state);
            }
        }
        let (was_detached, was_unjoined) = (task.detached(), task.unjoined());
        if task.track.seen {
            let wakes = reading.wakes.saturating_sub(task.wakes);
            self.track.wakes = self.track.wakes.wrapping_add(wakes);
            if !self.target.sees("workers") {
                self.track.polls = self.track.polls.wrapping_add(reading.polls.saturating_sub(task.polls));
            }
        } else {
            task.track.seen = true;
            task.track.window = Window::starting(at, reading.busy, reading.polls);
        }
        task.track.generation = self.track.generation;
        task.state = reading.state;
        task.state_since = reading.state_since;
        task.polls = reading.polls;
        task.busy = reading.busy;
        task.max_poll = reading.max_poll;
        task.wakes = reading.wakes;
        task.self_wakes = reading.self_wakes;
        task.sched_total = reading.sched_total;
        task.sched_max = reading.sched_max;
        task.sched_p99_bucket = reading.sched_p99_bucket;
        task.flags = reading.flags;
        task.waits = reading.waits;
        task.wakers = reading.wakers;
        if (task.token, task.tracker) != (reading.token, reading.tracker) || task.state.ended() {
            self.scopes.leave(task);
            (task.token, task.tracker) = (reading.token, reading.tracker);
            self.scopes.enter(task);
        }
        if was_detached != task.detached()
            && let Some(site) = self.sites.get_mut(&task.site)
        {
            site.detached = if was_detached { site.detached.saturating_sub(1) } else { site.detached + 1 };
        }
        if was_unjoined != task.unjoined()
            && let Some(site) = self.sites.get_mut(&task.site)
        {
            site.unjoined = if was_unjoined { site.unjoined.saturating_sub(1) } else { site.unjoined + 1 };
        }
        // A poll in progress is counted from its worker's row.
        let (busy, polls) = (task.busy, task.polls);
        let running = if task.state == TaskState::Running { at.since(task.state_since) } else { Duration::ZERO };
        read_rates(task, (at, self.track.told), busy.saturating_add(running), polls, &mut self.track.lively);
        self.track.queues.note(task, at);
    }

    /// Clears the rates of tasks that have not changed for a second.
    pub(super) fn calm_down(&mut self) {
        let quiet = self.now.before(Window::SPAN);
        // One that goes and is born again stands in it twice.
        if self.track.lively.len() > self.tasks.len() * 2 + 1024 {
            let queued = self.tasks.values().filter(|task| task.track.queued);
            let mut lively: Vec<(Stamp, TaskId)> = queued.map(|task| (task.track.window.last_at(), task.id)).collect();
            lively.sort_unstable();
            self.track.lively = lively.into();
        }
        while let Some(&(queued_at, id)) = self.track.lively.front() {
            if queued_at > quiet {
                break;
            }
            self.track.lively.pop_front();
            let Some(task) = self.tasks.get_mut(&id) else { continue };
            if task.track.window.last_at() > quiet {
                self.track.lively.push_back((self.now, id));
            } else {
                task.busy_share = 0.0;
                task.polls_per_s = 0.0;
                task.track.queued = false;
            }
        }
    }
}

/// Its rates, as of a reading at `at`; the update before it came at `told`.
pub(super) fn read_rates(
    task: &mut Task,
    (at, told): (Stamp, Stamp),
    busy: Duration,
    polls: u64,
    lively: &mut VecDeque<(Stamp, TaskId)>,
) {
    let Rates { busy_share, polls_per_s } = task.track.window.read(at, told, busy, polls);
    task.busy_share = busy_share;
    task.polls_per_s = polls_per_s;
    if !task.track.queued && (busy_share > 0.0 || polls_per_s > 0.0) {
        task.track.queued = true;
        lively.push_back((at, task.id));
    }
}
