//! Names that the app gives to its tasks, locks and channels. Each text is kept once, for the life of the process, and no
//! more than [`MOST`] of them: names that are made anew for every connection have no end.
use std::{
    collections::HashMap,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{
            AtomicU16, AtomicU64,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

/// Texts that are kept.
const MOST: usize = 4096;
/// Bytes of each that are kept.
pub(crate) const MAX_BYTES: usize = 64;

static TEXTS: [OnceLock<Box<str>>; MOST] = [const { OnceLock::new() }; MOST];
/// Those who name something may wait for each other here, never for a reader.
static IDS: Mutex<Option<HashMap<&'static str, u16>>> = Mutex::new(None);
static SHED: AtomicU64 = AtomicU64::new(0);

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
    let mut ids = IDS.lock().unwrap_or_else(PoisonError::into_inner);
    let ids = ids.get_or_insert_default();
    if let Some(&id) = ids.get(name) {
        return id;
    }
    let next = ids.len();
    if next == MOST || ids.try_reserve(1).is_err() {
        SHED.fetch_add(1, Relaxed);
        return 0;
    }
    let text: &'static str = TEXTS[next].get_or_init(|| name.into());
    let id = next as u16 + 1;
    ids.insert(text, id);
    id
}

/// The name of a number; empty for 0.
pub(crate) fn text(id: u16) -> &'static str {
    let text = (id as usize).checked_sub(1).and_then(|place| TEXTS.get(place)?.get());
    text.map_or("", |text| text)
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
}
