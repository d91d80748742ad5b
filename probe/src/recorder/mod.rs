//! The recorder: facts in slots of atomics, written by the instruments, read by the collector.
//!
//! There is no queue. A counter is a load and a store by its only writer; a fact that begins and ends (a wait, a hold, a
//! poll in progress) is set and cleared in place, so the state can be read at any instant and a reader that comes late
//! has missed nothing that still is. On the hot path nothing allocates, locks, blocks or waits for a reader.
//!
//! | file | what |
//! |---|---|
//! | [`clock`] | ticks of the CPU, and what they are in nanoseconds |
//! | [`cpu_wait`], [`paging`] | how long a thread was ready and had no CPU, as the system tells; pages that it waited for |
//! | [`standstill`] | when the whole process did not run, as a thread that beats finds out |
//! | [`peek`] | the numbers in tokio's ids and the standard library's |
//! | [`arena`] | where slots live: stable addresses |
//! | [`free_list`], [`stripes`], [`mark`] | slots that nobody uses, in lists that threads do not share; slots that changed |
//! | [`refs`], [`handle`], [`in_poll`] | who refers to a slot; what became of a result; what a thread polls |
//! | [`owner`], [`made_once`] | whose a slot is; what is made when it is first needed |
//! | [`since`] | since when something is held, with its facts |
//! | [`lazy`] | slots that are taken when they are first needed |
//! | [`sync`] | the atomics of these, for loom to replace |
//! | [`totals`] | counts that threads add to without sharing a line |
//! | [`site`] | places in the source, with the totals of what came from there |
//! | [`place`] | a place in the source |
//! | `told` | places that come as text, from the layer |
//! | `subject` | what a span of the layer stands for |
//! | [`task`] | a task's slot; its life, its handle |
//! | [`running`] | what a task's future has of the task |
//! | [`poll`] | a task's future while it runs |
//! | [`waker`] | a task's waker, counted |
//! | [`wait`] | what a task waits for |
//! | [`lock`], [`channel`] | slots of locks and channels |
//! | [`lock_details`] | what only locks have on which somebody waits, or is slow |
//! | [`unfinished`] | futures that are dropped before they end |
//! | [`order`] | in which order locks are taken |
//! | [`longest`] | the longest of many durations |
//! | [`cut_short`] | holds that end with such a future |
//! | [`holds`] | who holds what several may hold |
//! | [`readers`] | how far each receiver of a broadcast is |
//! | [`ending`] | tokens and trackers: what tasks are told to end by |
//! | [`membership`] | the token and the tracker of a task |
//! | [`names`] | what the app calls its things |
//! | [`oneshot`] | what became of oneshot channels |
//! | `ceiling` | how the ceiling of the memory is shared |
//! | `limited` | what became of futures with a limit of time |
//! | `foreign` | tasks that are spawned past the drop-in, under `--cfg tokio_unstable` |
//! | [`by_task`] | tasks that nobody of the drop-in's watches, by tokio's id; without the hooks, while they wait |
//! | `by_id` | from ids to what they stand for |
//! | [`runtimes`] | runtimes, and what tokio counts of each |
//! | [`thread`] | the current task and worker of each thread |
//! | [`panic`] | panics of tasks |
//! | [`own_thread`] | threads of the probe's own |
//! | [`histogram`] | counts by powers of two |

pub(crate) mod arena;
pub(crate) mod by_id;
mod by_task;
mod ceiling;
pub(crate) mod channel;
pub(crate) mod clock;
pub(crate) mod cpu_wait;
pub(crate) mod cut_short;
pub(crate) mod disposal;
pub(crate) mod ending;
#[cfg(tokio_unstable)]
pub(crate) mod foreign;
pub(crate) mod free_list;
pub(crate) mod handle;
pub(crate) mod histogram;
pub(crate) mod holds;
pub(crate) mod in_poll;
pub(crate) mod lazy;
#[cfg(feature = "watch-time")]
pub(crate) mod limited;
pub(crate) mod lock;
pub(crate) mod lock_details;
pub(crate) mod longest;
pub(crate) mod made_once;
pub(crate) mod mark;
pub(crate) mod membership;
pub(crate) mod names;
pub(crate) mod numbers;
pub(crate) mod oneshot;
pub(crate) mod order;
pub(crate) mod own_thread;
pub(crate) mod owner;
pub(crate) mod paging;
pub(crate) mod panic;
pub(crate) mod peek;
pub(crate) mod place;
pub(crate) mod poll;
pub(crate) mod readers;
pub(crate) mod refs;
pub(crate) mod running;
pub(crate) mod runtimes;
pub(crate) mod since;
pub(crate) mod site;
pub(crate) mod standstill;
pub(crate) mod stripes;
#[cfg(any(feature = "layer", test))]
pub(crate) mod subject;
pub(crate) mod sync;
pub(crate) mod task;
pub(crate) mod thread;
#[cfg(any(feature = "layer", test))]
pub(crate) mod told;
pub(crate) mod totals;
pub(crate) mod unfinished;
pub(crate) mod wait;
pub(crate) mod waker;

use std::sync::{
    OnceLock,
    atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed},
};

use arena::Arena;
use ceiling::Ceiling;
use channel::ChannelSlot;
use ending::EndingSlot;
use holds::{Entry, HoldsSlot, MoreHolds, RestOfEntries};
use lock::LockSlot;
use lock_details::LockDetails;
use membership::MembershipSlot;
use order::Orders;
use panic::Panics;
use readers::ReadersSlot;
use site::Sites;
use task::{TaskSlot, TaskTimes};
use thread::WorkerSlot;

/// Everything recorded in this process.
pub(crate) struct Recorder {
    pub(crate) sites: Sites,
    pub(crate) tasks: Arena<TaskSlot>,
    pub(crate) memberships: Arena<MembershipSlot>,
    pub(crate) task_times: Arena<TaskTimes>,
    pub(crate) locks: Arena<LockSlot>,
    pub(crate) lock_details: Arena<LockDetails>,
    pub(crate) endings: Arena<EndingSlot>,
    pub(crate) holds: Arena<HoldsSlot>,
    pub(crate) rest_of_entries: Arena<RestOfEntries>,
    pub(crate) spare_holds: Arena<Entry>,
    pub(crate) more_holds: Arena<MoreHolds>,
    pub(crate) channels: Arena<ChannelSlot>,
    pub(crate) readers: Arena<ReadersSlot>,
    pub(crate) workers: Arena<WorkerSlot>,
    pub(crate) panics: Panics,
    pub(crate) orders: Orders,
    /// Ids of locks, channels, workers and roots; never reused.
    next_id: AtomicU64,
    /// Memory that all arenas together may take, in bytes.
    limit_bytes: AtomicU64,
}

/// Whether anything is recorded: [`DORMANT`], [`RECORDING`] or [`UNASKED`].
static STATE: AtomicU8 = AtomicU8::new(UNASKED);
const DORMANT: u8 = 0;
const RECORDING: u8 = 1;
/// Nobody has looked yet what the environment says.
const UNASKED: u8 = 2;

/// The drop-in has made a runtime or a lock.
static DROP_IN: AtomicBool = AtomicBool::new(false);
static LIMIT: OnceLock<u64> = OnceLock::new();
static RECORDER: Recorder = Recorder {
    sites: Sites::new(),
    tasks: Arena::new(),
    memberships: Arena::new(),
    task_times: Arena::new(),
    locks: Arena::new(),
    lock_details: Arena::new(),
    endings: Arena::new(),
    holds: Arena::new(),
    rest_of_entries: Arena::new(),
    spare_holds: Arena::new(),
    more_holds: Arena::new(),
    channels: Arena::new(),
    readers: Arena::new(),
    workers: Arena::new(),
    panics: Panics::new(),
    orders: Orders::new(),
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
    histogram::start();
    panic::install_hook();
    #[cfg_attr(
        not(tokio_unstable),
        expect(unused_variables, reason = "of tasks of libraries nothing is known without")
    )]
    let begins = STATE.swap(RECORDING, Relaxed) != RECORDING;
    #[cfg(tokio_unstable)]
    if begins {
        by_task::recording_begins();
    }
}

/// The drop-in is in use.
#[inline]
pub(crate) fn found_drop_in() {
    // Each lock comes here, and a store would take the line from all others, with what says whether anything is recorded.
    if !DROP_IN.load(Relaxed) {
        DROP_IN.store(true, Relaxed);
    }
}

/// Somebody looks what the environment says, or starts the probe in code. Whether that is the first.
pub(crate) fn asked() -> bool {
    STATE.compare_exchange(UNASKED, DORMANT, Relaxed, Relaxed).is_ok()
}

/// The recorder, when it was started: one relaxed load, all that a dormant instrument costs.
#[inline]
pub(crate) fn active() -> Option<&'static Recorder> {
    match STATE.load(Relaxed) {
        DORMANT => None,
        RECORDING => Some(&RECORDER),
        _ => first_used(),
    }
}

/// Something of the drop-in's is used before it built a runtime: the program's is another's. As such a build does, this starts
/// the probe when the environment says so; whoever comes meanwhile does not wait for it.
#[cold]
#[inline(never)]
fn first_used() -> Option<&'static Recorder> {
    // Who unwinds leaves it to the next.
    if !std::thread::panicking() && asked() {
        crate::start::from_environment();
    }
    (STATE.load(Relaxed) == RECORDING).then_some(&RECORDER)
}

/// The recorder of something that was recorded, so that it was started: the instruments that have a slot need not ask.
#[inline]
pub(crate) fn started() -> &'static Recorder {
    &RECORDER
}

impl Recorder {
    /// An id that no entity of this process had or will have.
    pub(crate) fn new_id(&self) -> u64 {
        thread::id_from(&self.next_id)
    }

    /// The slot of a task that is watched, by tokio's id. Looks at all slots, so it is for what somebody asks, one by one.
    pub(crate) fn task(&'static self, id: u64) -> Option<&'static TaskSlot> {
        self.tasks.all().map(|(_, slot)| slot).find(|slot| id != 0 && slot.id() == id)
    }

    /// Histograms, holds, orders of locks, receivers, and what else the layer was told of, that found no room.
    pub(crate) fn shed_details(&self) -> u64 {
        #[cfg(all(feature = "layer", tokio_unstable))]
        let spans = crate::layer::shed_spans();
        #[cfg(not(all(feature = "layer", tokio_unstable)))]
        let spans = 0;
        spans
            + self.task_times.shed()
            + self.lock_details.shed()
            + self.holds.shed()
            + self.rest_of_entries.shed()
            + self.spare_holds.shed()
            + self.more_holds.shed()
            + self.readers.shed()
            + self.orders.shed()
    }

    /// Whether the drop-in is in use, so that it has seen to what it makes.
    #[cfg(feature = "layer")]
    #[allow(clippy::unused_self, reason = "it is a fact about what was recorded")]
    pub(crate) fn has_drop_in(&self) -> bool {
        DROP_IN.load(Relaxed)
    }

    /// Bytes taken by slots and sites.
    pub(crate) fn memory_bytes(&self) -> u64 {
        #[cfg(any(feature = "layer", test))]
        let told = told::memory_bytes();
        #[cfg(not(any(feature = "layer", test)))]
        let told = 0;
        #[cfg(all(feature = "layer", tokio_unstable))]
        let spans = crate::layer::memory_bytes();
        #[cfg(not(all(feature = "layer", tokio_unstable)))]
        let spans = 0;
        by_task::memory_bytes()
            + told
            + spans
            + self.tasks.memory_bytes()
            + self.memberships.memory_bytes()
            + self.task_times.memory_bytes()
            + self.locks.memory_bytes()
            + self.lock_details.memory_bytes()
            + self.endings.memory_bytes()
            + self.holds.memory_bytes()
            + self.rest_of_entries.memory_bytes()
            + self.spare_holds.memory_bytes()
            + self.more_holds.memory_bytes()
            + self.channels.memory_bytes()
            + self.readers.memory_bytes()
            + self.workers.memory_bytes()
            + self.sites.memory_bytes()
            + self.orders.memory_bytes()
    }

    /// The ceiling of [`Recorder::memory_bytes`].
    pub(crate) fn limit_bytes(&self) -> u64 {
        self.limit_bytes.load(Relaxed)
    }

    /// Whether `bytes` more for slots would stay below the ceiling.
    pub(crate) fn has_room_for(&self, bytes: u64) -> bool {
        self.ceiling().has_room(bytes)
    }

    fn ceiling(&self) -> Ceiling {
        Ceiling { limit: self.limit_bytes(), taken: self.memory_bytes(), sites: self.sites.memory_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_no_larger_than_their_budgets() {
        // A task also has a reference in its future, which `--bench cost -- live` counts with the rest.
        assert!(size_of::<TaskSlot>() <= 192, "{}", size_of::<TaskSlot>());
        assert!(size_of::<LockSlot>() <= 128, "{}", size_of::<LockSlot>());
        assert!(size_of::<ChannelSlot>() <= 192, "{}", size_of::<ChannelSlot>());
        assert!(size_of::<Entry>() <= 64, "{}", size_of::<Entry>());
    }
}
