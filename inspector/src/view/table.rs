//! Rows and columns: which columns fit, and the rows that are visible.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::widgets;
use crate::app::column::{Column, Kind, Value};
use crate::app::keymap::Action;
use crate::app::page::Page;
use crate::app::screen::{Listed, Table};
use crate::app::theme::Role;
use crate::app::{Cx, Entity, Place, columns, graph, names, unseen};
use crate::lints::Severity;
use crate::text::{figures, fit};

/// Draws the table of the place in front. Only the rows that are visible are built.
pub(crate) fn draw(cx: &Cx, place: &Place, table: &Table, buf: &mut Buffer, area: Rect) {
    let area = area.intersection(buf.area);
    if area.is_empty() {
        return;
    }
    status(cx, place, table, buf, area);
    let rows = &cx.derived.rows;
    let above = table.lines_above(cx, area);
    above.draw(
        buf,
        Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(1), ..area },
        0,
        None,
        &cx.app.theme,
    );
    let head = (1 + above.len() as u16).min(area.height);
    let body = Rect { y: area.y + head + 1, height: area.height.saturating_sub(head + 1), ..area };
    if rows.order.is_empty() {
        let mut page = Page::new(cx, usize::from(area.width.saturating_sub(2)));
        page.blank();
        if rows.total > 0 {
            let all = if of_sites(place) { cx.model.tasks.len() } else { rows.total };
            let text = format!("None of {} {} passes the filter.", figures::count(all as u64), table.noun.1);
            page.words(Role::Text, &text);
            let (back, filter) = (cx.key(Action::Back), cx.key(Action::Filter));
            page.words(Role::Muted, &format!("{back} takes it off, {filter} changes it."));
        } else if cx.app.busy() {
            page.words(Role::Muted, &format!("Looking at {} tasks…", figures::count(cx.model.tasks.len() as u64)));
        } else if cx.model.complete {
            (table.empty)(cx, &mut page);
            unseen::in_full(cx, place, &mut page);
        } else {
            page.words(Role::Muted, "Waiting for the first snapshot…");
        }
        page.draw(buf, Rect { x: body.x + 1, ..body }, 0, None, &cx.app.theme);
        return;
    }
    let columns = columns::shown(place, area.width);
    heads(cx, place, &columns, buf, Rect { y: area.y + head, height: 1.min(area.height.saturating_sub(head)), ..area });
    let numbered = columns.iter().any(|(column, _)| column.id == "id");
    let selected = place.selected.map(|r| r.entity).or_else(|| rows.order.first().copied());
    for (line, y) in rows.lines(place.offset).zip(body.top()..body.bottom()) {
        let entity = match line {
            Listed::Row(entity) => entity,
            Listed::Divider(text) => {
                divider(cx, text, buf, Rect { y, height: 1, ..area });
                continue;
            }
        };
        let mut x = area.left();
        for (column, width) in &columns {
            let (text, role) = cell(cx, column, entity, usize::from(*width), numbered);
            widgets::put(buf, x, y, x + width, &text, cx.app.theme.style(role));
            x += width + 1;
        }
        if selected == Some(entity) {
            buf.set_style(Rect { y, height: 1, ..area }, cx.app.theme.selected());
        }
    }
}

/// A line that parts rows, with what those below it have in common.
fn divider(cx: &Cx, text: &str, buf: &mut Buffer, area: Rect) {
    let style = cx.app.theme.style(Role::Muted);
    let line = cx.glyphs.line;
    let text = fit::head(text, usize::from(area.width.saturating_sub(5)), cx.glyphs.ellipsis);
    let x = widgets::put(buf, area.x, area.y, area.right(), &format!("{line}{line} {text} "), style);
    let rest = line.repeat(usize::from(area.right().saturating_sub(x)));
    widgets::put(buf, x, area.y, area.right(), &rest, style);
}

/// How many rows there are, how they are sorted, and what hides others.
fn status(cx: &Cx, place: &Place, table: &Table, buf: &mut Buffer, area: Rect) {
    let rows = &cx.derived.rows;
    let g = cx.glyphs;
    let shown = rows.order.len();
    let noun = if rows.total == 1 { table.noun.0 } else { table.noun.1 };
    let mut pieces = Vec::new();
    let count = if place.filter.is_empty() || rows.passing == rows.total {
        format!("{} {noun}", figures::count(rows.total as u64))
    } else {
        format!("{} of {} {noun}", figures::count(rows.passing as u64), figures::count(rows.total as u64))
    };
    pieces.push((Role::Strong, count));
    if shown < rows.passing && rows.groups.is_none() {
        let first = format!("the first {}: {} for the rest", figures::count(shown as u64), cx.key(Action::Filter));
        pieces.push((Role::Text, first));
    }
    if cx.app.busy() {
        pieces.push((Role::Muted, format!("looking{}", g.ellipsis)));
    }
    if of_sites(place) {
        let tasks = crate::text::counted(cx.model.tasks.len() as u64, "task");
        let sites = crate::text::counted(rows.total as u64, "spawn site");
        pieces = vec![(Role::Strong, format!("{tasks} from {sites}"))];
    } else if let Some(groups) = rows.groups.filter(|groups| *groups < rows.passing) {
        pieces[0].1.extend([" from ", &crate::text::counted(groups as u64, "place")]);
    }
    let arrow = if place.reverse { g.sort_up } else { g.sort_down };
    let by = if place.sort == "mark" { "findings" } else { place.sort };
    pieces.push((Role::Muted, format!("by {by} {arrow}")));
    if !place.filter_text.trim().is_empty() {
        pieces.push((Role::Accent, format!("/{}", place.filter_text.trim())));
    }
    let sets = columns::sets(place, area.width).len();
    if sets > 1 && shown > 0 {
        let (at, key) = (place.set % sets + 1, cx.key(Action::Wide));
        let text = if area.width < 80 { format!("{key} {at}/{sets}") } else { format!("columns {at}/{sets}: {key}") };
        pieces.push((Role::Muted, text));
    }
    let position = place.index + 1;
    if shown > 0 {
        pieces.push((Role::Muted, format!("row {}", figures::count(position as u64))));
    }
    if cx.model.complete {
        pieces.extend(unseen::in_short(cx, place.screen).map(|text| (Role::Muted, text)));
    }
    let mut x = area.left() + 1;
    for (n, (role, text)) in pieces.iter().enumerate() {
        if n > 0 {
            let sign = format!(" {} ", g.dot);
            x = widgets::put(buf, x, area.y, area.right(), &sign, cx.app.theme.style(Role::Muted));
        }
        let text = fit::head(text, usize::from(area.right().saturating_sub(x)), g.ellipsis);
        x = widgets::put(buf, x, area.y, area.right(), &text, cx.app.theme.style(*role));
    }
}

/// One row a spawn site, not a task.
fn of_sites(place: &Place) -> bool {
    place.screen.id == "tasks" && !place.flat
}

fn heads(cx: &Cx, place: &Place, columns: &[(&Column, u16)], buf: &mut Buffer, area: Rect) {
    if area.height == 0 {
        return;
    }
    let mut x = area.left();
    for (column, width) in columns {
        let sorted = column.id == place.sort && column.kind != Kind::Mark;
        let arrow = if place.reverse { cx.glyphs.sort_up } else { cx.glyphs.sort_down };
        let title = if sorted {
            let room = usize::from(*width).saturating_sub(1);
            let title: String = column.title.chars().take(room).collect();
            title + arrow
        } else {
            column.title.to_owned()
        };
        let text = align(column.kind, &title, usize::from(*width), cx.glyphs.ellipsis);
        let role = if sorted { Role::Accent } else { Role::Muted };
        widgets::put(buf, x, area.y, x + width, &text, cx.app.theme.style(role));
        x += width + 1;
    }
}

fn align(kind: Kind, text: &str, width: usize, ellipsis: char) -> String {
    match kind {
        Kind::Text | Kind::Mark => fit::left(text, width, ellipsis),
        _ => fit::right(text, width, ellipsis),
    }
}

/// What stands in a column of a row; names go without what tells them apart where that has a column of its own.
fn cell(cx: &Cx, column: &Column, entity: Entity, width: usize, numbered: bool) -> (String, Role) {
    let g = cx.glyphs;
    let value = (column.value)(cx, entity);
    let role = (column.role)(cx, entity);
    let text = match &value {
        Value::None => return (align(column.kind, "", width, g.ellipsis), Role::Muted),
        Value::Text(text) => fit::left(text, width, g.ellipsis),
        Value::Name(text) if numbered => fit::left(names::without_number(text), width, g.ellipsis),
        Value::Name(text) => fit::left(&fit::name(text, width, g.ellipsis), width, g.ellipsis),
        Value::Place(text) => fit::left(&fit::location(text, width, g.ellipsis), width, g.ellipsis),
        Value::Duration(d) => fit::right(&figures::duration(*d), width, g.ellipsis),
        Value::AtLeast(d) => fit::right(&format!(">{}", figures::duration(*d)), width, g.ellipsis),
        Value::Count(n) => fit::right(&figures::count(*n), width, g.ellipsis),
        // Of a long number the sign in front goes before any of its digits.
        Value::Id(_, text) if fit::width(text) > width => fit::right(text.trim_start_matches('#'), width, g.ellipsis),
        Value::Id(_, text) => fit::right(text, width, g.ellipsis),
        Value::Rate(r) => fit::right(&figures::rate(*r), width, g.ellipsis),
        Value::Share(s) => fit::right(&figures::share(*s), width, g.ellipsis),
        Value::Mark(severity) => severity.map_or(" ", |s: Severity| g.severity(s)).to_owned(),
        Value::Spark(series) => graph::spark(series, width, g),
        Value::Meter(part, None) => fit::left(&format!("{} / no limit", figures::count(*part)), width, g.ellipsis),
        Value::Meter(part, Some(whole)) => {
            let figures = format!(" {}/{}", figures::count(*part), figures::count(*whole));
            let bar = width.saturating_sub(13).clamp(0, 10);
            let share = if *whole == 0 { 0.0 } else { *part as f64 / *whole as f64 };
            fit::left(&(graph::bar(share, bar, g) + &figures), width, g.ellipsis)
        }
    };
    (text, role)
}
