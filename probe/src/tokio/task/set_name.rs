//! The name of the tasks of a set.
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use crate::recorder::{names, task::TaskRef};

/// What the tasks of a set are called which have no name of their own: a number of [`names`].
#[derive(Default)]
pub(crate) struct SetName(AtomicU16);

impl SetName {
    #[cfg(feature = "tokio-util-rt")]
    pub(crate) const fn new() -> Self {
        Self(AtomicU16::new(0))
    }

    /// The name from now on.
    pub(crate) fn set(&self, name: &str) {
        self.0.store(names::id(name), Relaxed);
    }

    /// A task is in the set.
    #[inline]
    pub(crate) fn give(&self, task: Option<&TaskRef>) {
        if let Some(task) = task {
            task.slot().name_if_none(self.0.load(Relaxed));
        }
    }
}
