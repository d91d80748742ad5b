//! What a click or the wheel means where it happens.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use ratatui::layout::Rect;

use super::screen::Body;
use super::{App, Row, derived, navigate};
use crate::view::{layout, table, tabs};

/// Rows that one notch of the wheel moves.
const NOTCH: isize = 3;

/// Takes an event of the mouse.
pub(crate) fn event(app: &mut App, event: MouseEvent) {
    let areas = layout::layout(app, app.size.0, app.size.1);
    let inside = |area: Rect| area.contains((event.column, event.row).into());
    match event.kind {
        MouseEventKind::ScrollUp => navigate::step(app, -NOTCH),
        MouseEventKind::ScrollDown => navigate::step(app, NOTCH),
        MouseEventKind::Down(MouseButton::Left) if inside(areas.tabs) => {
            if app.way().len() > 1 {
                navigate::back(app);
            } else if let Some(screen) = tabs::at(app, areas.tabs, event.column) {
                navigate::to_root(app, screen);
            }
        }
        MouseEventKind::Down(MouseButton::Left) if inside(areas.list) => click(app, areas.list, event),
        _ => {}
    }
}

fn click(app: &mut App, area: Rect, event: MouseEvent) {
    let line = usize::from(event.row - area.y);
    let place = app.place();
    let row: Option<Row> = match &place.screen.body {
        Body::Table(table) if line == table::head_line(&app.cx(), table, area) => {
            if let Some(column) = table::column_at(&app.cx(), place, area.width, event.column) {
                let place = app.place_mut();
                place.reverse = place.sort == column.id && !place.reverse;
                place.sort = column.id;
                derived::refresh(app);
            }
            return;
        }
        Body::Table(table) => line
            .checked_sub(table::head_line(&app.cx(), table, area) + 1)
            .and_then(|line| app.derived.rows.order.get(place.offset + line))
            .map(|&entity| Row::of(entity)),
        Body::Page(_) => {
            let at = place.offset + line;
            let row = app.page().rows().find(|(line, _)| *line == at).map(|(_, row)| row);
            if let Some(row) = row {
                navigate::open(app, row.entity);
            }
            return;
        }
        Body::Custom { hit, .. } => hit(&app.cx(), place, area, (event.column, event.row)),
    };
    let Some(row) = row else { return };
    if app.selected() == Some(row) {
        navigate::open(app, row.entity);
    } else {
        navigate::select_row(app, row);
    }
}
