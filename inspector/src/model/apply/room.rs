//! How much of a target is kept, so that none fills the operator's memory, and how much was told beyond that.
use std::sync::Arc;

/// Tasks, locks, channels, and so on.
pub(super) const MOST_TASKS: usize = 1 << 22;
pub(super) const MOST_LOCKS: usize = 1 << 20;
pub(super) const MOST_CHANNELS: usize = 1 << 20;
pub(super) const MOST_WORKERS: usize = 1 << 14;
pub(super) const MOST_ORDERS: usize = 1 << 14;
pub(super) const MOST_SITES: usize = 1 << 18;
/// Bytes of the names of all these, and of the places in the source. Those that are shared count for each that has them:
/// who shares what with whom is the target's to choose.
const MOST_TEXT: usize = 256 << 20;

/// What there is room for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Room {
    /// Bytes of names and places that are kept.
    text: usize,
    pub(super) refused: Refused,
}

/// What was told and is not kept.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Refused {
    pub(super) tasks: u64,
    pub(super) locks: u64,
    pub(super) channels: u64,
    pub(super) sites: u64,
    pub(super) details: u64,
    pub(super) names: u64,
}

/// Whether there is room for one more, unless it is known; counts those that there is none for.
pub(super) fn has_room(known: bool, kept: usize, most: usize, refused: &mut u64) -> bool {
    let room = known || kept < most;
    *refused += u64::from(!room);
    room
}

impl Room {
    /// The name that something has from now on, in the place of the one `before`; none where there is no room for it.
    pub(super) fn name(&mut self, name: Arc<str>, before: &str) -> Arc<str> {
        self.leave(before);
        if self.enter(name.len()) { name } else { Arc::default() }
    }

    /// The same of a place in the source.
    pub(super) fn place(&mut self, place: String, before: &str) -> String {
        self.leave(before);
        if self.enter(place.len()) { place } else { String::new() }
    }

    /// What has this name or place is gone.
    pub(super) fn leave(&mut self, text: &str) {
        self.text = self.text.saturating_sub(text.len());
    }

    fn enter(&mut self, bytes: usize) -> bool {
        let room = self.text + bytes <= MOST_TEXT;
        if room {
            self.text += bytes;
        } else {
            self.refused.names = self.refused.names.saturating_add(1);
        }
        room
    }
}
