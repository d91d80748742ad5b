//! What an operator can change about the rules.
use std::collections::BTreeMap;

use super::rule::{Limit, Rule, Threshold};
use super::{RULES, Severity};
use crate::text;

/// What an operator can change about the rules. The default is every rule on, at its own limits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    rules: BTreeMap<&'static str, RuleSettings>,
}

/// What is changed about one rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RuleSettings {
    off: bool,
    severity: Option<Severity>,
    limits: BTreeMap<&'static str, Limit>,
}

/// Why a setting was not taken.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SettingError {
    /// There is no such rule.
    #[error("{}", text::no_such("rule", _0, RULES.iter().map(|rule| rule.id)))]
    Rule(
        /// What was asked for.
        String,
    ),
    /// The rule has no such threshold.
    #[error("{}", text::no_such(&format!("limit of {}", rule.id), name, rule.thresholds.iter().map(|limit| limit.name)))]
    Threshold {
        /// Which rule.
        rule: &'static Rule,
        /// What was asked for.
        name: String,
    },
    /// The value cannot be read.
    #[error("`{value}` is not {wanted}, which `{rule}.{threshold}` takes")]
    Value {
        /// Which rule.
        rule: &'static str,
        /// Which threshold.
        threshold: &'static str,
        /// What was given.
        value: String,
        /// What is wanted, with an example.
        wanted: &'static str,
    },
}

impl Settings {
    /// Switches a rule off.
    ///
    /// # Errors
    /// When there is no such rule.
    pub fn switch_off(&mut self, rule: &str) -> Result<(), SettingError> {
        self.entry(find(rule)?).off = true;
        Ok(())
    }

    /// Sets the worst that a rule says. What it says more mildly stays as it is, unless that is worse.
    ///
    /// # Errors
    /// When there is no such rule.
    pub fn set_severity(&mut self, rule: &str, severity: Severity) -> Result<(), SettingError> {
        self.entry(find(rule)?).severity = Some(severity);
        Ok(())
    }

    /// Sets a threshold: a duration as `50ms` or `1.5 s`, a share as `20 %` or `0.2`, a count as `1000` or `100k`.
    ///
    /// # Errors
    /// When there is no such rule or threshold, or the value cannot be read.
    pub fn set_limit(&mut self, rule: &str, threshold: &str, value: &str) -> Result<(), SettingError> {
        let rule = find(rule)?;
        let Some(threshold) = rule.thresholds.iter().find(|t| t.name == threshold) else {
            return Err(SettingError::Threshold { rule, name: threshold.to_owned() });
        };
        let (limit, wanted) = match threshold.default {
            Limit::Span(_) => (text::parse_duration(value).map(Limit::Span), "a duration such as `50ms` or `1.5s`"),
            Limit::Share(_) => (share(value).map(Limit::Share), "a share such as `20%` or `0.2`"),
            Limit::Count(_) => (count(value).map(Limit::Count), "a number such as `1000` or `100k`"),
        };
        let Some(limit) = limit else {
            let (rule, threshold, value) = (rule.id, threshold.name, value.to_owned());
            return Err(SettingError::Value { rule, threshold, value, wanted });
        };
        self.entry(rule).limits.insert(threshold.name, limit);
        Ok(())
    }

    /// The rules that are off, in the order of their names.
    pub fn off(&self) -> Vec<&'static str> {
        self.rules.iter().filter(|(_, rule)| rule.off).map(|(&id, _)| id).collect()
    }

    fn entry(&mut self, rule: &'static Rule) -> &mut RuleSettings {
        self.rules.entry(rule.id).or_default()
    }

    /// What is set for `rule`; `None` when it is off.
    pub(super) fn of(&self, rule: &Rule) -> Option<RuleSettings> {
        let settings = self.rules.get(rule.id).cloned().unwrap_or_default();
        (!settings.off).then_some(settings)
    }
}

impl RuleSettings {
    pub(super) fn limit(&self, threshold: &Threshold) -> Limit {
        self.limits.get(threshold.name).copied().unwrap_or(threshold.default)
    }

    /// How severe `said` is, of a rule whose worst is `worst`.
    pub(super) fn severity(&self, said: Severity, worst: Severity) -> Severity {
        match self.severity {
            Some(set) if said >= worst => set,
            Some(set) => said.min(set),
            None => said,
        }
    }
}

fn find(name: &str) -> Result<&'static Rule, SettingError> {
    RULES.iter().find(|rule| rule.id == name).ok_or_else(|| SettingError::Rule(name.to_owned()))
}

fn share(value: &str) -> Option<f64> {
    let share = match text::leading_number(value)? {
        (percent, "%") => percent / 100.0,
        (share, "") => share,
        _ => return None,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}

fn count(value: &str) -> Option<u64> {
    let (value, unit) = text::leading_number(value)?;
    let factor = match unit {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        _ => return None,
    };
    Some((value * factor).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_people_write_them() {
        assert_eq!([share("20 %"), share("0.2"), share("120%"), share("x")], [Some(0.2), Some(0.2), None, None]);
        assert_eq!([count("1000"), count("100k"), count("ten")], [Some(1000), Some(100_000), None]);
    }

    #[test]
    fn a_setting_that_does_not_exist_says_what_does() {
        let mut settings = Settings::default();
        let error = settings.switch_off("log-poll").expect_err("no such rule").to_string();
        assert!(error.contains("`log-poll`") && error.contains("`long-poll`"), "{error}");
        let error = settings.set_limit("long-poll", "max", "1s").expect_err("no such threshold").to_string();
        assert!(error.contains("`max`") && error.contains("`once`"), "{error}");
        let error = settings.set_limit("long-poll", "once", "soon").expect_err("no duration").to_string();
        assert!(error.contains("`soon`") && error.contains("50ms"), "{error}");
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn a_milder_severity_is_a_ceiling_and_a_worse_one_lifts_only_the_worst() {
        let mut settings = Settings::default();
        settings.set_severity("never-awaited-handle", Severity::Crit).expect("a rule");
        let rule = find("never-awaited-handle").expect("a rule");
        let set = settings.of(rule).expect("on");
        assert_eq!(set.severity(Severity::Warn, rule.severity), Severity::Crit);
        assert_eq!(set.severity(Severity::Info, rule.severity), Severity::Info);
        settings.set_severity("never-awaited-handle", Severity::Info).expect("a rule");
        assert_eq!(settings.of(rule).expect("on").severity(Severity::Warn, rule.severity), Severity::Info);
    }
}
