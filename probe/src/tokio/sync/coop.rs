//! The way without a wait: what a wrapper tries before it gives the task over to tokio's own future.
use std::task::{Context, Poll, Waker};

use ::tokio::task::coop::{RestoreOnPending, poll_proceed};

/// What came of a try.
pub(super) enum Tried<T> {
    /// There is no need to wait.
    Done(T),
    /// It has to wait.
    Wait,
    /// It may not be tried: the task has to yield first, and tokio's own future does so.
    Yield,
}

/// Tries `attempt` at the cost that tokio's own future would take from the task's cooperative budget.
#[cfg(feature = "watch-channels")]
#[inline]
pub(super) fn try_now<T>(attempt: impl FnOnce() -> Option<T>) -> Tried<T> {
    if is_dumped() {
        return Tried::Yield;
    }
    let Poll::Ready(budget) = proceed() else { return Tried::Yield };
    let Some(value) = attempt() else { return Tried::Wait };
    budget.made_progress();
    Tried::Done(value)
}

/// As [`try_now`], of what may be tried before the budget is asked, since dropping it undoes the try: where it has to
/// wait, tokio's own future asks, and the try costs one look at the lock.
#[cfg(feature = "watch-locks")]
#[inline]
pub(super) fn try_lock_now<T>(attempt: impl FnOnce() -> Option<T>) -> Tried<T> {
    if is_dumped() {
        return Tried::Yield;
    }
    let Some(value) = attempt() else { return Tried::Wait };
    let Poll::Ready(budget) = proceed() else { return Tried::Yield };
    budget.made_progress();
    Tried::Done(value)
}

/// Takes from the budget. Not by a future, through whose memory a guard would have to go; and with a waker that wakes
/// nobody, since tokio's own future, which is polled when there is no budget left, sees to that.
#[inline]
fn proceed() -> Poll<RestoreOnPending> {
    poll_proceed(&mut Context::from_waker(Waker::noop()))
}

/// Whether this poll is for a task dump, in which nothing may make progress: tokio's own futures see to that.
#[inline]
fn is_dumped() -> bool {
    #[cfg(all(
        tokio_unstable,
        feature = "taskdump",
        target_os = "linux",
        any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64", target_arch = "s390x")
    ))]
    return ::tokio::runtime::Handle::is_tracing();
    #[cfg(not(all(
        tokio_unstable,
        feature = "taskdump",
        target_os = "linux",
        any(target_arch = "aarch64", target_arch = "x86", target_arch = "x86_64", target_arch = "s390x")
    )))]
    false
}
