//! What is wrong, where, and what to change; below it the whole in figures.

use std::fmt::Write;
use std::time::Duration;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::keymap::Action;
use crate::app::page::Page;
use crate::app::screen::{Body, Hit, Screen};
use crate::app::theme::Role;
use crate::app::{Cx, Entity, Place, Row, graph, names, unseen};
use crate::lints::{self, Finding, Severity};
use crate::model::{Channel, Series, Worker};
use crate::text::{self, figures, fit};
use crate::view::block::{Detail, Line, block};
use crate::view::widgets;

pub(crate) static SCREEN: Screen = Screen {
    id: "overview",
    title: "Overview",
    key: Some('1'),
    about: "what is wrong now, the worst first; below it the whole in figures",
    body: Body::Custom { rows, draw, hit },
};

/// Lines that the figures keep however many findings there are: a rule with the totals in it.
const LEAST_FIGURES: u16 = 1;

/// Of those that are alike the first, which says how many there are; and the one where the cursor is.
fn rows(cx: &Cx) -> Vec<Row> {
    let heard: Vec<&Finding> = cx.findings.iter().filter(|f| !cx.app.muted(f)).collect();
    let selected = cx.app.place().selected;
    let rows = heard.iter().enumerate().filter_map(|(n, finding)| {
        let row = Row::of(Entity::Finding(finding.key()));
        (selected == Some(row) || !heard[..n].iter().any(|first| finding.is_alike(first))).then_some(row)
    });
    rows.collect()
}

fn draw(cx: &Cx, place: &Place, frame: &mut Frame, area: Rect) {
    let buf = frame.buffer_mut();
    let area = area.intersection(buf.area);
    // Findings have first call on the room, the figures the rest; on small screens findings take all.
    let rows = rows(cx);
    let selected = place.selected.or_else(|| rows.first().copied());
    let figures = figures(cx, &rows, selected, area);
    let blocks = fitting(cx, &rows, selected, Rect { height: area.height - figures, ..area });
    let used = draw_findings(cx, buf, Rect { height: area.height - figures, ..area }, &rows, selected, &blocks);
    let rest = Rect { y: area.y + used, height: area.height - used, ..area };
    if figures > 0 {
        // With few findings the figures move up and the workers get what is left.
        draw_figures(cx, buf, rest);
    }
}

/// Lines that are left to the figures.
fn figures(cx: &Cx, rows: &[Row], selected: Option<Row>, area: Rect) -> u16 {
    if area.width < 60 || area.height < 10 {
        return 0;
    }
    let wanted = above_those_over(cx, area, rows)
        + wanted(cx, rows, selected, usize::from(area.width), usize::from(area.height));
    let most = figures_height(cx, area.height);
    let least = if area.height < 16 { 0 } else { LEAST_FIGURES };
    most.min(area.height.saturating_sub(wanted as u16)).max(least)
}

/// Lines that it takes to say of each finding what, where and what to do; no more than `most` are counted.
fn wanted(cx: &Cx, rows: &[Row], selected: Option<Row>, width: usize, most: usize) -> usize {
    let mut lines = 0;
    for row in rows {
        let whole = cx.finding(row.entity).is_some_and(|finding| finding.active() || just_over(cx, rows, row));
        lines += match whole {
            true if selected == Some(*row) => block(cx, row.entity, width, Detail::Full).len(),
            true if !aside(cx, row, selected) => block(cx, row.entity, width, Detail::Brief).len(),
            _ => 1,
        };
        if lines >= most {
            return most;
        }
    }
    lines
}

/// A fact worth a look takes one line, so that what hurts has the room; all of it is told where the cursor is.
fn aside(cx: &Cx, row: &Row, selected: Option<Row>) -> bool {
    selected != Some(*row) && cx.finding(row.entity).is_some_and(|finding| finding.severity == Severity::Info)
}

/// Where nothing is wrong now, what was wrong a moment ago is told in full: it may well come back. (Those that are wrong now
/// come first in `rows`.)
fn just_over(cx: &Cx, rows: &[Row], row: &Row) -> bool {
    rows.first() == Some(row) && cx.finding(row.entity).is_some_and(|finding| !finding.active())
}

/// How much of each finding is shown so that all fit if they can: the selected one in full, others ever shorter, the
/// last first.
fn fitting(cx: &Cx, rows: &[Row], selected: Option<Row>, area: Rect) -> Vec<Detail> {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let height = height.saturating_sub(above_those_over(cx, area, rows));
    let mut details = vec![Detail::Full; rows.len()];
    for (detail, row) in details.iter_mut().zip(rows) {
        let over = cx.finding(row.entity).is_none_or(|f| !f.active());
        if over && !just_over(cx, rows, row) || aside(cx, row, selected) {
            *detail = Detail::Line;
        }
    }
    // Beyond what could ever be seen, the shortest form needs no measuring.
    for detail in details.iter_mut().skip(height.max(1)) {
        *detail = Detail::Line;
    }
    let measure = |row: &Row, detail: Detail| block(cx, row.entity, width, detail).len();
    let mut heights: Vec<usize> = rows.iter().zip(&details).map(|(r, d)| measure(r, *d)).collect();
    let mut total: usize = heights.iter().sum();
    // What is wrong, where, and the fix of all before the evidence of one; the selected one keeps most of all.
    let steps = [
        (false, Detail::Medium),
        (true, Detail::Medium),
        (false, Detail::Brief),
        (false, Detail::Short),
        (true, Detail::Brief),
        (false, Detail::Line),
        (true, Detail::Short),
    ];
    for (of_selected, target) in steps {
        for n in (0..rows.len()).rev() {
            if total <= height {
                return details;
            }
            if (selected == Some(rows[n])) == of_selected && details[n] > target {
                details[n] = target;
                let shorter = measure(&rows[n], target);
                total = total - heights[n] + shorter;
                heights[n] = shorter;
            }
        }
    }
    details
}

/// Draws the findings; returns the lines used.
fn draw_findings(
    cx: &Cx,
    buf: &mut Buffer,
    area: Rect,
    rows: &[Row],
    selected: Option<Row>,
    details: &[Detail],
) -> u16 {
    let page = above(cx, area, rows.len());
    if page.len() > 0 {
        page.draw(buf, Rect { x: area.x + 1, width: area.width.saturating_sub(1), ..area }, 0, None, &cx.app.theme);
    }
    let used = (page.len() as u16).min(area.height);
    let area = Rect { y: area.y + used, height: area.height - used, ..area };
    let lines = visible(cx, area, rows, selected, details);
    for ((row, pieces), y) in lines.iter().zip(area.top()..area.bottom()) {
        let mut x = area.left();
        for (role, text) in pieces {
            x = widgets::put(buf, x, y, area.right(), text, cx.app.theme.style(*role));
        }
        if Some(*row) == selected && rows.len() > 1 {
            buf.set_style(Rect { y, height: 1, ..area }, cx.app.theme.selected());
        }
    }
    used + lines.len() as u16
}

/// The lines that fit, so that those of the selected finding are among them.
fn visible(cx: &Cx, area: Rect, rows: &[Row], selected: Option<Row>, details: &[Detail]) -> Vec<(Row, Line)> {
    let mut lines: Vec<(Row, Line)> = Vec::new();
    let (mut first, mut last) = (0, 0);
    for (row, detail) in rows.iter().zip(details) {
        if Some(*row) == selected {
            first = lines.len();
        }
        lines.extend(block(cx, row.entity, usize::from(area.width), *detail).into_iter().map(|line| (*row, line)));
        if Some(*row) == selected {
            last = lines.len();
        }
        if lines.len() > last + usize::from(area.height) && last > 0 {
            break;
        }
    }
    let height = usize::from(area.height);
    let offset = last.saturating_sub(height).min(first);
    lines.drain(..offset);
    lines.truncate(height);
    lines
}

/// What stands above those that are over where nothing is wrong now.
fn above<'a>(cx: &Cx<'a>, area: Rect, over: usize) -> Page<'a> {
    let mut page = Page::new(cx, usize::from(area.width.saturating_sub(2)));
    if cx.active().next().is_none() {
        healthy(cx, &mut page, usize::from(area.height), over > 0);
    }
    page
}

/// Lines above those that are over, which they leave to it.
fn above_those_over(cx: &Cx, area: Rect, rows: &[Row]) -> usize {
    if rows.is_empty() { 0 } else { above(cx, area, rows.len()).len() }
}

fn hit(cx: &Cx, place: &Place, area: Rect, (_, y): (u16, u16)) -> Option<Hit> {
    let rows = rows(cx);
    let selected = place.selected.or_else(|| rows.first().copied());
    let area = Rect { height: area.height - figures(cx, &rows, selected, area), ..area };
    let blocks = fitting(cx, &rows, selected, area);
    let used = (above(cx, area, rows.len()).len() as u16).min(area.height);
    let area = Rect { y: area.y + used, height: area.height - used, ..area };
    let lines = visible(cx, area, &rows, selected, &blocks);
    lines.get(usize::from(y.checked_sub(area.y)?)).map(|(row, _)| Hit::Row(*row))
}

/// What is said where nothing is wrong, in so many lines: that, what is watched, and what cannot be seen; of the last, the
/// line of the figures says enough where something was found that is `over` and has the room.
fn healthy(cx: &Cx, page: &mut Page, height: usize, over: bool) {
    let (model, g) = (cx.model, cx.glyphs);
    page.blank();
    if !model.complete {
        page.words(Role::Muted, "Reading the first snapshot…");
        return;
    }
    match lints::strain(model) {
        _ if !cx.judged() => page.words(Role::Info, &cx.looking()),
        Some(strain) => page.words(Role::Warn, &format!("{} No rule has fired, but {strain}.", g.info)),
        None if over => page.words(Role::Ok, &format!("{} No rule fires now.", g.ok)),
        None => page.words(Role::Ok, &format!("{} No rule fires.", g.ok)),
    }
    page.words(
        Role::Muted,
        &format!(
            "Watching {}, {} and {}; the probe started {} ago.",
            text::counted(model.live_tasks(), "task"),
            text::counted(model.locks.len() as u64, "lock"),
            text::counted(model.channels.len() as u64, "channel"),
            figures::duration(Duration::from_nanos(model.now.0)),
        ),
    );
    if let Some(muted) = muted(cx) {
        page.words(Role::Muted, &format!("{muted}."));
    }
    let blind = &model.target.blind;
    // A heading, one line each, and one below: where there is no room for two of them, the line of the figures says how
    // many there are.
    let room = height.saturating_sub(page.len() + 2);
    if !over && room >= blind.len().min(2) && !blind.is_empty() {
        page.words(Role::Muted, "Not visible here, 8 says why:");
        let shown = if blind.len() > room { room - 1 } else { blind.len() };
        for spot in &blind[..shown] {
            let line = fit::head(&format!(" {} {}", g.dot, spot.what), page.width(), g.ellipsis);
            page.line(vec![(Role::Muted, line)]);
        }
        if shown < blind.len() {
            page.line(vec![(Role::Muted, format!(" {} and {} more", g.dot, blind.len() - shown))]);
        }
    }
    page.blank();
}

/// `2 findings muted (6 lists, M unmutes)`, where some are.
fn muted(cx: &Cx) -> Option<String> {
    let muted = cx.findings.iter().filter(|f| f.active() && cx.app.muted(f)).count();
    let count = crate::text::counted(muted as u64, "finding");
    (muted > 0).then(|| format!("{count} muted (6 lists, {} unmutes)", cx.key(Action::UnmuteAll)))
}

/// Lines of the figures that are not about one thread: a rule, and five totals.
const TOTALS: u16 = 1 + 5;

/// Lines of the figures: the totals, and workers where there is room.
fn figures_height(cx: &Cx, height: u16) -> u16 {
    let workers = match height {
        0..18 => 0,
        18..26 => 2,
        26..34 => 4,
        _ => 8,
    };
    TOTALS + (cx.model.workers.len() as u16).min(workers)
}

/// One figure of the whole.
struct Total<'a> {
    label: &'static str,
    now: String,
    /// What it must not be read without.
    remark: String,
    series: &'a Series,
    /// What it is right now, which the last whole second need not show.
    least_peak: f64,
    write: fn(f64) -> String,
}

fn totals<'a>(cx: &Cx<'a>) -> [Total<'a>; 5] {
    let model = cx.model;
    let all = &model.totals;
    let whole = |n: f64| figures::count(n.max(0.0) as u64);
    let depth = model.channels.values().map(Channel::depth).fold(0, u64::saturating_add);
    // Few of them are no more than tasks that are about to be joined.
    let kept = model.states.total().saturating_sub(model.states.live());
    let kept = if kept < 100 { String::new() } else { format!("+{} ended, not joined", figures::count(kept)) };
    let locks = model.locks.values().filter(|lock| !lock.kind.ends_tasks());
    let waiting: u64 = locks.map(|lock| u64::from(lock.waiters)).sum();
    let waiting = if waiting == 0 { String::new() } else { format!("{} waiting now", figures::count(waiting)) };
    let count = |label, now: u64, remark, series| Total {
        label,
        now: figures::count(now),
        remark,
        series,
        least_peak: now as f64,
        write: whole,
    };
    let rate = |label, remark, series: &'a Series| {
        let now = series.last().unwrap_or(0.0);
        Total { label, now: figures::rate(now), remark, series, least_peak: 0.0, write: figures::rate }
    };
    [
        count("tasks", model.live_tasks(), kept, &all.tasks),
        rate("polls/s", String::new(), &all.polls),
        rate("wakes/s", String::new(), &all.wakes),
        rate("lock waits/s", waiting, &all.lock_waits),
        count("in channels", depth, String::new(), &all.channel_depth),
    ]
}

fn draw_figures(cx: &Cx, buf: &mut Buffer, area: Rect) {
    /// Columns of a label, of its figure and of the peak, with what is between them.
    const LABEL: usize = 13;
    const FIGURE: usize = 8;
    const PEAK: usize = 12;
    let theme = &cx.app.theme;
    let rule = cx.glyphs.line.repeat(usize::from(area.width));
    let mut y = area.y;
    widgets::put(buf, area.x, y, area.right(), &rule, theme.style(Role::Muted));
    let totals = totals(cx);
    let columns = usize::from(area.width).saturating_sub(1 + LABEL + FIGURE + PEAK).min(Series::POINTS);
    let workers = busiest(cx);
    let threads = cx.model.workers.len();
    let shown = usize::from(area.height.saturating_sub(TOTALS)).min(workers.len());
    let mut title = if area.height <= 2 {
        // No room for lines of their own: the newest figure of each.
        let all: Vec<_> = totals.iter().take(4).map(|total| format!("{} {}", total.now, total.label)).collect();
        format!(" {} ", all.join(&format!(" {} ", cx.glyphs.dot)))
    } else {
        // As many columns as there have been seconds so far.
        let seconds = totals[0].series.points().count().clamp(1, columns);
        format!(" last {seconds} s ")
    };
    if shown > 0 && shown < threads {
        let _ = write!(title, "{} {shown} of {threads} threads ", cx.glyphs.dot);
    }
    let title = match muted(cx).filter(|_| cx.active().next().is_some()) {
        Some(muted) => format!(" {muted} {}{title}", cx.glyphs.dot),
        None => title,
    };
    let title = fit::head(&title, usize::from(area.width.saturating_sub(3)), cx.glyphs.ellipsis);
    let x = widgets::put(buf, area.x + 2, y, area.right(), &title, theme.style(Role::Muted));
    if let Some(unseen) = unseen::in_short(cx, &SCREEN) {
        let unseen = format!(" {unseen} ");
        let start = area.right().saturating_sub(fit::width(&unseen) as u16 + 2);
        if start > x {
            widgets::put(buf, start, y, area.right(), &unseen, theme.style(Role::Muted));
        }
    }
    y += 1;
    for total in totals {
        if y >= area.bottom() {
            return;
        }
        let mut put = |x: u16, text: &str, role: Role| widgets::put(buf, x, y, area.right(), text, theme.style(role));
        let mut x = put(area.x + 1, &fit::left(total.label, LABEL - 1, '~'), Role::Muted);
        x = put(x, &fit::right(&total.now, FIGURE - 1, '~'), Role::Text) + 1;
        let mut room = columns;
        if !total.remark.is_empty() {
            let remark = fit::head(&total.remark, columns, cx.glyphs.ellipsis);
            x = put(x, &remark, Role::Text) + 1;
            room = columns.saturating_sub(fit::width(&remark) + 1);
        }
        x = put(x, &graph::spark(total.series, room, cx.glyphs), Role::Info);
        // Of a figure that was nothing all the time, the dots say so.
        let peak = graph::peak(total.series, room).max(total.least_peak);
        if peak > 0.0 {
            put(x + 1, &format!("peak {}", (total.write)(peak)), Role::Muted);
        }
        y += 1;
    }
    for worker in workers {
        if y >= area.bottom() {
            return;
        }
        draw_worker(cx, buf, Rect { y, height: 1, ..area }, worker);
        y += 1;
    }
}

/// The busiest first, those in a long poll before all.
fn busiest<'a>(cx: &Cx<'a>) -> Vec<&'a Worker> {
    let mut workers: Vec<_> = cx.model.workers.values().collect();
    let long = |worker: &Worker| super::workers::is_stuck(cx, worker);
    workers.sort_by(|a, b| long(b).cmp(&long(a)).then(b.busy_share.total_cmp(&a.busy_share)).then(a.id.cmp(&b.id)));
    workers.truncate(32);
    workers
}

fn draw_worker(cx: &Cx, buf: &mut Buffer, area: Rect, worker: &Worker) {
    let theme = &cx.app.theme;
    let g = cx.glyphs;
    let long = super::workers::is_stuck(cx, worker);
    let mut x = area.x + 1;
    x = widgets::put(
        buf,
        x,
        area.y,
        area.right(),
        &fit::left(&names::worker(worker), 19, g.ellipsis),
        theme.style(Role::Muted),
    ) + 1;
    let share = if long { 1.0 } else { worker.busy_share };
    let role = if long { Role::Crit } else { Role::Text };
    x = widgets::put(buf, x, area.y, area.right(), &graph::bar(share, 12, g), theme.style(role));
    let busy = fit::right(&figures::share(share), 6, g.ellipsis);
    x = widgets::put(buf, x, area.y, area.right(), &busy, theme.style(role)) + 2;
    if let Some((task, since)) = worker.poll {
        let took = cx.model.now.since(since);
        // What decides comes first: a name may be long.
        let lasting = if took.is_zero() { String::new() } else { format!("for {} ", figures::duration(took)) };
        let text = format!("{lasting}in {}", names::numbered(cx.model, task));
        let role = if long { Role::Crit } else { Role::Muted };
        let text = fit::head(&text, usize::from(area.right().saturating_sub(x)), g.ellipsis);
        widgets::put(buf, x, area.y, area.right(), &text, theme.style(role));
    }
}
