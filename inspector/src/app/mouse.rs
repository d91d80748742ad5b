//! What a click or the wheel means where it happens.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::palette::{self, Command};
use super::screen::{Body, Hit, Listed};
use super::{App, PromptKind, Row, columns, derived, layout, navigate, scrub, tabs, way};

/// Rows that one notch of the wheel moves.
const NOTCH: isize = 3;

/// Takes an event of the mouse while something is typed; returns what to do now. A click beside the list of commands
/// closes it, and one beside a filter that is understood ends the typing and does what it does elsewhere.
pub(super) fn in_prompt(app: &mut App, event: MouseEvent) -> Option<Command> {
    let prompt = app.prompt.as_mut()?;
    let click = event.kind == MouseEventKind::Down(MouseButton::Left);
    let PromptKind::Palette(lit) = prompt.kind else {
        if click && prompt.error.is_none() {
            app.prompt = None;
            self::event(app, event);
        }
        return None;
    };
    let text = prompt.input.value().to_owned();
    let area = layout::layout(app, app.size.0, app.size.1).footer;
    match event.kind {
        MouseEventKind::ScrollUp => light(app, lit.saturating_sub(1)),
        MouseEventKind::ScrollDown => {
            let last = palette::entries(app, &text).len().saturating_sub(1);
            light(app, (lit + 1).min(last));
        }
        _ if click => {
            let entry = palette::entry_at(app, area, event.row);
            app.prompt = None;
            return entry.and_then(|n| palette::entries(app, &text).get(n).map(|entry| entry.command));
        }
        _ => {}
    }
    None
}

fn light(app: &mut App, entry: usize) {
    if let Some(prompt) = &mut app.prompt {
        prompt.kind = PromptKind::Palette(entry);
    }
}

/// Takes an event of the mouse.
pub(crate) fn event(app: &mut App, event: MouseEvent) {
    let areas = layout::layout(app, app.size.0, app.size.1);
    let inside = |area: Rect| area.contains((event.column, event.row).into());
    match event.kind {
        MouseEventKind::ScrollUp if inside(areas.side) => navigate::scroll_side(app, areas.side, -NOTCH),
        MouseEventKind::ScrollDown if inside(areas.side) => navigate::scroll_side(app, areas.side, NOTCH),
        MouseEventKind::Down(MouseButton::Left) if inside(areas.side) => {
            let at = app.side_offset() + usize::from(event.row - areas.side.y);
            let link = app
                .page_beside(areas.side)
                .and_then(|page| page.rows().find(|(line, _)| *line == at).map(|(_, row)| row.entity));
            match link {
                Some(entity) => way::open(app, entity),
                None => way::enter(app),
            }
        }
        MouseEventKind::ScrollUp => wheel(app, -NOTCH),
        MouseEventKind::ScrollDown => wheel(app, NOTCH),
        MouseEventKind::Down(MouseButton::Left) if inside(areas.tabs) => {
            if app.way().len() > 1 {
                way::back(app);
            } else if let Some(screen) = tabs::at(app, areas.tabs, event.column) {
                way::to_root(app, screen);
            }
        }
        MouseEventKind::Down(MouseButton::Left) if inside(areas.list) => click(app, areas.list, event),
        _ => {}
    }
}

/// Rows of a list go by under a cursor that stays in view; a page is only scrolled.
fn wheel(app: &mut App, by: isize) {
    if matches!(app.place().screen.body, Body::Page(_)) {
        navigate::scroll(app, by);
    } else {
        navigate::step(app, by);
    }
}

fn click(app: &mut App, area: Rect, event: MouseEvent) {
    let line = usize::from(event.row - area.y);
    let place = app.place();
    let row: Option<Row> = match &place.screen.body {
        Body::Table(table) if line == table.head_line(&app.cx(), area) => {
            if let Some(column) = columns::column_at(place, area.width, event.column) {
                let place = app.place_mut();
                place.reverse = place.sort == column.id && !place.reverse;
                place.sort = column.id;
                derived::refresh(app);
            }
            return;
        }
        Body::Table(table) => line
            .checked_sub(table.head_line(&app.cx(), area) + 1)
            .and_then(|line| app.derived.rows.lines(place.offset).nth(line))
            .and_then(|line| match line {
                Listed::Row(entity) => Some(Row::of(entity)),
                Listed::Divider(_) => None,
            }),
        Body::Page(_) => {
            let at = place.offset + line;
            let row = app.page().rows().find(|(line, _)| *line == at).map(|(_, row)| row);
            if let Some(row) = row {
                way::open(app, row.entity);
            }
            return;
        }
        Body::Custom { hit, .. } => match hit(&app.cx(), place, area, (event.column, event.row)) {
            Some(Hit::Moment(index)) => {
                scrub::to(app, index);
                None
            }
            Some(Hit::Row(row)) => Some(row),
            None => None,
        },
    };
    let Some(row) = row else { return };
    if app.selected() == Some(row) {
        way::open(app, row.entity);
    } else {
        navigate::select_row(app, row);
    }
}
