//! One line of code: the totals of all tasks that ever came from there, and those alive; or what else it makes.

use crate::app::page::Page;
use crate::app::screen::{Body, Screen};
use crate::app::theme::Role;
use crate::app::{Cx, Entity, Place, names};
use crate::model::{Oneshots, OutputKind, Series, Stamp};
use crate::text::figures;

pub(crate) static SCREEN: Screen = Screen {
    id: "site",
    title: "Site",
    key: None,
    about: "one line of code: the totals of all tasks that came from there and those alive, or all its locks or channels",
    body: Body::Page(page),
};

fn page(cx: &Cx, place: &Place, page: &mut Page) {
    let Some(Entity::Site(id)) = place.subject else { return };
    let Some(site) = cx.model.sites.get(&id) else { return };
    let entity = Entity::Site(id);
    if let Some(oneshots) = cx.model.oneshots.get(&id) {
        oneshot(cx, oneshots, &site.location, page);
        super::accusations(cx, entity, page);
        super::waiters(cx, entity, page, 10);
        return;
    }
    if super::group::page(cx, site, page) {
        return;
    }
    if names::is_seen_at(cx.model, id) {
        page.line(vec![(Role::Strong, format!("Tasks of libraries, seen at {}", names::site(cx.model, id)))]);
        page.place("seen at", &site.location);
        let text = "A library spawned them, so they are known only while they wait, and by the line at which they did so \
                    first; there are no totals of them.";
        page.words(Role::Muted, text);
        super::accusations(cx, entity, page);
        alive(cx, entity, page);
        return;
    }
    page.line(vec![(Role::Strong, format!("Tasks of {}", names::site(cx.model, id)))]);
    page.place("spawned at", &site.location);
    if !site.name.is_empty() {
        page.fact("future", Role::Muted, &site.name);
    }
    let output = match site.output {
        OutputKind::Unknown => "not known",
        OutputKind::Unit => "nothing",
        OutputKind::Result => "a Result",
        OutputKind::Value => "a value",
    };
    page.fact("returns", Role::Text, output);
    super::accusations(cx, entity, page);

    page.heading("Totals");
    let n = figures::count;
    page.fact(
        "tasks",
        Role::Text,
        &format!("{} alive, {} spawned, {} ended", n(site.live()), n(site.spawned), n(site.finished)),
    );
    if site.shed > 0 {
        page.fact("not shown", Role::Warn, &format!("{} counted only: the probe's memory is full", n(site.shed)));
    }
    let slow = format!(
        "{} of at least {}, {} in all",
        n(site.slow_polls),
        figures::duration(cx.model.target.slow_poll),
        figures::duration(site.slow_poll_total)
    );
    page.fact("slow polls", if site.slow_polls > 0 { Role::Warn } else { Role::Text }, &slow);
    page.fact("longest poll", Role::Text, &figures::duration(site.max_poll));
    let loss = |count, text: &str, page: &mut Page, label: &str, role| {
        if count > 0 {
            page.fact(label, role, &format!("{} {text}", n(count)));
        }
    };
    loss(site.handles_dropped, "handles dropped before their task ended", page, "detached", Role::Text);
    loss(site.errors_lost, "results that were Err and that nobody took", page, "errors lost", Role::Warn);
    loss(site.panics, "tasks ended by a panic", page, "panics", Role::Crit);
    loss(site.panics_lost, "of them seen by nobody", page, "panics lost", Role::Crit);
    loss(site.aborted, "tasks aborted", page, "aborted", Role::Text);

    let panics: Vec<_> = cx.model.panics.iter().rev().filter(|p| p.site == id).take(3).collect();
    if !panics.is_empty() {
        page.heading("Newest panics");
        for panic in panics {
            let ago = figures::duration(cx.model.now.since(panic.at));
            let message = if panic.message.is_empty() {
                "(no message: the service replaced the panic hook)"
            } else {
                &panic.message
            };
            page.fact(&format!("{ago} ago"), Role::Text, message);
            if !panic.location.is_empty() {
                page.place("  at", &panic.location);
            }
        }
    }
    if !site.recent_slow.is_empty() {
        page.heading("Newest slow polls");
        for slow in site.recent_slow.iter().rev().take(5) {
            let ago = format!("{} ago", figures::duration(cx.model.now.since(slow.at)));
            let took = figures::duration(slow.took);
            page.link("slow", &ago, Entity::Task(slow.task), &names::task_id(cx.model, slow.task), &took);
        }
    }
    alive(cx, entity, page);
}

fn alive(cx: &Cx, site: Entity, page: &mut Page) {
    page.heading("Alive");
    super::children(cx, site, page, 40);
    if cx.derived.focus(site).is_some_and(|f| f.born == 0) {
        page.words(Role::Muted, "none");
    }
}

/// What became of the oneshot channels that are made at one place.
fn oneshot(cx: &Cx, all: &Oneshots, made_at: &str, page: &mut Page) {
    page.line(vec![(Role::Strong, "Oneshot channels".to_owned())]);
    page.place("made at", made_at);
    let n = figures::count;
    let ago = |at: Option<Stamp>| {
        at.map_or_else(String::new, |at| format!(", last {} ago", figures::duration(cx.model.now.since(at))))
    };
    page.fact("made", Role::Text, &n(all.made));
    page.fact("delivered", Role::Text, &n(all.delivered));
    page.fact("unsent", Role::Text, &format!("{}: the sender went without sending", n(all.unsent)));
    if all.unsent_awaited > 0 {
        let text = format!("{} while the receiver was awaited{}", n(all.unsent_awaited), ago(all.last_unsent_at));
        page.fact("", Role::Warn, &text);
        page.place("  awaited at", names::location(cx.model, all.last_unsent_site));
    }
    if all.unreceived > 0 {
        let text = format!("{} were sent to nobody{}", n(all.unreceived), ago(all.last_unreceived_at));
        page.fact("unreceived", Role::Warn, &text);
        page.place("  sent at", names::location(cx.model, all.last_unreceived_site));
    }
    page.heading("Last 60 s");
    let rate = |series: &Series| figures::rate(series.last().unwrap_or(0.0));
    page.spark("made/s", &all.made_s, &rate(&all.made_s));
    page.spark("in vain/s", &all.unsent_awaited_s, &rate(&all.unsent_awaited_s));
    page.spark("unreceived/s", &all.unreceived_s, &rate(&all.unreceived_s));
}
