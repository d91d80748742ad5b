//! One task: what it waits for and who holds that, what it holds, what it takes, where it came from.

use crate::app::keymap::Action;
use crate::app::page::Page;
use crate::app::screen::{Body, Screen};
use crate::app::theme::Role;
use crate::app::{Cx, Entity, Place, names};
use crate::model::{LockKind, Suspension, Task, TaskId, TaskKind, TaskState, Wait, WaitFor};
use crate::text::{self, figures};
use crate::view::wait_tree;

pub(crate) static SCREEN: Screen = Screen {
    id: "task",
    title: "Task",
    key: None,
    about: "one task: what it waits for, who holds that, what it takes, where it came from",
    body: Body::Page(page),
};

fn page(cx: &Cx, place: &Place, page: &mut Page) {
    if let Some(Entity::Task(id)) = place.subject {
        about(cx, id, page);
    }
}

/// All that there is to say of a task.
pub(super) fn about(cx: &Cx, id: TaskId, page: &mut Page) {
    let Some(task) = cx.model.tasks.get(&id) else {
        page.words(Role::Text, &format!("Task {} has ended.", text::task_id(id)));
        let back = cx.key(Action::Back);
        page.words(Role::Muted, &format!("What it did is in the totals of its spawn site. {back} goes back."));
        return;
    };
    let now = cx.model.now;
    let kind = match task.kind {
        TaskKind::Async => "",
        TaskKind::Blocking => " (spawn_blocking)",
        TaskKind::Root => " (root of a block_on)",
        TaskKind::Local => " (spawn_local)",
        TaskKind::Unwatched => " (of a library, seen only while it waits)",
    };
    page.line(vec![(Role::Strong, format!("{}{kind}", names::task_id(cx.model, id)))]);
    super::accusations(cx, Entity::Task(id), page);
    page.blank();
    let for_ = figures::duration(now.since(task.state_since));
    let role = match task.state {
        TaskState::Panicked => Role::Crit,
        TaskState::Running => Role::Ok,
        _ => Role::Text,
    };
    page.fact("state", role, &format!("{} for {for_}", names::state(task.state)));
    worker(cx, id, page);
    for wait in &task.waits {
        waits_for(cx, wait, page);
    }
    if task.flags.more_waits {
        page.fact("", Role::Muted, "and more: it waits for many things at once");
    }
    let details = cx.app.details.as_ref().filter(|(of, _)| *of == id).map(|(_, details)| details);
    let suspensions = cx.model.suspensions(task);
    suspended(task, suspensions, page);
    for &lock in cx.derived.holds.get(&id).into_iter().flatten() {
        let remark = cx.model.locks.get(&lock).map_or_else(String::new, |l| {
            let since = l.held_since.map_or_else(String::new, |s| format!("for {}", figures::duration(now.since(s))));
            format!("{since}, {} wait for it", figures::count(l.waiters.into()))
        });
        page.link("holds", "holds", Entity::Lock(lock), &format!("lock {}", names::lock(cx.model, lock)), &remark);
    }
    for (label, scope) in [("listens to", task.token), ("tracked by", task.tracker)] {
        if let Some(lock) = cx.model.locks.get(&scope) {
            let remark = match (cx.model.ended(scope), lock.kind) {
                (None, _) => String::new(),
                (Some(ended), LockKind::TaskTracker) => {
                    format!("closed {} ago", figures::duration(now.since(ended.at)))
                }
                (Some(ended), _) => format!("cancelled {} ago", figures::duration(now.since(ended.at))),
            };
            page.link(label, label, Entity::Lock(scope), &names::lock(cx.model, scope), &remark);
        }
    }
    super::waiters(cx, Entity::Task(id), page, 5);
    if wait_tree::goes_on(cx, Entity::Task(id)) {
        wait_tree::tree(cx, Entity::Task(id), page);
    }

    super::stack(cx, Entity::Task(id), page);
    for (n, suspension) in suspensions.iter().enumerate() {
        page.heading(if n == 0 { "Where it is suspended" } else { "And in another arm" });
        super::calls(cx, &suspension.calls, page);
    }
    page.blank();
    super::accusations_of_all(cx, task.site, page);

    page.heading("Where it comes from");
    // A library's that is seen only while it waits goes by the line at which it was seen first.
    let known = if task.kind == TaskKind::Unwatched { "first seen at" } else { "spawned at" };
    page.place(known, names::location(cx.model, task.site));
    page.link("site", "its site", Entity::Site(task.site), &names::site(cx.model, task.site), "all tasks from there");
    if task.parent != TaskId(0) {
        page.link("parent", "spawned by", Entity::Task(task.parent), &names::task_id(cx.model, task.parent), "");
    }
    page.fact("age", Role::Text, &figures::duration(now.since(task.spawned_at)));
    if cx.model.target.sees("handles") {
        let (role, text) = handle(task);
        page.fact("handle", role, text);
    }
    if task.future_bytes > 0 {
        page.fact("future", Role::Text, &figures::bytes(task.future_bytes.into()));
    }
    super::children(cx, Entity::Task(id), page, 5);

    page.heading("What it takes");
    figures_of(cx, task, page);
    let polls = details.map(|details| &details.polls).filter(|polls| polls.count() > 0);
    page.heading("How long its polls take");
    match polls {
        Some(polls) => super::histogram(polls, task.max_poll, page),
        None => page.words(Role::Muted, &without_histograms(cx, task, details.is_some())),
    }
    let delays = details.and_then(|details| details.delays.as_ref()).filter(|delays| delays.count() > 0);
    if let Some(delays) = delays {
        page.heading("How long after a wake they come");
        super::histogram(delays, task.sched_max, page);
    } else if polls.is_some() {
        page.heading("How long after a wake they come");
        page.words(Role::Muted, "Not told: it was never woken, or the probe does not see the wakes.");
    }
}

/// Why a task has no histograms: they are no part of the stream, but asked for.
fn without_histograms(cx: &Cx, task: &Task, answered: bool) -> String {
    let app = cx.app;
    if answered {
        return "It has not been polled yet.".to_owned();
    }
    if task.kind == TaskKind::Unwatched {
        return "Not told: a library spawned it, and its polls are not watched.".to_owned();
    }
    if app.recorded {
        return "Not in a recording: they are asked of a running service, task by task.".to_owned();
    }
    if app.address().starts_with("console:") {
        return "Not told by a console-subscriber; a probe is asked for them.".to_owned();
    }
    if app.frozen() {
        return format!("The view is frozen; they are asked for once it goes on ({}).", cx.key(Action::Freeze));
    }
    if !app.link.live() {
        return "There is no connection; they are asked for once there is one again.".to_owned();
    }
    "They have been asked for.".to_owned()
}

/// Where it sleeps, of what is not watched the only thing that is known.
fn suspended(task: &Task, suspensions: &[Suspension], page: &mut Page) {
    let unwatched = task.waits.is_empty() && task.state == TaskState::Idle;
    if suspensions.is_empty() && unwatched {
        page.fact("waits for", Role::Muted, "something that is not watched: I/O, or a future of its own");
    }
    for suspension in suspensions {
        if let Some(awaited) = suspension.awaited().filter(|_| unwatched) {
            page.fact("waits for", Role::Text, awaited);
        }
        if let Some(frame) = suspension.user_frame() {
            page.place("suspended at", &frame.location);
        }
    }
}

fn worker(cx: &Cx, id: TaskId, page: &mut Page) {
    for worker in cx.model.workers.values() {
        if let Some((task, since)) = worker.poll
            && task == id
        {
            let took = cx.model.now.since(since);
            let remark = format!("for {} in this one poll", figures::duration(took));
            page.link("worker", "polled on", Entity::Worker(worker.id), &names::worker(worker), &remark);
        }
    }
}

/// One pending await: what for, since when, where, and who can end it.
fn waits_for(cx: &Cx, wait: &Wait, page: &mut Page) {
    let model = cx.model;
    let since = figures::duration(model.now.since(wait.since));
    if matches!(wait.on, WaitFor::Join(TaskId(0)) | WaitFor::Timer(_)) {
        page.fact("waits for", Role::Text, &format!("{} for {since}", names::wait(model, wait)));
    } else {
        page.link("wait", "waits for", wait.on.into(), &names::wait(model, wait), &format!("for {since}"));
    }
    page.place("  awaited at", names::location(model, wait.site));
    match wait.on {
        WaitFor::Lock(id) | WaitFor::Read(id) => {
            let Some(lock) = model.locks.get(&id) else { return };
            let held =
                lock.held_since.map_or_else(String::new, |s| format!("for {}", figures::duration(model.now.since(s))));
            if lock.holder != TaskId(0) {
                page.link("holder", "  held by", Entity::Task(lock.holder), &names::task_id(model, lock.holder), &held);
                page.place("  acquired at", names::location(model, lock.holder_site));
            } else if lock.held_since.is_some() {
                page.fact("  held by", Role::Text, &format!("{}, {held}", names::no_task(model)));
            }
        }
        WaitFor::Send(id) | WaitFor::Recv(id) | WaitFor::Closed(id) => {
            let Some(channel) = model.channels.get(&id) else { return };
            let receives = !matches!(wait.on, WaitFor::Recv(_));
            let other = if receives { channel.receiver_task } else { channel.sender_task };
            let label = if receives { "  received by" } else { "  sent by" };
            if other != TaskId(0) {
                let doing = model.tasks.get(&other).map_or_else(String::new, |t| {
                    format!("{} for {}", names::state(t.state), figures::duration(model.now.since(t.state_since)))
                });
                page.link("peer", label, Entity::Task(other), &names::task_id(model, other), &doing);
            }
        }
        WaitFor::Join(_) | WaitFor::Oneshot(_) | WaitFor::OneshotClosed(_) | WaitFor::Timer(_) => {}
    }
}

/// What became of its handle, in words.
fn handle(task: &Task) -> (Role, &'static str) {
    let flags = task.flags;
    if flags.handle_awaited {
        (Role::Text, "awaited: its result reaches somebody")
    } else if flags.handle_dropped {
        (Role::Warn, "dropped: nobody sees its result or its panic")
    } else if flags.handle_held && task.state.ended() {
        (Role::Text, "held, not awaited: its result waits to be taken")
    } else if flags.handle_held {
        (Role::Text, "held, not awaited yet")
    } else {
        (Role::Muted, "none")
    }
}

fn figures_of(cx: &Cx, task: &Task, page: &mut Page) {
    let slow = cx.model.target.slow_poll;
    let role = |d| if !slow.is_zero() && d >= slow { Role::Warn } else { Role::Text };
    page.bar("busy now", task.busy_share, Role::Info, &format!("{} of one core", figures::share(task.busy_share)));
    let polls = format!("{} in all, {}/s", figures::count(task.polls), figures::rate(task.polls_per_s));
    page.fact("polls", Role::Text, &polls);
    if let Some(mean) = mean(task.busy, task.polls) {
        page.fact("poll mean", role(mean), &figures::duration(mean));
    }
    page.fact("poll max", role(task.max_poll), &figures::duration(task.max_poll));
    page.fact("busy in all", Role::Text, &figures::duration(task.busy));
    if let Some(mean) = mean(task.sched_total, task.wakes) {
        let p99 = task.sched_p99().map_or_else(String::new, |p99| format!("p99 {}, ", figures::duration(p99)));
        let text = format!("mean {}, {p99}max {}", figures::duration(mean), figures::duration(task.sched_max));
        page.fact("wake to poll", role(task.sched_max), &text);
    }
    let own = if task.wakes == 0 { 0.0 } else { task.self_wakes as f64 / task.wakes as f64 };
    let text = format!("{}, {} by itself", figures::count(task.wakes), figures::share(own));
    page.fact("wakes", Role::Text, &text);
}

fn mean(total: std::time::Duration, n: u64) -> Option<std::time::Duration> {
    let nanos = total.as_nanos().checked_div(u128::from(n))?;
    Some(std::time::Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
}
