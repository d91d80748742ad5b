//! The lines about something unusual, under the tabs.

use super::keymap::Action;
use super::theme::Role;
use super::{App, Link};
use crate::source::SourceError;
use crate::text::fit;

/// What is unusual, in words.
fn banner(app: &App) -> Option<(Role, String)> {
    if let Link::Ended { error, data_at: Some(_) } = &app.link
        && !matches!(error, SourceError::Ended { cut_short: false, short_of: None, .. })
    {
        return Some((Role::Warn, format!("{error} ({})", error.cause())));
    }
    if let Link::Lost { error, data_at: Some(_), .. } = &app.link {
        // The cause first: the rest of it stands in the first line already.
        return Some((Role::Warn, format!("shown as last heard: {} ({error})", error.cause())));
    }
    if let Some(notice) = &app.restarted {
        return Some((notice.role, notice.text.clone()));
    }
    app.frozen().then(|| {
        let key = app.keys.shown(Action::Freeze);
        let what = if app.recorded { "the replay is paused" } else { "the view is frozen; data still arrives" };
        (Role::Warn, format!("{what}, {key} goes on"))
    })
}

/// The banner in the lines that it takes on a screen of this size: a second one where there is room for it.
pub(crate) fn lines(app: &App, columns: u16, rows: u16) -> Vec<(Role, String)> {
    let most = if rows < 16 { 1 } else { 2 };
    let Some((role, text)) = banner(app) else { return Vec::new() };
    let lines = fit::lines(&text, usize::from(columns.saturating_sub(2)), most, app.glyphs.ellipsis);
    lines.into_iter().map(|line| (role, line)).collect()
}
