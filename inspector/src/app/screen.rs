//! What a screen is. Adding one is a file in `view/screens` and a row in [`crate::view::screens::SCREENS`].

use ratatui::Frame;
use ratatui::layout::Rect;

use super::column::{Column, Order};
use super::place::Place;
use super::{Cx, Entity, Row};
use crate::view::page::Page;

/// One screen.
pub(crate) struct Screen {
    /// Its stable name.
    pub(crate) id: &'static str,
    /// What the operator calls it.
    pub(crate) title: &'static str,
    /// The digit that opens it; `None` for pages about one entity.
    pub(crate) key: Option<char>,
    /// One line for help.
    pub(crate) about: &'static str,
    pub(crate) body: Body,
}

/// How a screen is made.
pub(crate) enum Body {
    /// Rows and columns.
    Table(Table),
    /// Lines of text with links in them, about the place's subject.
    Page(fn(&Cx, &Place, &mut Page)),
    /// Something of its own.
    Custom {
        /// What can be selected, in order.
        rows: fn(&Cx) -> Vec<Row>,
        /// Draws it.
        draw: fn(&Cx, &Place, &mut Frame, Rect),
        /// What is drawn at this column and row of the screen, when it is drawn in this area.
        hit: fn(&Cx, &Place, Rect, (u16, u16)) -> Option<Hit>,
    },
}

/// What a click is on.
pub(crate) enum Hit {
    /// A row that can be selected.
    Row(Row),
    /// A moment of the timeline, by its number.
    Moment(usize),
}

/// A screen of rows and columns.
pub(crate) struct Table {
    /// What one row and many rows are called.
    pub(crate) noun: (&'static str, &'static str),
    pub(crate) columns: &'static [Column],
    /// The column sorted by at first.
    pub(crate) sort: &'static str,
    /// The column that breaks ties.
    pub(crate) then: &'static str,
    /// The rows, filtered and in order, and how many there are without the filter.
    pub(crate) rows: fn(&Cx, &Place, &Table) -> Rows,
    /// What to say when there is nothing.
    pub(crate) empty: fn(&Cx, &mut Page),
    /// What the rows together are part of, above them; for most tables nothing.
    pub(crate) above: fn(&Cx, &mut Page),
}

/// The rows of a table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    pub(crate) order: Vec<Entity>,
    /// How many there would be without the filter.
    pub(crate) total: usize,
    /// How many lines they make at first, where those of one place share one.
    pub(crate) groups: Option<usize>,
    /// How many pass the filter; more than are listed where nobody would read them all.
    pub(crate) passing: usize,
}

impl Table {
    /// The column of that name, or the first.
    pub(crate) fn column(&self, id: &str) -> &'static Column {
        self.columns.iter().find(|c| c.id == id).unwrap_or(&self.columns[0])
    }

    /// Filters and sorts `all` as the place says.
    pub(crate) fn arrange(&self, cx: &Cx, place: &Place, all: impl IntoIterator<Item = Entity>) -> Rows {
        let mut total = 0;
        let mut order: Vec<Entity> = all
            .into_iter()
            .inspect(|_| total += 1)
            .filter(|&e| place.filter.is_empty() || place.filter.matches(cx, self.columns, e))
            .collect();
        self.order(place).sort(cx, &mut order);
        Rows { total, passing: order.len(), groups: None, order }
    }

    /// How the place wants its rows ordered.
    pub(crate) fn order(&self, place: &Place) -> Order {
        Order { by: self.column(place.sort), then: self.column(self.then), reverse: place.reverse }
    }
}
