//! What a timer notes of who waits for it.
use std::panic::Location;

use crate::recorder::wait::{Awaited, PolledWait, WaitKind, awaited_at};

pub(super) type CallSite = &'static Location<'static>;

/// Beside a timer of tokio's.
pub(super) struct Timer {
    made: CallSite,
    waiting: PolledWait,
}

impl Timer {
    pub(super) fn new(made: CallSite) -> Self {
        Self { made, waiting: PolledWait::new() }
    }

    /// It was polled at `polled`.
    #[inline]
    pub(super) fn polled(&mut self, is_pending: bool, polled: CallSite) {
        if is_pending {
            self.waiting.pending(WaitKind::Timer, 0, awaited_at(polled, self.made));
        } else {
            self.waiting.over();
        }
    }
}

/// An `await` for a moment.
pub(super) struct TimerAwaited;

impl Awaited for TimerAwaited {
    fn target(&self) -> Option<(WaitKind, u64)> {
        Some((WaitKind::Timer, 0))
    }
}
