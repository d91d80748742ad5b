//! What is made when it is first needed.
use loom::{
    cell::UnsafeCell,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
};

use crate::{
    check,
    recorder::{
        self,
        made_once::{Made, MadeOnce},
    },
};

/// Written before anybody else can see it, so that loom fails who sees it earlier.
struct Thing(UnsafeCell<u32>);

// SAFETY: what a thread may see is what the test is about; loom fails it where one reads beside another that writes.
unsafe impl Sync for Thing {}

impl Thing {
    fn written(by: u32) -> *mut Self {
        let thing = Box::new(Self(UnsafeCell::new(0)));
        // SAFETY: nobody else has it.
        thing.0.with_mut(|it| unsafe { *it = by });
        Box::into_raw(thing)
    }

    fn by(&self) -> u32 {
        // SAFETY: it is written before it is shown.
        self.0.with(|it| unsafe { *it })
    }
}

#[test]
fn two_that_need_it_at_once_see_one_that_is_whole_and_the_other_is_undone() {
    check(|| {
        let once: &'static MadeOnce<Thing> = Box::leak(Box::new(recorder::to_be_made()));
        let undone: &'static AtomicU32 = Box::leak(Box::new(AtomicU32::new(0)));
        let need = move |me: u32| {
            let undo = |new: *mut Thing| {
                // SAFETY: made by `written`, and shown to nobody.
                drop(unsafe { Box::from_raw(new) });
                undone.fetch_add(1, Relaxed);
            };
            // SAFETY: made by `written`, and freed by `undo` only.
            let made = unsafe { once.make_with(Thing::written(me), undo) };
            let ours = matches!(made, Made::Ours(_));
            let by = made.get().by();
            assert_eq!(by == me, ours);
            by
        };
        let other = thread::spawn(move || need(1));
        // As a reader, who makes nothing.
        let looks = thread::spawn(move || once.get().map(Thing::by));
        let ours = need(2);
        assert_eq!(ours, other.join().unwrap());
        assert!(looks.join().unwrap().is_none_or(|by| by == ours));
        assert_eq!(undone.load(Relaxed), 1);
    });
}
