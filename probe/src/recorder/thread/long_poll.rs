//! What a poll that took long is not to blame for: that its thread waited for a CPU or for a page of memory, that the process
//! stood still, and the polls within it.
use super::{HERE, WorkerSlot};
use crate::recorder::{
    clock,
    cpu_wait::{self, CpuTime},
    standstill,
};

/// For how long a poll that took long could not run.
pub(in crate::recorder) struct LongPollWait {
    worker: &'static WorkerSlot,
    /// Of the thread, so far.
    cpu: CpuTime,
    /// When it ended, in ticks.
    ended: u64,
    /// In ticks; more than it was when nobody has looked since before the poll began.
    in_poll: u64,
}

impl LongPollWait {
    /// What the thread waits from now on is another poll's. Once this one has left the slot: a reader that still sees it
    /// would take its wait for work. Returns for how long it could not run, in ticks.
    pub(in crate::recorder) fn settle(self) -> u64 {
        self.worker.set_cpu_before_poll(self.cpu, self.ended);
        self.in_poll
    }
}

/// Of the poll on this thread that took long, ended then and is about to leave. Before it leaves, since a reader that sees the
/// thread outside of any poll takes all its waits for earlier ones.
pub(in crate::recorder) fn wait_of_long_poll(ended: u64) -> Option<LongPollWait> {
    let (worker, started) = HERE.with(|here| (here.worker.get(), here.poll_started.get()));
    let worker = worker?;
    let (cpu, (before, at)) = (cpu_wait::of_this_thread(), worker.cpu_before_poll());
    let waited = clock::ticks_in_ns(cpu.waited.saturating_sub(before.waited));
    // Who computed, or waited for a CPU, did not stand still: on a full machine the beat is late too.
    let ran = clock::ticks_in_ns(cpu.ran.saturating_sub(before.ran));
    let neither = ended.saturating_sub(at).saturating_sub(ran).saturating_sub(waited);
    // For how long it waited for pages is not told: all of that time, then.
    let stood =
        if cpu.paged == before.paged { standstill::within(started, ended) } else { ended.saturating_sub(started) };
    let stood = stood.min(neither);
    Some(LongPollWait { worker, cpu, ended, in_poll: waited + stood })
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
