//! What the README says is what the program does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use async_inspect_cli::lints::RULES;

const README: &str = include_str!("../../README.md");

#[test]
fn every_rule_has_its_row() {
    for rule in RULES {
        let row = format!("| `{}` | {} | {} |", rule.id, rule.severity, rule.summary);
        assert!(README.lines().any(|line| line == row), "README.md lacks the row:\n{row}");
    }
    let rows = README.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, RULES.len(), "README.md has a row for a rule that is no more");
}

#[test]
fn every_command_in_it_is_understood() {
    let commands: Vec<Vec<&str>> = README
        .lines()
        .filter_map(|line| line.trim().strip_prefix("async-inspect "))
        .map(|line| line.split(" #").next().unwrap().split_whitespace().collect())
        .collect();
    assert!(commands.len() >= 2, "{commands:?}");
    for command in commands {
        // `--help` wins over what the command would do, but not over arguments that do not exist.
        let mut args = command.clone();
        args.retain(|arg| !arg.starts_with('['));
        let output = Command::new(env!("CARGO_BIN_EXE_async-inspect")).args(&args).arg("--help").output().unwrap();
        assert!(output.status.success(), "{command:?}: {output:?}");
    }
}
