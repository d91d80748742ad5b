//! Records `async-inspect demo` in a real pseudo-terminal, as an asciinema v2 file:
//!
//! ```sh
//! cargo build --release && cargo run -p async-inspect-cli --example record_demo -- target/release/async-inspect docs/demo.cast
//! ```
#![allow(clippy::unwrap_used, reason = "a recording that cannot go on ends")]

use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

const COLUMNS: u16 = 100;
const ROWS: u16 = 28;

/// What is pressed, and for how long it is looked at after that.
const SCRIPT: &[(&str, f32)] = &[
    // The incident unfolds.
    ("", 9.0),
    // The worst finding: evidence, stack, what the rule means.
    ("\r", 4.0),
    ("\x1b[6~", 2.5),
    ("\x1b", 1.0),
    // Tasks by spawn site, then what one of them waits for.
    ("2", 2.5),
    ("\r", 2.5),
    ("\x1b", 0.8),
    // The lock that is fought over, its holder, and who waits for whom.
    ("3", 1.5),
    ("\r", 3.5),
    ("\x1b", 0.8),
    ("4", 1.5),
    ("\r", 3.0),
    ("\x1b", 0.8),
    // What was wrong a few seconds ago.
    ("7", 1.5),
    ("\x1b[D", 0.3),
    ("\x1b[D", 0.3),
    ("\x1b[D", 0.3),
    ("\x1b[D", 1.5),
    ("1", 1.5),
    ("q", 0.5),
];

fn main() {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(program), Some(file)) = (args.next(), args.next()) else {
        eprintln!("usage: record_demo PATH-OF-async-inspect FILE.cast");
        std::process::exit(2);
    };
    let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).unwrap();
    // A relative path would be looked for in PATH.
    let mut command = CommandBuilder::new(program.canonicalize().unwrap());
    command.arg("demo");
    command.cwd(std::env::current_dir().unwrap());
    command.env("TERM", "xterm-256color");
    command.env("COLORTERM", "truecolor");
    command.env("ASYNC_INSPECT_CONFIG", "");
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);

    let start = Instant::now();
    let (heard, output) = mpsc::channel();
    let mut reader = pair.master.try_clone_reader().unwrap();
    thread::spawn(move || {
        let mut buffer = [0; 1 << 14];
        while let Ok(n @ 1..) = reader.read(&mut buffer) {
            if heard.send((start.elapsed(), buffer[..n].to_vec())).is_err() {
                return;
            }
        }
    });
    let mut writer = pair.master.take_writer().unwrap();
    for (keys, pause) in SCRIPT {
        writer.write_all(keys.as_bytes()).unwrap();
        writer.flush().unwrap();
        thread::sleep(Duration::from_secs_f32(*pause));
    }
    child.wait().unwrap();
    drop(pair.master);

    let header = serde_json::json!({
        "version": 2, "width": COLUMNS, "height": ROWS, "title": "async-inspect demo", "env": {"TERM": "xterm-256color"},
    });
    let mut out = format!("{header}\n");
    // A character may be cut between two reads.
    let mut pending = Vec::new();
    for (at, bytes) in output {
        pending.extend(bytes);
        let whole = match std::str::from_utf8(&pending) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let text: String = String::from_utf8_lossy(&pending.drain(..whole).collect::<Vec<u8>>()).into_owned();
        if !text.is_empty() {
            let event = serde_json::json!([(at.as_secs_f64() * 1e3).round() / 1e3, "o", text]);
            out.push_str(&event.to_string());
            out.push('\n');
        }
    }
    std::fs::write(&file, out).unwrap();
    eprintln!("{} seconds in {}", start.elapsed().as_secs(), file.display());
}
