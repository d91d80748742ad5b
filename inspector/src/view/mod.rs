//! What the operator sees, drawn from an [`App`] that it cannot change and that knows nothing of it.

pub(crate) mod block;
pub(crate) mod fleet;
pub(crate) mod footer;
pub(crate) mod frame;
mod page;
pub(crate) mod screens;
pub(crate) mod table;
pub(crate) mod tabs;
pub(crate) mod wait_tree;
pub(crate) mod widgets;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::app::keymap::Action;
use crate::app::layout::{self, Shape};
use crate::app::page::Page;
use crate::app::screen::Body;
use crate::app::theme::Role;
use crate::app::{App, Link, Place, glyphs};
use crate::text::figures;

pub use screens::SCREENS;

/// The names of all screens, in the order of their table.
pub fn screens() -> impl Iterator<Item = &'static str> {
    SCREENS.all.iter().map(|screen| screen.id)
}

/// Draws one frame.
pub fn draw(app: &App, frame: &mut Frame) {
    let area = frame.area();
    let layout = layout::layout(app, area.width, area.height);
    if layout.shape == Shape::TooSmall {
        too_small(app, frame, area);
        return;
    }
    frame::header(app, frame.buffer_mut(), layout.header);
    if !layout.tabs.is_empty() {
        tabs::draw(app, frame.buffer_mut(), layout.tabs);
    }
    if !layout.banner.is_empty() {
        frame::draw_banner(app, frame.buffer_mut(), layout.banner);
    }
    let place = app.place();
    let needs_data = !matches!(place.screen.id, "help");
    if needs_data && !app.ever_connected() {
        not_connected(app, frame, layout.list);
    } else {
        body(app, place, frame, &layout);
        if needs_data && matches!(app.link, Link::Lost { .. }) {
            let dim = Style::new().add_modifier(Modifier::DIM);
            let data = Rect { x: 0, width: area.width, height: layout.footer.y - layout.list.y, ..layout.list };
            frame.buffer_mut().set_style(data, dim);
        }
    }
    footer::draw(app, frame.buffer_mut(), layout.footer);
    if std::ptr::eq(app.glyphs, &raw const glyphs::ASCII) {
        to_ascii(frame.buffer_mut());
    }
}

/// Signs in words that are shared with other outputs, such as the micro of `µs`, for terminals that cannot show them.
fn to_ascii(buf: &mut ratatui::buffer::Buffer) {
    for cell in &mut buf.content {
        let plain = match cell.symbol() {
            "µ" => "u",
            "…" => "~",
            "–" => "-",
            "←" => "<",
            "→" => ">",
            "↑" => "^",
            "↓" => "v",
            _ => continue,
        };
        cell.set_symbol(plain);
    }
}

fn body(app: &App, place: &Place, frame: &mut Frame, layout: &layout::Layout) {
    let cx = app.cx();
    match &place.screen.body {
        Body::Table(table) => table::draw(&cx, place, table, frame.buffer_mut(), layout.list),
        Body::Page(_) => {
            let page = app.page();
            let buf = frame.buffer_mut();
            page.draw(buf, layout.list, place.offset, app.lit_line(&page), &app.theme);
            page.draw_rest(buf, layout.list, place.offset, &app.theme);
        }
        Body::Custom { draw, .. } => draw(&cx, place, frame, layout.list),
    }
    if layout.side.is_empty() {
        return;
    }
    let buf = frame.buffer_mut();
    let style = app.theme.style(Role::Muted);
    if layout.side.top() > layout.list.bottom() {
        let line = app.glyphs.line.repeat(usize::from(layout.list.width));
        widgets::put(buf, layout.list.x, layout.list.bottom(), layout.list.right(), &line, style);
    } else {
        for y in layout.side.top()..layout.side.bottom() {
            widgets::put(buf, layout.side.x - 2, y, layout.side.x, app.glyphs.pipe, style);
        }
    }
    if let Some(page) = app.page_beside(layout.side) {
        page.draw(buf, layout.side, app.side_offset(), None, &app.theme);
        page.draw_rest(buf, layout.side, app.side_offset(), &app.theme);
    }
}

fn too_small(app: &App, frame: &mut Frame, area: Rect) {
    let text = format!("{}x{} is too small: needs 40x8 (better 80x24)", area.width, area.height);
    let mut page = Page::new(&app.cx(), usize::from(area.width));
    page.words(Role::Warn, &text);
    page.draw(frame.buffer_mut(), area, 0, None, &app.theme);
}

/// Before anything was ever heard of the target.
fn not_connected(app: &App, frame: &mut Frame, area: Rect) {
    let area = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    let mut page = Page::new(&app.cx(), usize::from(area.width));
    page.blank();
    match &app.link {
        Link::Lost { error, retry_at, attempts, .. } => {
            page.words(Role::Crit, &format!("{} Not connected to {}", app.glyphs.crit, app.address()));
            page.blank();
            page.fact("what happened", Role::Text, &error.to_string());
            page.fact("likely cause", Role::Text, &error.cause());
            page.fact("what to do", Role::Strong, &error.next_step());
            page.blank();
            let wait = retry_at.saturating_sub(app.clock);
            let next = if wait.is_zero() {
                "now".to_owned()
            } else {
                format!("in {}", figures::seconds(wait + std::time::Duration::from_millis(999)))
            };
            let attempts = crate::text::counted(u64::from((*attempts).max(1)), "attempt");
            let (retry, quit) = (app.keys.shown(Action::Reconnect), app.keys.shown(Action::Quit));
            let text = format!("{attempts} so far, the next one {next}. {retry} tries at once, {quit} quits.");
            page.fact("meanwhile", Role::Muted, &text);
        }
        Link::Ended { error, .. } => {
            page.words(Role::Crit, &format!("{} Nothing to show of {}", app.glyphs.crit, app.address()));
            page.blank();
            page.fact("what happened", Role::Text, &error.to_string());
            page.fact("likely cause", Role::Text, &error.cause());
            page.fact("what to do", Role::Strong, &error.next_step());
        }
        Link::Connecting { attempt } => {
            page.words(Role::Text, &format!("Connecting to {} (attempt {attempt})…", app.address()));
        }
        Link::Live { .. } => page.words(Role::Text, "Connected; waiting for the first snapshot…"),
    }
    page.draw(frame.buffer_mut(), area, 0, None, &app.theme);
}
