//! What a timer notes of who waits for it.
use std::{panic::Location, time::Duration};

use super::Instant;
use crate::recorder::{
    active,
    wait::{Awaited, MAX_ID, PolledWait, WaitKind, awaited_at},
};

pub(super) type CallSite = &'static Location<'static>;

/// Beside a timer of tokio's.
pub(super) struct Timer {
    made: CallSite,
    waiting: PolledWait,
}

impl Timer {
    #[inline]
    pub(super) fn new(made: CallSite) -> Self {
        Self { made, waiting: PolledWait::new() }
    }

    /// Where it was made.
    pub(super) fn made(&self) -> CallSite {
        self.made
    }

    /// It was polled at `polled`, and is due as `due` says.
    #[inline]
    pub(super) fn polled(&mut self, is_pending: bool, polled: CallSite, due: impl FnOnce() -> Due) {
        if !is_pending {
            self.waiting.over();
        } else if active().is_some() {
            self.pends(polled, due);
        }
    }

    /// Apart from the rest, which then is as small as a poll that is not watched.
    #[inline(never)]
    fn pends(&mut self, polled: CallSite, due: impl FnOnce() -> Due) {
        self.waiting.pending_with(WaitKind::Timer, || due().told(), awaited_at(polled, self.made));
    }

    /// It is due at another moment from now on.
    pub(super) fn reset(&mut self) {
        self.waiting.over();
    }
}

/// When a timer is due, at the latest.
#[derive(Debug, Clone, Copy)]
pub(super) enum Due {
    /// So long after the wait began.
    In(Duration),
    At(Instant),
    /// At that moment, or so long after the wait began: whichever is later.
    Later(Instant, Duration),
    Unknown,
}

impl Due {
    /// What is told of a wait that begins now: milliseconds, at least one, since 0 is "not known".
    fn told(self) -> u64 {
        let until = |moment: Instant| moment.saturating_duration_since(Instant::now());
        let left = match self {
            Self::In(span) => span,
            Self::At(moment) => until(moment),
            Self::Later(moment, span) => until(moment).max(span),
            Self::Unknown => return 0,
        };
        // Up, as tokio's own timer goes: between the deadline and the first poll some nanoseconds have gone.
        u64::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX).clamp(1, MAX_ID)
    }
}

/// An `await` for a moment.
pub(super) struct TimerAwaited(pub(super) Due);

impl Awaited for TimerAwaited {
    #[inline]
    fn target(&self) -> Option<(WaitKind, u64)> {
        Some((WaitKind::Timer, self.0.told()))
    }
}
