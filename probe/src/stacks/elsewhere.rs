//! Systems and processors on which no stack can be taken yet.
use std::time::Duration;

use ::tokio::sync::watch;

use super::{Frame, Sight, SightKind, Stack};
use crate::recorder::{
    Recorder,
    task::{TaskReading, TaskSlot},
};

/// Looks at nothing.
pub(crate) struct Watchdog;

impl Watchdog {
    pub(crate) fn new(_: &'static Recorder, _enabled: bool) -> Self {
        Self
    }

    pub(crate) fn unavailable(&self) -> Option<String> {
        Some("stacks of blocked polls are taken on Linux on x86_64 and aarch64 only".to_owned())
    }

    pub(crate) fn shed(&self) -> u64 {
        0
    }

    pub(crate) fn cpu_ns(&self) -> u64 {
        0
    }

    pub(crate) fn look(&mut self) -> Vec<Stack> {
        Vec::new()
    }

    pub(crate) fn look_into_polls(&mut self) {}

    pub(crate) fn sights(&mut self) -> Vec<Sight> {
        Vec::new()
    }

    pub(crate) fn stop(&mut self) {}

    pub(crate) fn polled(&mut self, _: &'static TaskSlot, _: &TaskReading) {}

    pub(crate) fn closer_look(&self, _looks: u32) -> Option<Duration> {
        None
    }

    pub(crate) fn look_closer(&mut self) {}
}

/// Nothing is needed of the thread.
pub(crate) fn this_thread() -> (i32, (usize, usize)) {
    (0, (0, 0))
}

/// Nobody asks for it.
pub(crate) struct Looking;

impl Looking {
    pub(crate) fn begin(_: &'static TaskSlot) -> Option<Self> {
        None
    }

    #[allow(clippy::unused_self, reason = "as where polls are looked at")]
    pub(crate) fn ended(&mut self) {}

    pub(crate) fn goes_on() -> bool {
        false
    }

    pub(crate) fn awaits(_: &'static TaskSlot) {}

    pub(crate) fn waits_here(_: &'static TaskSlot) {}

    pub(crate) fn wakes_here(_: &'static TaskSlot) {}
}

/// Nobody looks.
pub(crate) fn seen(_: SightKind, _of: u64) {}

/// Never made.
#[derive(Clone, Default)]
pub(crate) struct Suspensions {
    pub(crate) polls: u64,
    pub(crate) stacks: Vec<Vec<Frame>>,
    pub(crate) only_waits: Option<bool>,
}

/// Not answered.
pub(crate) fn where_suspended(_: u64) -> watch::Receiver<Suspensions> {
    watch::channel(Suspensions::default()).1
}
