//! Rows of tasks, locks and channels: what a console is told of each, and nothing else. Times in ticks, 0 for never.
use super::{
    debts::Row,
    kinds::{self, ATTRIBUTES},
};
use crate::recorder::{
    channel::{ChannelReading, ChannelSlot},
    clock,
    holds::HoldsReading,
    lock::{LockKind, LockReading, LockSlot},
    place::Place,
    site::Site,
    task::{Stage, TaskReading, TaskSlot},
    waker,
};

/// The rows take no more than one and a half times what the recorder's slots do, grown vectors and all: so its ceiling is
/// one for them too.
const _: () = assert!(
    2 * size_of::<Option<TaskRow>>() <= size_of::<TaskSlot>() * 3 / 2
        && 2 * size_of::<Option<ResourceRow>>() <= size_of::<LockSlot>() * 3 / 2
        && 2 * size_of::<Option<ResourceRow>>() <= size_of::<ChannelSlot>() * 3 / 2
);

/// How long a task must have been without a waker to be told as such, in nanoseconds: a reading between a wake and the
/// poll that it leads to sees none either.
const NO_WAKER_NS: u64 = 1_000_000_000;

#[derive(Debug, Clone, Copy)]
pub(super) struct TaskRow {
    pub(super) id: u64,
    /// A [`TaskKind`](crate::recorder::task::TaskKind).
    pub(super) kind: u8,
    /// Of the recorder's names.
    pub(super) name: u16,
    pub(super) site: &'static Site,
    pub(super) spawned_at: u64,
    ended_at: u64,
    /// Polls that ended.
    pub(super) polls: u64,
    pub(super) busy: u64,
    pub(super) last_poll_ended: u64,
    /// Of the poll in progress.
    pub(super) running_since: u64,
    pub(super) woken_at: u64,
    pub(super) scheduled: u64,
    pub(super) wakes: u64,
    pub(super) self_wakes: u64,
    /// Wakers alive; at least one where that is not known.
    pub(super) wakers: u32,
    read_at: u64,
}

impl TaskRow {
    /// `running_since` in ticks, when a worker has it.
    pub(super) fn new(task: &TaskReading, running_since: Option<u64>, now: u64) -> Self {
        const ENDED: [u8; 3] = [Stage::Done as u8, Stage::Panicked as u8, Stage::Cancelled as u8];
        const NEW: u8 = Stage::New as u8;
        const IN_PLACE: u8 = Stage::InPlace as u8;
        let ended_at = if ENDED.contains(&task.stage) { task.last_poll_ended } else { 0 };
        let running_since = match task.stage {
            _ if ended_at != 0 => 0,
            IN_PLACE => task.last_poll_ended.max(task.spawned_at),
            // It may have ended that poll since the workers were read.
            _ => running_since.filter(|&since| since > task.last_poll_ended).unwrap_or(0),
        };
        let woken_at = match task.stage {
            _ if task.woken_at > waker::BY_ITSELF => task.woken_at,
            NEW if running_since == 0 => task.spawned_at,
            _ => 0,
        };
        Self {
            id: task.id,
            kind: task.kind,
            name: task.name,
            site: task.site,
            spawned_at: task.spawned_at,
            ended_at,
            polls: task.polls,
            busy: task.busy,
            last_poll_ended: task.last_poll_ended,
            running_since,
            woken_at,
            scheduled: task.sched_total,
            wakes: task.wakes,
            self_wakes: task.self_wakes,
            wakers: task.wakers.unwrap_or(1),
            read_at: now,
        }
    }
}

impl Row for TaskRow {
    fn id(&self) -> u64 {
        self.id
    }

    fn name(&self) -> u16 {
        self.name
    }

    fn ended_at(&self) -> u64 {
        self.ended_at
    }

    fn end(&mut self, now: u64) {
        self.running_since = 0;
        if self.ended_at == 0 {
            self.ended_at = now;
        }
    }

    fn settle(&mut self, now: u64) -> bool {
        let idle = self.ended_at == 0 && self.running_since == 0 && self.woken_at == 0;
        let too_new = clock::duration_ns(now.saturating_sub(self.read_at)) < NO_WAKER_NS;
        if idle && self.wakers == 0 && too_new {
            self.wakers = 1;
            return false;
        }
        true
    }
}

/// A lock, a channel, or a line in the source that stands for many short-lived ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct ResourceRow {
    pub(super) id: u64,
    /// Of [`kinds`].
    pub(super) kind: u8,
    /// Of the recorder's names.
    pub(super) name: u16,
    /// `None` where it is not known.
    pub(super) location: Option<Place>,
    /// The site that says what it carries, if anything does.
    carries: Option<&'static Site>,
    pub(super) made_at: u64,
    ended_at: u64,
    /// Of the kind's attributes, in their order.
    pub(super) values: [u64; ATTRIBUTES],
}

impl Row for ResourceRow {
    fn id(&self) -> u64 {
        self.id
    }

    fn name(&self) -> u16 {
        self.name
    }

    fn ended_at(&self) -> u64 {
        self.ended_at
    }

    fn end(&mut self, now: u64) {
        self.ended_at = now;
    }
}

impl ResourceRow {
    pub(super) fn of_lock(lock: &LockReading) -> Self {
        let shared = lock.holds.clone().unwrap_or_default();
        let (waiters, locked) = (u64::from(lock.waiters), u64::from(lock.held_since != 0));
        let values = match lock.kind {
            k if k == LockKind::CancellationToken as u8 => {
                let ending = lock.ending.map_or((0, 0), |ending| (ending.members.into(), ending.by));
                [lock.ready.into(), ending.1, ending.0, waiters, 0]
            }
            k if k == LockKind::TaskTracker as u8 => {
                [lock.ready.into(), lock.ending.map_or(0, |ending| ending.members.into()), waiters, 0, 0]
            }
            k if k == LockKind::RwLock as u8 => {
                let writer = writer(&shared);
                let readers = if writer.is_some() { 0 } else { shared.holders.into() };
                [readers, writer.is_some().into(), writer.unwrap_or(0), waiters, 0]
            }
            k if k == LockKind::Semaphore as u8 => [shared.available, shared.total, waiters, shared.closed.into(), 0],
            k if k == LockKind::Notify as u8 || k == LockKind::SetOnce as u8 => [lock.ready.into(), waiters, 0, 0, 0],
            k if k == LockKind::Barrier as u8 => [lock.expecting.into(), waiters, 0, 0, 0],
            _ => [locked, lock.holder, waiters, 0, 0],
        };
        let row = Self::new(lock.id, lock.kind, lock.site, values);
        // Tokens and trackers carry nothing.
        let carries = row.carries.filter(|_| lock.ending.is_none());
        Self { name: lock.name, made_at: lock.made_at, carries, ..row }
    }

    pub(super) fn of_channel(channel: &ChannelReading) -> Self {
        use crate::recorder::channel::ChannelKind as K;

        let len = channel.sent.saturating_sub(channel.received);
        let (senders, receivers) = (u64::from(channel.senders), u64::from(channel.receivers));
        let closed = u64::from(channel.closed);
        let values = match channel.kind {
            k if k == K::MpscUnbounded as u8 => [len, senders, closed, 0, 0],
            k if k == K::Broadcast as u8 => {
                [len, channel.capacity, senders, receivers, channel.readers.map_or(0, |readers| readers.lost)]
            }
            k if k == K::Watch as u8 => [channel.sent, senders, receivers, closed, 0],
            _ => [len, channel.capacity, senders, channel.blocked_senders.into(), closed],
        };
        let row = Self::new(channel.id, kinds::of_channel(channel.kind), channel.site, values);
        Self { name: channel.name, made_at: channel.made_at, ..row }
    }

    /// A line that stands for what it makes.
    pub(super) fn of_line(
        id: u64,
        kind: u8,
        location: Option<Place>,
        carries: Option<&'static Site>,
        first_seen_at: u64,
    ) -> Self {
        let values = [0; ATTRIBUTES];
        Self { id, kind, name: 0, location, carries, made_at: first_seen_at, ended_at: 0, values }
    }

    fn new(id: u64, kind: u8, site: &'static Site, values: [u64; ATTRIBUTES]) -> Self {
        let location = Some(site.info.location);
        Self { id, kind, name: 0, location, carries: Some(site), made_at: 0, ended_at: 0, values }
    }

    /// Type of what it carries; empty when that is not known.
    pub(super) fn type_name(&self) -> &'static str {
        self.carries.map_or("", |site| site.info.type_name)
    }
}

/// The task that holds it alone, 0 for one that is not watched.
fn writer(holds: &HoldsReading) -> Option<u64> {
    holds.listed.iter().flatten().find(|hold| hold.exclusive).map(|hold| hold.task)
}
