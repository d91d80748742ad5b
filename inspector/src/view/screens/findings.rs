//! All findings: those that last, those that are over, and those of earlier runs of the service.

use crate::app::column::{Column, Kind, Value, Width, muted, plain};
use crate::app::page::Page;
use crate::app::screen::{Body, Rows, Screen, Table};
use crate::app::theme::Role;
use crate::app::{Cx, Entity, PastFinding, Place};
use crate::lints::RULES;
use crate::text::figures;

pub(crate) static SCREEN: Screen = Screen {
    id: "findings",
    title: "Findings",
    key: Some('6'),
    about: "all findings, also those that are over; Enter shows evidence, fix and the rule",
    body: Body::Table(Table {
        noun: ("finding", "findings"),
        columns: COLUMNS,
        sort: "severity",
        then: "rank",
        rows,
        empty,
        above: |_, _| {},
    }),
};

static COLUMNS: &[Column] = &[
    Column {
        id: "severity",
        title: "!",
        kind: Kind::Mark,
        width: Width::Fixed(1),
        priority: 1,
        value: |cx, entity| Value::Mark(cx.mark(entity)),
        role: crate::app::column::mark_role,
    },
    Column {
        id: "word",
        title: "",
        kind: Kind::Text,
        width: Width::Fixed(7),
        priority: 1,
        value: |cx, entity| match (entity, cx.finding(entity)) {
            (Entity::Past(_), Some(_)) => Value::text("earlier"),
            (_, Some(f)) if f.active() && cx.app.muted(f) => Value::text("muted"),
            (_, Some(f)) if f.active() => Value::text(f.severity.to_string().to_uppercase()),
            (_, Some(_)) => Value::text("cleared"),
            _ => Value::None,
        },
        role: |cx, entity| grey(cx, entity, cx.mark(entity).map_or(Role::Muted, Role::from)),
    },
    Column {
        id: "rule",
        title: "RULE",
        kind: Kind::Text,
        width: Width::Flex(16, 24),
        priority: 1,
        value: |cx, entity| cx.finding(entity).map_or(Value::None, |f| Value::text(f.rule)),
        role: |cx, entity| grey(cx, entity, Role::Text),
    },
    Column {
        id: "subject",
        title: "WHAT",
        kind: Kind::Text,
        width: Width::Flex(14, 50),
        priority: 2,
        value: |cx, entity| cx.finding(entity).map_or(Value::None, |f| Value::text(f.subject.name.as_str())),
        role: |cx, entity| grey(cx, entity, Role::Text),
    },
    Column {
        id: "at",
        title: "WHERE",
        kind: Kind::Text,
        width: Width::Flex(18, 60),
        priority: 1,
        value: |cx, entity| cx.finding(entity).map_or(Value::None, |f| Value::place(f.line().0)),
        role: |cx, entity| grey(cx, entity, Role::Accent),
    },
    Column {
        id: "lasting",
        title: "LASTING",
        kind: Kind::Duration,
        width: Width::Fixed(7),
        priority: 2,
        value: |cx, entity| {
            Value::duration(match entity {
                Entity::Past(_) => cx.finding(entity).map(|f| f.last_seen.since(f.since)),
                _ => cx.finding(entity).map(|f| f.cleared.unwrap_or(cx.model.now).since(f.since)),
            })
        },
        role: |cx, entity| grey(cx, entity, Role::Text),
    },
    Column {
        id: "count",
        title: "COUNT",
        kind: Kind::Number,
        width: Width::Fixed(6),
        priority: 4,
        value: |cx, entity| cx.finding(entity).map_or(Value::None, |f| Value::count(f.count)),
        role: muted,
    },
    Column {
        id: "ago",
        title: "FIRST SEEN",
        kind: Kind::Duration,
        width: Width::Fixed(10),
        priority: 5,
        value: |cx, entity| match entity {
            Entity::Past(_) => Value::None,
            _ => Value::duration(cx.finding(entity).map(|f| cx.model.now.since(f.since))),
        },
        role: muted,
    },
    Column {
        id: "rank",
        title: "",
        kind: Kind::Number,
        width: Width::Hidden,
        priority: 99,
        // The engine has put the worst first, in earlier runs too.
        value: |cx, entity| match entity {
            Entity::Finding(key) => {
                let at = cx.findings.iter().position(|f| f.key() == key).unwrap_or(cx.findings.len());
                Value::Rate(-(at as f64))
            }
            Entity::Past(id) => Value::Rate(-(id as f64)),
            _ => Value::None,
        },
        role: plain,
    },
    Column {
        id: "message",
        title: "",
        kind: Kind::Text,
        width: Width::Hidden,
        priority: 99,
        value: |cx, entity| cx.finding(entity).map_or(Value::None, |f| Value::text(f.message.as_str())),
        role: plain,
    },
];

/// What is over is grey.
fn grey(cx: &Cx, entity: Entity, role: Role) -> Role {
    let active =
        matches!(entity, Entity::Finding(_)) && cx.finding(entity).is_some_and(|f| f.active() && !cx.app.muted(f));
    if active { role } else { Role::Muted }
}

fn rows(cx: &Cx, place: &Place, table: &Table) -> Rows {
    let mut rows = table.arrange(cx, place, cx.findings.iter().map(|f| Entity::Finding(f.key())));
    // However they are sorted, what was found before a restart stands apart, the newest run first.
    for run in cx.app.past().chunk_by(|one, next| one.restarted == next.restarted).rev() {
        let found = table.arrange(cx, place, run.iter().map(|past| Entity::Past(past.id)));
        rows.part(before(cx, &run[0]), found);
    }
    rows
}

/// What the findings of an earlier run have in common.
fn before(cx: &Cx, past: &PastFinding) -> String {
    let ago = figures::seconds(cx.app.shown_at().saturating_sub(past.restarted));
    match past.pid {
        // Whether it is another process is not known.
        0 => format!("before the connection was lost, until {ago} ago"),
        pid => format!("before the restart {ago} ago, in process {pid}"),
    }
}

fn empty(cx: &Cx, page: &mut Page) {
    page.words(Role::Ok, &format!("{} No finding, now or in the last minute.", cx.glyphs.ok));
    let rules: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
    let count = figures::count(RULES.len() as u64);
    page.words(Role::Muted, &format!("{count} rules watch this service: {}.", rules.join(", ")));
    page.words(Role::Muted, "What one means: async-inspect explain RULE");
}
