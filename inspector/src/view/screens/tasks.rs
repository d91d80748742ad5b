//! All tasks: one line a spawn site, opened in place, or one by one.
use std::time::Duration;

use crate::app::column::{Column, Kind, MARK, Value, Width, muted, plain};
use crate::app::derived::SiteSum;
use crate::app::page::Page;
use crate::app::screen::{Body, Rows, Screen, Table};
use crate::app::theme::Role;
use crate::app::{Common, Cx, Entity, Place, names};
use crate::model::{Site, SiteId, Task, TaskState, Wait};
use crate::text::{self, figures};

pub(crate) static SCREEN: Screen = Screen {
    id: "tasks",
    title: "Tasks",
    key: Some('2'),
    about: "tasks by spawn site or one by one: what they do, what they wait for, what they take",
    body: Body::Table(Table {
        noun: ("task", "tasks"),
        columns: COLUMNS,
        sort: "mark",
        then: "wait",
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
        width: Width::Fixed(7),
        priority: 1,
        // Of a site, how many tasks there are.
        value: |cx, entity| match entity {
            Entity::Site(id) => Value::Count(live(cx, id)),
            Entity::Task(id) => Value::Id(id.0 & !(1 << 63), text::task_id(id).into()),
            _ => Value::None,
        },
        role: |_, entity| if matches!(entity, Entity::Site(_)) { Role::Text } else { Role::Muted },
    },
    Column {
        id: "task",
        title: "TASK",
        kind: Kind::Text,
        width: Width::Flex(13, 40),
        priority: 1,
        value: |cx, entity| match entity {
            Entity::Site(id) => {
                let sign = if cx.app.place().open.contains(&id) { cx.glyphs.open } else { cx.glyphs.closed };
                Value::text(format!("{sign} {}", names::site(cx.model, id)))
            }
            Entity::Task(id) => {
                let indent = if cx.app.place().flat { "" } else { "  " };
                Value::text(format!("{indent}{}", names::unnumbered(cx.model, id)))
            }
            _ => Value::None,
        },
        role: |cx, entity| if entity.exists(cx.model) { Role::Text } else { Role::Muted },
    },
    Column {
        id: "state",
        title: "STATE",
        kind: Kind::Text,
        width: Width::Fixed(9),
        priority: 3,
        value: |cx, entity| match entity {
            Entity::Task(id) => match cx.model.tasks.get(&id) {
                Some(task) => Value::text(names::state(task.state)),
                None => Value::text("ended"),
            },
            Entity::Site(id) => match cx.derived.sites.get(&id) {
                Some(sum) if sum.running > 0 => Value::text(format!("{} run", figures::count(sum.running))),
                Some(sum) if sum.scheduled * 2 > sum.tasks => {
                    Value::text(format!("{} sched", figures::count(sum.scheduled)))
                }
                Some(sum) if sum.tasks > 0 => Value::text("idle"),
                // They are being counted.
                None if cx.app.busy() => Value::None,
                _ => Value::text("none"),
            },
            _ => Value::None,
        },
        role: |cx, entity| match task(cx, entity).map(|t| t.state) {
            Some(TaskState::Panicked) => Role::Crit,
            Some(TaskState::Running) => Role::Ok,
            Some(state) if state.ended() => Role::Muted,
            _ => Role::Text,
        },
    },
    Column {
        id: "on",
        title: "WAITING ON",
        kind: Kind::Text,
        width: Width::Flex(11, 34),
        priority: 2,
        value: |cx, entity| match entity {
            Entity::Site(id) => match cx.derived.sites.get(&id).and_then(SiteSum::mostly_on) {
                Some((on, 1)) => Value::text(names::waited_for(cx.model, on)),
                Some((on, n)) => Value::text(format!("{}: {}", figures::count(n), names::waited_for(cx.model, on))),
                None => Value::None,
            },
            _ => oldest_wait(cx, entity).map_or(Value::None, |wait| Value::text(names::wait(cx.model, &wait))),
        },
        role: plain,
    },
    Column {
        id: "for",
        title: "FOR",
        kind: Kind::Duration,
        width: Width::Fixed(7),
        priority: 2,
        value: |cx, entity| {
            Value::duration(waited(cx, entity).or_else(|| match entity {
                Entity::Site(id) => cx.derived.sites.get(&id)?.ran,
                _ => task(cx, entity).map(|t| cx.model.now.since(t.state_since)),
            }))
        },
        role: plain,
    },
    Column {
        id: "busy",
        title: "BUSY",
        kind: Kind::Share,
        width: Width::Fixed(5),
        priority: 3,
        value: |cx, entity| match entity {
            Entity::Site(id) => cx.derived.sites.get(&id).map_or(Value::None, |s| Value::Share(s.busy_share)),
            _ => task(cx, entity).map_or(Value::None, |t| Value::Share(t.busy_share)),
        },
        role: plain,
    },
    Column {
        id: "maxpoll",
        title: "MAX POLL",
        kind: Kind::Duration,
        width: Width::Fixed(8),
        priority: 4,
        value: |cx, entity| match entity {
            Entity::Site(_) => Value::duration(site(cx, entity).map(|s| s.max_poll)),
            _ => Value::duration(task(cx, entity).map(|t| t.max_poll)),
        },
        role: |cx, entity| {
            let most = match entity {
                Entity::Site(_) => site(cx, entity).map(|s| s.max_poll),
                _ => task(cx, entity).map(|t| t.max_poll),
            };
            slow_role(cx, most)
        },
    },
    Column {
        id: "polls",
        title: "POLLS/S",
        kind: Kind::Number,
        width: Width::Fixed(7),
        priority: 5,
        value: |cx, entity| match entity {
            Entity::Site(id) => cx.derived.sites.get(&id).map_or(Value::None, |s| Value::Rate(s.polls_per_s)),
            _ => task(cx, entity).map_or(Value::None, |t| Value::Rate(t.polls_per_s)),
        },
        role: muted,
    },
    Column {
        id: "sched",
        title: "SCHED P99",
        kind: Kind::Duration,
        width: Width::Fixed(9),
        priority: 6,
        value: |cx, entity| Value::duration(sched_p99(cx, entity)),
        role: |cx, entity| slow_role(cx, sched_p99(cx, entity)),
    },
    Column {
        id: "wakes",
        title: "WAKES",
        kind: Kind::Number,
        width: Width::Fixed(6),
        priority: 7,
        value: |cx, entity| match entity {
            Entity::Site(id) => cx.derived.sites.get(&id).map_or(Value::None, |s| Value::Count(s.wakes)),
            _ => task(cx, entity).map_or(Value::None, |t| Value::Count(t.wakes)),
        },
        role: muted,
    },
    Column {
        id: "self",
        title: "SELF",
        kind: Kind::Share,
        width: Width::Fixed(5),
        priority: 8,
        value: |cx, entity| {
            let (wakes, own) = match entity {
                Entity::Site(id) => cx.derived.sites.get(&id).map_or((0, 0), |s| (s.wakes, s.self_wakes)),
                _ => task(cx, entity).map_or((0, 0), |t| (t.wakes, t.self_wakes)),
            };
            if wakes == 0 { Value::None } else { Value::Share(own as f64 / wakes as f64) }
        },
        role: muted,
    },
    Column {
        id: "at",
        title: "SPAWNED AT",
        kind: Kind::Text,
        width: Width::Flex(16, 60),
        priority: 2,
        value: |cx, entity| {
            let site = match entity {
                Entity::Site(id) => Some(id),
                _ => task(cx, entity).map(|task| task.site),
            };
            match (names::created_at(cx.model, entity), site) {
                (Some(place), Some(site)) if names::is_seen_at(cx.model, site) => {
                    Value::text(format!("by a library, seen at {}", text::file_line(place)))
                }
                (place, _) => place.map_or(Value::None, Value::place),
            }
        },
        role: |cx, entity| if cx.mark(entity).is_some() { Role::Accent } else { Role::Muted },
    },
    Column {
        id: "wait",
        title: "",
        kind: Kind::Duration,
        width: Width::Hidden,
        priority: 99,
        value: |cx, entity| Value::duration(waited(cx, entity)),
        role: plain,
    },
    Column {
        id: "lock",
        title: "",
        kind: Kind::Text,
        width: Width::Hidden,
        priority: 99,
        value: |cx, entity| {
            let Some(task) = task(cx, entity) else { return Value::None };
            let mut locks = String::new();
            let held = cx.derived.holds.get(&task.id).into_iter().flatten().copied();
            let waited = task.waits.iter().filter_map(|w| w.on.lock());
            for id in held.chain(waited) {
                locks.push_str(&names::lock(cx.model, id));
                locks.push(' ');
            }
            if locks.is_empty() { Value::None } else { Value::text(locks) }
        },
        role: plain,
    },
    Column {
        id: "relation",
        title: "",
        kind: Kind::Relations,
        width: Width::Hidden,
        priority: 99,
        value: |cx, entity| task(cx, entity).map_or(Value::None, |task| Value::text(Common::relations(task))),
        role: plain,
    },
];

fn task<'a>(cx: &Cx<'a>, entity: Entity) -> Option<&'a Task> {
    match entity {
        Entity::Task(id) => cx.model.tasks.get(&id),
        _ => None,
    }
}

/// Tasks from a site that pass the filter; all of them until they have been looked at.
fn live(cx: &Cx, id: SiteId) -> u64 {
    match cx.derived.sites.get(&id) {
        Some(sum) => sum.tasks,
        None if cx.app.busy() => cx.model.sites.get(&id).map_or(0, |site| site.states.total()),
        None => 0,
    }
}

fn site<'a>(cx: &Cx<'a>, entity: Entity) -> Option<&'a Site> {
    match entity {
        Entity::Site(id) => cx.model.sites.get(&id),
        _ => None,
    }
}

fn oldest_wait(cx: &Cx, entity: Entity) -> Option<Wait> {
    task(cx, entity)?.waits.iter().min_by_key(|w| w.since).copied()
}

/// How long the oldest wait has lasted.
fn waited(cx: &Cx, entity: Entity) -> Option<Duration> {
    match entity {
        Entity::Site(id) => cx.derived.sites.get(&id)?.waited,
        _ => Some(cx.model.now.since(oldest_wait(cx, entity)?.since)),
    }
}

/// How long after a wake its polls come, but for one of a hundred; of a site, of the task for which that is the longest.
fn sched_p99(cx: &Cx, entity: Entity) -> Option<Duration> {
    match entity {
        Entity::Site(id) => cx.derived.sites.get(&id)?.sched_p99,
        _ => task(cx, entity)?.sched_p99(),
    }
}

fn slow_role(cx: &Cx, longest: Option<Duration>) -> Role {
    let slow = cx.model.target.slow_poll;
    if !slow.is_zero() && longest.is_some_and(|d| d >= slow) { Role::Warn } else { Role::Text }
}

fn rows(cx: &Cx, place: &Place, table: &Table) -> Rows {
    let lives = |entity: &Entity| entity.exists(cx.model);
    if place.flat {
        let mut rows = cx.derived.flat.clone();
        rows.order.retain(lives);
        return rows;
    }
    // Sites with live tasks, and those without that a finding is about.
    let sums = &cx.derived.sites;
    let all = cx.model.sites.values().filter(|s| s.spawned > 0 || sums.contains_key(&s.id));
    let mut total = 0;
    let mut sites: Vec<Entity> = Vec::new();
    for site in all {
        let entity = Entity::Site(site.id);
        let live = sums.contains_key(&site.id);
        if !live && place.filter.is_empty() && site.live() == 0 && cx.mark(entity).is_none() {
            continue;
        }
        total += 1;
        if place.filter.is_empty() || live || place.filter.matches(cx, table.columns, entity) {
            sites.push(entity);
        }
    }
    table.order(place).sort(cx, &mut sites);
    let (mut order, groups) = (Vec::new(), Some(sites.len()));
    for site in sites {
        order.push(site);
        if let Entity::Site(id) = site
            && place.open.contains(&id)
        {
            order.extend(cx.derived.inside.get(&id).into_iter().flatten().filter(|entity| lives(entity)));
        }
    }
    Rows { total, passing: order.len(), groups, order, ..Rows::default() }
}

fn empty(cx: &Cx, page: &mut Page) {
    let target = &cx.model.target;
    if !target.sees("tasks") {
        page.words(Role::Text, "The service does not tell of tasks.");
        return;
    }
    page.words(Role::Text, "No task is alive.");
    // Only the drop-in has the handles.
    let words = if target.sees("handles") {
        "Tasks appear here when the service spawns them through the tokio that the probe stands in for."
    } else {
        "Tasks appear here when the service spawns them."
    };
    page.words(Role::Muted, words);
}
