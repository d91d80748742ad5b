//! A mutex that is being locked.
use std::{
    future::Future,
    panic::Location,
    pin::Pin,
    task::{Context, Poll, ready},
};

use ::tokio::sync as raw;

use super::{Mutex, MutexGuard};
use crate::{
    recorder::{
        lock::{LockAwaited, LockSlot},
        wait::{CallSite, PolledFrom, Watched},
    },
    tokio::sync::coop::{Tried, try_lock_now},
};

/// A mutex that is being locked by `F`, tokio's own future for that. Written by hand, since each `async fn` around another
/// is one more state to look at in each poll, whether anything records or not.
pub(super) struct Locking<'a, T: ?Sized, F> {
    mutex: &'a Mutex<T>,
    site: &'static Location<'static>,
    stage: Stage,
    /// Where it is noted that it was acquired.
    slot: Option<&'static LockSlot>,
    lock: Watched<F, Option<LockAwaited>>,
}

enum Stage {
    New,
    /// It was not to be had at once.
    Waiting,
    Done,
}

impl<'a, T: ?Sized, F: Future<Output = raw::MutexGuard<'a, ()>>> Locking<'a, T, F> {
    #[inline]
    pub(super) fn new(mutex: &'a Mutex<T>, lock: F, site: &'static Location<'static>) -> Self {
        Self { mutex, site, stage: Stage::New, slot: None, lock: Watched::new(lock, None, site) }
    }

    /// The first poll: `None` when tokio's future has to be polled. Apart from the rest, which then is as small as the poll
    /// of one that waits.
    #[inline(never)]
    #[track_caller]
    fn begin(&mut self) -> Option<MutexGuard<'a, T>> {
        assert!(!matches!(self.stage, Stage::Done), "`async fn` resumed after completion");
        self.slot = self.mutex.watch.mutex::<T>(self.site);
        // tokio's lock is handed from holder to waiter, so a try never overtakes one that waits.
        let watched = match try_lock_now(|| self.mutex.lock.try_lock().ok()) {
            Tried::Done(guard) => {
                self.stage = Stage::Done;
                return Some(MutexGuard::begin(self.mutex, guard, self.slot, self.site));
            }
            Tried::Yield => self.slot.filter(|slot| !slot.seems_free()),
            Tried::Wait => self.slot,
        };
        *self.lock.awaited_mut() = watched.map(LockAwaited);
        self.stage = Stage::Waiting;
        None
    }
}

impl<'a, T: ?Sized, F: Future<Output = raw::MutexGuard<'a, ()>>> Future for Locking<'a, T, F> {
    type Output = MutexGuard<'a, T>;

    #[inline]
    #[track_caller]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = Location::caller();
        self.poll_from(cx, || polled)
    }
}

impl<'a, T: ?Sized, F: Future<Output = raw::MutexGuard<'a, ()>>> PolledFrom for Locking<'a, T, F> {
    #[inline]
    #[track_caller]
    fn poll_from(self: Pin<&mut Self>, cx: &mut Context<'_>, polled: impl FnOnce() -> CallSite) -> Poll<Self::Output> {
        // SAFETY: `lock` is pinned with `self`: never moved out, and `Locking` is not `Unpin`, since that is not. The other
        // fields are not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        if !matches!(this.stage, Stage::Waiting)
            && let Some(guard) = this.begin()
        {
            return Poll::Ready(guard);
        }
        // SAFETY: as above.
        let guard = ready!(unsafe { Pin::new_unchecked(&mut this.lock) }.poll_from(cx, polled));
        Poll::Ready(MutexGuard::begin(this.mutex, guard, this.slot, this.site))
    }
}
