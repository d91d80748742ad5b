//! Which polls are looked at, and when.
use std::{collections::HashMap, time::Duration};

use super::{
    Cause, Sight, SightKind, Stack, cause,
    long_polls::LongPolls,
    moments,
    namer::{self, Job, Long, Named, Namer, Of},
    signal::{self, Mark},
    spinning::{self, Spinning},
    suspended::Suspended,
    unwatched::Unwatched,
};
use crate::recorder::{
    Recorder, clock, cpu_wait, standstill,
    task::{TaskKind, TaskReading, TaskSlot},
    thread::{WorkerKind, WorkerReading, WorkerSlot},
};

/// A poll that runs this long is looked at, in nanoseconds.
const BLOCKED_NS: u64 = 100_000_000;
/// Looks at one poll, and the time between two of them, which doubles each time.
const MAX_SAMPLES: u32 = 5;
const FIRST_PAUSE_NS: u64 = 150_000_000;
/// Looks between two ticks, where that may prove within this tick what a thread is in, and the time before each.
const CLOSER_LOOKS: u32 = 2;
const LOOK_PAUSE: Duration = Duration::from_millis(20);
/// The time before each of those that are to find polls of a hundredth of a second while they last.
const SHORT_PAUSE: Duration = Duration::from_millis(4);
/// What happens is seen for so long after a tick, in nanoseconds.
const ATTENDED_NS: u64 = 1_000_000_000;

/// Looks at polls that do not end.
pub(crate) struct Watchdog {
    recorder: &'static Recorder,
    /// By worker: the poll that was looked at last.
    seen: HashMap<u64, Seen>,
    unwatched: Unwatched,
    /// By worker, where it did not answer.
    deaf: HashMap<u64, Deaf>,
    suspended: Suspended,
    spinning: Spinning,
    long_polls: LongPolls,
    sights: Vec<Sight>,
    /// When threads in polls that nobody watches were looked at last, in ticks.
    looked_closer_at: u64,
    namer: Namer,
    /// What was named since the last tick, as far as it was fetched.
    fetched: Vec<Named>,
    /// Why no stack can be taken, said once.
    broken: Option<signal::Unavailable>,
}

/// A thread that gave no copy of its stack, since it blocks signals or is stuck in the kernel. Each question costs the
/// probe's thread the time that an answer may take, so it is asked more and more rarely.
struct Deaf {
    questions: u32,
    /// In ticks.
    again_at: u64,
}

/// After so many questions in a row without an answer there is a pause, which doubles up to a minute.
const QUESTIONS: u32 = 2;
const FIRST_SILENCE_NS: u64 = 1_000_000_000;
const LONGEST_SILENCE_NS: u64 = 60_000_000_000;

impl Deaf {
    fn did_not_answer(&mut self, now: u64) {
        self.questions += 1;
        if let Some(doubled) = self.questions.checked_sub(QUESTIONS) {
            let silence = (FIRST_SILENCE_NS << doubled.min(6)).min(LONGEST_SILENCE_NS);
            self.again_at = now + clock::ticks_in_ns(silence);
        }
    }
}

/// A poll that a thread is in.
struct Poll {
    /// 0 when nobody watches it.
    task: u64,
    /// In ticks; of one that nobody watches, at the latest.
    started: u64,
    /// The future's type, as far as it is known.
    future: &'static str,
    is_root: bool,
}

struct Seen {
    poll_started: u64,
    samples: u32,
    next_at: u64,
    causes: Vec<Cause>,
}

impl Watchdog {
    /// Installs the signal handler, unless stacks are switched off.
    pub(crate) fn new(recorder: &'static Recorder, enabled: bool) -> Self {
        Self {
            recorder,
            seen: HashMap::new(),
            unwatched: Unwatched::default(),
            deaf: HashMap::new(),
            suspended: Suspended::default(),
            spinning: Spinning::default(),
            long_polls: LongPolls::default(),
            sights: Vec::new(),
            looked_closer_at: 0,
            namer: Namer::new(recorder),
            fetched: Vec::new(),
            broken: if enabled { signal::install().err() } else { Some(signal::Unavailable::SwitchedOff) },
        }
    }

    /// Why this process shows no stacks, if it does not.
    pub(crate) fn unavailable(&self) -> Option<String> {
        self.broken.as_ref().map(ToString::to_string)
    }

    /// Stacks that were taken and not named, for want of time.
    pub(crate) fn shed(&self) -> u64 {
        self.namer.shed()
    }

    /// CPU time that naming took, in nanoseconds.
    pub(crate) fn cpu_ns(&self) -> u64 {
        self.namer.cpu_ns()
    }

    /// Takes the stacks that are due, and gives those that have got their names meanwhile.
    pub(crate) fn look(&mut self) -> Vec<Stack> {
        if self.broken.is_some() {
            return Vec::new();
        }
        let now = clock::ticks();
        let recorder = self.recorder;
        let workers: Vec<_> = recorder.workers.all().filter_map(|(_, slot)| Some((slot, slot.read()?))).collect();
        let is_there = |id: u64| workers.iter().any(|(_, worker)| worker.id == id);
        self.unwatched.retain(is_there);
        self.deaf.retain(|&id, _| is_there(id));
        self.seen.retain(|&id, _| is_there(id));
        self.long_polls.retain(is_there);
        self.long_polls.tick(recorder, now);
        moments::look_until(now + clock::ticks_in_ns(ATTENDED_NS));
        let mut named = std::mem::take(&mut self.fetched);
        named.extend(self.namer.named());
        for (slot, worker) in workers {
            self.look_at(slot, &worker, now);
        }
        for (what, copy) in moments::take() {
            self.namer.name(Job::moment(what, copy));
        }
        let stacks = named.into_iter().filter_map(|named| self.named(named)).collect();
        self.looked_closer_at = now;
        stacks
    }

    /// Goes on with the polls that somebody asks about. Once this tick's state was read: a task that is woken for it runs at
    /// this very moment, and is still asleep as far as the app is concerned.
    pub(crate) fn look_into_polls(&mut self) {
        if self.broken.is_some() {
            return;
        }
        // One poll is looked at at a time.
        if !self.spinning.is_busy() {
            self.suspended.step(self.recorder, &mut self.namer);
        }
        if !self.suspended.is_busy() {
            self.spinning.step(&mut self.namer);
        }
    }

    /// What was seen since the last call.
    pub(crate) fn sights(&mut self) -> Vec<Sight> {
        std::mem::take(&mut self.sights)
    }

    /// Nobody looks any more.
    pub(crate) fn stop(&mut self) {
        self.spinning.stop();
    }

    /// A task was polled, or changed otherwise, since the last look.
    pub(crate) fn polled(&mut self, slot: &'static TaskSlot, task: &TaskReading) {
        if self.broken.is_none() {
            self.spinning.polled(slot, task);
        }
    }

    /// How long to wait before the next look, after so many since the tick, where one is wanted before the next tick: some
    /// poll that nobody watches is marked, and not proven yet to be the one that goes on; or polls of some site were too
    /// long lately, and are looked at while they last.
    pub(crate) fn closer_look(&self, looks: u32) -> Option<Duration> {
        if self.long_polls.wants_look() {
            return Some(SHORT_PAUSE);
        }
        (looks < CLOSER_LOOKS && self.unwatched.unproven().next().is_some()).then_some(LOOK_PAUSE)
    }

    /// Looks at such polls before the next tick, so that one that is over by then is known too.
    pub(crate) fn look_closer(&mut self) {
        let now = clock::ticks();
        let often = clock::duration_ns(now.saturating_sub(self.looked_closer_at)) < LOOK_PAUSE.as_nanos() as u64;
        let unproven: Vec<u64> = if often { Vec::new() } else { self.unwatched.unproven().collect() };
        if !often {
            self.looked_closer_at = now;
        }
        self.fetched.extend(self.namer.named());
        for (slot, worker) in self.recorder.workers.all().filter_map(|(_, slot)| Some((slot, slot.read()?))) {
            if unproven.contains(&worker.id) {
                self.look_at(slot, &worker, now);
            } else if let Some(site) = self.long_polls.is_due(&worker, now)
                && !self.namer.is_behind()
            {
                self.look_at_long(slot, &worker, site, now);
            }
        }
    }

    /// Takes the stack of a poll that may become too long.
    fn look_at_long(&mut self, slot: &WorkerSlot, worker: &WorkerReading, site: u32, now: u64) {
        let Some(poll) = worker.poll.filter(|_| !self.deaf.contains_key(&worker.id)) else { return };
        let state = cpu_wait::thread_state(slot.tid());
        let copy = signal::copy(slot.tid(), slot.stack(), Mark::No);
        self.long_polls.looks_at(worker.id, poll.started, site, now);
        let is_root = poll.task.kind() == TaskKind::Root as u8;
        match copy {
            None => self.deaf.entry(worker.id).or_insert(Deaf { questions: 0, again_at: 0 }).did_not_answer(now),
            Some(copy) if is_same(slot, worker) => {
                self.namer.name(Job::long(Long { site, at: now }, copy, state, is_root));
            }
            Some(_) => {}
        }
    }

    /// Takes the stack of a thread whose poll lasts, watched or not, if one is due, and has it named.
    fn look_at(&mut self, slot: &WorkerSlot, worker: &WorkerReading, now: u64) {
        let watched = worker.poll.map(|poll| Poll {
            task: poll.task_id,
            started: poll.started,
            future: poll.task.future_type(),
            is_root: poll.task.kind() == TaskKind::Root as u8,
        });
        let mark = match &watched {
            Some(poll) if self.is_due(worker, poll, now) => Mark::No,
            None if !Unwatched::may_be_in_one(worker, now) => return,
            None if self.unwatched.wants_mark(worker) => Mark::Lower(now as u32 ^ (now >> 32) as u32),
            None => Mark::Read,
            Some(_) => return,
        };
        if self.deaf.get(&worker.id).is_some_and(|deaf| now < deaf.again_at) {
            return;
        }
        let state = cpu_wait::thread_state(slot.tid());
        let copy = signal::copy(slot.tid(), slot.stack(), mark);
        if copy.is_some() {
            self.deaf.remove(&worker.id);
        } else {
            self.deaf.entry(worker.id).or_insert(Deaf { questions: 0, again_at: 0 }).did_not_answer(now);
        }
        // The poll may have ended meanwhile: then the copy shows something else.
        let same = is_same(slot, worker);
        let poll = if let Some(poll) = watched {
            poll
        } else {
            let marked = copy.as_ref().filter(|_| same).and_then(|copy| copy.marked);
            let since = self.unwatched.since(worker, marked, now);
            slot.stands(worker, since.unwrap_or(0));
            let Some(started) = since else { return };
            Poll { task: 0, started, future: "", is_root: false }
        };
        if !self.is_due(worker, &poll, now) {
            return;
        }
        match copy {
            Some(copy) if same => {
                self.note(worker, &poll, now);
                let seen = namer::Seen { worker: worker.id, task: poll.task, started: poll.started, at: now };
                self.namer.name(Job::blocked(seen, copy, state, poll.future, poll.is_root));
            }
            Some(_) => {}
            None => self.note(worker, &poll, now).causes.push(Cause::Unknown),
        }
    }

    /// What is told: of a blocked poll its stack, of others a line.
    fn named(&mut self, named: Named) -> Option<Stack> {
        match named.of.clone() {
            Of::Blocked(seen) => return Some(self.stack(&seen, named)),
            Of::Suspended => self.suspended.named(named),
            Of::Moment(what) => self.sights.extend(sight(what, named)),
            Of::Long(Long { site, at }) => {
                let Named { frames, cause, .. } = named;
                self.sights.extend(self.long_polls.named(site, frames, cause, at));
            }
        }
        None
    }

    /// That of a poll which is over by now is still what it was blocked in.
    fn stack(&mut self, seen: &namer::Seen, named: Named) -> Stack {
        let namer::Seen { worker, task, started: poll_started, at } = *seen;
        let Named { frames, cause, .. } = named;
        let known = self.seen.get_mut(&worker).filter(|known| known.poll_started == poll_started);
        let (cause, samples) = known.map_or((cause, 1), |known| {
            known.causes.push(cause);
            (cause::agreed(&known.causes), known.causes.len() as u32)
        });
        Stack { worker, task, poll_started, at, frames, cause, samples }
    }

    fn is_due(&self, worker: &WorkerReading, poll: &Poll, now: u64) -> bool {
        // A blocking task is meant to block.
        let ran = || now.saturating_sub(poll.started).saturating_sub(standstill::within(poll.started, now));
        if worker.kind == WorkerKind::Blocking as u8 || clock::duration_ns(ran()) < BLOCKED_NS {
            return false;
        }
        self.seen
            .get(&worker.id)
            .is_none_or(|seen| seen.poll_started != poll.started || (seen.samples < MAX_SAMPLES && now >= seen.next_at))
    }

    fn note(&mut self, worker: &WorkerReading, poll: &Poll, now: u64) -> &mut Seen {
        let new = || Seen { poll_started: poll.started, samples: 0, next_at: 0, causes: Vec::new() };
        let seen = self.seen.entry(worker.id).or_insert_with(new);
        if seen.poll_started != poll.started {
            *seen = new();
        }
        seen.next_at = now + clock::ticks_in_ns(FIRST_PAUSE_NS << seen.samples);
        seen.samples += 1;
        seen
    }
}

/// The app's own line at which it happened, the innermost; `None` where that is not known.
fn sight(what: namer::Moment, named: Named) -> Option<Sight> {
    let namer::Moment { kind, of, at } = what;
    if kind == SightKind::SelfWake && !spinning::wakes_itself(&named.frames) {
        return None;
    }
    let frame = named.frames.into_iter().find(|frame| frame.user)?;
    Some(Sight { kind, of, at, frame, cause: Cause::Unknown })
}

/// Whether the thread is still in the poll that it was in, if any.
fn is_same(slot: &WorkerSlot, worker: &WorkerReading) -> bool {
    slot.read().is_some_and(|now| {
        now.id == worker.id
            && now.unparked_at == worker.unparked_at
            && now.polls == worker.polls
            && now.poll.map(|poll| poll.started) == worker.poll.map(|poll| poll.started)
    })
}

#[cfg(test)]
#[allow(clippy::unused_async, clippy::items_after_statements, reason = "futures that block, each beside its test")]
mod tests {
    use std::{
        panic::Location,
        sync::atomic::{AtomicBool, Ordering::Relaxed},
        time::Duration,
    };

    use super::*;
    use crate::{
        recorder::{
            self,
            poll::Tracked,
            site::{OutputKind, SiteInfo, SiteKind},
            task::TaskSlot,
        },
        stacks::{Cause, tests::only_watchdog},
        testing::wait_for,
    };

    #[track_caller]
    fn run<F: Future<Output = ()> + Send + 'static>(future: F) -> std::thread::JoinHandle<()> {
        let info = SiteInfo {
            kind: SiteKind::Spawn,
            location: Location::caller().into(),
            type_name: std::any::type_name::<F>(),
            output: OutputKind::Unit,
            future_bytes: 0,
        };
        recorder::start(recorder::DEFAULT_LIMIT_BYTES);
        std::thread::spawn(move || {
            let recorder = recorder::active().unwrap();
            let task = TaskSlot::register(recorder, &info, TaskKind::Async, 1);
            let runtime = ::tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let tracked = Tracked::new(future, task);
            runtime.block_on(async { ::tokio::spawn(tracked).await.unwrap() });
        })
    }

    /// The stack that names `function`, however long naming takes.
    fn stack_of(watchdog: &mut Watchdog, function: &str) -> Stack {
        let mut found = None;
        wait_for(|| {
            // Other tests of this process have blocked polls too.
            let ours = |stack: &Stack| stack.frames.iter().any(|frame| frame.function.ends_with(function));
            found = watchdog.look().into_iter().find(ours);
            found.is_some()
        });
        found.unwrap()
    }

    #[test]
    fn the_stack_of_a_sleeping_poll_names_the_line_in_the_users_code() {
        static SEEN: AtomicBool = AtomicBool::new(false);
        let line = line!() + 3;
        async fn load_config() {
            while !SEEN.load(Relaxed) {
                std::thread::sleep(Duration::from_millis(200));
            }
        }
        let (_only, mut watchdog) = only_watchdog();
        let thread = run(load_config());
        let stack = stack_of(&mut watchdog, "load_config");
        SEEN.store(true, Relaxed);
        let user = stack.frames.iter().find(|frame| frame.user).unwrap();
        assert_eq!((user.file.as_str(), user.line), (file!(), line), "{:#?}", stack.frames);
        assert!(user.function.ends_with("load_config"), "{}", user.function);
        assert_eq!(stack.cause, Cause::Sleep);
        thread.join().unwrap();
    }

    #[test]
    fn a_computing_poll_is_told_from_a_waiting_one() {
        static SEEN: AtomicBool = AtomicBool::new(false);
        async fn hash_all() {
            let mut x = 1_u64;
            while !SEEN.load(Relaxed) {
                for _ in 0..1000 {
                    x = std::hint::black_box(x.wrapping_mul(31) ^ 7);
                }
            }
        }
        let (_only, mut watchdog) = only_watchdog();
        let thread = run(hash_all());
        let stack = stack_of(&mut watchdog, "hash_all");
        SEEN.store(true, Relaxed);
        assert_eq!(stack.cause, Cause::Cpu, "{:#?}", stack.frames);
        assert!(stack.frames.iter().any(|frame| frame.user && frame.function.ends_with("hash_all")), "{stack:#?}");
        thread.join().unwrap();
    }

    #[test]
    fn the_future_of_a_block_on_that_computes_is_not_taken_for_a_nested_one() {
        static SEEN: AtomicBool = AtomicBool::new(false);
        async fn read_config() {
            while !SEEN.load(Relaxed) {
                std::hint::black_box((0..1000_u64).sum::<u64>());
            }
        }
        let (_only, mut watchdog) = only_watchdog();
        let main = std::thread::spawn(|| {
            crate::testing::recorder();
            crate::tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(read_config());
        });
        let stack = stack_of(&mut watchdog, "read_config");
        SEEN.store(true, Relaxed);
        assert_eq!(stack.cause, Cause::Cpu, "{:#?}", stack.frames);
        main.join().unwrap();
    }

    #[test]
    fn a_poll_that_stands_in_a_std_lock_is_told_so() {
        static LOCK: std::sync::Mutex<()> = std::sync::Mutex::new(());
        let held = LOCK.lock().unwrap();
        async fn update() {
            drop(LOCK.lock().unwrap());
        }
        let (_only, mut watchdog) = only_watchdog();
        let thread = run(update());
        let stack = stack_of(&mut watchdog, "update");
        assert_eq!(stack.cause, Cause::Lock, "{:#?}", stack.frames);
        drop(held);
        thread.join().unwrap();
    }
}
