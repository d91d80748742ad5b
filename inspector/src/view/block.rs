//! A finding as a block of lines: what is wrong, where, who does it, why that is said and what to change.

use crate::app::glyphs::Glyphs;
use crate::app::theme::Role;
use crate::app::{Cx, Entity};
use crate::lints::{Evidence, Finding};
use crate::model::Series;
use crate::text::{self, fit};

/// How much of a finding is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// One line.
    Line,
    /// The rule and where, what and the fix, a line each.
    Short,
    /// The same with two lines for what.
    Brief,
    /// What, where, who and the fix, as many lines as it takes.
    Medium,
    /// Everything, as many lines as it takes.
    Full,
}

/// Columns before what is said of a finding.
const INDENT: usize = 8;
/// Columns before the sentence that says what is wrong: it has nearly the whole width.
const MARGIN: usize = 2;

/// One line in pieces, each with its role.
pub(crate) type Line = Vec<(Role, String)>;

/// `entity` as lines, at most `width` wide.
pub(crate) fn block(cx: &Cx, entity: Entity, width: usize, detail: Detail) -> Vec<Line> {
    let Some(finding) = cx.finding(entity) else { return Vec::new() };
    let Some(at) = finding.cleared else {
        // Where the place stands on the same line, it is the place that is read.
        let worded = detail >= Detail::Medium;
        let trend = trend(cx, finding)
            .map_or(String::new(), |(sign, word)| if worded { format!(" {sign} {word}") } else { format!(" {sign}") });
        let mut age = finding.age(cx.model.now);
        if worded && finding.tells_a_time() {
            age.clear();
        }
        // Where there is more room, it speaks for itself.
        let others = || cx.findings.iter().filter(|other| other.key() != finding.key() && !cx.app.muted(other));
        let alike = if worded { 0 } else { others().filter(|other| other.is_alike(finding)).count() };
        return lines_of(cx.glyphs, finding, false, &format!("{age}{trend}"), alike, width, detail);
    };
    lines_of(cx.glyphs, finding, true, &text::duration(cx.model.now.since(at)), 0, width, detail)
}

/// A finding as lines, which on one line speaks for so many that are `alike`; `grey` when it is over, for as long as `age` says. Where that tells no time, but a trend at most, the
/// sentence does.
pub(crate) fn lines_of(
    g: &'static Glyphs,
    finding: &Finding,
    grey: bool,
    age: &str,
    alike: usize,
    width: usize,
    detail: Detail,
) -> Vec<Line> {
    let role = |role: Role| if grey { Role::Muted } else { role };
    let sign = if grey { g.ok } else { g.severity(finding.severity) };
    let word = if grey { "OVER".to_owned() } else { finding.severity.to_string().to_uppercase() };
    let head = (role(finding.severity.into()), format!("{sign} {word:<INDENT$}", INDENT = INDENT - 2));
    let message = g.spell(finding.message.clone());
    if detail == Detail::Line {
        let place = text::file_line(finding.line().0);
        let place = if alike > 0 { format!("{place} and {alike} more:") } else { place.to_owned() };
        let said = if place.is_empty() { message } else { format!("{place} {message}") };
        let age = fit::right(age, 8.max(fit::width(age)), g.ellipsis);
        let said = fit::left(&said, width.saturating_sub(INDENT + fit::width(&age) + 2), g.ellipsis);
        return vec![vec![head, (Role::Muted, format!("{age}  ")), (role(Role::Strong), said)]];
    }
    let age = match age.trim_start() {
        "" => String::new(),
        trend if trend.len() < age.len() => format!(" {} {trend}", g.dot),
        age if grey => format!(" {} over since {age}", g.dot),
        age => format!(" {} for {age}", g.dot),
    };
    let mut tag = vec![head, (Role::Strong, finding.rule.to_owned()), (Role::Muted, age)];
    let label = |text: &str| (Role::Muted, fit::left(&format!("  {text}"), INDENT, g.ellipsis));
    let room = width.saturating_sub(INDENT);
    let whole = detail >= Detail::Medium;
    if !whole {
        tag.extend(
            beside(g, finding, width.saturating_sub(length(&tag))).into_iter().map(|(of, text)| (role(of), text)),
        );
    }
    let mut lines = vec![tag];
    let most = match detail {
        Detail::Line | Detail::Short => 1,
        Detail::Brief => 2,
        Detail::Medium | Detail::Full => 4,
    };
    for line in cut(&message, width.saturating_sub(MARGIN), most, g.ellipsis) {
        lines.push(vec![(Role::Text, " ".repeat(MARGIN)), (role(Role::Strong), line)]);
    }
    if whole {
        lines.push([vec![label("open")], open(g, finding, room)].concat());
        let mut say = |what: &'static str, all: Vec<(Role, String)>| {
            for (n, (of, text)) in all.into_iter().enumerate() {
                lines.push(vec![label(if n == 0 { what } else { "" }), (role(of), text)]);
            }
        };
        say("cycle", cycle(g, finding, room));
        if let Some(who) = finding.who() {
            let most = if detail == Detail::Full { 2 } else { 1 };
            let who = cut(&g.spell(who.to_owned()), room, most, g.ellipsis);
            say("who", who.into_iter().map(|line| (Role::Text, line)).collect());
        }
        if detail == Detail::Full {
            say("why", why(finding, room, g).into_iter().map(|line| (Role::Text, line)).collect());
        }
    }
    let most = if whole { 5 } else { 1 };
    for (n, line) in cut(&g.spell(finding.advice.clone()), room, most, g.ellipsis).into_iter().enumerate() {
        lines.push(vec![label(if n == 0 { "fix" } else { "" }), (role(Role::Ok), line)]);
    }
    lines
}

fn length(line: &Line) -> usize {
    line.iter().map(|(_, text)| fit::width(text)).sum()
}

/// The line to open and what happens there, on a line of its own.
fn open(g: &'static Glyphs, finding: &Finding, room: usize) -> Line {
    let (subject, (location, role)) = (&finding.subject, finding.line());
    if location.is_empty() {
        return vec![(Role::Muted, "unknown".to_owned())];
    }
    let role = match role.to_string() {
        role if role.is_empty() => role,
        role => format!(" {} {role}", g.dot),
    };
    let place = fit::location(location, room.saturating_sub(fit::width(&role)).max(12), g.ellipsis);
    let left = room.saturating_sub(fit::width(&place) + fit::width(&role) + 3);
    // What the sentence above names already is not named again; nor is what goes by another line.
    let name = Some(&subject.name)
        .filter(|name| finding.open.is_none() && !finding.message.contains(name.as_str()) && fit::width(name) <= left);
    let name = name.map_or_else(String::new, |name| format!(" {} {name}", g.dot));
    vec![(Role::Accent, place), (Role::Text, role), (Role::Muted, name)]
}

/// The same behind other words, where it fits.
fn beside(g: &'static Glyphs, finding: &Finding, room: usize) -> Line {
    const LEAST: usize = 12;
    let (location, role) = finding.line();
    let gap = format!(" {} ", g.dot);
    let Some(room) = room.checked_sub(fit::width(&gap)).filter(|&room| room >= LEAST && !location.is_empty()) else {
        return Vec::new();
    };
    let role = match role.to_string() {
        role if role.is_empty() => role,
        role => format!(" {role}"),
    };
    // The place is worth more than what happens there.
    let place = fit::location(location, room, g.ellipsis);
    let role = if fit::width(&place) + fit::width(&role) <= room { role } else { String::new() };
    vec![(Role::Muted, gap), (Role::Accent, place), (Role::Text, role)]
}

/// What was measured, in three lines at most: as much as fits whole, since half a measure says nothing. What stands in the
/// lines above is not said again.
fn why(finding: &Finding, width: usize, g: &'static Glyphs) -> Vec<String> {
    const LINES: usize = 3;
    let (mut said, mut lines) = (String::new(), Vec::new());
    for evidence in finding.news() {
        let one = if evidence.name.ends_with("location") {
            Evidence { text: text::file_line(&evidence.text).to_owned(), ..evidence.clone() }.sentence()
        } else {
            evidence.sentence()
        };
        let one = g.spell(one);
        // A measure is not broken where it has room on a line of its own.
        let one = if fit::width(&one) + 2 <= width { text::on_one_line(&one) } else { one };
        said = if said.is_empty() { one } else { format!("{said}\u{a0}{} {one}", g.dot) };
        let more = fit::wrap(fit::beginning(&said, width, LINES), width);
        if more.len() > LINES && !lines.is_empty() {
            break;
        }
        lines = more;
    }
    lines.truncate(LINES);
    lines
}

/// `text` in one to `most` lines of `width`. What does not fit ends where a clause does if it can, since half a clause
/// says nothing; the last line says that there would be more.
fn cut(text: &str, width: usize, most: usize, ellipsis: char) -> Vec<String> {
    let text = fit::beginning(text, width, most);
    let mut lines = fit::wrap(text, width);
    if lines.is_empty() {
        lines.push(String::new());
    }
    if lines.len() <= most {
        return lines;
    }
    let ends = text.match_indices([';', ',', '.', ':']).filter(|(at, sign)| text[at + sign.len()..].starts_with(' '));
    let opens = text.match_indices(" (");
    let closes = text.match_indices(") ").map(|(at, _)| at + 1);
    let mut ends: Vec<usize> = ends.chain(opens).map(|(at, _)| at).chain(closes).collect();
    ends.sort_unstable();
    // The first words of a sentence are not worth the rest of a line.
    let least = (most - 1) * width + width / 2;
    for end in ends.into_iter().rev().take_while(|&end| end >= least) {
        let whole = fit::wrap(&format!("{} {ellipsis}", &text[..end]), width);
        if whole.len() <= most {
            return whole;
        }
    }
    let rest = lines.split_off(most - 1).join(" ");
    lines.push(fit::head(&rest, width, ellipsis));
    lines
}

/// Tasks that wait for each other, a line each, drawn closed.
fn cycle(g: &'static Glyphs, finding: &Finding, width: usize) -> Vec<(Role, String)> {
    /// Steps that are drawn one by one.
    const STEPS: usize = 5;
    let told = finding.told_cycle();
    let mut lines = Vec::new();
    for (n, step) in told.iter().enumerate().take(STEPS) {
        let who = fit::head(&step.who, width.saturating_sub(fit::width(&step.does) + 3).max(8), g.ellipsis);
        let line = format!("{} {who} {}", g.ring[usize::from(n > 0)], step.does);
        lines.push((Role::Text, fit::head(&line, width, g.ellipsis)));
    }
    if told.len() > STEPS {
        lines.push((Role::Text, format!("{} and {} more", g.ring[1], text::count((told.len() - STEPS) as u64))));
    }
    if !told.is_empty() {
        let line = format!("{} {}", g.ring[2], finding.told_end());
        lines.push((Role::Crit, fit::head(&line, width, g.ellipsis)));
    }
    lines
}

/// Whether what is wrong grows or shrinks, from the last minute of the figure that shows it.
fn trend(cx: &Cx, finding: &Finding) -> Option<(&'static str, &'static str)> {
    let series = match Entity::from(finding.subject.kind) {
        Entity::Lock(id) => &cx.model.locks.get(&id)?.waiters_s,
        Entity::Channel(id) => &cx.model.channels.get(&id)?.depth_s,
        _ => return None,
    };
    let (early, late) = (mean(series, 10, 5)?, mean(series, 5, 5)?);
    let g = cx.glyphs;
    if late > early * 1.1 + 0.5 {
        Some((g.up, "growing"))
    } else if late < early * 0.9 - 0.5 {
        Some((g.down, "easing"))
    } else {
        None
    }
}

/// Mean of `n` points, the first of them `back` points from the end.
fn mean(series: &Series, back: usize, n: usize) -> Option<f64> {
    let start = series.points().len().checked_sub(back)?;
    let sum: f64 = series.points().skip(start).take(n).sum();
    sum.is_finite().then(|| sum / n as f64)
}
