//! Tasks that wait for each other in a cycle.
use std::collections::BTreeSet;
use std::time::Duration;

use super::rule::{Candidate, Cx, Rule, Threshold};
use super::wait_graph::Edge;
use super::{Confidence, Evidence, LocationRole, Severity, Subject, WaitStep, words};
use crate::model::{Model, Task, Wait, WaitFor};
use crate::text;

const LASTING: Threshold = Threshold::millis("lasting", 1000, "each wait in the cycle has lasted longer than this");

pub(super) const UNSEEN: Threshold =
    Threshold::millis("unseen", 3000, "the same, where a task of it cannot be looked at for what else it may wait for");

/// Tasks that are named in the message; the evidence has them all.
const TOLD: usize = 3;

pub(super) const RULE: Rule = Rule {
    id: "deadlock",
    severity: Severity::Crit,
    summary: "tasks wait for each other in a cycle and can never go on",
    explain: EXPLAIN,
    thresholds: &[LASTING, UNSEEN],
    enter_after: Duration::ZERO,
    leave_after: Duration::from_millis(500),
    subsumed_by: &[],
    evaluate: |cx, out| out.extend(circles(cx).iter().filter(|c| c.len() > 1).filter_map(|c| accuse(cx, c))),
};

const EXPLAIN: &str = "\
Each of some tasks waits for what the next one has: a lock it holds, room in a channel that it should be reading, its
end. The last waits for the first. The line that is named is the wait that closed the cycle.

Why it hurts
  None of them can go on, ever. What they hold stays taken, and whoever comes later and needs it stops too. There is no
  panic, no error and no load: requests simply never end.

WRONG
  async fn transfer(from: &Mutex<Account>, to: &Mutex<Account>) {
      let mut from = from.lock().await;
      let mut to = to.lock().await;                 // another task has `to` and waits for `from`
      from.move_to(&mut to);
  }

RIGHT
  async fn transfer(from: &Account, to: &Account) {
      let (first, second) = if from.id < to.id { (from, to) } else { (to, from) };
      let (first, second) = (first.lock().await, second.lock().await);   // everybody in the same order
  }

  // or: hold one at a time
  let amount = from.lock().await.take();            // the guard goes at the end of the line
  to.lock().await.put(amount);

  // channels: never wait for room while the one who makes room may wait for you
  if let Err(TrySendError::Full(job)) = peer.try_send(job) { postponed.push(job); }

Thresholds
  lasting = 1.00 s   each wait in the cycle has lasted longer than this
  unseen  = 3.00 s   the same, where a task of it cannot be looked at for what else it may wait for

A task that waits for several things is stuck only if all of them are in the cycle. Where any wait is not visible as a
whole, nothing is said. So each task of it is looked at: one poll shows whether it waits for something else beside, as a
`join!` of several futures does. A task that a library spawned cannot be looked at: then it is said later, as likely.
";

/// All circles, each once, the one with the lowest task first.
pub(super) fn circles<'a>(cx: &Cx<'a>) -> Vec<Vec<Edge<'a>>> {
    let model = cx.model;
    let limit = cx.span(&LASTING);
    let locks = model.locks.values().filter(|lock| {
        let held = lock.held_since.is_some_and(|since| model.lasted(since) > limit);
        lock.waiters > 0 && (held || !lock.holders.is_empty())
    });
    let full = model.channels.values().filter(|channel| channel.saturated());
    // Of those who share a lock, any may be in the circle.
    let holders = locks.flat_map(|lock| lock.holders.iter().map(|holder| holder.task).chain([lock.holder]));
    let joins = |task: &&Task| {
        let lasts = |wait: &Wait| matches!(wait.on, WaitFor::Join(_)) && model.lasted(wait.since) > limit;
        task.waits.iter().any(lasts)
    };
    let starts =
        holders.chain(full.map(|channel| channel.receiver_task)).chain(model.joining().filter(joins).map(|t| t.id));
    let mut circles = cx.knots.circles(model, starts.filter(|task| task.0 != 0));
    circles.sort_by_key(|circle| circle.first().map(|edge| edge.task.id));
    circles
}

fn accuse(cx: &Cx, circle: &[Edge]) -> Option<Candidate> {
    judge(cx, circle, |_| format!("Deadlock: {}", tell(cx.model, circle)))
}

/// `"pay" #7 waits for Mutex "Account", "refund" #9 waits for Mutex "Orders"; each has what …`; of tasks that are all
/// alike, how many.
fn tell(model: &Model, circle: &[Edge]) -> String {
    let alike = |what: fn(&Model, &Edge) -> String| {
        let mut all = circle.iter().map(|edge| what(model, edge));
        let first = all.next();
        first.filter(|first| all.all(|other| other == *first))
    };
    let (name, thing) = (
        alike(|model, edge| words::task_name(model, edge.task.id)),
        alike(|model, edge| words::wait(model, edge.wait.on)),
    );
    let guarded =
        |edge: &Edge| edge.wait.on.lock().and_then(|id| model.locks.get(&id)).is_some_and(|l| l.kind.guards());
    let are_locks = circle.iter().all(guarded);
    if let (Some(name), Some(thing), true) = (name.filter(|name| !name.is_empty()), thing, are_locks) {
        return format!("{} `{name}` tasks wait for each other's {}", circle.len(), thing.trim_start_matches("for "));
    }
    let who = |edge: &Edge| words::task(model, edge.task.id);
    let told = circle.iter().take(TOLD).map(|edge| format!("{} waits {}", who(edge), words::wait(model, edge.wait.on)));
    let mut told = told.collect::<Vec<_>>().join(", ");
    if let Some(more) = circle.len().checked_sub(TOLD).filter(|&more| more > 0) {
        told.extend([", and ", &text::count(more as u64), " more"]);
    }
    told.push_str(if circle.len() == 2 {
        "; each has what the other waits for"
    } else {
        "; each has what another one waits for"
    });
    told
}

/// What is common to circles of any length.
pub(super) fn judge(cx: &Cx, circle: &[Edge], message: impl FnOnce(&str) -> String) -> Option<Candidate> {
    let model = cx.model;
    let closing = circle.iter().max_by_key(|edge| (edge.since(), edge.task.id))?;
    let lasting = model.lasted(closing.since());
    if lasting <= cx.span(&LASTING) {
        return None;
    }
    let proven = cx.knots.is_proven(model, circle);
    let limit = if proven { LASTING } else { UNSEEN };
    if lasting <= cx.span(&limit) {
        return None;
    }
    // Where the awaiting line is not told, the one that made what is awaited is kept.
    let subject = subject(model, closing).at(words::place(model, closing.wait.site), LocationRole::Waits);

    // Whoever else waits for the same things.
    let waiting: u64 = circle
        .iter()
        .map(|edge| match edge.wait.on {
            WaitFor::Lock(id) | WaitFor::Read(id) => model.locks.get(&id).map_or(0, |lock| lock.waiters),
            WaitFor::Send(id) => model.channels.get(&id).map_or(0, |channel| channel.blocked_senders),
            _ => 1,
        })
        .map(|waiters| u64::from(waiters.saturating_sub(1)))
        .sum();
    let mut message = message(&text::duration(lasting));
    if waiting > 0 {
        let verb = if waiting == 1 { "waits" } else { "wait" };
        // Who waits for those in turn is not counted.
        message.extend(["; ", &text::count(waiting), " more ", verb, " for the same"]);
    }
    let steps: Vec<WaitStep> = circle.iter().map(|edge| step(model, edge)).collect();
    let evidence = vec![
        // The finding lasts as long.
        Evidence::span("deadlocked_for_ns", lasting).over(cx.limit_text(&limit)).aside(),
        Evidence::count("tasks_in_cycle", circle.len() as u64).aside(),
        Evidence::count("waiting_behind", waiting),
        Evidence::list("cycle", circle.iter().zip(&steps).map(|(edge, step)| line(cx, edge, step)).collect()).aside(),
    ];

    // Circles that stand at the same lines are alike.
    let place = |(edge, step): (&'_ Edge, &'_ WaitStep)| match step.location.as_str() {
        "" => words::made_at(model, edge.wait.on).to_owned(),
        line => line.to_owned(),
    };
    let lines: BTreeSet<String> = circle.iter().zip(&steps).map(place).collect();
    let group = lines.into_iter().collect::<Vec<_>>().join(" ");
    let mut causes = vec![group.clone()];
    for edge in circle {
        causes.push(words::made_at(model, edge.wait.on).to_owned());
        causes.push(words::spawn_place(model, edge.task.id).to_owned());
    }
    causes.retain(|place| !place.is_empty());
    let sure = proven && circle.iter().all(|edge| edge.wait.on.lock().is_some());
    Some(Candidate {
        message,
        evidence,
        advice: format!("{} {RESTART}", advice(model, circle)).into(),
        onset: Some(closing.since()),
        // A receiver may have been given to another task since it was last asked.
        confidence: if sure { Confidence::Certain } else { Confidence::Likely },
        hurt: circle.len() as u64 + waiting,
        causes,
        twice: true,
        cycle: steps,
        ..Candidate::enter(subject, &group, Severity::Crit)
    })
}

fn subject(model: &Model, edge: &Edge) -> Subject {
    let (lock, channel, task) = match edge.wait.on {
        WaitFor::Lock(id) | WaitFor::Read(id) => (model.locks.get(&id), None, edge.task.id),
        WaitFor::Send(id) | WaitFor::Recv(id) | WaitFor::Closed(id) => (None, model.channels.get(&id), edge.task.id),
        WaitFor::Join(id) => (None, None, id),
        WaitFor::Oneshot(_) | WaitFor::OneshotClosed(_) | WaitFor::Timer(_) => (None, None, edge.task.id),
    };
    match (lock, channel) {
        (Some(lock), _) => words::lock_subject(model, lock, ""),
        (_, Some(channel)) => words::channel_subject(model, channel),
        _ => words::task_subject(model, task),
    }
}

fn step(model: &Model, edge: &Edge) -> WaitStep {
    let (held_location, held_since) = match edge.held {
        Some((site, since)) => (words::place(model, site).to_owned(), Some(since)),
        None => (String::new(), None),
    };
    WaitStep {
        task: edge.task.id,
        name: words::task_name(model, edge.task.id),
        on: edge.wait.on,
        thing: words::wait(model, edge.wait.on),
        location: words::place(model, edge.wait.site).to_owned(),
        since: edge.wait.since,
        held_location,
        held_since,
    }
}

/// One step as a line of the evidence.
fn line(cx: &Cx, edge: &Edge, step: &WaitStep) -> String {
    let who = words::task(cx.model, step.task);
    let waited = text::duration(cx.model.lasted(step.since));
    let at = if step.location.is_empty() { String::new() } else { format!(" at {}", step.location) };
    let held = match (step.held_since, step.held_location.as_str()) {
        (Some(since), place) if !place.is_empty() => {
            let ago = text::duration(cx.model.lasted(since));
            format!(", which {} took {ago} ago at {place}", words::task(cx.model, edge.next))
        }
        _ => String::new(),
    };
    format!("{who} has waited {waited} {}{at}{held}", step.thing)
}

/// What helps now.
pub(super) const RESTART: &str = "Restart it to free those that are stuck now.";

fn advice(model: &Model, circle: &[Edge]) -> &'static str {
    let any = |is: fn(&WaitFor) -> bool| circle.iter().any(|edge| is(&edge.wait.on));
    if any(|on| matches!(on, WaitFor::Join(_))) {
        "Do not await a task while holding what it needs: drop the guard (or take the messages) before awaiting its handle."
    } else if any(|on| matches!(on, WaitFor::Send(_) | WaitFor::Recv(_))) {
        "Do not wait for room while whoever makes room may wait for you: send from a task of its own."
    } else if model.sites.contains_key(&circle[0].wait.site)
        && circle.iter().all(|edge| edge.wait.site == circle[0].wait.site)
    {
        "The same code takes both locks, in either order: sort the two before the first lock, for example by id, so that all \
         tasks take them in the same order."
    } else {
        "Take these locks in the same order everywhere."
    }
}

#[cfg(test)]
mod tests;
