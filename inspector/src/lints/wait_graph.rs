//! Who waits for whom: from a task to what it awaits, and on to the task that could end that wait.
//!
//! An edge is followed only where all of it is known. A task that waits for several things goes on when any of them
//! comes, since nothing tells a `select!` from a `join!`; one whose list is not whole, or that waits for something
//! nobody in the model can end (a timer, I/O, a message), may go on at any moment. So may one that was looked at and waits
//! for something else beside, as a task that runs several futures at once: one of them may give what another waits for.
use std::collections::HashSet;

use super::{rwlock_writer_starved, words};
use crate::model::{Channel, Holder, Lock, LockKind, Model, SiteId, Stamp, Task, TaskId, TaskState, Wait, WaitFor};

/// Steps from a task to the farthest thing that is named as what is behind its wait.
const FARTHEST: usize = 64;

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

/// Those who could end one wait.
#[derive(Debug, Clone)]
pub(super) struct Way<'a> {
    pub(super) edges: Vec<Edge<'a>>,
    /// It takes all of them, as a writer waits for every reader; otherwise any of them will do, as with permits.
    pub(super) takes_all: bool,
}

impl<'a> Way<'a> {
    fn one(edge: Edge<'a>) -> Self {
        Self { edges: vec![edge], takes_all: true }
    }
}

/// All waits of a task, each with who could end it; `None` where it may go on by what is not visible.
pub(super) fn ways<'a>(model: &'a Model, task: &'a Task) -> Option<Vec<Way<'a>>> {
    looked();
    let all_known = !task.flags.more_waits && model.only_waits(task) != Some(false);
    if task.state != TaskState::Idle || !all_known || task.waits.is_empty() {
        return None;
    }
    task.waits.iter().map(|wait| way(model, task, wait)).collect()
}

fn way<'a>(model: &'a Model, task: &'a Task, wait: &'a Wait) -> Option<Way<'a>> {
    let to = |next: TaskId, held| (next.0 != 0).then_some(Edge { task, wait, next, held });
    match wait.on {
        WaitFor::Lock(id) | WaitFor::Read(id) => lock_way(model, task, wait, model.locks.get(&id)?),
        WaitFor::Send(id) => {
            let channel = model.channels.get(&id)?;
            let full = channel.saturated() && !channel.closed && channel.receivers > 0;
            if full { to(channel.receiver_task, None).map(Way::one) } else { None }
        }
        WaitFor::Join(id) => {
            // A handle that is polled by reference may have been left for something else in the same poll. Its place is
            // then one of a library, or, for want of a better one, where its task was spawned.
            let target = model.tasks.get(&id)?;
            let place = words::place(model, wait.site);
            let by_value = !place.is_empty() && place != words::place(model, target.site) && !words::is_librarys(place);
            if by_value && !target.state.ended() { to(id, None).map(Way::one) } else { None }
        }
        _ => None,
    }
}

fn lock_way<'a>(model: &'a Model, task: &'a Task, wait: &'a Wait, lock: &'a Lock) -> Option<Way<'a>> {
    let edge = |holder: &Holder| {
        let held = Some((holder.site, holder.since));
        let known = holder.task.0 != 0 && !may_have_moved(model, lock, holder);
        known.then_some(Edge { task, wait, next: holder.task, held })
    };
    match lock.kind {
        // Whoever makes a value does so in its own task, and others wait for it.
        LockKind::Mutex | LockKind::OnceCell => {
            let (task, site, since) = (lock.holder, lock.holder_site, lock.held_since?);
            edge(&Holder { task, site, since, permits: 1, exclusive: true }).map(Way::one)
        }
        LockKind::RwLock => {
            // Who wants to read waits for other readers only where somebody wants to write before.
            let reads = matches!(wait.on, WaitFor::Read(_));
            let shut = !reads || lock.waiting_writers > 0 || lock.holders.iter().any(|holder| holder.exclusive);
            let edges: Vec<_> = lock.holders.iter().filter_map(edge).collect();
            (shut && !edges.is_empty()).then_some(Way { edges, takes_all: true })
        }
        LockKind::Semaphore => {
            let all_listed = lock.holder_count as usize == lock.holders.len();
            let edges = lock.holders.iter().map(edge).collect::<Option<Vec<_>>>()?;
            let none_left = lock.permits_available < lock.permits_total;
            (all_listed && none_left && !lock.closed && !edges.is_empty()).then_some(Way { edges, takes_all: false })
        }
        LockKind::Notify
        | LockKind::Barrier
        | LockKind::SetOnce
        | LockKind::CancellationToken
        | LockKind::TaskTracker => None,
    }
}

/// Whether the guard may be in other hands by now: whoever gives an owned guard away, to a task that it spawns, comes
/// back to the same line for the next one. Of a mutex it is told whether its guard can be given away.
fn may_have_moved(model: &Model, lock: &Lock, holder: &Holder) -> bool {
    if lock.kind == LockKind::Mutex && !lock.holder_may_move {
        return false;
    }
    let holds_again = |wait: &Wait| wait.on.lock() == Some(lock.id) && wait.site == holder.site;
    model.tasks.get(&holder.task).is_some_and(|task| task.waits.iter().any(holds_again))
}

/// From `task` along what it waits for, as far as there is one way only and it is known, and not for ever.
fn chain(model: &Model, task: TaskId) -> Vec<Edge<'_>> {
    let mut chain: Vec<Edge<'_>> = Vec::new();
    let mut at = task;
    while let Some(task) = model.tasks.get(&at)
        && let Some([Way { edges, .. }]) = ways(model, task).as_deref()
        && let &[edge] = edges.as_slice()
        && chain.len() < FARTHEST
        && !chain.iter().any(|earlier| earlier.task.id == edge.task.id)
    {
        at = edge.next;
        chain.push(edge);
    }
    chain
}

/// Places of what `task` waits for, one after the other: where the locks and channels were made, where the tasks in
/// the way were spawned. What is wrong at one of them may be why `task` does not go on.
pub(super) fn behind(model: &Model, task: TaskId) -> Vec<String> {
    let mut places = vec![words::spawn_place(model, task)];
    for edge in chain(model, task) {
        places.push(words::made_at(model, edge.wait.on));
        places.push(words::spawn_place(model, edge.next));
    }
    let mut seen = HashSet::new();
    places.retain(|place| !place.is_empty() && seen.insert(*place));
    places.into_iter().map(str::to_owned).collect()
}

/// The task that sent into `channel` last, if it sleeps until there is room again, and its wait. Had it got any, it would have
/// been woken.
pub(super) fn waits_for_room<'a>(model: &'a Model, channel: &Channel) -> Option<(&'a Task, &'a Wait)> {
    let task = model.tasks.get(&channel.sender_task).filter(|task| task.state == TaskState::Idle)?;
    Some((task, task.waits.iter().find(|wait| wait.on == WaitFor::Send(channel.id))?))
}

/// What a task waits for that it holds itself, as one that runs several futures at once: one of them waits for what another
/// holds. Whether that is for ever, nothing tells where they are not all that it runs.
pub(super) fn own_knot(model: &Model, holder: TaskId) -> Option<&Wait> {
    let task = model.tasks.get(&holder)?;
    task.waits.iter().find(|wait| wait.on.lock().and_then(|id| model.locks.get(&id)).is_some_and(|l| is_of(l, holder)))
}

/// Of the locks that such a task keeps others waiting for, the one that is told of, if that is not `lock`: what is wrong with
/// all of them is one thing.
pub(super) fn told_of_knot<'a>(model: &'a Model, lock: &Lock, holder: TaskId) -> Option<&'a Lock> {
    own_knot(model, holder)?;
    let kept = model.locks.values().filter(|lock| lock.waiters > 0 && is_of(lock, holder));
    let first = kept.min_by_key(|lock| (rwlock_writer_starved::is_about(lock), lock.held_since, lock.id))?;
    (first.id != lock.id).then_some(first)
}

fn is_of(lock: &Lock, holder: TaskId) -> bool {
    lock.kind.guards() && (lock.holder == holder || lock.holders.iter().any(|one| one.task == holder))
}

/// Counts a look at a task or a way, for the test that bounds them.
pub(super) fn looked() {
    #[cfg(test)]
    LOOKS.set(LOOKS.get() + 1);
}

#[cfg(test)]
thread_local! {
    /// Looks of this thread so far.
    pub(super) static LOOKS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}
