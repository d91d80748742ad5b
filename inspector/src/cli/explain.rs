//! `async-inspect explain`.
use std::fmt::Write;

use super::args::Explain;
use super::failure::Failure;
use super::print;
use crate::lints::{RULES, Rule};
use crate::text;

pub(super) fn run(args: &Explain) -> Result<u8, Failure> {
    let answer = match &args.rule {
        None => list(),
        Some(name) => match RULES.iter().find(|rule| rule.id == name) {
            Some(rule) => explain(rule),
            None => return Err(unknown(name)),
        },
    };
    print(&answer)?;
    Ok(0)
}

fn unknown(name: &str) -> Failure {
    let what = text::no_such("rule", name, RULES.iter().map(|rule| rule.id));
    Failure::usage(what, "async-inspect explain lists all rules")
}

fn list() -> String {
    let width = RULES.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    RULES.iter().fold(String::new(), |mut out, rule| {
        // Writing to a string does not fail.
        let _ = writeln!(out, "{:width$}  {:4}  {}", rule.id, rule.severity.to_string(), rule.summary);
        out
    })
}

fn explain(rule: &Rule) -> String {
    let mut out = format!("{} ({})\n{}\n\n{}\n", rule.id, rule.severity, rule.summary, rule.explain.trim_end());
    if let Some(limit) = rule.thresholds.first() {
        let value = limit.default.to_string().replace(' ', "");
        let _ = writeln!(
            out,
            "\nTo change one: --set {}.{}={value}, or {} in the config file",
            rule.id, limit.name, limit.name
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_explained_with_wrong_and_right_code() {
        for rule in RULES {
            let text = explain(rule);
            assert!(text.contains(rule.id) && text.to_lowercase().contains("wrong"), "{text}");
            assert!(text.to_lowercase().contains("right"), "{text}");
            for limit in rule.thresholds {
                assert!(text.contains(limit.name) && text.contains(limit.about), "{text}");
            }
        }
        assert_eq!(list().lines().count(), RULES.len());
    }
}
