//! What is told of one task when it is asked about.
use std::collections::HashMap;
use std::sync::Arc;

use super::{Frame, Histogram, Model, Task, TaskId, TaskState};

/// The answer about one task.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskDetails {
    /// How long its polls took; all zero when not known.
    pub polls: Histogram,
    /// How long after a wake they came, delays below 1.024 ms together in the bucket that ends there; `None` when not known.
    pub delays: Option<Histogram>,
    /// Where it is suspended, if it sleeps and can be looked at; several in a `select!` or a join.
    pub suspensions: Vec<Suspension>,
    /// How many polls it had when that was seen: it holds until there are more.
    pub suspended_polls: u64,
    /// Whether by then it waited for nothing but what is watched, so that nothing else can have it go on; `None` when not
    /// known.
    pub only_waits: Option<bool>,
}

/// Where a task that sleeps will go on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suspension {
    /// Innermost first, from what is waited for down to the task's own poll.
    pub calls: Vec<Frame>,
}

impl Suspension {
    /// The innermost line of the app's own code: the `.await` that it stands in.
    pub fn user_frame(&self) -> Option<&Frame> {
        self.calls.iter().find(|call| call.user)
    }

    /// The function that the app's own code awaits there, without what only passes a poll on.
    pub fn awaited(&self) -> Option<&str> {
        const PASSES_ON: [&str; 4] = ["core::", "alloc::", "std::", "async_inspect_probe::recorder::"];
        let of_others = self.calls.iter().position(|call| call.user)?;
        let names = self.calls[..of_others].iter().rev().map(|call| call.function.as_str());
        let passes_on = |name: &str| {
            let name = name.trim_start_matches(['<', '&']).trim_start_matches("mut ");
            PASSES_ON.iter().any(|crate_| name.starts_with(crate_))
        };
        let awaited = names.filter(|name| name.contains("::")).find(|name| !passes_on(name))?;
        // A future goes by its type.
        Some(awaited.strip_prefix('<').and_then(|name| name.split_once(" as ")).map_or(awaited, |(of, _)| of))
    }
}

/// What was seen in polls of tasks that were looked at.
#[derive(Debug, Clone, Default)]
pub struct Suspended(HashMap<TaskId, LookedAt>);

#[derive(Debug, Clone)]
struct LookedAt {
    /// Polls there were by then.
    polls: u64,
    places: Arc<[Suspension]>,
    only_waits: Option<bool>,
}

impl Model {
    /// Takes in what was told of one task.
    pub fn learn(&mut self, task: TaskId, details: &TaskDetails) {
        /// Tasks of which it is known; beyond, those that are gone or went on are forgotten.
        const ENOUGH: usize = 512;
        if details.suspensions.is_empty() && details.only_waits.is_none() {
            return;
        }
        if self.suspended.0.len() >= ENOUGH {
            let tasks = &self.tasks;
            self.suspended.0.retain(|id, seen| tasks.get(id).is_some_and(|task| task.polls <= seen.polls));
        }
        if self.suspended.0.len() < ENOUGH {
            let (polls, places) = (details.suspended_polls, details.suspensions.as_slice().into());
            self.suspended.0.insert(task, LookedAt { polls, places, only_waits: details.only_waits });
        }
    }

    /// Where a task that sleeps is suspended, if that was looked at; empty otherwise.
    pub fn suspensions(&self, task: &Task) -> &[Suspension] {
        self.looked_at(task).map_or(&[], |seen| &seen.places)
    }

    /// Whether a task that sleeps waits for nothing but what is watched; `None` where nobody looked at its last poll.
    pub fn only_waits(&self, task: &Task) -> Option<bool> {
        self.looked_at(task)?.only_waits
    }

    fn looked_at(&self, task: &Task) -> Option<&LookedAt> {
        let holds = |seen: &&LookedAt| task.state == TaskState::Idle && task.polls <= seen.polls;
        self.suspended.0.get(&task.id).filter(holds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(function: &str, location: &str, user: bool) -> Frame {
        Frame { function: function.to_owned(), location: location.to_owned(), user }
    }

    #[test]
    fn what_is_awaited_is_what_the_apps_own_line_calls_and_not_what_passes_its_poll_on() {
        let suspension = Suspension {
            calls: vec![
                call("tokio::runtime::io::scheduled_io::ScheduledIo::poll_readiness", "", false),
                call("<tokio::io::util::read_int::ReadU8 as core::future::future::Future>::poll", "", false),
                call("<core::pin::Pin as core::future::future::Future>::poll", "", false),
                call("shop::head", "src/shop.rs:12:5", true),
                call("shop::serve", "src/shop.rs:40:9", true),
            ],
        };
        assert_eq!(suspension.user_frame().unwrap().location, "src/shop.rs:12:5");
        assert_eq!(suspension.awaited(), Some("tokio::io::util::read_int::ReadU8"));
        assert_eq!(Suspension { calls: vec![call("shop::serve", "", true)] }.awaited(), None);
        assert_eq!(Suspension::default().awaited(), None);
    }
}
