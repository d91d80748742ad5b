//! Moving: within a screen, into what is selected, and back.

use crossterm::event::KeyCode;

use super::screen::{Body, Screen};
use super::{App, Entity, Place, Row, derived};
use crate::lints::FindingKey;
use crate::view::layout;
use crate::view::names;
use crate::view::page::Page;
use crate::view::screens::{self, SCREENS};
use crate::view::table;
use crate::view::theme::Role;

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

    fn row_count(&self) -> usize {
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
            crate::view::screens::blind_spots(&self.cx(), place.screen, &mut page);
        }
        page
    }

    /// The selected row: where the operator put the cursor, or the first.
    pub(crate) fn selected(&self) -> Option<Row> {
        self.place().selected.or_else(|| self.row(0))
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
    fn height(&self) -> usize {
        let layout = layout::layout(self, self.size.0, self.size.1);
        let rows = match &self.place().screen.body {
            Body::Table(table) => {
                let above = table::head_line(&self.cx(), table, layout.list) + 1;
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
            let place = app.place_mut();
            if place.selected.is_some() {
                place.selected = row;
            }
            place.index = index;
            place.offset = place.offset.min(index).max((index + 1).saturating_sub(height)).min(count.saturating_sub(1));
        }
        Body::Page(_) => {
            let page = app.page();
            let rows: Vec<_> = page.rows().collect();
            let most = page.len().saturating_sub(height);
            let place = app.place_mut();
            place.offset = place.offset.min(most);
            if let Some(selected) = place.selected {
                let at = rows.iter().position(|(_, row)| *row == selected);
                place.index = at.unwrap_or(place.index).min(rows.len().saturating_sub(1));
                place.selected = rows.get(place.index).map(|(_, row)| *row);
            }
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

fn moved(app: &mut App) {
    app.moved_at = app.clock;
    settle(app);
    derived::focus(app);
}

fn select(app: &mut App, index: usize) {
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

/// One row up or down; on a page, one link, or one line where there is none in that direction.
pub(crate) fn step(app: &mut App, by: isize) {
    let count = app.row_count();
    let place = app.place();
    let next = place.index.saturating_add_signed(by);
    if !matches!(place.screen.body, Body::Page(_)) {
        // The first press of a cursor key starts from the row that is already lit.
        select(app, next);
        return;
    }
    if next < count && next != place.index {
        select(app, next);
        show_selected(app);
    } else {
        scroll(app, by);
    }
}

fn scroll(app: &mut App, by: isize) {
    let place = app.place_mut();
    place.offset = place.offset.saturating_add_signed(by);
    settle(app);
}

/// Brings the selected link of a page into view.
fn show_selected(app: &mut App) {
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
        let offset = app.place().offset;
        let bottom = offset + app.height();
        let visible =
            app.page().rows().enumerate().find(|(_, (line, _))| (offset..bottom).contains(line)).map(|(n, _)| n);
        if let Some(index) = visible {
            select(app, index);
        }
        return;
    }
    let index = app.place().index.saturating_add_signed(by * height);
    select(app, index);
}

/// Shows `place` on top of the way here.
fn push(app: &mut App, place: Place) {
    // Going round in circles between a task and its lock should not make the way back endless.
    const DEEPEST: usize = 50;
    if app.stack.len() >= DEEPEST {
        app.stack.remove(1);
    }
    app.stack.push(place);
    arrived(app);
}

fn arrived(app: &mut App) {
    app.prompt = None;
    derived::refresh(app);
    settle(app);
    app.touch();
}

/// Goes into what is selected.
pub(crate) fn enter(app: &mut App) {
    let Some(row) = app.selected() else {
        return;
    };
    open(app, row.entity);
}

/// Shows the page about `entity`.
pub(crate) fn open(app: &mut App, entity: Entity) {
    if !entity.exists(app.cx().model) {
        let what = if matches!(entity, Entity::Task(_)) && names::unwatched_may_live(app.cx().model) {
            "is not watched: it has ended, or a library spawned it and it does not wait now"
        } else {
            "has ended and is no longer known one by one"
        };
        app.say(Role::Warn, format!("{} {what}", entity.id_text()));
        return;
    }
    if app.place().subject == Some(entity) {
        return;
    }
    push(app, Place::new(screens::page_of(entity), Some(entity)));
}

/// Takes the filter off, or goes back one step. The last list stays.
pub(crate) fn back(app: &mut App) {
    if app.stack.len() > 1 {
        app.stack.pop();
        arrived(app);
    } else if !app.place().filter_text.is_empty() {
        super::prompt::apply(app, "");
    } else if app.place().screen.id != SCREENS[0].id {
        // The finding that was looked at stays the one that keys are about; otherwise it is the worst.
        let finding = app.selected().filter(|row| matches!(row.entity, Entity::Finding(_)));
        to_root(app, SCREENS[0]);
        let place = app.place_mut();
        (place.selected, place.index, place.offset) = (None, 0, 0);
        if let Some(row) = finding {
            select_row(app, row);
        }
    }
}

pub(super) fn to_root(app: &mut App, screen: &'static Screen) {
    let bottom = app.stack.swap_remove(0);
    let here = bottom.screen.id;
    app.left.insert(here, bottom);
    let place = app.left.remove(screen.id).unwrap_or_else(|| Place::new(screen, None));
    app.stack = vec![place];
    arrived(app);
}

pub(crate) fn root(app: &mut App, code: KeyCode) {
    if let KeyCode::Char(c) = code
        && let Some(screen) = SCREENS.iter().find(|s| s.key == Some(c))
    {
        to_root(app, screen);
    }
}

/// The next or previous list.
pub(crate) fn turn(app: &mut App, by: isize) {
    let roots: Vec<_> = SCREENS.iter().filter(|s| s.key.is_some()).collect();
    let here = app.way().first().map_or("", |p| p.screen.id);
    let at = roots.iter().position(|s| s.id == here).unwrap_or(0).cast_signed();
    let next = (at + by).rem_euclid(roots.len().cast_signed());
    to_root(app, roots[next.cast_unsigned()]);
}

pub(crate) fn help(app: &mut App) {
    if app.place().screen.id == "help" {
        back(app);
    } else {
        push(app, Place::new(&screens::help::SCREEN, None));
    }
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

/// Shows or hides the tasks of the selected spawn site, or of the site of the selected task.
pub(crate) fn fold(app: &mut App) {
    let Some(row) = app.selected() else { return };
    let site = match row.entity {
        Entity::Site(id) => id,
        Entity::Task(id) => match app.cx().model.tasks.get(&id) {
            Some(task) => task.site,
            None => return,
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

/// To the next or previous active finding: the cursor where findings are listed, the page elsewhere.
pub(crate) fn to_finding(app: &mut App, by: isize) {
    let active: Vec<FindingKey> = app.cx().active().map(crate::lints::Finding::key).collect();
    if active.is_empty() {
        app.say(Role::Ok, "there is no finding now");
        return;
    }
    let listed = matches!(app.place().screen.id, "overview" | "findings");
    let here = if listed { app.selected().map(|r| r.entity) } else { app.place().subject };
    let at = active.iter().position(|k| here == Some(Entity::Finding(*k)));
    let next = match at {
        // The first row of a list is lit before the cursor was ever moved: `n` goes on from there.
        Some(at) => (at.cast_signed() + by).rem_euclid(active.len().cast_signed()).cast_unsigned(),
        None if by > 0 => 0,
        None => active.len() - 1,
    };
    let entity = Entity::Finding(active[next]);
    if listed && let Some(index) = app.rows().iter().position(|r| r.entity == entity) {
        select(app, index);
        return;
    }
    if matches!(app.place().subject, Some(Entity::Finding(_))) {
        app.stack.pop();
    }
    if app.stack.is_empty() {
        app.stack.push(Place::new(SCREENS[0], None));
    }
    push(app, Place::new(screens::page_of(entity), Some(entity)));
}

/// Along the timeline: `by` seconds, from where it stands.
pub(crate) fn scrub(app: &mut App, by: isize) {
    let last = app.history.len().saturating_sub(1);
    let here = app.scrubbed.and_then(|at| app.history.at(at)).unwrap_or(last);
    let next = here.saturating_add_signed(by).min(last);
    app.scrubbed = if next == last { None } else { app.history.get(next).map(|m| m.at) };
    let place = app.place_mut();
    (place.selected, place.index, place.offset) = (None, 0, 0);
    settle(app);
}

/// What the way here reads like.
pub(crate) fn crumbs(app: &App) -> Vec<String> {
    app.way()
        .iter()
        .map(|place| match place.subject {
            Some(entity) => names::entity(&app.cx(), entity),
            None => place.screen.title.to_owned(),
        })
        .collect()
}
