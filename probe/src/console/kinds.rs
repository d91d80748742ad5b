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
const UTIL_SYNC: &str = "tokio_util::sync";
const UTIL_TASK: &str = "tokio_util::task";

/// Where tasks come from.
pub(super) const TASK: &str = "tokio::task";

/// All modules that anything is from. What tracing has a place in the source's metadata for, that client wants by module;
/// an id of one is its place in this list plus one.
pub(super) const MODULES: [&str; 9] = [TASK, SYNC, MPSC, BROADCAST, WATCH, ONESHOT, TIME, UTIL_SYNC, UTIL_TASK];

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
static CANCELLATION_TOKEN: Kind = Kind {
    name: "CancellationToken",
    group: "Sync",
    module: UTIL_SYNC,
    attributes: &[Flag("cancelled"), Task("cancelled_by"), Count("handles"), Count("waiters")],
};
static TASK_TRACKER: Kind = Kind {
    name: "TaskTracker",
    group: "Sync",
    module: UTIL_TASK,
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

static TIMERS: Kind = Kind { name: "timers", group: "Timer", module: TIME, attributes: &[] };
static ONESHOT_CHANNELS: Kind = Kind { name: "oneshots", group: "Channel", module: ONESHOT, attributes: &[] };

/// The number of a kind that has none in the recorder: a line at which tasks wait for time.
pub(super) const TIMER: u8 = 32;
/// The same: a line at which oneshot channels are made.
pub(super) const ONESHOTS: u8 = 33;
/// Between a [`ChannelKind`] and its number here; a [`LockKind`] is its own.
const CHANNELS: u8 = 16;

/// The number of a channel's kind; `kind` is a [`ChannelKind`].
pub(super) const fn of_channel(kind: u8) -> u8 {
    CHANNELS + kind
}

/// The kind of that number.
pub(super) fn of(number: u8) -> &'static Kind {
    const UNBOUNDED_CHANNEL: u8 = of_channel(ChannelKind::MpscUnbounded as u8);
    const BROADCASTS: u8 = of_channel(ChannelKind::Broadcast as u8);
    const WATCHES: u8 = of_channel(ChannelKind::Watch as u8);
    match number {
        TIMER => &TIMERS,
        ONESHOTS => &ONESHOT_CHANNELS,
        UNBOUNDED_CHANNEL => &UNBOUNDED,
        BROADCASTS => &BROADCAST_CHANNEL,
        WATCHES => &WATCH_CHANNEL,
        CHANNELS.. => &CHANNEL,
        k if k == LockKind::RwLock as u8 => &RW_LOCK,
        k if k == LockKind::Semaphore as u8 => &SEMAPHORE,
        k if k == LockKind::Notify as u8 => &NOTIFY,
        k if k == LockKind::Barrier as u8 => &BARRIER,
        k if k == LockKind::OnceCell as u8 => &ONCE_CELL,
        k if k == LockKind::SetOnce as u8 => &SET_ONCE,
        k if k == LockKind::CancellationToken as u8 => &CANCELLATION_TOKEN,
        k if k == LockKind::TaskTracker as u8 => &TASK_TRACKER,
        _ => &MUTEX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_from_a_known_module_and_has_room_for_its_attributes() {
        for kind in (0..=ONESHOTS).map(of) {
            assert_ne!(module_id(kind.module), 0, "{}", kind.name);
            assert!(kind.attributes.len() <= ATTRIBUTES, "{}", kind.name);
        }
    }
}
