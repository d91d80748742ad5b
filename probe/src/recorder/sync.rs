//! The atomics of the lock-free pieces. A file of their own, so that `tests/loom.rs` can put loom's in their place.
pub(crate) use std::sync::atomic;

/// Keeps the compiler from moving what comes after before what came before. The CPU may still do so: whoever leans on
/// this waits until its stores are out, as [`SETTLE`](super::arena::SETTLE) says.
#[inline]
pub(crate) fn settles() {
    atomic::compiler_fence(atomic::Ordering::SeqCst);
}
