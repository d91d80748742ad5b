//! A cycle of tasks that wait for each other, told task by task.
use super::{Finding, WaitStep};
use crate::model::WaitFor;
use crate::text;

/// One task of a cycle in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    /// `#9 answer`
    pub(crate) who: String,
    /// `holds Account (:50), wants Ledger (:52)`
    pub(crate) does: String,
}

impl Finding {
    /// The tasks of the cycle in its order, each with what it holds and wants; empty where there are no two.
    pub(crate) fn told_cycle(&self) -> Vec<Told> {
        let all = self.cycle.len();
        if all < 2 {
            return Vec::new();
        }
        let before = |n: usize| &self.cycle[(n + all - 1) % all];
        let does = |n: usize, step: &WaitStep| match self.holds(before(n)) {
            Some(holds) => format!("{holds}, {}", self.wants(step)),
            None => self.wants(step),
        };
        self.cycle.iter().enumerate().map(|(n, step)| Told { who: who(step), does: does(n, step) }).collect()
    }

    /// What closes it: `DEADLOCK: #9 holds what #14 wants: none of them can go on`.
    pub(crate) fn told_end(&self) -> String {
        let (Some(first), Some(last)) = (self.cycle.first(), self.cycle.last()) else { return String::new() };
        let (first, task) = (text::task_id(first.task), text::task_id(last.task));
        let (has, does) = match last.on {
            WaitFor::Lock(_) | WaitFor::Read(_) => ("holds what", "wants"),
            WaitFor::Send(_) | WaitFor::Recv(_) => ("is whom", "waits for"),
            _ => ("is what", "waits for"),
        };
        let none = if self.cycle.len() == 2 { "neither" } else { "none of them" };
        format!("DEADLOCK: {first} {has} {task} {does}, {none} can go on")
    }

    /// What the task after `step` has that this one waits for; `None` where it is the task itself.
    fn holds(&self, step: &WaitStep) -> Option<String> {
        let thing = self.thing(step);
        let at = self.near(&step.held_location);
        match step.on {
            WaitFor::Lock(_) | WaitFor::Read(_) => Some(format!("holds {thing}{at}")),
            WaitFor::Send(_) => Some(format!("is the receiver of {thing}")),
            _ => None,
        }
    }

    fn wants(&self, step: &WaitStep) -> String {
        let (thing, at) = (self.thing(step), self.near(&step.location));
        match step.on {
            WaitFor::Lock(_) => format!("wants {thing}{at}"),
            WaitFor::Read(_) => format!("wants to read {thing}{at}"),
            _ => format!("waits {}{at}", step.thing.replace('`', "")),
        }
    }

    /// What is waited for, by its name; with its number where that of another step is called the same, which must not look
    /// like a task's.
    fn thing(&self, step: &WaitStep) -> String {
        let mut parts = step.thing.split('`');
        let (whole, name) = (parts.next().unwrap_or_default(), parts.next());
        let name = name.unwrap_or_else(|| whole.trim_start_matches("for "));
        let alike = self.cycle.iter().filter(|other| other.thing == step.thing).count() > 1;
        match step.on {
            WaitFor::Lock(id) | WaitFor::Read(id) if alike => format!("lock {} {name}", id.0),
            _ => name.to_owned(),
        }
    }

    /// ` (:50)`, or ` (bank.rs:50)` where that is not the file of the finding.
    fn near(&self, location: &str) -> String {
        let file = |location: &str| location.split(':').next().unwrap_or_default().to_owned();
        let place = text::place_name(location);
        match place.rsplit_once(':') {
            _ if place.is_empty() => String::new(),
            Some((_, line)) if file(location) == file(&self.subject.location) => format!(" (:{line})"),
            _ => format!(" ({place})"),
        }
    }
}

fn who(step: &WaitStep) -> String {
    let (id, name) = (text::task_id(step.task), step.name.trim_matches('`'));
    // A task of a library's has no name but the line at which it waits, which is named beside it.
    if name.is_empty() || name == id || name == text::place_name(&step.location) { id } else { format!("{id} {name}") }
}
