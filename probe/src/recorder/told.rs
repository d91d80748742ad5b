//! Places that come as text, each kept once: there are as many as lines of the source where anything is made.
use std::{
    alloc::{Layout, alloc, dealloc},
    sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed},
};

use super::{
    made_once::{Made, MadeOnce},
    place::Place,
};

/// A place that came as text.
#[derive(Debug)]
pub(crate) struct Told {
    pub(super) file: &'static str,
    pub(super) line: u32,
    pub(super) column: u32,
}

const PLACES: usize = 4096;
/// A probe sequence longer than this means that the table is full for practical purposes.
const MAX_PROBES: usize = 64;
/// Bytes of a file's path.
const MAX_FILE: usize = 1024;

static TOLD: Table = Table::new();

/// Bytes taken.
pub(super) fn memory_bytes() -> u64 {
    TOLD.bytes.load(Relaxed)
}

/// An open-addressed table that only grows.
struct Table {
    places: [MadeOnce<Told>; PLACES],
    bytes: AtomicU64,
}

impl Place {
    /// The place with that text; `None` when there are too many.
    pub(crate) fn told(file: &str, line: u32, column: u32) -> Option<Self> {
        TOLD.get(file, line, column).map(Self::Told)
    }
}

impl Table {
    #[allow(clippy::large_stack_arrays, reason = "made in constants and tests only")]
    const fn new() -> Self {
        Self { places: [const { MadeOnce(AtomicPtr::new(std::ptr::null_mut())) }; PLACES], bytes: AtomicU64::new(0) }
    }

    fn get(&'static self, file: &str, line: u32, column: u32) -> Option<&'static Told> {
        let mut place = hash(file, line, column) % PLACES;
        for _ in 0..MAX_PROBES {
            let told = match self.places[place].get() {
                Some(told) => told,
                None => self.insert(place, file, line, column)?,
            };
            if told.line == line && told.column == column && told.file == file {
                return Some(told);
            }
            place = (place + 1) % PLACES;
        }
        None
    }

    /// What is at `place` from now on: this one, or another thread's. Nothing here aborts the host where memory runs out.
    #[cold]
    fn insert(&'static self, place: usize, file: &str, line: u32, column: u32) -> Option<&'static Told> {
        if file.len() > MAX_FILE {
            return None;
        }
        let mut text = String::new();
        text.try_reserve_exact(file.len()).ok()?;
        text.push_str(file);
        #[allow(clippy::cast_ptr_alignment, reason = "the layout asks for a place's alignment")]
        // SAFETY: a `Told` is not of size zero.
        let new = unsafe { alloc(Layout::new::<Told>()) }.cast::<Told>();
        if new.is_null() {
            return None;
        }
        let bytes = size_of::<Told>() + text.len();
        let text = Box::into_raw(text.into_boxed_str());
        // SAFETY: `new` is valid for a `Told` and not initialised yet; the text is freed only where nobody has seen it.
        unsafe { new.write(Told { file: &*text, line, column }) };
        let undo = |new: *mut Told| {
            // SAFETY: made above and shown to nobody: the text was a box, the rest has this layout.
            unsafe {
                drop(Box::from_raw(text));
                dealloc(new.cast(), Layout::new::<Told>());
            }
        };
        // SAFETY: just written; from here on it is freed by `undo` only.
        let made = unsafe { self.places[place].make_with(new, undo) };
        if let Made::Ours(_) = made {
            self.bytes.fetch_add(bytes as u64, Relaxed);
        }
        Some(made.get())
    }
}

fn hash(file: &str, line: u32, column: u32) -> usize {
    let end = file.as_bytes().last_chunk::<8>().map_or(0, |end| u64::from_le_bytes(*end));
    let key = end.rotate_left(7) ^ u64::from(line) << 32 ^ u64::from(column) << 20 ^ file.len() as u64;
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_place_for_all_threads_and_another_text_another() {
        let told = |line| Place::told("src/told.rs", line, 5).unwrap();
        let addresses: Vec<usize> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| told(7).address())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(addresses.iter().all(|&address| address == told(7).address()));
        assert_ne!(told(8).address(), told(7).address());
        assert_eq!((told(7).file(), told(7).line(), told(7).column()), ("src/told.rs", 7, 5));
    }

    #[test]
    fn what_is_too_long_or_too_much_is_no_place() {
        let table: &'static Table = Box::leak(Box::new(Table::new()));
        assert!(table.get(&"x".repeat(MAX_FILE + 1), 1, 1).is_none());
        let found = (0..2 * PLACES as u32).filter(|&line| table.get("src/many.rs", line, 1).is_some()).count();
        assert!(found <= PLACES && found > PLACES / 2, "{found}");
    }
}
