//! What can be inferred of a lock from the operations on it that end, and from its attributes.
//!
//! The wire tells when somebody who awaited a lock got it, and whether it is taken; not who let go of it, nor when. The
//! one who got it last has it, if nobody can have got it otherwise. `try_lock` leaves no operation, but gives itself away
//! by the permits of the semaphore that is inside of the lock: it takes them without being counted and gives them back
//! counted. And as operations are told late, nothing is said of a lock that has changed since the last one told.
use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{
    ChannelId, ChannelReading, Histogram, Holder, LockId, LockKind, LockReading, SiteId, Stamp, TaskId,
};

/// Operations that are told no later than that are told in time.
const SECOND: Duration = Duration::from_secs(1);
/// Readers of one lock that are kept in mind.
const MAX_READERS: usize = 64;

/// How a lock was got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// Alone.
    Alone,
    /// With other readers.
    Shared,
    /// As a permit, or by arriving at a barrier: nobody in particular has it.
    Permit,
}

/// Somebody got a lock.
#[derive(Debug, Clone, Copy)]
pub(super) struct Acquired {
    /// When.
    pub(super) at: Stamp,
    /// The span of the task.
    pub(super) task: u64,
    pub(super) how: How,
    /// Its guard can be given to another task.
    pub(super) owned: bool,
    /// How long it had to wait; none when it did not.
    pub(super) waited: Option<Duration>,
}

/// Attributes of a lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) locked: bool,
    pub(super) write_locked: bool,
    pub(super) readers: u64,
    /// Of the semaphore inside, or of the lock itself if it is one.
    pub(super) permits: Option<u64>,
    /// Tasks that a barrier waits for, readers that there is room for.
    pub(super) size: u64,
}

impl Attributes {
    /// Whether they say that it was taken or let go of since `before`.
    pub(super) fn differs(self, before: Self) -> bool {
        let state = |of: Self| (of.locked, of.write_locked, of.readers);
        state(self) != state(before)
    }
}

/// One lock.
#[derive(Debug, Default)]
pub(super) struct Lock {
    pub(super) id: LockId,
    pub(super) kind: LockKind,
    /// The bounded channel that it is inside of, whose places are its permits.
    pub(super) channel: Option<ChannelId>,
    pub(super) attributes: Attributes,
    /// Operations that wait for it, and whether each wants it alone.
    pub(super) waiting: BTreeMap<u64, bool>,
    /// Those who got it and may have it: the last one alone, or all who read since.
    got: Vec<(u64, Stamp)>,
    got_how: Option<How>,
    got_owned: bool,
    /// When somebody last got it.
    got_at: Stamp,
    /// Since when it is known.
    seen_at: Stamp,
    /// It was last taken or let go of between these two moments, or not at all since then.
    changed_after: Stamp,
    changed_by: Stamp,
    acquires: u64,
    contended: u64,
    wait_total: Duration,
    wait_max: Duration,
    waits: Histogram,
    hold_total: Duration,
    hold_max: Duration,
    holds: Histogram,
    most_permits: u64,
}

impl Lock {
    pub(super) fn new(id: LockId, kind: LockKind, now: Stamp) -> Self {
        Self { id, kind, seen_at: now, changed_by: now, ..Self::default() }
    }

    /// Takes in what attributes say, and those who got it since the update before, in their order. `changed` says since
    /// when somebody may have taken it or let go of it, if that is so.
    pub(super) fn read(&mut self, attributes: Attributes, acquired: &[Acquired], changed: Option<Stamp>, now: Stamp) {
        self.attributes = attributes;
        self.most_permits = self.most_permits.max(attributes.permits.unwrap_or_default());
        if let Some(after) = changed {
            (self.changed_after, self.changed_by) = (after, now);
        }
        for one in acquired {
            self.acquired(*one);
        }
    }

    fn acquired(&mut self, one: Acquired) {
        self.acquires = self.acquires.saturating_add(1);
        if let Some(waited) = one.waited {
            self.contended = self.contended.saturating_add(1);
            self.wait_total = self.wait_total.saturating_add(waited);
            self.wait_max = self.wait_max.max(waited);
            self.waits.record(waited);
            // Who waited, got it when the one before let go of it.
            if let (Some(How::Alone), Some((_, since))) = (self.got_how, self.got.last())
                && one.at >= self.got_at
            {
                let held = one.at.since(*since);
                self.hold_total = self.hold_total.saturating_add(held);
                self.hold_max = self.hold_max.max(held);
                self.holds.record(held);
            }
        }
        if one.at < self.got_at {
            // Told late: somebody has got it since.
            return;
        }
        if one.how != How::Shared || self.got_how != Some(How::Shared) || self.attributes.readers <= 1 {
            self.got.clear();
        }
        if self.got.len() < MAX_READERS {
            self.got.push((one.task, one.at));
        }
        self.got_how = Some(one.how);
        self.got_owned = one.owned;
        self.got_at = one.at;
    }

    /// Whether somebody has it.
    fn taken(&self) -> bool {
        let Attributes { locked, write_locked, readers, permits, .. } = self.attributes;
        match self.kind {
            // The mark is late where one task lets go of it and another gets it at the same time; the permit is not.
            LockKind::Mutex => locked || permits == Some(0),
            LockKind::RwLock => write_locked || readers > 0 || permits == Some(0),
            LockKind::Semaphore => permits.is_some_and(|permits| permits < self.most_permits),
            _ => false,
        }
    }

    /// Whether those who got it last are those who have it: the permits that are out are theirs, and it has not changed
    /// since they got it. All operations that began before `told` are known.
    fn sure(&self, told: Stamp) -> bool {
        let Attributes { locked, write_locked, readers, permits, size } = self.attributes;
        let Some(permits) = permits else { return false };
        let theirs = match (self.kind, self.got_how) {
            // One left while it is taken: `try_lock` has it. More than one: it was here.
            (LockKind::Mutex, Some(How::Alone)) => locked && permits == 0 && self.most_permits <= 1,
            (LockKind::RwLock, Some(How::Alone)) => write_locked && permits == 0,
            (LockKind::RwLock, Some(How::Shared)) => {
                // One who wants to write takes the permits that are left, one by one.
                let writer_waits = self.waiting.values().any(|alone| *alone);
                readers == self.got.len() as u64 && (writer_waits || size.checked_sub(permits) == Some(readers))
            }
            _ => false,
        };
        theirs && told >= self.changed_by && self.got_at > self.changed_after
    }

    /// Messages that fit into a channel: so many places have been seen free, none where it was full all the time. Where
    /// `try_send` takes some, which come back counted, there seem to be more, and it never seems full.
    pub(super) fn capacity(&self) -> u64 {
        self.most_permits
    }

    /// How a channel fares: who gets a place sends, and who receives gives one back.
    pub(super) fn channel_reading(&self, id: ChannelId, task: impl Fn(u64) -> TaskId) -> ChannelReading {
        let sender = self.got.last().filter(|_| self.acquires > 0);
        ChannelReading {
            id,
            sent: self.acquires.saturating_add(self.most_permits),
            received: self.acquires.saturating_add(self.attributes.permits.unwrap_or_default()),
            blocked_senders: u32::try_from(self.waiting.len()).unwrap_or(u32::MAX),
            sends_blocked: self.contended,
            send_wait_total: self.wait_total,
            // Not counted; it is there, so somebody has it.
            senders: 1,
            receivers: 1,
            last_send_at: sender.map(|(_, at)| *at),
            sender_task: sender.map_or(TaskId(0), |(span, _)| task(*span)),
            ..ChannelReading::default()
        }
    }

    /// `told` is the moment up to which operations are known; `task` gives the id of a task by its span, 0 when it has
    /// ended.
    pub(super) fn reading(&self, told: Stamp, now: Stamp, task: impl Fn(u64) -> TaskId) -> LockReading {
        let nobody = TaskId(0);
        let taken = self.taken();
        let holder = |task, since, permits, exclusive| Holder { task, site: SiteId(0), since, permits, exclusive };
        let mut holders = Vec::new();
        let mut holder_count = u32::from(taken);
        let permits = self.attributes.permits.unwrap_or_default();
        let (permits_total, permits_available) = match self.kind {
            LockKind::Semaphore => (self.most_permits, permits),
            LockKind::RwLock => (self.attributes.size, permits.min(self.attributes.size)),
            LockKind::Barrier => (self.attributes.size, 0),
            _ => (0, 0),
        };
        if taken {
            let alone = self.got_how != Some(How::Shared);
            // A guard whose task has ended is in other hands.
            let known = self.sure(told) && self.got.iter().all(|(span, _)| task(*span) != nobody);
            match self.kind {
                LockKind::Semaphore => {
                    // Nobody has got a permit since: whoever has one has had it for as long, at least.
                    let out = permits_total.saturating_sub(permits_available);
                    holder_count = u32::try_from(out).unwrap_or(u32::MAX);
                    if told.after(SECOND) >= now {
                        let since = if self.acquires > 0 { self.got_at } else { self.seen_at };
                        holders.push(holder(nobody, since, holder_count, false));
                    }
                }
                LockKind::RwLock if !known && self.attributes.readers > 0 => {
                    holder_count = u32::try_from(self.attributes.readers).unwrap_or(u32::MAX);
                }
                _ if known => {
                    holders.extend(self.got.iter().map(|&(span, since)| holder(task(span), since, 1, alone)));
                    holder_count = holders.len() as u32;
                }
                _ => holders.push(holder(nobody, self.changed_by, 1, true)),
            }
        }
        let longest = holders.iter().min_by_key(|holder| holder.since).filter(|_| self.kind.guards());
        LockReading {
            id: self.id,
            holder: longest.map_or(nobody, |holder| holder.task),
            held_since: longest.map(|holder| holder.since),
            holder_may_move: self.got_owned,
            holders: if self.kind == LockKind::Mutex { Vec::new() } else { holders.clone() },
            holder_count,
            permits_total,
            permits_available,
            waiting_writers: match self.kind {
                LockKind::RwLock => self.waiting.values().filter(|alone| **alone).count() as u32,
                _ => 0,
            },
            waiters: u32::try_from(self.waiting.len()).unwrap_or(u32::MAX),
            acquires: self.acquires,
            contended: self.contended,
            wait_total: self.wait_total,
            wait_max: self.wait_max,
            wait_hist: self.waits,
            hold_total: self.hold_total,
            hold_max: self.hold_max,
            hold_hist: self.holds,
            ..LockReading::default()
        }
    }
}
