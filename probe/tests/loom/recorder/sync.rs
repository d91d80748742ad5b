//! loom's atomics and cells in the place of std's.
pub(crate) use loom::{cell::UnsafeCell, sync::atomic};

/// In the probe, a reader gives writers a pause in which their stores get out. Here they get out at once.
pub(crate) fn settles() {
    atomic::fence(atomic::Ordering::SeqCst);
}
