//! Moving along the timeline.

use super::App;
use super::navigate::settle;
use super::theme::Role;

/// Along the timeline: `by` seconds, from where it stands.
pub(super) fn step(app: &mut App, by: isize) {
    let last = app.history().len().saturating_sub(1);
    let here = app.scrubbed.and_then(|at| app.history().at(at)).unwrap_or(last);
    to(app, here.saturating_add_signed(by).min(last));
}

/// Along the timeline to the next second, or the one before, in which other findings lasted than in the one before it.
pub(super) fn to_change(app: &mut App, by: isize) {
    let last = app.history().len().saturating_sub(1);
    let here = app.scrubbed.and_then(|at| app.history().at(at)).unwrap_or(last);
    let changed = |n: &usize| app.history().changed(*n);
    let next = if by > 0 { (here + 1..=last).find(changed) } else { (0..here).rev().find(changed) };
    match next {
        Some(next) => to(app, next),
        None if by > 0 => app.say(Role::Info, "nothing has changed since"),
        None => app.say(Role::Info, "nothing changed before that, as far as is known"),
    }
}

/// Along the timeline to that moment; the newest is now, and goes on.
pub(super) fn to(app: &mut App, next: usize) {
    let is_now = next + 1 >= app.history().len();
    app.scrubbed = if is_now { None } else { app.history().get(next).map(|m| m.at) };
    let place = app.place_mut();
    (place.selected, place.index, place.offset) = (None, 0, 0);
    settle(app);
}
