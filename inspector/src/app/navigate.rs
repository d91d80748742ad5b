//! Moving within a screen: the cursor, what it is on, and what is in view.

use ratatui::layout::Rect;

use super::page::Page;
use super::screen::Body;
use super::{App, Entity, Row, derived, layout, names, unseen};

impl App {
    /// The selectable rows in front, in order.
    pub(crate) fn rows(&self) -> Vec<Row> {
        match &self.place().screen.body {
            Body::Table(_) => self.derived.rows.order.iter().map(|&e| Row::of(e)).collect(),
            Body::Page(_) => self.page().rows().map(|(_, row)| row).collect(),
            Body::Custom { rows, .. } => rows(&self.cx()),
        }
    }

    fn row(&self, index: usize) -> Option<Row> {
        match &self.place().screen.body {
            Body::Table(_) => self.derived.rows.order.get(index).map(|&e| Row::of(e)),
            _ => self.rows().get(index).copied(),
        }
    }

    pub(super) fn row_count(&self) -> usize {
        match &self.place().screen.body {
            Body::Table(_) => self.derived.rows.order.len(),
            _ => self.rows().len(),
        }
    }

    /// The page in front, as wide as it is drawn.
    pub(crate) fn page(&self) -> Page<'_> {
        let place = self.place();
        let width = layout::layout(self, self.size.0, self.size.1).list.width;
        let mut page = Page::new(&self.cx(), usize::from(width));
        if let Body::Page(build) = &place.screen.body {
            build(&self.cx(), place, &mut page);
            unseen::below(&self.cx(), place, &mut page);
        }
        page
    }

    /// The page of what is selected, for the pane beside the list.
    pub(crate) fn page_beside(&self, area: Rect) -> Option<Page<'_>> {
        let place = self.screens.place_of(self.beside()?);
        let mut page = Page::new(&self.cx(), usize::from(area.width));
        if let Body::Page(build) = &place.screen.body {
            build(&self.cx(), &place, &mut page);
        }
        Some(page)
    }

    /// The selected row: where the operator put the cursor, or else the first; on a page, the link that leads on.
    pub(crate) fn selected(&self) -> Option<Row> {
        let place = self.place();
        let first = if matches!(place.screen.body, Body::Page(_)) { place.index } else { 0 };
        place.selected.or_else(|| self.row(first))
    }

    /// The line of `page`, which is in front, that is lit.
    pub(crate) fn lit_line(&self, page: &Page) -> Option<usize> {
        page.rows().nth(self.place().index).map(|(line, _)| line)
    }

    /// What the screen is about and what is selected on it.
    pub(crate) fn in_front(&self) -> impl Iterator<Item = Entity> + use<> {
        let page = self.place().subject;
        let selected = match &self.place().screen.body {
            // The links of a page depend on its relations, which are being looked up.
            Body::Page(_) => self.place().selected,
            _ => self.selected().filter(|_| !layout::layout(self, self.size.0, self.size.1).side.is_empty()),
        };
        [page, selected.map(|r| r.entity)].into_iter().flatten()
    }

    /// Rows or lines that fit.
    pub(super) fn height(&self) -> usize {
        let layout = layout::layout(self, self.size.0, self.size.1);
        let rows = match &self.place().screen.body {
            Body::Table(table) => {
                let above = table.head_line(&self.cx(), layout.list) + 1;
                usize::from(layout.list.height).saturating_sub(above)
            }
            _ => usize::from(layout.list.height),
        };
        rows.max(1)
    }
}

/// Puts selection and scrolling right after anything has changed: the cursor stays on its entity wherever that went,
/// and on its row number when the entity is gone.
pub(crate) fn settle(app: &mut App) {
    let height = app.height();
    match &app.place().screen.body {
        Body::Table(_) => {
            let count = app.derived.rows.order.len();
            if count == 0 && app.busy() {
                // Its rows are being looked for.
                return;
            }
            let place = app.place();
            let mut index = place.index;
            if let Some(selected) = place.selected {
                let order = &app.derived.rows.order;
                if order.get(index) != Some(&selected.entity) {
                    index = order.iter().position(|&e| e == selected.entity).unwrap_or(index);
                }
            } else {
                index = 0;
            }
            index = index.min(count.saturating_sub(1));
            let row = app.row(index);
            let first = app.derived.rows.first_for(index, height);
            let place = app.place_mut();
            if place.selected.is_some() {
                place.selected = row;
            }
            place.index = index;
            place.offset = place.offset.min(index).max(first).min(count.saturating_sub(1));
        }
        Body::Page(_) => {
            let page = app.page();
            let rows: Vec<_> = page.rows().collect();
            let most = page.len().saturating_sub(height);
            let onward = onward(app, &rows, height);
            let place = app.place_mut();
            place.offset = place.offset.min(most);
            let Some(selected) = place.selected else {
                place.index = onward;
                return;
            };
            // Two links of a page may lead to one entity in one role: the cursor stays on that which it was put on.
            if rows.get(place.index).is_none_or(|(_, row)| *row != selected) {
                let at = rows.iter().position(|(_, row)| *row == selected);
                place.index = at.unwrap_or(place.index).min(rows.len().saturating_sub(1));
            }
            place.selected = rows.get(place.index).map(|(_, row)| *row);
        }
        Body::Custom { .. } => {
            let rows = app.rows();
            let place = app.place_mut();
            if let Some(selected) = place.selected {
                let at = rows.iter().position(|row| *row == selected);
                place.index = at.unwrap_or(place.index).min(rows.len().saturating_sub(1));
                place.selected = rows.get(place.index).copied();
            }
        }
    }
}

/// The link that is lit on a page until the operator moves: the first within sight that leads to what was not come from,
/// and rather to a thing than to what is said of it, so that one key after the other follows the thread.
///
/// Past the last link where none leads on: then none is lit.
fn onward(app: &App, links: &[(usize, Row)], height: usize) -> usize {
    let been = |entity: Entity| app.way().iter().any(|place| place.subject == Some(entity));
    let new = |(line, row): &(usize, Row)| *line < height && !been(row.entity);
    let aside = |row: &Row| matches!(row.entity, Entity::Finding(_) | Entity::Worker(_));
    let on = links.iter().position(|link| new(link) && !aside(&link.1));
    on.or_else(|| links.iter().position(new)).unwrap_or(links.len())
}

fn moved(app: &mut App) {
    app.moved_at = app.clock;
    // The pane beside the list begins at the top again.
    app.side = (None, 0);
    settle(app);
    derived::focus(app);
}

pub(super) fn select(app: &mut App, index: usize) {
    let index = index.min(app.row_count().saturating_sub(1));
    let row = app.row(index);
    let place = app.place_mut();
    place.index = index;
    place.selected = row;
    moved(app);
}

/// Puts the cursor on that row.
pub(super) fn select_row(app: &mut App, row: Row) {
    if let Some(index) = app.rows().iter().position(|r| *r == row) {
        select(app, index);
    }
}

/// One row up or down; on a page, one link, or one line where there is none near in that direction.
pub(crate) fn step(app: &mut App, by: isize) {
    let place = app.place();
    if !matches!(place.screen.body, Body::Page(_)) {
        // The first press of a cursor key starts from the row that is already lit.
        select(app, place.index.saturating_add_signed(by));
        return;
    }
    let height = app.height();
    let page = app.page();
    let (top, bottom) = (place.offset, place.offset + height);
    let lit = app.lit_line(&page).filter(|line| (top..bottom).contains(line));
    // Half of what is in view stays in view, so nothing is skipped unread.
    let reach = top.saturating_sub(height / 2)..bottom + height / 2;
    let links: Vec<usize> = page.rows().map(|(line, _)| line).collect();
    let next = if by < 0 {
        let from = lit.unwrap_or(bottom);
        links.iter().rposition(|line| *line < from && reach.contains(line))
    } else {
        links.iter().position(|line| lit.is_none_or(|lit| *line > lit) && (top..reach.end).contains(line))
    };
    if let Some(index) = next {
        select(app, index);
        show_selected(app);
    } else {
        scroll(app, by);
    }
}

/// Moves a page under the cursor, which then goes to a link in view if its own no longer is.
pub(super) fn scroll(app: &mut App, by: isize) {
    let place = app.place_mut();
    place.offset = place.offset.saturating_add_signed(by);
    settle(app);
    let page = app.page();
    let view = app.place().offset..app.place().offset + app.height();
    if app.lit_line(&page).is_some_and(|line| view.contains(&line)) {
        return;
    }
    let links: Vec<usize> = page.rows().map(|(line, _)| line).collect();
    let visible = |line: &usize| view.contains(line);
    let nearest = if by < 0 { links.iter().rposition(visible) } else { links.iter().position(visible) };
    if let Some(index) = nearest {
        select(app, index);
    }
}

/// Scrolls the pane beside the list, which is drawn in `area`.
pub(super) fn scroll_side(app: &mut App, area: Rect, by: isize) {
    let lines = app.page_beside(area).map_or(0, |page| page.len());
    let most = lines.saturating_sub(usize::from(area.height));
    app.set_side_offset(app.side_offset().saturating_add_signed(by).min(most));
}

/// Brings the selected link of a page into view.
pub(super) fn show_selected(app: &mut App) {
    let height = app.height();
    let page = app.page();
    let index = app.place().index;
    let line = page.rows().nth(index).map(|(line, _)| line);
    let place = app.place_mut();
    if let Some(line) = line {
        let first = if index == 0 { 0 } else { line };
        place.offset = place.offset.min(first).max((line + 1).saturating_sub(height));
    }
    settle(app);
}

pub(crate) fn to_end(app: &mut App, bottom: bool) {
    let place = app.place();
    if let Body::Page(_) = place.screen.body {
        let (offset, index) = if bottom { (app.page().len(), app.row_count().saturating_sub(1)) } else { (0, 0) };
        select(app, index);
        app.place_mut().offset = offset;
        settle(app);
        return;
    }
    let last = app.row_count().saturating_sub(1);
    select(app, if bottom { last } else { 0 });
}

/// A `1/part` of the height up or down.
pub(crate) fn page(app: &mut App, by: isize, part: usize) {
    let height = (app.height() / part).max(1).cast_signed();
    if let Body::Page(_) = app.place().screen.body {
        scroll(app, by * height);
        return;
    }
    let index = app.place().index.saturating_add_signed(by * height);
    select(app, index);
}

/// Sorts by the next column that can be sorted by.
pub(crate) fn next_sort(app: &mut App) {
    use super::column::Width;
    let place = app.place_mut();
    let columns: Vec<_> = place.columns().iter().filter(|c| !matches!(c.width, Width::Hidden)).map(|c| c.id).collect();
    if columns.is_empty() {
        return;
    }
    let at = columns.iter().position(|id| *id == place.sort).map_or(0, |n| (n + 1) % columns.len());
    place.sort = columns[at];
    place.reverse = false;
    derived::refresh(app);
}

/// The list alone over the whole width, or with what is selected again; where there is no room for both, the columns that
/// had none.
pub(crate) fn wider(app: &mut App) {
    if app.size.0 >= layout::BOTH {
        app.wide = !app.wide;
    } else {
        app.place_mut().set += 1;
    }
}

/// Shows or hides what the selected row stands for: the tasks of a spawn site, the locks or channels of one line; or what
/// is of one place with the selected row.
pub(crate) fn fold(app: &mut App) {
    let Some(row) = app.selected() else { return };
    let site = match row.entity {
        Entity::Site(id) => id,
        Entity::Task(id) => match app.cx().model.tasks.get(&id) {
            Some(task) => task.site,
            None => return,
        },
        Entity::Lock(_) | Entity::Channel(_) => match names::made_at(app.cx().model, row.entity) {
            Some(site) if app.derived.groups.many(site) => site,
            _ => return,
        },
        _ => return,
    };
    let place = app.place_mut();
    if place.flat {
        return;
    }
    if !place.open.remove(&site) {
        place.open.insert(site);
    }
    place.selected = Some(Row::of(Entity::Site(site)));
    derived::refresh(app);
}
