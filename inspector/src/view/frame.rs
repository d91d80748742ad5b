//! The first line and the banner.
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::widgets;
use crate::app::keymap::Action;
use crate::app::theme::Role;
use crate::app::{App, Link, banner};
use crate::source::SourceError;
use crate::text::{figures, fit};

/// `● live`, `● replay`, `STALE 12s · retry in 3s · r now`, `connecting`.
pub(crate) fn link(app: &App) -> (Role, String) {
    let g = app.glyphs;
    match &app.link {
        Link::Connecting { .. } => (Role::Warn, format!("{} connecting", g.stale)),
        Link::Live { .. } if app.recorded => (Role::Info, format!("{} replay", g.live)),
        Link::Live { data_at } => {
            let age = app.clock.saturating_sub(*data_at);
            match age.as_secs() {
                0 => (Role::Ok, format!("{} live", g.live)),
                1..5 => (Role::Ok, format!("{} live {}", g.live, figures::seconds(age))),
                _ => (Role::Warn, format!("{} silent {}", g.live, figures::seconds(age))),
            }
        }
        Link::Ended { error: SourceError::Ended { .. }, .. } => {
            (Role::Warn, format!("{} END OF RECORDING {} {} again", g.stale, g.dot, reconnect(app)))
        }
        Link::Ended { .. } => (Role::Crit, format!("{} CANNOT BE READ", g.stale)),
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
            (Role::Crit, format!("{} {what} {d} {retry} {d} {} now", g.stale, reconnect(app), d = g.dot))
        }
    }
}

/// The key that connects now.
fn reconnect(app: &App) -> &str {
    app.keys.shown(Action::Reconnect)
}

/// Who the target is, whether it is there, and what watching it takes.
pub(crate) fn header(app: &App, buf: &mut Buffer, area: Rect) {
    let cx = app.cx();
    let (g, target) = (app.glyphs, &cx.model.target);
    let (role, state) = link(app);

    let mut right = vec![(role, state)];
    let mut probe_at = None;
    if app.frozen() {
        let what = if app.recorded { "PAUSED" } else { "FROZEN" };
        right.insert(0, (Role::Warn, what.to_owned()));
    }
    let shed = cx.model.loss.total();
    if shed > 0 {
        right.push((Role::Warn, format!("shed {}", figures::count(shed))));
    }
    if app.ever_connected() && cx.model.complete {
        let cost = &cx.model.cost;
        // What it took before the link was lost is not what it takes.
        if cost.memory_limit_bytes > 0 && !matches!(app.link, Link::Lost { .. }) {
            let probe = format!("probe {} {}", figures::share(cost.cpu_share), figures::bytes(cost.memory_bytes));
            probe_at = Some(right.len());
            right.push((Role::Muted, probe));
        }
        if shed == 0 && area.width >= 100 {
            right.push((Role::Muted, "shed 0".to_owned()));
        }
    }
    let mut left = Vec::new();
    if app.among.1 > 1 {
        left.push((Role::Accent, format!("{}/{} ", app.among.0 + 1, app.among.1)));
    }
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
    if let Some(at) = probe_at {
        let cost = &cx.model.cost;
        let (share, memory) = (figures::share(cost.cpu_share), figures::bytes(cost.memory_bytes));
        let short = std::mem::replace(&mut right[at].1, format!("probe {share} of a core, {memory}"));
        if length(&left) + length(&right) + 4 > columns {
            right[at].1 = short;
        }
    }
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

pub(crate) fn draw_banner(app: &App, buf: &mut Buffer, area: Rect) {
    for ((role, line), y) in banner::lines(app, app.size.0, app.size.1).iter().zip(area.top()..area.bottom()) {
        widgets::put(buf, area.left() + 1, y, area.right(), line, app.theme.style(*role));
    }
}
