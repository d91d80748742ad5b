//! The target as a whole.
use std::time::Duration;

use super::{SiteId, TaskId};

/// A moment on the target's clock: nanoseconds since its probe started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(pub u64);

impl Stamp {
    /// The moment `span` later.
    #[must_use]
    pub fn after(self, span: Duration) -> Stamp {
        Stamp(self.0.saturating_add(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// The moment `span` earlier, or the probe's start.
    #[must_use]
    pub fn before(self, span: Duration) -> Stamp {
        Stamp(self.0.saturating_sub(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    pub fn since(self, earlier: Stamp) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// Who the target says it is.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// How the operator named it on the command line.
    pub address: String,
    /// Differs between any two starts of a probe.
    pub instance: u64,
    /// The target's process id.
    pub pid: u32,
    /// The target program's name.
    pub app: String,
    /// Version of the probe crate.
    pub probe_version: String,
    /// What the probe can see, by stable names: see [`Target::sees`].
    pub capabilities: Vec<String>,
    /// What cannot be seen there, why, and what to change.
    pub blind: Vec<Blind>,
    /// The duration from which the probe counts a poll as slow.
    pub slow_poll: Duration,
    /// Time between two updates.
    pub tick: Duration,
    /// How many CPUs the process may use at once; 0 when that is not known.
    pub cpus: u32,
}

impl Target {
    /// Whether the target tells of "tasks", "locks", "channels", "oneshots", "timers", "wakes", "panics", "stacks", "runtimes",
    /// "handles" (what becomes of a `JoinHandle`), "holders" (who holds a lock, rather than who got it last) or
    /// "workers" (threads, and which poll each is in).
    pub fn sees(&self, what: &str) -> bool {
        self.capabilities.iter().any(|name| name == what)
    }
}

/// Something that cannot be seen in this target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blind {
    /// Of what it is a part: `tasks`, `locks`, `channels`, `workers` or `target`, as the screens are called.
    pub about: String,
    /// What is not visible.
    pub what: String,
    /// Why not.
    pub why: String,
    /// What to change to see it.
    pub remedy: String,
}

/// A task that ended by a panic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panic {
    /// The task.
    pub task: TaskId,
    /// Its spawn site.
    pub site: SiteId,
    /// When.
    pub at: Stamp,
    /// The panic's message; empty when the app replaced the panic hook.
    pub message: String,
    /// Where it panicked, as `path:line:column`; empty when unknown.
    pub location: String,
}

/// Entities counted but not shown, since the probe started. A rule that needs completeness says nothing while the
/// count that it leans on is not zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loss {
    /// Tasks not shown one by one.
    pub tasks: u64,
    /// Locks not shown.
    pub locks: u64,
    /// Channels not shown.
    pub channels: u64,
    /// Places not told apart.
    pub sites: u64,
    /// Panics without a message.
    pub panics: u64,
    /// Names that the target gave and the probe did not keep.
    pub names: u64,
    /// Histograms and other details of tasks and locks that are shown without them.
    pub details: u64,
    /// Stacks of blocked polls that were not named in time.
    pub stacks: u64,
    /// Updates that this inspector was too slow to take.
    pub updates: u64,
}

impl Loss {
    /// Everything shed, in one figure.
    pub fn total(&self) -> u64 {
        let things = [self.tasks, self.locks, self.channels, self.sites, self.panics, self.names];
        things.into_iter().chain([self.details, self.stacks, self.updates]).fold(0, u64::saturating_add)
    }
}

/// What the probe itself takes from its host.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// CPU time of the probe's own thread, cumulative.
    pub cpu: Duration,
    /// Share of one core over the last second or so, 0 to 1.
    pub cpu_share: f64,
    /// Memory of the probe's recorder, in bytes.
    pub memory_bytes: u64,
    /// The ceiling of that memory, in bytes.
    pub memory_limit_bytes: u64,
    /// Inspectors attached.
    pub subscribers: u32,
}
