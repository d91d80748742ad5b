//! What people call things: a given name, else what the type says, else where it was made.
use std::time::Duration;

use super::{Common, Cx, Entity};
use crate::lints::Finding;
use crate::model::{
    ChannelId, LockId, LockKind, Model, SiteId, SiteKind, Task, TaskId, TaskState, Wait, WaitFor, Worker, WorkerKind,
};
use crate::text::{self, figures};

/// `path:line:column`; empty when unknown.
pub(crate) fn location(model: &Model, site: SiteId) -> &str {
    model.sites.get(&site).map_or("", |s| &s.location)
}

/// Where something was made.
pub(crate) fn created_at(model: &Model, entity: Entity) -> Option<&str> {
    Some(location(model, made_at(model, entity)?))
}

/// The same, as what is known of it.
pub(crate) fn made_at(model: &Model, entity: Entity) -> Option<SiteId> {
    match entity {
        Entity::Task(id) => Some(model.tasks.get(&id)?.site),
        Entity::Site(id) => Some(id),
        Entity::Lock(id) => Some(model.locks.get(&id)?.site),
        Entity::Channel(id) => Some(model.channels.get(&id)?.site),
        _ => None,
    }
}

/// A task's name.
pub(crate) fn task(model: &Model, task: &Task) -> String {
    let doing = if task.name.is_empty() { model.doing(task) } else { None };
    doing.unwrap_or_else(|| model.name_of(&task.name, task.site))
}

/// A task's number and name: `#17 report`, or `main`.
pub(crate) fn numbered(model: &Model, id: TaskId) -> String {
    let number = text::task_id(id);
    match model.tasks.get(&id).map(|t| task(model, t)) {
        Some(name) if !name.is_empty() && name != number => format!("{number} {name}"),
        Some(_) => number,
        // It ended, or it is a library's that does not wait now.
        None if unwatched_may_live(model) => format!("{number} (unwatched)"),
        None => format!("{number} (ended)"),
    }
}

/// A task's name beside a column that has its number; empty when its number is all that it has.
pub(crate) fn unnumbered(model: &Model, id: TaskId) -> String {
    let number = text::task_id(id);
    let named = numbered(model, id);
    named.strip_prefix(&number).map_or_else(|| named.clone(), |name| name.trim_start().to_owned())
}

/// Whether there may be tasks that are not told of: of one that is not known it cannot be said that it has ended.
pub(crate) fn unwatched_may_live(model: &Model) -> bool {
    model.loss.tasks > 0 || model.target.blind.iter().any(|blind| blind.about == "tasks")
}

/// Whether this is where tasks of libraries were seen to wait, and not where any were spawned.
pub(crate) fn is_seen_at(model: &Model, site: SiteId) -> bool {
    model.sites.get(&site).is_some_and(|site| site.kind == SiteKind::Call && site.spawned == 0)
}

/// The same, with what it is: `task #17 report`.
pub(crate) fn task_id(model: &Model, id: TaskId) -> String {
    format!("task {}", numbered(model, id))
}

/// A lock's name, with its number where others have the same.
pub(crate) fn lock(model: &Model, id: LockId) -> String {
    let Some(lock) = model.locks.get(&id) else { return told_apart("dropped", "lock", id.0) };
    let name = model.name_of(&lock.name, lock.site);
    if model.shares_name(lock) { told_apart(&name, lock_noun(lock.kind), id.0) } else { or_number(name, "lock", id.0) }
}

/// Such a name without that.
pub(crate) fn without_number(name: &str) -> &str {
    match name.rsplit_once(" (") {
        Some((before, number)) if number.trim_end_matches(')').ends_with(|c: char| c.is_ascii_digit()) => before,
        _ => name,
    }
}

/// A name that several things have, with what tells this one apart: `Account (lock 7)`, which nobody takes for a task's
/// number.
pub(crate) fn told_apart(name: &str, noun: &str, number: u64) -> String {
    let name = if name.is_empty() { "unnamed" } else { name };
    format!("{name} ({noun} {number})")
}

fn lock_kind(model: &Model, id: LockId) -> LockKind {
    model.locks.get(&id).map_or_else(LockKind::default, |lock| lock.kind)
}

/// Who holds what no task is known to hold.
pub(crate) fn no_task(model: &Model) -> &'static str {
    if model.target.sees("holders") { "something outside any task" } else { "somebody who is not told" }
}

/// What people call a thing of this kind.
pub(crate) fn lock_noun(kind: LockKind) -> &'static str {
    match kind {
        LockKind::Mutex | LockKind::RwLock => "lock",
        LockKind::Semaphore => "semaphore",
        LockKind::Notify => "notify",
        LockKind::Barrier => "barrier",
        LockKind::OnceCell | LockKind::SetOnce => "cell",
        LockKind::CancellationToken => "token",
        LockKind::TaskTracker => "tracker",
    }
}

/// A channel's name, with its number where others have the same.
pub(crate) fn channel(model: &Model, id: ChannelId) -> String {
    let Some(channel) = model.channels.get(&id) else { return told_apart("dropped", "channel", id.0) };
    let name = model.name_of(&channel.name, channel.site);
    if model.channel_shares_name(channel) {
        told_apart(&name, "channel", id.0)
    } else {
        or_number(name, "channel", id.0)
    }
}

/// A spawn site's name.
pub(crate) fn site(model: &Model, id: SiteId) -> String {
    or_number(model.name_of("", id), "site", u64::from(id.0))
}

fn or_number(name: String, noun: &str, id: u64) -> String {
    if name.is_empty() { told_apart("", noun, id) } else { name }
}

/// Anything, with what it is: for crumbs and links.
pub(crate) fn entity(cx: &Cx, entity: Entity) -> String {
    match entity {
        Entity::Task(id) => task_id(cx.model, id),
        Entity::Site(id) => {
            let what = match cx.model.sites.get(&id).map(|site| site.kind) {
                Some(SiteKind::Lock) => "locks",
                Some(SiteKind::Channel) => "channels",
                _ => "tasks",
            };
            format!("{what} of {}", site(cx.model, id))
        }
        Entity::Lock(id) => format!("{} {}", lock_noun(lock_kind(cx.model, id)), lock(cx.model, id)),
        Entity::Channel(id) => format!("channel {}", channel(cx.model, id)),
        Entity::Worker(id) => cx.model.workers.get(&id).map_or_else(|| entity.id_text(), worker),
        Entity::Tasks(common) => tasks(cx, common),
        Entity::Finding(_) | Entity::Past(_) | Entity::Then(..) => {
            cx.finding(entity).map_or_else(|| entity.id_text(), |f| f.rule.to_owned())
        }
    }
}

/// A thread: those of one runtime share a name, so its number belongs to it.
pub(crate) fn worker(worker: &Worker) -> String {
    match worker.kind {
        WorkerKind::BlockOn => worker.name.to_string(),
        // They are named as the workers are, and are none.
        WorkerKind::Blocking => format!("blocking thread {}", worker.id.0),
        _ if worker.name.is_empty() => "a thread".to_owned(),
        WorkerKind::Worker | WorkerKind::Untold => format!("{} {}", worker.name, worker.id.0),
    }
}

/// What a task waits for.
pub(crate) fn wait(model: &Model, wait: &Wait) -> String {
    waited_for(model, wait.on)
}

/// Something that is waited for.
pub(crate) fn waited_for(model: &Model, on: WaitFor) -> String {
    match on {
        WaitFor::Lock(id) => match lock_kind(model, id) {
            LockKind::Semaphore => format!("permit of {}", lock(model, id)),
            LockKind::RwLock => format!("lock {}, to write", lock(model, id)),
            LockKind::CancellationToken => format!("cancellation of {}", lock(model, id)),
            LockKind::TaskTracker => format!("tasks of {}", lock(model, id)),
            kind => format!("{} {}", lock_noun(kind), lock(model, id)),
        },
        WaitFor::Read(id) => format!("lock {}, to read", lock(model, id)),
        WaitFor::Send(id) => format!("room in {}", channel(model, id)),
        WaitFor::Recv(id) => format!("message in {}", channel(model, id)),
        WaitFor::Join(TaskId(0)) => "any task of a JoinSet".to_owned(),
        WaitFor::Join(id) => format!("end of {}", task_id(model, id)),
        WaitFor::Closed(id) => format!("receiver of {} to close it", channel(model, id)),
        WaitFor::Oneshot(site) => format!("answer of the oneshot {}", oneshot(model, site)),
        WaitFor::OneshotClosed(site) => format!("receiver of the oneshot {} to close it", oneshot(model, site)),
        WaitFor::Timer(Duration::ZERO) => "a timer".to_owned(),
        WaitFor::Timer(due) => format!("a timer of {}", text::duration(due)),
    }
}

/// A oneshot, by its name or where it is made: `reply`, or `of bank.rs:50`.
fn oneshot(model: &Model, id: SiteId) -> String {
    match model.sites.get(&id).and_then(|site| site.shared_name()) {
        Some(name) => name.to_owned(),
        None => format!("of {}", text::file_line(location(model, id))),
    }
}

/// A state, as a word.
pub(crate) fn state(state: TaskState) -> &'static str {
    match state {
        TaskState::New => "new",
        TaskState::Running => "running",
        TaskState::Scheduled => "scheduled",
        TaskState::Idle => "idle",
        TaskState::Done => "done",
        TaskState::Panicked => "panicked",
        TaskState::Cancelled => "cancelled",
    }
}

/// Tasks that have something in common.
fn tasks(cx: &Cx, common: Common) -> String {
    let waits = |entity_: Entity| format!("tasks that wait for {}", entity(cx, entity_));
    match common {
        Common::Lock(id) => waits(Entity::Lock(id)),
        Common::Channel(id) => waits(Entity::Channel(id)),
        Common::Task(id) => waits(Entity::Task(id)),
        Common::Oneshot(id) => waits(Entity::Site(id)),
        Common::Parent(id) => format!("tasks spawned by {}", task_id(cx.model, id)),
        Common::Site(id) => entity(cx, Entity::Site(id)),
        Common::Scope(id) => format!("tasks of {}", lock(cx.model, id)),
        Common::Scheduled => "tasks that wait for a worker".to_owned(),
    }
}

/// How long a finding lasted of which `entity` says when that is: now, at a moment of the timeline, or in an earlier
/// process.
pub(crate) fn lasting_of(cx: &Cx, entity: Entity, finding: &Finding) -> String {
    match entity {
        Entity::Then(at, _) => {
            let then = cx.app.history().exactly(at).map_or(finding.last_seen, |moment| moment.now);
            format!("{} by then", figures::duration(then.since(finding.since)))
        }
        Entity::Past(_) => {
            let last = finding.cleared.unwrap_or(finding.last_seen);
            format!("{} until it ended", figures::duration(last.since(finding.since)))
        }
        _ => lasting(cx.model, finding),
    }
}

/// How long a finding has lasted, or that it is over.
fn lasting(model: &Model, finding: &Finding) -> String {
    match finding.cleared {
        Some(at) => format!(
            "{}, over since {}",
            figures::duration(at.since(finding.since)),
            figures::duration(model.now.since(at))
        ),
        None if finding.older => format!(
            "{} or longer: it was so when this dashboard came",
            figures::duration(model.now.since(finding.since))
        ),
        None => figures::duration(model.now.since(finding.since)),
    }
}
