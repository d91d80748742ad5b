//! What each thread is doing: the task in poll and the worker slot of the thread.
mod holder;
pub(crate) mod in_place;
mod long_poll;
mod within_root;

use std::{
    cell::Cell,
    panic::Location,
    sync::{
        OnceLock,
        atomic::{
            AtomicI32, AtomicU8, AtomicU32, AtomicU64, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

pub(crate) use holder::{Holder, holder, was_suspended};
pub(super) use long_poll::{took_inside, took_within, wait_of_long_poll};
pub(crate) use within_root::{current_task, current_task_id, is_in_poll, tokios_id};

use super::{
    Recorder, active,
    arena::{Head, Slot},
    clock,
    cpu_wait::{self, CpuTime},
    in_poll::InPoll,
    numbers::{Numbers, UNNUMBERED},
    owner::Owner,
    task::{TaskKind, TaskSlot},
    unfinished::Dropping,
};

/// What a thread that polls is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum WorkerKind {
    Worker = 1,
    BlockOn = 2,
    Blocking = 3,
}

/// A thread that polls tasks. Written by that thread only.
#[repr(C, align(128))]
pub(crate) struct WorkerSlot {
    head: Head,
    kind: AtomicU8,
    /// Index of the thread's name in the worker names, plus one.
    name: AtomicU32,
    owner: Owner,
    in_poll: InPoll<TaskSlot>,
    polls: AtomicU64,
    busy: AtomicU64,
    /// What [`cpu_wait`] said of the thread when it was last seen outside of any poll that lasts, in nanoseconds.
    cpu_ran: AtomicU64,
    cpu_waited: AtomicU64,
    paged: AtomicU64,
    /// When that was, in ticks.
    cpu_seen_at: AtomicU64,
    /// For the capture of stacks: the system's id of the thread, and the bounds of its stack; 0 where there is none.
    tid: AtomicI32,
    stack_low: AtomicUsize,
    stack_high: AtomicUsize,
    /// Ticks when a poll last panicked on it; 0 before the first time.
    panicked_at: AtomicU64,
    /// Ticks when the runtime's loop last came out of its park; 0 while it is parked, and before it first was.
    unparked_at: AtomicU64,
    /// How often the runtime's loop parked it.
    parks: AtomicU64,
    /// Ticks between its unparks and the parks that followed: all that the runtime's loop had to do, polls of tasks that
    /// nobody watches among it.
    awake: AtomicU64,
    /// The thread's number, by [`peek::thread_id`](super::peek::thread_id).
    thread: AtomicU64,
    standing: Standing,
}

/// What the watchdog, and nobody else, writes: the thread stands in a poll that nobody watches, since then (ticks; 0 when
/// it does not). Holds only as long as the thread has neither parked nor polled a watched task since.
#[derive(Default)]
struct Standing {
    since: AtomicU64,
    unparked_at: AtomicU64,
    polls: AtomicU64,
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for WorkerSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

/// One reading of a [`WorkerSlot`]; times in ticks.
#[derive(Clone)]
pub(crate) struct WorkerReading {
    pub(crate) id: u64,
    pub(crate) kind: u8,
    pub(crate) name: u32,
    /// The poll in progress.
    pub(crate) poll: Option<Polling>,
    /// Since when the thread is out of the runtime's park; 0 when it is parked or never was.
    pub(crate) unparked_at: u64,
    /// Since when the thread stands in a poll that nobody watches, as [`WorkerSlot::stands`] was told; 0 when it does not.
    pub(crate) unwatched_since: u64,
    pub(crate) polls: u64,
    pub(crate) busy: u64,
    /// How often the runtime's loop parked it.
    pub(crate) parks: u64,
    /// Time for which the runtime's loop had it, not parked; 0 where no loop tells.
    pub(crate) awake: u64,
    /// The thread's number, by [`peek::thread_id`](super::peek::thread_id).
    pub(crate) thread: u64,
}

/// A poll in progress.
#[derive(Clone, Copy)]
pub(crate) struct Polling {
    pub(crate) task: &'static TaskSlot,
    pub(crate) task_id: u64,
    /// In ticks.
    pub(crate) started: u64,
}

impl WorkerSlot {
    /// What its thread does now: `block_in_place` gives a worker's loop to a thread of the blocking pool, and leaves its own
    /// thread to that.
    #[inline]
    fn is_now(&self, kind: WorkerKind) {
        if self.kind.load(Relaxed) != kind as u8 {
            self.kind.store(kind as u8, Relaxed);
        }
    }

    /// The runtime's loop does not have the thread any more. By that thread.
    fn out_of_loop(&self) {
        let unparked_at = self.unparked_at.load(Relaxed);
        // 0 before its first unpark that was recorded.
        if unparked_at != 0 {
            let awake = clock::ticks().saturating_sub(unparked_at);
            self.unparked_at.store(0, Release);
            // Last, so that no reader has this stretch twice.
            self.awake.store(self.awake.load(Relaxed) + awake, Release);
        }
    }

    /// Its id, 0 while the slot is free.
    pub(crate) fn id(&self) -> u64 {
        self.owner.id()
    }

    /// A [`WorkerKind`].
    pub(crate) fn kind(&self) -> u8 {
        self.kind.load(Relaxed)
    }

    /// What [`cpu_wait`] said of the thread before the poll in progress, and when, in ticks.
    pub(crate) fn cpu_before_poll(&self) -> (CpuTime, u64) {
        let cpu = CpuTime {
            ran: self.cpu_ran.load(Relaxed),
            waited: self.cpu_waited.load(Relaxed),
            paged: self.paged.load(Relaxed),
        };
        (cpu, self.cpu_seen_at.load(Relaxed))
    }

    /// For the collector, which sees the thread outside of any poll that lasts.
    pub(crate) fn set_cpu_before_poll(&self, cpu: CpuTime, at: u64) {
        self.cpu_seen_at.store(at, Relaxed);
        self.cpu_ran.store(cpu.ran, Relaxed);
        self.cpu_waited.store(cpu.waited, Relaxed);
        self.paged.store(cpu.paged, Relaxed);
    }

    /// Whether it is in a watched poll.
    pub(crate) fn is_in_poll(&self) -> bool {
        self.in_poll.read(|_| ()).is_some()
    }

    pub(crate) fn tid(&self) -> i32 {
        self.tid.load(Relaxed)
    }

    /// Bounds of the thread's stack, lowest address first; zeros when unknown.
    pub(crate) fn stack(&self) -> (usize, usize) {
        (self.stack_low.load(Relaxed), self.stack_high.load(Relaxed))
    }

    /// The thread stands in a poll that nobody watches since `since` (ticks), or does not (0), as far as `seen` tells. For
    /// the watchdog only.
    pub(crate) fn stands(&self, seen: &WorkerReading, since: u64) {
        self.standing.unparked_at.store(seen.unparked_at, Relaxed);
        self.standing.polls.store(seen.polls, Relaxed);
        self.standing.since.store(since, Relaxed);
    }

    /// What the worker does; `None` when the slot is free.
    pub(crate) fn read(&self) -> Option<WorkerReading> {
        self.owner.read(|id| Some(self.read_of(id)))
    }

    fn read_of(&self, id: u64) -> WorkerReading {
        let poll = self.in_poll.read(|task| (task, task.id()));
        let poll = poll.map(|((task, task_id), started)| Polling { task, task_id, started });
        let awake = self.awake.load(Acquire);
        let (unparked_at, polls) = (self.unparked_at.load(Acquire), self.polls.load(Relaxed));
        let awake = match unparked_at {
            // It may have parked just now.
            0 => self.awake.load(Acquire),
            _ => awake + clock::ticks().saturating_sub(unparked_at),
        };
        let panicked_at = self.panicked_at.load(Relaxed);
        let stands = poll.is_none()
            && unparked_at != 0
            && self.standing.unparked_at.load(Relaxed) == unparked_at
            && self.standing.polls.load(Relaxed) == polls;
        WorkerReading {
            id,
            kind: self.kind.load(Relaxed),
            name: self.name.load(Relaxed),
            poll: poll.filter(|poll| !panics_now(poll.started, panicked_at)),
            unparked_at,
            unwatched_since: if stands { self.standing.since.load(Relaxed) } else { 0 },
            polls,
            busy: self.busy.load(Relaxed),
            parks: self.parks.load(Relaxed),
            awake,
            thread: self.thread.load(Relaxed),
        }
    }
}

/// Names of threads that poll, by the order in which they came.
static NAMES: [OnceLock<Box<str>>; MAX_NAMES] = [const { OnceLock::new() }; MAX_NAMES];
const MAX_NAMES: usize = 4096;

/// The name that a [`WorkerReading::name`] stands for.
pub(crate) fn worker_name(name: u32) -> &'static str {
    let name = (name as usize).checked_sub(1).and_then(|index| NAMES.get(index)?.get());
    name.map_or("", |name| name)
}

fn name_index() -> u32 {
    // A thread's first poll may wait here for another thread's first poll, never for a reader.
    static KNOWN: std::sync::Mutex<usize> = std::sync::Mutex::new(0);
    let current = std::thread::current();
    let name = current.name().unwrap_or("unnamed");
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(index) = NAMES[..*known].iter().position(|known| known.get().is_some_and(|known| **known == *name)) {
        return index as u32 + 1;
    }
    let Some(free) = NAMES.get(*known) else { return 0 };
    free.get_or_init(|| name.into());
    *known += 1;
    *known as u32
}

static NUMBERS: Numbers = Numbers::of(AtomicU32::new(0), AtomicU32::new(0));

pub(crate) struct Here {
    /// The task in poll on this thread.
    pub(super) task: Cell<Option<&'static TaskSlot>>,
    /// This thread's slot.
    worker: Cell<Option<&'static WorkerSlot>>,
    /// It found none. It asks once: at the ceiling, each poll would.
    without_slot: Cell<bool>,
    /// Ticks at the start of the poll in progress.
    pub(super) poll_started: Cell<u64>,
    /// The poll in progress is in `in_place`.
    in_place: Cell<bool>,
    /// Where the future in poll begins and ends in memory; the same when that is not known.
    future: Cell<(usize, usize)>,
    /// A poll, by its start, and how long polls within it took, in ticks.
    within: Cell<(u64, u64)>,
    /// How many times the runtime's loop parked this thread, while anything was recorded.
    parks: Cell<u32>,
    /// Of [`NUMBERS`], from its first poll on.
    number: Cell<usize>,
    /// A future is being dropped unfinished.
    pub(super) dropping: Cell<Option<Dropping>>,
    /// As a task's, for those that have no slot.
    innermost: Cell<u32>,
    /// From where the app polled an [`Outer`](super::wait::Outer) last.
    pub(super) polled: Cell<Option<&'static Location<'static>>>,
    /// What is polled is within something that is polled by reference.
    pub(super) kept: Cell<bool>,
    /// Ids that are this thread's to give: the next, and the one behind the last.
    ids: Cell<(u64, u64)>,
}

thread_local! {
    // Without a destructor, so that reading it is one address computation.
    pub(super) static HERE: Here = const {
        Here {
            task: Cell::new(None),
            worker: Cell::new(None),
            without_slot: Cell::new(false),
            poll_started: Cell::new(0),
            in_place: Cell::new(false),
            future: Cell::new((0, 0)),
            within: Cell::new((0, 0)),
            parks: Cell::new(0),
            number: Cell::new(UNNUMBERED),
            dropping: Cell::new(None),
            innermost: Cell::new(0),
            polled: Cell::new(None),
            kept: Cell::new(false),
            ids: Cell::new((0, 0)),
        }
    };
    // Gives the worker slot and the number back when the thread ends.
    static AT_EXIT: AtExit = const { AtExit };
}

struct AtExit;

impl Drop for AtExit {
    fn drop(&mut self) {
        HERE.with(|here| {
            // First, so that slots of threads are in one list, whoever takes them next.
            NUMBERS.give_back(here.number.replace(UNNUMBERED));
            if let (Some(worker), Some(recorder)) = (here.worker.take(), active()) {
                worker.owner.leave();
                recorder.workers.give_back(worker);
            }
        });
    }
}

/// The lock that the task in poll on this thread took last and still holds, as an index plus one; 0 for none.
#[inline]
pub(super) fn innermost() -> u32 {
    HERE.with(|here| match here.task.get() {
        Some(task) => task.innermost.load(Relaxed),
        None => here.innermost.get(),
    })
}

/// Says which lock that is from now on.
#[inline]
pub(super) fn set_innermost(lock: u32) {
    HERE.with(|here| match here.task.get() {
        Some(task) => task.innermost.store(lock, Relaxed),
        None => here.innermost.set(lock),
    });
}

/// Bounds of this thread's stack, lowest address first; zeros when unknown.
pub(crate) fn this_stack() -> (usize, usize) {
    HERE.with(|here| here.worker.get()).map_or((0, 0), WorkerSlot::stack)
}

/// This thread's of [`NUMBERS`], which few others have.
#[inline]
pub(super) fn number() -> usize {
    HERE.with(|here| here.number.get())
}

/// A thread takes so many ids at once, or threads would meet there for each. What it leaves when it ends is nobody's.
const IDS: u64 = 32;

/// An id that nobody else gets from `next`.
#[inline]
pub(super) fn id_from(next: &AtomicU64) -> u64 {
    HERE.with(|here| {
        let (mut id, mut end) = here.ids.get();
        if id == end {
            id = next.fetch_add(IDS, Relaxed);
            end = id + IDS;
        }
        here.ids.set((id + 1, end));
        id
    })
}

/// The future that is polled on this thread is this one.
#[inline]
pub(super) fn polls_future<F>(future: &F) {
    let at = std::ptr::from_ref(future).addr();
    HERE.with(|here| here.future.set((at, at + size_of::<F>())));
}

/// Whether something lies within the future that is polled on this thread, and so belongs to its task and nobody else.
#[cfg(feature = "tokio-util")]
pub(crate) fn is_in_future<T>(thing: &T) -> bool {
    let (begin, end) = HERE.with(|here| here.future.get());
    (begin..end).contains(&std::ptr::from_ref(thing).addr())
}

/// The runtime's loop is about to park this thread: nothing is in a poll of its.
#[inline]
pub(crate) fn parks(recorder: &'static Recorder, kind: WorkerKind) {
    HERE.with(|here| {
        here.parks.set(here.parks.get().wrapping_add(1));
        if let Some(worker) = here.worker.get().or_else(|| first_poll(recorder, kind)) {
            worker.is_now(kind);
            worker.parks.store(worker.parks.load(Relaxed) + 1, Relaxed);
            worker.out_of_loop();
        }
    });
}

/// The thread in whose outermost poll this is, that of a job, is one of the blocking pool.
pub(super) fn in_pool() {
    HERE.with(|here| {
        if let Some(worker) = here.worker.get() {
            worker.is_now(WorkerKind::Blocking);
        }
    });
}

/// Says, when it goes, that the runtime's loop has left this thread, or may have: no park tells of it, and the thread would
/// seem to be at work for ever.
pub(crate) struct InLoop;

impl Drop for InLoop {
    fn drop(&mut self) {
        out_of_loop();
    }
}

fn out_of_loop() {
    HERE.with(|here| {
        if let Some(worker) = here.worker.get() {
            worker.out_of_loop();
        }
    });
}

/// The runtime's loop has this thread again.
#[inline]
pub(crate) fn unparked() {
    HERE.with(|here| {
        if let Some(worker) = here.worker.get() {
            worker.unparked_at.store(clock::ticks(), Release);
        }
    });
}

/// When the poll in progress on this thread began, in ticks; 0 outside of any. A timestamp that costs nothing, good
/// enough for "last asked for a message at".
#[inline]
pub(crate) fn poll_started() -> u64 {
    HERE.with(|here| here.poll_started.get())
}

/// What was in progress on this thread before a poll began; polls nest in `block_on` and `LocalSet`. Outside of any poll
/// nothing is, so there is nothing to keep.
pub(super) struct Outer {
    task: &'static TaskSlot,
    poll_started: u64,
    in_place: bool,
    future: (usize, usize),
}

/// Notes that a poll of `task` begins on this thread at `now`.
#[inline]
pub(super) fn enter(recorder: &'static Recorder, task: &'static TaskSlot, now: u64) -> Option<Outer> {
    let outer = HERE.with(|here| here.task.replace(Some(task))).map(nest);
    let known = HERE.with(|here| {
        here.poll_started.set(now);
        here.worker.get()
    });
    if let Some(worker) = known.or_else(|| first_poll(recorder, kind_for(task))) {
        worker.in_poll.begin(task, now);
    }
    outer
}

/// A poll begins within that of `task`.
#[cold]
fn nest(task: &'static TaskSlot) -> Outer {
    HERE.with(|here| {
        if let Some(worker) = here.worker.get() {
            worker.in_poll.end();
        }
        Outer {
            task,
            poll_started: here.poll_started.get(),
            in_place: here.in_place.replace(false),
            future: here.future.replace((0, 0)),
        }
    })
}

/// That poll is over, and the one that it was within goes on.
#[cold]
fn unnest(outer: &Outer) {
    HERE.with(|here| {
        here.task.set(Some(outer.task));
        here.poll_started.set(outer.poll_started);
        here.in_place.set(outer.in_place);
        here.future.set(outer.future);
        if let Some(worker) = here.worker.get()
            && !outer.in_place
        {
            worker.in_poll.begin(outer.task, outer.poll_started);
        }
    });
}

/// While this lives, the poll in progress stands aside: within it goes one of a task that has no slot, as in a `LocalSet`.
/// What that one waits for and holds is not the outer task's.
pub(super) struct Aside(Option<Outer>);

pub(super) fn stand_aside() -> Aside {
    Aside(HERE.with(|here| here.task.take()).map(nest))
}

impl Drop for Aside {
    fn drop(&mut self) {
        if let Some(outer) = &self.0 {
            unnest(outer);
        }
    }
}

/// Notes that the poll in progress ended at `now`; gives when it began, as if it had begun later by what it spent in
/// `in_place`.
#[inline]
pub(super) fn leave(outer: Option<&Outer>, now: u64) -> u64 {
    let started = HERE.with(|here| {
        let started = here.poll_started.get();
        if let Some(worker) = here.worker.get() {
            worker.in_poll.end();
            // A nested poll's time is part of the outer poll's.
            if outer.is_none() {
                worker.busy.store(worker.busy.load(Relaxed) + now.saturating_sub(started), Relaxed);
            }
            worker.polls.store(worker.polls.load(Relaxed) + 1, Relaxed);
        }
        here.task.set(None);
        here.poll_started.set(0);
        here.future.set((0, 0));
        started
    });
    if let Some(outer) = outer {
        unnest(outer);
    }
    started
}

/// The poll in progress on this thread panics.
pub(super) fn poll_panics() {
    HERE.with(|here| {
        if let Some(worker) = here.worker.get() {
            worker.panicked_at.store(clock::ticks(), Relaxed);
        }
    });
}

/// For so long, a poll that panicked looks up and prints where, which is not to be taken for work that blocks. If it goes on
/// after that, somebody caught the panic within it. In nanoseconds.
const PANICS_NS: u64 = 3_000_000_000;

/// Whether a poll that began then panics now, on a thread where one panicked at `panicked_at`; times in ticks.
fn panics_now(started: u64, panicked_at: u64) -> bool {
    panicked_at >= started && clock::duration_ns(clock::since(panicked_at)) < PANICS_NS
}

/// What a thread is for that polls `task` first of all.
#[cold]
fn kind_for(task: &TaskSlot) -> WorkerKind {
    match task.kind() {
        kind if kind == TaskKind::Root as u8 => WorkerKind::BlockOn,
        kind if kind == TaskKind::Blocking as u8 => WorkerKind::Blocking,
        _ => WorkerKind::Worker,
    }
}

#[cold]
fn first_poll(recorder: &'static Recorder, kind: WorkerKind) -> Option<&'static WorkerSlot> {
    if HERE.with(|here| here.without_slot.get()) {
        return None;
    }
    // A thread whose destructors already ran would never give its slot back, nor its number.
    let exits = AT_EXIT.try_with(|_| ()).is_ok();
    let slot = exits.then(|| recorder.workers.take()).flatten();
    if exits {
        HERE.with(|here| here.number.set(NUMBERS.take()));
    }
    let Some(worker) = slot else {
        HERE.with(|here| here.without_slot.set(true));
        return None;
    };
    worker.kind.store(kind as u8, Relaxed);
    worker.name.store(name_index(), Relaxed);
    worker.in_poll.reset();
    worker.polls.store(0, Relaxed);
    worker.busy.store(0, Relaxed);
    worker.set_cpu_before_poll(cpu_wait::of_this_thread(), clock::ticks());
    worker.panicked_at.store(0, Relaxed);
    worker.unparked_at.store(0, Relaxed);
    worker.parks.store(0, Relaxed);
    worker.awake.store(0, Relaxed);
    worker.thread.store(super::peek::thread_id(std::thread::current().id()), Relaxed);
    worker.standing.since.store(0, Relaxed);
    let (tid, (low, high)) = crate::stacks::this_thread();
    worker.tid.store(tid, Relaxed);
    worker.stack_low.store(low, Relaxed);
    worker.stack_high.store(high, Relaxed);
    worker.owner.enter(recorder.new_id());
    HERE.with(|here| here.worker.set(Some(worker)));
    Some(worker)
}

#[cfg(test)]
mod tests {
    use std::{panic::catch_unwind, sync::mpsc, time::Duration};

    use super::*;
    use crate::testing::{recorder, runtime, wait_for, workers};

    #[test]
    fn a_poll_that_goes_on_after_a_panic_was_caught_in_it_is_seen_to() {
        let runtime = runtime("panic-caught", 1);
        let (done, wait) = mpsc::channel::<()>();
        let handle = runtime.spawn(async move {
            let caught = catch_unwind(|| panic!("on purpose"));
            // It blocks from here on.
            let _ = wait.recv();
            caught.is_err()
        });
        let panicked = || {
            let slots = recorder().workers.all().map(|(_, slot)| slot);
            slots.into_iter().find(|slot| {
                slot.panicked_at.load(Relaxed) != 0
                    && slot.read().is_some_and(|worker| worker_name(worker.name) == "panic-caught")
            })
        };
        wait_for(|| panicked().is_some());
        // While it may be printing where, nobody takes it for work.
        let poll = || workers("panic-caught").into_iter().find_map(|worker| worker.poll);
        assert!(poll().is_none());
        let slot = panicked().unwrap();
        let longer_ago = slot.panicked_at.load(Relaxed) - clock::ticks_in_ns(PANICS_NS);
        let started = slot.in_poll.read(|_| ()).map(|((), started)| started).expect("the poll goes on");
        slot.in_poll.started.store(started.min(longer_ago), Relaxed);
        slot.panicked_at.store(longer_ago, Relaxed);
        assert!(poll().is_some());
        std::thread::sleep(Duration::from_millis(1));
        done.send(()).unwrap();
        assert!(runtime.block_on(handle).unwrap());
    }
}
