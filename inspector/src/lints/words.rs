//! How rules name what they speak of.
use std::time::Duration;

use super::{LocationRole, Subject, SubjectKind};
use crate::model::{
    Channel, Frame, Lock, LockKind, Model, Site, SiteId, SiteKind, Suspension, Task, TaskId, TaskState, WaitFor,
};
use crate::text;

/// The place of a site; empty when it is not known.
pub(super) fn place(model: &Model, site: SiteId) -> &str {
    model.sites.get(&site).map_or("", |site| site.location.as_str())
}

/// Whether what is made at a site has a type that is known; what libraries spawn has none.
pub(super) fn is_named(model: &Model, site: SiteId) -> bool {
    model.sites.get(&site).is_some_and(|site| !site.name.is_empty())
}

/// Whether a place is in a library's code, which nobody changes.
pub(super) fn is_librarys(place: &str) -> bool {
    ["/registry/src/", "/rustc/"].iter().any(|part| place.contains(part))
}

/// ` at store.rs:12`; nothing of a place that is not known.
pub(super) fn at(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(" at {}", text::file_line(place)) }
}

/// What things of a site go by, own names first.
fn name(own: &str, site: Option<&Site>) -> String {
    if !own.is_empty() {
        return text::head(own, 48);
    }
    match site.map(Site::title) {
        Some(name) if !name.is_empty() => name,
        _ => "?".to_owned(),
    }
}

/// The tasks of a spawn site.
pub(super) fn site_subject(site: &Site) -> Subject {
    let role = match site.kind {
        SiteKind::Spawn => LocationRole::Spawned,
        SiteKind::Lock | SiteKind::Channel => LocationRole::Made,
        SiteKind::Call if site.is_limit() => LocationRole::Dropped,
        SiteKind::Call => LocationRole::Waits,
    };
    subject(SubjectKind::Site(site.id), name("", Some(site)), &site.location, role)
}

fn subject(kind: SubjectKind, name: String, location: &str, role: LocationRole) -> Subject {
    Subject { kind, name, location: String::new(), role: LocationRole::Unknown }.at(location, role)
}

/// A lock, with the line that acquires it; where that is not known, the one that made it. (One that nobody's line made
/// goes by the line that first used it, so the two may be the same.)
pub(super) fn lock_subject(model: &Model, lock: &Lock, location: &str) -> Subject {
    let (name, made_at) = (name(&lock.name, model.sites.get(&lock.site)), place(model, lock.site));
    let made = subject(SubjectKind::Lock(lock.id), name, made_at, LocationRole::Made);
    match lock.kind {
        _ if location.is_empty() => made,
        LockKind::Semaphore => made.at(location, LocationRole::Acquired),
        _ => made.at(location, LocationRole::Locked),
    }
}

/// A lock in a sentence, so that its type is not taken for a word of it: ``Mutex `Ledger` ``.
pub(super) fn kind_and_name(lock: &Lock, subject: &Subject) -> String {
    format!("{} `{}`", lock.kind.name(), subject.name)
}

/// A semaphore in a sentence; one without a name of its own goes by its place, which stands beside.
pub(super) fn semaphore(subject: &Subject) -> String {
    if subject.name == "Semaphore" { "a semaphore".to_owned() } else { format!("semaphore `{}`", subject.name) }
}

/// Who holds a lock that no task is known to hold.
pub(super) fn no_task(model: &Model) -> &'static str {
    if model.target.sees("holders") {
        "a thread outside of any task"
    } else {
        "somebody whom this target does not tell"
    }
}

/// A channel, with the line that made it.
pub(super) fn channel_subject(model: &Model, channel: &Channel) -> Subject {
    let name = name(&channel.name, model.sites.get(&channel.site));
    subject(SubjectKind::Channel(channel.id), name, place(model, channel.site), LocationRole::Made)
}

/// What a task goes by, without its id.
pub(super) fn task_name(model: &Model, id: TaskId) -> String {
    model.tasks.get(&id).map_or_else(String::new, |task| name_of(model, task))
}

fn name_of(model: &Model, task: &Task) -> String {
    let doing = if task.name.is_empty() { model.doing(task) } else { None };
    doing.unwrap_or_else(|| name(&task.name, model.sites.get(&task.site)))
}

/// A task, with no line to look at.
pub(super) fn task_subject(model: &Model, id: TaskId) -> Subject {
    let name = match task_name(model, id) {
        name if name.is_empty() => format!("task {}", text::task_id(id)),
        name => name,
    };
    subject(SubjectKind::Task(id), name, "", LocationRole::Unknown)
}

/// The tasks of a spawn site, by the name of the one that is at fault where it has a name of its own.
pub(super) fn subject_of_one(model: &Model, site: &Site, id: TaskId) -> Subject {
    let mut subject = site_subject(site);
    if let Some(task) = model.tasks.get(&id).filter(|task| !task.name.is_empty()) {
        subject.name = name(&task.name, None);
    }
    subject
}

/// Who is in a poll that stands at `line`: the tasks of its spawn site; where a library spawned the task, so that the site
/// says little or is not known at all, the function that the line is in.
pub(super) fn poll_subject(model: &Model, id: TaskId, line: Option<&Frame>) -> Subject {
    let site = model.tasks.get(&id).and_then(|task| model.sites.get(&task.site));
    match (site, line) {
        (Some(site), _) if !site.name.is_empty() => subject_of_one(model, site, id),
        (site, Some(line)) => {
            let kind = site.map_or(SubjectKind::Task(id), |site| SubjectKind::Site(site.id));
            subject(kind, line.name(), &line.location, LocationRole::Blocks)
        }
        (Some(site), None) => site_subject(site),
        (None, None) if id.0 == 0 => {
            subject(SubjectKind::Task(id), "a library's task".to_owned(), "", LocationRole::Unknown)
        }
        (None, None) => task_subject(model, id),
    }
}

/// Whether what a lock guards is the receiver of a channel: a queue that several take from, under which each waits for a
/// message.
pub(super) fn is_queue(model: &Model, lock: &Lock) -> bool {
    let name = model.sites.get(&lock.site).map_or("", |site| &*site.name);
    name.split('<').next().is_some_and(|of| of.ends_with("Receiver"))
}

/// When a task that waits for nothing but a timer goes on at the latest: so long after the wait began.
pub(super) fn due_in(task: &Task) -> Option<Duration> {
    let dues = task.waits.iter().map(|wait| match wait.on {
        WaitFor::Timer(due) if !due.is_zero() => Some(due),
        _ => None,
    });
    let dues: Option<Vec<Duration>> = dues.collect();
    dues.filter(|_| task.state == TaskState::Idle && !task.flags.more_waits)?.into_iter().min()
}

/// Where a task that sleeps is suspended, and what it awaits there, if it was looked at.
pub(super) struct Sleeps {
    /// `reqwest::Pending at bank.rs:88`
    pub(super) awaited: String,
    /// Whole; empty without debug information.
    pub(super) location: String,
}

pub(super) fn sleeps(model: &Model, task: &Task) -> Option<Sleeps> {
    let suspensions = model.suspensions(task);
    let mut awaited: Vec<_> = suspensions.iter().filter_map(Suspension::awaited).map(|of| text::head(of, 60)).collect();
    awaited.dedup();
    let location = suspensions.iter().find_map(Suspension::user_frame)?.location.clone();
    let awaited = if awaited.is_empty() { "a future of its own".to_owned() } else { awaited.join(" or ") };
    let at = at(&location);
    Some(Sleeps { awaited: format!("{awaited}{at}"), location })
}

/// Where a task that waits does so, as `path:line:column`; empty when it is not known.
pub(super) fn wait_place(model: &Model, id: TaskId) -> String {
    let Some(task) = model.tasks.get(&id).filter(|task| task.state == TaskState::Idle) else { return String::new() };
    match task.waits.first() {
        Some(wait) => place(model, wait.site).to_owned(),
        None => sleeps(model, task).map_or_else(String::new, |sleeps| sleeps.location),
    }
}

/// The same, if it has waited there for most of what it is accused of: who does one thing after the other is met at any of
/// them.
pub(super) fn long_wait_place(model: &Model, id: TaskId, accused: Duration) -> String {
    let lasts = model.tasks.get(&id).is_some_and(|task| model.lasted(task.state_since) >= accused / 2);
    if lasts { wait_place(model, id) } else { String::new() }
}

/// Where a task waits, in a sentence: ` at bank.rs:88`.
pub(super) fn waits_at(model: &Model, id: TaskId) -> String {
    at(&wait_place(model, id))
}

/// A task by its name and id: `pay #12`.
pub(super) fn task(model: &Model, id: TaskId) -> String {
    match model.tasks.get(&id) {
        Some(task) => format!("`{}` {}", name_of(model, task), text::task_id(id)),
        None => text::task_id(id),
    }
}

/// The spawn place of a task; empty when it is not known.
pub(super) fn spawn_place(model: &Model, id: TaskId) -> &str {
    model.tasks.get(&id).map_or("", |task| place(model, task.site))
}

/// Where what is waited for was made, or where the task that is waited for was spawned; empty when it is not known.
pub(super) fn made_at(model: &Model, on: WaitFor) -> &str {
    match on {
        WaitFor::Lock(id) | WaitFor::Read(id) => model.locks.get(&id).map_or("", |lock| place(model, lock.site)),
        WaitFor::Send(id) | WaitFor::Recv(id) | WaitFor::Closed(id) => {
            model.channels.get(&id).map_or("", |c| place(model, c.site))
        }
        WaitFor::Join(id) => spawn_place(model, id),
        WaitFor::Oneshot(site) | WaitFor::OneshotClosed(site) => place(model, site),
        WaitFor::Timer(_) => "",
    }
}

/// What a task waits for.
pub(super) fn wait(model: &Model, on: WaitFor) -> String {
    match on {
        WaitFor::Lock(id) | WaitFor::Read(id) => match model.locks.get(&id) {
            Some(lock) => {
                let name = name(&lock.name, model.sites.get(&lock.site));
                match lock.kind {
                    LockKind::CancellationToken => format!("for token `{name}` to be cancelled"),
                    LockKind::TaskTracker => format!("for the tasks of tracker `{name}` to end"),
                    LockKind::Semaphore if name == lock.kind.name() => "for a permit of a semaphore".to_owned(),
                    LockKind::Semaphore => format!("for a permit of semaphore `{name}`"),
                    kind if name == kind.name() => format!("for a {name}"),
                    kind => format!("for {} `{name}`", kind.name()),
                }
            }
            None => "for a lock".to_owned(),
        },
        WaitFor::Send(id) => format!("for room in {}", channel(model, id)),
        WaitFor::Recv(id) => format!("for a message from {}", channel(model, id)),
        WaitFor::Join(TaskId(0)) => "for a task of a JoinSet to end".to_owned(),
        WaitFor::Join(id) => format!("for {} to end", task(model, id)),
        WaitFor::Closed(id) => format!("for the receiver of {} to close it", channel(model, id)),
        WaitFor::Oneshot(site) => format!("for the answer of {}", oneshot(model, site)),
        WaitFor::OneshotClosed(site) => format!("for the receiver of {} to close it", oneshot(model, site)),
        WaitFor::Timer(Duration::ZERO) => "for a timer".to_owned(),
        WaitFor::Timer(due) => format!("for a timer of {}", text::duration(due)),
    }
}

fn channel(model: &Model, id: crate::model::ChannelId) -> String {
    match model.channels.get(&id) {
        Some(channel) => format!("channel `{}`", name(&channel.name, model.sites.get(&channel.site))),
        None => "a channel".to_owned(),
    }
}

/// A oneshot channel, of which nothing is known but where it was made, and perhaps a name.
fn oneshot(model: &Model, site: SiteId) -> String {
    let named = model.sites.get(&site).and_then(|site| site.shared_name()).map(|name| format!("`{name}` "));
    format!("a oneshot {}made at {}", named.unwrap_or_default(), place(model, site))
}

/// `text` cut where a sentence would no longer be read.
pub(super) fn quote(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("\"{}\"", text::head(&line, 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lints::tests::*;

    #[test]
    fn a_task_that_a_library_spawned_goes_by_what_the_app_does_in_it() {
        let mut judged = Judged::new();
        let registry = "/home/me/.cargo/registry/src/registry-0123456789abcdef";
        let site =
            judged.target.spawn_site(&format!("{registry}/axum-0.8.4/src/serve/mod.rs:389:9"), "", OutputKind::Unknown);
        let task = judged.target.task(site);
        judged.settle();
        assert_eq!(task_name(&judged.target.model, task), "axum mod.rs:389");
        let made = judged.target.lock_site("src/shelf.rs:9:30", "Shelf");
        let (lock, at) = (judged.target.lock(made), judged.target.call_site("src/shelf.rs:55:20"));
        let since = judged.target.now;
        judged.target.task_state(task, |task| task.waits = [Wait { on: WaitFor::Lock(lock), site: at, since }].into());
        judged.run(ms(100));
        assert_eq!(task_name(&judged.target.model, task), "shelf.rs:55");
    }

    #[test]
    fn a_line_that_locks_is_told_as_such_though_the_lock_goes_by_it_too() {
        let mut judged = Judged::new();
        let made = judged.target.lock_site("src/shelf.rs:9:30", "Shelf");
        let lock = judged.target.lock(made);
        judged.settle();
        let (model, lock) = (&judged.target.model, &judged.target.model.locks[&lock]);
        assert_eq!(lock_subject(model, lock, "src/shelf.rs:9:30").role, LocationRole::Locked);
        assert_eq!(lock_subject(model, lock, "").role, LocationRole::Made);
    }
}
