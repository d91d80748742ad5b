//! What surrounds every screen: the first line, the tabs, the banner and the last line.
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::layout::Shape;
use super::screens::SCREENS;
use super::theme::Role;
use super::{figures, fit, widgets};
use crate::app::keymap::{Action, KEYMAP, Scope};
use crate::app::screen::Screen;
use crate::app::{App, Link};

/// `● live`, `STALE 12s · retry in 3s · r now`, `connecting`.
pub(crate) fn link(app: &App) -> (Role, String) {
    let g = app.glyphs;
    match &app.link {
        Link::Connecting { .. } => (Role::Warn, format!("{} connecting", g.stale)),
        Link::Live { data_at } => {
            let age = app.clock.saturating_sub(*data_at);
            match age.as_secs() {
                0 => (Role::Ok, format!("{} live", g.live)),
                1..5 => (Role::Ok, format!("{} live {}", g.live, figures::seconds(age))),
                _ => (Role::Warn, format!("{} silent {}", g.live, figures::seconds(age))),
            }
        }
        Link::Lost { data_at, retry_at, .. } => {
            let wait = retry_at.saturating_sub(app.clock);
            let retry = if wait == Duration::ZERO {
                "connecting".to_owned()
            } else {
                format!("retry in {}", figures::seconds(wait + Duration::from_millis(999)))
            };
            let what = match data_at {
                Some(at) => format!("STALE {}", figures::seconds(app.clock.saturating_sub(*at))),
                None => "NOT CONNECTED".to_owned(),
            };
            (Role::Crit, format!("{} {what} {d} {retry} {d} r now", g.stale, d = g.dot))
        }
    }
}

/// Who the target is, whether it is there, and what watching it takes.
pub(crate) fn header(app: &App, buf: &mut Buffer, area: Rect) {
    let cx = app.cx();
    let (g, target) = (app.glyphs, &cx.model.target);
    let (role, state) = link(app);

    let mut right = vec![(role, state)];
    if app.frozen() {
        right.insert(0, (Role::Warn, "FROZEN".to_owned()));
    }
    let shed = cx.model.loss.total();
    if shed > 0 {
        right.push((Role::Warn, format!("shed {}", figures::count(shed))));
    }
    if app.ever_connected() && cx.model.complete {
        let cost = &cx.model.cost;
        let probe = format!("probe {} {}", figures::share(cost.cpu_share), figures::bytes(cost.memory_bytes));
        right.push((Role::Muted, probe));
        if shed == 0 && area.width >= 100 {
            right.push((Role::Muted, "shed 0".to_owned()));
        }
    }
    let mut left = Vec::new();
    if target.app.is_empty() {
        left.push((Role::Strong, app.address().to_owned()));
    } else {
        left.push((Role::Strong, fit::head(&target.app, 30, g.ellipsis)));
        left.push((Role::Text, format!(" pid {}", target.pid)));
        left.push((Role::Muted, format!("  {}", app.address())));
    }

    // What is at the right matters more: the left gives way, then the cost of the probe.
    let gap = format!(" {} ", g.dot);
    let length = |parts: &[(Role, String)]| -> usize {
        parts.iter().map(|(_, t)| fit::width(t)).sum::<usize>() + parts.len().saturating_sub(1) * fit::width(&gap)
    };
    let columns = usize::from(area.width);
    while right.len() > 1 && length(&right) + 14 > columns {
        right.pop();
    }
    let right_width = length(&right).min(columns);
    let start = area.right().saturating_sub(right_width as u16 + 1).max(area.left());
    let mut x = area.left() + 1;
    for (role, text) in &left {
        let room = usize::from(start.saturating_sub(x).saturating_sub(1));
        let text = fit::head(text, room, g.ellipsis);
        x = widgets::put(buf, x, area.y, start, &text, app.theme.style(*role));
    }
    let mut x = start;
    for (n, (role, text)) in right.iter().enumerate() {
        if n > 0 {
            x = widgets::put(buf, x, area.y, area.right(), &gap, app.theme.style(Role::Muted));
        }
        x = widgets::put(buf, x, area.y, area.right(), text, app.theme.style(*role));
    }
}

/// The screens by their keys, or the way here once the operator has gone into something.
pub(crate) fn tabs(app: &App, buf: &mut Buffer, area: Rect) {
    let theme = &app.theme;
    let mut x = area.left() + 1;
    if app.way().len() > 1 {
        let crumbs = crate::app::crumbs(app);
        let g = app.glyphs;
        // The end of the way matters most.
        let mut room = usize::from(area.width.saturating_sub(2));
        let mut first = crumbs.len() - 1;
        room = room.saturating_sub(fit::width(&crumbs[first]).min(44));
        while first > 0 {
            let width = fit::width(&crumbs[first - 1]).min(24) + 3;
            if width > room {
                break;
            }
            room -= width;
            first -= 1;
        }
        if first > 0 {
            x = widgets::put(buf, x, area.y, area.right(), &g.ellipsis.to_string(), theme.style(Role::Muted));
        }
        for (n, crumb) in crumbs.iter().enumerate().skip(first) {
            if n > 0 {
                let sign = format!(" {} ", g.crumb);
                x = widgets::put(buf, x, area.y, area.right(), &sign, theme.style(Role::Muted));
            }
            let last = n + 1 == crumbs.len();
            let text = fit::head(crumb, if last { usize::from(area.width) } else { 24 }, g.ellipsis);
            let role = if last { Role::Strong } else { Role::Muted };
            x = widgets::put(buf, x, area.y, area.right(), &text, theme.style(role));
        }
        return;
    }
    let here = app.place().screen.id;
    let active = || app.cx().findings.iter().filter(|f| f.active());
    let worst_of_all = active().map(|f| f.severity).max();
    let text_of = |screen: &Screen, letters: usize| {
        let key = screen.key.unwrap_or(' ');
        let letters = if screen.id == here { usize::MAX } else { letters };
        let title: String = screen.title.chars().take(letters).collect();
        let found = if screen.id == "findings" && worst_of_all.is_some() {
            format!(" {}", active().count())
        } else {
            String::new()
        };
        format!("{key} {title}{found}").replace("  ", " ")
    };
    let tabs = || SCREENS.iter().filter(|s| s.key.is_some());
    // Titles shrink before the last tab falls off.
    let gap = |letters: usize| if letters == usize::MAX { 2 } else { 1 };
    let width = |letters: usize| tabs().map(|s| text_of(s, letters).chars().count() + gap(letters)).sum::<usize>() + 2;
    let room = usize::from(area.width);
    let letters = [usize::MAX, 8, 6, 5, 4, 3, 2].into_iter().find(|&l| width(l) <= room).unwrap_or(0);
    for screen in tabs() {
        let role = if screen.id == here { Role::Accent } else { Role::Muted };
        let text = text_of(screen, letters);
        let worst = worst_of_all.filter(|_| screen.id == "findings");
        if screen.id == here {
            x = widgets::put(buf, x, area.y, area.right(), &text, theme.style(role).patch(underlined()));
        } else {
            x = widgets::put(buf, x, area.y, area.right(), &text, theme.style(role));
        }
        if let Some(severity) = worst {
            x = widgets::put(buf, x, area.y, area.right(), app.glyphs.severity(severity), theme.style(severity.into()));
        }
        x += gap(letters) as u16;
    }
}

fn underlined() -> ratatui::style::Style {
    ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::BOLD | ratatui::style::Modifier::UNDERLINED)
}

/// One line about something unusual, under the tabs.
pub(crate) fn banner(app: &App) -> Option<(Role, String)> {
    if let Link::Lost { error, data_at: Some(_), .. } = &app.link {
        // The cause first: the rest of it stands in the first line already.
        return Some((Role::Warn, format!("{} ({error})", error.cause())));
    }
    if let Some(notice) = &app.restarted {
        return Some((notice.role, notice.text.clone()));
    }
    app.frozen().then(|| (Role::Warn, "the view is frozen; data still arrives, Space goes on".to_owned()))
}

pub(crate) fn draw_banner(app: &App, buf: &mut Buffer, area: Rect) {
    if let Some((role, text)) = banner(app) {
        let text = fit::head(&text, usize::from(area.width.saturating_sub(2)), app.glyphs.ellipsis);
        widgets::put(buf, area.left() + 1, area.y, area.right(), &text, app.theme.style(role));
    }
}

/// The keys that mean something here, or what was just said, or the filter being typed.
pub(crate) fn footer(app: &App, buf: &mut Buffer, area: Rect, shape: Shape) {
    let theme = &app.theme;
    let end = area.right();
    if let Some(prompt) = &app.prompt {
        let x = widgets::put(buf, area.left(), area.y, end, "/", theme.style(Role::Accent));
        let room = usize::from(end.saturating_sub(x)).saturating_sub(1).max(1);
        let scroll = prompt.input.visual_scroll(room);
        let text: String = skip_columns(prompt.input.value(), scroll);
        widgets::put(buf, x, area.y, end, &text, theme.style(Role::Text));
        let cursor = x + (prompt.input.visual_cursor().saturating_sub(scroll)).min(room) as u16;
        if cursor < end {
            let style = ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::REVERSED);
            buf.set_style(Rect::new(cursor, area.y, 1, 1).intersection(buf.area), style);
        }
        if area.y > 0 {
            let above = area.y - 1;
            let (role, text) = match &prompt.error {
                Some(error) => (Role::Crit, format!("{} {error}", app.glyphs.crit)),
                None => (Role::Muted, hint(app)),
            };
            let line = fit::left(&text, usize::from(area.width), app.glyphs.ellipsis);
            widgets::put(buf, area.left(), above, end, &line, theme.style(role));
        }
        return;
    }
    if let Some(notice) = app.notice() {
        let text = fit::head(&notice.text, usize::from(area.width.saturating_sub(2)), app.glyphs.ellipsis);
        widgets::put(buf, area.left() + 1, area.y, end, &text, theme.style(notice.role));
        return;
    }
    let wanted: Vec<_> = KEYMAP
        .iter()
        .filter(|b| !b.hint.is_empty() && b.scope.holds(app))
        // There is nothing to go back to on a list without a filter.
        .filter(|b| b.action != Action::Back || app.way().len() > 1 || !app.place().filter_text.is_empty())
        .filter(|b| shape == Shape::Full || matches!(b.scope, Scope::Any | Scope::Lost))
        .map(|b| (b.shown.split(' ').next().unwrap_or_default(), b.hint))
        .collect();
    // Help and quit are the last of the table and the last to go.
    let width = |(keys, hint): &(&str, &str)| fit::width(keys) + 1 + fit::width(hint) + 2;
    let tail: usize = wanted.iter().rev().take(2).map(width).sum();
    let (head, last) = wanted.split_at(wanted.len().saturating_sub(2));
    let mut room = usize::from(area.width).saturating_sub(tail + 1);
    let mut x = area.left() + 1;
    let fitting: Vec<_> = head
        .iter()
        .take_while(|key| {
            let fits = width(key) <= room;
            room = room.saturating_sub(width(key));
            fits
        })
        .chain(last)
        .collect();
    for (keys, hint) in fitting {
        x = widgets::put(buf, x, area.y, end, keys, theme.style(Role::Accent));
        x = widgets::put(buf, x, area.y, end, &format!(" {hint}  "), theme.style(Role::Muted));
    }
}

fn hint(app: &App) -> String {
    let mut fields: Vec<_> = app.place().columns().iter().map(|c| c.id).collect();
    fields.sort_unstable();
    format!("text  !not  field:text  field>1s  {} fields: {}", app.glyphs.dot, fields.join(" "))
}

fn skip_columns(text: &str, columns: usize) -> String {
    let mut skipped = 0;
    text.chars()
        .skip_while(|c| {
            let skip = skipped < columns;
            skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
            skip
        })
        .collect()
}
