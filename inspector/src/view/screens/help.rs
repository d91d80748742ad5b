//! All keys, from the one table of keys, and all screens, from the one table of screens.

use crate::app::keymap::{GROUPS, Scope};
use crate::app::page::Page;
use crate::app::screen::{Body, Screen};
use crate::app::theme::Role;
use crate::app::{Cx, Place};
use crate::lints::Severity;

pub(crate) static SCREEN: Screen =
    Screen { id: "help", title: "Help", key: None, about: "the keys", body: Body::Page(page) };

fn page(cx: &Cx, _: &Place, page: &mut Page) {
    for group in GROUPS {
        page.heading(group);
        for bound in cx.app.keys.iter().filter(|b| b.binding.group == group) {
            let binding = bound.binding;
            let place = match binding.scope {
                Scope::Any => String::new(),
                narrow => format!(" ({})", narrow.place()),
            };
            page.fact(&bound.shown, Role::Text, &format!("{}{place}", binding.help));
        }
    }
    page.heading("Screens");
    for screen in cx.app.screens.all {
        let label = screen.key.map_or_else(|| format!("  {}", screen.title), |key| format!("{key} {}", screen.title));
        page.fact(&label, Role::Text, screen.about);
    }
    page.heading("Signs");
    let g = cx.glyphs;
    for (severity, meaning) in [
        (Severity::Crit, "somebody is being hurt now"),
        (Severity::Warn, "costs throughput, latency or answers"),
        (Severity::Info, "a fact worth a look"),
    ] {
        page.fact(&format!("{} {severity}", g.severity(severity)), severity.into(), meaning);
    }
    page.fact(g.right, Role::Text, "leads somewhere: Enter goes there");
    let trend = format!("{} {}", g.up, g.down);
    page.fact(&trend, Role::Text, "behind how long a finding has lasted: more or fewer wait than some seconds ago");
    page.fact(">25 s", Role::Text, "that long or longer: it was so when this dashboard came");
    page.fact(&format!("Findings 2{}", g.crit), Role::Text, "so many findings of the worst kind that there is now");
    page.fact("shed 3", Role::Text, "so many tasks, locks and channels are counted only: the probe's memory is full");
    page.fact("(unwatched)", Role::Text, "a task that has ended, or a library's that does not wait now; 8 says why");
}
