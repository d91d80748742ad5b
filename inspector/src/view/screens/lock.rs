//! One lock: its holder, its waiters in order, the last minute, and how long waits and holds take.
use std::time::Duration;

use crate::app::keymap::Action;
use crate::app::page::Page;
use crate::app::screen::{Body, Screen};
use crate::app::theme::Role;
use crate::app::{Common, Cx, Entity, Place, names};
use crate::model::{Histogram, Lock, LockKind, Series, TaskId, WaitFor};
use crate::text::{self, figures};
use crate::view::wait_tree;

pub(crate) static SCREEN: Screen = Screen {
    id: "lock",
    title: "Lock",
    key: None,
    about: "one lock: its holder, its waiters in order, how long waits and holds take",
    body: Body::Page(page),
};

fn page(cx: &Cx, place: &Place, page: &mut Page) {
    let Some(Entity::Lock(id)) = place.subject else { return };
    let Some(lock) = cx.model.locks.get(&id) else {
        page.words(Role::Text, &format!("This lock has been dropped. {} goes back.", cx.key(Action::Back)));
        return;
    };
    let model = cx.model;
    let now = model.now;
    let entity = Entity::Lock(id);
    let (kind, name) = (super::locks::kind(lock.kind), names::lock(model, id));
    let title = match name.strip_prefix(kind) {
        Some("") => names::told_apart(kind, names::lock_noun(lock.kind), id.0),
        Some(rest) if rest.starts_with(" (") => name,
        _ => format!("{kind} {name}"),
    };
    page.line(vec![(Role::Strong, title)]);
    page.place("created at", names::location(model, lock.site));
    super::accusations(cx, entity, page);
    let tree = lock.waiters > 0 && wait_tree::goes_on(cx, entity);
    if tree {
        wait_tree::tree(cx, entity, page);
    }
    page.blank();

    match lock.kind {
        LockKind::Mutex | LockKind::OnceCell => holder(cx, lock, tree, page),
        LockKind::RwLock if lock.holder_count <= 1 => holder(cx, lock, tree, page),
        LockKind::RwLock => holders(cx, lock, page),
        LockKind::Semaphore => {
            permits(cx, lock, page);
            holders(cx, lock, page);
        }
        LockKind::Notify | LockKind::SetOnce => {
            let text = if lock.permits_available > 0 { "yes: the next to wait goes on at once" } else { "no" };
            page.fact("set", Role::Text, text);
        }
        LockKind::Barrier => {
            let (there, wanted) = (u64::from(lock.waiters), lock.permits_total);
            let share = if wanted == 0 { 0.0 } else { there as f64 / wanted as f64 };
            page.bar("there", share, Role::Info, &format!("{} of {}", figures::count(there), figures::count(wanted)));
        }
        LockKind::CancellationToken | LockKind::TaskTracker => scope(cx, lock, page),
    }
    let role = if lock.waiters > 0 { Role::Strong } else { Role::Text };
    let writers = match lock.waiting_writers {
        0 => String::new(),
        _ if lock.kind == LockKind::Notify => String::new(),
        n => format!(", {} of them to write", figures::count(n.into())),
    };
    page.fact("waiting", role, &format!("{}{writers}", figures::count(lock.waiters.into())));
    super::waiters(cx, entity, page, 8);
    if lock.lost_notifies > 0 {
        let when = lock
            .last_lost_notify_at
            .map_or_else(String::new, |at| format!(", the last one {} ago", figures::duration(now.since(at))));
        let text = format!("{} notify_waiters found nobody who waits{when}", figures::count(lock.lost_notifies));
        page.fact("lost", Role::Warn, &text);
        page.place("  at", names::location(model, lock.last_lost_notify_site));
    }

    page.heading("Last 60 s");
    let rate = |series: &Series| figures::rate(series.last().unwrap_or(0.0));
    page.spark("waiters", &lock.waiters_s, &rate(&lock.waiters_s));
    page.spark("acquires/s", &lock.acquires_s, &rate(&lock.acquires_s));
    page.spark("had to wait/s", &lock.contended_s, &rate(&lock.contended_s));
    let newest = |series: &Series| match series.last() {
        Some(seconds) if seconds > 0.0 => {
            figures::duration(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
        }
        _ => "–".to_owned(),
    };
    page.spark("wait p99", &lock.wait_p99_s, &newest(&lock.wait_p99_s));
    page.spark("hold p99", &lock.hold_p99_s, &newest(&lock.hold_p99_s));

    page.heading("How long");
    page.line(vec![(Role::Muted, format!("{:14}{:>10}{:>10}{:>10}{:>10}", "", "p50", "p90", "p99", "max ever"))]);
    quantiles("wait, 10 s", &lock.recent_waits(), lock.wait_max, false, page);
    quantiles("wait, ever", &lock.wait_hist, lock.wait_max, true, page);
    quantiles("hold, 10 s", &lock.recent_holds(), lock.hold_max, false, page);
    quantiles("hold, ever", &lock.hold_hist, lock.hold_max, true, page);
    if !lock.hold_max.is_zero() {
        page.place("longest hold", names::location(model, lock.hold_max_site));
    }
    let share = if lock.acquires == 0 { 0.0 } else { lock.contended as f64 / lock.acquires as f64 };
    let text = format!(
        "{}, {} of them after a wait ({})",
        figures::count(lock.acquires),
        figures::count(lock.contended),
        figures::share(share)
    );
    page.fact("acquired", Role::Text, &text);
    // All waits that ended are among the durations, the others are not among the acquisitions.
    let in_vain = lock.wait_hist.count().saturating_sub(lock.contended);
    if in_vain > 0 {
        page.fact("gave up", Role::Text, &format!("{} waits ended without it", figures::count(in_vain)));
    }
    if lock.waiters > 0 {
        page.words(Role::Muted, "Waits that still go on are counted once they end.");
    }
    if lock.suspended_holds > 0 {
        let text = format!("{} times held through an .await", figures::count(lock.suspended_holds));
        page.fact("suspended", Role::Warn, &text);
        for hold in lock.recent_suspended.iter().rev().take(3) {
            let text = format!("{}, {} ago", figures::duration(hold.took), figures::duration(now.since(hold.at)));
            page.fact("", Role::Text, &text);
            page.place("  acquired at", names::location(model, hold.site));
        }
    }
}

/// The one who has it, and what keeps that task.
fn holder(cx: &Cx, lock: &Lock, tree: bool, page: &mut Page) {
    let model = cx.model;
    let now = model.now;
    let Some(since) = lock.held_since else {
        page.fact("held by", Role::Ok, "nobody: it is free");
        return;
    };
    let span = figures::duration(now.since(since));
    let how = match (lock.kind, lock.holders.first()) {
        (LockKind::RwLock, Some(hold)) if hold.exclusive => ", to write",
        (LockKind::RwLock, Some(_)) => ", to read",
        _ => "",
    };
    if lock.holder == TaskId(0) {
        page.fact("held by", Role::Text, &format!("{}, for {span}{how}", names::no_task(cx.model)));
    } else {
        let name = names::task_id(model, lock.holder);
        page.link("holder", "held by", Entity::Task(lock.holder), &name, &format!("for {span}{how}"));
        if let Some(holder) = model.tasks.get(&lock.holder) {
            let since = figures::duration(now.since(holder.state_since));
            page.fact("  which is", Role::Text, &format!("{} for {since}", names::state(holder.state)));
            for wait in holder.waits.iter().filter(|_| !tree) {
                let since = figures::duration(now.since(wait.since));
                let name = format!("waits for {}", names::wait(model, wait));
                if matches!(wait.on, WaitFor::Timer(_)) {
                    page.fact("", Role::Text, &format!("{name} for {since}"));
                } else {
                    page.link("holder waits", "", wait.on.into(), &name, &format!("for {since}"));
                }
                page.place("  at", names::location(model, wait.site));
            }
        }
    }
    page.place("acquired at", names::location(model, lock.holder_site));
}

/// Those who have a part of it, the longest first.
fn holders(cx: &Cx, lock: &Lock, page: &mut Page) {
    const SHOWN: usize = 8;
    let mut all = lock.holders.clone();
    all.sort_by_key(|hold| hold.since);
    for (n, hold) in all.iter().take(SHOWN).enumerate() {
        let what = match lock.kind {
            LockKind::Semaphore => crate::text::counted(hold.permits.into(), "permit"),
            _ if hold.exclusive => "to write".to_owned(),
            _ => "to read".to_owned(),
        };
        let span = figures::duration(cx.model.now.since(hold.since));
        let at = match text::file_line(names::location(cx.model, hold.site)) {
            "" => String::new(),
            place => format!(" at {place}"),
        };
        let label = if n == 0 { "held by" } else { "" };
        if hold.task == TaskId(0) {
            page.fact(label, Role::Text, &format!("{}, {what} for {span}{at}", names::no_task(cx.model)));
        } else {
            let name = names::task_id(cx.model, hold.task);
            page.link("holder", label, Entity::Task(hold.task), &name, &format!("{what} for {span}{at}"));
        }
    }
    super::more(lock.holder_count as usize, all.len().min(SHOWN), page);
}

/// Whether it was cancelled or closed, and the tasks that are meant to end with it.
fn scope(cx: &Cx, lock: &Lock, page: &mut Page) {
    const SHOWN: usize = 8;
    let model = cx.model;
    let is_token = lock.kind == LockKind::CancellationToken;
    let what = if is_token { "cancelled" } else { "closed" };
    match model.ended(lock.id) {
        None => page.fact(what, Role::Text, "no"),
        Some(ended) => {
            let ago = figures::duration(model.now.since(ended.at));
            if ended.by == lock.id {
                page.fact(what, Role::Strong, &format!("{ago} ago"));
            } else {
                let remark = format!("{ago} ago, with its parent");
                page.link("ended by", what, Entity::Lock(ended.by), &names::lock(model, ended.by), &remark);
            }
            page.place("  at", names::location(model, ended.site));
        }
    }
    if model.locks.contains_key(&lock.parent) {
        page.link("parent", "child of", Entity::Lock(lock.parent), &names::lock(model, lock.parent), "");
    }
    let handles = figures::count(lock.holder_count.into());
    page.fact(if is_token { "handles" } else { "tracks" }, Role::Text, &handles);
    let count = model.scopes.count(lock.id);
    for (n, task) in model.scopes.tasks(lock.id).take(SHOWN).enumerate() {
        let label = match (n, is_token) {
            (0, true) => "listening",
            (0, false) => "its tasks",
            _ => "",
        };
        let doing = model.tasks.get(&task).map_or_else(String::new, |task| {
            let since = figures::duration(model.now.since(task.state_since));
            match task.waits.iter().find(|wait| wait.on.lock() != Some(lock.id)) {
                Some(wait) => {
                    format!("{} for {since}, waits for {}", names::state(task.state), names::wait(model, wait))
                }
                None => format!("{} for {since}", names::state(task.state)),
            }
        });
        page.link("member", label, Entity::Task(task), &names::task_id(model, task), &doing);
    }
    super::more_tasks(count, count.min(SHOWN), Some(Common::Scope(lock.id)), page);
}

fn permits(cx: &Cx, lock: &Lock, page: &mut Page) {
    let (free, all) = (lock.permits_available, lock.permits_total);
    let share = if all == 0 { 0.0 } else { all.saturating_sub(free) as f64 / all as f64 };
    let role = if free == 0 && lock.waiters > 0 { Role::Warn } else { Role::Info };
    match cx.model.permits(lock) {
        Some(0) if lock.forgotten > 0 => page.fact("permits", Role::Warn, "none is left"),
        Some(all) => {
            page.bar("permits", share, role, &format!("{} of {} free", figures::count(free), figures::count(all)));
        }
        None => page.fact("permits", role, &format!("{} free; how many there are is not told", figures::count(free))),
    }
    if lock.forgotten > 0 {
        page.fact(
            "forgotten",
            Role::Text,
            &format!("{} permits, which never come back", figures::count(lock.forgotten)),
        );
    }
    if lock.closed {
        page.fact("closed", Role::Warn, "no more permits are given");
    }
}

/// None of which was longer than `longest` ever, which is told if it `ends` the line.
fn quantiles(label: &str, histogram: &Histogram, longest: Duration, ends: bool, page: &mut Page) {
    let of = |q| super::quantile(histogram, q, longest).unwrap_or_else(|| "–".to_owned());
    let most = if ends { figures::duration(longest) } else { String::new() };
    let text = format!("{:>10}{:>10}{:>10}{most:>10}", of(0.5), of(0.9), of(0.99));
    page.line(vec![(Role::Muted, format!("{label:14}")), (Role::Text, text)]);
}
