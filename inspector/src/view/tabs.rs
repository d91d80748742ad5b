//! The screens by their keys, or the way here once the operator has gone into something.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::screens::SCREENS;
use super::theme::Role;
use super::{fit, widgets};
use crate::app::App;
use crate::app::screen::Screen;

/// Draws them.
pub(crate) fn draw(app: &App, buf: &mut Buffer, area: Rect) {
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
    let worst = app.cx().active().map(|f| f.severity).max();
    for (at, text, screen) in all(app, area) {
        let style = theme.style(if screen.id == here { Role::Accent } else { Role::Muted });
        let style = if screen.id == here { style.patch(underlined()) } else { style };
        let x = widgets::put(buf, at, area.y, area.right(), &text, style);
        if let Some(severity) = worst.filter(|_| screen.id == "findings") {
            widgets::put(buf, x, area.y, area.right(), app.glyphs.severity(severity), theme.style(severity.into()));
        }
    }
}

/// The tab at column `x`.
pub(crate) fn at(app: &App, area: Rect, x: u16) -> Option<&'static Screen> {
    let all = all(app, area);
    let (.., screen) = all.iter().rev().find(|(start, ..)| *start <= x)?;
    Some(screen)
}

/// Letters that leave every title whole but the one that can spare some: what 80 columns want.
const NEARLY: usize = 60;

/// Where each tab begins, and what it says.
fn all(app: &App, area: Rect) -> Vec<(u16, String, &'static Screen)> {
    let here = app.place().screen.id;
    // How many there are of the worst kind, whose sign stands behind the number.
    let found = found(app);
    let text = |screen: &Screen, letters: usize| {
        let letters = match (screen.id, letters) {
            ("timeline", NEARLY) => 4,
            (id, _) if id == here => usize::MAX,
            (_, letters) => letters,
        };
        let title: String = screen.title.chars().take(letters).collect();
        let found = if screen.id == "findings" && found > 0 { format!(" {found}") } else { String::new() };
        let key = screen.key.unwrap_or(' ');
        if title.is_empty() { format!("{key}{found}") } else { format!("{key} {title}{found}") }
    };
    let tabs = || SCREENS.iter().copied().filter(|s| s.key.is_some());
    // Titles shrink before the last tab falls off.
    let gaps = [(usize::MAX, 2), (usize::MAX, 1), (NEARLY, 1), (4, 1), (3, 1), (2, 1), (0, 1)];
    let width = |letters, gap| tabs().map(|s| text(s, letters).chars().count() + gap).sum::<usize>() + 2;
    let fits = |&(letters, gap): &(usize, usize)| width(letters, gap) <= usize::from(area.width);
    let (letters, gap) = gaps.into_iter().find(fits).unwrap_or((0, 1));
    let mut x = area.left() + 1;
    tabs()
        .map(|screen| {
            let text = text(screen, letters);
            let start = x;
            let sign = usize::from(screen.id == "findings" && found > 0);
            x = x.saturating_add((text.chars().count() + sign + gap) as u16);
            (start, text, screen)
        })
        .collect()
}

/// How many findings there are of the worst severity that there is.
fn found(app: &App) -> usize {
    let cx = app.cx();
    let worst = cx.active().map(|f| f.severity).max();
    cx.active().filter(|f| Some(f.severity) == worst).count()
}

fn underlined() -> ratatui::style::Style {
    ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::BOLD | ratatui::style::Modifier::UNDERLINED)
}
