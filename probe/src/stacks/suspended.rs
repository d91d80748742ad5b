//! Where tasks that sleep are suspended: asked for one by one, looked at in a poll, named with the other stacks.
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use ::tokio::sync::watch;

use super::{
    Frame,
    looking::{self, Found, Seen},
    namer::{Job, Named, Namer},
};
use crate::recorder::{
    Recorder,
    task::{TaskKind, TaskRef},
};

/// Questions that wait; more are not answered.
const WAITING: usize = 8;
/// A task that is not polled for so long has its worker blocked.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a task is suspended.
#[derive(Debug, Clone, Default)]
pub(crate) struct Suspensions {
    /// How many polls it had when this was seen: it holds until there are more.
    pub(crate) polls: u64,
    /// From what it waits for down to its own poll.
    pub(crate) stacks: Vec<Vec<Frame>>,
    /// Whether it waits for nothing but what is watched; `None` where nobody looked.
    pub(crate) only_waits: Option<bool>,
}

struct Question {
    task: u64,
    answer: watch::Sender<Suspensions>,
}

static QUESTIONS: Mutex<VecDeque<Question>> = Mutex::new(VecDeque::new());

fn questions() -> MutexGuard<'static, VecDeque<Question>> {
    // Only the probe's thread takes it.
    QUESTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks where a task is suspended. The answer comes from the watchdog's next looks, at first without the stacks, which take
/// their time to be named; it is whole once the sender is gone. It stays empty where the task runs, ended, or waits without
/// a waker, and where there are too many questions.
pub(crate) fn where_suspended(task: u64) -> watch::Receiver<Suspensions> {
    let (answer, answered) = watch::channel(Suspensions::default());
    let mut questions = questions();
    questions.retain(|question| !question.answer.is_closed());
    if questions.len() < WAITING {
        questions.push_back(Question { task, answer });
    }
    answered
}

/// Answers the questions, one at a time.
#[derive(Default)]
pub(super) struct Suspended {
    current: Option<Current>,
    /// The last answer, which holds until the task is polled again.
    last: Option<(u64, Suspensions)>,
}

/// The task in question.
struct Current {
    task: TaskRef,
    id: u64,
    answer: watch::Sender<Suspensions>,
    asked: Instant,
    /// How many polls it had then, and the end of the last of them, in ticks.
    before: (u64, u64),
    /// What was found, as far as it is named, and how much is not.
    found: Option<(Suspensions, usize)>,
}

impl Suspended {
    /// A step: from the question to the poll, from the poll to names, from names to the answer.
    pub(super) fn step(&mut self, recorder: &'static Recorder, namer: &mut Namer) {
        match self.current.take() {
            Some(current) if current.found.is_some() => self.current = Some(current),
            Some(current) => self.current = looked_at(current, namer),
            None => self.current = self.next(recorder),
        }
        self.answer();
    }

    /// Whether a task is looked at.
    pub(super) fn is_busy(&self) -> bool {
        self.current.is_some()
    }

    /// A stack of the task in question has its names.
    pub(super) fn named(&mut self, named: Named) {
        if let Some((found, to_name)) = self.current.as_mut().and_then(|current| current.found.as_mut()) {
            *to_name = to_name.saturating_sub(1);
            found.stacks.push(named.frames);
        }
    }

    fn answer(&mut self) {
        let late = |current: &mut Current| current.asked.elapsed() > PATIENCE * 10;
        let done = |current: &mut Current| current.found.as_ref().is_some_and(|(_, to_name)| *to_name == 0);
        let Some(current) = self.current.take_if(|current| done(current) || late(current)) else { return };
        if let Some((found, _)) = current.found {
            self.last = Some((current.id, found.clone()));
            current.answer.send_replace(found);
        }
    }

    /// Asks for the poll of the next task in question.
    fn next(&mut self, recorder: &'static Recorder) -> Option<Current> {
        let Question { task: id, answer } = questions().pop_front()?;
        let task = recorder.task(id).and_then(|slot| slot.retain_as(id))?;
        let before = (task.slot().polls(), task.slot().last_poll_ended());
        let known = self.last.as_ref().filter(|(of, last)| *of == id && last.polls == before.0);
        if let Some((_, known)) = known {
            answer.send_replace(known.clone());
            return None;
        }
        if !looking::ask(task.slot()) {
            return None;
        }
        Some(Current { task, id, answer, asked: Instant::now(), before, found: None })
    }
}

/// What came of the poll, if it is over.
fn looked_at(mut current: Current, namer: &mut Namer) -> Option<Current> {
    let Some(Seen { places, only_waits, ended }) = looking::answer() else {
        if current.asked.elapsed() > PATIENCE && looking::take_back() {
            current.task.slot().look_no_more();
            return None;
        }
        return Some(current);
    };
    if ended {
        return None;
    }
    let slot = current.task.slot();
    let is_root = slot.kind() == TaskKind::Root as u8;
    // One where it woke itself is none where it waits.
    let name = |place: Found| namer.name(Job::suspended(place.copy, slot.future_type(), is_root));
    let to_name = places.into_iter().filter(|place| !place.woke).map(name).filter(|&taken| taken).count();
    let (polls, slept_since) = (current.before.0 + 1, current.before.1);
    slot.slept_on(polls, slept_since);
    let found = Suspensions { polls, stacks: Vec::new(), only_waits: Some(only_waits) };
    current.answer.send_replace(found.clone());
    current.found = Some((found, to_name));
    Some(current)
}

#[cfg(test)]
#[allow(clippy::items_after_statements, reason = "each future beside its test")]
mod tests {
    use ::tokio::{
        io::AsyncReadExt as _,
        net::{TcpListener, TcpStream},
    };

    use super::*;
    use crate::{
        recorder::{peek, task::TaskSlot},
        stacks::{Watchdog, tests::only_watchdog},
        testing::{pause, runtime, wait_for},
        tokio::runtime::Runtime,
    };

    /// Spawns `future` and lets it come to rest.
    fn spawn(runtime: &Runtime, future: impl Future<Output = ()> + Send + 'static) -> u64 {
        let task = peek::task_id(runtime.spawn(future).id());
        let slot = || crate::testing::recorder().task(task);
        wait_for(|| slot().is_none_or(|slot| slot.polls() > 0 && slot.last_poll_ended() != 0));
        task
    }

    fn ask(watchdog: &mut Watchdog, task: u64) -> Suspensions {
        let answer = where_suspended(task);
        wait_for(|| {
            watchdog.look();
            watchdog.look_into_polls();
            answer.has_changed().is_err()
        });
        answer.borrow().clone()
    }

    fn users_lines(suspensions: &Suspensions) -> Vec<Vec<u32>> {
        let lines = |frames: &Vec<Frame>| frames.iter().filter(|f| f.user && f.file == file!()).map(|f| f.line).collect();
        suspensions.stacks.iter().map(lines).collect()
    }

    fn slot(task: u64) -> &'static TaskSlot {
        crate::testing::recorder().task(task).unwrap()
    }

    fn polls(task: u64) -> u64 {
        slot(task).polls()
    }

    fn slept_since(task: u64) -> u64 {
        slot(task).last_poll_ended()
    }

    #[test]
    fn a_task_that_reads_from_a_socket_is_told_with_the_lines_of_all_its_async_fns() {
        const READS: u32 = line!() + 2;
        async fn head(stream: &mut TcpStream) -> u8 {
            stream.read_u8().await.unwrap_or(0)
        }
        async fn serve(mut stream: TcpStream) {
            head(&mut stream).await;
        }
        let (_only, mut watchdog) = only_watchdog();
        let runtime = runtime("suspended-io", 2);
        let (_client, stream) = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            (client, listener.accept().await.unwrap().0)
        });
        let task = spawn(&runtime, serve(stream));
        let before = (polls(task), slept_since(task));
        let found = ask(&mut watchdog, task);
        assert_eq!(users_lines(&found), [[READS, READS + 3]], "{found:#?}");
        let stack = &found.stacks[0];
        assert!(!stack[0].function.contains("aker"), "{found:#?}");
        let awaited = stack.iter().position(|frame| frame.user).unwrap();
        assert!(stack[..awaited].iter().any(|frame| frame.function.contains("tokio::")), "{found:#?}");
        // Looked at by one wake, and not again while it sleeps on.
        assert_eq!((polls(task), found.polls), (before.0 + 1, before.0 + 1));
        assert_eq!(slept_since(task), before.1, "it has slept on");
        assert_eq!(users_lines(&ask(&mut watchdog, task)), users_lines(&found));
        assert_eq!(polls(task), before.0 + 1);
    }

    #[test]
    fn a_select_is_told_with_each_arm_that_waits() {
        async fn either() {
            ::tokio::select! {
                () = pause(60_000) => {}
                () = pause(70_000) => {}
            }
        }
        let (_only, mut watchdog) = only_watchdog();
        let runtime = runtime("suspended-select", 1);
        let task = spawn(&runtime, either());
        assert_eq!(users_lines(&ask(&mut watchdog, task)).len(), 2);
    }

    #[test]
    fn who_waits_for_one_lock_only_is_told_from_who_runs_something_else_beside() {
        use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};

        use crate::tokio::{sync::Mutex, task};

        let (_only, mut watchdog) = only_watchdog();
        let runtime = runtime("suspended-only", 1);
        let taken = || {
            let lock: &'static Mutex<()> = Box::leak(Box::new(Mutex::new(())));
            std::mem::forget(lock.try_lock().unwrap());
            lock
        };
        let again = taken();
        let alone = async move { drop(again.lock().await) };
        assert_eq!(ask(&mut watchdog, spawn(&runtime, alone)).only_waits, Some(true));
        let lock = taken();
        let joined = async move { drop(::tokio::join!(lock.lock(), pause(60_000))) };
        assert_eq!(ask(&mut watchdog, spawn(&runtime, joined)).only_waits, Some(false));
        let locks = [taken(), taken()];
        let both = async move { drop(::tokio::join!(locks[0].lock(), locks[1].lock())) };
        assert_eq!(ask(&mut watchdog, spawn(&runtime, both)).only_waits, Some(true));
        // Such a set of futures is woken by wakers of its own.
        let lock = taken();
        let set = async move {
            let futures = [lock.lock().map(drop).boxed(), pause(60_000).boxed()];
            futures.into_iter().collect::<FuturesUnordered<_>>().collect::<()>().await;
        };
        assert_eq!(ask(&mut watchdog, spawn(&runtime, set)).only_waits, Some(false));
        let joins = async { task::spawn(std::future::pending::<()>()).await.unwrap() };
        assert_eq!(ask(&mut watchdog, spawn(&runtime, joins)).only_waits, Some(true));
        let timer = spawn(&runtime, async { pause(60_000).await });
        assert_eq!(ask(&mut watchdog, timer).only_waits, Some(false));
        // It was seen so, and is when it is seen again.
        let before = ask(&mut watchdog, timer);
        assert_eq!(before.only_waits, Some(false));
    }

    #[test]
    fn a_poll_whose_asker_has_gone_is_no_end_of_all_answers() {
        let (_only, _watchdog) = only_watchdog();
        let runtime = runtime("suspended-late", 1);
        let id = spawn(&runtime, async { pause(60_000).await });
        let held = slot(id).retain_as(id).unwrap();
        let task = held.slot();
        // It lasted longer than the asker waits, so nobody fetches what was found in it.
        let polls = task.polls();
        assert!(looking::ask(task));
        wait_for(|| task.polls() > polls);
        wait_for(|| looking::ask(task));
        let mut found = None;
        wait_for(|| {
            found = looking::answer();
            found.is_some()
        });
        assert_eq!(found.map(|seen| seen.places.len()), Some(1));
    }

    #[test]
    fn a_task_that_ended_or_that_nothing_can_wake_is_left_alone() {
        let (_only, mut watchdog) = only_watchdog();
        let runtime = runtime("suspended-not", 1);
        let lost = spawn(&runtime, std::future::pending());
        assert!(ask(&mut watchdog, lost).stacks.is_empty());
        assert_eq!(polls(lost), 1);
        let ended = spawn(&runtime, async {});
        assert!(ask(&mut watchdog, ended).stacks.is_empty());
    }
}
