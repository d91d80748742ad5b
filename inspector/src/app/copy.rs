//! What `y` and `Y` put into the clipboard.
use std::fmt::Write;

use super::{App, Entity, names};
use crate::lints::Finding;
use crate::text::fit::clean;

/// The id and the place of what is selected, or of what the page is about.
pub(crate) fn id(app: &App) -> Option<String> {
    let cx = app.cx();
    let entity =
        app.place().selected.map(|r| r.entity).or(app.place().subject).or_else(|| app.selected().map(|r| r.entity))?;
    let place = match entity {
        Entity::Finding(_) | Entity::Past(_) | Entity::Then(..) => cx.finding(entity).map(|f| f.line().0.to_owned()),
        other => names::created_at(cx.model, other).map(str::to_owned),
    };
    Some(match place {
        Some(place) if !place.is_empty() => format!("{} at {}", entity.id_text(), clean(&place)),
        _ => entity.id_text(),
    })
}

/// The whole finding that is selected, that the page is about, or that is about what is selected; without one, what
/// the page says.
pub(crate) fn finding(app: &App) -> Option<String> {
    let cx = app.cx();
    let chosen = [app.selected().map(|r| r.entity), app.place().subject];
    let about = |entity: Entity| {
        let own = cx.finding(entity).map(|finding| (entity, finding));
        own.or_else(|| {
            cx.active().find(|f| Entity::from(f.subject.kind) == entity).map(|f| (Entity::Finding(f.key()), f))
        })
    };
    if let Some((entity, finding)) = chosen.into_iter().flatten().find_map(about) {
        return Some(text(app, entity, finding));
    }
    let page = app.page().text();
    if page.trim().is_empty() { id(app) } else { Some(page) }
}

/// A finding as plain text for a chat or an issue.
fn text(app: &App, entity: Entity, finding: &Finding) -> String {
    let cx = app.cx();
    let target = &cx.model.target;
    let severity = finding.severity.to_string().to_uppercase();
    let mut out = format!("{severity} {}: {}\n", finding.rule, clean(&finding.message));
    let mut line = |label: &str, text: &str| {
        if !text.is_empty() {
            let _ = writeln!(out, "{label:5} {}", clean(text));
        }
    };
    let (location, role) = finding.line();
    let role = match role.to_string() {
        role if role.is_empty() => role,
        role => format!(" ({role})"),
    };
    line("open:", &format!("{location}{role}"));
    line("what:", &finding.subject.name);
    line("for:", &names::lasting_of(&cx, entity, finding));
    line("who:", finding.who().unwrap_or_default());
    for evidence in finding.measures() {
        line("why:", &evidence.sentence());
    }
    line("fix:", &finding.advice);
    line("in:", &format!("{} (pid {}) via {}", target.app, target.pid, app.address()));
    out
}
