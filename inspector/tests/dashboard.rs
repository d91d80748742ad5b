//! The dashboard in a real pseudo-terminal: what a person sees, presses and is left with.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "common/address.rs"]
mod address;
mod common;

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use address::free_address;
use async_inspect_cli::app::Options;
use async_inspect_cli::dashboard;
use async_inspect_cli::source::Pace;
use async_inspect_cli::view;
use common::terminal::{ASYNC_INSPECT, Terminal, untouched};
use tokio::signal::unix::{SignalKind, signal};

/// An address on which nothing listens.
fn refused() -> String {
    free_address().to_string()
}

/// A faulty service of the zoo as a process of its own; killed when dropped.
struct Service(Child);

impl Service {
    fn start(program: &str, address: &str) -> Self {
        let child = Command::new(ASYNC_INSPECT)
            .args(["zoo-program", program])
            .env("ASYNC_INSPECT", address)
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A dashboard on an address where nothing listens, as soon as it says so.
fn on_refused(columns: u16, rows: u16) -> Terminal {
    let terminal = Terminal::start(ASYNC_INSPECT, &["connect", &refused()], columns, rows);
    terminal.wait_for("what to do");
    terminal
}

#[test]
fn a_refused_connection_is_explained_and_keys_answer() {
    let mut terminal = on_refused(80, 24);
    let text = terminal.text();
    for words in ["connection refused", "likely cause", "start the service with ASYNC_INSPECT=127.0.0.1:", "q quits"] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
    assert!(terminal.alternate_screen() && terminal.cursor_hidden());
    assert_ne!(terminal.modes(), untouched());
    terminal.send("?");
    terminal.wait_for("half a page up");
    terminal.send("\x1b");
    terminal.wait_for("what to do");
}

#[test]
fn q_gives_the_terminal_back() {
    let mut terminal = on_refused(80, 24);
    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.is_given_back(&untouched());
}

#[test]
fn ctrl_c_and_signals_give_the_terminal_back() {
    for end in ["\x03", "TERM", "HUP", "INT", "QUIT"] {
        let mut terminal = on_refused(80, 24);
        if end == "\x03" {
            terminal.send(end);
        } else {
            terminal.signal(end);
        }
        assert_eq!(terminal.wait_exit().exit_code(), 130, "{end}");
        terminal.is_given_back(&untouched());
    }
}

/// For the test below, in a terminal of its own.
#[test]
#[ignore = "it panics"]
fn a_dashboard_that_panics() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let targets = vec![refused().parse().unwrap()];
        let mut told = signal(SignalKind::user_defined1()).unwrap();
        tokio::select! {
            _ = dashboard::run(targets, Pace::default(), Options::default()) => {}
            _ = told.recv() => panic!("in the middle of a frame"),
        }
    });
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let this = std::env::current_exe().unwrap();
    let args = ["--exact", "--ignored", "--nocapture", "a_dashboard_that_panics"];
    let mut terminal = Terminal::start(this.to_str().unwrap(), &args, 100, 24);
    terminal.wait_for("what to do");
    assert!(terminal.alternate_screen());
    terminal.signal("USR1");
    terminal.wait_until("the message", |s| s.contains("panicked at") && s.contains("in the middle of a frame"));
    assert!(!terminal.alternate_screen(), "it is told where it stays");
    assert_ne!(terminal.wait_exit().exit_code(), 0);
    terminal.is_given_back(&untouched());
}

#[test]
fn a_locale_without_unicode_is_drawn_in_ascii() {
    let env = [("LC_ALL", "C")];
    let terminal = Terminal::start_with(ASYNC_INSPECT, &["connect", &refused()], &env, 80, 24);
    let text = terminal.wait_for("what to do");
    assert!(text.is_ascii(), "{text}");
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_again() {
    // A shell with job control, as the operator has.
    let mut terminal = Terminal::start_with("sh", &["-im"], &[("PS1", "shell> "), ("ENV", "")], 80, 24);
    terminal.wait_for("shell> ");
    terminal.send(&format!("{ASYNC_INSPECT} connect {}\r", refused()));
    terminal.wait_for("what to do");
    terminal.send("\x1a");
    terminal.wait_until("the shell", |screen| screen.trim_end().ends_with("shell>"));
    assert!(!terminal.alternate_screen() && !terminal.cursor_hidden());
    terminal.send("fg\r");
    terminal.wait_for("what to do");
    assert!(terminal.alternate_screen() && terminal.cursor_hidden());
    terminal.send("q");
    terminal.wait_until("the shell", |screen| screen.trim_end().ends_with("shell>"));
    terminal.send("exit\r");
    terminal.wait_exit();
}

#[test]
fn every_size_is_drawn_and_the_smallest_says_what_it_needs() {
    let mut terminal = on_refused(120, 40);
    terminal.resize(30, 6);
    terminal.wait_for("needs 40x8");
    terminal.resize(60, 15);
    terminal.wait_for("what to do");
}

#[test]
fn a_screen_on_which_nothing_happens_is_not_drawn_over_and_over() {
    // Something that accepts and says nothing: the dashboard waits for an answer, with nothing to count down.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let terminal = Terminal::start(ASYNC_INSPECT, &["connect", &address], 80, 24);
    terminal.wait_for("Connecting to");
    let before = terminal.written();
    thread::sleep(Duration::from_millis(900));
    assert!(terminal.written() - before < 400, "{} bytes for a screen that stands still", terminal.written() - before);
}

#[test]
fn frames_are_shown_in_one_piece() {
    let terminal = on_refused(80, 24);
    assert!(terminal.wrote(b"\x1b[?2026h") && terminal.wrote(b"\x1b[?2026l"));
}

#[test]
fn a_night_on_call_from_the_first_look_to_a_restarted_service() {
    let address = refused();
    let service = Service::start("lock-held-across-await", &address);
    let modes = untouched();
    let mut terminal = Terminal::start(ASYNC_INSPECT, &["connect", &address], 80, 24);

    // What is wrong, where, and what to change.
    let overview = terminal.wait_for("lock-held-across-await");
    assert!(overview.contains("WARN") || overview.contains("CRIT"), "{overview}");
    assert!(overview.contains("lock_held_across_await.rs:"), "{overview}");
    assert!(overview.contains("Drop the guard taken at lock_held_across_await.rs:"), "{overview}");

    // Along the thread: the finding, its lock, and back.
    terminal.send("\r");
    terminal.wait_for("look at");
    terminal.send("\r");
    terminal.wait_for("Last 60 s");
    terminal.send("\x1b");
    terminal.wait_for("look at");
    terminal.send("\x1b");
    terminal.wait_for("1 Overview");

    // The finding goes to the terminal's clipboard, whole (OSC 52).
    terminal.send("Y");
    terminal.wait_for("sent to the terminal's clipboard");
    assert!(terminal.wrote(b"\x1b]52;c;"));

    // The offender has its sign among the locks, and nothing is lost at another size.
    terminal.send("3");
    terminal.wait_until("a marked lock", |s| s.lines().any(|l| l.starts_with('▲') || l.starts_with('✗')));
    terminal.resize(130, 40);
    terminal.wait_for("created at");
    terminal.resize(80, 24);

    // The service dies: what was known stays.
    drop(service);
    terminal.wait_for("STALE");
    terminal.send("1");
    let stale = terminal.wait_for("lock-held-across-await");
    assert!(stale.contains("r now"), "{stale}");

    // It comes back as another process, and `r` does not wait for the next attempt, which is seconds away.
    terminal.wait_until("a long wait", |s| s.contains("retry in 4s"));
    let _service = Service::start("lock-held-across-await", &address);
    while std::net::TcpStream::connect(&address).is_err() {
        thread::sleep(Duration::from_millis(10));
    }
    terminal.send("r");
    terminal.wait_within(Duration::from_millis(1500), "the other process", |s| s.contains("restarted: process"));
    terminal.wait_for("live");

    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    terminal.is_given_back(&modes);
}

#[test]
fn a_terminal_that_can_only_print_gets_a_text_and_is_not_taken() {
    let (address, service) = (refused(), "lost-panic");
    let _service = Service::start(service, &address);
    let dumb = |term| Terminal::start_with(ASYNC_INSPECT, &["connect", &address], &[("TERM", term)], 100, 30);
    // It has to answer first.
    let mut terminal = dumb("xterm");
    terminal.wait_for("● live");
    terminal.send("q");
    terminal.wait_exit();
    assert!(terminal.wrote(b"\x1b[?1049h"));
    let mut terminal = dumb("dumb");
    terminal.wait_exit();
    assert!(!terminal.wrote(b"\x1b["), "{}", terminal.text());
    assert!(terminal.wrote(b"lost_panic.rs"), "{}", terminal.text());
}

/// A dashboard on a faulty program of the zoo, as soon as it says what is wrong.
fn on_fault(program: &str, columns: u16, rows: u16) -> (Service, Terminal) {
    let address = refused();
    let service = Service::start(program, &address);
    let terminal = Terminal::start(ASYNC_INSPECT, &["connect", &address], columns, rows);
    terminal.wait_for("fix ");
    (service, terminal)
}

/// Where the operator is, by the second line.
fn last_crumb(screen: &str) -> String {
    screen.lines().nth(1).unwrap_or_default().rsplit('›').next().unwrap_or_default().trim().to_owned()
}

#[test]
fn a_deadlock_is_followed_from_the_first_look_to_both_lines() {
    let (_service, mut terminal) = on_fault("deadlock", 100, 40);
    terminal.wait_until("both lines", |s| s.contains("DEADLOCK: #") && s.contains(" (:50), wants lock "));
    terminal.send("\r");
    terminal.wait_for("Who waits for whom");
    terminal.wait_for("DEADLOCK: back at lock");
    // To the operator's clipboard, in base64: `CRIT deadlock`.
    terminal.send("Y");
    terminal.wait_for("clipboard");
    assert!(terminal.wrote(b"\x1b]52;c;Q1JJVCBkZWFkbG9j"), "OSC 52");
    // To the lock, to its holder, to what that waits for, to who has that, and all the way back.
    let mut way = vec![last_crumb(&terminal.text())];
    for kind in ["lock Account (lock ", "task #", "lock Account (lock ", "task #"] {
        terminal.send("\r");
        let screen = terminal.wait_until(kind, |screen| {
            let here = last_crumb(screen);
            here.starts_with(kind) && !way.contains(&here)
        });
        way.push(last_crumb(&screen));
    }
    for before in way.iter().rev().skip(1) {
        terminal.send("\x1b");
        terminal.wait_until(before, |screen| last_crumb(screen) == *before);
    }
    terminal.send(":tasks\r");
    terminal.wait_for("spawn sites");
    terminal.send("v/on:lock\r");
    terminal.wait_until("a filter that hides some", |s| s.contains("· /on:lock") && s.contains(" of "));
    terminal.send("\r");
    terminal.wait_until("the closed loop", |s| s.contains("Tasks ›") && s.contains("DEADLOCK: back at"));
    terminal.send("\x1b");
    terminal.wait_for("· /on:lock");
}

/// Each screen of the table: the list that its keys begin in, the keys, and what is on this screen and on no other.
const SCREENS: &[(&str, &str, &str, &str)] = &[
    ("overview", "1", "", "── last "),
    ("tasks", "2", "", "spawn sites"),
    ("site", "2", "\r", "longest poll"),
    ("task", "2", "v\r", "Where it comes from"),
    ("locks", "3", "", "HELD BY"),
    ("lock", "3", "\r", "acquired  "),
    ("channels", "4", "", "DEPTH"),
    ("channel", "4", "\r", "Who receives"),
    ("workers", "5", "", "POLL NOW"),
    ("worker", "5", "\r", "polls now"),
    ("findings", "6", "", "LASTING"),
    ("finding", "6", "\r", "Evidence"),
    ("timeline", "7", "", " worst   "),
    ("target", "8", "", "What the probe takes"),
    ("help", "8", "?", "half a page up"),
];

#[test]
fn every_screen_of_the_table_is_entered_shows_what_is_its_own_and_is_left_again() {
    let (_service, mut terminal) = on_fault("shop:lock-held-across-await,channel-saturated", 110, 60);
    let mut seen = Vec::new();
    for (id, list, keys, words) in SCREENS {
        terminal.send(list);
        terminal.wait_until(list, |screen| screen.contains(&format!(" {list} ")) && !screen.contains(" › "));
        terminal.send(keys);
        let inside = keys.ends_with('\r') || *keys == "?";
        terminal.wait_until(&format!("{id}, and nothing of another screen"), |screen| {
            let theirs = SCREENS.iter().any(|(other, .., theirs)| other != id && screen.contains(theirs));
            screen.contains(words) && screen.contains(" › ") == inside && !theirs
        });
        if inside {
            terminal.send("\x1b");
            terminal.wait_gone(" › ");
        }
        if keys.starts_with('v') {
            terminal.send("v");
            terminal.wait_for("spawn sites");
        }
        seen.push(*id);
    }
    let mut all: Vec<&str> = view::screens().collect();
    all.sort_unstable();
    seen.sort_unstable();
    assert_eq!(seen, all, "each screen has a row above");
}

#[test]
fn a_task_is_asked_how_long_its_polls_take() {
    let (_service, mut terminal) = on_fault("long-poll", 100, 60);
    terminal.send("2v");
    terminal.wait_for("tasks");
    // The busiest task, not the root, which is hardly polled.
    terminal.send("/maxpoll>10ms\r\r");
    terminal.wait_for("Where it comes from");
    terminal.wait_for("How long its polls take");
}

#[test]
fn demos_that_start_at_once_each_have_a_port_of_their_own() {
    let start = || Terminal::start(ASYNC_INSPECT, &["demo", "--fault", "lost-panic"], 80, 24);
    let demos: Vec<Terminal> = (0..3).map(|_| start()).collect();
    let mut addresses: Vec<String> = demos
        .iter()
        .map(|demo| {
            let text = demo.wait_for("● live");
            text.split_whitespace().find(|word| word.starts_with("127.0.0.1:")).unwrap().to_owned()
        })
        .collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), demos.len(), "{addresses:?}");
}

#[test]
fn the_timeline_goes_back_and_comes_to_now_again() {
    let (_service, mut terminal) = on_fault("lost-panic", 100, 30);
    terminal.send("7");
    terminal.wait_for("worst");
    thread::sleep(Duration::from_millis(2500));
    terminal.send("\x1b[D\x1b[D");
    terminal.wait_for(" ago, ");
    terminal.send("\x1b[F");
    terminal.wait_for("now, ");
}

#[test]
fn the_mouse_clicks_where_it_points_and_is_given_back() {
    let (_service, mut terminal) = on_fault("lock-contention", 100, 30);
    assert!(terminal.wrote(b"\x1b[?1000h"));
    let text = terminal.text();
    let (row, column) = text.lines().enumerate().find_map(|(row, line)| Some((row, line.find("3 Locks")?))).unwrap();
    terminal.send(&format!("\x1b[<0;{};{}M", column + 2, row + 1));
    terminal.wait_for("HELD BY");
    terminal.send("q");
    terminal.wait_exit();
    assert!(terminal.wrote(b"\x1b[?1000l"));

    let terminal = Terminal::start(ASYNC_INSPECT, &["connect", &refused(), "--no-mouse"], 80, 24);
    terminal.wait_for("what to do");
    assert!(!terminal.wrote(b"\x1b[?1000h"));
}

#[test]
fn the_state_is_written_to_a_new_file_that_is_named() {
    let folder = std::env::temp_dir().join(format!("async-inspect-export-of-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let address = refused();
    let _service = Service::start("lost-panic", &address);
    let script = format!("cd '{}' && exec '{ASYNC_INSPECT}' connect {address}", folder.display());
    let mut terminal = Terminal::start("sh", &["-c", &script], 160, 24);
    terminal.wait_for("lost-panic");
    terminal.send("e");
    terminal.wait_for("the whole state is in");
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|f| f.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let state = std::fs::read_to_string(&files[0]).unwrap();
    assert!(state.contains("schema_version") && state.contains("lost-panic"), "{state}");
    terminal.send("q");
    terminal.wait_exit();
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_config_file_is_heeded_and_a_mistake_in_it_is_named_before_the_terminal_is_taken() {
    let file = std::env::temp_dir().join(format!("async-inspect-config-of-{}.toml", std::process::id()));
    std::fs::write(&file, "ascii = true\n[keys]\nquit = \"Q\"\n").unwrap();
    let set = file.display().to_string();
    let env = [("ASYNC_INSPECT_CONFIG", set.as_str())];
    let mut terminal = Terminal::start_with(ASYNC_INSPECT, &["connect", &refused()], &env, 80, 24);
    let text = terminal.wait_for("what to do");
    assert!(text.is_ascii(), "{text}");
    terminal.send("q?");
    terminal.wait_for("half a page up");
    terminal.send("Q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);

    std::fs::write(&file, "\nascii = true\nthem = \"dark\"\n").unwrap();
    let mut terminal = Terminal::start_with(ASYNC_INSPECT, &["connect", &refused()], &env, 100, 24);
    let text = terminal.wait_for("did you mean `theme`?");
    assert!(text.contains(":3:") && !terminal.wrote(b"\x1b[?1049h"), "{text}");
    assert_eq!(terminal.wait_exit().exit_code(), 2);
    std::fs::remove_file(&file).unwrap();
}
