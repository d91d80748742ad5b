//! From what rules say now to findings that begin, last and clear.
//!
//! Rules judge one moment. Everything that takes memory is here, the same for all of them: a condition must hold for a
//! while before it is said and be gone for a while before it clears, cleared findings stay for a minute, what happened
//! is counted once, what is alike is said once, and effects are folded into their cause.
mod tracked;

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::knots::Knots;
use super::rule::{Candidate, Cx, Judgement, Rule};
use super::{Evidence, Finding, RULES, Settings, Severity, SubjectKind};
use crate::model::{Model, Stamp, TaskId};
use tracked::Tracked;

/// How long a cleared finding is kept, in the target's time.
pub(super) const RETENTION: Duration = Duration::from_mins(1);
/// How long what a cleared finding caused may outlast it.
const AFTERMATH: Duration = Duration::from_secs(10);
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
    /// See [`Engine::doubted`].
    doubted: Vec<TaskId>,
    /// When it first judged.
    first: Option<Stamp>,
    last: Option<Stamp>,
    /// Since when it has judged without a break.
    steady: Option<Stamp>,
}

/// What is alike: the rule, and the place (or the subject, where no place is known).
type Key = (&'static str, String);

impl Engine {
    /// An engine for one target that has found nothing yet.
    pub fn new(settings: Settings) -> Engine {
        Engine {
            settings,
            tracked: HashMap::new(),
            findings: Vec::new(),
            folded: Vec::new(),
            doubted: Vec::new(),
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
        self.doubted = knots.into_doubted();
        self.sweep(now);
        self.publish(now, model.target.tick);
    }

    /// Tasks that a look would tell of whether they can go on, which some rule waits for.
    pub fn doubted(&self) -> &[TaskId] {
        &self.doubted
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
    fn folds(&self, now: Stamp, tick: Duration) -> HashMap<Key, (Key, bool)> {
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
                        && if effect.active() { cause.felt(now) && !effect.outlives(cause, tick) } else { cause.raised }
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
    fn publish(&mut self, now: Stamp, tick: Duration) {
        let folded = self.folds(now, tick);
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

/// The worst of the active findings; `None` when all is well.
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().filter(|finding| finding.active()).map(|finding| finding.severity).max()
}
