//! The last minutes, a column a second: how bad it was, how many findings there were and what the whole did. Below it
//! what was wrong at the moment under the cursor.
use std::time::Duration;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::glyphs::Glyphs;
use crate::app::page::Page;
use crate::app::screen::{Body, Hit, Screen};
use crate::app::theme::Role;
use crate::app::{Cx, Entity, History, Moment, Place, Row, unseen};
use crate::lints::Finding;
use crate::text::{figures, fit};
use crate::view::block::{Detail, Line, lines_of};
use crate::view::widgets;

pub(crate) static SCREEN: Screen = Screen {
    id: "timeline",
    title: "Timeline",
    key: Some('7'),
    about: "the last minutes, second by second: step back to see what was wrong then",
    body: Body::Custom { rows, draw, hit },
};

/// Columns before the strip.
const LABEL: u16 = 13;
/// Columns after it.
const VALUE: u16 = 8;

/// Figures that have a line of their own.
fn lanes(area: Rect) -> usize {
    if area.height < 18 { 1 } else { History::FIGURES.len() }
}

/// Above and below the line between the strip and the findings.
fn halves(area: Rect) -> (Rect, Rect) {
    // The moment, two lines of findings, the figures, the cursor, the ages.
    let strip = (3 + lanes(area) as u16 + 2).min(area.height);
    (Rect { height: strip, ..area }, Rect { y: area.y + strip, height: area.height - strip, ..area })
}

/// The moment under the cursor, and its number.
fn moment<'a>(cx: &Cx<'a>) -> Option<(usize, &'a Moment)> {
    let history = cx.app.history();
    let last = history.len().checked_sub(1)?;
    let at = cx.app.scrubbed.and_then(|at| history.at(at)).unwrap_or(last);
    history.get(at).map(|moment| (at, moment))
}

fn rows(cx: &Cx) -> Vec<Row> {
    let Some((_, moment)) = moment(cx) else { return Vec::new() };
    moment.findings.iter().map(|f| Row::of(entity(cx, moment, f))).collect()
}

/// A finding of a moment: what is still known of it, or else what was known then.
fn entity(cx: &Cx, moment: &Moment, finding: &Finding) -> Entity {
    let now = Entity::Finding(finding.key());
    let same = moment.instance == cx.model.target.instance && cx.finding(now).is_some();
    if same { now } else { Entity::Then(moment.at, finding.key()) }
}

/// On the page of a finding that was opened at a moment: when that was, and in which process.
pub(super) fn seen(cx: &Cx, finding: Entity, page: &mut Page) {
    let Entity::Then(at, _) = finding else { return };
    let Some(moment) = cx.app.history().exactly(at) else { return };
    let ago = figures::seconds(cx.app.history().ago(moment, cx.app.shown_at()));
    let process =
        if cx.is_of_this_run(finding) { String::new() } else { format!(", in process {}, which is gone", moment.pid) };
    page.fact("seen", Role::Text, &format!("{ago} ago{process}"));
}

fn draw(cx: &Cx, place: &Place, frame: &mut Frame, area: Rect) {
    let buf = frame.buffer_mut();
    let area = area.intersection(buf.area);
    let theme = &cx.app.theme;
    let Some((at, moment)) = moment(cx) else {
        let mut page = Page::new(cx, usize::from(area.width.saturating_sub(2)));
        page.blank();
        page.words(Role::Text, "Nothing has been seen yet.");
        page.words(Role::Muted, "A column is added here with every second that the dashboard is attached.");
        page.draw(buf, Rect { x: area.x + 1, ..area }, 0, None, theme);
        return;
    };
    let (above, below) = halves(area);
    strip(cx, at, moment, lanes(area), buf, above);
    let selected = place.selected.or_else(|| rows(cx).first().copied());
    for ((row, line), y) in lines(cx, moment, selected, below).iter().zip(below.top()..below.bottom()) {
        let mut x = below.left();
        for (role, text) in line {
            x = widgets::put(buf, x, y, below.right(), text, theme.style(*role));
        }
        if row.is_some() && *row == selected && rows(cx).len() > 1 {
            buf.set_style(Rect { y, height: 1, ..below }, theme.selected());
        }
    }
}

/// The seconds that fit, so that the cursor is among them.
fn window(len: usize, at: usize, columns: usize) -> std::ops::Range<usize> {
    let columns = columns.max(1);
    let start = len.saturating_sub(columns).min(at);
    start..(start + columns).min(len)
}

fn strip(cx: &Cx, at: usize, moment: &Moment, lanes: usize, buf: &mut Buffer, area: Rect) {
    let theme = &cx.app.theme;
    let g = cx.glyphs;
    let history = cx.app.history();
    let columns = usize::from(area.width.saturating_sub(LABEL + VALUE));
    let shown: Vec<(usize, &Moment)> =
        window(history.len(), at, columns).filter_map(|n| history.get(n).map(|m| (n, m))).collect();
    let ago = |m: &Moment| history.ago(m, cx.app.shown_at());
    let age = figures::seconds(Duration::from_nanos(moment.now.0));
    let when = if cx.app.scrubbed.is_some() {
        (Role::Warn, format!("{} ago, {age} after its start", figures::seconds(ago(moment))))
    } else {
        (Role::Ok, format!("now, {age} after its start"))
    };
    let found = crate::text::counted(moment.found as u64, "finding");
    let mut y = area.y;
    let mut x = widgets::put(buf, area.x + 1, y, area.right(), &found, theme.style(Role::Strong));
    x = widgets::put(buf, x, y, area.right(), &format!(" {} ", g.dot), theme.style(Role::Muted));
    x = widgets::put(buf, x, y, area.right(), &when.1, theme.style(when.0));
    if let Some(unseen) = unseen::in_short(cx, &SCREEN) {
        let unseen =
            fit::head(&format!(" {} {unseen}", g.dot), usize::from(area.right().saturating_sub(x)), g.ellipsis);
        widgets::put(buf, x, y, area.right(), &unseen, theme.style(Role::Muted));
    }

    let mut lane = |label: &str, value: &str, cell: &dyn Fn(usize, &Moment) -> (Role, &'static str)| {
        y += 1;
        if y >= area.bottom() {
            return;
        }
        let label = fit::left(label, usize::from(LABEL), g.ellipsis);
        let mut x = widgets::put(buf, area.x + 1, y, area.right(), &label, theme.style(Role::Muted));
        for (n, moment) in &shown {
            let (role, sign) = cell(*n, moment);
            x = widgets::put(buf, x, y, area.right(), sign, theme.style(role));
        }
        let value = format!(" {}", fit::right(value, usize::from(VALUE) - 2, g.ellipsis));
        widgets::put(buf, x, y, area.right(), &value, theme.style(Role::Text));
    };
    // The divider of a restart stands where the process became another.
    let restarted =
        |n: usize, m: &Moment| n.checked_sub(1).and_then(|n| history.get(n)).is_some_and(|b| b.instance != m.instance);
    lane("worst", "", &|n, m| match m.worst() {
        _ if restarted(n, m) => (Role::Warn, g.pipe),
        Some(severity) => (severity.into(), g.severity(severity)),
        None if !m.judged => (Role::Muted, " "),
        None => (Role::Ok, g.dot),
    });
    let most = shown.iter().map(|(_, m)| m.found).max().unwrap_or(0) as f64;
    lane("findings", &moment.found.to_string(), &|_, m| {
        (m.worst().map_or(Role::Muted, Role::from), level(m.found as f64, most, g))
    });
    for (n, name) in History::FIGURES.into_iter().enumerate().take(lanes) {
        let most = shown.iter().map(|(_, m)| sane(m.figures[n])).fold(0.0, f64::max);
        let value = moment.figures[n];
        let value = if n == 0 || n == 3 { figures::count(value.max(0.0) as u64) } else { figures::rate(value) };
        lane(name, &value, &|_, m| (Role::Info, level(m.figures[n], most, g)));
    }
    lane("", "", &|n, _| if n == at { (Role::Accent, g.up) } else { (Role::Muted, " ") });
    let (first, last) = (shown.first().map(|(_, m)| ago(m)), shown.last().map(|(_, m)| ago(m)));
    if let (Some(first), Some(last)) = (first, last)
        && y + 1 < area.bottom()
    {
        let say = |d: Duration| if d.as_secs() < 2 { "now".to_owned() } else { format!("-{}", figures::seconds(d)) };
        let (first, last) = (say(first), say(last));
        let room = shown.len().saturating_sub(fit::width(&first));
        let text = if room > fit::width(&last) { format!("{first}{last:>room$}") } else { first };
        widgets::put(buf, area.x + 1 + LABEL, y + 1, area.right(), &text, theme.style(Role::Muted));
    }
}

fn sane(value: f64) -> f64 {
    if value.is_finite() && value > 0.0 { value } else { 0.0 }
}

fn level(value: f64, most: f64, g: &Glyphs) -> &'static str {
    let level = if most > 0.0 { (sane(value) / most * 8.0).ceil() as usize } else { 0 };
    if level == 0 { " " } else { g.spark[(level - 1).min(7)] }
}

/// What was wrong then; the selected one in full where there is room.
fn lines(cx: &Cx, moment: &Moment, selected: Option<Row>, area: Rect) -> Vec<(Option<Row>, Line)> {
    let width = usize::from(area.width);
    let height = usize::from(area.height);
    let mut out: Vec<(Option<Row>, Line)> = Vec::new();
    if moment.findings.is_empty() && !moment.judged {
        let text = if cx.app.scrubbed.is_some() || cx.judged() {
            format!(" {} The rules had not seen enough of it yet to say whether anything was wrong.", cx.glyphs.stale)
        } else {
            format!(" {}", cx.looking())
        };
        out.push((None, vec![(Role::Muted, text)]));
    } else if moment.findings.is_empty() {
        out.push((None, vec![(Role::Ok, format!(" {} No rule fired then.", cx.glyphs.ok))]));
    }
    let short = moment.findings.len() * 3 > height;
    for finding in moment.findings.iter() {
        let row = Row::of(entity(cx, moment, finding));
        let lit = selected == Some(row);
        let detail = match (lit, short) {
            (true, _) => Detail::Medium,
            (false, false) => Detail::Short,
            (false, true) => Detail::Line,
        };
        let age = figures::duration(moment.now.since(finding.since));
        out.extend(
            lines_of(cx.glyphs, finding, false, &age, 0, width, detail).into_iter().map(|line| (Some(row), line)),
        );
    }
    if moment.found > moment.findings.len() {
        out.push((None, vec![(Role::Muted, format!(" and {} more", moment.found - moment.findings.len()))]));
    }
    // The selected one stays in view.
    let lit = |(row, _): &(Option<Row>, Line)| *row == selected && row.is_some();
    let first = out.iter().position(lit).unwrap_or(0);
    let last = out.iter().rposition(lit).map_or(0, |n| n + 1);
    out.drain(..last.saturating_sub(height).min(first));
    out.truncate(height);
    out
}

fn hit(cx: &Cx, place: &Place, area: Rect, (x, y): (u16, u16)) -> Option<Hit> {
    let (at, moment) = moment(cx)?;
    let (above, below) = halves(area);
    if y > above.y && y < above.bottom() {
        let columns = usize::from(area.width.saturating_sub(LABEL + VALUE));
        let column = usize::from(x.checked_sub(area.x + 1 + LABEL)?);
        return window(cx.app.history().len(), at, columns).nth(column).map(Hit::Moment);
    }
    let selected = place.selected.or_else(|| rows(cx).first().copied());
    let lines = lines(cx, moment, selected, below);
    lines.get(usize::from(y.checked_sub(below.y)?)).and_then(|(row, _)| row.map(Hit::Row))
}
