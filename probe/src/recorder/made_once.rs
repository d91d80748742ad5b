//! What is made when it is first needed, by whoever comes first, and never freed from then on: chunks of slots, sites.
use super::sync::atomic::{
    AtomicPtr,
    Ordering::{AcqRel, Acquire, Relaxed},
};

/// Null until it is made.
pub(crate) struct MadeOnce<T: 'static>(pub(super) AtomicPtr<T>);

/// Who made it.
pub(crate) enum Made<T: 'static> {
    Ours(&'static T),
    Theirs(&'static T),
}

impl<T: 'static> MadeOnce<T> {
    /// It, once it was made.
    #[inline]
    pub(crate) fn get(&self) -> Option<&'static T> {
        // SAFETY: null, or what `make_with` was given, which is never freed.
        unsafe { self.0.load(Acquire).as_ref() }
    }

    /// Whether it was made by now; what it is may not be seen yet.
    pub(crate) fn is_made(&self) -> bool {
        !self.0.load(Relaxed).is_null()
    }

    /// What is here from now on: `new`, or what another thread has put here before, and then `undo` is given `new` back,
    /// which nobody else has seen.
    ///
    /// # Safety
    /// `new` points to a valid `T` which stays so, and is shared only, unless `undo` is given it.
    pub(crate) unsafe fn make_with(&self, new: *mut T, undo: impl FnOnce(*mut T)) -> Made<T> {
        match self.0.compare_exchange(std::ptr::null_mut(), new, AcqRel, Acquire) {
            // SAFETY: by this function's contract.
            Ok(_) => Made::Ours(unsafe { &*new }),
            Err(theirs) => {
                undo(new);
                // SAFETY: not null, so another's `new`, by this function's contract.
                Made::Theirs(unsafe { &*theirs })
            }
        }
    }
}

impl<T: 'static> Made<T> {
    /// It, whoever made it.
    pub(crate) fn get(self) -> &'static T {
        match self {
            Self::Ours(it) | Self::Theirs(it) => it,
        }
    }
}
