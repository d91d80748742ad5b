//! One pass over all tasks, for whatever the place in front wants to know of them. A million are too many for one turn
//! of the loop: a pass can stop after any part of them and go on later.
use std::cmp::{Ordering, Reverse};
use std::collections::HashMap;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::column::{Key, Order};
use super::derived::{FOCUS_LIMIT, Focus, SiteSum};
use super::screen::{Body, Rows, Table};
use super::{App, Cx, Entity};
use crate::lints::Severity;
use crate::model::{ChannelId, LockId, SiteId, Stamp, Task, TaskId, WaitFor};

/// Rows that a list of tasks shows at most: nobody reads a million, and a filter brings every one of them in.
pub(crate) const LISTED: usize = 10_000;

/// A pass, and what it has gathered so far.
#[derive(Default)]
pub(crate) struct Sweep {
    /// The part of the tasks that comes next.
    next: usize,
    /// Tasks seen so far, and of these, those that pass the filter.
    seen: usize,
    waits: Option<Waits>,
    sites: Option<HashMap<SiteId, SiteSum, RandomState>>,
    flat: Option<First>,
    inside: HashMap<SiteId, First>,
    focus: Option<Vec<Relating>>,
}

/// The relations of one entity, and how telling each of the tasks is that came from it.
#[derive(Default)]
struct Relating {
    focus: Focus,
    children: Vec<Telling>,
}

/// How long the longest has waited, by what is waited for.
#[derive(Default)]
struct Waits {
    locks: HashMap<LockId, Duration>,
    channels: HashMap<ChannelId, Duration>,
}

/// The first few of very many rows.
struct First {
    order: Order,
    rows: Vec<(Key, Entity)>,
    /// How many there are.
    count: usize,
}

impl First {
    fn new(order: Order) -> Self {
        Self { order, rows: Vec::new(), count: 0 }
    }

    fn add(&mut self, cx: &Cx, entity: Entity) {
        self.count += 1;
        self.rows.push((self.order.key(cx, entity), entity));
        keep_first(&mut self.rows, LISTED, |a, b| self.order.compare(a, b));
    }

    fn finish(mut self) -> (Vec<Entity>, usize) {
        self.rows.sort_unstable_by(|a, b| self.order.compare(a, b));
        self.rows.truncate(LISTED);
        (self.rows.into_iter().map(|(_, entity)| entity).collect(), self.count)
    }
}

/// Drops what is not among the first `limit`, now and then: a vector grows to twice that in between.
fn keep_first<T>(all: &mut Vec<T>, limit: usize, compare: impl Fn(&T, &T) -> Ordering) {
    if all.len() >= limit * 2 {
        all.select_nth_unstable_by(limit, compare);
        all.truncate(limit);
    }
}

impl Sweep {
    /// For the rows of the place in front.
    pub(super) fn of_rows(app: &App) -> Self {
        let place = app.place();
        let table = match &place.screen.body {
            Body::Table(table) if place.screen.id == "tasks" => Some(table),
            _ => None,
        };
        let order = |table: &Table| table.order(place);
        Self {
            waits: matches!(place.screen.id, "locks" | "channels").then(Waits::default),
            sites: table.filter(|_| !place.flat).map(|_| HashMap::default()),
            flat: table.filter(|_| place.flat).map(|table| First::new(order(table))),
            inside: table
                .filter(|_| !place.flat)
                .map(|table| place.open.iter().map(|&site| (site, First::new(order(table)))).collect())
                .unwrap_or_default(),
            ..Self::default()
        }
    }

    /// For the relations of the entities in front, once the rows are known.
    pub(super) fn of_focus(app: &App) -> Self {
        let mut focus: Vec<Relating> = Vec::new();
        for entity in app.in_front() {
            // A finding's page shows the relations of what it accuses.
            let entity = match entity {
                Entity::Finding(key) | Entity::Then(_, key) => Entity::from(key.subject),
                other => other,
            };
            if !focus.iter().any(|f| f.focus.of == Some(entity)) {
                let of = Focus { of: Some(entity), at: app.cx().model.now, ..Focus::default() };
                focus.push(Relating { focus: of, ..Relating::default() });
            }
        }
        Self { focus: Some(focus), ..Self::default() }
    }

    /// Whether the tasks have to be looked at at all.
    pub(super) fn wants_anything(&self) -> bool {
        self.waits.is_some() || self.sites.is_some() || self.flat.is_some() || self.wants_focus()
    }

    /// Whether it is about the rows of the place in front.
    pub(super) fn is_of_rows(&self) -> bool {
        self.focus.is_none()
    }

    fn wants_focus(&self) -> bool {
        let alone = |f: &Relating| matches!(f.focus.of, Some(Entity::Worker(_) | Entity::Past(_) | Entity::Tasks(_)));
        self.focus.iter().flatten().any(|f| !alone(f))
    }

    /// Looks at so many more parts of the tasks; returns whether it has seen them all.
    pub(super) fn run(&mut self, cx: &Cx, parts: usize) -> bool {
        let tasks = &cx.model.tasks;
        let end = if self.wants_anything() { tasks.parts() } else { 0 };
        let until = self.next.saturating_add(parts).min(end);
        let wants_focus = self.wants_focus();
        for part in self.next..until {
            for task in tasks.part(part) {
                self.look_at(cx, task);
                if wants_focus {
                    self.relate(cx, task);
                }
            }
        }
        self.next = until;
        until == end
    }

    fn look_at(&mut self, cx: &Cx, task: &Task) {
        self.seen += 1;
        if let Some(waits) = &mut self.waits {
            for wait in &task.waits {
                let longest = match wait.on {
                    WaitFor::Lock(id) | WaitFor::Read(id) => waits.locks.entry(id).or_default(),
                    WaitFor::Send(id) => waits.channels.entry(id).or_default(),
                    _ => continue,
                };
                *longest = (*longest).max(cx.model.now.since(wait.since));
            }
        }
        if self.sites.is_none() && self.flat.is_none() {
            return;
        }
        let place = cx.app.place();
        let entity = Entity::Task(task.id);
        if !place.filter.is_empty() && !place.filter.matches(cx, place.columns(), entity) {
            return;
        }
        if let Some(sites) = &mut self.sites {
            sites.entry(task.site).or_default().add(task, cx.model.now);
        }
        if let Some(flat) = &mut self.flat {
            flat.add(cx, entity);
        }
        if let Some(inside) = self.inside.get_mut(&task.site) {
            inside.add(cx, entity);
        }
    }

    /// Notes what `task` has to do with the entities in front.
    fn relate(&mut self, cx: &Cx, task: &Task) {
        for Relating { focus, children } in self.focus.iter_mut().flatten() {
            let related = match focus.of {
                Some(Entity::Task(id)) => task.parent == id && id.0 != 0,
                Some(Entity::Site(id)) => task.site == id,
                _ => false,
            };
            if related {
                focus.born += 1;
                children.push(telling(cx, task));
                keep_first(children, FOCUS_LIMIT, Telling::cmp);
            }
            for wait in task.waits.iter().filter(|wait| focus.of == Some(wait.on.into())) {
                focus.waiting += 1;
                focus.waiters.push((*wait, task.id));
                keep_first(&mut focus.waiters, FOCUS_LIMIT, |a, b| (a.0.since, a.1).cmp(&(b.0.since, b.1)));
            }
        }
    }

    /// Puts what was gathered in front of the operator.
    pub(super) fn finish(self, app: &mut App) {
        let focus = self.focus.map(|all| {
            let finish = |Relating { mut focus, mut children }: Relating| {
                focus.waiters.sort_unstable_by_key(|(wait, id)| (wait.since, *id));
                focus.waiters.truncate(FOCUS_LIMIT);
                children.sort_unstable();
                focus.children = children.into_iter().take(FOCUS_LIMIT).map(|(.., id)| id).collect();
                focus
            };
            all.into_iter().map(finish).collect()
        });
        let derived = &mut app.derived;
        if let Some(focus) = focus {
            derived.focus = focus;
        }
        if let Some(waits) = self.waits {
            (derived.lock_waits, derived.send_waits) = (waits.locks, waits.channels);
        }
        if let Some(sites) = self.sites {
            derived.sites = sites;
            derived.inside = self.inside.into_iter().map(|(site, first)| (site, first.finish().0)).collect();
        }
        if let Some(flat) = self.flat {
            let (order, passing) = flat.finish();
            derived.flat = Rows { order, total: self.seen, passing, ..Rows::default() };
        }
    }
}

/// What makes a task worth to be named among its like: what is said of it, then how long it has done what it does.
type Telling = (Reverse<Option<Severity>>, Stamp, TaskId);

fn telling(cx: &Cx, task: &Task) -> Telling {
    (Reverse(cx.accused.severity_of(task)), task.state_since, task.id)
}
