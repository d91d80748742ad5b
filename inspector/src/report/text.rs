//! Reports for people.
use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::Report;
use crate::lints::{Confidence, Evidence, Finding, Severity};
use crate::model::{Model, Target};
use crate::text;

/// Columns of a terminal that nobody has widened.
const WIDTH: usize = 100;

pub(super) fn report(report: &Report) -> String {
    let model = report.model;
    let mut out = format!("{}, watched for {}\n\n", target(&model.target), text::duration(report.observed));
    if report.findings.is_empty() {
        out.push_str("OK   nothing wrong in what was seen\n");
    } else {
        for one in &report.findings {
            finding(&mut out, model, one);
        }
        let _ = writeln!(out, "{}", summary(&report.findings));
    }
    blind_spots(&mut out, model);
    out
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
pub(super) fn summary(findings: &[Finding]) -> String {
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

/// One finding: what and where on the first line, then what is wrong, the evidence, and what to do.
pub(super) fn finding(out: &mut String, model: &Model, finding: &Finding) {
    let place = match (finding.subject.location.as_str(), finding.subject.name.as_str()) {
        ("", name) => name.to_owned(),
        (location, "") => text::short_location(location).to_owned(),
        (location, name) => format!("{}  {name}", text::short_location(location)),
    };
    let severity = finding.severity.to_string().to_uppercase();
    let mut lasting = match finding.cleared {
        None => finding.lasting(model.now),
        Some(at) => format!("cleared {} ago", text::duration(model.now.since(at))),
    };
    if finding.count > 1 {
        let _ = write!(lasting, ", {} times", text::count(finding.count));
    }
    if finding.confidence == Confidence::Likely {
        lasting.push_str(", likely");
    }
    let _ = writeln!(out, "{severity:4} {}  {place}  ({lasting})", finding.rule);
    wrapped(out, "     ", &finding.message);
    if !finding.evidence.is_empty() {
        let evidence: Vec<String> = finding.evidence.iter().map(measure).collect();
        wrapped(out, "     ", &evidence.join(" · "));
    }
    wrapped(out, "     → ", &finding.advice);
    out.push('\n');
}

/// `99 % of waits under 12.3 ms (limit 10 ms)`.
fn measure(evidence: &Evidence) -> String {
    let mut out = evidence.phrase();
    if let Some(limit) = evidence.limit_text() {
        let _ = write!(out, " (limit {limit})");
    }
    out
}

/// What the target does not show, and what was shed.
pub(super) fn blind_spots(out: &mut String, model: &Model) {
    let dropped = model.loss.total();
    if dropped > 0 {
        let why = if model.cost.memory_limit_bytes > 0 {
            "the probe's memory is at its ceiling"
        } else {
            "at least; the target dropped what told of them"
        };
        let _ = writeln!(out, "\nNot shown one by one: {} ({why})", text::count(dropped));
    }
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
    for word in words.split_whitespace() {
        let width = word.width();
        if !first && column + 1 + width > WIDTH {
            let _ = write!(out, "\n{:indent$}", "");
            column = indent;
        } else if !first {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
        first = false;
    }
    out.push('\n');
}
