//! What screens need beyond the model, worked out once a second at most rather than once a frame: sums by spawn site,
//! who waits for what, and the order of the rows. Drawing then touches only what is visible. What takes a pass over all
//! tasks is gathered by a [`Sweep`], which among very many goes on a few milliseconds at a time.
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::groups::Groups;
use super::place::Place;
use super::screen::{Body, Rows};
use super::sweep::Sweep;
use super::{App, Entity};
use crate::model::{ChannelId, LockId, SiteId, Stamp, Task, TaskId, Wait, WaitFor};

/// Tasks listed on a page beyond this many are only counted.
pub(crate) const FOCUS_LIMIT: usize = 200;

/// Things waited for that are told apart within one site.
const DISTINCT_WAITS: usize = 8;

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Derived {
    pub(crate) sites: HashMap<SiteId, SiteSum, RandomState>,
    /// How long the longest waiter of a lock had waited. Like all durations here, as of the look: the waits that are going on
    /// now may be others.
    pub(crate) lock_waits: HashMap<LockId, Duration>,
    /// How long the longest blocked sender of a channel had waited.
    pub(crate) send_waits: HashMap<ChannelId, Duration>,
    /// What a task holds.
    pub(crate) holds: HashMap<TaskId, Vec<LockId>>,
    /// Tasks in the order of the place in front: all of them, where they are shown one by one.
    pub(crate) flat: Rows,
    /// Those of the sites that are opened in place.
    pub(crate) inside: HashMap<SiteId, Vec<Entity>>,
    /// Locks and channels by the line that makes them, where they are in front.
    pub(crate) groups: Groups,
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
    /// Of the task for which it is the longest.
    pub(crate) sched_p99: Option<Duration>,
    /// How long the longest pending wait had lasted.
    pub(crate) waited: Option<Duration>,
    /// How long the longest running poll had run.
    pub(crate) ran: Option<Duration>,
    /// How many wait for the same thing, for the first few things that are waited for.
    on: Vec<(WaitFor, u64)>,
}

impl SiteSum {
    pub(super) fn add(&mut self, task: &Task, now: Stamp) {
        use crate::model::TaskState::{Running, Scheduled};
        self.tasks += 1;
        if task.state == Running {
            self.running += 1;
            self.ran = self.ran.max(Some(now.since(task.state_since)));
        }
        self.scheduled += u64::from(task.state == Scheduled);
        self.busy_share += task.busy_share;
        self.polls_per_s += task.polls_per_s;
        self.wakes = self.wakes.saturating_add(task.wakes);
        self.self_wakes = self.self_wakes.saturating_add(task.self_wakes);
        self.sched_p99 = self.sched_p99.max(task.sched_p99());
        self.waiting += u64::from(!task.waits.is_empty());
        for wait in &task.waits {
            if let Some((_, count)) = self.on.iter_mut().find(|(on, _)| *on == wait.on) {
                *count += 1;
            } else if self.on.len() < DISTINCT_WAITS {
                self.on.push((wait.on, 1));
            }
            self.waited = self.waited.max(Some(now.since(wait.since)));
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
    /// When they were looked up.
    pub(crate) at: Stamp,
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

/// Above this many tasks no key waits for a pass over all of them.
pub(crate) const MANY_TASKS: usize = 100_000;

/// Works everything out again for the place in front. Among very many tasks, what takes a pass over all of them comes
/// later, by [`go_on`].
pub(crate) fn refresh(app: &mut App) {
    app.sweep = None;
    holds(app);
    let sweep = Sweep::of_rows(app);
    let rows_come_later = begin(app, sweep);
    arrange(app);
    if !rows_come_later {
        focus(app);
    }
}

/// Looks up who relates to the entities in front; after the rows, which say what is selected.
pub(crate) fn focus(app: &mut App) {
    if app.sweep.as_ref().is_none_or(|sweep| !sweep.is_of_rows()) {
        let sweep = Sweep::of_focus(app);
        begin(app, sweep);
    }
}

/// Begins a pass; returns whether it goes on later.
fn begin(app: &mut App, mut sweep: Sweep) -> bool {
    if app.cx().model.tasks.len() > MANY_TASKS && sweep.wants_anything() {
        app.sweep = Some(sweep);
        return true;
    }
    app.sweep = None;
    sweep.run(&app.cx(), usize::MAX);
    sweep.finish(app);
    false
}

/// Takes a pass that is under way a little further.
pub(crate) fn go_on(app: &mut App) {
    /// Parts of the tasks that take a few milliseconds.
    const SLICE: usize = 1024;
    let Some(mut sweep) = app.sweep.take() else { return };
    if !sweep.run(&app.cx(), SLICE) {
        app.sweep = Some(sweep);
        return;
    }
    let of_rows = sweep.is_of_rows();
    sweep.finish(app);
    if of_rows {
        arrange(app);
        super::navigate::settle(app);
        focus(app);
    }
    app.touch();
}

/// Takes the rows of tasks that have ended meanwhile out of a list that was not worked out again yet.
pub(crate) fn drop_ended(app: &mut App) {
    let model = Arc::clone(&app.shown().model);
    let rows = &mut app.derived.rows;
    let before = rows.order.len();
    rows.order.retain(|entity| !matches!(entity, Entity::Task(_)) || entity.exists(&model));
    rows.passing = rows.passing.saturating_sub(before - rows.order.len());
}

fn holds(app: &mut App) {
    let mut holds: HashMap<TaskId, Vec<LockId>> = HashMap::new();
    for lock in app.cx().model.locks.values() {
        let listed = lock.holders.iter().map(|h| h.task);
        for holder in listed.chain([lock.holder]).filter(|task| task.0 != 0) {
            holds.entry(holder).or_default().push(lock.id);
        }
    }
    for held in holds.values_mut() {
        held.sort_unstable();
        held.dedup();
    }
    app.derived.holds = holds;
}

fn arrange(app: &mut App) {
    let groups = Groups::of(&app.cx());
    app.derived.groups = groups;
    let place: &Place = app.place();
    let rows = match &place.screen.body {
        Body::Table(table) => (table.rows)(&app.cx(), place, table),
        _ => Rows::default(),
    };
    app.derived.rows = rows;
}
