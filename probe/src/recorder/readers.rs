//! How far each receiver of a broadcast channel is. The first few are listed, each the only writer of its entry; what the
//! others lose is counted all the same.
use std::{
    panic::Location,
    sync::atomic::{
        AtomicPtr, AtomicU64,
        Ordering::{Acquire, Relaxed, Release},
    },
};

use super::{
    arena::{Head, Slot},
    channel::ChannelSlot,
    clock,
    lock::{location, set_location},
    thread,
};

type CallSite = &'static Location<'static>;

/// Receivers that are listed.
const LISTED: usize = 4;

/// Beside the slot of a broadcast channel.
#[repr(C, align(64))]
pub(crate) struct ReadersSlot {
    head: Head,
    lagged: AtomicU64,
    lost: AtomicU64,
    last_lag_at: AtomicU64,
    last_lag_task: AtomicU64,
    last_lag_site: AtomicPtr<Location<'static>>,

    entries: [Entry; LISTED],
}

struct Entry {
    /// Messages that the receiver has passed, plus one; 0 when the entry is free.
    passed: AtomicU64,
    /// When it last asked, in which task, and where.
    asked_at: AtomicU64,
    task: AtomicU64,
    site: AtomicPtr<Location<'static>>,
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for ReadersSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

/// Everything that is read of a [`ReadersSlot`] at once; times in ticks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReadersReading {
    pub(crate) lagged: u64,
    pub(crate) lost: u64,
    pub(crate) last_lag_at: u64,
    pub(crate) last_lag_task: u64,
    pub(crate) last_lag_site: Option<CallSite>,
    /// The one that is farthest behind.
    pub(crate) slowest: Option<ReaderReading>,
}

/// One reading of a receiver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReaderReading {
    pub(crate) passed: u64,
    pub(crate) asked_at: u64,
    pub(crate) task: u64,
    pub(crate) site: Option<CallSite>,
}

impl ReadersSlot {
    pub(super) fn reset(&self) {
        for counter in [&self.lagged, &self.lost, &self.last_lag_at, &self.last_lag_task] {
            counter.store(0, Relaxed);
        }
        set_location(&self.last_lag_site, None);
        for entry in &self.entries {
            entry.passed.store(0, Release);
        }
    }

    /// The caller makes sure that the slot still is its channel's.
    pub(super) fn read(&self) -> ReadersReading {
        let readers = self.entries.iter().filter_map(|entry| {
            let passed = entry.passed.load(Acquire).checked_sub(1)?;
            Some(ReaderReading {
                passed,
                asked_at: entry.asked_at.load(Relaxed),
                task: entry.task.load(Relaxed),
                site: location(&entry.site),
            })
        });
        ReadersReading {
            lagged: self.lagged.load(Acquire),
            lost: self.lost.load(Relaxed),
            last_lag_at: self.last_lag_at.load(Relaxed),
            last_lag_task: self.last_lag_task.load(Relaxed),
            last_lag_site: location(&self.last_lag_site),
            slowest: readers.min_by_key(|reader| reader.passed),
        }
    }

    fn claim(&self, passed: u64) -> Option<&Entry> {
        let entry = self.entries.iter().find(|entry| {
            entry.passed.load(Relaxed) == 0 && entry.passed.compare_exchange(0, passed + 1, Acquire, Relaxed).is_ok()
        })?;
        entry.asked_at.store(0, Relaxed);
        entry.task.store(0, Relaxed);
        set_location(&entry.site, None);
        Some(entry)
    }
}

/// A receiver's place in the list of its channel. Dropping it leaves the list.
pub(crate) struct Reader {
    channel: &'static ChannelSlot,
    readers: &'static ReadersSlot,
    /// `None` when all were taken.
    entry: Option<&'static Entry>,
}

impl Reader {
    /// A new receiver, that gets what is sent from now on. `None` for a channel that is no broadcast.
    pub(crate) fn new(channel: &'static ChannelSlot) -> Option<Self> {
        let readers = channel.readers()?;
        Some(Self { channel, readers, entry: readers.claim(channel.sent_so_far()) })
    }

    /// It asks for a message at `site`.
    #[inline]
    pub(crate) fn asks(&self, site: CallSite) {
        if let Some(entry) = self.entry {
            entry.asked_at.store(thread::poll_started(), Relaxed);
            entry.task.store(thread::current_task_id(), Relaxed);
            set_location(&entry.site, Some(site));
        }
    }

    /// It got a message.
    #[inline]
    pub(crate) fn got(&self) {
        self.pass(1);
    }

    /// Messages that its channel's senders have counted.
    #[inline]
    pub(crate) fn sent_so_far(&self) -> u64 {
        self.channel.sent_so_far()
    }

    /// Nothing is left that it has not got, of which `sent` had been counted before it looked: what was counted after that
    /// is still to come, or is none of its, as a message that was sent when it came.
    pub(crate) fn caught_up(&self, sent: u64) {
        if let Some(entry) = self.entry {
            let passed = sent + 1;
            // It may have got one already that its sender has not counted yet.
            if entry.passed.load(Relaxed) < passed {
                entry.passed.store(passed, Release);
                self.channel.mark();
            }
        }
    }

    /// It was too slow for `n` messages, as it finds at `site`.
    #[cold]
    pub(crate) fn lagged(&self, n: u64, site: CallSite) {
        self.pass(n);
        let readers = self.readers;
        readers.lost.fetch_add(n, Relaxed);
        readers.last_lag_at.store(clock::ticks(), Relaxed);
        readers.last_lag_task.store(thread::current_task_id(), Relaxed);
        set_location(&readers.last_lag_site, Some(site));
        readers.lagged.fetch_add(1, Release);
        self.channel.mark();
    }

    #[inline]
    fn pass(&self, n: u64) {
        if let Some(entry) = self.entry {
            entry.passed.store(entry.passed.load(Relaxed) + n, Release);
            self.channel.mark();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            entry.passed.store(0, Release);
            self.channel.mark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::channel::ChannelKind;

    #[test]
    fn a_message_that_is_counted_late_is_in_no_queue_once_nothing_is_left() {
        crate::testing::recorder();
        let site = Location::caller();
        let channel = ChannelSlot::of::<u8>(ChannelKind::Broadcast, 4, site).unwrap();
        let slot = channel.slot();
        let depth = || slot.read().map(|channel| channel.sent - channel.received);
        slot.receivers(1);
        // tokio had sent it when the receiver came; its sender counts it only now.
        let reader = Reader::new(slot).unwrap();
        slot.sent(1, site);
        assert_eq!(depth(), Some(1));
        reader.caught_up(reader.sent_so_far());
        assert_eq!(depth(), Some(0));
        // One that is dropped with the last receiver, and counted after that.
        drop(reader);
        slot.receivers(-1);
        slot.sent(1, site);
        assert_eq!(depth(), Some(0));
    }
}
