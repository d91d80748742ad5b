//! Names that the app gives to its tasks, locks and channels. Each text is kept once, for the life of the process, and no
//! more than [`MOST`] of them: names that are made anew for every connection have no end.
use std::sync::atomic::{
    AtomicPtr, AtomicU16, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use super::made_once::{Made, MadeOnce};

/// Texts that are kept.
const MOST: usize = 4096;
/// Twice as many, so that few are looked at for one.
const PLACES: usize = 2 * MOST;
/// Bytes of each that are kept.
pub(crate) const MAX_BYTES: usize = 64;

/// An open-addressed table that only grows. Nobody ever waits here.
static TEXTS: [MadeOnce<String>; PLACES] = [const { MadeOnce(AtomicPtr::new(std::ptr::null_mut())) }; PLACES];
static KEPT: AtomicUsize = AtomicUsize::new(0);
static SHED: AtomicU64 = AtomicU64::new(0);

const _: () = assert!(PLACES < RENAMED as usize);

/// The number of a thing's name, and in the top bit whether it was named after readers may have been told of it.
#[derive(Default)]
pub(crate) struct Name(AtomicU16);

const RENAMED: u16 = 1 << 15;

impl Name {
    /// For a new thing, without a name.
    pub(crate) fn reset(&self) {
        self.first(0);
    }

    /// The name of a new thing.
    pub(crate) fn first(&self, id: u16) {
        self.0.store(id, Relaxed);
    }

    /// The thing goes by another name.
    pub(crate) fn set(&self, name: &str) {
        self.set_id(id(name));
    }

    /// The same by the name's number.
    pub(crate) fn set_id(&self, id: u16) {
        self.0.store(id | RENAMED, Release);
    }

    /// What readers were told of the thing when it was new is no longer so.
    pub(crate) fn tell_again(&self) {
        self.0.fetch_or(RENAMED, Release);
    }

    /// Whether it was named since this was last asked. For the collector only.
    pub(crate) fn take_renamed(&self) -> bool {
        self.0.load(Relaxed) & RENAMED != 0 && self.0.fetch_and(!RENAMED, Acquire) & RENAMED != 0
    }

    /// The number.
    pub(crate) fn id(&self) -> u16 {
        self.0.load(Relaxed) & !RENAMED
    }
}

/// The number that `name` goes by; 0 for the empty one, and for one too many, which is counted.
pub(crate) fn id(name: &str) -> u16 {
    let name = &name[..name.floor_char_boundary(MAX_BYTES)];
    if name.is_empty() {
        return 0;
    }
    let start = hash(name);
    for place in (start..start + PLACES).map(|place| place % PLACES) {
        let Some(text) = TEXTS[place].get().map_or_else(|| keep(place, name), |text| Some(text.as_str())) else {
            break;
        };
        if text == name {
            return place as u16 + 1;
        }
    }
    SHED.fetch_add(1, Relaxed);
    0
}

/// What is at `place` from now on: `name`, or what another thread has put there before; `None` where there is no room.
#[cold]
fn keep(place: usize, name: &str) -> Option<&'static str> {
    KEPT.try_update(Relaxed, Relaxed, |kept| (kept < MOST).then_some(kept + 1)).ok()?;
    let undo = |text| {
        // SAFETY: made below, and shown to nobody.
        drop(unsafe { Box::<String>::from_raw(text) });
        KEPT.fetch_sub(1, Relaxed);
    };
    let text = Box::into_raw(Box::new(name.to_owned()));
    // SAFETY: just made; from here on it is freed by `undo` only.
    let made: Made<String> = unsafe { TEXTS[place].make_with(text, undo) };
    Some(made.get())
}

fn hash(name: &str) -> usize {
    let mixed = name.bytes().fold(0_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize % PLACES
}

/// The name of a number; empty for 0.
pub(crate) fn text(id: u16) -> &'static str {
    let text = (id as usize).checked_sub(1).and_then(|place| TEXTS.get(place)?.get());
    text.map_or("", String::as_str)
}

/// Names that were one too many.
pub(crate) fn shed() -> u64 {
    SHED.load(Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once_and_cut_at_a_character() {
        let orders = id("names::orders");
        assert_eq!((id("names::orders"), text(orders)), (orders, "names::orders"));
        assert_ne!(id("names::mail"), orders);
        assert_eq!((id(""), text(0)), (0, ""));
        assert_eq!(text(id(&format!("n{}", "é".repeat(60)))).len(), MAX_BYTES - 1);
    }

    #[test]
    fn threads_that_name_things_at_once_agree_on_the_numbers() {
        let numbers = |_| (0..200).map(|n| id(&format!("names::at once {n}"))).collect::<Vec<_>>();
        let all: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|thread| scope.spawn(move || numbers(thread))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(all.iter().all(|numbers| *numbers == all[0]));
        assert!(all[0].iter().enumerate().all(|(n, &id)| text(id) == format!("names::at once {n}")));
    }
}
