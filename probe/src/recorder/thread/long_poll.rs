//! What a poll that took long is not to blame for: that its thread waited for a CPU, and the polls within it.
use super::{HERE, WorkerSlot};
use crate::recorder::{clock, cpu_wait};

/// How long a poll that took long waited for a CPU.
pub(in crate::recorder) struct LongPollWait {
    worker: &'static WorkerSlot,
    /// What the thread has waited so far, in nanoseconds.
    waited: u64,
    /// In ticks; more than it was when nobody has looked since before the poll began.
    in_poll: u64,
}

impl LongPollWait {
    /// What the thread waits from now on is another poll's. Once this one has left the slot: a reader that still sees it
    /// would take its wait for work. Returns how long it waited, in ticks.
    pub(in crate::recorder) fn settle(self) -> u64 {
        self.worker.set_cpu_waited(self.waited);
        self.in_poll
    }
}

/// Of the poll on this thread that took long and is about to leave. Before it leaves, since a reader that sees the thread
/// outside of any poll takes all its waits for earlier ones.
pub(in crate::recorder) fn wait_of_long_poll() -> Option<LongPollWait> {
    let worker = HERE.with(|here| here.worker.get())?;
    let waited = cpu_wait::of_this_thread().waited;
    Some(LongPollWait { worker, waited, in_poll: clock::ticks_in_ns(waited.saturating_sub(worker.cpu_waited())) })
}

/// How much of the poll in progress on this thread went into long polls within it, in ticks.
pub(in crate::recorder) fn took_within() -> u64 {
    HERE.with(|here| {
        let (poll, took) = here.within.get();
        if poll == here.poll_started.get() { took } else { 0 }
    })
}

/// A poll within the one that is in progress on this thread took so long, in ticks.
pub(in crate::recorder) fn took_inside(took: u64) {
    let before = took_within();
    HERE.with(|here| here.within.set((here.poll_started.get(), before.saturating_add(took))));
}
