//! `check` on programs that are watched by a stock console-subscriber: the same faults as with a probe, as far as it
//! tells of them, at the same lines; and nothing of a healthy one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[cfg(unix)]
mod common;
mod watched;

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use async_inspect_cli::model::{Model, Task};
use async_inspect_cli::source::{self, Address};
use serde_json::Value;
use watched::{Watched, free_address, run, turn, turn_beside_others};

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

/// `src/PART.rs:LINE:`, where LINE is the one marked with the rule's name.
fn place(part: &str, rule: &str) -> String {
    let file = format!("src/{part}.rs");
    let source = std::fs::read_to_string(Path::new(PACKAGE).join(&file)).unwrap();
    let mark = format!("// <- fault: {rule}");
    let line =
        source.lines().position(|line| line.ends_with(&mark)).unwrap_or_else(|| panic!("no line is marked {rule}"));
    format!("{file}:{}:", line + 1)
}

fn find<'a>(findings: &'a [Value], rules: &[&str], place: &str) -> &'a Value {
    let at = |finding: &&Value| {
        rules.iter().any(|rule| finding["rule"] == *rule)
            && finding["subject"]["location"].as_str().is_some_and(|location| location.starts_with(place))
    };
    findings.iter().find(at).unwrap_or_else(|| panic!("no {rules:?} at {place} in {findings:#?}"))
}

#[test]
fn faults_are_found_at_their_lines_and_what_is_inferred_is_said_to_be_likely() {
    let _turn = turn();
    let app = App::start("faulty");
    // What a poll takes is mostly the subscriber's, which is not optimised here.
    let limit = "busy-self-wake.poll=50us";
    let output = run(&["check", &app.target(), "--for", "12s", "--set", limit, "--format", "json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = report(&output);
    let findings = report["findings"].as_array().unwrap();
    let find = |rules: &[&str], place: &str| find(findings, rules, place);
    find(&["blocked-worker", "long-poll"], &place("faulty", "long-poll"));
    let deadlock = find(&["deadlock"], &place("faulty", "deadlock"));
    assert_eq!((&deadlock["severity"], &deadlock["confidence"]), (&"crit".into(), &"likely".into()), "{deadlock:#}");
    assert_eq!(deadlock["cycle"].as_array().map(Vec::len), Some(2), "{deadlock:#}");
    assert!(deadlock["evidence"]["inferred_from"].is_string(), "{deadlock:#}");
    let contention = find(&["lock-contention"], &place("faulty", "lock-contention"));
    assert_eq!(contention["confidence"], "likely", "{contention:#}");
    let hog = find(&["lock-hog"], &place("faulty", "lock-hog"));
    assert_eq!(hog["confidence"], "likely", "{hog:#}");
    // It is full from the first moment on: nobody can say how many messages fit.
    let full = find(&["channel-saturated"], &place("faulty", "channel-saturated"));
    assert_eq!((&full["severity"], &full["confidence"]), (&"info".into(), &"likely".into()), "{full:#}");
    assert!(full["evidence"].get("capacity").is_none(), "{full:#}");
    assert!(full["message"].as_str().is_some_and(|message| message.contains(" takes only ")), "{full:#}");
    // Nothing is said that a subscriber does not tell.
    let known = [
        "blocked-worker",
        "long-poll",
        "deadlock",
        "lock-contention",
        "lock-hog",
        "lock-held-across-await",
        "channel-saturated",
        "busy-self-wake",
    ];
    for finding in findings {
        assert!(known.iter().any(|rule| finding["rule"] == *rule), "{finding:#}");
    }
    find(&["busy-self-wake"], &place("faulty", "busy-self-wake"));
    let blind = report["not_visible"].as_array().unwrap();
    for about in ["channels", "locks", "tasks", "workers"] {
        let spot = blind.iter().find(|spot| spot["about"] == about).unwrap_or_else(|| panic!("{about}: {blind:#?}"));
        assert!(spot["remedy"].as_str().is_some_and(|remedy| remedy.contains("async-inspect-tokio")), "{spot:#}");
    }
}

#[cfg(unix)]
#[test]
fn the_dashboard_and_a_snapshot_of_it_say_what_is_wrong_and_what_it_does_not_tell() {
    use common::terminal::{ASYNC_INSPECT, Terminal, untouched};
    let _turn = turn();
    let app = App::start("faulty");
    let target = app.target();
    // Both take the three seconds in which the dashboard is looked at.
    let snapshot = |format: &'static str| {
        let target = target.clone();
        std::thread::spawn(move || run(&["snapshot", &target, "--format", format]))
    };
    let (text, json) = (snapshot("text"), snapshot("json"));

    let mut terminal = Terminal::start(ASYNC_INSPECT, &["connect", &target], 110, 50);
    let (blocks, hog) = (place("faulty", "long-poll"), place("faulty", "lock-hog"));
    let all = |screen: &str, words: &[&str]| words.iter().all(|word| screen.contains(word));
    let row = |screen: &str, words: &[&str]| screen.lines().any(|line| all(line, words));
    terminal.wait_until("both findings", |screen| {
        all(screen, &[&*blocks, &hog, "CRIT  blocked-worker", "lock-hog", "fix ", "blind spots: press 8"])
    });
    terminal.send("2");
    // With a sign, and that not all is told of them.
    terminal.wait_until("the tasks that are accused", |screen| {
        row(screen, &["✗", blocks.trim_start_matches("src/")])
            && row(screen, &["2 ▸", "lock faul"])
            && all(screen, &["spawn sites", "blind spots: press 8"])
    });
    terminal.send("3");
    terminal.wait_until("the locks, and who has them", |screen| {
        row(screen, &["Mutex     #", hog.trim_start_matches("src/")])
            && all(screen, &["HELD BY", "blind spots: press 8"])
    });
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.is_given_back(&untouched());

    let text = text.join().unwrap();
    assert_eq!(text.status.code(), Some(0), "{text:?}");
    let text = String::from_utf8(text.stdout).unwrap();
    let first = text.lines().next().unwrap_or_default();
    assert_eq!(first, format!("a program without a name at {target}"));
    for words in [&*blocks, "likely", "Locks, most waited for first", "Not visible in this target:"] {
        assert!(text.contains(words), "{words}:\n{text}");
    }

    let json = json.join().unwrap();
    assert_eq!(json.status.code(), Some(0), "{json:?}");
    let json = report(&json);
    assert_eq!(json["target"]["address"], *target, "{json:#}");
    assert_eq!(json["target"]["probe_version"], "console-subscriber", "{json:#}");
    let findings = json["findings"].as_array().unwrap();
    assert_eq!(find(findings, &["blocked-worker", "long-poll"], &blocks)["confidence"], "likely", "{json:#}");
    let rows = |name: &str| json[name].as_array().unwrap_or_else(|| panic!("{name}: {json:#}"));
    let mutexes = rows("locks").iter().filter(|lock| lock["kind"] == "mutex").count();
    assert_eq!(mutexes, 4, "{json:#}");
    assert!(rows("tasks").len() >= 20 && rows("not_visible").len() >= 10, "{json:#}");
}

#[test]
fn a_recording_of_it_is_a_target_like_any_other() {
    let _turn = turn_beside_others();
    let app = App::start("stuck");
    let folder = std::env::temp_dir().join(format!("async-inspect-console-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("night.rec").display().to_string();
    let recorded = run(&["record", &app.target(), "-o", &file, "--force", "--for", "9s"]);
    assert_eq!(recorded.status.code(), Some(0), "{recorded:?}");

    let check = run(&["check", &file, "--format", "json"]);
    assert_eq!(check.status.code(), Some(1), "{check:?}");
    let report = report(&check);
    let findings = report["findings"].as_array().unwrap();
    for (rule, severity) in [
        ("self-deadlock", "crit"),
        ("lost-waker", "warn"),
        ("rwlock-writer-starved", "warn"),
        ("lock-held-across-await", "info"),
        ("oneshot-abandoned", "info"),
        ("large-future", "info"),
    ] {
        let finding = find(findings, &[rule], &place("stuck", rule));
        assert_eq!(finding["severity"], severity, "{finding:#}");
    }
    assert_eq!(findings.len(), 6, "{findings:#?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn how_long_the_polls_of_a_task_took_is_told_when_it_is_asked_about() {
    let _turn = turn();
    let app = App::start("faulty");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let details = runtime.block_on(async {
        let mut connection = source::open(&app.target().parse::<Address>().unwrap()).await.unwrap();
        let mut model = Model::new(connection.target.clone());
        let began = Instant::now();
        loop {
            model.apply(connection.next().await.unwrap());
            let rendering = place("faulty", "long-poll");
            let is_it = |task: &&Task| model.sites[&task.site].location.starts_with(&rendering) && task.polls > 2;
            if let Some(task) = model.tasks.values().find(is_it) {
                break connection.task_details(task.id).await.unwrap();
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{} tasks", model.tasks.len());
        }
    });
    // It computes for 0.4 s at a time.
    assert!(
        details.polls.quantile(0.9, Duration::MAX).is_some_and(|took| took >= Duration::from_millis(400)),
        "{details:?}"
    );
    assert!(details.delays.is_some_and(|delays| delays.count() > 1), "{details:?}");
}

#[test]
fn a_healthy_program_raises_nothing() {
    let _turn = turn_beside_others();
    let app = App::start("healthy");
    let output = run(&["check", &app.target(), "--for", "10s", "--fail-on", "warn", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let report = report(&output);
    assert!(report["totals"]["tasks"].as_u64().is_some_and(|tasks| tasks > 10), "{report:#}");
    assert!(report["totals"]["polls_per_s"].as_f64().is_some_and(|rate| rate > 10.0), "{report:#}");
}

#[test]
fn a_probe_and_a_subscriber_are_told_from_each_other_and_from_what_is_not_there() {
    let _turn = turn_beside_others();
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
