//! One task.
use std::sync::Arc;
use std::time::Duration;

use async_inspect_proto::HISTOGRAM_BUCKETS;

use smallvec::SmallVec;

use super::window::Window;
use super::{ChannelId, Histogram, LockId, SiteId, Stamp};

/// A task's id, tokio's own; roots of `block_on` have the top bit set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskId(pub u64);

/// How a task came to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum TaskKind {
    /// `spawn`
    #[default]
    Async,
    /// `spawn_blocking`
    Blocking,
    /// The future of a `block_on`.
    Root,
    /// `spawn_local`
    Local,
    /// Spawned by a library, and known only while it waits for something: nothing is known of its polls, its birth and its
    /// end. Its site is where it waits.
    Unwatched,
}

/// What a task does right now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskState {
    /// Spawned, not polled yet.
    #[default]
    New,
    /// In a poll.
    Running,
    /// Woken, waiting for a worker.
    Scheduled,
    /// Waiting to be woken.
    Idle,
    /// Ended; its handle is still held.
    Done,
    /// Ended by a panic.
    Panicked,
    /// Aborted or dropped.
    Cancelled,
}

impl TaskState {
    /// All states, in the order of a task's life.
    pub const ALL: [TaskState; 7] =
        [Self::New, Self::Running, Self::Scheduled, Self::Idle, Self::Done, Self::Panicked, Self::Cancelled];

    /// Whether the task has ended.
    pub fn ended(self) -> bool {
        matches!(self, Self::Done | Self::Panicked | Self::Cancelled)
    }
}

/// What became of a task's handle.
#[allow(clippy::struct_excessive_bools)] // They are independent facts, as on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskFlags {
    /// Somebody holds a `JoinHandle` or `JoinSet` with it.
    pub handle_held: bool,
    /// The handle was awaited at least once.
    pub handle_awaited: bool,
    /// The handle was dropped before the task ended.
    pub handle_dropped: bool,
    /// `abort` was called.
    pub aborted: bool,
    /// It waits for more things at once than [`Task::waits`] lists.
    pub more_waits: bool,
}

/// What a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WaitFor {
    /// To acquire a lock; of an `RwLock`, to write.
    Lock(LockId),
    /// To read what an `RwLock` guards.
    Read(LockId),
    /// For room in a channel.
    Send(ChannelId),
    /// For a message.
    Recv(ChannelId),
    /// For a task to end; `TaskId(0)` for any task of a `JoinSet`.
    Join(TaskId),
    /// For the answer of a oneshot channel that was made there.
    Oneshot(SiteId),
    /// For the receivers of a channel to go, or to close it.
    Closed(ChannelId),
    /// The same of a oneshot channel that was made there.
    OneshotClosed(SiteId),
    /// For a moment, which comes so long after the wait began; zero when that is not known.
    Timer(Duration),
}

impl WaitFor {
    /// The lock, whatever it is wanted for.
    pub fn lock(self) -> Option<LockId> {
        match self {
            Self::Lock(id) | Self::Read(id) => Some(id),
            _ => None,
        }
    }
}

/// One await that is pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// For what.
    pub on: WaitFor,
    /// The awaiting line.
    pub site: SiteId,
    /// Since when.
    pub since: Stamp,
}

/// The pending awaits of a task. Most that wait do so for one thing, which needs no memory of its own.
pub type Waits = SmallVec<[Wait; 1]>;

/// One task.
#[derive(Debug, Clone, Default)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// How it came to be.
    pub kind: TaskKind,
    /// Where it was spawned.
    pub site: SiteId,
    /// Its own name; empty when none was given.
    pub name: Arc<str>,
    /// When it was spawned.
    pub spawned_at: Stamp,
    /// Size of its future, in bytes.
    pub future_bytes: u32,
    /// The task that spawned it; 0 when none did.
    pub parent: TaskId,

    /// What it does.
    pub state: TaskState,
    /// Since when.
    pub state_since: Stamp,
    /// Completed polls.
    pub polls: u64,
    /// Time in completed polls.
    pub busy: Duration,
    /// The longest.
    pub max_poll: Duration,
    /// Times it was woken, by itself included.
    pub wakes: u64,
    /// Times it woke itself during a poll.
    pub self_wakes: u64,
    /// Time from wake to poll: sum.
    pub sched_total: Duration,
    /// Time from wake to poll: maximum.
    pub sched_max: Duration,
    /// Time from wake to poll: the bucket of a [`Histogram`](super::Histogram) in which its 99th percentile falls; `None`
    /// when not known.
    pub sched_p99_bucket: Option<u8>,
    /// What became of its handle.
    pub flags: TaskFlags,
    /// Its pending awaits.
    pub waits: Waits,
    /// Wakers of it that are alive, at most: handles to abort it count too. `None` when not known; 0 when nothing is
    /// left that could wake it.
    pub wakers: Option<u32>,
    /// The `CancellationToken` that it listens to; 0 for none.
    pub token: LockId,
    /// The `TaskTracker` that it is a task of; 0 for none.
    pub tracker: LockId,

    /// Share of one core over the last second or so, 0 to 1.
    pub busy_share: f64,
    /// Polls per second over the same time.
    pub polls_per_s: f64,

    /// What [`super::Model::apply`] remembers of it.
    pub(crate) track: TaskTrack,
}

/// What `apply` remembers of a task beside what it shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TaskTrack {
    pub(super) generation: u32,
    /// A reading has come, so that the next one's counters can be compared.
    pub(super) seen: bool,
    /// It is queued to have its rates cleared once it goes quiet.
    pub(super) queued: bool,
    /// The state, and its beginning, that it was last put in a queue for.
    pub(super) queued_at: (TaskState, Stamp),
    pub(super) window: Window,
}

/// A future that is smaller refers to nothing that anybody else has: there is room for its own state alone.
const NOTHING: u32 = 4;

impl Task {
    /// How long after a wake its polls come, but for one of a hundred: no longer than this. `None` when not known.
    pub fn sched_p99(&self) -> Option<Duration> {
        let bucket = usize::from(self.sched_p99_bucket.filter(|_| self.wakes > 0)?);
        let last = bucket + 1 >= HISTOGRAM_BUCKETS;
        Some(if last { self.sched_max } else { self.sched_max.min(Histogram::bound(bucket)) })
    }

    /// Whether its future has no room for anything that could be waited for, and nobody waits for its end: it is meant to
    /// sleep.
    pub fn waits_for_nothing(&self) -> bool {
        let may_stay = self.tracker.0 == 0 && self.token.0 == 0 && !self.flags.handle_awaited;
        may_stay && (1..NOTHING).contains(&self.future_bytes)
    }

    /// Whether it has ended and its result can still be asked for.
    pub fn unjoined(&self) -> bool {
        self.flags.handle_held && self.state.ended()
    }

    /// Whether it runs on although its handle was dropped, never awaited and not aborted.
    pub fn detached(&self) -> bool {
        let TaskFlags { handle_dropped, handle_awaited, aborted, .. } = self.flags;
        handle_dropped && !handle_awaited && !aborted && !self.state.ended()
    }
}

/// How many tasks are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateCounts([u64; TaskState::ALL.len()]);

impl StateCounts {
    /// Tasks in `state`.
    pub fn get(&self, state: TaskState) -> u64 {
        self.0[state as usize]
    }

    /// Tasks that have not ended.
    pub fn live(&self) -> u64 {
        TaskState::ALL.iter().filter(|state| !state.ended()).map(|&state| self.get(state)).sum()
    }

    /// Tasks that are shown one by one, ended ones whose handle is still held included.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) fn add(&mut self, state: TaskState) {
        self.0[state as usize] += 1;
    }

    pub(super) fn remove(&mut self, state: TaskState) {
        self.0[state as usize] = self.0[state as usize].saturating_sub(1);
    }
}
