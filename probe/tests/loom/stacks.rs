//! In the place of the probe's `stacks`: every poll that is to be looked at is.
use crate::recorder::task::TaskSlot;

pub(crate) struct Looking;

impl Looking {
    #[allow(clippy::unnecessary_wraps, reason = "as in the probe, where it may be taken back")]
    pub(crate) fn begin(_task: &'static TaskSlot) -> Option<Self> {
        Some(Self)
    }

    #[allow(clippy::unused_self, reason = "as where polls are looked at")]
    pub(crate) fn ended(&mut self) {}

    pub(crate) fn goes_on() -> bool {
        false
    }

    pub(crate) fn awaits(_task: &'static TaskSlot) {}

    pub(crate) fn waits_here(_task: &'static TaskSlot) {}

    pub(crate) fn wakes_here(_task: &'static TaskSlot) {}
}
