//! How far each receiver of a broadcast channel is. The first few are listed, each the only writer of its entry; what the
//! others lose is counted all the same.
mod entry;

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
    lazy::Lazy,
    lock::{location, set_location},
    started, sync, thread,
};

use entry::Entry;

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
    rest: Lazy<RestOfReaders>,

    first: Line,
}

/// The other entries of a channel that had several receivers at the same time.
#[repr(C)]
pub(crate) struct RestOfReaders([Line; LISTED - 1]);

/// An entry on a line of its own: its receiver writes to it for each message.
#[repr(C, align(64))]
struct Line {
    /// Of the first one of [`RestOfReaders`].
    head: Head,
    entry: Entry,
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for ReadersSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for RestOfReaders {
    fn head(&self) -> &Head {
        &self.0[0].head
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
        self.rest.reset();
        self.first.entry.reset();
    }

    /// The channel goes.
    pub(super) fn retire(&'static self) {
        self.rest.give_back(&started().rest_of_readers);
        started().readers.give_back(self);
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        let rest = self.rest.get(&started().rest_of_readers);
        std::iter::once(&self.first.entry).chain(rest.into_iter().flat_map(RestOfReaders::entries))
    }

    /// The caller makes sure that the slot still is its channel's.
    pub(super) fn read(&self) -> ReadersReading {
        let readers = self.entries().filter_map(Entry::read);
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
        if self.first.entry.claim(passed) {
            return Some(&self.first.entry);
        }
        let rest = self.rest.get_or_take(&started().rest_of_readers, RestOfReaders::reset)?;
        rest.entries().find(|entry| entry.claim(passed))
    }
}

impl RestOfReaders {
    fn reset(&self) {
        self.entries().for_each(Entry::reset);
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().map(|line| &line.entry)
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
            entry.asks(thread::poll_started(), thread::current_task_id(), Some(site));
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
        // It may have got one already that its sender has not counted yet.
        if let Some(entry) = self.entry
            && entry.pass_all(sent)
        {
            self.channel.mark();
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
            entry.pass(n);
            self.channel.mark();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(entry) = self.entry {
            entry.leave();
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

    #[test]
    fn the_slowest_of_those_that_are_listed_is_found_however_many_there_are() {
        crate::testing::recorder();
        let site = Location::caller();
        let channel = ChannelSlot::of::<u8>(ChannelKind::Broadcast, 64, site).unwrap();
        let slot = channel.slot();
        let slowest = || slot.read().unwrap().readers.unwrap().slowest.map(|reader| reader.passed);
        let mut readers: Vec<_> = (0..LISTED as u64 + 2)
            .map(|n| {
                let reader = Reader::new(slot).unwrap();
                slot.sent(1, site);
                reader.lagged(LISTED as u64 + 2 - 2 * n.min(2), site);
                reader
            })
            .collect();
        assert_eq!(readers.iter().filter(|reader| reader.entry.is_none()).count(), 2);
        assert_eq!(slowest(), Some(4));
        readers.remove(2);
        assert_eq!(slowest(), Some(5));
        drop(readers);
        assert_eq!(slowest(), None);
    }
}
