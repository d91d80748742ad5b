//! The command line as a script sees it: what is on which stream, and the exit code.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_async-inspect")).args(args).env_remove("ASYNC_INSPECT").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A mistake on the command line: code 2, nothing on stdout, and these words on stderr.
#[track_caller]
fn refused(args: &[&str], words: &[&str]) {
    let output = run(args);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = text(&output.stderr);
    for word in words {
        assert!(said.contains(word), "{word:?} is not in:\n{said}");
    }
}

#[test]
fn mistakes_end_with_code_2_and_say_what_is_right() {
    refused(&["chek"], &["chek", "check"]);
    refused(&["check"], &["TARGET"]);
    refused(&["check", "localhost"], &["its port is missing"]);
    refused(&["check", "127.0.0.1:1", "--for", "10"], &["10s"]);
    refused(&["check", "127.0.0.1:1", "--fail-on", "fatal"], &["info", "warn", "crit"]);
    refused(&["connect", "https://example:1"], &["ssh -L"]);
    refused(&["explain", "long-pool"], &["did you mean `long-poll`?"]);
    refused(&["demo", "--fault", "long-pool"], &["did you mean `long-poll`?", "--list-faults"]);
    refused(&["demo", "deadlock"], &["--fault deadlock"]);
    refused(&["demo", "--fault", "nosuch"], &["no fault `nosuch`", "--list-faults"]);
    refused(&["check", "nope.rec"], &["there is no such file"]);
    refused(
        &["check", "127.0.0.1:1", "--off", "nothing"],
        &["no rule `nothing`", "async-inspect explain lists the rules"],
    );
    refused(&["check", "127.0.0.1:1", "--off", "permit-leek"], &["did you mean `permit-leak`?"]);
    refused(&["check", "127.0.0.1:1", "--set", "long-poll.twice=1s"], &["`once`"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_standard_error_changes_no_exit_code() {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_async-inspect"));
    let status = command.args(["check", "127.0.0.1:1"]).stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(3));
}

#[test]
fn an_export_of_nothing_leaves_nothing() {
    let path = std::env::temp_dir().join(format!("async-inspect-export-{}.json", std::process::id()));
    let args = ["export", "127.0.0.1:1", "--format", "perfetto", "-o", path.to_str().unwrap()];
    // The second attempt fails as the first did, and not because of what that left.
    for _ in 0..2 {
        assert_eq!(run(&args).status.code(), Some(3));
        assert!(!path.exists());
    }
}

#[test]
fn what_needs_no_target_is_on_stdout_with_code_0() {
    for (args, word) in [
        (&["--help"][..], "Exit codes"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
        (&["explain"], "long-poll"),
        (&["explain", "long-poll"], "RIGHT"),
        (&["demo", "--list-faults"], "blocked_worker.rs:"),
        (&["completions", "bash"], "async-inspect"),
        (&["completions", "zsh"], "#compdef async-inspect"),
        (&["completions", "fish"], "complete -c async-inspect"),
        (&["man"], ".SH"),
    ] {
        let output = run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
        assert!(text(&output.stdout).contains(word), "{args:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{args:?}: {output:?}");
    }
    assert!(!text(&run(&["--help"]).stdout).contains("zoo-program"));
}

#[test]
fn the_manual_names_every_key_of_the_dashboard() {
    let manual = text(&run(&["man"]).stdout).replace("\\-", "-").replace("\\&", "").replace("\\*(Aq", "'");
    let (_, section) = manual.split_once(".SH \"KEYS OF THE DASHBOARD\"").unwrap();
    for (keys, what, _) in async_inspect_cli::app::keys() {
        assert!(section.contains(keys) && section.contains(what), "{keys}: {what}\n{section}");
    }
}

#[test]
fn a_dashboard_without_a_terminal_is_a_snapshot_in_text() {
    let output = run(&["demo", "--fault", "lock-held-across-await"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let said = text(&output.stdout);
    assert!(said.contains("lock-held-across-await") && said.contains("lock_held_across_await.rs:"), "{said}");
    assert!(!said.contains('\x1b'), "{said}");
}

/// What a real bash offers for the words of a command line, of which the last is being typed.
fn completed(words: &[&str]) -> Vec<String> {
    let script = text(&run(&["completions", "bash"]).stdout);
    let asked = format!(
        "{script}\nCOMP_WORDS=({}); COMP_CWORD={}; _async__inspect async-inspect '{}' '{}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words.len() - 1,
        words[words.len() - 1],
        words[words.len() - 2],
    );
    let output = std::process::Command::new("bash").args(["--norc", "-c", &asked]).output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    text(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_rules() {
    assert_eq!(completed(&["async-inspect", "ch"]), ["check"]);
    assert_eq!(completed(&["async-inspect", "connect", "--them"]), ["--theme"]);
    assert_eq!(completed(&["async-inspect", "check", "--off", "lock-h"]), ["lock-hog", "lock-held-across-await"]);
    assert_eq!(completed(&["async-inspect", "explain", "dead"]), ["deadlock"]);
}
