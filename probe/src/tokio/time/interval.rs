//! [`interval`].
use std::{
    fmt,
    future::Future,
    panic::Location,
    task::{Context, Poll},
};

use ::tokio::time as raw;

use super::{
    Duration, Instant, MissedTickBehavior,
    timer::{Due, Timer, TimerAwaited},
};
use crate::recorder::wait::Watched;

/// Ticks at once and then every `period`; see [`tokio::time::interval`](::tokio::time::interval).
///
/// # Panics
/// When `period` is zero, and outside of a runtime with timers.
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    Interval { inner: raw::interval(period), due: Due::In(period), timer: Timer::new(Location::caller()) }
}

/// Ticks at `start` and then every `period`; see [`tokio::time::interval_at`](::tokio::time::interval_at).
///
/// # Panics
/// When `period` is zero, and outside of a runtime with timers.
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    let due = Due::Later(start, period);
    Interval { inner: raw::interval_at(start, period), due, timer: Timer::new(Location::caller()) }
}

/// Ticks; see [`tokio::time::Interval`](::tokio::time::Interval).
pub struct Interval {
    inner: raw::Interval,
    /// Of any tick.
    due: Due,
    /// For those who poll the interval itself.
    timer: Timer,
}

impl Interval {
    /// Waits for the next tick; see [`Interval::tick`](::tokio::time::Interval::tick).
    #[track_caller]
    pub fn tick(&mut self) -> impl Future<Output = Instant> {
        Watched::new(self.inner.tick(), TimerAwaited(self.due), Location::caller())
    }

    /// Polls for the next tick; see [`Interval::poll_tick`](::tokio::time::Interval::poll_tick).
    #[track_caller]
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        let poll = self.inner.poll_tick(cx);
        self.timer.polled(poll.is_pending(), Location::caller(), || self.due);
        poll
    }

    /// See [`Interval::reset`](::tokio::time::Interval::reset).
    pub fn reset(&mut self) {
        self.inner.reset();
        self.is_due(Due::In(self.period()));
    }

    /// See [`Interval::reset_immediately`](::tokio::time::Interval::reset_immediately).
    pub fn reset_immediately(&mut self) {
        self.inner.reset_immediately();
        self.is_due(Due::In(self.period()));
    }

    /// See [`Interval::reset_after`](::tokio::time::Interval::reset_after).
    pub fn reset_after(&mut self, after: Duration) {
        self.inner.reset_after(after);
        self.is_due(Due::In(after.max(self.period())));
    }

    /// See [`Interval::reset_at`](::tokio::time::Interval::reset_at).
    pub fn reset_at(&mut self, deadline: Instant) {
        self.inner.reset_at(deadline);
        self.is_due(Due::Later(deadline, self.period()));
    }

    /// See [`Interval::missed_tick_behavior`](::tokio::time::Interval::missed_tick_behavior).
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.inner.missed_tick_behavior()
    }

    /// See [`Interval::set_missed_tick_behavior`](::tokio::time::Interval::set_missed_tick_behavior).
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.inner.set_missed_tick_behavior(behavior);
    }

    /// See [`Interval::period`](::tokio::time::Interval::period).
    pub fn period(&self) -> Duration {
        self.inner.period()
    }

    fn is_due(&mut self, due: Due) {
        self.due = due;
        self.timer.reset();
    }

    /// tokio's own. It is not watched from here on.
    pub fn into_inner(self) -> raw::Interval {
        self.inner
    }
}

/// Never ends.
#[cfg(feature = "stream")]
impl futures_util::Stream for Interval {
    type Item = Instant;

    #[track_caller]
    fn poll_next(self: std::pin::Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Instant>> {
        self.get_mut().poll_tick(cx).map(Some)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl From<Interval> for raw::Interval {
    fn from(interval: Interval) -> Self {
        interval.into_inner()
    }
}

impl From<raw::Interval> for Interval {
    #[track_caller]
    fn from(inner: raw::Interval) -> Self {
        // Its first tick may be any time from now.
        Self { inner, due: Due::Unknown, timer: Timer::new(Location::caller()) }
    }
}

impl fmt::Debug for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
