//! All channels: how full, who is blocked, and what flows.

use crate::app::column::{Column, Kind, MARK, Value, Width, muted, plain};
use crate::app::screen::{Body, Rows, Screen, Table};
use crate::app::{Cx, Entity, Place};
use crate::model::{Channel, ChannelKind};
use crate::view::names;
use crate::view::page::Page;
use crate::view::theme::Role;

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
        id: "name",
        title: "CHANNEL",
        kind: Kind::Text,
        width: Width::Flex(14, 36),
        priority: 1,
        value: |cx, entity| match entity {
            Entity::Channel(id) => Value::Name(names::channel(cx.model, id).into()),
            _ => Value::None,
        },
        role: |cx, entity| if entity.exists(cx.model) { Role::Text } else { Role::Muted },
    },
    Column {
        id: "kind",
        title: "KIND",
        kind: Kind::Text,
        width: Width::Fixed(9),
        priority: 9,
        value: |cx, entity| channel(cx, entity).map_or(Value::None, |c| Value::text(kind(c.kind))),
        role: muted,
    },
    Column {
        id: "depth",
        title: "DEPTH",
        kind: Kind::Number,
        width: Width::Flex(16, 24),
        priority: 1,
        value: |cx, entity| channel(cx, entity).map_or(Value::None, |c| Value::Meter(c.depth(), c.capacity)),
        role: |cx, entity| match channel(cx, entity) {
            Some(c) if c.blocked_senders > 0 || c.capacity.is_some_and(|cap| c.depth() >= cap) => Role::Warn,
            _ => Role::Text,
        },
    },
    Column {
        id: "trend",
        title: "LAST 60 S",
        kind: Kind::Number,
        width: Width::Flex(10, 30),
        priority: 4,
        value: |cx, entity| channel(cx, entity).map_or(Value::None, |c| Value::Spark(&c.depth_s)),
        role: |_, _| Role::Info,
    },
    Column {
        id: "sent",
        title: "SENT/S",
        kind: Kind::Number,
        width: Width::Fixed(6),
        priority: 3,
        value: |cx, entity| channel(cx, entity).and_then(|c| c.sent_s.last()).map_or(Value::None, Value::Rate),
        role: plain,
    },
    Column {
        id: "received",
        title: "RECV/S",
        kind: Kind::Number,
        width: Width::Fixed(6),
        priority: 3,
        value: |cx, entity| channel(cx, entity).and_then(|c| c.received_s.last()).map_or(Value::None, Value::Rate),
        role: plain,
    },
    Column {
        id: "blocked",
        title: "BLOCKED",
        kind: Kind::Number,
        width: Width::Fixed(7),
        priority: 2,
        value: |cx, entity| channel(cx, entity).map_or(Value::None, |c| Value::count(c.blocked_senders.into())),
        role: |_, _| Role::Strong,
    },
    Column {
        id: "wait",
        title: "OLDEST",
        kind: Kind::Duration,
        width: Width::Fixed(7),
        priority: 6,
        value: |cx, entity| match entity {
            Entity::Channel(id) if channel(cx, entity).is_some_and(|c| c.blocked_senders > 0) => {
                Value::duration(cx.derived.send_waits.get(&id).copied())
            }
            _ => Value::None,
        },
        role: plain,
    },
    Column {
        id: "delay",
        title: "DELAY",
        kind: Kind::Duration,
        width: Width::Fixed(7),
        priority: 5,
        // What is sent now is received when all before it were: the messages know no times of their own.
        value: |cx, entity| Value::duration(channel(cx, entity).and_then(Channel::delay)),
        role: plain,
    },
    Column {
        id: "recv",
        title: "LAST RECV",
        kind: Kind::Duration,
        width: Width::Fixed(9),
        priority: 7,
        value: |cx, entity| {
            Value::duration(channel(cx, entity).and_then(|c| c.last_recv_at).map(|s| cx.model.now.since(s)))
        },
        role: plain,
    },
    Column {
        id: "ends",
        title: "TX/RX",
        kind: Kind::Text,
        width: Width::Fixed(7),
        priority: 8,
        value: |cx, entity| {
            channel(cx, entity).map_or(Value::None, |c| {
                let closed = if c.closed { " x" } else { "" };
                let ends = if c.inferred { "?/?".to_owned() } else { format!("{}/{}", c.senders, c.receivers) };
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

/// A kind of channel, as words.
pub(crate) fn kind(kind: ChannelKind) -> &'static str {
    kind.name()
}

fn rows(cx: &Cx, place: &Place, table: &Table) -> Rows {
    table.arrange(cx, place, cx.model.channels.keys().map(|&id| Entity::Channel(id)))
}

fn empty(_: &Cx, page: &mut Page) {
    page.words(Role::Text, "The service has no channel that is watched.");
    page.words(Role::Muted, "tokio::sync::mpsc channels, bounded and unbounded, appear here once they exist.");
}
