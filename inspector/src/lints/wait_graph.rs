//! Who waits for whom: from a task to what it awaits, and on to the task that could end that wait.
//!
//! An edge is followed only where all of it is known. A task that waits for several things goes on when any of them
//! comes, since nothing tells a `select!` from a `join!`; one whose list is not whole, or that waits for something
//! nobody in the model can end (a timer, I/O, a message), may go on at any moment.
use std::collections::{HashMap, HashSet};

use super::words;
use crate::model::{LockKind, Model, SiteId, Stamp, Task, TaskId, TaskState, Wait, WaitFor};

/// Tasks that are looked at from one start; a chain longer than that is not told.
const REACH: usize = 4096;

/// One step: a task waits, and another, or the same, could end that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge<'a> {
    pub(super) task: &'a Task,
    pub(super) wait: &'a Wait,
    /// Who could end it.
    pub(super) next: TaskId,
    /// Where that one took what is waited for, and when; of a lock only.
    pub(super) held: Option<(SiteId, Stamp)>,
}

impl Edge<'_> {
    /// Since when the edge has been there.
    pub(super) fn since(&self) -> Stamp {
        self.held.map_or(self.wait.since, |(_, held)| held.max(self.wait.since))
    }
}

/// All waits of a task, each with who could end it; `None` where it may go on by what is not visible.
fn edges<'a>(model: &'a Model, task: &'a Task) -> Option<Vec<Edge<'a>>> {
    if task.state != TaskState::Idle || task.flags.more_waits || task.waits.is_empty() {
        return None;
    }
    task.waits.iter().map(|wait| edge(model, task, wait)).collect()
}

fn edge<'a>(model: &'a Model, task: &'a Task, wait: &'a Wait) -> Option<Edge<'a>> {
    let to = |next: TaskId, held| (next.0 != 0).then_some(Edge { task, wait, next, held });
    match wait.on {
        WaitFor::Lock(id) | WaitFor::Read(id) => {
            let lock = model.locks.get(&id)?;
            match (lock.kind, &lock.holders[..]) {
                (LockKind::Mutex, _) => to(lock.holder, Some((lock.holder_site, lock.held_since?))),
                (LockKind::RwLock, [only]) if lock.holder_count == 1 => to(only.task, Some((only.site, only.since))),
                // All of several holders have to let go; the rest can be released by anybody.
                _ => None,
            }
        }
        WaitFor::Send(id) => {
            let channel = model.channels.get(&id)?;
            let full = channel.saturated() && !channel.closed && channel.receivers > 0;
            if full { to(channel.receiver_task, None) } else { None }
        }
        WaitFor::Join(id) => {
            // A handle that is polled by reference may have been left for something else in the same poll. Its place is
            // then one of a library, or, for want of a better one, where its task was spawned.
            let target = model.tasks.get(&id)?;
            let place = words::place(model, wait.site);
            let by_value = !place.is_empty()
                && place != words::place(model, target.site)
                && !["/registry/src/", "/rustc/"].iter().any(|part| place.contains(part));
            if by_value && !target.state.ended() { to(id, None) } else { None }
        }
        WaitFor::Recv(_) | WaitFor::Oneshot(_) | WaitFor::Timer => None,
    }
}

/// From `task` along what it waits for, as far as there is one way only and it is known.
pub(super) fn chain(model: &Model, task: TaskId) -> Vec<Edge<'_>> {
    let mut chain: Vec<Edge<'_>> = Vec::new();
    let mut at = task;
    while let Some(task) = model.tasks.get(&at)
        && let Some(&[edge]) = edges(model, task).as_deref()
        && chain.len() < REACH
        && !chain.iter().any(|earlier| earlier.task.id == edge.task.id)
    {
        at = edge.next;
        chain.push(edge);
    }
    chain
}

/// Places of everything that `task` waits for, to the end: where the locks and channels were made, where the tasks in
/// the way were spawned. What is wrong at one of them may be why `task` does not go on.
pub(super) fn behind(model: &Model, task: TaskId) -> Vec<String> {
    let mut places = vec![words::spawn_place(model, task)];
    for edge in chain(model, task) {
        places.push(words::made_at(model, edge.wait.on));
        places.push(words::spawn_place(model, edge.next));
    }
    places.retain(|place| !place.is_empty());
    places.into_iter().map(str::to_owned).collect()
}

/// Finds tasks that can never go on. Looks at each task once, from wherever it is reached.
pub(super) struct Knots<'a> {
    model: &'a Model,
    /// By task: whether it can never go on, and then its edges.
    known: HashMap<TaskId, Option<Vec<Edge<'a>>>>,
}

impl<'a> Knots<'a> {
    pub(super) fn new(model: &'a Model) -> Self {
        Self { model, known: HashMap::new() }
    }

    /// Whether `task` can never go on: everything it waits for can be ended only by tasks of which the same holds.
    pub(super) fn is_stuck(&mut self, task: TaskId) -> bool {
        if !self.known.contains_key(&task) {
            self.look_from(task);
        }
        self.known.get(&task).is_some_and(Option::is_some)
    }

    /// The circle that `task`, which is stuck, is in or waits for. It begins with the task of the lowest id.
    pub(super) fn circle(&mut self, task: TaskId) -> Vec<Edge<'a>> {
        let mut way: Vec<Edge<'a>> = Vec::new();
        let mut at = task;
        while self.is_stuck(at)
            && let Some(&edge) = self.known.get(&at).and_then(|edges| edges.as_ref()?.first())
        {
            if let Some(begins) = way.iter().position(|earlier| earlier.task.id == edge.task.id) {
                let mut circle = way.split_off(begins);
                let lowest = (0..circle.len()).min_by_key(|&n| circle[n].task.id).unwrap_or_default();
                circle.rotate_left(lowest);
                return circle;
            }
            at = edge.next;
            way.push(edge);
        }
        Vec::new()
    }

    fn look_from(&mut self, task: TaskId) {
        let mut reached: HashMap<TaskId, Option<Vec<Edge<'a>>>> = HashMap::new();
        let mut left = vec![task];
        while let Some(id) = left.pop() {
            if reached.contains_key(&id) || self.known.contains_key(&id) {
                continue;
            }
            let out = self.model.tasks.get(&id).filter(|_| reached.len() < REACH);
            let out = out.and_then(|task| edges(self.model, task));
            left.extend(out.iter().flatten().map(|edge| edge.next));
            reached.insert(id, out);
        }
        // Whoever waits for one that can go on, can go on.
        loop {
            let free = |id: &TaskId| {
                let state = reached.get(id).or_else(|| self.known.get(id));
                state.is_none_or(Option::is_none)
            };
            let freed: HashSet<TaskId> = reached
                .iter()
                .filter(|(_, out)| out.as_ref().is_some_and(|out| out.iter().any(|edge| free(&edge.next))))
                .map(|(&id, _)| id)
                .collect();
            if freed.is_empty() {
                break;
            }
            for id in freed {
                reached.insert(id, None);
            }
        }
        self.known.extend(reached);
    }
}
