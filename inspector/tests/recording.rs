//! A recording of a faulty service: made once, then checked, printed in every format, and replayed in a terminal.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
mod watched;

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use async_inspect_zoo::PROGRAMS;
use common::terminal::{ASYNC_INSPECT, Terminal};
use serde_json::Value;
use watched::{Watched, async_inspect, free_address, run, turn};

const RULE: &str = "lock-held-across-await";

/// A folder for files, gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("async-inspect-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Records five seconds of a faulty program.
fn record(file: &str) {
    let program = Watched::faulty(RULE);
    watched::wait_for("the probe", || std::net::TcpStream::connect(program.probe).ok());
    let output = run(&["record", &program.probe.to_string(), "-o", file, "--for", "5s"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stdout.is_empty() && said(&output).contains("async-inspect replay"), "{output:?}");
    // What is there is not written over.
    let again = run(&["record", &program.probe.to_string(), "-o", file, "--for", "1s"]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
}

/// `file.rs:line` of the fault.
fn place() -> (&'static str, u32) {
    let program = PROGRAMS.iter().find(|program| program.name == RULE).unwrap();
    (program.file, program.fault_line())
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", said(output)))
}

#[test]
fn a_recording_is_taken_wherever_a_target_is() {
    let _turn = turn();
    let folder = Folder::new("recorded");
    let file = folder.file("night.rec");
    record(&file);
    let (path, line) = place();

    // All that is in it is looked at, in less time than it took.
    let began = Instant::now();
    let check = run(&["check", &file, "--format", "json"]);
    assert_eq!(check.status.code(), Some(1), "{check:?}");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let report = json(&check);
    let observed = report["observed_ms"].as_u64().unwrap();
    assert!((3000..6000).contains(&observed), "{observed} ms of the target's own time");
    let at = format!("{path}:{line}:");
    assert!(report["findings"][0]["subject"]["location"].as_str().unwrap().starts_with(&at), "{report:#}");

    // Read line by line.
    let lines = run(&["check", &file, "--format", "ndjson"]);
    let lines: Vec<Value> = lines
        .stdout
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .map(|l| serde_json::from_slice(l).unwrap())
        .collect();
    assert_eq!(
        (&lines[0]["type"], &lines[1]["type"], &lines[1]["rule"]),
        (&"target".into(), &"finding".into(), &RULE.into())
    );

    // For a code host: one result at the line.
    let sarif = json(&run(&["check", &file, "--format", "sarif"]));
    assert_eq!((&sarif["version"], &sarif["runs"][0]["results"][0]["ruleId"]), (&"2.1.0".into(), &RULE.into()));
    let location = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!((&location["artifactLocation"]["uri"], &location["region"]["startLine"]), (&path.into(), &line.into()));
    let index = sarif["runs"][0]["results"][0]["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["rules"][index]["id"], RULE);

    // For a build server: one test failed; and what cannot be watched is an error of a suite of its own.
    let nobody = free_address().to_string();
    let junit = run(&["check", &file, &nobody, "--format", "junit"]);
    assert_eq!(junit.status.code(), Some(3), "{junit:?}");
    let text = String::from_utf8_lossy(&junit.stdout);
    assert!(
        text.contains(r#"failures="1" errors="1""#) && text.contains(&format!("<testcase name=\"{RULE}\"")),
        "{text}"
    );
    assert!(text.contains("connection refused") && text.contains(&at), "{text}");

    // What the config file mutes is not spoken of here either.
    let config = folder.file("config.toml");
    std::fs::write(&config, format!("mute = [\"{RULE} {path}:{line}\"]\n")).unwrap();
    let muted = async_inspect().env("ASYNC_INSPECT_CONFIG", &config).args(["check", &file]).output().unwrap();
    assert_eq!(muted.status.code(), Some(0), "{muted:?}");

    let snapshot = json(&run(&["snapshot", &file, "--format", "json"]));
    assert!(!snapshot["tasks"].as_array().unwrap().is_empty() && !snapshot["runtimes"].as_array().unwrap().is_empty());

    // For a viewer of traces: the finding lasts from its beginning on, and locks are held.
    let trace = json(&run(&["export", &file, "--format", "perfetto"]));
    let events = trace["traceEvents"].as_array().unwrap();
    let named =
        |name: &str| events.iter().filter(|event| event["name"].as_str().is_some_and(|n| n.contains(name))).count();
    assert!(named(RULE) == 2 && named("held by") > 2 && named("tasks") > 20, "{} events", events.len());

    damaged(&folder, Path::new(&file));
    replayed(&file);
}

/// A look at a task is what proves a deadlock, and nobody can look at what is recorded.
#[test]
fn what_a_finding_would_ask_is_recorded_with_the_answer() {
    let _turn = turn();
    let folder = Folder::new("asked");
    let file = folder.file("stuck.rec");
    let program = Watched::faulty("self-deadlock");
    watched::wait_for("the probe", || std::net::TcpStream::connect(program.probe).ok());
    let output = run(&["record", &program.probe.to_string(), "-o", &file, "--for", "6s"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    drop(program);
    let report = json(&run(&["check", &file, "--format", "json"]));
    let findings = report["findings"].as_array().unwrap();
    let told: Vec<_> = findings.iter().map(|finding| (&finding["rule"], &finding["confidence"])).collect();
    assert_eq!(told, [(&"self-deadlock".into(), &"certain".into())], "{report:#}");
}

/// Other files, and those that were cut or damaged, are told apart.
fn damaged(folder: &Folder, file: &Path) {
    let bytes = std::fs::read(file).unwrap();
    let other = folder.file("other");
    std::fs::write(&other, &bytes[..bytes.len() - 7]).unwrap();
    let cut = run(&["check", &other]);
    assert_eq!(cut.status.code(), Some(5), "{cut:?}");
    assert!(said(&cut).contains("cut short") && said(&cut).contains(RULE), "{cut:?}");

    let mut flipped = bytes.clone();
    flipped[bytes.len() / 2] ^= 0x10;
    std::fs::write(&other, &flipped).unwrap();
    let damaged = run(&["check", &other]);
    assert_eq!(damaged.status.code(), Some(4), "{damaged:?}");
    assert!(said(&damaged).contains("damaged at byte"), "{damaged:?}");

    std::fs::write(&other, "a letter").unwrap();
    for command in ["check", "snapshot", "replay", "connect"] {
        let letter = run(&[command, &other]);
        assert_eq!(letter.status.code(), Some(4), "{command}: {letter:?}");
        assert!(said(&letter).contains("no recording"), "{command}: {letter:?}");
    }
    let none = run(&["replay", &folder.file("none")]);
    assert_eq!(none.status.code(), Some(3), "{none:?}");
    assert!(said(&none).contains("there is no such file"), "{none:?}");
}

/// In a terminal it comes as it came then; the timeline goes back into it after its end.
fn replayed(file: &str) {
    let mut terminal = Terminal::start(ASYNC_INSPECT, &["replay", file, "--from", "2s"], 100, 30);
    terminal.wait_for(RULE);
    terminal.wait_for("END OF RECORDING");
    terminal.send("7\x1b[D");
    terminal.wait_for(" ago, ");
    terminal.send("1r");
    terminal.wait_for("● replay");
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);

    // However fast it comes, it is drawn ten times a second; what the operator does is drawn at once.
    let began = Instant::now();
    let mut terminal = Terminal::start(ASYNC_INSPECT, &["replay", file, "--speed", "10"], 100, 30);
    terminal.wait_for("END OF RECORDING");
    let frames = |terminal: &Terminal| terminal.count(b"\x1b[?2026h");
    let (drawn, most) = (frames(&terminal), began.elapsed().as_millis() as usize / 100 + 2);
    assert!((3..=most).contains(&drawn), "{drawn} frames in {:?}", began.elapsed());
    for key in "2345678123456781".chars() {
        let before = frames(&terminal);
        terminal.send(&key.to_string());
        watched::wait_for("an answer", || (frames(&terminal) > before).then_some(()));
    }
}

#[test]
fn several_targets_are_one_list_with_the_worst_of_each() {
    let _turn = turn();
    let faulty = Watched::faulty("lost-panic");
    let healthy = Watched::healthy("healthy/actors");
    for target in [&faulty, &healthy] {
        watched::wait_for("the probe", || std::net::TcpStream::connect(target.probe).ok());
    }
    let (healthy, faulty) = (healthy.probe.to_string(), faulty.probe.to_string());
    let mut terminal = Terminal::start(ASYNC_INSPECT, &["connect", &healthy, &faulty], 100, 24);
    // The worst first, whatever the order that they were given in.
    terminal.wait_until("both", |screen| {
        let line = |text: &str| screen.lines().position(|line| line.contains(text));
        screen.contains("2 targets")
            && screen.contains("lost_panic.rs:")
            && line(&faulty).zip(line(&healthy)).is_some_and(|(faulty, healthy)| faulty < healthy)
            && screen.contains("✓ OK")
    });
    terminal.send("g\r");
    terminal.wait_until("the dashboard of the faulty one", |s| s.contains("2/2") && s.contains("fix "));
    terminal.send("}");
    terminal.wait_until("the next one", |s| s.contains("1/2") && s.contains("No rule fires"));
    terminal.send("0");
    terminal.wait_for("2 targets");
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
}
