//! Where things go on a screen of a given size.

use ratatui::layout::Rect;

use super::screen::Body;
use super::{App, Entity, banner};

/// From so many columns on there is room for a list and for what is selected in it.
pub(crate) const BOTH: u16 = 120;
/// From so many on there is room for both side by side, without a column of the list less.
const SIDE_BY_SIDE: u16 = 160;
/// From so many rows on there is room for both one below the other.
const ONE_BELOW_THE_OTHER: u16 = 30;

/// The areas of one frame. Those that there is no room for are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) shape: Shape,
    pub(crate) header: Rect,
    pub(crate) tabs: Rect,
    pub(crate) banner: Rect,
    /// Everything between.
    pub(crate) list: Rect,
    /// What is selected, beside the list or below it.
    pub(crate) side: Rect,
    pub(crate) footer: Rect,
}

/// What fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Below 40x8: which size it needs.
    TooSmall,
    /// Something, even if it has fewer columns.
    Fits,
}

/// The layout of `columns` x `rows`.
pub(crate) fn layout(app: &App, columns: u16, rows: u16) -> Layout {
    let line = |y| Rect::new(0, y, columns, 1);
    let nothing = Rect::new(0, 0, 0, 0);
    let shape = if columns < 40 || rows < 8 { Shape::TooSmall } else { Shape::Fits };
    if shape == Shape::TooSmall {
        let list = Rect::new(0, 0, columns, rows);
        return Layout { shape, header: nothing, tabs: nothing, banner: nothing, list, side: nothing, footer: nothing };
    }
    // Of fewer lines each is worth more than the names of the screens.
    let tabs = u16::from(rows >= 10);
    let banner = banner::lines(app, columns, rows).len() as u16;
    let top = 1 + tabs + banner;
    let body = Rect::new(0, top, columns, rows - top - 1);
    let (list, side) = if columns >= BOTH && !app.wide && app.beside().is_some() {
        let table = matches!(app.place().screen.body, Body::Table(_));
        both(body, table, rows)
    } else {
        (body, nothing)
    };
    Layout {
        shape,
        header: line(0),
        tabs: if tabs == 1 { line(1) } else { nothing },
        banner: if banner > 0 { Rect { height: banner, ..line(1 + tabs) } } else { nothing },
        list,
        side,
        footer: line(rows - 1),
    }
}

/// A list and what is selected in it. A table keeps the columns that it would have alone, if that is possible at all.
fn both(body: Rect, table: bool, rows: u16) -> (Rect, Rect) {
    if table && body.width < SIDE_BY_SIDE && rows >= ONE_BELOW_THE_OTHER {
        let height = body.height * 3 / 5;
        let below = Rect { x: 1, y: body.y + height + 1, width: body.width - 1, height: body.height - height - 1 };
        return (Rect { height, ..body }, below);
    }
    let part = body.width * 5 / 8;
    let width = if table && body.width >= SIDE_BY_SIDE { part.max(BOTH) } else { part };
    (Rect { width, ..body }, Rect { x: width + 2, width: body.width - width - 2, ..body })
}

impl App {
    /// What is shown beside a list that leaves room for it: what is selected.
    pub(crate) fn beside(&self) -> Option<Entity> {
        match self.place().screen.body {
            Body::Page(_) => None,
            _ => self.selected().map(|row| row.entity),
        }
    }
}
