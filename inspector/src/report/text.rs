//! Reports for people.
use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::{Report, Silenced};
use crate::lints::{Confidence, Evidence, Finding, SOON, Severity, strain};
use crate::model::{Model, Target};
use crate::text;

/// Columns of a terminal that nobody has widened.
const WIDTH: usize = 100;

pub(super) fn report(report: &Report, verbose: bool) -> String {
    let model = report.model;
    let mut out = format!("{}, watched for {}\n\n", target(&model.target), text::duration(report.observed));
    verdict(&mut out, model, &report.findings, report.silenced);
    if report.observed < SOON {
        let (observed, soon) = (text::duration(report.observed), text::duration(SOON));
        wrapped(&mut out, "", &format!("{observed} is too short to say that this is all: most rules need {soon}"));
    }
    dropped(&mut out, model);
    if verbose {
        blind_spots(&mut out, model);
    } else {
        blind_areas(&mut out, model);
    }
    out
}

/// The findings and their sum, or that there are none; and what was not to be told, which is not well for that.
pub(super) fn verdict(out: &mut String, model: &Model, findings: &[Finding], silenced: &Silenced) {
    for (first, others) in alike(findings) {
        finding(out, model, first, &others);
    }
    let strained = || strain(model).map_or_else(String::new, |strain| format!(", but {strain}"));
    match (findings.is_empty(), silenced.words()) {
        (true, None) => wrapped(out, "OK   ", &format!("no rule fired in what was seen{}", strained())),
        (true, Some(but)) => {
            wrapped(out, "OK   ", &format!("no other rule fired in what was seen ({but}){}", strained()));
        }
        (false, None) => wrapped(out, "", &summary(findings)),
        (false, Some(but)) => wrapped(out, "", &format!("{}; {but}", summary(findings))),
    }
}

/// `shop (pid 4242) at http://127.0.0.1:6670`; what is not told is left out.
pub(super) fn target(target: &Target) -> String {
    let app = if target.app.is_empty() { "a program without a name" } else { &target.app };
    match target.pid {
        0 => format!("{app} at {}", target.address),
        pid => format!("{app} (pid {pid}) at {}", target.address),
    }
}

/// `2 crit, 1 warn, 1 info; 1 of them cleared`
fn summary(findings: &[Finding]) -> String {
    let counts: Vec<String> = [Severity::Crit, Severity::Warn, Severity::Info]
        .into_iter()
        .filter_map(|severity| {
            let n = findings.iter().filter(|finding| finding.severity == severity).count();
            (n > 0).then(|| format!("{n} {severity}"))
        })
        .collect();
    let cleared = findings.iter().filter(|finding| !finding.active()).count();
    let more = if cleared > 0 { format!("; {cleared} of them cleared") } else { String::new() };
    format!("{}{more}", counts.join(", "))
}

/// What is worth a word, and asks for the same at several places, is one block: what is worse would be lost among many.
fn alike(findings: &[Finding]) -> Vec<(&Finding, Vec<&Finding>)> {
    let mut blocks: Vec<(&Finding, Vec<&Finding>)> = Vec::new();
    for finding in findings {
        match blocks.iter_mut().find(|(first, _)| finding.is_alike(first)) {
            Some((_, others)) => others.push(finding),
            None => blocks.push((finding, Vec::new())),
        }
    }
    blocks
}

/// One finding: how bad and which rule on the first line, then what is wrong, where, where else, who does it, why, and what to
/// do.
pub(super) fn finding(out: &mut String, model: &Model, finding: &Finding, others: &[&Finding]) {
    let severity = finding.severity.to_string().to_uppercase();
    let mut lasting = match finding.cleared {
        None => format!("for {}", finding.age(model.now)),
        Some(at) => format!("cleared {} ago", text::duration(model.now.since(at))),
    };
    if finding.count > 1 {
        let _ = write!(lasting, " · {} times", text::count(finding.count));
    }
    if finding.confidence == Confidence::Likely {
        lasting.push_str(" · likely");
    }
    let _ = writeln!(out, "{severity:4} {} · {lasting}", finding.rule);
    wrapped(out, "     ", &finding.message);
    let subject = &finding.subject;
    let (location, role) = finding.line();
    let (place, role) = (text::short_location(location), role.to_string());
    let name = if finding.message.contains(&subject.name) && !place.is_empty() { "" } else { &subject.name };
    let at: Vec<&str> = [place, &role, name].into_iter().filter(|part| !part.is_empty()).collect();
    wrapped(out, "     open ", &at.join(" · "));
    if !others.is_empty() {
        const NAMED: usize = 16;
        let mut also: Vec<String> = others.iter().take(NAMED).map(|other| also(other)).collect();
        if others.len() > NAMED {
            also.push(format!("{} more (--format json has them all)", others.len() - NAMED));
        }
        wrapped(out, "     also ", &also.join(" · "));
    }
    let cycle = finding.told_cycle();
    for (n, step) in cycle.iter().enumerate() {
        wrapped(out, if n == 0 { "     cycle " } else { "           " }, &format!("{} {}", step.who, step.does));
    }
    if !cycle.is_empty() {
        wrapped(out, "           ", &finding.told_end());
    }
    if let Some(who) = finding.who() {
        wrapped(out, "     who  ", who);
    }
    let news: Vec<String> = finding.news().into_iter().map(Evidence::sentence).collect();
    if !news.is_empty() {
        wrapped(out, "     why  ", &news.join(" · "));
    }
    wrapped(out, "     fix  ", &finding.advice);
    out.push('\n');
}

/// Another of those that are alike, in few words.
fn also(finding: &Finding) -> String {
    let (name, place) = (&finding.subject.name, text::short_location(text::place::line(finding.line().0)));
    if place.is_empty() { format!("`{name}`") } else { format!("`{name}` at {place}") }
}

/// What was shed.
pub(super) fn dropped(out: &mut String, model: &Model) {
    let dropped = model.loss.total();
    if dropped > 0 {
        let why = if model.cost.memory_limit_bytes > 0 {
            "the probe's memory is at its ceiling"
        } else {
            "at least; the target dropped what told of them"
        };
        let _ = writeln!(out, "\nNot shown one by one: {} ({why})", text::count(dropped));
    }
}

/// Of what the target does not show all, as one line.
fn blind_areas(out: &mut String, model: &Model) {
    let blind = &model.target.blind;
    let mut areas: Vec<(&str, u64)> = Vec::new();
    for spot in blind {
        match areas.iter_mut().find(|(about, _)| *about == spot.about) {
            Some((_, n)) => *n += 1,
            None => areas.push((&spot.about, 1)),
        }
    }
    if !areas.is_empty() {
        let areas: Vec<String> = areas.into_iter().map(|(about, n)| format!("{n} about {about}")).collect();
        let spots = text::counted(blind.len() as u64, "blind spot");
        out.push('\n');
        wrapped(out, "", &format!("Not visible in this target: {spots}, {} (-v says what and why)", areas.join(", ")));
    }
}

/// What the target does not show, why, and what to change.
pub(super) fn blind_spots(out: &mut String, model: &Model) {
    let blind = &model.target.blind;
    if !blind.is_empty() {
        out.push_str("\nNot visible in this target:\n");
    }
    for (n, spot) in blind.iter().enumerate() {
        wrapped(out, "  - ", &format!("{}: {}", spot.what, spot.why));
        // Said once for those that need the same.
        if blind.get(n + 1).is_none_or(|next| next.remedy != spot.remedy) {
            wrapped(out, "    → ", &spot.remedy);
        }
    }
}

/// Words in lines of [`WIDTH`] columns; later lines are indented as deep as the first one's lead is wide.
fn wrapped(out: &mut String, lead: &str, words: &str) {
    let indent = lead.width();
    let mut column = indent;
    out.push_str(lead);
    let mut first = true;
    let words = text::unbroken(words);
    for word in words.split([' ', '\n']).filter(|word| !word.is_empty()) {
        let width = word.width();
        if !first && column + 1 + width > WIDTH {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if !first {
            out.push(' ');
            column += 1;
        }
        out.push_str(&text::with_spaces(word));
        column += width;
        first = false;
    }
    out.push('\n');
}
