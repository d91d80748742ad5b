//! Who waits for whom, to the end: what an entity waits for, who has that, what those wait for in turn. A way that comes
//! back to itself is drawn closed.

use crate::app::page::Page;
use crate::app::theme::Role;
use crate::app::{Cx, Entity, names};
use crate::model::{LockId, SiteId, Stamp, TaskId, WaitFor};
use crate::text::{self, figures};

/// Steps from the root that are followed.
const DEEPEST: usize = 12;
/// Lines in all: a pool of permits with a hundred holders is no tree that anybody reads.
const MOST: usize = 40;

/// A step: what it leads to, and how it reads.
struct Step {
    to: Entity,
    name: String,
    remark: String,
}

/// Writes the tree under `root`; nothing when `root` leads nowhere.
pub(crate) fn tree(cx: &Cx, root: Entity, page: &mut Page) {
    if steps(cx, root).is_empty() {
        return;
    }
    page.heading("Who waits for whom");
    page.line(vec![(Role::Strong, names::entity(cx, root))]);
    let mut left = MOST;
    let mut way = vec![root];
    grow(cx, &mut way, "", &mut left, page);
    if left == 0 {
        page.words(Role::Muted, "and more");
    }
}

/// Whether the way from `root` goes on past what its page tells anyway: one step to what it waits for and one to who
/// has that.
pub(crate) fn goes_on(cx: &Cx, root: Entity) -> bool {
    steps(cx, root).iter().any(|one| steps(cx, one.to).iter().any(|two| !steps(cx, two.to).is_empty()))
}

fn grow(cx: &Cx, way: &mut Vec<Entity>, trunk: &str, left: &mut usize, page: &mut Page) {
    let Some(&here) = way.last() else { return };
    let g = cx.glyphs;
    let steps = steps(cx, here);
    let count = steps.len();
    for (n, step) in steps.into_iter().enumerate() {
        if *left == 0 {
            return;
        }
        *left -= 1;
        let last = n + 1 == count;
        let twig = format!("{trunk}{} ", if last { g.end } else { g.fork });
        page.branch(&twig, step.to, &step.name, &step.remark);
        let trunk = format!("{trunk}{} ", if last { "  " } else { g.trunk });
        if way.contains(&step.to) {
            let name = names::entity(cx, step.to);
            // Only a rule says that it is a deadlock: tasks that take messages from each other go round in cycles too.
            let (role, text) = if deadlocked(cx, way) {
                (Role::Crit, format!("{} DEADLOCK: back at {name}, the cycle is closed", g.circle))
            } else {
                (Role::Muted, format!("{} back at {name}", g.circle))
            };
            page.line(vec![(Role::Muted, format!("{trunk}{} ", g.end)), (role, text)]);
            continue;
        }
        if way.len() >= DEEPEST {
            continue;
        }
        way.push(step.to);
        grow(cx, way, &trunk, left, page);
        way.pop();
    }
}

/// Whether a finding says that tasks on this way wait for each other in a cycle.
fn deadlocked(cx: &Cx, way: &[Entity]) -> bool {
    let cycles = cx.findings.iter().filter(|f| f.active() && !f.cycle.is_empty());
    cycles.flat_map(|f| &f.cycle).any(|step| way.contains(&Entity::Task(step.task)))
}

/// What `entity` leads to on the way to whoever could let it go on.
fn steps(cx: &Cx, entity: Entity) -> Vec<Step> {
    let model = cx.model;
    let task = |id: TaskId, name: String, remark: String| Step { to: Entity::Task(id), name, remark };
    match entity {
        Entity::Task(id) => {
            let waits = model.tasks.get(&id).map_or(&[][..], |t| &t.waits);
            waits
                .iter()
                .filter(|wait| leads_on(wait.on))
                .map(|wait| Step {
                    to: wait.on.into(),
                    name: format!("waits for {}", names::wait(model, wait)),
                    remark: span_at(cx, "for", Some(wait.since), names::location(model, wait.site)),
                })
                .collect()
        }
        Entity::Lock(id) => holders(cx, id),
        Entity::Channel(id) => {
            let Some(channel) = model.channels.get(&id) else { return Vec::new() };
            let receiver = channel.receiver_task;
            if channel.blocked_senders == 0 || receiver == TaskId(0) {
                return Vec::new();
            }
            let remark = span_at(cx, "last asked", channel.last_recv_at, names::location(model, channel.recv_site));
            vec![task(receiver, format!("read by {}", names::task_id(model, receiver)), remark)]
        }
        _ => Vec::new(),
    }
}

fn leads_on(on: WaitFor) -> bool {
    !matches!(on, WaitFor::Join(TaskId(0)) | WaitFor::Timer(_))
}

/// Who has a lock, or some of it, now: the longest first.
fn holders(cx: &Cx, id: LockId) -> Vec<Step> {
    /// Holders of one lock that are followed.
    const FOLLOWED: usize = 4;
    let model = cx.model;
    let Some(lock) = model.locks.get(&id) else { return Vec::new() };
    let mut holds: Vec<(TaskId, SiteId, Option<Stamp>, &str)> = lock
        .holders
        .iter()
        .map(|h| (h.task, h.site, Some(h.since), if h.exclusive { "held" } else { "shared" }))
        .collect();
    if holds.is_empty() {
        holds.push((lock.holder, lock.holder_site, lock.held_since, "held"));
    }
    holds.retain(|(task, ..)| *task != TaskId(0));
    holds.sort_by_key(|(task, _, since, _)| (*since, *task));
    holds.truncate(FOLLOWED);
    let step = |(task, site, since, how): (TaskId, SiteId, Option<Stamp>, &str)| Step {
        to: Entity::Task(task),
        name: format!("{how} by {}", names::task_id(model, task)),
        remark: span_at(cx, "for", since, names::location(model, site)),
    };
    holds.into_iter().map(step).collect()
}

fn span_at(cx: &Cx, word: &str, since: Option<Stamp>, place: &str) -> String {
    let span = since.map_or_else(String::new, |since| {
        let ago = if word == "for" { "" } else { " ago" };
        format!("{word} {}{ago}", figures::duration(cx.model.now.since(since)))
    });
    match text::file_line(place) {
        "" => span,
        place => format!("{span}, at {place}"),
    }
}
