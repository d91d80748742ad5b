//! What the README says is what the program does.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod watched;

use std::process::Command;
use std::sync::Mutex;

use async_inspect_cli::lints::RULES;
use serde_json::Value;
use watched::{Watched, run};

const README: &str = include_str!("../../README.md");

/// The table under `head` has these rows; `UPDATE_README=1` writes it anew.
#[track_caller]
fn assert_table(head: &str, rows: &str) {
    static ONE_WRITER: Mutex<()> = Mutex::new(());
    let _alone = ONE_WRITER.lock();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once(head).expect("README.md has such a table");
    let (table, after) = rest.split_at(rest.find("\n\n").expect("something comes after the table") + 1);
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path, format!("{before}{head}{rows}{after}")).unwrap();
        return;
    }
    assert_eq!(table, rows, "UPDATE_README=1 cargo test -p async-inspect-cli --test readme");
}

#[test]
fn the_table_of_rules_is_the_one_of_the_program() {
    let rows: String = RULES
        .iter()
        .map(|rule| ["| `", rule.id, "` | ", &rule.severity.to_string(), " | ", rule.summary, " |\n"].concat())
        .collect();
    assert_table("| rule | worst | what it means |\n|---|---|---|\n", &rows);
}

#[test]
fn the_table_of_keys_is_the_one_of_the_program() {
    let row = |(keys, what, place): (&str, &str, Option<&str>)| {
        let keys: Vec<_> = keys.split(' ').map(|key| format!("`{key}`")).collect();
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        format!("| {} | {what}{place} |\n", keys.join(" "))
    };
    let rows: String = async_inspect_cli::app::keys().map(row).collect();
    assert!(rows.lines().count() > 30);
    assert_table("| key | what it does |\n|---|---|\n", &rows);
}

#[test]
fn every_command_in_it_is_understood() {
    let commands: Vec<Vec<&str>> = README
        .lines()
        .filter_map(|line| line.trim().strip_prefix("async-inspect "))
        .map(|line| line.split(['#', '>']).next().unwrap().split_whitespace().collect())
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

/// The first block of the README that is fenced as `language`.
fn fenced(language: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("```{language}\n")).expect("the README has such a block");
    rest.split_once("\n```").unwrap().0
}

/// `text` with every figure and its unit as `N`, since no two runs measure the same, in one line.
fn without_figures(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let figure = |c: char| c.is_ascii_digit() || c == '.';
        let bare = word.trim_matches(|c| "(),;".contains(c));
        let is_unit = ["ns", "µs", "ms", "s"].contains(&bare);
        if is_unit && words.last().is_some_and(|last| last.ends_with('N')) {
            words.last_mut().unwrap().push_str(&word[bare.len()..]);
        } else if bare.trim_start_matches('#').chars().all(figure) {
            words.push(word.replace(figure, "N").replace("NN", "N").replace("NN", "N"));
        } else {
            words.push(word.to_owned());
        }
    }
    words.join(" ")
}

/// What a text report says of a blocked worker, without the tasks that may or may not wait behind it.
fn without_the_queue(text: &str) -> String {
    let ways = ["; N task waits for a worker", "; N tasks wait for a worker", " · waiting tasks N"];
    ways.iter().fold(without_figures(text), |text, way| text.replace(way, ""))
}

/// What a text report says of one rule.
fn told(report: &str, rule: &str) -> Option<String> {
    let blocks = report.split("\n\n").map(str::trim);
    blocks.into_iter().find(|block| block.lines().next().is_some_and(|l| l.contains(rule))).map(str::to_owned)
}

#[test]
fn what_the_demo_prints_without_a_terminal_is_what_it_shows() {
    let shown = without_the_queue(fenced("text"));
    // On a busy machine, its stack comes late.
    let mut printed = String::new();
    for _ in 0..3 {
        let output = run(&["demo"]);
        assert!(output.status.success(), "{output:?}");
        let report = String::from_utf8(output.stdout).unwrap();
        printed = told(&report, "blocked-worker").map_or(report, |block| without_the_queue(&block));
        if printed == shown {
            return;
        }
    }
    assert_eq!(printed, shown);
}

/// Whether `sample` has the keys of `real`, all the way down; of `evidence`, a few.
fn assert_same_keys(path: &str, sample: &Value, real: &Value) {
    match (sample, real) {
        (Value::Object(sample), Value::Object(real)) => {
            let missing: Vec<_> = real.keys().filter(|key| !sample.contains_key(*key)).collect();
            assert!(missing.is_empty() || path.ends_with(".evidence"), "{path}: the sample lacks {missing:?}");
            for (key, value) in sample {
                let real = real.get(key).unwrap_or_else(|| panic!("{path}.{key} is not in what is printed"));
                assert_same_keys(&format!("{path}.{key}"), value, real);
            }
        }
        (Value::Array(sample), Value::Array(real)) => {
            for (sample, real) in sample.iter().zip(real) {
                assert_same_keys(&format!("{path}[]"), sample, real);
            }
        }
        (sample, real) => {
            let same = std::mem::discriminant(sample) == std::mem::discriminant(real);
            assert!(
                same || sample.is_null() || real.is_null(),
                "{path}: {sample} in the sample, {real} in what is printed"
            );
        }
    }
}

#[test]
fn the_json_that_it_shows_is_the_json_that_check_prints() {
    let sample: Value = serde_json::from_str(fenced("json")).unwrap();
    let shop = Watched::faulty("shop:lock-held-across-await");
    watched::wait_for("the probe", || std::net::TcpStream::connect(shop.probe).ok());
    let output = run(&["check", &shop.probe.to_string(), "--for", "4s", "--format", "json"]);
    let mut real: Value = serde_json::from_slice(&output.stdout).unwrap();
    // The finding that the sample shows.
    let findings = real["findings"].as_array_mut().unwrap();
    findings.retain(|finding| finding["rule"] == sample["findings"][0]["rule"]);
    assert_eq!(findings.len(), 1, "{output:?}");
    let text = |of: &Value, key: &str| of["findings"][0][key].as_str().unwrap().to_owned();
    assert_eq!(without_figures(&text(&sample, "message")), without_figures(&text(&real, "message")));
    let advice = text(&sample, "advice");
    assert!(text(&real, "advice").starts_with(advice.trim_end_matches('…')), "{advice}");
    let place = |of: &Value| of["findings"][0]["subject"]["location"].as_str().unwrap().to_owned();
    assert!(place(&real).ends_with(place(&sample).trim_start_matches("src/")), "{} {}", place(&real), place(&sample));
    assert_same_keys("", &sample, &real);
}
