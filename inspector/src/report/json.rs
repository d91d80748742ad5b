//! The JSON of a report, and the parts that a snapshot has in common with it.
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Report, SCHEMA_VERSION, Silenced, millis};
use crate::lints::{Confidence, Finding, SubjectKind, WaitStep};
use crate::model::{Blind, Loss, Model, Target};

#[derive(Serialize)]
struct ReportJson<'a> {
    schema_version: u32,
    target: TargetJson<'a>,
    observed_ms: u64,
    /// Entities and updates that were not seen one by one.
    dropped: u64,
    totals: TotalsJson,
    findings: Vec<FindingJson<'a>>,
    #[serde(flatten)]
    silenced: SilencedJson<'a>,
    not_visible: Vec<BlindJson<'a>>,
}

/// What is not among the findings because the operator said so.
#[derive(Serialize)]
pub(super) struct SilencedJson<'a> {
    rules_off: &'a [&'static str],
    findings_muted: usize,
}

#[derive(Serialize)]
pub(super) struct TargetJson<'a> {
    address: &'a str,
    app: &'a str,
    pid: u32,
    instance: String,
    probe_version: &'a str,
}

#[derive(Serialize)]
pub(super) struct TotalsJson {
    tasks: u64,
    locks: u64,
    /// `CancellationToken`s and `TaskTracker`s, which are listed among the locks.
    tokens: u64,
    channels: u64,
    workers: u64,
    polls_per_s: f64,
    wakes_per_s: f64,
    lock_waits_per_s: f64,
    channel_depth: u64,
    probe_cpu_share: f64,
    probe_memory_bytes: u64,
}

#[derive(Serialize)]
pub(super) struct FindingJson<'a> {
    rule: &'a str,
    severity: String,
    subject: SubjectJson<'a>,
    /// The line to open first: the subject's own, or where what is wrong with it happens.
    open: OpenJson<'a>,
    message: &'a str,
    evidence: Map<String, Value>,
    /// The limits that evidence broke, by its names, for people.
    limits: Map<String, Value>,
    /// Tasks that wait for each other: each for what the next has, the last for what the first has. Only in findings
    /// about that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cycle: Vec<StepJson<'a>>,
    advice: &'a str,
    /// For how long it has lasted, or lasted until it cleared.
    since_ms: u64,
    /// It was so when the inspector came, and may have lasted for longer.
    older: bool,
    count: u64,
    confidence: &'static str,
    active: bool,
    /// Time since it cleared; null while it lasts.
    cleared_ms: Option<u64>,
}

#[derive(Serialize)]
struct StepJson<'a> {
    task: String,
    task_name: &'a str,
    waits: &'a str,
    location: &'a str,
    wait_ns: u64,
    held_location: &'a str,
    held_ns: Option<u64>,
}

#[derive(Serialize)]
struct OpenJson<'a> {
    /// As `path:line:column`; empty when unknown.
    location: &'a str,
    /// What happens there; null when unknown.
    location_role: Option<&'static str>,
}

#[derive(Serialize)]
struct SubjectJson<'a> {
    kind: &'static str,
    id: String,
    name: &'a str,
    location: &'a str,
    /// What happens at that line: `locked`, `spawned`. Null where it is not known.
    location_role: Option<&'static str>,
}

#[derive(Serialize)]
pub(super) struct BlindJson<'a> {
    about: &'a str,
    what: &'a str,
    why: &'a str,
    remedy: &'a str,
}

pub(super) fn report(report: &Report) -> String {
    let model = report.model;
    let json = ReportJson {
        schema_version: SCHEMA_VERSION,
        target: target(&model.target),
        observed_ms: millis(report.observed),
        dropped: dropped(&model.loss),
        totals: totals(model),
        findings: report.findings.iter().map(|one| finding(model, one)).collect(),
        silenced: silenced(report.silenced),
        not_visible: not_visible(&model.target),
    };
    // Strings, numbers and string keys only: there is nothing in it that JSON has no form for.
    let mut out = serde_json::to_string_pretty(&json).unwrap_or_default();
    out.push('\n');
    out
}

/// One line of a report that is read line by line.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum LineJson<'a> {
    Target {
        schema_version: u32,
        target: TargetJson<'a>,
        observed_ms: u64,
        dropped: u64,
        totals: TotalsJson,
        #[serde(flatten)]
        silenced: SilencedJson<'a>,
        not_visible: Vec<BlindJson<'a>>,
    },
    Finding {
        /// Whose it is, by the address in the target's line.
        address: &'a str,
        #[serde(flatten)]
        finding: FindingJson<'a>,
    },
}

pub(super) fn lines(report: &Report) -> String {
    let model = report.model;
    let first = LineJson::Target {
        schema_version: SCHEMA_VERSION,
        target: target(&model.target),
        observed_ms: millis(report.observed),
        dropped: dropped(&model.loss),
        totals: totals(model),
        silenced: silenced(report.silenced),
        not_visible: not_visible(&model.target),
    };
    let address = model.target.address.as_str();
    let findings = report.findings.iter().map(|one| LineJson::Finding { address, finding: finding(model, one) });
    let mut out = String::new();
    for line in std::iter::once(first).chain(findings) {
        out.push_str(&serde_json::to_string(&line).unwrap_or_default());
        out.push('\n');
    }
    out
}

pub(super) fn target(target: &Target) -> TargetJson<'_> {
    TargetJson {
        address: &target.address,
        app: &target.app,
        pid: target.pid,
        instance: format!("{:016x}", target.instance),
        probe_version: &target.probe_version,
    }
}

pub(super) fn dropped(loss: &Loss) -> u64 {
    loss.total()
}

pub(super) fn totals(model: &Model) -> TotalsJson {
    let rate = |series: &crate::model::Series| round(series.last().unwrap_or(0.0));
    let depth = model.channels.values().map(crate::model::Channel::depth).fold(0, u64::saturating_add);
    let tokens = model.locks.values().filter(|lock| lock.kind.ends_tasks()).count() as u64;
    TotalsJson {
        tasks: model.live_tasks(),
        locks: model.locks.len() as u64 - tokens,
        tokens,
        channels: model.channels.len() as u64,
        workers: model.workers.len() as u64,
        polls_per_s: rate(&model.totals.polls),
        wakes_per_s: rate(&model.totals.wakes),
        lock_waits_per_s: rate(&model.totals.lock_waits),
        channel_depth: depth,
        probe_cpu_share: round(model.cost.cpu_share),
        probe_memory_bytes: model.cost.memory_bytes,
    }
}

pub(super) fn finding<'a>(model: &Model, finding: &'a Finding) -> FindingJson<'a> {
    let (kind, id) = match finding.subject.kind {
        SubjectKind::Task(id) => ("task", id.0.to_string()),
        SubjectKind::Site(id) => ("site", id.0.to_string()),
        SubjectKind::Lock(id) => ("lock", id.0.to_string()),
        SubjectKind::Channel(id) => ("channel", id.0.to_string()),
    };
    let limits = finding.evidence.iter().filter(|evidence| !evidence.limit.is_empty());
    FindingJson {
        rule: finding.rule,
        severity: finding.severity.to_string(),
        subject: SubjectJson {
            kind,
            id,
            name: &finding.subject.name,
            location: &finding.subject.location,
            location_role: finding.subject.role.id(),
        },
        open: OpenJson { location: finding.line().0, location_role: finding.line().1.id() },
        message: &finding.message,
        evidence: finding.evidence.iter().map(|one| (one.name.to_owned(), one.value.clone())).collect(),
        limits: limits.map(|one| (one.name.to_owned(), one.limit.clone().into())).collect(),
        cycle: finding.cycle.iter().map(|one| step(finding, one)).collect(),
        advice: &finding.advice,
        since_ms: millis(finding.cleared.unwrap_or(model.now).since(finding.since)),
        older: finding.older,
        count: finding.count,
        confidence: match finding.confidence {
            Confidence::Likely => "likely",
            Confidence::Certain => "certain",
        },
        active: finding.active(),
        cleared_ms: finding.cleared.map(|at| millis(model.now.since(at))),
    }
}

fn step<'a>(finding: &Finding, step: &'a WaitStep) -> StepJson<'a> {
    let ns = |since| u64::try_from(finding.last_seen.since(since).as_nanos()).unwrap_or(u64::MAX);
    StepJson {
        task: step.task.0.to_string(),
        task_name: &step.name,
        waits: &step.thing,
        location: &step.location,
        wait_ns: ns(step.since),
        held_location: &step.held_location,
        held_ns: step.held_since.map(ns),
    }
}

pub(super) fn silenced(of: &Silenced) -> SilencedJson<'_> {
    SilencedJson { rules_off: &of.off, findings_muted: of.muted }
}

pub(super) fn not_visible(target: &Target) -> Vec<BlindJson<'_>> {
    target.blind.iter().map(|Blind { about, what, why, remedy }| BlindJson { about, what, why, remedy }).collect()
}

/// Three decimals: more of a rate is noise.
pub(super) fn round(value: f64) -> f64 {
    if value.is_finite() { (value * 1000.0).round() / 1000.0 } else { 0.0 }
}
