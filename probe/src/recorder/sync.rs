//! The atomics and cells of the lock-free pieces. A file of their own, so that `tests/loom` can put loom's in their place.
pub(crate) use std::sync::atomic;

/// A cell whose users see to it that nobody writes while another looks.
pub(crate) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// Looks at what is in it.
    #[inline]
    pub(crate) fn with<R>(&self, look: impl FnOnce(*const T) -> R) -> R {
        look(self.0.get())
    }

    /// Writes to it.
    #[inline]
    pub(crate) fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// Keeps the compiler from moving what comes after before what came before. The CPU may still do so: whoever leans on
/// this waits until its stores are out, as [`SETTLE`](super::arena::SETTLE) says.
#[inline]
pub(crate) fn settles() {
    atomic::compiler_fence(atomic::Ordering::SeqCst);
}
