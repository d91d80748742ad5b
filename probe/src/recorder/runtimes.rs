//! The runtimes that the app has built through the drop-in, or whose threads the `tracing` layer has met at work, and what
//! tokio itself counts of each.
//!
//! Nothing here is on the hot path: a runtime is entered when it is built, or once by each thread that is met, and taken out
//! when it or the last of them is gone. The collector reads tokio's own counters.
#[cfg(all(feature = "layer", tokio_unstable))]
use std::sync::{Arc, Weak};
use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use ::tokio::runtime::{Handle, RuntimeFlavor};
use async_inspect_proto::v1::RuntimeKind;

/// Runtimes that are told of at once; a test suite that builds one a test is no service.
const MAX: usize = 64;

static ALL: Mutex<Vec<Entry>> = Mutex::new(Vec::new());
static NEXT: AtomicU64 = AtomicU64::new(1);
/// Runtimes that live and are one too many.
static SHED: AtomicU64 = AtomicU64::new(0);

struct Entry {
    id: u64,
    /// Keeps what the runtime's threads share, and none of its threads.
    handle: Handle,
    /// Of one that was met.
    #[cfg(all(feature = "layer", tokio_unstable))]
    met: Weak<Registered>,
}

fn all() -> MutexGuard<'static, Vec<Entry>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A runtime is told of for as long as this lives.
#[derive(Debug)]
pub(crate) struct Registered(u64);

/// Enters a runtime that has just been built.
pub(crate) fn register(handle: &Handle) -> Registered {
    let id = NEXT.fetch_add(1, Relaxed);
    let mut all = all();
    if all.len() < MAX {
        all.push(Entry {
            id,
            handle: handle.clone(),
            #[cfg(all(feature = "layer", tokio_unstable))]
            met: Weak::new(),
        });
    } else {
        SHED.fetch_add(1, Relaxed);
    }
    Registered(id)
}

/// Enters the runtime that this thread works for, unless it is known. It is told of for as long as any of its threads keeps
/// what this returns; `None` for one that is told of as long as it lives.
#[cfg(all(feature = "layer", tokio_unstable))]
pub(crate) fn met(handle: &Handle) -> Option<Arc<Registered>> {
    let mut all = all();
    if let Some(known) = all.iter().find(|known| known.handle.id() == handle.id()) {
        return known.met.upgrade();
    }
    let id = NEXT.fetch_add(1, Relaxed);
    let met = Arc::new(Registered(id));
    if all.len() < MAX {
        all.push(Entry { id, handle: handle.clone(), met: Arc::downgrade(&met) });
    } else {
        SHED.fetch_add(1, Relaxed);
    }
    Some(met)
}

/// How many runtimes are not told of, since there are too many.
pub(crate) fn shed() -> u64 {
    SHED.load(Relaxed)
}

impl Drop for Registered {
    fn drop(&mut self) {
        let entry = {
            let mut all = all();
            all.iter().position(|entry| entry.id == self.0).map(|at| all.swap_remove(at))
        };
        if entry.is_none() {
            SHED.fetch_sub(1, Relaxed);
        }
        // What goes with the last handle goes without the list being locked.
        drop(entry);
    }
}

/// What tokio counts of one runtime.
#[derive(Debug)]
pub(crate) struct RuntimeReading {
    pub(crate) id: u64,
    pub(crate) kind: RuntimeKind,
    pub(crate) name: Option<String>,
    pub(crate) workers: usize,
    pub(crate) alive_tasks: usize,
    pub(crate) global_queue: usize,
    /// Of all workers together: time between unpark and park, and how often they parked.
    pub(crate) busy: Duration,
    pub(crate) parks: u64,
    /// What tokio tells under `--cfg tokio_unstable` only.
    pub(crate) detail: Option<Detail>,
}

/// See [`RuntimeReading::detail`].
#[derive(Debug)]
pub(crate) struct Detail {
    pub(crate) blocking_threads: usize,
    pub(crate) blocking_idle: usize,
    pub(crate) blocking_queue: usize,
    pub(crate) workers: Vec<WorkerDetail>,
}

/// One worker of a runtime.
#[derive(Debug, Clone)]
pub(crate) struct WorkerDetail {
    /// Its thread, as [`super::peek::thread_id`] has it; 0 while it has none.
    pub(crate) thread: u64,
    pub(crate) parks: u64,
    pub(crate) busy: Duration,
    pub(crate) steals: u64,
    pub(crate) local_queue: usize,
}

/// Reads all runtimes.
pub(crate) fn read() -> Vec<RuntimeReading> {
    // Reading goes on without the lock: whoever builds a runtime meanwhile does not wait for it.
    let handles: Vec<(u64, Handle)> = all().iter().map(|entry| (entry.id, entry.handle.clone())).collect();
    handles.iter().map(|(id, handle)| reading(*id, handle)).collect()
}

fn reading(id: u64, handle: &Handle) -> RuntimeReading {
    let metrics = handle.metrics();
    let workers = metrics.num_workers();
    #[cfg(target_has_atomic = "64")]
    let (busy, parks) = (
        (0..workers).map(|worker| metrics.worker_total_busy_duration(worker)).sum(),
        (0..workers).map(|worker| metrics.worker_park_count(worker)).sum(),
    );
    #[cfg(not(target_has_atomic = "64"))]
    let (busy, parks) = (Duration::ZERO, 0);
    RuntimeReading {
        id,
        kind: match handle.runtime_flavor() {
            RuntimeFlavor::CurrentThread => RuntimeKind::CurrentThread,
            RuntimeFlavor::MultiThread => RuntimeKind::MultiThread,
            _ => RuntimeKind::Unspecified,
        },
        name: handle.name().map(str::to_owned),
        workers,
        alive_tasks: metrics.num_alive_tasks(),
        global_queue: metrics.global_queue_depth(),
        busy,
        parks,
        #[cfg(all(tokio_unstable, target_has_atomic = "64"))]
        detail: Some(detail(&metrics)),
        #[cfg(not(all(tokio_unstable, target_has_atomic = "64")))]
        detail: None,
    }
}

#[cfg(all(tokio_unstable, target_has_atomic = "64"))]
fn detail(metrics: &::tokio::runtime::RuntimeMetrics) -> Detail {
    let worker = |worker| WorkerDetail {
        thread: metrics.worker_thread_id(worker).map_or(0, super::peek::thread_id),
        parks: metrics.worker_park_count(worker),
        busy: metrics.worker_total_busy_duration(worker),
        steals: metrics.worker_steal_count(worker),
        local_queue: metrics.worker_local_queue_depth(worker),
    };
    Detail {
        blocking_threads: metrics.num_blocking_threads(),
        blocking_idle: metrics.num_idle_blocking_threads(),
        blocking_queue: metrics.blocking_queue_depth(),
        workers: (0..metrics.num_workers()).map(worker).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(id: u64) -> Option<RuntimeReading> {
        read().into_iter().find(|reading| reading.id == id)
    }

    #[test]
    fn a_runtime_is_told_of_for_as_long_as_it_lives() {
        let runtime = ::tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        let registered = register(runtime.handle());
        let id = registered.0;
        runtime.block_on(async {
            let held = ::tokio::spawn(std::future::pending::<()>());
            for _ in 0..20 {
                ::tokio::spawn(::tokio::task::yield_now()).await.unwrap();
            }
            // On a full machine no worker may have come to park yet, and the second may not have started.
            let started = |detail: Detail| detail.workers.iter().all(|worker| worker.thread != 0);
            crate::testing::wait_for(|| of(id).is_some_and(|seen| seen.parks > 0 && seen.detail.is_none_or(started)));
            let seen = of(id).unwrap();
            assert_eq!((seen.workers, seen.kind), (2, RuntimeKind::MultiThread));
            assert!(seen.alive_tasks >= 1, "{seen:?}");
            assert_eq!(seen.detail.is_some(), cfg!(tokio_unstable));
            if let Some(detail) = seen.detail {
                assert_eq!(detail.workers.len(), 2);
            }
            held.abort();
        });
        drop(registered);
        assert!(of(id).is_none());
    }

    #[cfg(all(feature = "layer", tokio_unstable))]
    #[test]
    fn a_runtime_that_is_met_is_told_of_once_and_until_its_last_thread_is_gone() {
        let runtime = ::tokio::runtime::Builder::new_current_thread().build().unwrap();
        let threads = [met(runtime.handle()).unwrap(), met(runtime.handle()).unwrap()];
        let [first, second] = threads;
        let id = first.0;
        assert_eq!(second.0, id);
        drop(first);
        assert!(of(id).is_some());
        drop(second);
        assert!(of(id).is_none());

        let registered = register(runtime.handle());
        assert!(met(runtime.handle()).is_none(), "it is told of already");
        assert!(of(registered.0).is_some());
    }
}
