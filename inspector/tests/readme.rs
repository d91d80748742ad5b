//! What the README says is what the program does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Command;

use async_inspect_cli::lints::RULES;

const README: &str = include_str!("../../README.md");

const HEAD: &str = "| rule | worst | what it means |\n|---|---|---|\n";

/// `UPDATE_README=1` writes the table anew.
#[test]
fn the_table_of_rules_is_the_one_of_the_program() {
    let rows: String = RULES
        .iter()
        .map(|rule| ["| `", rule.id, "` | ", &rule.severity.to_string(), " | ", rule.summary, " |\n"].concat())
        .collect();
    let (before, rest) = README.split_once(HEAD).expect("README.md has a table of rules");
    let (table, after) = rest.split_at(rest.find("\n\n").expect("something comes after the table") + 1);
    if std::env::var_os("UPDATE_README").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
        std::fs::write(path, format!("{before}{HEAD}{rows}{after}")).unwrap();
        return;
    }
    assert_eq!(table, rows, "UPDATE_README=1 cargo test -p async-inspect-cli --test readme");
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
