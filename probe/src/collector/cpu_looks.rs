//! How long threads that poll have had a CPU, and have waited for one, looked at once a tick.
use std::{collections::HashMap, mem};

use crate::recorder::{
    clock,
    cpu_wait::{self, CpuShown, CpuTime, ThreadState},
    paging, standstill,
    thread::{WorkerKind, WorkerReading, WorkerSlot},
};

/// A poll that began no longer ago than this may as well begin now, in nanoseconds.
const YOUNG_NS: u64 = 1_000_000;

/// Attempts to read what belongs together in one go.
const SAMPLES: u32 = 4;

/// Threads of the blocking pool that are looked at: there may be hundreds, and a few tell what their jobs do.
const JOBS: u32 = 8;

/// What was seen of each thread at the last tick, by worker.
#[derive(Default)]
pub(super) struct CpuLooks {
    of: HashMap<u64, Look>,
    /// Pages that all threads had waited for at the last tick; `None` before the first.
    paged: Option<u64>,
}

/// One tick's looks.
pub(super) struct Round {
    /// Threads of the blocking pool that were looked at.
    jobs: u32,
    /// Whether some thread has waited for a page since the last tick.
    paged: bool,
}

/// Times in nanoseconds of the probe's clock.
#[derive(Default)]
struct Look {
    /// Until when the figures account for its time, or it was not ready; `None` before the first look.
    at: Option<u64>,
    cpu: CpuTime,
    shown: CpuShown,
    /// The poll that `shown` is about, by its start in ticks.
    poll: u64,
}

/// What the system said of a thread, and when.
pub(super) struct Sample {
    worker: u64,
    cpu: CpuTime,
    /// In ticks.
    at: u64,
    /// Whether its pages were looked at too.
    paged: bool,
}

impl CpuLooks {
    /// A tick begins.
    pub(super) fn begin(&mut self) -> Round {
        let paged = Some(paging::of_process());
        Round { jobs: 0, paged: mem::replace(&mut self.paged, paged) != paged }
    }

    /// Asks the system about a thread. Slow: reads a file. To be called before the slot is read, so that what is read is
    /// never older than what is known of its waits.
    pub(super) fn sample(slot: &WorkerSlot, round: &mut Round) -> Sample {
        let worker = if slot.kind() == WorkerKind::Blocking as u8 && !round.has_room_for(slot) { 0 } else { slot.id() };
        let mut sample = Sample { worker, cpu: CpuTime::default(), at: 0, paged: round.paged };
        let paged = if worker != 0 && round.paged { paging::of_thread(slot.tid()) } else { 0 };
        // This thread waits for a CPU too where others do: the figures and the time shall be of one moment.
        for _ in 0..SAMPLES {
            let began = clock::ticks();
            if worker != 0 {
                sample.cpu = CpuTime { paged, ..cpu_wait::of_thread(slot.tid()) };
            }
            sample.at = clock::ticks();
            if clock::duration_ns(sample.at.saturating_sub(began)) < YOUNG_NS {
                break;
            }
        }
        sample
    }

    /// How long the thread has waited. Once a tick, since a wait that goes on is told from tick to tick.
    pub(super) fn look(&mut self, slot: &WorkerSlot, worker: &WorkerReading, sample: &Sample) -> CpuShown {
        if sample.worker != worker.id {
            return CpuShown::default();
        }
        let look = self.of.entry(worker.id).or_default();
        let age = worker.poll.map_or(0, |poll| clock::duration_ns(sample.at.saturating_sub(poll.started)));
        if age <= YOUNG_NS {
            let paged = if sample.paged { sample.cpu.paged } else { slot.cpu_before_poll().0.paged };
            slot.set_cpu_before_poll(CpuTime { paged, ..sample.cpu }, sample.at);
        }
        let before = slot.cpu_before_poll().0.waited;
        look.poll = worker.poll.map_or(0, |poll| poll.started);
        look.take(clock::duration_ns(sample.at), sample.cpu, before, age, || cpu_wait::thread_state(slot.tid()));
        if let Some(poll) = worker.poll {
            look.stood(clock::duration_ns(standstill::within(poll.started, sample.at)));
        }
        look.shown
    }

    /// What the last look at a thread told, of the poll that it is in now.
    pub(super) fn last(&self, worker: &WorkerReading) -> CpuShown {
        let Some(look) = self.of.get(&worker.id) else { return CpuShown::default() };
        let same = worker.poll.is_some_and(|poll| poll.started == look.poll);
        CpuShown { waited_in_poll: if same { look.shown.waited_in_poll } else { 0 }, ..look.shown }
    }

    /// Forgets a thread that is gone.
    pub(super) fn forget(&mut self, worker: u64) {
        self.of.remove(&worker);
    }
}

impl Round {
    /// Whether a thread of the blocking pool is one of the few, and at work.
    fn has_room_for(&mut self, slot: &WorkerSlot) -> bool {
        let room = self.jobs < JOBS && slot.is_in_poll();
        self.jobs += u32::from(room);
        room
    }
}

impl Look {
    /// The process stood still for so long of the poll in progress. A wait that goes on may be that too.
    fn stood(&mut self, span: u64) {
        self.shown.waited_in_poll = self.shown.waited_in_poll.max(span);
    }

    /// `before` is what the thread had waited before the poll in progress, which is `age` old.
    fn take(&mut self, now: u64, cpu: CpuTime, before: u64, age: u64, state: impl FnOnce() -> ThreadState) {
        // The system counts a wait when it ends. One that goes on is what is missing since the figures last moved, of a
        // thread that has been ready ever since, or has waited for a page.
        let counted = (cpu.ran + cpu.waited).saturating_sub(self.cpu.ran + self.cpu.waited);
        let missing = self.at.map_or(0, |at| now.saturating_sub(at).saturating_sub(counted));
        let is_held_up = || matches!(state(), ThreadState::Runs | ThreadState::Pages);
        let waits = age > YOUNG_NS && missing > YOUNG_NS && is_held_up();
        let going_on = if waits { missing } else { 0 };
        self.at = Some(now - going_on);
        self.cpu = cpu;
        let in_poll = if age > YOUNG_NS { cpu.waited.saturating_sub(before) + going_on } else { 0 };
        self.shown = CpuShown { ran: cpu.ran, waited: cpu.waited + going_on, waited_in_poll: in_poll.min(age) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn cpu(ran: u64, waited: u64) -> CpuTime {
        CpuTime { ran: ran * MS, waited: waited * MS, paged: 0 }
    }

    /// Looks at a thread every 100 ms, in a poll that began at 10 ms; returns the milliseconds waited in it each time.
    fn in_poll(looks: &[(CpuTime, ThreadState)]) -> Vec<u64> {
        let mut look = Look::default();
        look.take(0, cpu(0, 0), 0, 0, || ThreadState::Waits);
        let all = (1..).zip(looks);
        let mut waited = |n: u64, cpu, state| {
            look.take(n * 100 * MS, cpu, 0, (n * 100 - 10) * MS, || state);
            look.shown.waited_in_poll / MS
        };
        all.map(|(n, &(cpu, state))| waited(n, cpu, state)).collect()
    }

    #[test]
    fn a_wait_of_many_ticks_counts_from_its_beginning_and_is_counted_once() {
        use ThreadState::Runs;
        let looks = [(cpu(10, 0), Runs), (cpu(10, 0), Runs), (cpu(10, 0), Runs), (cpu(20, 380), Runs)];
        assert_eq!(in_poll(&looks), [90, 190, 290, 380]);
    }

    #[test]
    fn a_second_wait_adds_to_the_first() {
        use ThreadState::Runs;
        let looks = [(cpu(50, 50), Runs), (cpu(50, 50), Runs), (cpu(150, 150), Runs)];
        assert_eq!(in_poll(&looks), [50, 150, 150]);
    }

    #[test]
    fn a_thread_that_computes_or_sleeps_waits_for_no_cpu() {
        assert_eq!(in_poll(&[(cpu(100, 0), ThreadState::Runs), (cpu(200, 0), ThreadState::Runs)]), [0, 0]);
        assert_eq!(in_poll(&[(cpu(1, 0), ThreadState::Waits), (cpu(1, 0), ThreadState::Waits)]), [0, 0]);
        assert_eq!(in_poll(&[(cpu(1, 0), ThreadState::Unknown), (cpu(1, 0), ThreadState::Unknown)]), [0, 0]);
    }

    #[test]
    fn what_a_thread_slept_before_it_became_ready_is_no_wait_for_longer_than_a_tick() {
        let looks = [(cpu(1, 0), ThreadState::Waits), (cpu(1, 0), ThreadState::Waits), (cpu(1, 0), ThreadState::Runs)];
        assert_eq!(in_poll(&looks), [0, 0, 100]);
    }
}
