//! Where things go on a screen of a given size.

use ratatui::layout::Rect;

use crate::app::App;

/// The areas of one frame. Those that there is no room for are empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) shape: Shape,
    pub(crate) header: Rect,
    pub(crate) tabs: Rect,
    pub(crate) banner: Rect,
    /// Everything between.
    pub(crate) list: Rect,
    /// What is selected, beside the list.
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
    let banner = super::frame::banner_lines(app, columns, rows).len() as u16;
    let top = 1 + tabs + banner;
    let body = Rect::new(0, top, columns, rows - top - 1);
    let beside = columns >= 120 && !app.wide && app.beside().is_some();
    let list_width = if beside { columns * 5 / 8 } else { columns };
    Layout {
        shape,
        header: line(0),
        tabs: if tabs == 1 { line(1) } else { nothing },
        banner: if banner > 0 { Rect { height: banner, ..line(1 + tabs) } } else { nothing },
        list: Rect { width: list_width, ..body },
        side: if beside { Rect { x: list_width + 2, width: columns - list_width - 2, ..body } } else { nothing },
        footer: line(rows - 1),
    }
}

impl App {
    /// What is shown beside a list that leaves room for it: what is selected.
    pub(crate) fn beside(&self) -> Option<crate::app::Entity> {
        use crate::app::screen::Body;
        match self.place().screen.body {
            Body::Page(_) => None,
            _ => self.selected().map(|row| row.entity),
        }
    }
}
