//! The shape of a rule: what it is called, when it speaks, and how it judges a model.
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use super::culprit::Culprit;
use super::finding::CULPRIT;
use super::knots::Knots;
use super::settings::RuleSettings;
use super::{Confidence, Evidence, Severity, Spot, Subject, WaitStep};
use crate::model::{Model, Stamp, TaskId};
use crate::text;

/// One rule. What is common to all (how long a condition must last, how long a finding outlives it, folding) is done
/// by the [`Engine`](super::Engine), as the rule says here.
#[derive(Debug)]
pub struct Rule {
    /// Its stable name.
    pub id: &'static str,
    /// The worst that it says by default.
    pub severity: Severity,
    /// One line: what it finds.
    pub summary: &'static str,
    /// What `async-inspect explain` prints: what it means, why it hurts, wrong and right code, thresholds.
    pub explain: &'static str,
    /// Limits that settings can change.
    pub thresholds: &'static [Threshold],
    /// How long the condition must hold, without a break, before it is said.
    pub enter_after: Duration,
    /// How long it must be gone before the finding clears, so that what flickers at the edge does not blink.
    pub leave_after: Duration,
    /// Rules that, when they accuse the same cause at least as severely, say it all: this one then keeps quiet.
    pub subsumed_by: &'static [&'static str],
    /// Judges `now`. Looks at sites, locks, channels and threads, which are few, and at single tasks by their id; never
    /// at all tasks.
    pub(super) evaluate: fn(&Cx, &mut Vec<Candidate>),
}

/// A limit of a rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// Its name in settings.
    pub name: &'static str,
    /// Its value unless settings say otherwise.
    pub default: Limit,
    /// What it limits.
    pub about: &'static str,
}

impl Threshold {
    pub(super) const fn millis(name: &'static str, ms: u64, about: &'static str) -> Self {
        Self { name, default: Limit::Span(Duration::from_millis(ms)), about }
    }

    pub(super) const fn micros(name: &'static str, us: u64, about: &'static str) -> Self {
        Self { name, default: Limit::Span(Duration::from_micros(us)), about }
    }

    pub(super) const fn share(name: &'static str, share: f64, about: &'static str) -> Self {
        Self { name, default: Limit::Share(share), about }
    }

    pub(super) const fn count(name: &'static str, n: u64, about: &'static str) -> Self {
        Self { name, default: Limit::Count(n), about }
    }
}

/// The value of a [`Threshold`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// A duration.
    Span(Duration),
    /// A share, 0 to 1.
    Share(f64),
    /// A number of things.
    Count(u64),
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&match *self {
            Self::Span(span) => text::duration(span),
            Self::Share(share) => text::percent(share),
            Self::Count(n) => text::count(n),
        })
    }
}

/// What a rule judges by.
pub(super) struct Cx<'a> {
    pub(super) model: &'a Model,
    /// Who of it can never go on, for all rules together.
    pub(super) knots: &'a Knots,
    /// The rule's own.
    pub(super) settings: &'a RuleSettings,
}

impl Cx<'_> {
    /// Whether `task` can never go on, which `deadlock` says.
    pub(super) fn is_stuck(&self, task: TaskId) -> bool {
        self.knots.is_stuck(self.model, task)
    }

    fn limit(&self, threshold: &Threshold) -> Limit {
        self.settings.limit(threshold)
    }

    /// A limit as people read it.
    pub(super) fn limit_text(&self, threshold: &Threshold) -> String {
        self.limit(threshold).to_string()
    }

    /// A limit that is a duration.
    pub(super) fn span(&self, threshold: &Threshold) -> Duration {
        match self.limit(threshold) {
            Limit::Span(span) => span,
            Limit::Share(_) | Limit::Count(_) => Duration::MAX,
        }
    }

    /// A limit that is a share.
    pub(super) fn share(&self, threshold: &Threshold) -> f64 {
        match self.limit(threshold) {
            Limit::Share(share) => share,
            Limit::Span(_) | Limit::Count(_) => f64::INFINITY,
        }
    }

    /// A limit that is a number of things.
    pub(super) fn count(&self, threshold: &Threshold) -> u64 {
        match self.limit(threshold) {
            Limit::Count(n) => n,
            Limit::Span(_) | Limit::Share(_) => u64::MAX,
        }
    }
}

/// What a rule says of one subject now.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) subject: Subject,
    /// The line to open first, where that may be another one than the subject's.
    pub(super) open: Option<Spot>,
    pub(super) judgement: Judgement,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) evidence: Vec<Evidence>,
    pub(super) advice: Cow<'static, str>,
    pub(super) confidence: Confidence,
    pub(super) count: Count,
    /// Since when the condition has held, where the rule knows better than by having looked.
    pub(super) onset: Option<Stamp>,
    /// When what it speaks of began, where that is before the condition held: the sleep that has become too long.
    pub(super) began: Option<Stamp>,
    /// How much it hurts, in whatever the rule counts: orders findings of one severity.
    pub(super) hurt: u64,
    /// The place in the source that makes candidates alike: of those, one is said, and how many more there are. Empty
    /// when there is none.
    pub(super) group: String,
    /// Places in the source that are, or may be, the cause: what findings are folded by.
    pub(super) causes: Vec<String>,
    /// Places further on, along what is waited for: a finding that accuses one of them may be why this one is there, but
    /// not the other way round.
    pub(super) behind: Vec<String>,
    /// Of a site's tasks those that it is about, where the rule knows each of them; empty where it is about all.
    pub(super) tasks: Vec<TaskId>,
    /// Its advice, or the line to open, hangs on what somebody does at this very moment.
    pub(super) passing: bool,
    /// It is said only when it was there at the update before too, however long it seems to have lasted.
    pub(super) twice: bool,
    /// Who waits for whom, in a circle; empty when there is none.
    pub(super) cycle: Vec<WaitStep>,
    /// The one task that keeps the others waiting, or did what is wrong, if there is one.
    pub(super) culprit: Option<Culprit>,
}

impl Candidate {
    /// Past its limits. The rule fills in the rest.
    pub(super) fn enter(subject: Subject, group: &str, severity: Severity) -> Self {
        Self { judgement: Judgement::Enter, severity, ..Self::stay(subject, group) }
    }

    /// Not bad enough to be said, but not good enough to be taken back.
    pub(super) fn stay(subject: Subject, group: &str) -> Self {
        Self {
            subject,
            open: None,
            judgement: Judgement::Stay,
            severity: Severity::Info,
            message: String::new(),
            evidence: Vec::new(),
            advice: Cow::Borrowed(""),
            confidence: Confidence::Certain,
            count: Count::Onsets,
            onset: None,
            began: None,
            hurt: 0,
            tasks: Vec::new(),
            group: group.to_owned(),
            causes: if group.is_empty() { Vec::new() } else { vec![group.to_owned()] },
            behind: Vec::new(),
            passing: false,
            twice: false,
            cycle: Vec::new(),
            culprit: None,
        }
    }

    /// Who keeps the others waiting, and what it does now, is told as evidence: in one way, whatever the rule.
    pub(super) fn tell_culprit(&mut self, model: &Model) {
        let culprit = self.culprit.and_then(|culprit| culprit.words(model));
        self.evidence.extend(culprit.map(|words| Evidence::words(CULPRIT, words)));
    }

    /// What is said of a lock is not seen, but worked out from who got it last.
    pub(super) fn infer(&mut self) {
        self.confidence = Confidence::Likely;
        let how = "who got the lock last; the target does not tell who holds it, nor since when exactly";
        self.evidence.push(Evidence::words("inferred_from", how));
    }
}

/// On which side of the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judgement {
    /// Past the limit: a finding begins, or goes on.
    Enter,
    /// Between the limit to enter and the one to leave: a finding goes on, but none begins.
    Stay,
}

/// How often it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Count {
    /// As often as the finding began.
    Onsets,
    /// So often.
    Total(u64),
    /// As often as these, and those before them, say: when, and how many. The engine counts each moment once.
    Events(Vec<(Stamp, u64)>),
}
