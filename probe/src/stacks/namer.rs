//! Unwinds and names stacks on a thread of its own: reading the debug information of a large program takes seconds, for
//! which neither the stream nor the watchdog may stand still.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use super::{Cause, Frame, SightKind, cause, modules::Modules, signal::Copy, symbols, unwind};
use crate::recorder::{Recorder, clock::thread_cpu_ns, cpu_wait::ThreadState, own_thread};

/// Stacks that wait for their names, of at most 256 KiB each.
const WAITING: usize = 8;
/// From so many on, none is taken that may be taken another time as well.
const BEHIND: usize = WAITING / 2;

/// A stack to be named.
pub(super) struct Job {
    of: Of,
    copy: Copy,
    /// What the thread did when it was interrupted.
    state: ThreadState,
    /// The future's type, as far as it is known.
    future: &'static str,
    /// The future is that of a `block_on`.
    is_root: bool,
}

impl Job {
    /// The stack of a poll that does not end.
    pub(super) fn blocked(seen: Seen, copy: Copy, state: ThreadState, future: &'static str, is_root: bool) -> Self {
        Self { of: Of::Blocked(seen), copy, state, future, is_root }
    }

    /// The stack of a thread at the moment in which `what` happened on it.
    pub(super) fn moment(what: Moment, copy: Copy) -> Self {
        Self { of: Of::Moment(what), copy, state: ThreadState::Unknown, future: "", is_root: false }
    }

    /// The stack of a poll of a task, which has lasted for some hundredths of a second.
    pub(super) fn long(what: Long, copy: Copy, state: ThreadState, is_root: bool) -> Self {
        Self { of: Of::Long(what), copy, state, future: "", is_root }
    }

    /// The stack of a poll at the moment in which what it waits for kept its waker.
    pub(super) fn suspended(copy: Copy, future: &'static str, is_root: bool) -> Self {
        Self { of: Of::Suspended, copy, state: ThreadState::Unknown, future, is_root }
    }
}

/// What a stack shows.
#[derive(Clone)]
pub(super) enum Of {
    /// Where a poll is blocked.
    Blocked(Seen),
    /// Where the task that was asked about is suspended.
    Suspended,
    /// What happened.
    Moment(Moment),
    /// Where a poll is that lasts for some hundredths of a second.
    Long(Long),
}

/// A look at a poll of a task from that site.
#[derive(Clone, Copy)]
pub(super) struct Long {
    pub(super) site: u32,
    /// In ticks.
    pub(super) at: u64,
}

/// Something that happened once, with a site.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub(super) kind: SightKind,
    pub(super) of: u64,
    /// In ticks.
    pub(super) at: u64,
}

/// Where and when a stack was taken.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) worker: u64,
    /// 0 when nobody watches it.
    pub(super) task: u64,
    /// Of the poll; this and the next in ticks.
    pub(super) started: u64,
    pub(super) at: u64,
}

/// A stack with its names.
pub(super) struct Named {
    pub(super) of: Of,
    pub(super) frames: Vec<Frame>,
    pub(super) cause: Cause,
}

/// The thread, once there was something to name.
pub(super) struct Namer {
    recorder: &'static Recorder,
    running: Option<Running>,
    /// CPU time that the thread took, in nanoseconds.
    cpu_ns: Arc<AtomicU64>,
    shed: u64,
}

struct Running {
    jobs: SyncSender<Job>,
    /// Those among them that wait.
    waiting: Arc<AtomicUsize>,
    named: Receiver<Named>,
}

impl Namer {
    pub(super) fn new(recorder: &'static Recorder) -> Self {
        Self { recorder, running: None, cpu_ns: Arc::default(), shed: 0 }
    }

    /// Has a stack named, if there are not too many already; those are counted, and this is false.
    pub(super) fn name(&mut self, job: Job) -> bool {
        if self.running.is_none() {
            self.running = start(self.recorder, self.cpu_ns.clone());
        }
        let taken = match &self.running {
            None => false,
            Some(running) => {
                // Before the thread counts it down.
                running.waiting.fetch_add(1, Relaxed);
                let sent = running.jobs.try_send(job);
                if sent.is_err() {
                    running.waiting.fetch_sub(1, Relaxed);
                }
                if let Err(TrySendError::Disconnected(_)) = sent {
                    // A panic of the thread's: on a library's bug in one stack, the next is another chance.
                    self.running = None;
                    false
                } else {
                    sent.is_ok()
                }
            }
        };
        self.shed += u64::from(!taken);
        taken
    }

    /// Whether so many wait that there should be room for those which cannot be taken another time.
    pub(super) fn is_behind(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.waiting.load(Relaxed) >= BEHIND)
    }

    /// What was named since the last call.
    pub(super) fn named(&self) -> impl Iterator<Item = Named> {
        self.running.iter().flat_map(|running| running.named.try_iter())
    }

    /// Stacks that were not named.
    pub(super) fn shed(&self) -> u64 {
        self.shed
    }

    /// CPU time that the thread took, in nanoseconds.
    pub(super) fn cpu_ns(&self) -> u64 {
        self.cpu_ns.load(Relaxed)
    }
}

/// Starts the thread; `None` when the system gives none.
fn start(recorder: &'static Recorder, cpu_ns: Arc<AtomicU64>) -> Option<Running> {
    let (jobs, todo) = sync_channel::<Job>(WAITING);
    let (done, named) = sync_channel(WAITING + 1);
    let waiting = Arc::new(AtomicUsize::new(0));
    let (still_waiting, before) = (waiting.clone(), cpu_ns.load(Relaxed));
    let run = move || {
        own_thread::begin();
        let mut modules = Modules::default();
        while let Ok(job) = todo.recv() {
            still_waiting.fetch_sub(1, Relaxed);
            let named = named_of(job, &mut modules, recorder);
            cpu_ns.store(before + thread_cpu_ns(), Relaxed);
            // The thread waits until they are fetched, by the next tick if anybody is attached: what finds no room is shed
            // where it is counted, before it is named.
            if done.send(named).is_err() {
                break;
            }
        }
    };
    let thread = thread::Builder::new().name("async-inspect-stacks".to_owned()).spawn(run);
    thread.is_ok().then_some(Running { jobs, waiting, named })
}

fn named_of(job: Job, modules: &mut Modules, recorder: &'static Recorder) -> Named {
    let addresses = unwind::addresses(&job.copy, modules);
    let mut frames = symbols::frames(&addresses, job.is_root, modules, recorder);
    if matches!(job.of, Of::Suspended) {
        symbols::without_waker(&mut frames);
    }
    Named { cause: cause::of(&frames, job.state), frames: symbols::trimmed(frames, job.future), of: job.of }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{recorder, wait_for};

    /// Of no frame.
    fn copy() -> Copy {
        Copy { ip: 0, sp: 0, fp: 0, lr: 0, stack: Vec::new(), marked: None }
    }

    fn blocked(started: u64) -> Job {
        let seen = Seen { worker: 1, task: 1, started, at: started };
        Job::blocked(seen, copy(), ThreadState::Unknown, "", false)
    }

    #[test]
    fn what_was_taken_comes_back_named_however_late_it_is_fetched() {
        // Those that wait for names and with them, and one in between.
        const ROOM: u64 = 2 * WAITING as u64 + 2;
        let mut namer = Namer::new(recorder());
        let mut taken = 0;
        wait_for(|| {
            while taken < ROOM && namer.name(blocked(taken)) {
                taken += 1;
            }
            taken == ROOM
        });
        let before = namer.shed();
        assert!(!namer.name(blocked(ROOM)) && namer.is_behind());
        assert_eq!(namer.shed(), before + 1);
        let mut back = Vec::new();
        wait_for(|| {
            back.extend(namer.named().filter_map(|named| match named.of {
                Of::Blocked(seen) => Some(seen.started),
                _ => None,
            }));
            back.len() as u64 == taken
        });
        assert_eq!(back, (0..ROOM).collect::<Vec<_>>());
        assert!(!namer.is_behind());
    }
}
