//! Who the target is, what watching it takes, and what cannot be seen in it.

use crate::app::page::Page;
use crate::app::screen::{Body, Screen};
use crate::app::theme::Role;
use crate::app::{Cx, Place, unseen};
use crate::text::{figures, fit};

pub(crate) static SCREEN: Screen = Screen {
    id: "target",
    title: "Target",
    key: Some('8'),
    about: "the service itself: versions, what its probe takes, what cannot be seen and why",
    body: Body::Page(page),
};

fn page(cx: &Cx, _: &Place, page: &mut Page) {
    let target = &cx.model.target;
    let app = if target.app.is_empty() { "a program that does not tell its name" } else { &target.app };
    page.line(vec![(Role::Strong, fit::head(app, page.width(), cx.glyphs.ellipsis))]);
    if target.pid != 0 {
        page.fact("process", Role::Text, &target.pid.to_string());
    }
    page.fact("address", Role::Text, cx.app.address());
    page.fact("probe", Role::Text, &target.probe_version);
    page.fact("probe's age", Role::Text, &figures::duration(std::time::Duration::from_nanos(cx.model.now.0)));

    if cx.model.cost.memory_limit_bytes > 0 {
        cost(cx, page);
    }

    page.heading("Counted, but not shown one by one");
    let loss = &cx.model.loss;
    let counted = [
        ("tasks", loss.tasks),
        ("locks", loss.locks),
        ("channels", loss.channels),
        ("places", loss.sites),
        ("panics", loss.panics),
        ("names", loss.names),
        ("details", loss.details),
        ("stacks", loss.stacks),
        ("updates", loss.updates),
    ];
    if counted.iter().all(|(_, n)| *n == 0) {
        page.words(Role::Ok, &format!("{} nothing: all that the target tells is here", cx.glyphs.ok));
    }
    for (what, n) in counted.into_iter().filter(|(_, n)| *n > 0) {
        page.fact(what, Role::Warn, &figures::count(n));
    }

    page.heading("What can be seen");
    page.words(Role::Text, &target.capabilities.join(", "));
    page.heading("What cannot be seen, and what to change");
    if target.blind.is_empty() {
        page.words(Role::Muted, "The probe knows of nothing that it cannot see here.");
    }
    unseen::spots(cx, &target.blind.iter().collect::<Vec<_>>(), page);
}

/// What the probe takes from its host.
fn cost(cx: &Cx, page: &mut Page) {
    page.heading("What the probe takes");
    let cost = &cx.model.cost;
    let cpu = format!("{} of one core now, {} in all", figures::share(cost.cpu_share), figures::duration(cost.cpu));
    page.fact("cpu", Role::Text, &cpu);
    let share =
        if cost.memory_limit_bytes == 0 { 0.0 } else { cost.memory_bytes as f64 / cost.memory_limit_bytes as f64 };
    let memory =
        format!("{} of at most {}", figures::bytes(cost.memory_bytes), figures::bytes(cost.memory_limit_bytes));
    page.bar("memory", share, if share > 0.9 { Role::Warn } else { Role::Info }, &memory);
    page.fact("inspectors", Role::Text, &format!("{} attached", cost.subscribers));
}
