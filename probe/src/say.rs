//! What the probe says to the operator: single lines on stderr.
use std::io::{self, Write};

/// Writes a line on a thread of its own, since nobody may read what stderr leads to: then that thread waits, and neither
/// the app nor the probe does. Where stderr is closed, nothing happens; `eprintln!` would panic there.
pub(crate) fn say(what: &str) {
    let line = format!("async-inspect: {what}\n");
    // Without a thread for it, it goes unsaid.
    let _ = std::thread::Builder::new().name("async-inspect".to_owned()).spawn(move || {
        // In one piece: lines of the app may come at the same time.
        let _ = io::stderr().write_all(line.as_bytes());
    });
}
