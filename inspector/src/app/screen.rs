//! What a screen is, and what the core knows of the table of them. Adding one is a file in `view/screens` and a row in
//! `SCREENS` there.

use ratatui::Frame;
use ratatui::layout::Rect;

use super::column::{Column, Order};
use super::page::Page;
use super::place::Place;
use super::{Cx, Entity, Row};

/// The screens that there are. They are drawn elsewhere: whoever draws them hands their table over.
pub struct Screens {
    /// All of them; the first is where the dashboard starts.
    pub(crate) all: &'static [&'static Screen],
    /// The page about one entity.
    pub(crate) page_of: fn(Entity) -> &'static Screen,
    /// The page about keys and signs.
    pub(crate) help: &'static Screen,
}

impl Screens {
    /// Where the dashboard starts.
    pub(crate) fn first(&self) -> &'static Screen {
        self.all[0]
    }

    /// Those that a digit opens.
    pub(crate) fn listed(&self) -> impl Iterator<Item = &'static Screen> + use<> {
        self.all.iter().copied().filter(|screen| screen.key.is_some())
    }

    /// The page about `entity`, as a place to go to.
    pub(crate) fn place_of(&self, entity: Entity) -> Place {
        Place::new((self.page_of)(entity), Some(entity))
    }
}

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
    /// Lines that part the rows, in order.
    pub(crate) dividers: Vec<Divider>,
}

/// A line between rows, which cannot be selected.
#[derive(Debug, Clone)]
pub(crate) struct Divider {
    /// The row under it.
    pub(crate) above: usize,
    /// What all rows from there on have in common.
    pub(crate) text: String,
}

/// A line of a list.
pub(crate) enum Listed<'a> {
    Row(Entity),
    Divider(&'a str),
}

impl Rows {
    /// The lines of a list that was scrolled until this row is the first; a divider right above it is there too.
    pub(crate) fn lines(&self, first: usize) -> impl Iterator<Item = Listed<'_>> {
        self.order.iter().enumerate().skip(first).flat_map(|(n, &entity)| {
            let dividers = self.dividers.iter().filter(move |divider| divider.above == n);
            dividers.map(|divider| Listed::Divider(&divider.text)).chain([Listed::Row(entity)])
        })
    }

    /// The row that has to be the first one in so many lines, so that `row` is the last.
    pub(crate) fn first_for(&self, row: usize, lines: usize) -> usize {
        let mut first = (row + 1).saturating_sub(lines);
        let fits = |first: usize| {
            let dividers = self.dividers.iter().filter(|divider| (first..=row).contains(&divider.above));
            row + 1 - first + dividers.count() <= lines
        };
        while first < row && !fits(first) {
            first += 1;
        }
        first
    }

    /// These, and then others, parted from them by a line.
    pub(crate) fn part(&mut self, text: String, others: Self) {
        if !others.order.is_empty() {
            self.dividers.push(Divider { above: self.order.len(), text });
        }
        self.order.extend(others.order);
        self.total += others.total;
        self.passing += others.passing;
    }
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
        Rows { total, passing: order.len(), order, ..Rows::default() }
    }

    /// How the place wants its rows ordered.
    pub(crate) fn order(&self, place: &Place) -> Order {
        Order { by: self.column(place.sort), then: self.column(self.then), reverse: place.reverse }
    }

    /// What stands between the first line and the heads of the columns; no more than a third of the area.
    pub(crate) fn lines_above<'a>(&self, cx: &Cx<'a>, area: Rect) -> Page<'a> {
        let mut page = Page::new(cx, usize::from(area.width.saturating_sub(2)));
        (self.above)(cx, &mut page);
        page.truncate(usize::from(area.height / 3));
        page
    }

    /// Lines from the top of the area to the heads of the columns; the rows begin in the next one.
    pub(crate) fn head_line(&self, cx: &Cx, area: Rect) -> usize {
        1 + self.lines_above(cx, area).len()
    }
}
