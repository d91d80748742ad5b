//! Where a wait is noted, in one word, since it lies in every handle, and in every future of a lock or a channel.
use std::{num::NonZeroU64, panic::Location};

use super::{POLL_MASK, free_entry};
use crate::recorder::{
    arena::{self, Arena},
    started,
    task::{TaskRef, TaskSlot},
    thread,
};

/// A wait that goes on, or [`Noted::NONE`]. To be [ended](Noted::end) once: it has no `Drop`, so that those who have it
/// can be moved in registers.
///
/// From the lowest bit: the entry plus one, or [`NO_ENTRY`]; [`RETAINED`]; the index of the task's slot; and a fingerprint
/// of the task's id and of what the entry says, which tells whether both are still what they were.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Noted(NonZeroU64);

const ENTRY_MASK: u64 = 0b11;
/// All were taken: it is only counted.
const NO_ENTRY: u64 = 0b11;
/// The task is known for as long as it waits, and a reference to it goes with the wait.
const RETAINED: u64 = 0b100;
const SLOT_SHIFT: u32 = 3;
const PRINT_SHIFT: u32 = 26;
const PLACE_MASK: u64 = (1 << PRINT_SHIFT) - 1;

const _: () = assert!(arena::CAPACITY <= 1 << (PRINT_SHIFT - SLOT_SHIFT), "an index fits");

/// Two multiplications by odd numbers: of two that differ, one in 2^38 has the bits of the other.
#[inline]
fn fingerprint(task_id: u64, on: u64) -> u64 {
    let mixed = task_id.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ on;
    mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93) & !PLACE_MASK
}

impl Noted {
    pub(super) const NONE: Self = Self(NonZeroU64::new(RETAINED).unwrap());

    /// A word that was [one](Noted::word).
    #[cfg(feature = "layer")]
    pub(super) fn of_word(word: u64) -> Self {
        NonZeroU64::new(word).map_or(Self::NONE, Self)
    }

    #[cfg(feature = "layer")]
    pub(super) fn word(self) -> u64 {
        self.0.get()
    }

    #[inline]
    pub(super) fn is_none(self) -> bool {
        self == Self::NONE
    }

    /// Notes that `task` waits for what `on` says. With `retained` goes a reference to the slot.
    #[inline]
    pub(super) fn new(
        task: &'static TaskSlot,
        retained: bool,
        on: u64,
        since: u64,
        site: Option<&'static Location<'static>>,
    ) -> Self {
        let retained = u64::from(retained) * RETAINED;
        if let Some(entry) = free_entry(task) {
            task.waits()[entry].begin(on, since, site);
            Self::at((entry as u64 + 1) | retained, task, on)
        } else {
            task.more_waits(1);
            Self::at(NO_ENTRY | retained, task, 0)
        }
    }

    #[inline]
    fn at(entry: u64, task: &TaskSlot, on: u64) -> Self {
        let word = u64::from(Arena::index(task)) << SLOT_SHIFT | entry | fingerprint(task.id(), on);
        NonZeroU64::new(word).map_or(Self::NONE, Self)
    }

    /// Index of the entry; `None` when it is only counted.
    #[inline]
    fn entry(self) -> Option<usize> {
        let entry = self.0.get() & ENTRY_MASK;
        (entry != NO_ENTRY).then(|| entry as usize - 1)
    }

    #[inline]
    fn slot(self) -> Option<&'static TaskSlot> {
        started().tasks.at(((self.0.get() & PLACE_MASK) >> SLOT_SHIFT) as u32)
    }

    #[inline]
    fn is_of(self, task: &TaskSlot, on: u64) -> bool {
        self.0.get() & !PLACE_MASK == fingerprint(task.id(), on)
    }

    /// Whether it was noted in that task's slot.
    #[inline]
    pub(super) fn is_in(self, task: &TaskSlot) -> bool {
        !self.is_none() && (self.0.get() & PLACE_MASK) >> SLOT_SHIFT == u64::from(Arena::index(task))
    }

    /// Notes the same wait for the poll of that mark, or until it ends; false when it is another task's, or lost its entry.
    #[inline]
    pub(super) fn renew(&mut self, task: &'static TaskSlot, mark: u64) -> bool {
        if !self.is_in(task) {
            return false;
        }
        let Some(entry) = self.entry() else { return mark == 0 };
        let slot = &task.waits()[entry];
        let from = slot.on();
        let to = from & !POLL_MASK | mark;
        let renewed = self.is_of(task, from) && (from == to || slot.renew(from, to));
        if renewed {
            *self = Self::at(entry as u64 + 1, task, to);
        }
        renewed
    }

    /// Clears exactly what was noted: an entry that another wait took over since is that wait's.
    #[inline(never)]
    pub(super) fn end(self) {
        if self.is_none() {
            return;
        }
        let Some(task) = self.slot() else { return };
        if let Some(entry) = self.entry()
            && thread::is_in_poll(task)
        {
            let entry = &task.waits()[entry];
            let on = entry.on();
            // In the task's own poll nobody else writes its entries, nor can the slot change hands.
            if self.is_of(task, on) {
                entry.end(on);
                started().tasks.mark(task);
            }
        } else {
            self.end_rarely(task);
        }
        if self.0.get() & RETAINED != 0 {
            // SAFETY: it went with the wait, which is ended once.
            drop(unsafe { TaskRef::from_retained(task) });
        }
    }

    /// By whom the task is not polled, or without an entry.
    #[inline(never)]
    fn end_rarely(self, task: &'static TaskSlot) {
        // The future may have moved on to another task, and the task that it waited in may be gone and its slot in use
        // again: then there is nothing to clear.
        let on = self.entry().map_or(0, |entry| task.waits()[entry].on());
        if self.is_of(task, on) {
            match self.entry() {
                Some(entry) => task.waits()[entry].end_from_elsewhere(on),
                None => task.more_waits(-1),
            }
            started().tasks.mark(task);
        }
    }
}
