//! All channels: how full, who is blocked, and what flows.

use super::group::{group, inside};
use crate::app::column::{Column, Kind, MARK, Value, Width, muted, plain};
use crate::app::groups::ChannelSum;
use crate::app::page::Page;
use crate::app::screen::{Body, Rows, Screen, Table};
use crate::app::theme::Role;
use crate::app::{Cx, Entity, Place, names};
use crate::model::{Age, Channel, ChannelKind};
use crate::text::figures;

pub(crate) static SCREEN: Screen = Screen {
    id: "channels",
    title: "Channels",
    key: Some('4'),
    about: "channels: how full each is, who is blocked, what flows",
    body: Body::Table(Table {
        noun: ("channel", "channels"),
        columns: COLUMNS,
        sort: "mark",
        then: "depth",
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
        priority: 3,
        // Of a group, how many there are.
        value: |cx, entity| match entity {
            Entity::Channel(id) => Value::Id(id.0, format!("#{}", id.0).into()),
            _ => sum(cx, entity).map_or(Value::None, |sum| Value::Count(sum.channels)),
        },
        role: |_, entity| if matches!(entity, Entity::Site(_)) { Role::Text } else { Role::Muted },
    },
    Column {
        id: "name",
        title: "CHANNEL",
        kind: Kind::Text,
        width: Width::Flex(13, 36),
        priority: 1,
        value: |cx, entity| match entity {
            Entity::Channel(id) => Value::Name(inside(cx, entity, names::channel(cx.model, id)).into()),
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
        priority: 7,
        value: |cx, entity| {
            let of = channel(cx, entity).map(|c| c.kind).or_else(|| sum(cx, entity).map(|sum| sum.kind));
            of.map_or(Value::None, |of| Value::text(kind(of)))
        },
        role: muted,
    },
    Column {
        id: "depth",
        title: "DEPTH",
        kind: Kind::Number,
        width: Width::Flex(16, 24),
        priority: 1,
        value: |cx, entity| match (sum(cx, entity), channel(cx, entity)) {
            (Some(sum), _) => Value::Meter(sum.depth, sum.capacity),
            (None, Some(c)) if c.capacity == Some(0) => Value::Text("not told".into()),
            (None, Some(c)) => Value::Meter(c.depth(), c.capacity),
            (None, None) => Value::None,
        },
        role: |cx, entity| {
            let full = |c: &Channel| c.capacity.is_some_and(|capacity| capacity > 0 && c.depth() >= capacity);
            let full = channel(cx, entity).is_some_and(full) || sum(cx, entity).is_some_and(|sum| sum.full > 0);
            if full || blocked(cx, entity) > 0 { Role::Warn } else { Role::Text }
        },
    },
    Column {
        id: "trend",
        title: "60 S",
        kind: Kind::Number,
        width: Width::Flex(8, 30),
        priority: 5,
        value: |cx, entity| match sum(cx, entity) {
            Some(sum) => Value::Spark(&sum.depth_s),
            None => channel(cx, entity).map_or(Value::None, |c| Value::Spark(&c.depth_s)),
        },
        role: |_, _| Role::Info,
    },
    Column {
        id: "sent",
        title: "SENT/S",
        kind: Kind::Number,
        width: Width::Fixed(6),
        priority: 3,
        value: |cx, entity| match sum(cx, entity) {
            Some(sum) => Value::Rate(sum.sent_per_s),
            None => channel(cx, entity).and_then(|c| c.sent_s.last()).map_or(Value::None, Value::Rate),
        },
        role: plain,
    },
    Column {
        id: "received",
        title: "RECV/S",
        kind: Kind::Number,
        width: Width::Fixed(6),
        priority: 3,
        value: |cx, entity| match sum(cx, entity) {
            Some(sum) => Value::Rate(sum.received_per_s),
            None => channel(cx, entity).and_then(|c| c.received_s.last()).map_or(Value::None, Value::Rate),
        },
        role: plain,
    },
    Column {
        id: "blocked",
        title: "BLOCKED",
        kind: Kind::Number,
        width: Width::Fixed(7),
        priority: 2,
        value: |cx, entity| Value::count(blocked(cx, entity)),
        role: |_, _| Role::Strong,
    },
    Column {
        id: "wait",
        title: "FOR",
        kind: Kind::Duration,
        width: Width::Fixed(7),
        priority: 6,
        value: |cx, entity| match entity {
            Entity::Channel(id) if blocked(cx, entity) > 0 => Value::duration(cx.derived.send_waits.get(&id).copied()),
            _ => Value::duration(sum(cx, entity).and_then(|sum| sum.waited)),
        },
        role: plain,
    },
    Column {
        id: "oldest",
        title: "OLDEST",
        kind: Kind::Duration,
        width: Width::Fixed(7),
        priority: 4,
        value: |cx, entity| {
            let oldest =
                channel(cx, entity).map_or_else(|| sum(cx, entity).and_then(|sum| sum.oldest), Channel::oldest);
            match oldest {
                Some(Age::About(span)) => Value::Duration(span),
                Some(Age::AtLeast(span)) => Value::AtLeast(span),
                None => Value::None,
            }
        },
        role: plain,
    },
    Column {
        id: "ends",
        title: "TX/RX",
        kind: Kind::Text,
        width: Width::Fixed(6),
        priority: 8,
        value: |cx, entity| {
            let of_one = channel(cx, entity).map(|c| (c.senders.into(), c.receivers.into(), c.closed, c.inferred));
            let all = sum(cx, entity).map(|s| (s.senders, s.receivers, s.closed == s.channels, s.inferred));
            of_one.or(all).map_or(Value::None, |(senders, receivers, closed, inferred)| {
                let closed = if closed { " x" } else { "" };
                let (senders, receivers) = (figures::count(senders), figures::count(receivers));
                let ends = if inferred { "?/?".to_owned() } else { format!("{senders}/{receivers}") };
                Value::text(format!("{ends}{closed}"))
            })
        },
        role: muted,
    },
    Column {
        id: "at",
        title: "CREATED AT",
        kind: Kind::Text,
        width: Width::Flex(16, 60),
        priority: 2,
        value: |cx, entity| names::created_at(cx.model, entity).map_or(Value::None, Value::place),
        role: |cx, entity| if cx.mark(entity).is_some() { Role::Accent } else { Role::Muted },
    },
];

fn channel<'a>(cx: &Cx<'a>, entity: Entity) -> Option<&'a Channel> {
    match entity {
        Entity::Channel(id) => cx.model.channels.get(&id),
        _ => None,
    }
}

/// What the channels of one line come to.
fn sum<'a>(cx: &Cx<'a>, entity: Entity) -> Option<&'a ChannelSum> {
    match entity {
        Entity::Site(id) => cx.derived.groups.channels.get(&id),
        _ => None,
    }
}

/// Senders that wait for room.
fn blocked(cx: &Cx, entity: Entity) -> u64 {
    let of_one = |channel: &Channel| u64::from(channel.blocked_senders);
    sum(cx, entity).map_or_else(|| channel(cx, entity).map_or(0, of_one), |sum| sum.blocked)
}

/// A kind of channel, as words.
pub(crate) fn kind(kind: ChannelKind) -> &'static str {
    kind.name()
}

fn rows(cx: &Cx, place: &Place, table: &Table) -> Rows {
    if !place.flat {
        return cx.derived.groups.rows(cx, place, table);
    }
    table.arrange(cx, place, cx.model.channels.keys().map(|&id| Entity::Channel(id)))
}

fn empty(cx: &Cx, page: &mut Page) {
    let target = &cx.model.target;
    if !target.sees("channels") {
        page.words(Role::Text, "The service does not tell of channels.");
        return;
    }
    page.words(Role::Text, "The service has no channel that is watched.");
    // Only the drop-in has the handles.
    let words = if target.sees("handles") {
        "tokio::sync::mpsc channels, bounded and unbounded, broadcast and watch appear here once they exist. Oneshots do \
         not, one by one: they are summed up by the line that makes them, on the page of what waits for one."
    } else {
        "tokio::sync's bounded mpsc appear here once they exist."
    };
    page.words(Role::Muted, words);
}
