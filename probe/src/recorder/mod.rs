//! The recorder: facts in slots of atomics, written by the instruments, read by the collector.
//!
//! There is no queue. A counter is a load and a store by its only writer; a fact that begins and ends (a wait, a hold, a
//! poll in progress) is set and cleared in place, so the state can be read at any instant and a reader that comes late
//! has missed nothing that still is. On the hot path nothing allocates, locks, blocks or waits for a reader.
//!
//! | file | what |
//! |---|---|
//! | [`clock`] | ticks of the CPU, and what they are in nanoseconds |
//! | [`arena`] | where slots live: stable addresses, a free list, a bit for "changed" |
//! | [`site`] | places in the source, with the totals of what came from there |
//! | [`task`] | a task's slot; its life, polls, handle |
//! | [`waker`] | a task's waker, counted |
//! | [`wait`] | what a task waits for |
//! | [`lock`], [`channel`] | slots of locks and channels |
//! | [`holds`] | who holds what several may hold |
//! | [`readers`] | how far each receiver of a broadcast is |
//! | [`ending`] | tokens and trackers: what tasks are told to end by |
//! | [`membership`] | the token and the tracker of a task |
//! | [`names`] | what the app calls its things |
//! | [`oneshot`] | what became of oneshot channels |
//! | `foreign` | tasks that are spawned past the drop-in, under `--cfg tokio_unstable` |
//! | `unwatched` | the same without the hooks, while they wait |
//! | `by_id` | from tokio's ids of tasks to slots |
//! | [`runtimes`] | runtimes, and what tokio counts of each |
//! | [`thread`] | the current task and worker of each thread |
//! | [`panic`] | panics of tasks |
//! | [`histogram`] | counts by powers of two |

pub(crate) mod arena;
mod by_id;
pub(crate) mod channel;
pub(crate) mod clock;
pub(crate) mod cpu_wait;
pub(crate) mod ending;
#[cfg(tokio_unstable)]
pub(crate) mod foreign;
pub(crate) mod histogram;
pub(crate) mod holds;
pub(crate) mod lock;
pub(crate) mod membership;
pub(crate) mod names;
pub(crate) mod oneshot;
pub(crate) mod panic;
pub(crate) mod peek;
pub(crate) mod readers;
pub(crate) mod runtimes;
pub(crate) mod site;
pub(crate) mod task;
pub(crate) mod thread;
mod unwatched;
pub(crate) mod wait;
pub(crate) mod waker;

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
};

use arena::Arena;
use channel::ChannelSlot;
use holds::HoldsSlot;
use lock::LockSlot;
use membership::MembershipSlot;
use panic::Panics;
use readers::ReadersSlot;
use site::Sites;
use task::TaskSlot;
use thread::WorkerSlot;

/// Everything recorded in this process.
pub(crate) struct Recorder {
    pub(crate) sites: Sites,
    pub(crate) tasks: Arena<TaskSlot>,
    pub(crate) memberships: Arena<MembershipSlot>,
    pub(crate) locks: Arena<LockSlot>,
    pub(crate) holds: Arena<HoldsSlot>,
    pub(crate) channels: Arena<ChannelSlot>,
    pub(crate) readers: Arena<ReadersSlot>,
    pub(crate) workers: Arena<WorkerSlot>,
    pub(crate) panics: Panics,
    /// Ids of locks, channels, workers and roots; never reused.
    next_id: AtomicU64,
    /// Memory that all arenas together may take, in bytes.
    limit_bytes: AtomicU64,
}

static ACTIVE: AtomicBool = AtomicBool::new(false);
static LIMIT: OnceLock<u64> = OnceLock::new();
static RECORDER: Recorder = Recorder {
    sites: Sites::new(),
    tasks: Arena::new(),
    memberships: Arena::new(),
    locks: Arena::new(),
    holds: Arena::new(),
    channels: Arena::new(),
    readers: Arena::new(),
    workers: Arena::new(),
    panics: Panics::new(),
    next_id: AtomicU64::new(1),
    limit_bytes: AtomicU64::new(DEFAULT_LIMIT_BYTES),
};

/// Memory that the recorder may take when nothing else is said.
pub(crate) const DEFAULT_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// Starts recording: what is made, spawned or acquired from now on is seen. Never stops again, since slots may be held
/// by anything from now on; a second call changes nothing.
pub(crate) fn start(limit_bytes: u64) {
    let limit = *LIMIT.get_or_init(|| limit_bytes);
    RECORDER.limit_bytes.store(limit, Relaxed);
    clock::start();
    panic::install_hook();
    ACTIVE.store(true, Relaxed);
}

/// The recorder, when it was started: one relaxed load, all that a dormant instrument costs.
#[inline]
pub(crate) fn active() -> Option<&'static Recorder> {
    ACTIVE.load(Relaxed).then_some(&RECORDER)
}

impl Recorder {
    /// An id that no entity of this process had or will have.
    pub(crate) fn new_id(&self) -> u64 {
        self.next_id.fetch_add(1, Relaxed)
    }

    /// Bytes taken by slots and sites.
    pub(crate) fn memory_bytes(&self) -> u64 {
        #[cfg(tokio_unstable)]
        let foreign = foreign::memory_bytes();
        #[cfg(not(tokio_unstable))]
        let foreign = 0;
        foreign
            + unwatched::memory_bytes()
            + self.tasks.memory_bytes()
            + self.memberships.memory_bytes()
            + self.locks.memory_bytes()
            + self.holds.memory_bytes()
            + self.channels.memory_bytes()
            + self.readers.memory_bytes()
            + self.workers.memory_bytes()
            + self.sites.memory_bytes()
    }

    /// The ceiling of [`Recorder::memory_bytes`].
    pub(crate) fn limit_bytes(&self) -> u64 {
        self.limit_bytes.load(Relaxed)
    }

    /// Whether `bytes` more would stay below the ceiling.
    pub(crate) fn has_room_for(&self, bytes: u64) -> bool {
        self.memory_bytes() + bytes <= self.limit_bytes()
    }
}
