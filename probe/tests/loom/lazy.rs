//! Slots that are taken when they are first needed.
use loom::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread,
};

use crate::{
    check,
    recorder::{
        self,
        arena::{Arena, Head, Slot},
        lazy::Lazy,
    },
};

/// What is taken when it is first needed.
struct Detail {
    head: Head,
    ready: AtomicU32,
}

// SAFETY: as the trait says.
unsafe impl Slot for Detail {
    fn head(&self) -> &Head {
        &self.head
    }
}

#[test]
fn two_that_need_a_slot_at_once_get_the_same_one_and_find_it_ready() {
    check(|| {
        let slots = (0..2).map(|index| Detail { head: Head { index }, ready: AtomicU32::new(0) }).collect();
        let arena: &'static Arena<Detail> = Box::leak(Box::new(Arena::of(slots)));
        let lazy = Arc::new(recorder::lazy());
        let need = move |lazy: &Lazy<Detail>| {
            let slot = lazy.get_or_take(arena, |slot| slot.ready.store(1, Relaxed)).unwrap();
            assert_eq!(slot.ready.load(Relaxed), 1);
            Arena::index(slot)
        };
        let other = thread::spawn({
            let lazy = lazy.clone();
            move || need(&lazy)
        });
        let ours = need(&lazy);
        assert_eq!(ours, other.join().unwrap());
        // Whoever came too late has given back what it took.
        assert_eq!(arena.taken.load(Relaxed) - arena.given_back.load(Relaxed), 1);
        assert_eq!(arena.shed.load(Relaxed), 0);
    });
}
