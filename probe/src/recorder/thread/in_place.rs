//! What a task does in `block_in_place`, beside the runtime's loop.
use super::{HERE, current_task, out_of_loop};
use crate::recorder::{clock, task::TaskSlot};

/// Runs `work`, which may block this thread, since the runtime has given the thread's other tasks to another one: until
/// it ends, the thread is in no poll, and its time is not the poll's.
pub(crate) fn run<R>(work: impl FnOnce() -> R) -> R {
    // Another thread has the loop from here on, unless `work` is so short that this one gets it back.
    out_of_loop();
    let _away = current_task().map(Away::begin);
    work()
}

struct Away {
    task: &'static TaskSlot,
    since: u64,
    /// It is within another one.
    nested: bool,
}

impl Away {
    fn begin(task: &'static TaskSlot) -> Self {
        let nested = HERE.with(|here| {
            if let Some(worker) = here.worker.get() {
                worker.in_poll.end();
            }
            here.in_place.replace(true)
        });
        if !nested {
            task.in_place(true);
        }
        Self { task, since: clock::ticks(), nested }
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        if self.nested {
            return;
        }
        self.task.in_place(false);
        HERE.with(|here| {
            here.in_place.set(false);
            let started = here.poll_started.get() + clock::ticks().saturating_sub(self.since);
            here.poll_started.set(started);
            if let Some(worker) = here.worker.get() {
                worker.in_poll.begin(self.task, started);
            }
        });
    }
}
