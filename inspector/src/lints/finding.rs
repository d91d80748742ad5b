//! What a rule says.
use std::fmt;
use std::time::Duration;

use super::{LocationRole, Spot, Subject, SubjectKind};
use crate::model::{Stamp, TaskId, WaitFor};
use crate::text;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A fact worth a look.
    Info,
    /// Costs throughput, latency or answers.
    Warn,
    /// Somebody is being hurt now.
    Crit,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Crit => "crit",
        })
    }
}

/// How sure the rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Inferred from incomplete facts.
    Likely,
    /// Seen.
    Certain,
}

/// The evidence that says who it was: see [`Finding::who`].
pub(super) const CULPRIT: &str = "culprit";

/// One measured value, beside the limit it broke.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// Stable name with its unit, as in the JSON: `wait_p99_ns`, `waiters`, `holder_location`.
    pub name: &'static str,
    /// The value, as text for people: `12.3 ms`, `480`, `src/main.rs:10:5`.
    pub text: String,
    /// The same for programs.
    pub value: serde_json::Value,
    /// The limit, as text for people: `> 10 ms`. Empty when the value is context, not measure.
    pub limit: String,
    /// It is for programs, and for who looks at all there is: where room is short it only takes it from what decides.
    pub aside: bool,
}

impl Evidence {
    fn new(name: &'static str, text: String, value: serde_json::Value) -> Self {
        Self { name, text, value, limit: String::new(), aside: false }
    }

    /// A duration; `name` ends in `_ns`.
    pub(crate) fn span(name: &'static str, span: Duration) -> Self {
        let ns = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self::new(name, text::duration(span), ns.into())
    }

    /// A percentile: of a histogram no more is known than below what it lies. `name` ends in `_p99_ns`.
    pub(crate) fn percentile(name: &'static str, bound: Duration) -> Self {
        Self { text: text::at_most(bound), ..Self::span(name, bound) }
    }

    /// A count.
    pub(crate) fn count(name: &'static str, n: u64) -> Self {
        Self::new(name, text::count(n), n.into())
    }

    /// An amount of memory; `name` ends in `_bytes`.
    pub(crate) fn bytes(name: &'static str, n: u64) -> Self {
        Self::new(name, text::bytes(n), n.into())
    }

    /// A share from 0 to 1; `name` ends in `_share`.
    pub(crate) fn share(name: &'static str, share: f64) -> Self {
        Self::new(name, text::percent(share), rounded(share))
    }

    /// A rate; `name` ends in `_per_s`.
    pub(crate) fn rate(name: &'static str, per_second: f64) -> Self {
        Self::new(name, text::rate(per_second), rounded(per_second))
    }

    /// A mean of counts.
    pub(crate) fn mean(name: &'static str, mean: f64) -> Self {
        Self::new(name, format!("{mean:.1}"), rounded(mean))
    }

    /// Words, or a place.
    pub(crate) fn words(name: &'static str, words: impl Into<String>) -> Self {
        let words = words.into();
        Self::new(name, words.clone(), words.into())
    }

    /// Several things said in words.
    pub(crate) fn list(name: &'static str, all: Vec<String>) -> Self {
        Self::new(name, all.join(" | "), all.into())
    }

    /// A task; `name` ends in `_task`. Ids are strings in JSON, since not every reader of JSON has 64-bit integers.
    pub(crate) fn task(name: &'static str, id: TaskId) -> Self {
        // By its number alone nobody knows it; who matters is told by name.
        Self::new(name, text::task_id(id), id.0.to_string().into()).aside()
    }

    /// Told only where all is told.
    #[must_use]
    pub(crate) fn aside(self) -> Self {
        Self { aside: true, ..self }
    }

    /// With the limit that it broke.
    #[must_use]
    pub(crate) fn over(mut self, limit: impl fmt::Display) -> Self {
        self.limit = format!("> {limit}");
        self
    }

    /// With the limit that it reached.
    #[must_use]
    pub(crate) fn at_least(mut self, limit: impl fmt::Display) -> Self {
        self.limit = format!("≥ {limit}");
        self
    }
}

fn rounded(value: f64) -> serde_json::Value {
    ((value * 1000.0).round() / 1000.0).into()
}

/// What makes two findings the same one: the rule and what it accuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FindingKey {
    /// The rule's id.
    pub rule: &'static str,
    /// The accused.
    pub subject: SubjectKind,
}

/// One step of a circle: a task waits for something that the task of the next step has, or is; the last step leads to
/// the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitStep {
    /// Who waits.
    pub task: TaskId,
    /// What people call that task.
    pub name: String,
    /// For what.
    pub on: WaitFor,
    /// The same in words, as the end of a sentence: `for lock "Accounts"`.
    pub thing: String,
    /// The awaiting line, as `path:line:column`; empty when unknown.
    pub location: String,
    /// Since when.
    pub since: Stamp,
    /// Where the task of the next step took what is waited for; empty when it took nothing.
    pub held_location: String,
    /// Since when it has it.
    pub held_since: Option<Stamp>,
}

/// What a rule says of one subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// The rule's id.
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// About what.
    pub subject: Subject,
    /// The line to open first, where that is another one than the subject's.
    pub open: Option<Spot>,
    /// One sentence: what is wrong.
    pub message: String,
    /// Measures and context, most telling first.
    pub evidence: Vec<Evidence>,
    /// Tasks that wait for each other in a circle; empty for most rules.
    pub cycle: Vec<WaitStep>,
    /// Of a site's tasks those that it is about, where the rule knows each of them; empty where it is about all.
    pub tasks: Vec<TaskId>,
    /// The one task that keeps the others waiting, where there is one: a lock's holder, a channel's receiver.
    pub culprit: Option<TaskId>,
    /// What to do about it, in one or two sentences.
    pub advice: String,
    /// How sure.
    pub confidence: Confidence,
    /// Since when it has been so, without a break.
    pub since: Stamp,
    /// It was so when somebody began to look, and the target does not tell since when: it may be older than `since`.
    pub older: bool,
    /// When the condition was last seen to hold.
    pub last_seen: Stamp,
    /// When it was seen to end; `None` while it lasts.
    pub cleared: Option<Stamp>,
    /// How often it happened: slow polls, dropped handles, onsets of a condition.
    pub count: u64,
}

impl Finding {
    /// Which finding this is.
    pub fn key(&self) -> FindingKey {
        FindingKey { rule: self.rule, subject: self.subject.kind }
    }

    /// Whether both are worth a word only, and ask for the same.
    pub(crate) fn is_alike(&self, other: &Finding) -> bool {
        let kind = |of: &Finding| (of.rule, of.severity, of.active());
        self.severity == Severity::Info && kind(self) == kind(other) && self.advice == other.advice
    }

    /// The line to open first, as `path:line:column`, and what happens there; empty when unknown.
    pub fn line(&self) -> (&str, LocationRole) {
        match &self.open {
            Some(spot) => (&spot.location, spot.role),
            None => (&self.subject.location, self.subject.role),
        }
    }

    /// Where it is another line that is to be opened, the subject's own is told as evidence.
    pub(super) fn tell_both_lines(&mut self) {
        let Subject { location, role, .. } = &self.subject;
        if self.open.is_none() || self.evidence.iter().any(|evidence| evidence.text == *location) {
            return;
        }
        let name = match role {
            LocationRole::Made => "created_location",
            LocationRole::Spawned => "spawned_location",
            LocationRole::Locked | LocationRole::Acquired => "acquired_location",
            LocationRole::Notified => "notify_location",
            _ => "subject_location",
        };
        self.evidence.push(Evidence::words(name, location.as_str()));
    }

    /// Whether the sentence tells for how long it has been so, beside which the finding's own time would be read as a
    /// contradiction: of what has lasted `for 4.07 s`, or was done `11.4 s ago`. A time much shorter than the finding's is
    /// of something else: of each hold, of one poll.
    pub(crate) fn tells_a_time(&self) -> bool {
        let words: Vec<&str> =
            self.message.split([' ', '\u{a0}']).map(|word| word.trim_end_matches([':', ';', ','])).collect();
        let lasted = self.last_seen.since(self.since);
        let is_span = |at: usize| {
            let span = words.get(at..at + 2).and_then(|span| text::parse_duration(&span.join(" ")));
            span.is_some_and(|span| span.saturating_mul(3) >= lasted.saturating_mul(2))
        };
        words.iter().enumerate().any(|(n, word)| match *word {
            "for" => is_span(n + 1),
            "ago" => n >= 2 && is_span(n - 2),
            _ => false,
        })
    }

    /// How long it has lasted: `12.3 s`; `>12.3 s` where it may be longer.
    pub fn age(&self, now: Stamp) -> String {
        let than = if self.older { ">" } else { "" };
        format!("{than}{}", text::duration(now.since(self.since)))
    }

    /// What [`Finding::culprit`] is called and does, and as what it is named: `holder: #24 rebuild runs, in a poll for
    /// 12.0 ms`; or who did what is wrong: `dropped by: #5 answer 4.00 s ago (spawned at store.rs:12, has ended)`.
    pub fn who(&self) -> Option<&str> {
        self.evidence.iter().find(|evidence| evidence.name == CULPRIT).map(|evidence| evidence.text.as_str())
    }

    /// What was measured beside [`Finding::who`], and is known: a place that the target does not tell is an empty word,
    /// which nobody can read.
    pub fn measures(&self) -> impl Iterator<Item = &Evidence> {
        self.evidence.iter().filter(|evidence| !evidence.text.is_empty() && evidence.name != CULPRIT)
    }

    /// Whether it lasts.
    pub fn active(&self) -> bool {
        self.cleared.is_none()
    }
}
