//! Findings as SARIF 2.1.0, which code hosts and editors show at the line that they accuse.
use std::fmt::Write;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Report, Watched};
use crate::lints::{Finding, RULES, Severity};
use crate::text::place;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// What may stand in a URI as it is, beside letters and digits.
const PLAIN: &[u8] = b"-._~/!$&'()*+,;=@";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: Vec<Run>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Value,
    /// Tells the runs of one document apart: one a target.
    automation_details: Value,
    invocations: [Value; 1],
    column_kind: &'static str,
    results: Vec<Value>,
}

/// One document with a run for each target, ended by a newline.
pub(super) fn document(targets: &[Watched]) -> String {
    let runs = targets.iter().map(run).collect();
    let log = Log { schema: SCHEMA, version: "2.1.0", runs };
    // Strings, numbers and string keys only: there is nothing in it that JSON has no form for.
    let mut out = serde_json::to_string_pretty(&log).unwrap_or_default();
    out.push('\n');
    out
}

fn run(target: &Watched) -> Run {
    let mut invocation = match &target.failure {
        None => json!({ "executionSuccessful": true }),
        Some(why) => json!({
            "executionSuccessful": false,
            "toolExecutionNotifications": [{ "level": "error", "message": { "text": why } }],
        }),
    };
    if let Some(report) = &target.report
        && let Some(words) = report.silenced.words()
    {
        let off = |id| json!({ "descriptor": { "id": id }, "configuration": { "enabled": false } });
        invocation["ruleConfigurationOverrides"] = report.silenced.off.iter().map(off).collect();
        invocation["toolConfigurationNotifications"] = json!([{ "level": "note", "message": { "text": words } }]);
    }
    Run {
        tool: json!({ "driver": driver() }),
        automation_details: json!({ "id": format!("async-inspect/{}", target.address) }),
        invocations: [invocation],
        column_kind: "unicodeCodePoints",
        results: target
            .report
            .iter()
            .flat_map(|report| report.findings.iter().map(|one| result(report, one)))
            .collect(),
    }
}

fn driver() -> Value {
    let rule = |rule: &crate::lints::Rule| {
        json!({
            "id": rule.id,
            "shortDescription": { "text": rule.summary },
            "fullDescription": { "text": rule.summary },
            "help": { "text": rule.explain },
            "defaultConfiguration": { "level": level(rule.severity) },
        })
    };
    json!({
        "name": "async-inspect",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": RULES.iter().map(rule).collect::<Vec<Value>>(),
    })
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Crit => "error",
        Severity::Warn => "warning",
        Severity::Info => "note",
    }
}

fn result(report: &Report, finding: &Finding) -> Value {
    let mut result = json!({
        "ruleId": finding.rule,
        "ruleIndex": RULES.iter().position(|rule| rule.id == finding.rule),
        "level": level(finding.severity),
        "message": { "text": format!("{}\n\n{}", finding.message, finding.advice) },
        "locations": [],
        // The same from one watch to the next, as ids are not.
        "partialFingerprints": { "rulePlace/v1": format!("{} {}", finding.rule, finding.subject.location) },
        "properties": super::json::finding(report.model, finding),
    });
    if let Some(place) = physical(finding.line().0) {
        result["locations"] = json!([{ "physicalLocation": place }]);
    }
    let related =
        finding.evidence.iter().filter(|evidence| evidence.name.ends_with("location")).filter_map(|evidence| {
            let place = physical(evidence.value.as_str()?)?;
            Some((evidence.name.replace('_', " "), place))
        });
    let steps = finding.cycle.iter().filter_map(|step| {
        let place = physical(&step.location)?;
        Some((format!("{} waits here {}", step.name, step.thing), place))
    });
    let related: Vec<Value> = related
        .chain(steps)
        .enumerate()
        .map(|(n, (text, place))| json!({ "id": n + 1, "physicalLocation": place, "message": { "text": text } }))
        .collect();
    if !related.is_empty() {
        result["relatedLocations"] = Value::Array(related);
    }
    result
}

/// `path:line:column` as a file and a region; `None` for what is no place in a source.
fn physical(location: &str) -> Option<Value> {
    let (path, line, column) = place::parts(location)?;
    Some(json!({
        "artifactLocation": { "uri": uri(path) },
        "region": { "startLine": line, "startColumn": column.max(1) },
    }))
}

/// A path as a URI: relative ones stay so, since they are what the compiler was given.
fn uri(path: &str) -> String {
    let path = path.replace('\\', "/");
    let drive = path.as_bytes().get(1) == Some(&b':');
    let mut out = match (path.starts_with('/'), drive) {
        (true, _) => "file://".to_owned(),
        (false, true) => "file:///".to_owned(),
        (false, false) => String::new(),
    };
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_become_uris_and_regions() {
        let place = physical("src/my app.rs:12:5").unwrap();
        assert_eq!(place["artifactLocation"]["uri"], "src/my%20app.rs");
        assert_eq!((&place["region"]["startLine"], &place["region"]["startColumn"]), (&12.into(), &5.into()));
        assert_eq!(uri("/home/me/ä.rs"), "file:///home/me/%C3%A4.rs");
        assert_eq!(uri("C:\\shop\\a.rs"), "file:///C%3A/shop/a.rs");
        // Code that is of no one expression has no column.
        assert_eq!(physical("src/main.rs:12").unwrap()["region"], json!({ "startLine": 12, "startColumn": 1 }));
        assert_eq!(physical("main.rs"), None);
    }
}
