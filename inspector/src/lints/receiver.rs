//! What the receiver of a channel does instead of receiving.
use std::borrow::Cow;
use std::time::Duration;

use super::{Evidence, words};
use crate::model::{Channel, Model, TaskId, TaskState, WaitFor};
use crate::text;

/// A receiver that has not asked for so long is somewhere else.
pub(super) const ELSEWHERE: Duration = Duration::from_secs(1);

/// What the receiver of a channel does.
pub(super) struct Receiver {
    /// In a few words, for the end of a message; empty when it receives, only too slowly.
    pub(super) stuck: String,
    /// What to change about it.
    pub(super) advice: Cow<'static, str>,
    pub(super) evidence: Vec<Evidence>,
    /// The task that it is in, where that is known.
    pub(super) task: Option<TaskId>,
    /// Where that was spawned; empty when unknown.
    pub(super) spawned_at: String,
    /// Where it waits for something else than a message, as `path:line:column`; empty when it does not, or it is not known.
    pub(super) kept_at: String,
}

/// A receiver that is in polls for clearly more than half of the time computes.
const COMPUTES: f64 = 0.6;

/// What a receiver that is too slow should do: a list of all that helps would help nobody to choose.
fn keep_up(recv: &str, wait: &str, busy: f64) -> String {
    if busy >= COMPUTES {
        return format!(
            "Do less per message in the loop{recv}: it computes. Hand that to spawn_blocking or rayon, several messages at a \
             time."
        );
    }
    let handling =
        if wait.is_empty() { "the handling".to_owned() } else { format!("the handling, with the wait{wait},") };
    format!(
        "In the loop{recv}, handle several messages at a time: spawn {handling} into a JoinSet with a bound. Where one call \
         takes many messages, use recv_many() instead."
    )
}

pub(super) fn receiver(model: &Model, channel: &Channel) -> Receiver {
    let mut evidence = Vec::new();
    let silent = channel.last_recv_at.map(|at| model.lasted(at));
    let place = words::place(model, channel.recv_site);
    if !place.is_empty() {
        evidence.push(Evidence::words("receiver_location", place));
    }
    if let Some(silent) = silent {
        evidence.push(Evidence::span("last_receive_ago_ns", silent).aside());
    }
    let recv = words::at(place);
    let task = model.tasks.get(&channel.receiver_task);
    let mut kept_at = String::new();
    if let Some(task) = task {
        let sleeps = if task.waits.is_empty() { words::sleeps(model, task) } else { None };
        let doing = match (task.state, task.waits.first()) {
            (TaskState::Running, _) => "is in a poll that does not end".to_owned(),
            (TaskState::Scheduled | TaskState::New, _) => "waits for a worker".to_owned(),
            (TaskState::Idle, Some(wait)) => format!("waits {}", words::wait(model, wait.on)),
            (TaskState::Idle, None) => match &sleeps {
                Some(sleeps) => format!("awaits {}", sleeps.awaited),
                None => "waits for I/O or something else that is not visible".to_owned(),
            },
            (TaskState::Done | TaskState::Panicked | TaskState::Cancelled, _) => "has ended".to_owned(),
        };
        evidence.push(Evidence::task("receiver_task", task.id));
        evidence.push(Evidence::words("receiver_is", doing).aside());
        kept_at = match sleeps {
            Some(sleeps) => sleeps.location,
            None => task.waits.first().map_or("", |wait| words::place(model, wait.site)).to_owned(),
        };
        if task.waits.iter().any(|wait| wait.on == WaitFor::Recv(channel.id)) || kept_at == place {
            kept_at.clear();
        }
        if !kept_at.is_empty() {
            evidence.push(Evidence::words("receiver_suspended_location", kept_at.as_str()));
        }
    }

    let receives = silent.is_some_and(|silent| silent < ELSEWHERE)
        || task.is_some_and(|task| task.waits.iter().any(|wait| wait.on == WaitFor::Recv(channel.id)));
    // Who has waited there for a part of the time only is kept by something else as well.
    if !receives
        && let (Some(task), Some(silent)) = (task, silent)
        && model.lasted(task.state_since) < silent / 2
    {
        kept_at.clear();
    }
    // Of one that is inferred, nobody has said who receives, nor when.
    let (stuck, advice) = if receives || channel.inferred && silent.is_none() {
        (String::new(), keep_up(&recv, &words::at(&kept_at), task.map_or(0.0, |task| task.busy_share)).into())
    } else if channel.last_recv_at.is_none() {
        let advice = "Nobody has ever asked for a message: poll the receiver in a task of its own, or drop it so that \
                      senders are told.";
        ("nobody has ever called recv".to_owned(), advice.into())
    } else {
        // What it does instead is told of it by name.
        let ago = silent.map(text::duration).unwrap_or_default();
        let kept = words::at(&kept_at);
        let what = if kept.is_empty() { "what keeps the receiver".to_owned() } else { format!("the wait{kept}") };
        let advice = format!(
            "Put a timeout around {what}, or move it into a task of its own: the loop must always come back to recv(){recv}."
        );
        (format!("its receiver has not called recv for {ago}"), advice.into())
    };
    let spawned_at = words::spawn_place(model, channel.receiver_task).to_owned();
    Receiver { stuck, advice, evidence, task: task.map(|task| task.id), spawned_at, kept_at }
}
