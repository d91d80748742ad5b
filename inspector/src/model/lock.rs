//! One lock.
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::recent::{Event, Recent};
use super::{Awaited, Disposal, Histogram, Series, SiteId, Stamp, TaskId};

/// Id of a [`Lock`] within one instance of a target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockId(pub u64);

/// Which type of lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum LockKind {
    /// `tokio::sync::Mutex`
    #[default]
    Mutex,
    /// `tokio::sync::RwLock`
    RwLock,
    /// `tokio::sync::Semaphore`
    Semaphore,
    /// `tokio::sync::Notify`
    Notify,
    /// `tokio::sync::Barrier`
    Barrier,
    /// `tokio::sync::OnceCell`
    OnceCell,
    /// `tokio::sync::SetOnce`
    SetOnce,
    /// `tokio_util::sync::CancellationToken`
    CancellationToken,
    /// `tokio_util::task::TaskTracker`
    TaskTracker,
}

impl LockKind {
    /// Whether holding it keeps others out of what it guards: permits of a semaphore are meant to be held, and the rest
    /// is waited for rather than held.
    pub fn guards(self) -> bool {
        matches!(self, Self::Mutex | Self::RwLock)
    }

    /// Whether it tells tasks to end, or is closed once they are to end.
    pub fn ends_tasks(self) -> bool {
        matches!(self, Self::CancellationToken | Self::TaskTracker)
    }

    /// The type's name in tokio.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mutex => "Mutex",
            Self::RwLock => "RwLock",
            Self::Semaphore => "Semaphore",
            Self::Notify => "Notify",
            Self::Barrier => "Barrier",
            Self::OnceCell => "OnceCell",
            Self::SetOnce => "SetOnce",
            Self::CancellationToken => "CancellationToken",
            Self::TaskTracker => "TaskTracker",
        }
    }

    /// The same for programs: `rw_lock`.
    pub fn key(self) -> &'static str {
        match self {
            Self::Mutex => "mutex",
            Self::RwLock => "rw_lock",
            Self::Semaphore => "semaphore",
            Self::Notify => "notify",
            Self::Barrier => "barrier",
            Self::OnceCell => "once_cell",
            Self::SetOnce => "set_once",
            Self::CancellationToken => "cancellation_token",
            Self::TaskTracker => "task_tracker",
        }
    }
}

/// One hold in progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Holder {
    /// Who holds; `TaskId(0)` outside any task.
    pub task: TaskId,
    /// The acquiring line.
    pub site: SiteId,
    /// Since when.
    pub since: Stamp,
    /// How many permits.
    pub permits: u32,
    /// Nobody else can hold it meanwhile.
    pub exclusive: bool,
}

/// A completed hold during which its task was suspended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SuspendedHold {
    /// When it ended.
    pub at: Stamp,
    /// How long the lock was held.
    pub took: Duration,
    /// The acquiring line.
    pub site: SiteId,
    /// Waiters when it ended.
    pub waiters: u32,
    /// How many suspended holds this reading stands for.
    pub count: u64,
    /// How long all of them took together, about.
    pub total: Duration,
}

impl Event for SuspendedHold {
    fn at(&self) -> Stamp {
        self.at
    }

    fn set_at(&mut self, at: Stamp) {
        self.at = at;
    }

    fn join(&mut self, before: Self) {
        if before.took > self.took {
            (self.took, self.site) = (before.took, before.site);
        }
        self.waiters = self.waiters.max(before.waiters);
        self.count = self.count.saturating_add(before.count);
        self.total = self.total.saturating_add(before.total);
    }
}

/// By what a future was dropped before it had come to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DropKind {
    /// Another branch of a `select!` was first.
    #[default]
    Select,
    /// A `timeout` passed.
    Timeout,
    /// Its task was aborted, or dropped with its set or runtime.
    Task,
    /// A `CancellationToken` was cancelled.
    Token,
}

/// A hold that kept all others out, and ended because the future that had the guard was dropped unfinished.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CutShort {
    /// When it ended.
    pub at: Stamp,
    /// How long the lock was held.
    pub took: Duration,
    /// The acquiring line.
    pub site: SiteId,
    /// By what the future was dropped.
    pub by: DropKind,
    /// Where the `select!` or `timeout` is, or the task was spawned.
    pub dropped_at: SiteId,
    /// How many this reading stands for.
    pub count: u64,
    /// How often the lock had been acquired by then.
    pub acquires: u64,
}

impl Event for CutShort {
    fn at(&self) -> Stamp {
        self.at
    }

    fn set_at(&mut self, at: Stamp) {
        self.at = at;
    }

    fn join(&mut self, before: Self) {
        self.count = self.count.saturating_add(before.count);
        self.acquires = self.acquires.min(before.acquires);
    }
}

/// One lock.
#[derive(Debug, Clone, Default)]
pub struct Lock {
    /// Its id.
    pub id: LockId,
    /// Its type.
    pub kind: LockKind,
    /// Where it was created.
    pub site: SiteId,
    /// Its own name; empty when none was given.
    pub name: Arc<str>,

    /// The holding task; `TaskId(0)` when free or held outside any task. Of an `RwLock` with several readers, the one
    /// that holds it longest, of those that are listed; of a semaphore always 0: see [`Lock::holders`].
    pub holder: TaskId,
    /// The acquiring line of the current hold.
    pub holder_site: SiteId,
    /// Since when it is held; `None` when free.
    pub held_since: Option<Stamp>,
    /// Of a mutex: the guard can be given to another task, so that the holder may be another one by now.
    pub holder_may_move: bool,
    /// Holds in progress, in no order: of kinds that several may hold, the first few.
    pub holders: Vec<Holder>,
    /// How many there are, listed or not. Of a `CancellationToken` its handles, of a `TaskTracker` what it tracks.
    pub holder_count: u32,
    /// Permits of a semaphore, readers that an `RwLock` has room for, tasks that a barrier waits for.
    pub permits_total: u64,
    /// Permits that nobody holds. Of a `Notify` or `SetOnce`, 1 when the next to wait would not have to.
    pub permits_available: u64,
    /// Permits of a semaphore whose guard was forgotten, ever; they are not in `permits_total` any more.
    pub forgotten: u64,
    /// Who forgot one last.
    pub disposal: Option<Disposal>,
    /// Permits and forgotten ones as they were when the lock was first seen: where their sum is still the same, none was
    /// added since.
    pub permits_before: (u64, u64),
    /// A semaphore that gives no more permits; a token that is cancelled, by itself or with its parent; a tracker that is
    /// closed.
    pub closed: bool,
    /// When a token was cancelled, or a tracker closed, itself: see [`super::Model::ended`].
    pub closed_at: Option<Stamp>,
    /// The line that did it.
    pub closed_site: SiteId,
    /// The task that did it; 0 outside any.
    pub closed_by: TaskId,
    /// The token that a token is a child of; 0 for none.
    pub parent: LockId,
    /// Of [`Lock::waiters`]: those that want to write; of a `Notify`, those that asked for the future and awaited it at once.
    pub waiting_writers: u32,
    /// `notify_waiters` that found nobody waiting, ever.
    pub lost_notifies: u64,
    /// When that last happened.
    pub last_lost_notify_at: Option<Stamp>,
    /// The notifying line of that.
    pub last_lost_notify_site: SiteId,
    /// Tasks and threads waiting.
    pub waiters: u32,
    /// Acquisitions, ever.
    pub acquires: u64,
    /// Of those: that had to wait.
    pub contended: u64,
    /// Their summed wait.
    pub wait_total: Duration,
    /// The longest wait ever.
    pub wait_max: Duration,
    /// Waits, since the lock exists.
    pub wait_hist: Histogram,
    /// Summed time of completed holds.
    pub hold_total: Duration,
    /// The longest completed hold ever.
    pub hold_max: Duration,
    /// The acquiring line of that hold.
    pub hold_max_site: SiteId,
    /// Completed holds.
    pub hold_hist: Histogram,
    /// Completed holds during which the holder was suspended at an `.await`.
    pub suspended_holds: u64,
    /// Those of the last minute, while attached.
    pub recent_suspended: Recent<SuspendedHold>,
    /// What a holder was seen to await meanwhile, within ten seconds.
    pub awaited: Option<Awaited>,
    /// Completed holds that kept all others out and were cut short.
    pub cut_short: u64,
    /// Those of the last minute, while attached.
    pub recent_cut_short: Recent<CutShort>,

    /// The last minute, one point a second: acquisitions, contended ones, summed wait (ns), waiters.
    pub acquires_s: Series,
    /// Contended acquisitions in each second.
    pub contended_s: Series,
    /// Nanoseconds waited in each second.
    pub wait_ns_s: Series,
    /// Waiters at the end of each second.
    pub waiters_s: Series,
    /// What 99 of 100 waits that ended in each second were shorter than, in seconds; 0 where none did. Empty before the
    /// first, as most locks never see one.
    pub wait_p99_s: Series,
    /// The same of holds, or how long one was going on at its end, if that is longer.
    pub hold_p99_s: Series,
    /// The wait histogram as it was ten seconds ago (or at attach), for figures over a window.
    pub wait_hist_window: Histogram,
    /// The hold histogram as it was at the same moment.
    pub hold_hist_window: Histogram,

    /// What [`super::Model::apply`] remembers of it.
    pub(crate) track: LockTrack,
}

impl Lock {
    /// Waits that ended in the last ten seconds.
    pub fn recent_waits(&self) -> Histogram {
        self.wait_hist.since(&self.wait_hist_window)
    }

    /// Holds that ended in the last ten seconds.
    pub fn recent_holds(&self) -> Histogram {
        self.hold_hist.since(&self.hold_hist_window)
    }

    /// What 99 of 100 of the [`Self::recent_waits`] were no longer than; `None` without any.
    pub fn wait_p99(&self) -> Option<Duration> {
        self.recent_waits().quantile(0.99, self.wait_max)
    }

    /// The same of the [`Self::recent_holds`].
    pub fn hold_p99(&self) -> Option<Duration> {
        self.recent_holds().quantile(0.99, self.hold_max)
    }
}

impl super::Model {
    /// How many permits a semaphore has, where that is known: a console-subscriber tells only how many are free, so what
    /// was never seen free may be there all the same.
    pub fn permits(&self, lock: &Lock) -> Option<u64> {
        (lock.permits_total > 0 || self.target.sees("holders")).then_some(lock.permits_total)
    }
}

/// What `apply` remembers of a lock beside what it shows.
#[derive(Debug, Clone, Default)]
pub(crate) struct LockTrack {
    pub(super) generation: u32,
    /// A reading has come, so that the next one's counters can be compared.
    pub(super) seen: bool,
    /// Counters at the last point of the series.
    pub(super) acquires: u64,
    pub(super) contended: u64,
    pub(super) wait_total: Duration,
    /// The histograms of waits and holds at earlier points, oldest first, where they changed.
    pub(super) history: VecDeque<(Stamp, Histogram, Histogram)>,
}
