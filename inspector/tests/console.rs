//! `check` on programs that are watched by a stock console-subscriber: the same faults as with a probe, as far as it
//! tells of them, at the same lines; and nothing of a healthy one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod watched;

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use watched::{Watched, free_address, run, turn};

const PACKAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console-app");

/// Builds the program, once for all that share the target folder: it needs other flags than the rest.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        // …/target/debug/deps/console-0123456789abcdef; the gate's second target folder is in the first.
        let exe = std::env::current_exe().unwrap();
        let target = exe.ancestors().nth(3).unwrap();
        let target = if target.ends_with("unstable") { target.parent().unwrap() } else { target }.join("console-app");
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--locked", "--quiet", "--manifest-path"])
            .arg(Path::new(PACKAGE).join("Cargo.toml"))
            .arg("--target-dir")
            .arg(&target)
            .env("RUSTFLAGS", "--cfg tokio_unstable")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .status()
            .unwrap();
        assert!(built.success(), "cargo says above why it does not build");
        target.join("debug/async-inspect-console-app")
    })
}

/// The program, running; killed when dropped.
struct App {
    process: Child,
    console: SocketAddr,
}

impl App {
    fn start(how: &str) -> Self {
        let console = free_address();
        let process = Command::new(program())
            .arg(how)
            .env("TOKIO_CONSOLE_BIND", console.to_string())
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let app = Self { process, console };
        watched::wait_for("the subscriber", || TcpStream::connect(console).ok());
        app
    }

    fn target(&self) -> String {
        format!("console:{}", self.console)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// `src/faulty.rs:LINE:`, where LINE is the one marked with the rule's name.
fn place(rule: &str) -> String {
    let source = std::fs::read_to_string(Path::new(PACKAGE).join("src/faulty.rs")).unwrap();
    let mark = format!("// <- fault: {rule}");
    let line =
        source.lines().position(|line| line.ends_with(&mark)).unwrap_or_else(|| panic!("no line is marked {rule}"));
    format!("src/faulty.rs:{}:", line + 1)
}

#[test]
fn faults_are_found_at_their_lines_and_what_is_inferred_is_said_to_be_likely() {
    let _turn = turn();
    let app = App::start("faulty");
    let output = run(&["check", &app.target(), "--for", "12s", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = report(&output);
    let findings = report["findings"].as_array().unwrap();
    let find = |rules: &[&str], place: &str| {
        let at = |finding: &&Value| {
            rules.iter().any(|rule| finding["rule"] == *rule)
                && finding["subject"]["location"].as_str().is_some_and(|location| location.starts_with(place))
        };
        findings.iter().find(at).unwrap_or_else(|| panic!("no {rules:?} at {place} in {findings:#?}"))
    };
    find(&["blocked-worker", "long-poll"], &place("long-poll"));
    let deadlock = find(&["deadlock"], &place("deadlock"));
    assert_eq!((&deadlock["severity"], &deadlock["confidence"]), (&"crit".into(), &"likely".into()), "{deadlock:#}");
    assert_eq!(deadlock["cycle"].as_array().map(Vec::len), Some(2), "{deadlock:#}");
    assert!(deadlock["evidence"]["inferred_from"].is_string(), "{deadlock:#}");
    let contention = find(&["lock-contention"], &place("lock-contention"));
    assert_eq!(contention["confidence"], "likely", "{contention:#}");
    let hog = find(&["lock-hog"], &place("lock-hog"));
    assert_eq!(hog["confidence"], "likely", "{hog:#}");
    // The channel is full from the first moment on: nobody can say how many permits it has.
    let exhausted = find(&["semaphore-exhausted"], "");
    assert_eq!(exhausted["severity"], "info", "{exhausted:#}");
    assert!(exhausted["evidence"].get("permits_total").is_none(), "{exhausted:#}");
    // Nothing is said that a subscriber does not tell.
    let known = [
        "blocked-worker",
        "long-poll",
        "deadlock",
        "lock-contention",
        "lock-hog",
        "lock-held-across-await",
        "semaphore-exhausted",
        "busy-self-wake",
    ];
    for finding in findings {
        assert!(known.iter().any(|rule| finding["rule"] == *rule), "{finding:#}");
    }
    let blind = report["not_visible"].as_array().unwrap();
    for about in ["channels", "locks", "tasks", "workers"] {
        let spot = blind.iter().find(|spot| spot["about"] == about).unwrap_or_else(|| panic!("{about}: {blind:#?}"));
        assert!(spot["remedy"].as_str().is_some_and(|remedy| remedy.contains("async-inspect-tokio")), "{spot:#}");
    }
}

#[test]
fn a_healthy_program_raises_nothing() {
    let _turn = turn();
    let app = App::start("healthy");
    let output = run(&["check", &app.target(), "--for", "10s", "--fail-on", "warn", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report = report(&output);
    assert!(report["totals"]["tasks"].as_u64().is_some_and(|tasks| tasks > 10), "{report:#}");
    assert!(report["totals"]["polls_per_s"].as_f64().is_some_and(|rate| rate > 10.0), "{report:#}");
}

#[test]
fn a_probe_and_a_subscriber_are_told_from_each_other_and_from_what_is_not_there() {
    let _turn = turn();
    let says = |target: &str, code: i32, words: &[&str]| {
        let output = run(&["check", target, "--for", "1s"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{target}: {said}");
        for word in words {
            assert!(said.contains(word), "{target}: {word:?} is not in:\n{said}");
        }
    };
    let app = App::start("healthy");
    let console = app.console;
    says(&format!("http://{console}"), 4, &["it is a console-subscriber", &format!("pass console:{console} ")]);

    let watched = Watched::healthy("healthy/actors");
    let probe = watched.probe;
    watched::wait_for("the probe", || TcpStream::connect(probe).ok());
    says(&format!("console:{probe}"), 4, &["it is a probe", &format!("pass {probe} in its place")]);

    says(&format!("console:{}", free_address()), 3, &["connection refused", "TOKIO_CONSOLE_BIND"]);
}
