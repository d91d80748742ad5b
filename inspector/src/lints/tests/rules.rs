//! What every rule has to say of itself.
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
