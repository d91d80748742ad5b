//! One lock: its holder, its waiters in order, the last minute, and how long waits and holds take.

use crate::app::screen::{Body, Screen};
use crate::app::{Cx, Entity, Place};
use crate::model::{Histogram, Series, TaskId};
use crate::view::page::Page;
use crate::view::theme::Role;
use crate::view::{figures, names, wait_tree};

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
        page.words(Role::Text, "This lock has been dropped. Esc goes back.");
        return;
    };
    let model = cx.model;
    let now = model.now;
    let entity = Entity::Lock(id);
    let title = format!("{} {}", super::locks::kind(lock.kind), names::lock(model, id));
    page.line(vec![(Role::Strong, title)]);
    page.place("created at", names::location(model, lock.site));
    super::accusations(cx, entity, page);
    let tree = lock.waiters > 0 && wait_tree::goes_on(cx, entity);
    if tree {
        wait_tree::tree(cx, entity, page);
    }
    page.blank();

    let held_for = lock.held_since.map(|s| figures::duration(now.since(s)));
    match (&held_for, lock.holder) {
        (None, _) => page.fact("held by", Role::Ok, "nobody: it is free"),
        (Some(span), TaskId(0)) => page.fact("held by", Role::Text, &format!("something outside any task, for {span}")),
        (Some(span), task) => {
            page.link("holder", "held by", Entity::Task(task), &names::task_id(model, task), &format!("for {span}"));
            if let Some(holder) = model.tasks.get(&task) {
                let since = figures::duration(now.since(holder.state_since));
                page.fact("  which is", Role::Text, &format!("{} for {since}", names::state(holder.state)));
                for wait in holder.waits.iter().filter(|_| !tree) {
                    let since = figures::duration(now.since(wait.since));
                    let name = format!("waits for {}", names::wait(model, wait));
                    page.link("holder waits", "", wait.on.into(), &name, &format!("for {since}"));
                    page.place("  at", names::location(model, wait.site));
                }
            }
        }
    }
    if held_for.is_some() {
        page.place("acquired at", names::location(model, lock.holder_site));
    }
    let role = if lock.waiters > 0 { Role::Strong } else { Role::Text };
    page.fact("waiting", role, &figures::count(lock.waiters.into()));
    super::waiters(cx, entity, page, 8);

    page.heading("Last 60 s");
    let rate = |series: &Series| figures::rate(series.last().unwrap_or(0.0));
    page.spark("waiters", &lock.waiters_s, &rate(&lock.waiters_s));
    page.spark("acquires/s", &lock.acquires_s, &rate(&lock.acquires_s));
    page.spark("had to wait/s", &lock.contended_s, &rate(&lock.contended_s));

    page.heading("How long");
    page.line(vec![(Role::Muted, format!("{:14}{:>10}{:>10}{:>10}{:>10}", "", "p50", "p90", "p99", "max ever"))]);
    quantiles("wait, 10 s", &lock.wait_hist.since(&lock.wait_hist_window), None, page);
    quantiles("wait, ever", &lock.wait_hist, Some(lock.wait_max), page);
    quantiles("hold, 10 s", &lock.hold_hist.since(&lock.hold_hist_window), None, page);
    quantiles("hold, ever", &lock.hold_hist, Some(lock.hold_max), page);
    if !lock.hold_max.is_zero() {
        page.place("longest hold", names::location(model, lock.hold_max_site));
    }
    let share = if lock.acquires == 0 { 0.0 } else { lock.contended as f64 / lock.acquires as f64 };
    let text = format!(
        "{}, {} had to wait ({})",
        figures::count(lock.acquires),
        figures::count(lock.contended),
        figures::share(share)
    );
    page.fact("acquired", Role::Text, &text);
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

fn quantiles(label: &str, histogram: &Histogram, most: Option<std::time::Duration>, page: &mut Page) {
    let of = |q| histogram.quantile(q).map_or_else(|| "–".to_owned(), |d| format!("<{}", figures::duration(d)));
    let most = most.map_or_else(String::new, figures::duration);
    let text = format!("{:>10}{:>10}{:>10}{most:>10}", of(0.5), of(0.9), of(0.99));
    page.line(vec![(Role::Muted, format!("{label:14}")), (Role::Text, text)]);
}
