//! A name, as a number.
use super::sync::atomic::{AtomicU16, Ordering::Relaxed};

#[derive(Default)]
pub(crate) struct Name(AtomicU16);

impl Name {
    pub(crate) fn reset(&self) {
        self.0.store(0, Relaxed);
    }

    pub(crate) fn id(&self) -> u16 {
        self.0.load(Relaxed)
    }
}
