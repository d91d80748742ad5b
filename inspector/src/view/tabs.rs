//! The screens by their keys, or the way here once the operator has gone into something.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::widgets;
use crate::app::theme::Role;
use crate::app::{App, tabs};
use crate::text::fit;

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
    for (at, text, screen) in tabs::all(app, area) {
        let style = theme.style(if screen.id == here { Role::Accent } else { Role::Muted });
        let style = if screen.id == here { style.patch(underlined()) } else { style };
        let x = widgets::put(buf, at, area.y, area.right(), &text, style);
        if let Some(severity) = worst.filter(|_| screen.id == "findings") {
            widgets::put(buf, x, area.y, area.right(), app.glyphs.severity(severity), theme.style(severity.into()));
        }
    }
}

fn underlined() -> ratatui::style::Style {
    ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::BOLD | ratatui::style::Modifier::UNDERLINED)
}
