//! The way without a wait: what a wrapper tries before it gives the task over to tokio's own future.
use std::{future::poll_fn, task::Poll};

use ::tokio::task::coop::poll_proceed;

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
pub(super) async fn try_now<T>(mut attempt: impl FnMut() -> Option<T>) -> Tried<T> {
    if is_dumped() {
        return Tried::Yield;
    }
    poll_fn(|cx| {
        Poll::Ready(match poll_proceed(cx) {
            Poll::Ready(budget) => match attempt() {
                Some(value) => {
                    budget.made_progress();
                    Tried::Done(value)
                }
                None => Tried::Wait,
            },
            Poll::Pending => Tried::Yield,
        })
    })
    .await
}

/// As [`try_now`], of what may be tried before the budget is asked, since dropping it undoes the try: where it has to
/// wait, tokio's own future asks, and the try costs one look at the lock.
#[cfg(feature = "watch-locks")]
#[inline]
pub(super) async fn try_lock_now<T>(attempt: impl FnOnce() -> Option<T>) -> Tried<T> {
    if is_dumped() {
        return Tried::Yield;
    }
    let Some(value) = attempt() else { return Tried::Wait };
    let mut value = Some(value);
    poll_fn(move |cx| {
        Poll::Ready(match (poll_proceed(cx), value.take()) {
            (Poll::Ready(budget), Some(value)) => {
                budget.made_progress();
                Tried::Done(value)
            }
            _ => Tried::Yield,
        })
    })
    .await
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
