//! The dashboard in a real pseudo-terminal: what a person sees, presses and is left with.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use common::terminal::{ASYNC_INSPECT, Terminal};

/// An address on which nothing listens.
fn refused() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().to_string()
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

fn given_back(terminal: &Terminal, modes: &str) {
    assert!(!terminal.alternate_screen(), "the alternate screen is left");
    assert!(!terminal.cursor_hidden(), "the cursor is shown");
    assert_eq!(terminal.modes(), modes, "echo and lines are as before");
}

/// The modes of a terminal that no program has changed.
fn untouched() -> String {
    Terminal::start("sleep", &["60"], 80, 24).modes()
}

#[test]
fn a_refused_connection_is_explained_and_keys_answer() {
    let mut terminal = on_refused(80, 24);
    let text = terminal.text();
    for words in ["connection refused", "likely cause", "ASYNC_INSPECT=127.0.0.1:6670", "q quits"] {
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
    given_back(&terminal, &untouched());
}

#[test]
fn ctrl_c_and_signals_give_the_terminal_back() {
    for end in ["\x03", "TERM", "HUP"] {
        let mut terminal = on_refused(80, 24);
        if end == "\x03" {
            terminal.send(end);
        } else {
            terminal.signal(end);
        }
        assert_eq!(terminal.wait_exit().exit_code(), 130, "{end}");
        given_back(&terminal, &untouched());
    }
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
    assert!(overview.contains("drop it before the .await"), "{overview}");

    // Along the thread: the finding, its lock, and back.
    terminal.send("\r");
    terminal.wait_for("look at");
    terminal.send("\r");
    terminal.wait_for("Last 60 s");
    terminal.send("\x1b");
    terminal.wait_for("look at");
    terminal.send("\x1b");
    terminal.wait_for("1 Overview");

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

    // It comes back as another process.
    let _service = Service::start("lock-held-across-await", &address);
    terminal.send("r");
    terminal.wait_for("restarted: process");
    terminal.wait_for("live");

    terminal.send("q");
    assert_eq!(terminal.wait_exit().exit_code(), 0);
    given_back(&terminal, &modes);
}
