//! How far each receiver of a broadcast channel is. The first few are listed, each the only writer of its entry; what the
//! others lose is counted all the same. The first entry is in the channel's slot, on the receiver's line; the others, and what
//! is told of losses, are taken with the first that there is of either.
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
    lock::{location, set_location},
    sync, thread,
};

pub(super) use entry::Entry;

type CallSite = &'static Location<'static>;

/// Receivers that are listed.
const LISTED: usize = 4;

/// Beside the slot of a broadcast channel that had several receivers at the same time, or one that was too slow.
#[repr(C, align(64))]
pub(crate) struct ReadersSlot {
    head: Head,
    lagged: AtomicU64,
    lost: AtomicU64,
    last_lag_at: AtomicU64,
    last_lag_task: AtomicU64,
    last_lag_site: AtomicPtr<Location<'static>>,

    rest: [Line; LISTED - 1],
}

/// An entry on a line of its own: its receiver writes to it for each message.
#[repr(align(64))]
struct Line(Entry);

// SAFETY: atomics only; zero is valid.
unsafe impl Slot for ReadersSlot {
    fn head(&self) -> &Head {
        &self.head
    }
}

/// Everything that is read of a broadcast's receivers at once; times in ticks.
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
        self.entries().for_each(Entry::reset);
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.rest.iter().map(|Line(entry)| entry)
    }

    fn read(&self) -> ReadersReading {
        ReadersReading {
            lagged: self.lagged.load(Acquire),
            lost: self.lost.load(Relaxed),
            last_lag_at: self.last_lag_at.load(Relaxed),
            last_lag_task: self.last_lag_task.load(Relaxed),
            last_lag_site: location(&self.last_lag_site),
            slowest: None,
        }
    }
}

/// What is told of the receivers of a broadcast with that first entry. The caller makes sure that both are the channel's.
pub(super) fn read(first: &Entry, others: Option<&ReadersSlot>) -> ReadersReading {
    let entries = std::iter::once(first).chain(others.into_iter().flat_map(ReadersSlot::entries));
    let slowest = entries.filter_map(Entry::read).min_by_key(|reader| reader.passed);
    ReadersReading { slowest, ..others.map(ReadersSlot::read).unwrap_or_default() }
}

/// A receiver's place in the list of its channel. Dropping it leaves the list.
pub(crate) struct Reader {
    channel: &'static ChannelSlot,
    /// `None` when all were taken.
    entry: Option<&'static Entry>,
}

impl Reader {
    /// A new receiver, that gets what is sent from now on. `None` for a channel that is no broadcast.
    pub(crate) fn new(channel: &'static ChannelSlot) -> Option<Self> {
        let (first, sent) = (channel.first_reader()?, channel.sent_so_far());
        let entry = if first.claim(sent) {
            Some(first)
        } else {
            channel.readers_or_take().and_then(|readers| readers.entries().find(|entry| entry.claim(sent)))
        };
        Some(Self { channel, entry })
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

    /// The channel that it reads.
    pub(crate) fn channel(&self) -> &'static ChannelSlot {
        self.channel
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
        if let Some(readers) = self.channel.readers_or_take() {
            readers.lost.fetch_add(n, Relaxed);
            readers.last_lag_at.store(clock::ticks(), Relaxed);
            readers.last_lag_task.store(thread::current_task_id(), Relaxed);
            set_location(&readers.last_lag_site, Some(site));
            readers.lagged.fetch_add(1, Release);
        }
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
