//! Moving from screen to screen: into what is selected and back, to a list by its key, from finding to finding.

use crossterm::event::KeyCode;

use super::filter::Filter;
use super::keymap::Action;
use super::navigate::{select, select_row, settle, show_selected};
use super::screen::{Body, Screen};
use super::theme::Role;
use super::{App, Entity, Place, derived, names};
use crate::lints::FindingKey;

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

/// Goes into what is selected; into nothing unseen: a link that was scrolled away comes back into view.
pub(crate) fn enter(app: &mut App) {
    let Some(row) = app.selected() else {
        if app.row_count() > 0 {
            let (down, back) = (app.keys.shown(Action::Down), app.keys.shown(Action::Back));
            app.say(Role::Info, format!("no link leads on from here: {down} chooses one, {back} goes back"));
        }
        return;
    };
    if matches!(app.place().screen.body, Body::Page(_)) {
        let (top, height) = (app.place().offset, app.height());
        if app.lit_line(&app.page()).is_some_and(|line| !(top..top + height).contains(&line)) {
            show_selected(app);
            return;
        }
    }
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
    let mut place = app.screens.place_of(entity);
    if let Entity::Tasks(common) = entity {
        let filter = common.filter();
        place.flat = true;
        place.filter = Filter::parse(&filter, place.columns()).unwrap_or_default();
        place.filter_text = filter;
    }
    push(app, place);
}

/// Takes the filter off, or goes back one step. The last list stays.
pub(crate) fn back(app: &mut App) {
    if app.stack.len() > 1 {
        app.stack.pop();
        arrived(app);
    } else if !app.place().filter_text.is_empty() {
        super::prompt::apply(app, "");
    } else if app.place().screen.id != app.screens.first().id {
        // The finding that was looked at stays the one that keys are about; otherwise it is the worst.
        let finding = app.selected().filter(|row| matches!(row.entity, Entity::Finding(_)));
        to_root(app, app.screens.first());
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
        && let Some(screen) = app.screens.listed().find(|s| s.key == Some(c))
    {
        to_root(app, screen);
    }
}

/// The next or previous list.
pub(crate) fn turn(app: &mut App, by: isize) {
    let roots: Vec<_> = app.screens.listed().collect();
    let here = app.way().first().map_or("", |p| p.screen.id);
    let at = roots.iter().position(|s| s.id == here).unwrap_or(0).cast_signed();
    let next = (at + by).rem_euclid(roots.len().cast_signed());
    to_root(app, roots[next.cast_unsigned()]);
}

pub(crate) fn help(app: &mut App) {
    if app.place().screen.id == "help" {
        back(app);
    } else {
        push(app, Place::new(app.screens.help, None));
    }
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
        app.stack.push(Place::new(app.screens.first(), None));
    }
    push(app, app.screens.place_of(entity));
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
