//! Places in the target's source: where tasks are spawned, where locks and channels are made, where things are awaited.
use std::sync::Arc;
use std::time::Duration;

use super::recent::{Event, Recent};
use super::{Disposal, GivenNames, Series, Stamp, StateCounts, TaskId};

/// Id of a [`Site`] within one instance of a target; 0 is "unknown".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteId(pub u32);

/// What happens at a site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum SiteKind {
    /// Tasks are spawned.
    Spawn,
    /// A lock is created.
    Lock,
    /// A channel is created.
    Channel,
    /// Something is awaited or acquired.
    #[default]
    Call,
}

/// What the tasks of a spawn site return.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum OutputKind {
    /// Not known.
    #[default]
    Unknown,
    /// `()`, or never.
    Unit,
    /// A `Result`.
    Result,
    /// Any other value.
    Value,
}

/// A place in the source, and for spawn sites the totals of all tasks that came from there.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// Its id.
    pub id: SiteId,
    /// What happens there.
    pub kind: SiteKind,
    /// `path:line:column`.
    pub location: String,
    /// What things made there go by: a future's type, a lock's content type. May be empty.
    pub name: Arc<str>,
    /// What its tasks return.
    pub output: OutputKind,
    /// Names of its tasks, or of its oneshot channels.
    pub given: GivenNames,

    /// Tasks spawned, ever.
    pub spawned: u64,
    /// Of those: ended. Of a call site, futures that were given a limit of time there and ended or were given up: see
    /// [`Site::is_limit`].
    pub finished: u64,
    /// Of those: not shown one by one.
    pub shed: u64,
    /// Time in polls, by finished tasks.
    pub finished_busy: Duration,
    /// Polls by finished tasks.
    pub finished_polls: u64,
    /// The longest poll ever.
    pub max_poll: Duration,
    /// Polls at least [`super::Target::slow_poll`] long, ever, and their summed duration.
    pub slow_polls: u64,
    /// Their summed duration.
    pub slow_poll_total: Duration,
    /// The slow polls of the last minute, while attached. One reading of the totals may stand for several polls:
    /// [`SlowPoll::count`] says for how many.
    pub recent_slow: Recent<SlowPoll>,
    /// Handles dropped before the end of their task, never awaited, not aborted.
    pub handles_dropped: u64,
    /// Results that nobody took and that were `Err`.
    pub errors_lost: u64,
    /// Tasks ended by a panic.
    pub panics: u64,
    /// Of those: whose `JoinError` can no longer be seen.
    pub panics_lost: u64,
    /// Tasks aborted; futures given up.
    pub aborted: u64,
    /// For how long the tasks among them had been there when they went, summed.
    pub aborted_age: Duration,
    /// Who aborted a task from here last, or dropped its set; `None` where nobody was seen to.
    pub disposal: Option<Disposal>,
    /// The tasks from here that are shown one by one, by state.
    pub states: StateCounts,

    /// The tasks among them that run on although their handle was dropped, never awaited and not aborted.
    pub detached: u64,
    /// The tasks among them that have ended and whose handle is still held.
    pub unjoined: u64,
    /// When a handle was last seen dropped, an error lost, a panic lost; `None` when not since attach.
    pub last_handle_dropped: Option<Stamp>,
    /// The same for an error lost.
    pub last_error_lost: Option<Stamp>,
    /// The same for a panic lost.
    pub last_panic_lost: Option<Stamp>,

    /// Size of the largest future that was spawned here, in bytes.
    pub future_bytes: u32,
    /// The last minute, one point a second: tasks that have not ended.
    pub live_s: Series,
    /// Tasks that have ended and whose handle is still held, of those that are shown.
    pub unjoined_s: Series,
    /// Tasks spawned in each second.
    pub spawned_s: Series,
    /// Tasks that ended in each second.
    pub finished_s: Series,
    /// Seconds in polls of the tasks that ended in each second, told once nobody holds a handle to them.
    pub finished_busy_s: Series,
    /// Tasks that were aborted or dropped in each second.
    pub aborted_s: Series,

    /// Counters at the last point of the series: spawned, finished, aborted, nanoseconds in polls of those that finished.
    pub(crate) counted: Option<[u64; 4]>,
    /// A reading of its totals has come, so that the next one can be compared.
    pub(crate) seen: bool,
}

/// Slow polls of one site within one reading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SlowPoll {
    /// When the newest of them ended.
    pub at: Stamp,
    /// How long the newest took.
    pub took: Duration,
    /// The task of the newest.
    pub task: TaskId,
    /// How many slow polls this reading stands for.
    pub count: u64,
    /// How long they took together.
    pub total: Duration,
    /// The longest known of them: the newest, or the site's new maximum where that rose.
    pub longest: Duration,
}

impl Event for SlowPoll {
    fn at(&self) -> Stamp {
        self.at
    }

    fn set_at(&mut self, at: Stamp) {
        self.at = at;
    }

    fn join(&mut self, before: Self) {
        self.count = self.count.saturating_add(before.count);
        self.total = self.total.saturating_add(before.total);
        self.longest = self.longest.max(before.longest);
    }
}

impl Site {
    /// Whether futures are given a limit of time here, and were ever given up.
    pub fn is_limit(&self) -> bool {
        self.kind == SiteKind::Call && self.finished > 0
    }

    /// Time in polls of a task that ended within the last `seconds`, on average; `None` where none did, or where that is not
    /// known: it is told of a task once nobody holds its handle any more, and never of one that was shed.
    pub fn mean_busy(&self, seconds: usize) -> Option<Duration> {
        let (finished, busy) = (self.finished_s.recent_sum(seconds), self.finished_busy_s.recent_sum(seconds));
        let kept = || self.unjoined_s.points().rev().take(seconds + 1);
        let (now, before) = (kept().next().unwrap_or_default(), kept().next_back().unwrap_or_default());
        // Of a task that was shed the end is counted, and no time.
        let known = self.shed == 0 && finished >= 1.0 && (now - before).abs() <= finished / 10.0;
        known.then(|| Duration::try_from_secs_f64(busy / finished).ok()).flatten().filter(|mean| !mean.is_zero())
    }

    pub(super) fn has_totals(&self) -> bool {
        self.kind == SiteKind::Spawn || self.is_limit()
    }

    /// Whether all ends are told. Of a task that is shed the drop-in counts the end as of any other; where
    /// only tokio tells of tasks, whose futures then have no name, it may be missed.
    pub fn counts_ends(&self) -> bool {
        self.shed == 0 || !self.name.is_empty()
    }

    /// Tasks from here that have not ended; where ends may be missed, those that are known.
    pub fn live(&self) -> u64 {
        if self.counts_ends() { self.spawned.saturating_sub(self.finished) } else { self.states.total() }
    }
}
