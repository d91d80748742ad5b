//! Who keeps the others waiting, or did what went wrong, and what it does meanwhile.
use std::time::Duration;

use super::words;
use crate::model::{Disposal, Model, SiteId, Stamp, Task, TaskId, TaskKind, TaskState, WaitFor};
use crate::text;

/// A task that a finding names, and as what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Culprit {
    /// `holder`, `receiver`, `aborted by`.
    role: &'static str,
    /// 0 for a thread outside of any task.
    task: TaskId,
    /// Where it was spawned, if that is known of one that has ended too.
    spawned: SiteId,
    /// When it did what it is named for, if that is over.
    did: Option<Stamp>,
}

impl Culprit {
    /// A task that others wait for; `None` where there is none.
    pub(super) fn of(role: &'static str, task: TaskId) -> Option<Self> {
        (task.0 != 0).then_some(Self { role, task, spawned: SiteId(0), did: None })
    }

    /// The same of one that may have ended by now, and was spawned there.
    pub(super) fn spawned(role: &'static str, task: TaskId, spawned: SiteId) -> Self {
        Self { role, task, spawned, did: None }
    }

    /// Who did away with something.
    pub(super) fn who_did(role: &'static str, disposal: &Disposal) -> Self {
        Self { role, task: disposal.by, spawned: disposal.spawned, did: Some(disposal.at) }
    }

    /// The task that others wait for; `None` for one that only did something.
    pub(super) fn waited_for(&self) -> Option<TaskId> {
        Some(self.task).filter(|_| self.did.is_none())
    }

    /// `holder: #24 rebuild has waited 38.1 ms for Mutex Ledger at cache.rs:25`; `None` where nothing is known of it.
    pub(super) fn words(&self, model: &Model) -> Option<String> {
        let Self { role, did, .. } = *self;
        let task = model.tasks.get(&self.task);
        if let Some(task) = task.filter(|_| did.is_none()) {
            let (what, since) = does(model, task);
            // A timer tells how long it takes; how much of that has passed would be a second time beside it.
            let sleeps = task.state == TaskState::Idle
                && task.waits.first().is_some_and(|wait| matches!(wait.on, WaitFor::Timer(due) if !due.is_zero()));
            let since = since.filter(|_| !sleeps);
            let lasting = since.map(|at| text::duration(model.lasted(at)));
            if role == BLOCKS {
                // That it does, and for how long, is the sentence.
                return Some(format!("{role}: {}", numbered(model, task)));
            }
            let what = match (what.strip_prefix("waits for "), lasting) {
                // Not twice "for", with two spans behind each other.
                (Some(thing), Some(lasting)) => format!("has waited {lasting} for {thing}"),
                (None, Some(lasting)) => format!("{what} for {lasting}"),
                (_, None) => what,
            };
            return Some(format!("{role}: {} {what}", numbered(model, task)));
        }
        // What happens again and again is as good as now.
        let ago = did.map(|at| model.lasted(at)).filter(|ago| *ago >= LONG_AGO);
        let ago = ago.map_or_else(String::new, |ago| format!(" {} ago", text::duration(ago)));
        // What it does now is another thing than what it did.
        if let Some(task) = task {
            let spawned = spawned_at(model, task.site, task.kind, task.state.ended());
            return Some(format!("{role}: {}{ago}{spawned}", numbered(model, task)));
        }
        if let Some(site) = model.sites.get(&self.spawned) {
            let (name, spawned) = (words::site_subject(site).name, spawned_at(model, site.id, TaskKind::Async, true));
            return Some(format!("{role}: a task of {name}{ago}{spawned}"));
        }
        (self.task.0 == 0 && did.is_some()).then(|| format!("{role}: a thread outside of any task{ago}"))
    }
}

/// What a task is named as that keeps its thread.
pub(super) const BLOCKS: &str = "blocking task";

/// From then on it is told how long ago something was done.
const LONG_AGO: Duration = Duration::from_secs(1);

/// What people call the task that did away with something, or those of its site if it has ended; `None` where nothing is
/// known of it.
pub(super) fn who_did(model: &Model, disposal: &Disposal) -> Option<String> {
    match model.tasks.get(&disposal.by) {
        Some(task) if task.kind == TaskKind::Root => Some(text::task_id(task.id)),
        Some(task) => Some(format!("`{}`", words::task_name(model, task.id))),
        None => Some(format!("`{}`", words::site_subject(model.sites.get(&disposal.spawned)?).name)),
    }
}

/// ` (spawned at store.rs:12, has ended)`; of a root, whose line is that of a `block_on` in some `main`, nothing.
fn spawned_at(model: &Model, site: SiteId, kind: TaskKind, ended: bool) -> String {
    match (words::place(model, site), ended) {
        ("", false) => String::new(),
        (_, false) if kind == TaskKind::Root => String::new(),
        ("", true) => " (has ended)".to_owned(),
        (place, false) => format!(" (spawned at {})", text::file_line(place)),
        (place, true) => format!(" (spawned at {}, has ended)", text::file_line(place)),
    }
}

/// `#24 rebuild`; of a root, which goes by its line, `main`.
fn numbered(model: &Model, task: &Task) -> String {
    let name = words::task_name(model, task.id);
    match text::task_id(task.id) {
        id if name == id || name == "?" || task.kind == TaskKind::Root && task.name.is_empty() => id,
        id => format!("{id} {name}"),
    }
}

/// What it does now, and since when.
fn does(model: &Model, task: &Task) -> (String, Option<Stamp>) {
    let since = Some(task.state_since);
    match (task.state, task.waits.first()) {
        (TaskState::Running, _) if task.kind == TaskKind::Blocking => ("runs, a blocking job".to_owned(), since),
        (TaskState::Running, _) => ("runs, in a poll".to_owned(), since),
        (TaskState::Scheduled | TaskState::New, _) => ("is woken and has waited for a worker".to_owned(), since),
        (TaskState::Idle, Some(one)) => {
            let at = words::at(words::place(model, one.site));
            (format!("waits {}{at}", words::wait(model, one.on).replace('`', "")), Some(one.since))
        }
        (TaskState::Idle, None) => match words::sleeps(model, task) {
            Some(sleeps) => (format!("awaits {}", sleeps.awaited), since),
            None => ("waits for I/O or something else that is not visible".to_owned(), since),
        },
        (TaskState::Done, _) => ("has ended".to_owned(), None),
        (TaskState::Panicked, _) => ("has panicked".to_owned(), None),
        (TaskState::Cancelled, _) => ("was aborted".to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lints::tests::*;

    #[test]
    fn who_keeps_the_others_waiting_is_told_with_what_it_does_meanwhile() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/cache.rs:9:5", "shop::rebuild::{{closure}}", OutputKind::Unit);
        let (task, at) = (judged.target.task(site), judged.target.call_site("src/cache.rs:25:20"));
        judged.settle();
        let since = judged.target.now;
        let timer = Wait { on: WaitFor::Timer(ms(40)), site: at, since };
        let mut tell = |state, waits: Waits| {
            judged.target.task_state(task, |task| (task.state, task.state_since, task.waits) = (state, since, waits));
            judged.run(ms(100));
            let (model, lasted) = (&judged.target.model, text::duration(judged.target.now.since(since)));
            let words = Culprit::of("holder", task).unwrap().words(model).unwrap();
            words.replace(&text::task_id(task), "#").replace(&lasted, "so long")
        };
        assert_eq!(tell(TaskState::Running, Waits::new()), "holder: # rebuild runs, in a poll for so long");
        assert_eq!(
            tell(TaskState::Idle, [timer].into()),
            "holder: # rebuild waits for a timer of 40.0 ms at cache.rs:25"
        );
        assert_eq!(tell(TaskState::Done, Waits::new()), "holder: # rebuild has ended");
        assert_eq!(Culprit::of("holder", TaskId(4_000_000)).unwrap().words(&judged.target.model), None);
        assert_eq!(Culprit::of("holder", TaskId(0)), None);
    }

    #[test]
    fn who_did_something_is_told_with_where_it_was_spawned_also_when_it_has_ended() {
        let mut judged = Judged::new();
        let site = judged.target.spawn_site("src/send.rs:9:5", "shop::send::{{closure}}", OutputKind::Unit);
        let task = judged.target.task(site);
        judged.settle();
        let did = Disposal { at: judged.target.now, by: task, spawned: site, site: SiteId(0) };
        judged.target.task_state(task, |task| task.state = TaskState::Done);
        judged.run(ms(1000));
        let tell = |judged: &Judged, did| Culprit::who_did("dropped by", did).words(&judged.target.model);
        let who = tell(&judged, &did).unwrap().replace(&text::task_id(task), "#");
        assert_eq!(who, "dropped by: # send 1.00 s ago (spawned at send.rs:9, has ended)");
        judged.target.gone_task(task);
        judged.run(ms(100));
        let who = tell(&judged, &did).unwrap();
        assert_eq!(who, "dropped by: a task of send 1.10 s ago (spawned at send.rs:9, has ended)");
        let outside = Disposal { by: TaskId(0), spawned: SiteId(0), ..did };
        assert_eq!(tell(&judged, &outside).unwrap(), "dropped by: a thread outside of any task 1.10 s ago");
        // A task of which nothing is known any more is not taken for a thread.
        assert_eq!(tell(&judged, &Disposal { spawned: SiteId(0), ..did }), None);
    }
}
