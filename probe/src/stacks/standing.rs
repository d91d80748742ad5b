//! Workers that stand in a poll that nobody watches: of a task that a library spawned with a tokio of its own.
//!
//! Nothing tells when such a poll begins. But the runtime's loop says when it parks its thread, so a thread that sleeps
//! outside of a park, and has not run for a moment, stands in one blocking call; whether that call is a task's, its stack
//! tells. A thread that computes is never accused: one long poll looks like many short ones.
use std::collections::HashMap;

use crate::recorder::{
    clock,
    thread::{WorkerKind, WorkerReading},
};

/// A thread that stands for less time, between two looks, may just be on its way; in nanoseconds.
pub(super) const STOOD_NS: u64 = 50_000_000;
/// Two looks further apart than this are not of one moment: the process stood still.
const APART_NS: u64 = 1_000_000_000;
/// Stacks of a thread that showed no task, after which it is left alone until it parks again.
const MAX_REFUSED: u32 = 3;

/// What was seen of the threads that may stand in such a poll.
#[derive(Default)]
pub(super) struct Standing {
    looks: HashMap<u64, Look>,
}

struct Look {
    unparked_at: u64,
    polls: u64,
    /// When it was seen first as it is now, and last; in ticks.
    since: u64,
    last: u64,
    /// How often the thread has gone to sleep, ever.
    sleeps: u64,
    /// Its stack was taken since the last look: then it went to sleep once more.
    interrupted: bool,
    /// Its stack showed a task in poll.
    in_task: bool,
    /// Its stack showed none, that often since it was parked.
    refused: u32,
}

impl Standing {
    /// Since when (ticks) the thread `tid` has stood in one blocking call outside of any watched poll, at the least; `None`
    /// if it does not, and at the first look.
    pub(super) fn since(&mut self, worker: &WorkerReading, tid: i32) -> Option<u64> {
        if worker.poll.is_some() || worker.unparked_at == 0 || worker.kind == WorkerKind::Blocking as u8 {
            self.looks.remove(&worker.id);
            return None;
        }
        let refused = self
            .looks
            .get(&worker.id)
            .filter(|look| look.unparked_at == worker.unparked_at)
            .map_or(0, |look| look.refused);
        if refused >= MAX_REFUSED {
            return None;
        }
        // Without the number the thread seems to sleep all the time, so nothing can be told.
        let sleeps = asleep(tid);
        let now = clock::ticks();
        if let (Some(sleeps), Some(look)) = (sleeps, self.looks.get_mut(&worker.id)) {
            let same = (look.unparked_at, look.polls) == (worker.unparked_at, worker.polls)
                && (look.sleeps == sleeps || look.interrupted && look.sleeps + 1 == sleeps)
                && clock::duration_ns(now.saturating_sub(look.last)) < APART_NS;
            if same {
                (look.sleeps, look.interrupted, look.last) = (sleeps, false, now);
                return Some(look.since);
            }
        }
        let look = Look {
            unparked_at: worker.unparked_at,
            polls: worker.polls,
            since: now,
            last: now,
            // No thread sleeps that often: the next look is a first one too.
            sleeps: sleeps.unwrap_or(u64::MAX - 1),
            interrupted: false,
            in_task: false,
            refused,
        };
        self.looks.insert(worker.id, look);
        None
    }

    /// Its stack is about to be taken, which wakes it for a moment.
    pub(super) fn interrupted(&mut self, worker: u64) {
        if let Some(look) = self.looks.get_mut(&worker) {
            look.interrupted = true;
        }
    }

    /// Its stack showed whether it stands in a task's poll.
    pub(super) fn seen(&mut self, worker: u64, in_task: bool) {
        if let Some(look) = self.looks.get_mut(&worker) {
            look.in_task = in_task;
            look.refused += u32::from(!in_task);
        }
    }

    /// Whether its stack has shown that it stands in a task's poll.
    pub(super) fn in_task(&self, worker: u64) -> bool {
        self.looks.get(&worker).is_some_and(|look| look.in_task)
    }

    /// Forgets threads that are gone.
    pub(super) fn retain(&mut self, mut is_there: impl FnMut(u64) -> bool) {
        self.looks.retain(|&worker, _| is_there(worker));
    }
}

/// How often a thread of this process has gone to sleep, if it sleeps.
fn asleep(tid: i32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/self/task/{tid}/status")).ok()?;
    let field = |name: &str| Some(status.lines().find_map(|line| line.strip_prefix(name))?.trim());
    field("State:")?.starts_with(['S', 'D']).then(|| field("voluntary_ctxt_switches:")?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use super::*;

    #[test]
    fn a_thread_that_sleeps_on_is_told_from_one_that_ran_in_between() {
        let (tell, told) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            // SAFETY: it only returns a number.
            tell.send(unsafe { libc::gettid() }).unwrap();
            while wait.recv().is_ok() {}
        });
        let tid = told.recv().unwrap();
        let pause = || std::thread::sleep(Duration::from_millis(100));
        pause();
        let before = asleep(tid).unwrap();
        pause();
        assert_eq!(asleep(tid), Some(before));
        go.send(()).unwrap();
        pause();
        assert!(asleep(tid).unwrap() > before);
        drop(go);
        thread.join().unwrap();
        assert_eq!(asleep(tid), None);
        // SAFETY: as above.
        assert_eq!(asleep(unsafe { libc::gettid() }), None, "this thread runs");
    }

    #[test]
    fn a_thread_that_shows_no_task_is_left_alone() {
        crate::recorder::start(crate::recorder::DEFAULT_LIMIT_BYTES);
        let (tell, told) = mpsc::channel();
        let (go, wait) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            // SAFETY: it only returns a number.
            tell.send(unsafe { libc::gettid() }).unwrap();
            let _ = wait.recv();
        });
        let tid = told.recv().unwrap();
        std::thread::sleep(Duration::from_millis(100));
        let mut worker = WorkerReading {
            id: 1,
            kind: WorkerKind::Worker as u8,
            name: 0,
            poll: None,
            unparked_at: 7,
            unwatched_since: 0,
            polls: 3,
            busy: 0,
            parks: 0,
            thread: 1,
        };
        let mut standing = Standing::default();
        assert_eq!(standing.since(&worker, tid), None, "one look proves nothing");
        let since = standing.since(&worker, tid).unwrap();
        assert_eq!(standing.since(&worker, tid), Some(since));
        for _ in 0..MAX_REFUSED {
            assert!(standing.since(&worker, tid).is_some());
            standing.seen(1, false);
        }
        assert_eq!(standing.since(&worker, tid), None);
        worker.unparked_at = 8;
        assert_eq!(standing.since(&worker, tid), None, "a first look again");
        assert!(standing.since(&worker, tid).is_some());
        worker.polls += 1;
        assert_eq!(standing.since(&worker, tid), None, "it has polled a watched task");
        worker.unparked_at = 0;
        assert_eq!(standing.since(&worker, tid), None, "it is parked");
        drop(go);
        thread.join().unwrap();
    }
}
