//! [`Barrier`]: tokio's own, with who waits at it.
use std::{fmt, future::Future, panic::Location};

use ::tokio::sync as raw;

use super::{BarrierWaitResult, lock_watch::Watch};
use crate::recorder::{
    lock::{EventAwaited, LockKind, LockSlot},
    wait::{Outer, Watched},
};

/// Lets tasks go on together, watched; see [`tokio::sync::Barrier`](::tokio::sync::Barrier).
///
/// Watched: how many it waits for, and who waits since when and from which line.
pub struct Barrier {
    watch: Watch,
    tasks: usize,
    inner: raw::Barrier,
}

crate::named::names_lock!([] for Barrier);

impl Barrier {
    /// A barrier for `n` tasks; see [`Barrier::new`](::tokio::sync::Barrier::new).
    #[track_caller]
    pub fn new(n: usize) -> Self {
        // As tokio: nobody can wait for nobody.
        Self { watch: Watch::new(Location::caller()), tasks: n.max(1), inner: raw::Barrier::new(n) }
    }

    /// Waits until all have come; see [`Barrier::wait`](::tokio::sync::Barrier::wait).
    #[track_caller]
    pub fn wait(&self) -> impl Future<Output = BarrierWaitResult> {
        let site = Location::caller();
        Outer::new(async move {
            let slot = self.slot();
            let result = Watched::in_block(self.inner.wait(), EventAwaited(slot), site).await;
            if let Some(slot) = slot.filter(|_| result.is_leader()) {
                // The last to come does not wait.
                slot.count_acquire();
                slot.mark();
            }
            result
        })
    }

    fn slot(&self) -> Option<&'static LockSlot> {
        let tasks = i32::try_from(self.tasks).unwrap_or(i32::MAX);
        self.watch.event::<raw::Barrier>(LockKind::Barrier, None, |slot| slot.expect(tasks))
    }
}

/// The way back is closed: tokio's own does not tell how many it waits for.
impl From<Barrier> for raw::Barrier {
    fn from(barrier: Barrier) -> Self {
        barrier.inner
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
