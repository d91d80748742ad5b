//! Threads that poll.
use std::time::Duration;

use super::room::{MOST_WORKERS, has_room};
use super::tasks::read_rates;
use crate::model::window::Window;
use crate::model::{Model, Stamp, TaskState, Worker, WorkerDetail, WorkerReading};

impl Model {
    pub(super) fn worker_reading(&mut self, at: Stamp, reading: WorkerReading) {
        let WorkerReading { id, kind, name, poll, polls, busy, cpu_wait, poll_cpu_wait, .. } = reading;
        let WorkerReading { parks, steals, awake, cpu, local_queue, .. } = reading;
        let (known, kept) = (self.workers.contains_key(&id), self.workers.len());
        if !has_room(known, kept, MOST_WORKERS, &mut self.track.room.refused.details) {
            return;
        }
        let told = self.track.told;
        let running = poll.map_or(Duration::ZERO, |(_, since)| at.since(since));
        let effective = busy.saturating_add(running);
        let worker = self.workers.entry(id).or_insert_with(|| {
            let mut worker = Worker::default();
            worker.track.window = if self.complete {
                // A thread that started since the last update.
                Window::starting(at.before(Window::SPAN).min(told), Duration::ZERO, 0)
            } else {
                self.track.polls = self.track.polls.wrapping_sub(polls);
                Window::starting(at, effective, polls)
            };
            worker
        });
        self.track.polls = self.track.polls.wrapping_add(polls.saturating_sub(worker.polls));
        let rates = worker.track.window.read(at, told, effective, polls);
        worker.track.generation = self.track.generation;
        worker.id = id;
        worker.kind = kind;
        worker.name = name;
        worker.poll = poll;
        worker.polls = polls;
        worker.busy = busy;
        worker.poll_cpu_wait = poll_cpu_wait;
        worker.cpu_wait_share = worker.track.cpu_wait.replace((cpu_wait, at)).map_or(0.0, |(before, then)| {
            let waited = cpu_wait.saturating_sub(before).as_secs_f64();
            (waited / at.since(then).as_secs_f64().max(0.001)).min(1.0)
        });
        worker.cpu_wait_lately += (worker.cpu_wait_share - worker.cpu_wait_lately) * 0.15;
        let before = std::mem::replace(&mut worker.track.cpu, cpu.map(|cpu| (cpu, at)));
        worker.cpu_share = cpu.zip(before).map(|(cpu, (before, then))| {
            let ran = cpu.saturating_sub(before).as_secs_f64();
            let share = (ran / at.since(then).as_secs_f64().max(0.001)).min(1.0);
            worker.cpu_share.map_or(share, |lately| lately + (share - lately) * 0.15)
        });
        worker.polls_per_s = rates.polls_per_s;
        let window = worker.track.parks.get_or_insert_with(|| Window::starting(at, awake, parks));
        let parked = window.read(at, told, awake, parks);
        worker.parks_per_s = parked.polls_per_s;
        worker.busy_share = rates.busy_share.max(parked.busy_share);
        worker.detail = local_queue.map(|local_queue| {
            let window = worker.track.steals.get_or_insert_with(|| Window::starting(at, Duration::ZERO, steals));
            let steals_per_s = window.read(at, told, Duration::ZERO, steals).polls_per_s;
            WorkerDetail { local_queue, steals_per_s }
        });

        // A task in a long poll sends no rows; its share rises all the same.
        if let Some((id, since)) = poll
            && let Some(task) = self.tasks.get_mut(&id)
            && task.state == TaskState::Running
            && task.track.seen
            && task.track.window.last_at() < at
        {
            let (busy, polls) = (task.busy.saturating_add(at.since(since)), task.polls);
            read_rates(task, (at, told), busy, polls, &mut self.track.lively);
        }
    }
}
