//! A table from ids to what they stand for, for whoever is told no more than an id: from tokio's ids of tasks to their slots,
//! from ids of spans to what is known of them. Free of locks; grows with what is in it, under the recorder's ceiling, and
//! never moves a thing.
mod set;

use std::{
    alloc::{Layout, alloc_zeroed},
    sync::atomic::{
        AtomicPtr,
        Ordering::{AcqRel, Acquire, Relaxed},
    },
};

use super::{Recorder, sync, task::TaskSlot};

pub(crate) use set::Value;
use set::{PointerTo, Set};

/// Sets of each level; the next one is made when in all before it an id's set is full.
const LEVELS: [usize; 6] = [2048, 8192, 32_768, 131_072, 524_288, 2_097_152];

/// A task's slot.
pub(crate) type SlotOf = PointerTo<TaskSlot>;

/// An id's place in the table; of a task, where nothing else is said.
pub(crate) type Place<V = SlotOf> = set::Place<V>;

/// The table; of tasks, where nothing else is said.
pub(crate) struct ById<V: Value = SlotOf> {
    levels: [AtomicPtr<Set<V>>; LEVELS.len()],
}

impl<V: Value> ById<V> {
    pub(crate) const fn new() -> Self {
        Self { levels: [const { AtomicPtr::new(std::ptr::null_mut()) }; LEVELS.len()] }
    }

    /// The set of `id` on a level that was made.
    #[inline]
    fn set(&self, level: usize, id: u64) -> Option<&'static Set<V>> {
        let sets = self.levels[level].load(Acquire);
        // Ids come one by one, or say something in some of their bits: this spreads both evenly.
        let index = (id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 43) as usize & (LEVELS[level] - 1);
        // SAFETY: null, or a level's sets, which are never freed; the number of them is a power of two.
        (!sets.is_null()).then(|| unsafe { &*sets.add(index) })
    }

    /// All places of an id: one that comes as another thread takes it out has two for a moment.
    #[inline]
    pub(crate) fn places(&self, id: u64) -> impl Iterator<Item = &'static Place<V>> {
        let sets = (0..LEVELS.len()).map_while(move |level| self.set(level, id));
        sets.flat_map(move |set| set.places(id))
    }

    /// The place of an id that no two have.
    #[cfg(all(feature = "layer", tokio_unstable))]
    #[inline]
    pub(crate) fn find(&self, id: u64) -> Option<&'static Place<V>> {
        // Nearly all are on the first level, unless very many live.
        self.set(0, id)?.places(id).next().or_else(|| self.find_above(id))
    }

    #[cfg(all(feature = "layer", tokio_unstable))]
    #[inline(never)]
    fn find_above(&self, id: u64) -> Option<&'static Place<V>> {
        self.places(id).next()
    }

    /// A place for an id that has none and is not 0; `None` at the ceiling.
    pub(crate) fn claim(&self, recorder: &'static Recorder, id: u64) -> Option<&'static Place<V>> {
        let sets = (0..LEVELS.len()).map_while(|level| self.set(level, id).or_else(|| self.grow(recorder, level, id)));
        sets.into_iter().find_map(|set| set.claim(id))
    }

    #[cold]
    fn grow(&self, recorder: &'static Recorder, level: usize, id: u64) -> Option<&'static Set<V>> {
        let layout = Layout::array::<Set<V>>(LEVELS[level]).ok()?;
        if !recorder.has_room_for(layout.size() as u64) {
            return None;
        }
        #[allow(clippy::cast_ptr_alignment, reason = "the layout asks for a set's alignment")]
        // SAFETY: the layout is not of size zero; zeroed bytes are valid sets, by the contract of `Value`.
        let new = unsafe { alloc_zeroed(layout) }.cast::<Set<V>>();
        if !new.is_null() && self.levels[level].compare_exchange(std::ptr::null_mut(), new, AcqRel, Acquire).is_err() {
            // SAFETY: made above with this layout, and shown to nobody.
            unsafe { std::alloc::dealloc(new.cast(), layout) };
        }
        self.set(level, id)
    }

    /// Bytes that it takes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        let made = self.levels.iter().zip(LEVELS).filter(|(sets, _)| !sets.load(Relaxed).is_null());
        made.map(|(_, sets)| (sets * size_of::<Set<V>>()) as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(known: &ById, id: u64) -> Option<&'static Place> {
        let mut places = known.places(id);
        let place = places.next();
        assert!(places.next().is_none());
        place
    }

    #[test]
    fn every_task_is_found_until_it_ends_however_many_live() {
        crate::recorder::start(crate::recorder::DEFAULT_LIMIT_BYTES);
        let recorder = crate::recorder::active().unwrap();
        let known: &'static ById = Box::leak(Box::new(ById::new()));
        let ids = || (1..=100_000_u64).map(|id| id * 3);
        for id in ids() {
            assert!(find(known, id).is_none());
            assert!(known.claim(recorder, id).is_some());
        }
        assert!(ids().all(|id| find(known, id).is_some()));
        assert!(find(known, 1).is_none());
        for id in ids() {
            find(known, id).unwrap().give_back();
        }
        let bytes = known.memory_bytes();
        for id in (0..100_000).map(|id| 1_000_000 + id * 3) {
            known.claim(recorder, id).unwrap();
        }
        assert_eq!(known.memory_bytes(), bytes, "places are used again");
    }

    #[test]
    fn threads_that_spawn_at_once_get_places_of_their_own() {
        crate::recorder::start(crate::recorder::DEFAULT_LIMIT_BYTES);
        let recorder = crate::recorder::active().unwrap();
        let known: &'static ById = Box::leak(Box::new(ById::new()));
        std::thread::scope(|scope| {
            for thread in 0..4_u64 {
                scope.spawn(move || {
                    for n in 1..20_000 {
                        let id = n * 4 + thread;
                        let place = known.claim(recorder, id).unwrap();
                        assert!(std::ptr::eq(find(known, id).unwrap(), place));
                        if n % 2 == 0 {
                            place.give_back();
                            assert!(find(known, id).is_none());
                        }
                    }
                });
            }
        });
        assert!((1..20_000).step_by(2).all(|n| (0..4).all(|thread| find(known, n * 4 + thread).is_some())));
    }
}
