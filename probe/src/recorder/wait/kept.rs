//! Waits of what is polled.
use super::{Awaited, WaitKind};

/// What a stream, or whatever else is polled, keeps from one poll of its own to the next: its wait is one of the task's last
/// poll, as a [`PolledWait`](super::PolledWait) is, since nothing else tells whether the task still asks for it.
pub(crate) struct Kept<A>(A);

impl<A> From<A> for Kept<A> {
    fn from(awaited: A) -> Self {
        Self(awaited)
    }
}

impl<A: Awaited> Awaited for Kept<A> {
    const KEPT: bool = true;

    fn target(&self) -> Option<(WaitKind, u64)> {
        self.0.target()
    }

    fn waits(&self) -> bool {
        self.0.waits()
    }

    fn pending(&self) {
        self.0.pending();
    }

    fn ended(&self, waited: u64, completed: bool) {
        self.0.ended(waited, completed);
    }
}
