//! A few ids and what is kept of each. Any thread may claim a place, find it and give it back at any time.
use super::sync::atomic::{
    AtomicPtr, AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// Ids in one set.
const WAYS: usize = 4;

/// What can be kept of an id.
///
/// # Safety
/// All bytes zero must be a valid value: sets come zeroed and nobody constructs values one by one.
pub(crate) unsafe trait Value: Sync + 'static {}

/// A set of the table.
#[repr(align(64))]
#[derive(Default)]
pub(crate) struct Set<V: Value>([Place<V>; WAYS]);

/// An id's place in the table.
#[derive(Default)]
pub(crate) struct Place<V: Value> {
    /// 0 when free.
    id: AtomicU64,
    value: V,
}

/// A thing that is never freed; null for a moment when it is entered.
#[derive(Default)]
pub(crate) struct PointerTo<T: 'static>(AtomicPtr<T>);

// SAFETY: an atomic; zero is null.
unsafe impl<T: Sync> Value for PointerTo<T> {}

impl<V: Value> Set<V> {
    /// The places of an id.
    #[inline]
    pub(crate) fn places(&self, id: u64) -> impl Iterator<Item = &Place<V>> {
        self.0.iter().filter(move |place| place.id.load(Acquire) == id)
    }

    /// A place for an id that has none and is not 0; `None` where all are taken.
    pub(crate) fn claim(&self, id: u64) -> Option<&Place<V>> {
        self.0
            .iter()
            .find(|place| place.id.load(Relaxed) == 0 && place.id.compare_exchange(0, id, AcqRel, Relaxed).is_ok())
    }
}

impl<V: Value> Place<V> {
    /// What is kept of the id; of one that was claimed just now as its last owner left it, all zero at first.
    #[inline]
    #[cfg(feature = "layer")]
    pub(crate) fn value(&self) -> &V {
        &self.value
    }

    /// The place is free again.
    pub(crate) fn give_back(&self) {
        self.id.store(0, Release);
    }
}

impl<T: Sync> Place<PointerTo<T>> {
    /// What the id stands for, once it was [entered](Self::point_to).
    pub(crate) fn get(&self) -> Option<&'static T> {
        // SAFETY: null, or what `point_to` was given.
        unsafe { self.value.0.load(Acquire).as_ref() }
    }

    /// The same; the place is free.
    pub(crate) fn take(&self) -> Option<&'static T> {
        // SAFETY: as in `get`.
        let it = unsafe { self.value.0.swap(std::ptr::null_mut(), AcqRel).as_ref() }?;
        self.give_back();
        Some(it)
    }

    /// Enters what the place was claimed for.
    pub(crate) fn point_to(&self, it: &'static T) {
        self.value.0.store(std::ptr::from_ref(it).cast_mut(), Release);
    }
}
