//! One finding: as a block on the overview, and as a page with the rule behind it.

use crate::app::keymap::Action;
use crate::app::screen::{Body, Screen};
use crate::app::{Cx, Entity, Place};
use crate::lints::{Confidence, Evidence, Finding, RULES, WaitStep, in_words};
use crate::model::Series;
use crate::view::page::Page;
use crate::view::theme::Role;
use crate::view::{figures, fit, names, wait_tree};

pub(crate) static SCREEN: Screen = Screen {
    id: "finding",
    title: "Finding",
    key: None,
    about: "one finding: the evidence beside its limits, what to do, and the rule explained",
    body: Body::Page(page),
};

/// How much of a finding is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// One line.
    Line,
    /// What, where and the fix, a line each.
    Short,
    /// The same with two lines for what.
    Brief,
    /// What, where and the fix, as many lines as it takes.
    Medium,
    /// Everything, as many lines as it takes.
    Full,
}

/// Columns before the text of a block.
const INDENT: usize = 8;

/// One line in pieces, each with its role.
pub(crate) type Line = Vec<(Role, String)>;

/// `entity` as lines, at most `width` wide.
pub(crate) fn block(cx: &Cx, entity: Entity, width: usize, detail: Detail) -> Vec<Line> {
    let Some(finding) = cx.finding(entity) else { return Vec::new() };
    let lasting = if let Some(at) = finding.cleared {
        format!("over for {}", figures::duration(cx.model.now.since(at)))
    } else {
        let trend = trend(cx, finding).map_or(String::new(), |sign| format!(" {sign}"));
        format!("{}{trend}", finding.lasting(cx.model.now))
    };
    lines_of(cx, finding, !finding.active(), &lasting, width, detail)
}

/// A finding as lines; `grey` when it is over, `lasting` at the end of the first.
pub(crate) fn lines_of(
    cx: &Cx,
    finding: &Finding,
    grey: bool,
    lasting: &str,
    width: usize,
    detail: Detail,
) -> Vec<Line> {
    let g = cx.glyphs;
    let role = |role: Role| if grey { Role::Muted } else { role };
    let sign = if grey { g.ok } else { g.severity(finding.severity) };
    let word = if grey { "OVER".to_owned() } else { finding.severity.to_string().to_uppercase() };
    let head = format!("{sign} {word:<INDENT$}", INDENT = INDENT - 2);
    let aside = fit::width(lasting) + 1;
    let room = width.saturating_sub(INDENT);
    let beside = room.saturating_sub(aside).max(4);

    let finish = |text: String| {
        let text = fit::left(&text, beside, g.ellipsis);
        vec![
            (role(finding.severity.into()), head.clone()),
            (role(Role::Strong), text),
            (Role::Muted, format!(" {lasting}")),
        ]
    };
    if detail == Detail::Line {
        let place = names::file_line(&finding.subject.location);
        let text = if place.is_empty() { finding.message.clone() } else { format!("{place} {}", finding.message) };
        return vec![finish(text)];
    }
    let circle = if detail >= Detail::Medium { circle(cx, finding, room) } else { Vec::new() };
    let most = match detail {
        Detail::Line | Detail::Short => 1,
        Detail::Brief => 2,
        Detail::Medium | Detail::Full => 4,
    };
    let mut lines: Vec<_> = cut(&finding.message, beside, most, g.ellipsis)
        .into_iter()
        .map(|line| vec![(Role::Text, " ".repeat(INDENT)), (role(Role::Strong), line)])
        .collect();
    lines[0] = finish(std::mem::take(&mut lines[0][1].1));
    let label = |text: &str| (Role::Muted, fit::left(&format!("  {text}"), INDENT, g.ellipsis));
    let location = if finding.subject.location.is_empty() { "unknown" } else { &finding.subject.location };
    let name = format!(" {} {}", g.dot, finding.subject.name);
    // The rule's name is what people search for: it keeps its place while the path still tells the file.
    let beside_rule = room.saturating_sub(finding.rule.len() + 1);
    let place = fit::location(location, if beside_rule >= 28 { beside_rule } else { room }, g.ellipsis);
    let name_room = beside_rule.saturating_sub(fit::width(&place));
    let mut at = vec![label("at"), (role(Role::Accent), place)];
    if beside_rule >= 28 {
        let name = if name_room > 6 { name } else { String::new() };
        at.push((Role::Text, fit::left(&name, name_room, g.ellipsis)));
        at.push((Role::Muted, format!(" {}", finding.rule)));
    }
    lines.push(at);
    for (n, (what, text)) in circle.into_iter().enumerate() {
        lines.push(vec![label(if n == 0 { "loop" } else { "" }), (role(what), text)]);
    }
    if detail == Detail::Full {
        for (n, line) in why(finding, room, g.dot).into_iter().enumerate() {
            lines.push(vec![label(if n == 0 { "why" } else { "" }), (Role::Text, line)]);
        }
    }
    let most = if detail >= Detail::Medium { 5 } else { 1 };
    for (n, line) in cut(&finding.advice, room, most, g.ellipsis).into_iter().enumerate() {
        lines.push(vec![label(if n == 0 { "fix" } else { "" }), (role(Role::Ok), line)]);
    }
    lines
}

/// What was measured, in three lines at most: as much as fits whole, since half a measure says nothing.
fn why(finding: &Finding, width: usize, dot: &str) -> Vec<String> {
    const LINES: usize = 3;
    // What stands in the lines above is not said again.
    let new = |e: &&Evidence| e.text != finding.subject.location && (e.name != "cycle" || finding.cycle.is_empty());
    let (mut text, mut lines) = (String::new(), Vec::new());
    for evidence in finding.measures().filter(new).take(6) {
        let said = if evidence.name.ends_with("location") {
            Evidence { text: names::file_line(&evidence.text).to_owned(), ..evidence.clone() }.sentence()
        } else {
            evidence.sentence()
        };
        let sign = if text.is_empty() { String::new() } else { format!(" {dot} ") };
        text = format!("{text}{sign}{said}");
        let more = fit::wrap(fit::beginning(&text, width, LINES), width);
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
    let ends = text.match_indices([';', ',', '.']).filter(|(at, sign)| text[at + sign.len()..].starts_with(' '));
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
fn circle(cx: &Cx, finding: &Finding, width: usize) -> Vec<(Role, String)> {
    /// Steps that are drawn one by one.
    const STEPS: usize = 5;
    let g = cx.glyphs;
    let mut lines = Vec::new();
    let all = finding.cycle.len();
    let who = |step: &WaitStep| {
        let (id, name) = (crate::text::task_id(step.task), step.name.trim_matches('`'));
        // A task of a library's has no name but the line at which it waits, which is named beside it.
        if name == names::file_line(&step.location) { id } else { format!("{id} {name}") }
    };
    // Where a task took what the one before waits for, short where it is in the file that is named next.
    let taken = |n: usize, near: &str| {
        let place = names::file_line(&finding.cycle[(n + all - 1) % all].held_location);
        match (place, place.rsplit_once(':'), near.rsplit_once(':')) {
            ("", ..) => String::new(),
            (_, Some((file, line)), Some((same, _))) if file == same => format!(" took it at :{line}"),
            _ => format!(" took it at {place}"),
        }
    };
    for (n, step) in finding.cycle.iter().enumerate().take(STEPS) {
        let place = names::file_line(&step.location);
        let at = if place.is_empty() { String::new() } else { format!(" at {place}") };
        let mut thing = step.thing.replace('`', "");
        // Two of the same name are told apart by their numbers.
        if finding.cycle.iter().filter(|other| other.thing == step.thing).count() > 1
            && let Some(number) = Entity::from(step.on).number()
        {
            thing = format!("{thing} #{number}");
        }
        let does = match taken(n, place) {
            took if n == 0 || took.is_empty() => format!(" waits{at} {thing}"),
            took => format!("{took}, waits{at} {thing}"),
        };
        let who = fit::head(&who(step), width.saturating_sub(fit::width(&does) + 2).max(8), g.ellipsis);
        let text = format!("{} {who}{does}", g.ring[usize::from(n > 0)]);
        lines.push((Role::Text, fit::head(&text, width, g.ellipsis)));
    }
    if all > STEPS {
        lines.push((Role::Text, format!("{} and {} more", g.ring[1], figures::count((all - STEPS) as u64))));
    }
    if let Some(first) = finding.cycle.first() {
        let took = taken(0, names::file_line(&finding.cycle[all - 1].location));
        let whose = if took.is_empty() { " has it".to_owned() } else { took };
        // Its name stands in the first line.
        let task = crate::text::task_id(first.task);
        let text = format!("{} DEADLOCK: {task}{whose}, the circle is closed", g.ring[2]);
        lines.push((Role::Crit, fit::head(&text, width, g.ellipsis)));
    }
    lines
}

/// Whether what is wrong grows or shrinks, from the last minute of the figure that shows it.
fn trend(cx: &Cx, finding: &Finding) -> Option<&'static str> {
    let series = match Entity::from(finding.subject.kind) {
        Entity::Lock(id) => &cx.model.locks.get(&id)?.waiters_s,
        Entity::Channel(id) => &cx.model.channels.get(&id)?.depth_s,
        _ => return None,
    };
    let (early, late) = (mean(series, 10, 5)?, mean(series, 5, 5)?);
    let g = cx.glyphs;
    let sign = if late > early * 1.1 + 0.5 {
        g.up
    } else if late < early * 0.9 - 0.5 {
        g.down
    } else {
        g.flat
    };
    Some(sign)
}

/// Mean of `n` points, the first of them `back` points from the end.
fn mean(series: &Series, back: usize, n: usize) -> Option<f64> {
    let start = series.points().len().checked_sub(back)?;
    let sum: f64 = series.points().skip(start).take(n).sum();
    sum.is_finite().then(|| sum / n as f64)
}

fn page(cx: &Cx, place: &Place, page: &mut Page) {
    let Some(entity) = place.subject else { return };
    let Some(finding) = cx.finding(entity) else {
        let back = cx.key(Action::Back);
        page.words(Role::Muted, &format!("This finding is over and no longer kept. {back} goes back."));
        return;
    };
    let g = cx.glyphs;
    let role = if finding.active() { Role::from(finding.severity) } else { Role::Muted };
    let head =
        format!("{} {} {}", g.severity(finding.severity), finding.severity.to_string().to_uppercase(), finding.rule);
    page.line(vec![(role, head)]);
    page.words(Role::Strong, &finding.message);
    page.blank();
    page.place("at", &finding.subject.location);
    if let Some(who) = finding.who() {
        page.fact("who", Role::Text, who);
    }
    if let Some(past) = cx.app.past().iter().find(|past| entity == Entity::Past(past.id)) {
        page.fact("in", Role::Text, &format!("process {}, which is gone", past.pid));
    }
    super::timeline::seen(cx, entity, page);
    page.fact("fix", Role::Ok, &finding.advice);
    let subject = Entity::from(finding.subject.kind);
    let current = cx.is_of_this_run(entity);
    if current && subject.exists(cx.model) {
        page.link("subject", "look at", subject, &names::entity(cx, subject), "");
    } else {
        page.fact("was about", Role::Text, &finding.subject.name);
    }
    super::again(cx, entity, finding, page);
    if current && finding.cycle.is_empty() {
        relations(cx, subject, page);
    } else if current {
        wait_tree::tree(cx, subject, page);
        super::waiters(cx, subject, page, 3);
    }

    super::stack(cx, subject, page);

    page.heading("Evidence");
    for evidence in finding.measures().filter(|e| e.name != "cycle" || finding.cycle.is_empty()) {
        let limit = evidence.warns().map_or_else(String::new, |warns| format!("   {warns}"));
        let role = if evidence.limit.is_empty() { Role::Text } else { Role::Strong };
        page.fact(&in_words(evidence.name), role, &format!("{}{limit}", evidence.value_text()));
    }
    page.fact("lasting", Role::Text, &names::lasting_of(cx, entity, finding));
    page.fact("count", Role::Text, &figures::count(finding.count));
    let sure = match finding.confidence {
        Confidence::Certain => "certain: it was seen",
        Confidence::Likely => "likely: inferred from incomplete facts",
    };
    page.fact("how sure", Role::Text, sure);

    if let Some(rule) = RULES.iter().find(|r| r.id == finding.rule) {
        page.heading(&format!("What {} means", rule.id));
        page.words(Role::Text, rule.summary);
        page.blank();
        page.explanation(Role::Text, rule.explain);
    }
}

/// Who is involved, one key away.
fn relations(cx: &Cx, subject: Entity, page: &mut Page) {
    match subject {
        Entity::Lock(id) => {
            let Some(lock) = cx.model.locks.get(&id) else { return };
            if lock.holder.0 != 0 {
                let held = lock
                    .held_since
                    .map_or_else(String::new, |s| format!("holds it for {}", figures::duration(cx.model.now.since(s))));
                page.link("holder", "holder", Entity::Task(lock.holder), &names::task_id(cx.model, lock.holder), &held);
            }
            super::waiters(cx, subject, page, 3);
        }
        Entity::Channel(id) => {
            let Some(channel) = cx.model.channels.get(&id) else { return };
            if channel.receiver_task.0 != 0 {
                let task = channel.receiver_task;
                page.link("receiver", "receiver", Entity::Task(task), &names::task_id(cx.model, task), "");
            }
            if channel.sender_task.0 != 0 {
                let task = channel.sender_task;
                page.link("sender", "last sender", Entity::Task(task), &names::task_id(cx.model, task), "");
            }
        }
        Entity::Site(_) => super::children(cx, subject, page, 3),
        _ => {}
    }
}
