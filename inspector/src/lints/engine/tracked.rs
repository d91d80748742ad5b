//! One condition that is watched: since when it has held, what was said of it, and what is said in its place.
use std::cmp::Reverse;
use std::collections::HashSet;
use std::time::Duration;

use super::{AFTERMATH, Key};
use crate::lints::rule::{Candidate, Count, Rule};
use crate::lints::{Finding, Spot};
use crate::model::Stamp;

/// How long a finding that has become milder still counts as what it was.
const MILDER_AFTER: Duration = Duration::from_secs(3);
/// How long other advice must be the same before it takes the place of what is said, where it hangs on a moment: nobody can
/// follow advice that changes as they read it.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// What to do, and the line to open for it.
type Fix = (String, Option<Spot>);

/// A condition that is watched, and, once it has lasted, the finding.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) rule: &'static Rule,
    /// The rule's place in the table.
    pub(super) order: usize,
    pub(super) finding: Finding,
    /// It has been said.
    pub(super) raised: bool,
    /// While it is not active: since when the condition has held without a break.
    pub(super) met_since: Option<Stamp>,
    /// When it was last seen not to be gone.
    pub(super) met_at: Stamp,
    /// When it was last as severe as it is said to be.
    pub(super) severe_at: Stamp,
    /// Moments that are counted already.
    pub(super) counted: Vec<Stamp>,
    /// Other advice than is said, with its line to open, and since when it has been the same.
    pub(super) next: Option<(Fix, Stamp)>,
    pub(super) causes: HashSet<String>,
    pub(super) behind: HashSet<String>,
    pub(super) hurt: u64,
    /// Said by its cause.
    pub(super) folded: bool,
    /// The cause that it was last seen to be an effect of, and when.
    pub(super) effect_of: Option<(Key, Stamp)>,
}

impl Tracked {
    pub(super) fn new(rule: &'static Rule, order: usize, candidate: &Candidate, now: Stamp) -> Self {
        Self {
            rule,
            order,
            finding: Finding {
                rule: rule.id,
                severity: candidate.severity,
                subject: candidate.subject.clone(),
                open: None,
                message: String::new(),
                evidence: Vec::new(),
                cycle: Vec::new(),
                tasks: Vec::new(),
                culprit: None,
                advice: String::new(),
                confidence: candidate.confidence,
                since: now,
                older: false,
                last_seen: now,
                cleared: None,
                count: 0,
            },
            raised: false,
            met_since: None,
            met_at: now,
            severe_at: now,
            counted: Vec::new(),
            next: None,
            causes: HashSet::new(),
            behind: HashSet::new(),
            hurt: 0,
            folded: false,
            effect_of: None,
        }
    }

    pub(super) fn active(&self) -> bool {
        self.raised && self.finding.active()
    }

    /// Whether what it accuses may still have effects.
    pub(super) fn felt(&self, now: Stamp) -> bool {
        self.raised && self.finding.cleared.is_none_or(|at| now.since(at) < AFTERMATH)
    }

    /// Whether what this accuses is why `effect` is there.
    pub(super) fn accounts_for(&self, effect: &Tracked) -> bool {
        let among = |places: &HashSet<String>| !self.causes.is_disjoint(places);
        if self.rule.id == effect.rule.id {
            // Further on along what is waited for, and not in a circle.
            let back = !effect.causes.is_disjoint(&self.behind);
            return among(&effect.behind) && !back && !among(&effect.causes);
        }
        effect.rule.subsumed_by.contains(&self.rule.id) && (among(&effect.causes) || among(&effect.behind))
    }

    /// Whether it has happened again since `cause` was over, so that it is no aftermath of that. What is told of every `tick` is
    /// seen to end up to one later than it did, and what it ends with comes then too.
    pub(super) fn outlives(&self, cause: &Tracked, tick: Duration) -> bool {
        let over = cause.finding.last_seen.after((cause.rule.leave_after / 2).max(tick * 2));
        !cause.finding.active() && self.counted.iter().any(|&at| at > over)
    }

    /// What comes first, ranks lowest.
    pub(super) fn rank(&self) -> impl Ord {
        let finding = &self.finding;
        // Hurt by powers of two, so that lines do not swap places at every update.
        let hurt = self.hurt.checked_ilog2();
        (!finding.active(), Reverse(finding.severity), Reverse(hurt), finding.since, self.order)
    }

    pub(super) fn begin(&mut self, since: Stamp, candidate: &Candidate, now: Stamp) {
        self.raised = true;
        self.met_since = None;
        self.severe_at = now;
        self.finding.severity = candidate.severity;
        self.finding.since = candidate.began.map_or(since, |began| began.min(since));
        self.finding.cleared = None;
        self.finding.advice.clear();
        if candidate.count == Count::Onsets {
            self.finding.count += 1;
        }
    }

    /// Whether that is to be said in the place of what is said now.
    fn has_settled(&mut self, fix: &Fix, now: Stamp) -> bool {
        let (advice, open) = fix;
        if self.finding.advice.is_empty() || (advice, open) == (&self.finding.advice, &self.finding.open) {
            return true;
        }
        let since = match &self.next {
            Some((next, since)) if next == fix => *since,
            _ => now,
        };
        self.next = Some((fix.clone(), since));
        now.since(since) >= SETTLED_AFTER
    }

    /// The condition holds: it is said as it is now.
    pub(super) fn go_on(&mut self, candidate: Candidate, now: Stamp) {
        let open = candidate.open.filter(|open| open.location != candidate.subject.location);
        let fix = (candidate.advice.into_owned(), open);
        if !candidate.passing || self.has_settled(&fix, now) {
            (self.finding.advice, self.finding.open) = fix;
            self.next = None;
        }
        let finding = &mut self.finding;
        if candidate.severity >= finding.severity || now.since(self.severe_at) >= MILDER_AFTER {
            finding.severity = candidate.severity;
            self.severe_at = now;
        }
        match candidate.count {
            Count::Onsets => {}
            Count::Total(total) => finding.count = total.max(1),
            Count::Events(events) => {
                for (at, n) in &events {
                    if !self.counted.contains(at) {
                        finding.count = finding.count.saturating_add(*n);
                    }
                }
                finding.count = finding.count.max(1);
                self.counted = events.into_iter().map(|(at, _)| at).collect();
            }
        }
        finding.subject = candidate.subject;
        finding.message = candidate.message;
        finding.evidence = candidate.evidence;
        finding.tell_both_lines();
        finding.cycle = candidate.cycle;
        finding.tasks = candidate.tasks;
        finding.culprit = candidate.culprit.and_then(|culprit| culprit.waited_for());
        finding.confidence = candidate.confidence;
        self.causes = candidate.causes.into_iter().collect();
        self.behind = candidate.behind.into_iter().collect();
        self.hurt = candidate.hurt;
    }
}
