//! What tests of rules share, and what holds for all rules together.
pub(super) use std::time::Duration;

use super::RULES;
pub(super) use super::{Confidence, Engine, Evidence, Finding, Settings, Severity, SubjectKind};
pub(super) use crate::model::fixture::Fixture;
pub(super) use crate::model::{
    ChannelId, LockId, Loss, OutputKind, Panic, SiteId, Stamp, TaskId, TaskKind, TaskState, Wait, WaitFor, WorkerKind,
};

pub(super) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A made-up target that is judged after each update.
pub(super) struct Judged {
    pub(super) target: Fixture,
    pub(super) engine: Engine,
}

impl Judged {
    pub(super) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(super) fn with(settings: Settings) -> Self {
        Self { target: Fixture::new(), engine: Engine::new(settings) }
    }

    /// One update, `after` the last.
    pub(super) fn tick(&mut self, after: Duration) {
        self.target.tick(after);
        self.engine.evaluate(&self.target.model);
    }

    /// Lets time go by with nothing new.
    pub(super) fn run(&mut self, span: Duration) {
        self.every(span, |_| {});
    }

    /// Lets time go by; `change` is called before each of ten updates a second, at the time of that update.
    pub(super) fn every(&mut self, span: Duration, mut change: impl FnMut(&mut Fixture)) {
        for _ in 0..span.as_millis() / 100 {
            self.target.now = self.target.now.after(ms(100));
            change(&mut self.target);
            self.tick(Duration::ZERO);
        }
    }

    /// The first snapshot, and a little more.
    pub(super) fn settle(&mut self) {
        self.run(ms(500));
    }

    /// The future of a `block_on` that has just begun.
    pub(super) fn root(&mut self, site: SiteId) -> TaskId {
        let id = self.target.task(site);
        self.target.tick(Duration::ZERO);
        self.target.model.tasks.get_mut(&id).expect("just made").kind = TaskKind::Root;
        id
    }

    /// The findings that last.
    pub(super) fn active(&self) -> Vec<&Finding> {
        self.engine.findings().iter().filter(|finding| finding.active()).collect()
    }

    /// The one finding that lasts, which must be of `rule`.
    #[track_caller]
    pub(super) fn only(&self, rule: &str) -> Finding {
        let active = self.active();
        assert!(active.len() == 1 && active[0].rule == rule, "expected one {rule}, found {active:#?}");
        active[0].clone()
    }

    #[track_caller]
    pub(super) fn expect_nothing(&self) {
        assert!(self.active().is_empty(), "expected nothing, found {:#?}", self.active());
    }

    /// No finding that would wake anybody.
    #[track_caller]
    pub(super) fn expect_no_alarm(&self) {
        let alarms: Vec<_> = self.active().into_iter().filter(|f| f.severity > Severity::Info).collect();
        assert!(alarms.is_empty(), "expected no alarm, found {alarms:#?}");
    }
}

/// The evidence of that name.
#[track_caller]
pub(super) fn evidence<'a>(finding: &'a Finding, name: &str) -> &'a Evidence {
    finding.evidence.iter().find(|e| e.name == name).unwrap_or_else(|| panic!("no {name} in {:#?}", finding.evidence))
}

mod rules {
    use std::collections::HashSet;

    use super::RULES;

    #[test]
    fn every_rule_has_a_name_of_its_own_and_explains_itself() {
        let mut seen = HashSet::new();
        for rule in RULES {
            assert!(seen.insert(rule.id));
            assert!(rule.id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.id);
            assert!(!rule.summary.is_empty() && rule.summary.len() < 80);
            for part in ["Why it hurts", "WRONG", "RIGHT", "Thresholds"] {
                assert!(rule.explain.contains(part), "{} does not explain {part}", rule.id);
            }
            assert!(rule.explain.lines().all(|line| line.chars().count() <= 120), "{}", rule.id);
        }
    }

    #[test]
    fn what_is_explained_of_thresholds_is_what_they_are() {
        for rule in RULES {
            let (_, table) = rule.explain.split_once("\nThresholds\n").expect("a table");
            let rows: Vec<&str> = table.lines().take_while(|line| line.starts_with("  ")).collect();
            assert_eq!(rows.len(), rule.thresholds.len(), "{}", rule.id);
            for (row, threshold) in rows.iter().zip(rule.thresholds) {
                let (name, rest) = row.split_once('=').expect("name = value");
                let (value, about) = rest.trim().split_once("   ").expect("value   about");
                assert_eq!(name.trim(), threshold.name, "{}", rule.id);
                assert_eq!(value, threshold.default.to_string(), "{}.{}", rule.id, threshold.name);
                assert_eq!(about.trim(), threshold.about, "{}.{}", rule.id, threshold.name);
            }
        }
    }

    #[test]
    fn a_rule_is_subsumed_only_by_rules_that_exist() {
        for rule in RULES {
            for other in rule.subsumed_by {
                assert!(RULES.iter().any(|rule| rule.id == *other) && *other != rule.id, "{}: {other}", rule.id);
            }
        }
    }
}
