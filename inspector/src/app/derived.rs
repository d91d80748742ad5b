//! What screens need beyond the model, worked out once a second at most rather than once a frame: sums by spawn site,
//! who waits for what, and the order of the rows. Drawing then touches only what is visible. Each pass over all tasks
//! is made only for the screens that show what it finds.
use std::cmp::Reverse;
use std::collections::HashMap;
use std::time::Duration;

use super::place::Place;
use super::screen::{Body, Rows};
use super::{App, Entity};
use crate::model::{ChannelId, LockId, SiteId, Stamp, Task, TaskId, Wait, WaitFor};

/// Tasks listed on a page beyond this many are only counted.
pub(crate) const FOCUS_LIMIT: usize = 200;

/// Things waited for that are told apart within one site.
const DISTINCT_WAITS: usize = 8;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Derived {
    pub(crate) sites: HashMap<SiteId, SiteSum>,
    /// Since when the longest waiter of a lock waits.
    pub(crate) lock_waits: HashMap<LockId, Stamp>,
    /// Since when the longest blocked sender of a channel waits.
    pub(crate) send_waits: HashMap<ChannelId, Stamp>,
    /// What a task holds.
    pub(crate) holds: HashMap<TaskId, Vec<LockId>>,
    /// The rows of the table in front.
    pub(crate) rows: Rows,
    /// Relations of the entities in front: the page's subject and the selected row.
    pub(crate) focus: Vec<Focus>,
}

/// The live tasks of a spawn site together, those that pass the filter.
#[derive(Debug, Clone, Default)]
pub(crate) struct SiteSum {
    pub(crate) tasks: u64,
    pub(crate) running: u64,
    pub(crate) scheduled: u64,
    pub(crate) waiting: u64,
    pub(crate) busy_share: f64,
    pub(crate) polls_per_s: f64,
    pub(crate) wakes: u64,
    pub(crate) self_wakes: u64,
    pub(crate) sched_max: Duration,
    /// The longest pending wait.
    pub(crate) oldest: Option<Wait>,
    /// Since when the longest running poll runs.
    pub(crate) running_since: Option<Stamp>,
    /// How many wait for the same thing, for the first few things that are waited for.
    on: Vec<(WaitFor, u64)>,
}

impl SiteSum {
    fn add(&mut self, task: &Task) {
        use crate::model::TaskState::{Running, Scheduled};
        self.tasks += 1;
        if task.state == Running {
            self.running += 1;
            self.running_since = Some(self.running_since.map_or(task.state_since, |s| s.min(task.state_since)));
        }
        self.scheduled += u64::from(task.state == Scheduled);
        self.busy_share += task.busy_share;
        self.polls_per_s += task.polls_per_s;
        self.wakes = self.wakes.saturating_add(task.wakes);
        self.self_wakes = self.self_wakes.saturating_add(task.self_wakes);
        self.sched_max = self.sched_max.max(task.sched_max);
        self.waiting += u64::from(!task.waits.is_empty());
        for wait in &task.waits {
            if let Some((_, count)) = self.on.iter_mut().find(|(on, _)| *on == wait.on) {
                *count += 1;
            } else if self.on.len() < DISTINCT_WAITS {
                self.on.push((wait.on, 1));
            }
            if self.oldest.is_none_or(|o| wait.since < o.since) {
                self.oldest = Some(*wait);
            }
        }
    }
}

impl SiteSum {
    /// What most of them wait for, and how many do.
    pub(crate) fn mostly_on(&self) -> Option<(WaitFor, u64)> {
        // By kind and id too, so that two that are waited for alike do not take turns.
        self.on.iter().copied().max_by_key(|(on, count)| (*count, Reverse(Entity::from(*on).ordinal())))
    }
}

/// Tasks that relate to one entity.
#[derive(Debug, Clone, Default)]
pub(crate) struct Focus {
    pub(crate) of: Option<Entity>,
    /// Those that wait for it, the longest first.
    pub(crate) waiters: Vec<(Wait, TaskId)>,
    /// How many there are.
    pub(crate) waiting: usize,
    /// Those that it spawned (a task) or that came from it (a site), the most telling first.
    pub(crate) children: Vec<TaskId>,
    /// How many there are.
    pub(crate) born: usize,
}

impl Derived {
    /// What is known of `entity`'s relations; nothing while they have not been looked up yet.
    pub(crate) fn focus(&self, entity: Entity) -> Option<&Focus> {
        self.focus.iter().find(|f| f.of == Some(entity))
    }
}

/// Time between two refreshes: longer where one takes longer, so that a million tasks cost no more than a fifth of
/// a core.
pub(crate) fn interval(tasks: usize) -> Duration {
    match tasks {
        0..100_000 => Duration::from_secs(1),
        100_000..400_000 => Duration::from_secs(2),
        _ => Duration::from_secs(4),
    }
}

/// Above this many tasks a key does not wait for a pass over all of them where it can be answered without.
pub(crate) const MANY_TASKS: usize = 100_000;

/// Works everything out again for the place in front.
pub(crate) fn refresh(app: &mut App) {
    app.refresh_due = false;
    index(app);
    sum_sites(app);
    arrange(app);
    focus(app);
}

fn index(app: &mut App) {
    let cx = app.cx();
    let mut derived = Derived::default();
    let waits_shown = matches!(app.place().screen.id, "locks" | "channels");
    for task in cx.model.tasks.values().filter(|_| waits_shown) {
        for wait in &task.waits {
            let oldest = match wait.on {
                WaitFor::Lock(id) | WaitFor::Read(id) => derived.lock_waits.entry(id).or_insert(wait.since),
                WaitFor::Send(id) => derived.send_waits.entry(id).or_insert(wait.since),
                _ => continue,
            };
            *oldest = (*oldest).min(wait.since);
        }
    }
    for lock in cx.model.locks.values() {
        let listed = lock.holders.iter().map(|h| h.task);
        for holder in listed.chain([lock.holder]).filter(|task| task.0 != 0) {
            derived.holds.entry(holder).or_default().push(lock.id);
        }
    }
    for held in derived.holds.values_mut() {
        held.sort_unstable();
        held.dedup();
    }
    derived.rows = std::mem::take(&mut app.derived.rows);
    app.derived = derived;
}

fn sum_sites(app: &mut App) {
    let place = app.place();
    let cx = app.cx();
    if place.screen.id != "tasks" || place.flat {
        return;
    }
    let filtered = !place.filter.is_empty();
    let mut sites: HashMap<SiteId, SiteSum> = HashMap::new();
    for task in cx.model.tasks.values() {
        if !filtered || place.filter.matches(&cx, place.columns(), Entity::Task(task.id)) {
            sites.entry(task.site).or_default().add(task);
        }
    }
    app.derived.sites = sites;
}

fn arrange(app: &mut App) {
    let place: &Place = app.place();
    let rows = match &place.screen.body {
        Body::Table(table) => (table.rows)(&app.cx(), place, table),
        _ => Rows::default(),
    };
    app.derived.rows = rows;
}

/// Looks up who relates to the entities in front. One pass over all tasks, whatever is in front.
pub(crate) fn focus(app: &mut App) {
    let cx = app.cx();
    let mut found: Vec<Focus> = Vec::new();
    for entity in app.in_front() {
        // A finding's page shows the relations of what it accuses.
        let entity = match entity {
            Entity::Finding(key) => Entity::from(key.subject),
            other => other,
        };
        if !found.iter().any(|f| f.of == Some(entity)) {
            found.push(Focus { of: Some(entity), ..Focus::default() });
        }
    }
    if found.iter().any(|f| !matches!(f.of, Some(Entity::Worker(_) | Entity::Past(_)))) {
        for task in cx.model.tasks.values() {
            for focus in &mut found {
                match focus.of {
                    Some(Entity::Task(id)) if task.parent == id && id.0 != 0 => focus.children.push(task.id),
                    Some(Entity::Site(id)) if task.site == id => focus.children.push(task.id),
                    _ => {}
                }
                for wait in &task.waits {
                    if focus.of == Some(wait.on.into()) {
                        focus.waiters.push((*wait, task.id));
                    }
                }
            }
        }
    }
    for focus in &mut found {
        focus.waiting = focus.waiters.len();
        keep_first(&mut focus.waiters, |(wait, id)| (wait.since, *id));
        focus.born = focus.children.len();
        keep_first(&mut focus.children, |id| {
            let mark = cx.mark(Entity::Task(*id)).map_or(0, |s| s as u8 + 1);
            let since = cx.model.tasks.get(id).map_or(cx.model.now, |t| t.state_since);
            (Reverse(mark), since, *id)
        });
    }
    app.derived.focus = found;
}

/// Sorts by `key` and keeps the first few; the rest is not sorted.
fn keep_first<T, K: Ord>(all: &mut Vec<T>, key: impl Fn(&T) -> K) {
    if all.len() > FOCUS_LIMIT {
        all.select_nth_unstable_by_key(FOCUS_LIMIT, &key);
        all.truncate(FOCUS_LIMIT);
    }
    all.sort_unstable_by_key(key);
}
