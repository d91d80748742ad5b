//! Findings and whole states for people and for programs, without a dashboard.
//!
//! The JSON is a contract: names carry their units, ids are strings (not every reader has 64-bit integers), a location
//! is one string `path:line:column` (or `path:line`, of code that the compiler gives no column), and a change that an old reader would misread raises [`SCHEMA_VERSION`].
use std::time::Duration;

use crate::lints::{Engine, Finding, FindingKey, Severity};
use crate::model::Model;

mod json;
mod junit;
mod perfetto;
mod sarif;
mod snapshot_json;
mod snapshot_rows;
mod snapshot_text;
mod table;
mod text;

#[cfg(test)]
mod tests;

pub use perfetto::Trace;

/// Version of the JSON of [`Report::json`] and [`snapshot_json()`].
pub const SCHEMA_VERSION: u32 = 1;

/// What was seen of a target in a while.
#[derive(Debug)]
pub struct Report<'a> {
    /// The target as it was last seen.
    pub model: &'a Model,
    /// For how long it was watched.
    pub observed: Duration,
    /// What was found in that time, worst first, what cleared again included: see [`Observed::findings`].
    pub findings: Vec<Finding>,
    /// What is not among them because nobody wants to hear of it.
    pub silenced: &'a Silenced,
}

/// What the operator asked not to hear of: a report without it would call well what was never looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Silenced {
    /// The rules that were off.
    pub off: Vec<&'static str>,
    /// Findings that the config file or a key mutes.
    pub muted: usize,
}

impl Silenced {
    /// `2 rules off (deadlock, long-poll), 1 finding muted`; `None` where nothing was.
    pub(crate) fn words(&self) -> Option<String> {
        let off = (!self.off.is_empty())
            .then(|| format!("{} off ({})", crate::text::counted(self.off.len() as u64, "rule"), self.off.join(", ")));
        let muted = (self.muted > 0).then(|| format!("{} muted", crate::text::counted(self.muted as u64, "finding")));
        let words: Vec<String> = off.into_iter().chain(muted).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}

/// What became of watching one target, for formats that tell of several in one document.
#[derive(Debug)]
pub struct Watched<'a> {
    /// The target as the operator named it.
    pub address: String,
    /// What was seen, if anything was.
    pub report: Option<Report<'a>>,
    /// Why it was not watched to the end.
    pub failure: Option<String>,
}

/// Findings of several targets as one SARIF 2.1.0 document, ended by a newline.
pub fn sarif(targets: &[Watched]) -> String {
    sarif::document(targets)
}

/// Findings of several targets as one `JUnit` document, ended by a newline. A rule that found something as bad as `limit`
/// is a test that failed.
pub fn junit(targets: &[Watched], limit: Severity) -> String {
    junit::document(targets, limit)
}

/// Gathers the findings of an [`Engine`] over a time that may be longer than the engine remembers.
#[derive(Debug, Default)]
pub struct Observed {
    present: Vec<Finding>,
    past: Vec<Finding>,
}

impl Observed {
    /// Nothing seen yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes note of what the engine says now; to be called after each evaluation.
    pub fn note(&mut self, engine: &Engine) {
        let present = engine.findings();
        if self.present == present {
            return;
        }
        // Said by its cause by now, which came to be known later.
        let folded: Vec<_> = engine.folded().iter().map(alike).collect();
        let before = std::mem::replace(&mut self.present, present.to_vec());
        for finding in before {
            // The same cause under another name: the worst of a site's channels is another one now.
            let same = |other: &Finding| alike(other) == alike(&finding) || other.key() == finding.key();
            if !self.present.iter().any(same) && !folded.contains(&alike(&finding)) {
                self.past.retain(|old| !same(old));
                self.past.push(finding);
            }
        }
        let present = &self.present;
        let again = |old: &Finding| present.iter().any(|now| alike(now) == alike(old) || now.key() == old.key());
        self.past.retain(|old| !again(old) && !folded.contains(&alike(old)));
    }

    /// All findings that were active at any time: those that last first, then the worst.
    pub fn findings(&self) -> Vec<Finding> {
        let mut all: Vec<Finding> = self.present.iter().chain(&self.past).cloned().collect();
        // The engine's own order is kept among equals.
        all.sort_by_key(|finding| (!finding.active(), std::cmp::Reverse(finding.severity)));
        all
    }
}

/// What makes two findings one line of a report: the rule and the place, or the subject where no place is known.
fn alike(finding: &Finding) -> (&str, &str, Option<FindingKey>) {
    let key = finding.subject.location.is_empty().then(|| finding.key());
    (finding.rule, &finding.subject.location, key)
}

impl Report<'_> {
    /// Whether anything is at least as bad as `limit`.
    pub fn any_at_least(&self, limit: Severity) -> bool {
        self.findings.iter().any(|finding| finding.severity >= limit)
    }

    /// For people; what is not visible in the target in a line, or with `verbose` in all its parts.
    pub fn text(&self, verbose: bool) -> String {
        text::report(self, verbose)
    }

    /// For programs: one JSON document, ended by a newline.
    pub fn json(&self) -> String {
        json::report(self)
    }

    /// For programs that read line by line: a JSON object for the target, then one for each finding.
    pub fn ndjson(&self) -> String {
        json::lines(self)
    }
}

/// The whole state of a target, for people: findings, totals, and the rows of each table that matter most.
pub fn snapshot_text(model: &Model, findings: &[Finding], silenced: &Silenced) -> String {
    snapshot_text::snapshot(model, findings, silenced)
}

/// Writes the whole state of a target as one JSON document, ended by a newline.
///
/// # Errors
///
/// When `out` cannot be written to.
pub fn snapshot_json(
    model: &Model,
    findings: &[Finding],
    silenced: &Silenced,
    out: impl std::io::Write,
) -> std::io::Result<()> {
    snapshot_json::write(model, findings, silenced, out)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
