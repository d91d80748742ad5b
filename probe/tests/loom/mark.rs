//! Slots that changed.
use loom::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
};

use crate::{
    check,
    recorder::{
        mark::{self, Place},
        sync,
    },
};

/// A slot with a fact, and the word with its bit.
struct Marked {
    place: Place,
    word: AtomicU64,
    fact: AtomicU64,
}

impl Marked {
    fn new() -> Arc<Self> {
        let marked = Self { place: Place::default(), word: AtomicU64::new(0), fact: AtomicU64::new(0) };
        marked.place.set(7);
        Arc::new(marked)
    }

    fn write(&self, fact: u64) {
        self.fact.store(fact, Relaxed);
        if self.place.is_unmarked() {
            mark::mark(&self.place, &self.word);
        }
    }

    /// What a reader finds, if it is told to look.
    fn look(&self) -> Option<u64> {
        let mut told = false;
        mark::take(
            &self.word,
            |_| &self.place,
            |slot| {
                assert_eq!(slot, 7);
                told = true;
            },
        );
        sync::settles();
        told.then(|| self.fact.load(Relaxed))
    }
}

#[test]
fn no_change_is_missed() {
    check(|| {
        let marked = Marked::new();
        marked.write(1);
        let writer = thread::spawn({
            let marked = marked.clone();
            move || {
                marked.write(2);
                marked.write(3);
            }
        });
        let mut seen = marked.look().unwrap_or(0);
        writer.join().unwrap();
        if let Some(fact) = marked.look() {
            seen = fact;
        }
        assert_eq!(seen, 3);
    });
}

#[test]
fn of_two_writers_no_change_is_missed_either() {
    check(|| {
        let marked = Marked::new();
        let writers: Vec<_> = [1, 2]
            .map(|fact| {
                let marked = marked.clone();
                thread::spawn(move || marked.write(fact))
            })
            .into();
        let mut seen = marked.look().unwrap_or(0);
        for writer in writers {
            writer.join().unwrap();
        }
        if let Some(fact) = marked.look() {
            seen = fact;
        }
        assert_eq!(seen, marked.fact.load(Relaxed));
    });
}
