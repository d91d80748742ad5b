//! All targets, the worst first: two lines each, who it is and the worst that is said of it.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{frame, widgets};
use crate::app::fleet::TOP;
use crate::app::keymap::Action;
use crate::app::theme::Role;
use crate::app::{App, Fleet, glyphs};
use crate::lints::Severity;
use crate::text::{self, figures, fit};

/// Columns before the name of a target.
const INDENT: usize = 8;

/// Draws one frame: the list, or the dashboard in front.
pub(crate) fn draw(fleet: &Fleet, frame: &mut Frame) {
    if !fleet.listed() {
        super::draw(fleet.front(), frame);
        return;
    }
    let area = frame.area();
    let buf = frame.buffer_mut();
    let app = fleet.front();
    if area.width < 40 || area.height < 8 {
        super::too_small(app, frame, area);
        return;
    }
    let counts = |limit: Severity| {
        let of = |app: &App| app.cx().active().filter(|finding| finding.severity == limit).count();
        fleet.apps().iter().map(of).sum::<usize>()
    };
    let found: Vec<String> = [Severity::Crit, Severity::Warn, Severity::Info]
        .into_iter()
        .filter_map(|severity| Some(counts(severity)).filter(|n| *n > 0).map(|n| format!("{n} {severity}")))
        .collect();
    let untold = fleet.apps().iter().filter(|app| !app.link.live() || !app.cx().judged()).count();
    let found = match (found.is_empty(), untold) {
        (false, _) => found.join(", "),
        (true, 0) => "nothing is wrong".to_owned(),
        (true, n) => format!("{n} not judged now"),
    };
    let title = crate::text::counted(fleet.apps().len() as u64, "target");
    let x = widgets::put(buf, 1, 0, area.right(), &title, app.theme.style(Role::Strong));
    let text = format!(" {} {found}", app.glyphs.dot);
    widgets::put(buf, x, 0, area.right(), &text, app.theme.style(Role::Muted));

    let order = fleet.order();
    for (row, &n) in order.iter().enumerate().skip(fleet.first(&order, area.height)) {
        let y = TOP + 2 * (row - fleet.first(&order, area.height)) as u16;
        if y + 1 >= area.bottom() - 1 {
            break;
        }
        target(&fleet.apps()[n], buf, Rect { y, height: 2, ..area });
        if n == fleet.chosen() {
            buf.set_style(Rect { y, height: 2, ..area }, app.theme.selected());
        }
    }
    keys(app, buf, area);
    if std::ptr::eq(app.glyphs, &raw const glyphs::ASCII) {
        super::to_ascii(buf);
    }
}

/// Two lines about one target.
fn target(app: &App, buf: &mut Buffer, area: Rect) {
    let (cx, g, theme) = (app.cx(), app.glyphs, &app.theme);
    let worst = cx.active().next();
    let (role, word) = match worst {
        Some(finding) => {
            let word = finding.severity.to_string().to_uppercase();
            (Role::from(finding.severity), format!("{} {word}", g.severity(finding.severity)))
        }
        None if cx.judged() => (Role::Ok, format!("{} OK", g.ok)),
        None => (Role::Muted, g.stale.to_owned()),
    };
    let (link_role, link) = frame::link(app);
    let link_at = area.right().saturating_sub(fit::width(&link) as u16 + 1);
    widgets::put(buf, area.x, area.y, area.right(), &fit::left(&word, INDENT, g.ellipsis), theme.style(role));
    let mut x = area.x + INDENT as u16;
    let target = &cx.model.target;
    if !target.app.is_empty() {
        let name = fit::head(&target.app, 30, g.ellipsis);
        x = widgets::put(buf, x, area.y, link_at, &name, theme.style(Role::Strong));
        x = widgets::put(buf, x, area.y, link_at, &format!(" pid {}  ", target.pid), theme.style(Role::Text));
    }
    let count = cx.active().count();
    let more = if count > 1 { format!("  {}", crate::text::counted(count as u64, "finding")) } else { String::new() };
    let tasks =
        if cx.model.complete { format!("  {} tasks", figures::count(cx.model.live_tasks())) } else { String::new() };
    let aside = format!("{}{tasks}{more}", app.address());
    let aside = fit::head(&aside, usize::from(link_at.saturating_sub(x + 1)), g.ellipsis);
    widgets::put(buf, x, area.y, link_at, &aside, theme.style(Role::Muted));
    widgets::put(buf, link_at, area.y, area.right(), &link, theme.style(link_role));

    let (role, text) = match worst {
        Some(finding) => {
            let place = text::file_line(finding.line().0);
            let place = if place.is_empty() { String::new() } else { format!("{place} ") };
            (Role::Text, format!("{place}{}", finding.message))
        }
        None if cx.judged() => {
            let unseen = match cx.model.target.blind.len() {
                0 => String::new(),
                n => format!("; {} not visible", crate::text::counted(n as u64, "thing")),
            };
            (Role::Muted, format!("nothing is wrong that the rules can see{unseen}"))
        }
        None if cx.model.complete => (Role::Muted, "the rules are looking".to_owned()),
        None => (Role::Muted, "nothing was heard of it yet".to_owned()),
    };
    let text = fit::head(&text, usize::from(area.width).saturating_sub(INDENT + 1), g.ellipsis);
    widgets::put(buf, area.x + INDENT as u16, area.y + 1, area.right(), &text, theme.style(role));
}

/// The last line.
fn keys(app: &App, buf: &mut Buffer, area: Rect) {
    let mut x = area.left() + 1;
    for (action, does) in [
        (Action::In, "its dashboard"),
        (Action::Down, "down"),
        (Action::Up, "up"),
        (Action::Back, "back"),
        (Action::Quit, "quit"),
    ] {
        x = widgets::put(
            buf,
            x,
            area.bottom() - 1,
            area.right(),
            app.keys.shown(action),
            app.theme.style(Role::Accent),
        );
        x = widgets::put(buf, x, area.bottom() - 1, area.right(), &format!(" {does}  "), app.theme.style(Role::Muted));
    }
}
