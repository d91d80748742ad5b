//! From what rules say now to findings that begin, last and clear.
//!
//! Rules judge one moment. Everything that takes memory is here, the same for all of them: a condition must hold for a
//! while before it is said and be gone for a while before it clears, cleared findings stay for a minute, what happened
//! is counted once, what is alike is said once, and effects are folded into their cause.
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::knots::Knots;
use super::rule::{Candidate, Count, Cx, Judgement, Rule};
use super::{Evidence, Finding, RULES, Settings, Severity, Spot, SubjectKind};
use crate::model::{Model, Stamp};

/// How long a cleared finding is kept, in the target's time.
pub(super) const RETENTION: Duration = Duration::from_mins(1);
/// How long what a cleared finding caused may outlast it.
const AFTERMATH: Duration = Duration::from_secs(10);
/// How long a finding that has become milder still counts as what it was.
const MILDER_AFTER: Duration = Duration::from_secs(3);
/// How long other advice must be the same before it takes the place of what is said, where it hangs on a moment: nobody can
/// follow advice that changes as they read it.
const SETTLED_AFTER: Duration = Duration::from_secs(2);
/// After so long without an update, what held before need not have held in between.
const BREAK: Duration = Duration::from_secs(2);
/// The longest window that rules look back over, ten whole seconds, and the time until it is judged: what is said within
/// the first of it may have been so before.
const WINDOW: Duration = Duration::from_secs(12);
/// How long most rules take to say something, once they judge: before that, to have found nothing says little.
pub(crate) const SOON: Duration = Duration::from_secs(5);
/// Effects that are named beside their cause.
const EFFECTS: usize = 3;

/// Judges a target again and again; holds what is found.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    tracked: HashMap<Key, Tracked>,
    findings: Vec<Finding>,
    folded: Vec<Finding>,
    /// When it first judged.
    first: Option<Stamp>,
    last: Option<Stamp>,
    /// Since when it has judged without a break.
    steady: Option<Stamp>,
}

/// What is alike: the rule, and the place (or the subject, where no place is known).
type Key = (&'static str, String);

/// What to do, and the line to open for it.
type Fix = (String, Option<Spot>);

/// A condition that is watched, and, once it has lasted, the finding.
#[derive(Debug)]
struct Tracked {
    rule: &'static Rule,
    /// The rule's place in the table.
    order: usize,
    finding: Finding,
    /// It has been said.
    raised: bool,
    /// While it is not active: since when the condition has held without a break.
    met_since: Option<Stamp>,
    /// When it was last seen not to be gone.
    met_at: Stamp,
    /// When it was last as severe as it is said to be.
    severe_at: Stamp,
    /// Moments that are counted already.
    counted: Vec<Stamp>,
    /// Other advice than is said, with its line to open, and since when it has been the same.
    next: Option<(Fix, Stamp)>,
    causes: HashSet<String>,
    behind: HashSet<String>,
    hurt: u64,
    /// Said by its cause.
    folded: bool,
    /// The cause that it was last seen to be an effect of, and when.
    effect_of: Option<(Key, Stamp)>,
}

impl Tracked {
    fn active(&self) -> bool {
        self.raised && self.finding.active()
    }

    /// Whether what it accuses may still have effects.
    fn felt(&self, now: Stamp) -> bool {
        self.raised && self.finding.cleared.is_none_or(|at| now.since(at) < AFTERMATH)
    }
}

impl Engine {
    /// An engine for one target that has found nothing yet.
    pub fn new(settings: Settings) -> Engine {
        Engine {
            settings,
            tracked: HashMap::new(),
            findings: Vec::new(),
            folded: Vec::new(),
            first: None,
            last: None,
            steady: None,
        }
    }

    /// Findings: active ones first, then the worst, then what hurts most; those that cleared within the last minute
    /// come after. Equals keep their order from one evaluation to the next.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Findings that another one speaks for, whose effects they are.
    pub fn folded(&self) -> &[Finding] {
        &self.folded
    }

    /// How long it has judged `model` without a break: what was found within the first [`SOON`] of it need not be all.
    pub(crate) fn judged_for(&self, model: &Model) -> Duration {
        let steady = self.steady.filter(|_| model.complete && !model.is_settling());
        steady.map_or(Duration::ZERO, |since| model.now.since(since))
    }

    /// Judges the model as it is now. To be called after each update; before the first snapshot is whole, and while a
    /// target comes to itself after a pause, it does nothing.
    pub fn evaluate(&mut self, model: &Model) {
        if !model.complete || model.is_settling() {
            return;
        }
        let now = model.now;
        let elapsed = self.last.map_or(Duration::ZERO, |last| now.since(last));
        if self.last.is_some_and(|last| now < last) {
            self.tracked.clear();
            (self.first, self.steady) = (None, None);
        }
        if elapsed > BREAK {
            self.steady = None;
            self.tracked.retain(|_, tracked| tracked.raised);
            for tracked in self.tracked.values_mut() {
                tracked.met_since = None;
                if tracked.active() {
                    // Nobody has seen it end, and nobody sees it now.
                    tracked.met_at = now.before(Duration::from_nanos(1));
                }
            }
        }
        self.last = Some(now);
        self.first.get_or_insert(now);
        self.steady.get_or_insert(now);

        let mut judged = HashMap::new();
        let mut candidates = Vec::new();
        let knots = Knots::default();
        for (order, rule) in RULES.iter().enumerate() {
            let Some(settings) = self.settings.of(rule) else { continue };
            let cx = Cx { model, knots: &knots, settings: &settings };
            (rule.evaluate)(&cx, &mut candidates);
            for mut candidate in candidates.drain(..) {
                candidate.severity = settings.severity(candidate.severity, rule.severity);
                if !model.target.sees("holders") && matches!(candidate.subject.kind, SubjectKind::Lock(_)) {
                    candidate.infer();
                }
                candidate.tell_culprit(model);
                let group = if candidate.group.is_empty() {
                    format!("{:?}", candidate.subject.kind)
                } else {
                    candidate.group.clone()
                };
                let (_, alike) = judged.entry((rule.id, group)).or_insert_with(|| ((order, rule), Vec::new()));
                alike.push(candidate);
            }
        }
        for (key, ((order, rule), alike)) in judged {
            self.take(key, order, rule, alike, now);
        }
        self.sweep(now);
        self.publish(now);
    }

    /// Takes in what a rule says of things that are alike.
    fn take(&mut self, key: Key, order: usize, rule: &'static Rule, alike: Vec<Candidate>, now: Stamp) {
        let before = self.tracked.get(&key).map(|tracked| tracked.finding.subject.kind);
        let others = alike.iter().filter(|c| c.judgement == Judgement::Enter).count().saturating_sub(1);
        // The one that was named before is named again if it is no milder than the others.
        let chosen = alike.into_iter().max_by_key(|c| {
            let ordinal = Reverse(format!("{:?}", c.subject.kind));
            let same = Some(c.subject.kind) == before;
            (c.judgement == Judgement::Enter, c.severity, same, c.hurt.checked_ilog2(), ordinal)
        });
        let Some(mut candidate) = chosen else { return };
        let tracked = self.tracked.get_mut(&key);
        if candidate.judgement == Judgement::Stay {
            if let Some(tracked) = tracked {
                tracked.met_since = None;
                tracked.met_at = now;
            }
            return;
        }
        if others > 0 {
            candidate.evidence.push(Evidence::count("alike_from_this_line", others as u64).aside());
        }
        let tracked = match tracked {
            Some(tracked) => tracked,
            None => self.tracked.entry(key).or_insert_with(|| Tracked::new(rule, order, &candidate, now)),
        };
        tracked.met_at = now;
        if !tracked.active() {
            // It was gone before it was seen to be gone for long enough.
            let earliest = tracked.finding.cleared.map_or(Stamp(0), |at| at.before(rule.leave_after));
            let since = candidate.onset.unwrap_or(now).min(now).max(earliest);
            let first = tracked.met_since.is_none();
            let since = *tracked.met_since.get_or_insert(since);
            if now.since(since) < rule.enter_after || first && candidate.twice {
                return;
            }
            tracked.begin(since, &candidate, now);
            // Of a target that has only just begun to tell, nothing can be much older.
            let seen = self.first.filter(|&first| first.since(Stamp(0)) > WINDOW);
            let told = candidate.onset.is_some() || candidate.began.is_some();
            tracked.finding.older = !told && seen.is_some_and(|first| since.since(first) < WINDOW);
        }
        tracked.go_on(candidate, now);
    }

    /// Ends what no longer holds, and forgets what ended long ago.
    fn sweep(&mut self, now: Stamp) {
        self.tracked.retain(|_, tracked| {
            if tracked.active() {
                if tracked.met_at == now {
                    tracked.finding.last_seen = now;
                } else if now.since(tracked.met_at) >= tracked.rule.leave_after {
                    tracked.finding.cleared = Some(now);
                }
                return true;
            }
            if tracked.met_at != now {
                tracked.met_since = None;
            }
            if tracked.met_since.is_some() {
                return true;
            }
            tracked.raised && tracked.finding.cleared.is_some_and(|at| now.since(at) < RETENTION)
        });
    }

    /// The effects, each with its cause, and whether that accounts for it now.
    fn folds(&self, now: Stamp) -> HashMap<Key, (Key, bool)> {
        let raised = || self.tracked.iter().filter(|(_, tracked)| tracked.raised);
        let mut accusing: HashMap<&str, Vec<(&Key, &Tracked)>> = HashMap::new();
        for (key, cause) in raised() {
            for place in &cause.causes {
                accusing.entry(place).or_default().push((key, cause));
            }
        }
        // Where two are each other's cause, as with workers of one line that share a lock, what was there first is said.
        let mut effects: Vec<_> = raised().collect();
        effects.sort_by_key(|(key, effect)| {
            (effect.finding.severity, Reverse(effect.finding.since), Reverse((effect.order, *key)))
        });
        let mut cause_of: HashMap<&Key, (&Key, bool)> = HashMap::new();
        for (key, effect) in effects {
            let places = effect.causes.iter().chain(&effect.behind);
            let lately = effect.effect_of.as_ref().filter(|(_, at)| now.since(*at) < AFTERMATH);
            let remembered = lately.and_then(|(cause, _)| self.tracked.get_key_value(cause));
            let causes = places
                .filter_map(|place| accusing.get(place.as_str()))
                .flatten()
                .copied()
                .filter(|(_, cause)| cause.accounts_for(effect))
                .map(|(key, cause)| (key, cause, true))
                // Who works for a while and then waits for a lock again is not freed from it in between.
                .chain(remembered.map(|(key, cause)| (key, cause, false)))
                .filter(|(_, cause, _)| {
                    cause.finding.severity >= effect.finding.severity
                        && if effect.active() { cause.felt(now) } else { cause.raised }
                });
            let cause_at = |at| cause_of.get(at).map(|&(cause, _)| cause);
            let in_circle = |cause| std::iter::successors(Some(cause), |at| cause_at(*at)).any(|at| at == key);
            // Of one that accounts for it now and is remembered too, the first is taken.
            let cause = causes
                .filter(|(cause, ..)| !in_circle(cause))
                .min_by(|a, b| a.1.rank().cmp(&b.1.rank()).then_with(|| a.0.cmp(b.0)));
            if let Some((cause, _, seen)) = cause {
                cause_of.insert(key, (cause, seen));
            }
        }
        cause_of.into_iter().map(|(effect, (cause, seen))| (effect.clone(), (cause.clone(), seen))).collect()
    }

    /// Folds effects into causes and puts the rest in order.
    fn publish(&mut self, now: Stamp) {
        let folded = self.folds(now);
        for tracked in self.tracked.values_mut() {
            // What has begun under its cause and ended under it was never anything of its own.
            tracked.folded &= !tracked.active();
        }
        let mut effects: HashMap<Key, Vec<String>> = HashMap::new();
        for (effect, (cause, seen)) in folded {
            let Some(tracked) = self.tracked.get_mut(&effect) else { continue };
            tracked.folded = true;
            if seen {
                tracked.effect_of = Some((cause.clone(), now));
            }
            if tracked.active()
                && self.tracked[&cause].finding.subject.kind != self.tracked[&effect].finding.subject.kind
            {
                let finding = &self.tracked[&effect].finding;
                effects.entry(cause).or_default().push(format!("{}: {}", finding.rule, finding.message));
            }
        }
        self.folded = self.tracked.values().filter(|t| t.raised && t.folded).map(|t| t.finding.clone()).collect();
        self.tracked.retain(|_, tracked| !tracked.folded || tracked.active());

        let mut said: Vec<(&Key, &Tracked)> = self.tracked.iter().filter(|(_, t)| t.raised && !t.folded).collect();
        said.sort_by(|a, b| a.1.rank().cmp(&b.1.rank()).then_with(|| a.0.cmp(b.0)));
        // One task may be accused at two lines; it is told of once, at the worse.
        let mut keys = HashSet::new();
        said.retain(|(_, tracked)| keys.insert(tracked.finding.key()));
        self.findings = said
            .into_iter()
            .map(|(key, tracked)| {
                let mut finding = tracked.finding.clone();
                if let Some(mut effects) = effects.remove(key) {
                    effects.sort();
                    let more = effects.len().saturating_sub(EFFECTS);
                    effects.truncate(EFFECTS);
                    finding.evidence.push(Evidence::list("effects", effects));
                    if more > 0 {
                        finding.evidence.push(Evidence::count("more_effects", more as u64));
                    }
                }
                finding
            })
            .collect();
    }
}

impl Tracked {
    fn new(rule: &'static Rule, order: usize, candidate: &Candidate, now: Stamp) -> Self {
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

    /// Whether what this accuses is why `effect` is there.
    fn accounts_for(&self, effect: &Tracked) -> bool {
        let among = |places: &HashSet<String>| !self.causes.is_disjoint(places);
        if self.rule.id == effect.rule.id {
            // Further on along what is waited for, and not in a circle.
            let back = !effect.causes.is_disjoint(&self.behind);
            return among(&effect.behind) && !back && !among(&effect.causes);
        }
        effect.rule.subsumed_by.contains(&self.rule.id) && (among(&effect.causes) || among(&effect.behind))
    }

    /// What comes first, ranks lowest.
    fn rank(&self) -> impl Ord {
        let finding = &self.finding;
        // Hurt by powers of two, so that lines do not swap places at every update.
        let hurt = self.hurt.checked_ilog2();
        (!finding.active(), Reverse(finding.severity), Reverse(hurt), finding.since, self.order)
    }

    fn begin(&mut self, since: Stamp, candidate: &Candidate, now: Stamp) {
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
    fn go_on(&mut self, candidate: Candidate, now: Stamp) {
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

/// The worst of the active findings; `None` when all is well.
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().filter(|finding| finding.active()).map(|finding| finding.severity).max()
}
