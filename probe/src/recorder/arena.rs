//! Where slots live: chunks that are never freed, so that a slot's address holds for the life of the process and a
//! reader can look at any slot at any time; a free list; and a bit for each slot that says "changed since last looked".
use std::{
    alloc::{Layout, alloc_zeroed},
    sync::atomic::{
        AtomicPtr, AtomicU32, AtomicU64,
        Ordering::{Acquire, Relaxed, SeqCst},
        fence,
    },
};

use super::{
    active,
    free_list::{FreeList, Taken},
    made_once::{Made, MadeOnce},
    mark::{self, Place},
    stripes::{STRIPES, Stripe, Stripes},
    thread,
};

/// Of a chunk, whole words of marks: so many that a chunk of locks is below what an allocator maps for itself, page by page,
/// where the last page was three bytes for each lock.
const SLOTS: usize = 960;
const CHUNKS: usize = 8192;
/// Slots whose marks are in one word. A thread gets so many fresh ones at a time, so that threads do not share words either.
const BLOCK: usize = 64;
const WORDS: usize = SLOTS / BLOCK;
/// So many slots go from one thread's list to another's at a time, if as many are left.
const MOVED: usize = BLOCK / 2;
/// Slots that an arena can have.
pub(super) const CAPACITY: usize = SLOTS * CHUNKS;

/// What every slot begins with; owned by the arena.
#[derive(Default)]
pub(crate) struct Head {
    /// Beside the slot's own data, so that the writer that has this line anyway finds its mark here.
    place: Place,
    /// While it is free: the index plus one of the next one in its list, or of those that a thread keeps.
    next_free: AtomicU32,
}

/// A type that can live in an [`Arena`].
///
/// # Safety
/// All bytes zero must be a valid value: chunks come zeroed and nobody constructs slots one by one.
pub(crate) unsafe trait Slot: Sync + 'static {
    fn head(&self) -> &Head;
}

struct Chunk<T> {
    changed: [AtomicU64; WORDS],
    slots: [T; SLOTS],
}

/// Slots of one kind.
pub(crate) struct Arena<T: 'static> {
    chunks: [MadeOnce<Chunk<T>>; CHUNKS],
    /// Slots that are in use or were ever free.
    fresh: AtomicU32,
    free: Stripes,
    /// Chunks there are.
    chunks_made: AtomicU32,
    /// Entities that found no slot.
    shed: AtomicU64,
}

impl<T: Slot> Arena<T> {
    #[allow(clippy::large_stack_arrays, reason = "made in constants and tests only")]
    pub(crate) const fn new() -> Self {
        Self {
            chunks: [const { MadeOnce(AtomicPtr::new(std::ptr::null_mut())) }; CHUNKS],
            fresh: AtomicU32::new(0),
            free: Stripes(
                [const { Stripe::of(FreeList(AtomicU64::new(0)), AtomicU32::new(0), AtomicU32::new(0)) }; STRIPES],
            ),
            chunks_made: AtomicU32::new(0),
            shed: AtomicU64::new(0),
        }
    }

    /// A slot for a new entity, as its last owner left it (all zero at first); `None` at the ceiling, and counted.
    #[inline]
    pub(crate) fn take(&'static self) -> Option<&'static T> {
        self.try_take().or_else(|| {
            self.count_shed();
            None
        })
    }

    /// As [`Arena::take`], and who asks counts.
    #[inline]
    pub(crate) fn try_take(&'static self) -> Option<&'static T> {
        let kept = self.free.pop_kept(thread::number(), |index| self.next_free(index));
        kept.and_then(|index| self.get(index)).or_else(|| self.find())
    }

    /// Gives back a slot that no instrument refers to any more.
    pub(crate) fn give_back(&'static self, slot: &'static T) {
        self.mark(slot);
        self.free.give_back(thread::number(), Self::index(slot), &slot.head().next_free);
    }

    /// A slot for a thread that keeps none: one of its list, what others have too many of, a new one, or at the ceiling any.
    #[inline(never)]
    fn find(&'static self) -> Option<&'static T> {
        let next = |index| self.next_free(index);
        let thread = thread::number();
        let free = self.free.pop(thread, next).or_else(|| self.free.refill(thread, MOVED, MOVED, next));
        let free = free.and_then(|index| self.get(index)).or_else(|| self.take_fresh());
        free.or_else(|| self.free.pop_any(next).and_then(|index| self.get(index)))
    }

    /// A slot that nobody ever had. The rest of its block goes to the thread's list.
    fn take_fresh(&'static self) -> Option<&'static T> {
        let first = self.take_block(Self::may_grow)?;
        let chunk = self.chunk(first as usize / SLOTS)?;
        let block = &chunk.slots[first as usize % SLOTS..][..BLOCK];
        for (slot, index) in block.iter().zip(first..) {
            slot.head().place.set(index);
            // The next one's index plus one.
            slot.head().next_free.store(index + 2, Relaxed);
        }
        let rest = Taken { first: first + 1, last: first + BLOCK as u32 - 1 };
        self.free.push(thread::number(), rest, &block[BLOCK - 1].head().next_free);
        Some(&block[0])
    }

    /// The first of as many as are in a block. Their chunk is there: so no chunk is ever behind one that could not be made.
    fn take_block(&self, may_grow: impl Fn() -> bool) -> Option<u32> {
        let taken = self.fresh.try_update(Relaxed, Relaxed, |n| {
            let chunk = n as usize / SLOTS;
            let made = self.chunks.get(chunk)?.is_made() || may_grow() && self.chunk(chunk).is_some();
            made.then_some(n + BLOCK as u32)
        });
        taken.ok()
    }

    #[inline]
    fn next_free(&self, index: u32) -> Option<&'static AtomicU32> {
        Some(&self.get(index)?.head().next_free)
    }

    fn may_grow() -> bool {
        active().is_some_and(|recorder| recorder.has_room_for(size_of::<Chunk<T>>() as u64))
    }

    /// The chunk, made if it is not there yet.
    fn chunk(&self, n: usize) -> Option<&'static Chunk<T>> {
        let place = &self.chunks[n];
        if let Some(chunk) = place.get() {
            return Some(chunk);
        }
        let layout = Layout::new::<Chunk<T>>();
        #[allow(clippy::cast_ptr_alignment, reason = "the layout asks for a chunk's alignment")]
        // SAFETY: the layout is not of size zero.
        let new = unsafe { alloc_zeroed(layout) }.cast::<Chunk<T>>();
        if new.is_null() {
            return None;
        }
        // SAFETY: zeroed bytes are a valid `Chunk` by the contract of `Slot`; it was made with this layout.
        let made = unsafe { place.make_with(new, |new| std::alloc::dealloc(new.cast(), layout)) };
        if let Made::Ours(_) = made {
            self.chunks_made.fetch_add(1, Relaxed);
        }
        Some(made.get())
    }

    #[inline]
    fn get(&self, index: u32) -> Option<&'static T> {
        let chunk = self.chunks.get(index as usize / SLOTS)?.get()?;
        Some(&chunk.slots[index as usize % SLOTS])
    }

    /// Says that a slot changed. To be called after the change; nearly always one load of a line that the caller has.
    #[inline]
    pub(crate) fn mark(&self, slot: &T) {
        if slot.head().place.is_unmarked() {
            self.mark_cold(slot);
        }
    }

    #[cold]
    fn mark_cold(&self, slot: &T) {
        let place = &slot.head().place;
        let index = place.index() as usize;
        // The slot lies in that chunk, so it is there.
        if let Some(chunk) = self.chunks[index / SLOTS].get() {
            mark::mark(place, &chunk.changed[index % SLOTS / BLOCK]);
        }
    }

    /// Takes the slots that changed since the last call into `into`, by index.
    ///
    /// Look at them a moment later only ([`SETTLE`]): a writer that found its slot still marked may have its last stores
    /// on the way. What it writes after that marks the slot anew, for the next call.
    pub(crate) fn take_changed(&'static self, into: &mut Vec<u32>) {
        for (n, chunk) in self.chunks_there() {
            for (w, word) in chunk.changed.iter().enumerate() {
                let slots = &chunk.slots[w * BLOCK..][..BLOCK];
                let first = (n * SLOTS + w * BLOCK) as u32;
                mark::take(word, |slot| &slots[slot as usize].head().place, |slot| into.push(first + slot));
            }
        }
        fence(SeqCst);
    }

    /// The slot at an index that [`Arena::take_changed`] gave, or any other.
    #[inline]
    pub(crate) fn at(&self, index: u32) -> Option<&'static T> {
        self.get(index)
    }

    /// The slot at an index, if it was ever free or in use.
    pub(crate) fn at_used(&self, index: u32) -> Option<&'static T> {
        (index < self.fresh.load(Acquire)).then(|| self.get(index))?
    }

    /// The index of a slot of this arena.
    #[inline]
    pub(crate) fn index(slot: &T) -> u32 {
        slot.head().place.index()
    }

    /// All slots that are in use or ever were free, with their indices.
    pub(crate) fn all(&'static self) -> impl Iterator<Item = (u32, &'static T)> {
        let fresh = self.fresh.load(Acquire) as usize;
        self.chunks_there()
            .flat_map(|(n, chunk)| chunk.slots.iter().enumerate().map(move |(i, slot)| ((n * SLOTS + i) as u32, slot)))
            .take_while(move |(index, _)| (*index as usize) < fresh)
    }

    fn chunks_there(&'static self) -> impl Iterator<Item = (usize, &'static Chunk<T>)> {
        self.chunks.iter().enumerate().map_while(|(n, chunk)| Some((n, chunk.get()?)))
    }

    /// Bytes taken.
    pub(crate) fn memory_bytes(&self) -> u64 {
        u64::from(self.chunks_made.load(Relaxed)) * size_of::<Chunk<T>>() as u64
    }

    /// An entity finds no slot.
    pub(crate) fn count_shed(&self) {
        self.shed.fetch_add(1, Relaxed);
    }

    /// Entities that found no slot.
    pub(crate) fn shed(&self) -> u64 {
        self.shed.load(Relaxed)
    }
}

/// How long after [`Arena::take_changed`] its slots may be looked at. A store leaves the CPU's store buffer within
/// microseconds; a thread that is descheduled between its store and its look at `marked` has passed its stores on.
pub(crate) const SETTLE: std::time::Duration = std::time::Duration::from_millis(1);

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, sync::atomic::AtomicUsize, thread};

    use super::*;

    #[derive(Default)]
    struct Cell {
        head: Head,
        users: AtomicUsize,
    }

    // SAFETY: zeroed atomics are valid.
    unsafe impl Slot for Cell {
        fn head(&self) -> &Head {
            &self.head
        }
    }

    fn arena() -> &'static Arena<Cell> {
        crate::recorder::start(crate::recorder::DEFAULT_LIMIT_BYTES);
        Box::leak(Box::new(Arena::new()))
    }

    #[test]
    fn a_slot_has_one_owner_at_a_time() {
        let arena = arena();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for round in 0..20_000 {
                        let slots: Vec<_> = (0..=round % 3).map(|_| arena.take().unwrap()).collect();
                        for slot in slots {
                            assert_eq!(slot.users.fetch_add(1, Relaxed), 0);
                            slot.users.fetch_sub(1, Relaxed);
                            arena.give_back(slot);
                        }
                    }
                });
            }
        });
        // Each may have found the list empty while the first block was on its way there.
        assert!(arena.fresh.load(Relaxed) as usize <= 4 * BLOCK, "freed slots are used again");
    }

    #[test]
    fn every_change_is_told_once() {
        let arena = arena();
        let slots: Vec<_> = (0..3000).map(|_| arena.take().unwrap()).collect();
        let mut changed = Vec::new();
        arena.take_changed(&mut changed);
        assert!(changed.is_empty());

        for slot in slots.iter().step_by(3) {
            arena.mark(slot);
            arena.mark(slot);
        }
        arena.take_changed(&mut changed);
        let expected: HashSet<u32> = (0..3000).step_by(3).collect();
        assert_eq!(changed.len(), expected.len());
        assert_eq!(changed.iter().copied().collect::<HashSet<_>>(), expected);

        changed.clear();
        arena.take_changed(&mut changed);
        assert!(changed.is_empty());
    }

    /// A chunk of these is larger than what a process can have.
    struct Huge {
        head: Head,
        _room: [AtomicU64; 1 << 37],
    }

    // SAFETY: zeroed atomics are valid.
    unsafe impl Slot for Huge {
        fn head(&self) -> &Head {
            &self.head
        }
    }

    #[test]
    fn a_chunk_that_the_system_has_no_memory_for_is_asked_for_again() {
        static ARENA: Arena<Huge> = Arena::new();
        for _ in 0..2 {
            assert_eq!(ARENA.take_block(|| true), None);
        }
        assert_eq!((ARENA.fresh.load(Relaxed), ARENA.memory_bytes()), (0, 0));
    }

    #[test]
    fn all_slots_can_be_looked_at() {
        let arena = arena();
        let slots: Vec<_> = (0..1500).map(|_| arena.take().unwrap()).collect();
        for slot in slots {
            arena.give_back(slot);
        }
        assert_eq!(arena.all().count(), 1500_usize.next_multiple_of(BLOCK));
        assert!(arena.all().all(|(index, slot)| std::ptr::eq(arena.at(index).unwrap(), slot)));
    }
}
