//! Unwinds and names stacks on a thread of its own: reading the debug information of a large program takes seconds, for
//! which neither the stream nor the watchdog may stand still.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use super::{Cause, Frame, cause, modules::Modules, signal::Copy, symbols, unwind};
use crate::recorder::{Recorder, clock::thread_cpu_ns, cpu_wait::ThreadState};

/// Stacks that wait for their names, of at most 256 KiB each.
const WAITING: usize = 8;

/// A stack to be named.
pub(super) struct Job {
    pub(super) seen: Seen,
    pub(super) copy: Copy,
    /// What the thread did when it was interrupted.
    pub(super) state: ThreadState,
    /// The future's type, as far as it is known.
    pub(super) future: &'static str,
    /// The future is that of a `block_on`.
    pub(super) is_root: bool,
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
    pub(super) seen: Seen,
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
    named: Receiver<Named>,
}

impl Namer {
    pub(super) fn new(recorder: &'static Recorder) -> Self {
        Self { recorder, running: None, cpu_ns: Arc::default(), shed: 0 }
    }

    /// Starts the thread, if it does not run. Unoptimized, as in a debug build of the app, reading the debug information
    /// takes it longer than most blocked polls last, so it begins with that.
    pub(super) fn start(&mut self) {
        if self.running.is_none() {
            self.running = start(self.recorder, self.cpu_ns.clone());
        }
    }

    /// Has a stack named, if there are not too many already; those are counted.
    pub(super) fn name(&mut self, job: Job) {
        self.start();
        let Some(running) = &self.running else {
            self.shed += 1;
            return;
        };
        match running.jobs.try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => self.shed += 1,
            Err(TrySendError::Disconnected(_)) => {
                // A panic of the thread's: on a library's bug in one stack, the next is another chance.
                self.shed += 1;
                self.running = None;
            }
        }
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
    // As many as there can be jobs, so that the thread never waits here.
    let (done, named) = sync_channel(WAITING + 1);
    let before = cpu_ns.load(Relaxed);
    let run = move || {
        let mut modules = Modules::default();
        if cfg!(debug_assertions) {
            modules.read_ahead();
        }
        while let Ok(job) = todo.recv() {
            let named = named_of(job, &mut modules, recorder);
            cpu_ns.store(before + thread_cpu_ns(), Relaxed);
            // Nobody fetches them while nobody is attached; what they were about is over by then.
            let _ = done.try_send(named);
        }
    };
    let thread = thread::Builder::new().name("async-inspect-stacks".to_owned()).spawn(run);
    thread.is_ok().then_some(Running { jobs, named })
}

fn named_of(job: Job, modules: &mut Modules, recorder: &'static Recorder) -> Named {
    let addresses = unwind::addresses(&job.copy, modules);
    let frames = symbols::frames(&addresses, job.is_root, modules, recorder);
    Named {
        cause: cause::of(&frames, job.state),
        frames: symbols::trimmed(frames, job.future),
        seen: job.seen,
    }
}
