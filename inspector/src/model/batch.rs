//! What one update says, with every string resolved and cleaned: the rows that `decode` hands to [`super::Model::apply`].
//!
//! A *birth* says what an entity is and comes once; a *reading* carries its cumulative counters and its present state,
//! and replaces the reading before it.
use std::sync::Arc;
use std::time::Duration;

use super::{
    ChannelId, ChannelKind, Cost, CutShort, Disposal, Disposed, Histogram, Holder, LockId, LockKind, LockOrder, Loss,
    OneshotReading, OutputKind, Panic, RuntimeReading, Seen, Sight, SiteId, SiteKind, Stack, Stamp, TaskDetails,
    TaskFlags, TaskId, TaskKind, TaskState, Waits, WorkerId, WorkerKind,
};

/// What `decode` made of one update.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// When it was read, on the target's clock.
    pub now: Stamp,
    /// The first part of a whole snapshot: what is not in it is no longer there.
    pub snapshot_begin: bool,
    /// The last part of a snapshot.
    pub snapshot_end: bool,
    /// What a recording has of tasks that were asked about before this.
    pub answers: Vec<(TaskId, TaskDetails)>,
    /// Sites not sent before on this connection.
    pub sites: Vec<SiteBirth>,
    /// Totals of spawn sites.
    pub site_totals: Vec<SiteReading>,
    /// New tasks.
    pub task_births: Vec<TaskBirth>,
    /// Tasks that changed.
    pub task_states: Vec<TaskReading>,
    /// New locks.
    pub lock_births: Vec<LockBirth>,
    /// Locks that changed.
    pub lock_states: Vec<LockReading>,
    /// Locks that changed and of which holds were ever cut short.
    pub cut_shorts: Vec<CutShortReading>,
    /// Who did away with something last, of what changed.
    pub disposals: Vec<(Disposed, Disposal)>,
    /// Lines at which something was seen: what, of what comes from which site, and where.
    pub sights: Vec<(Seen, SiteId, Sight)>,
    /// Orders in which locks were taken that were seen again.
    pub lock_orders: Vec<LockOrder>,
    /// New channels.
    pub channel_births: Vec<ChannelBirth>,
    /// Channels that changed.
    pub channel_states: Vec<ChannelReading>,
    /// Totals of sites of oneshot channels.
    pub oneshots: Vec<OneshotReading>,
    /// Threads that poll.
    pub worker_states: Vec<WorkerReading>,
    /// All runtimes; `None` when nothing is said of them.
    pub runtimes: Option<Vec<RuntimeReading>>,
    /// Panics of tasks.
    pub panics: Vec<Panic>,
    /// Stacks of polls that do not end.
    pub stacks: Vec<Stack>,
    /// Tasks that are no longer known.
    pub gone_tasks: Vec<TaskId>,
    /// Locks that were dropped.
    pub gone_locks: Vec<LockId>,
    /// Channels that were dropped.
    pub gone_channels: Vec<ChannelId>,
    /// Threads that ended.
    pub gone_workers: Vec<WorkerId>,
    /// What is not shown one by one.
    pub loss: Option<Loss>,
    /// What the probe takes; its share is worked out by the model.
    pub cost: Option<Cost>,
}

/// A place in the source.
#[derive(Debug, Clone, Default)]
pub struct SiteBirth {
    /// Its id.
    pub id: SiteId,
    /// What happens there.
    pub kind: SiteKind,
    /// `path:line:column`.
    pub location: String,
    /// What things made there go by.
    pub name: Arc<str>,
    /// What its tasks return.
    pub output: OutputKind,
}

/// Totals of one spawn site; fields as in [`super::Site`].
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct SiteReading {
    pub site: SiteId,
    pub spawned: u64,
    pub finished: u64,
    pub shed: u64,
    pub finished_busy: Duration,
    pub finished_polls: u64,
    pub max_poll: Duration,
    pub slow_polls: u64,
    pub slow_poll_total: Duration,
    /// The newest slow poll: how long, when it ended, which task.
    pub last_slow_poll: Duration,
    pub last_slow_poll_at: Stamp,
    pub last_slow_poll_task: TaskId,
    pub handles_dropped: u64,
    pub errors_lost: u64,
    pub panics: u64,
    pub panics_lost: u64,
    pub aborted: u64,
    pub aborted_age: Duration,
}

/// A new task; fields as in [`super::Task`].
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct TaskBirth {
    pub id: TaskId,
    pub kind: TaskKind,
    pub site: SiteId,
    pub name: Arc<str>,
    pub spawned_at: Stamp,
    pub future_bytes: u32,
    pub parent: TaskId,
}

/// A task's state and counters; fields as in [`super::Task`].
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct TaskReading {
    pub id: TaskId,
    pub state: TaskState,
    pub state_since: Stamp,
    pub polls: u64,
    pub busy: Duration,
    pub max_poll: Duration,
    pub wakes: u64,
    pub self_wakes: u64,
    pub sched_total: Duration,
    pub sched_max: Duration,
    pub sched_p99_bucket: Option<u8>,
    pub flags: TaskFlags,
    pub waits: Waits,
    pub wakers: Option<u32>,
    pub token: LockId,
    pub tracker: LockId,
}

/// A new lock; fields as in [`super::Lock`].
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct LockBirth {
    pub id: LockId,
    pub kind: LockKind,
    pub site: SiteId,
    pub name: Arc<str>,
    pub parent: LockId,
}

/// A lock's state and counters; fields as in [`super::Lock`].
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct LockReading {
    pub id: LockId,
    pub holder: TaskId,
    pub holder_site: SiteId,
    pub held_since: Option<Stamp>,
    pub holder_may_move: bool,
    pub holders: Vec<Holder>,
    pub holder_count: u32,
    pub permits_total: u64,
    pub permits_available: u64,
    pub forgotten: u64,
    pub closed: bool,
    pub closed_at: Option<Stamp>,
    pub closed_site: SiteId,
    pub closed_by: TaskId,
    pub waiting_writers: u32,
    pub lost_notifies: u64,
    pub last_lost_notify_at: Option<Stamp>,
    pub last_lost_notify_site: SiteId,
    pub waiters: u32,
    pub acquires: u64,
    pub contended: u64,
    pub wait_total: Duration,
    pub wait_max: Duration,
    pub wait_hist: Histogram,
    pub hold_total: Duration,
    pub hold_max: Duration,
    pub hold_max_site: SiteId,
    pub hold_hist: Histogram,
    pub suspended_holds: u64,
    /// The newest completed hold with a suspension in it.
    pub last_suspended: Duration,
    pub last_suspended_at: Stamp,
    pub last_suspended_site: SiteId,
    pub last_suspended_waiters: u32,
}

/// Holds of a lock that were cut short.
#[derive(Debug, Clone, Copy, Default)]
#[allow(missing_docs)]
pub struct CutShortReading {
    pub lock: LockId,
    /// How many there were, ever.
    pub times: u64,
    pub newest: CutShort,
}

/// A new channel; fields as in [`super::Channel`].
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct ChannelBirth {
    pub id: ChannelId,
    pub kind: ChannelKind,
    pub site: SiteId,
    pub name: Arc<str>,
    pub capacity: Option<u64>,
    pub inferred: bool,
}

/// A channel's state and counters; fields as in [`super::Channel`].
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct ChannelReading {
    pub id: ChannelId,
    pub sent: u64,
    pub received: u64,
    pub lagged: u64,
    pub messages_lost: u64,
    pub last_lag_at: Option<Stamp>,
    pub last_lag_task: TaskId,
    pub last_lag_site: SiteId,
    pub unheard: u64,
    pub blocked_senders: u32,
    /// Of those: that have a message to send.
    pub blocked_with_message: u32,
    pub sends_blocked: u64,
    pub send_wait_total: Duration,
    pub senders: u32,
    pub receivers: u32,
    pub closed: bool,
    pub last_recv_at: Option<Stamp>,
    pub receiver_task: TaskId,
    pub recv_site: SiteId,
    pub last_send_at: Option<Stamp>,
    pub sender_task: TaskId,
    pub send_site: SiteId,
}

/// What a thread does; fields as in [`super::Worker`].
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct WorkerReading {
    pub id: WorkerId,
    pub kind: WorkerKind,
    pub name: Arc<str>,
    pub poll: Option<(TaskId, Stamp)>,
    pub polls: u64,
    pub busy: Duration,
    pub cpu_wait: Duration,
    pub poll_cpu_wait: Duration,
    pub parks: u64,
    pub steals: u64,
    /// How long the runtime's loop had it, not parked.
    pub awake: Duration,
    /// How long it was on a CPU; `None` where it is not told.
    pub cpu: Option<Duration>,
    /// `None` where tokio does not tell, and then steals say nothing.
    pub local_queue: Option<u64>,
}
