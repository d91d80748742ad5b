//! The kinds of resources that a console is told of, and what it is told of each: one table.
use crate::recorder::{channel::ChannelKind, lock::LockKind};

/// Attributes of a resource, at most.
pub(super) const ATTRIBUTES: usize = 5;

/// What a value of an attribute is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Count(&'static str),
    Flag(&'static str),
    /// A task's id, left out when it is 0.
    Task(&'static str),
}

use Attribute::{Count, Flag, Task};

/// A kind of resources.
#[derive(Debug)]
pub(super) struct Kind {
    /// tokio's name of the type.
    pub(super) name: &'static str,
    /// The group that the stock client shows it in.
    pub(super) group: &'static str,
    /// The module that it is from, which is one of [`MODULES`].
    pub(super) module: &'static str,
    pub(super) attributes: &'static [Attribute],
}

const SYNC: &str = "tokio::sync";
const MPSC: &str = "tokio::sync::mpsc";
const BROADCAST: &str = "tokio::sync::broadcast";
const WATCH: &str = "tokio::sync::watch";
const ONESHOT: &str = "tokio::sync::oneshot";
const TIME: &str = "tokio::time";

/// Where tasks come from.
pub(super) const TASK: &str = "tokio::task";

/// All modules that anything is from. What tracing has a place in the source's metadata for, that client wants by module;
/// an id of one is its place in this list plus one.
pub(super) const MODULES: [&str; 7] = [TASK, SYNC, MPSC, BROADCAST, WATCH, ONESHOT, TIME];

/// The id of a module of [`MODULES`].
pub(super) fn module_id(module: &str) -> u64 {
    MODULES.iter().zip(1..).find(|(known, _)| **known == module).map_or(0, |(_, id)| id)
}

static MUTEX: Kind = Kind {
    name: "Mutex",
    group: "Sync",
    module: SYNC,
    attributes: &[Flag("locked"), Task("holder"), Count("waiters")],
};
static RW_LOCK: Kind = Kind {
    name: "RwLock",
    group: "Sync",
    module: SYNC,
    attributes: &[Count("current_readers"), Flag("write_locked"), Task("holder"), Count("waiters")],
};
static SEMAPHORE: Kind = Kind {
    name: "Semaphore",
    group: "Sync",
    module: SYNC,
    attributes: &[Count("permits"), Count("total"), Count("waiters"), Flag("closed")],
};
static NOTIFY: Kind =
    Kind { name: "Notify", group: "Sync", module: SYNC, attributes: &[Flag("notified"), Count("waiters")] };
static BARRIER: Kind =
    Kind { name: "Barrier", group: "Sync", module: SYNC, attributes: &[Count("size"), Count("arrived")] };
static ONCE_CELL: Kind = Kind {
    name: "OnceCell",
    group: "Sync",
    module: SYNC,
    attributes: &[Flag("initializing"), Task("holder"), Count("waiters")],
};
static SET_ONCE: Kind =
    Kind { name: "SetOnce", group: "Sync", module: SYNC, attributes: &[Flag("set"), Count("waiters")] };
static TOKEN: Kind = Kind {
    name: "CancellationToken",
    group: "Sync",
    module: SYNC,
    attributes: &[Flag("cancelled"), Count("handles"), Count("waiters")],
};
static TRACKER: Kind = Kind {
    name: "TaskTracker",
    group: "Sync",
    module: SYNC,
    attributes: &[Flag("closed"), Count("tracked"), Count("waiters")],
};
static CHANNEL: Kind = Kind {
    name: "mpsc",
    group: "Channel",
    module: MPSC,
    attributes: &[Count("len"), Count("capacity"), Count("senders"), Count("senders_waiting"), Flag("closed")],
};
static UNBOUNDED: Kind = Kind {
    name: "mpsc unbounded",
    group: "Channel",
    module: MPSC,
    attributes: &[Count("len"), Count("senders"), Flag("closed")],
};
static BROADCAST_CHANNEL: Kind = Kind {
    name: "broadcast",
    group: "Channel",
    module: BROADCAST,
    attributes: &[Count("len"), Count("capacity"), Count("senders"), Count("receivers"), Count("lost")],
};
static WATCH_CHANNEL: Kind = Kind {
    name: "watch",
    group: "Channel",
    module: WATCH,
    attributes: &[Count("sent"), Count("senders"), Count("receivers"), Flag("closed")],
};

/// A line at which tasks wait for time.
pub(super) static TIMER: Kind = Kind { name: "timers", group: "Timer", module: TIME, attributes: &[] };

/// A line at which oneshot channels are made.
pub(super) static ONESHOTS: Kind = Kind { name: "oneshots", group: "Channel", module: ONESHOT, attributes: &[] };

/// The kind of a lock; `kind` is a [`LockKind`].
pub(super) fn of_lock(kind: u8) -> &'static Kind {
    match kind {
        k if k == LockKind::RwLock as u8 => &RW_LOCK,
        k if k == LockKind::Semaphore as u8 => &SEMAPHORE,
        k if k == LockKind::Notify as u8 => &NOTIFY,
        k if k == LockKind::Barrier as u8 => &BARRIER,
        k if k == LockKind::OnceCell as u8 => &ONCE_CELL,
        k if k == LockKind::SetOnce as u8 => &SET_ONCE,
        k if k == LockKind::CancellationToken as u8 => &TOKEN,
        k if k == LockKind::TaskTracker as u8 => &TRACKER,
        _ => &MUTEX,
    }
}

/// The kind of a channel; `kind` is a [`ChannelKind`].
pub(super) fn of_channel(kind: u8) -> &'static Kind {
    match kind {
        k if k == ChannelKind::MpscUnbounded as u8 => &UNBOUNDED,
        k if k == ChannelKind::Broadcast as u8 => &BROADCAST_CHANNEL,
        k if k == ChannelKind::Watch as u8 => &WATCH_CHANNEL,
        _ => &CHANNEL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_from_a_known_module_and_has_room_for_its_attributes() {
        let locks = (0..=10).map(of_lock);
        let channels = (0..=5).map(of_channel);
        for kind in locks.chain(channels).chain([&TIMER, &ONESHOTS]) {
            assert_ne!(module_id(kind.module), 0, "{}", kind.name);
            assert!(kind.attributes.len() <= ATTRIBUTES, "{}", kind.name);
        }
    }
}
