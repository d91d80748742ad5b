//! All locks: who holds them, who waits, and for how long.

use super::group::{group, inside};
use crate::app::column::{Column, Kind, MARK, Value, Width, muted, plain};
use crate::app::groups::LockSum;
use crate::app::page::Page;
use crate::app::screen::{Body, Rows, Screen, Table};
use crate::app::theme::Role;
use crate::app::{Cx, Entity, Place, names};
use crate::model::{Lock, LockKind, Stamp, TaskId};
use crate::text::figures;

pub(crate) static SCREEN: Screen = Screen {
    id: "locks",
    title: "Locks",
    key: Some('3'),
    about: "locks: who holds each, who waits, and for how long",
    body: Body::Table(Table {
        noun: ("lock", "locks"),
        columns: COLUMNS,
        sort: "mark",
        then: "waiters",
        rows,
        empty,
        above: |_, _| {},
    }),
};

static COLUMNS: &[Column] = &[
    MARK,
    Column {
        id: "id",
        title: "#",
        kind: Kind::Number,
        width: Width::Fixed(6),
        priority: 5,
        // Of a group, how many there are.
        value: |cx, entity| match entity {
            Entity::Lock(id) => Value::Id(id.0, format!("#{}", id.0).into()),
            _ => sum(cx, entity).map_or(Value::None, |sum| Value::Count(sum.locks)),
        },
        role: |_, entity| if matches!(entity, Entity::Site(_)) { Role::Text } else { Role::Muted },
    },
    Column {
        id: "name",
        title: "LOCK",
        kind: Kind::Text,
        width: Width::Flex(13, 40),
        priority: 1,
        value: |cx, entity| match entity {
            Entity::Lock(id) => Value::Name(inside(cx, entity, names::lock(cx.model, id)).into()),
            Entity::Site(id) => Value::text(group(cx, id)),
            _ => Value::None,
        },
        role: |cx, entity| if entity.exists(cx.model) { Role::Text } else { Role::Muted },
    },
    Column {
        id: "kind",
        title: "KIND",
        kind: Kind::Text,
        width: Width::Fixed(9),
        priority: 5,
        value: |cx, entity| {
            let of = lock(cx, entity).map(|l| l.kind).or_else(|| sum(cx, entity).map(|sum| sum.kind));
            of.map_or(Value::None, |of| Value::text(kind(of)))
        },
        role: muted,
    },
    Column {
        id: "holder",
        title: "HELD BY",
        kind: Kind::Text,
        width: Width::Flex(14, 30),
        priority: 2,
        value: |cx, entity| match sum(cx, entity) {
            Some(sum) => Value::text(format!("{}/{} held", figures::count(sum.held), figures::count(sum.locks))),
            None => lock(cx, entity).map_or(Value::text("dropped"), |lock| Value::text(held_by(cx, lock))),
        },
        role: |cx, entity| if held_since(cx, entity).is_some() { Role::Text } else { Role::Muted },
    },
    Column {
        id: "held",
        title: "FOR",
        kind: Kind::Duration,
        width: Width::Fixed(7),
        priority: 2,
        value: |cx, entity| Value::duration(held_since(cx, entity).map(|s| cx.model.now.since(s))),
        role: plain,
    },
    Column {
        id: "waiters",
        title: "WAIT",
        kind: Kind::Number,
        width: Width::Fixed(5),
        priority: 1,
        value: |cx, entity| Value::count(waiters(cx, entity)),
        role: |cx, entity| if waiters(cx, entity) > 0 { Role::Strong } else { Role::Text },
    },
    Column {
        id: "wait",
        title: "OLDEST",
        kind: Kind::Duration,
        width: Width::Fixed(7),
        priority: 3,
        value: |cx, entity| match entity {
            // Those that waited when it was looked for may have got it since.
            Entity::Lock(id) if waiters(cx, entity) > 0 => Value::duration(cx.derived.lock_waits.get(&id).copied()),
            _ => Value::duration(sum(cx, entity).and_then(|sum| sum.waited)),
        },
        role: plain,
    },
    Column {
        id: "free",
        title: "FREE",
        kind: Kind::Number,
        width: Width::Hidden,
        priority: 99,
        value: |cx, entity| {
            let semaphore = lock(cx, entity).filter(|l| l.kind == LockKind::Semaphore);
            semaphore.map_or(Value::None, |l| Value::Count(l.permits_available))
        },
        role: plain,
    },
    Column {
        id: "acquires",
        title: "ACQ/S",
        kind: Kind::Number,
        width: Width::Fixed(6),
        priority: 5,
        value: |cx, entity| match sum(cx, entity) {
            Some(sum) => Value::Rate(sum.acquires_per_s),
            None => lock(cx, entity).and_then(|l| l.acquires_s.last()).map_or(Value::None, Value::Rate),
        },
        role: muted,
    },
    Column {
        id: "waitp99",
        title: "WAIT p99",
        kind: Kind::Duration,
        width: Width::Fixed(8),
        priority: 4,
        value: |cx, entity| {
            Value::duration(match lock(cx, entity) {
                Some(lock) => lock.wait_p99(),
                None => sum(cx, entity).and_then(|sum| sum.waits.quantile(0.99, sum.wait_max)),
            })
        },
        role: plain,
    },
    Column {
        id: "holdp99",
        title: "HOLD p99",
        kind: Kind::Duration,
        width: Width::Fixed(8),
        priority: 6,
        value: |cx, entity| {
            Value::duration(match lock(cx, entity) {
                Some(lock) => lock.hold_p99(),
                None => sum(cx, entity).and_then(|sum| sum.holds.quantile(0.99, sum.hold_max)),
            })
        },
        role: plain,
    },
    Column {
        id: "at",
        title: "CREATED AT",
        kind: Kind::Text,
        width: Width::Flex(16, 60),
        priority: 3,
        value: |cx, entity| names::created_at(cx.model, entity).map_or(Value::None, Value::place),
        role: |cx, entity| if cx.mark(entity).is_some() { Role::Accent } else { Role::Muted },
    },
];

fn lock<'a>(cx: &Cx<'a>, entity: Entity) -> Option<&'a Lock> {
    match entity {
        Entity::Lock(id) => cx.model.locks.get(&id),
        _ => None,
    }
}

/// What the locks of one line come to.
fn sum<'a>(cx: &Cx<'a>, entity: Entity) -> Option<&'a LockSum> {
    match entity {
        Entity::Site(id) => cx.derived.groups.locks.get(&id),
        _ => None,
    }
}

fn held_since(cx: &Cx, entity: Entity) -> Option<Stamp> {
    match sum(cx, entity) {
        Some(sum) => sum.held_since,
        None => lock(cx, entity)?.held_since,
    }
}

fn waiters(cx: &Cx, entity: Entity) -> u64 {
    let of_one = |lock: &Lock| u64::from(lock.waiters);
    sum(cx, entity).map_or_else(|| lock(cx, entity).map_or(0, of_one), |sum| sum.waiters)
}

/// Who has it, in the words of its kind.
fn held_by(cx: &Cx, lock: &Lock) -> String {
    let n = |n: u64| figures::count(n);
    match lock.kind {
        LockKind::Semaphore if lock.closed => "closed".to_owned(),
        LockKind::Semaphore if lock.permits_total == 0 && lock.forgotten > 0 => {
            format!("none left, {} forgotten", n(lock.forgotten))
        }
        LockKind::Semaphore => {
            let all = cx.model.permits(lock).map_or_else(|| "?".to_owned(), n);
            format!("{}/{all} permits free", n(lock.permits_available))
        }
        LockKind::Notify | LockKind::SetOnce if lock.permits_available > 0 => "set".to_owned(),
        LockKind::Notify | LockKind::SetOnce => "not set".to_owned(),
        LockKind::Barrier => format!("{} of {} there", n(lock.waiters.into()), n(lock.permits_total)),
        LockKind::CancellationToken => match cx.model.ended(lock.id) {
            Some(_) => format!("cancelled, {} listen", n(cx.model.scopes.count(lock.id) as u64)),
            None => format!("{} listen", n(cx.model.scopes.count(lock.id) as u64)),
        },
        LockKind::TaskTracker => {
            let closed = if lock.closed { "closed, " } else { "" };
            format!("{closed}tracks {}", n(lock.holder_count.into()))
        }
        LockKind::RwLock if lock.holder_count > 1 => format!("{} readers", n(lock.holder_count.into())),
        LockKind::RwLock if lock.holder_count == 1 && lock.holders.is_empty() => "1 reader".to_owned(),
        _ if lock.holder != TaskId(0) => names::numbered(cx.model, lock.holder),
        _ if lock.held_since.is_some() && cx.model.target.sees("holders") => "outside any task".to_owned(),
        _ if lock.held_since.is_some() => "not told".to_owned(),
        _ => "free".to_owned(),
    }
}

/// A kind of lock, as a word.
pub(crate) fn kind(kind: LockKind) -> &'static str {
    kind.name()
}

fn rows(cx: &Cx, place: &Place, table: &Table) -> Rows {
    if !place.flat {
        return cx.derived.groups.rows(cx, place, table);
    }
    table.arrange(cx, place, cx.model.locks.keys().map(|&id| Entity::Lock(id)))
}

fn empty(cx: &Cx, page: &mut Page) {
    let target = &cx.model.target;
    if !target.sees("locks") {
        page.words(Role::Text, "The service does not tell of locks.");
        return;
    }
    page.words(Role::Text, "The service has no lock that is watched.");
    // Only the drop-in has the handles.
    let words = if target.sees("handles") {
        "tokio::sync::Mutex, RwLock, Semaphore, Notify, Barrier, OnceCell and SetOnce, and tokio-util's CancellationToken \
         and TaskTracker, appear here once they exist; std and parking_lot locks do not."
    } else {
        "tokio::sync::Mutex, RwLock, Semaphore and Barrier appear here once they exist; std and parking_lot locks do not."
    };
    page.words(Role::Muted, words);
}
