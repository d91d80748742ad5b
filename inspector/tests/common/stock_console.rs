//! The stock tokio-console, as it was released.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::terminal::Terminal;

/// The release that is tested against.
const VERSION: &str = "0.1.14";

/// A tokio-console on `address` in a terminal of its own.
pub(crate) fn tokio_console(address: &str, columns: u16, rows: u16) -> Terminal {
    let program = installed().display().to_string();
    let target = format!("http://{address}");
    Terminal::start_with(&program, &["--lang", "en_US.UTF-8", &target], &[("HOME", "/nonexistent")], columns, rows)
}

/// The program, which is built and put into `target/tools` when it is not there yet; `.ci/run` has done so before.
pub(crate) fn installed() -> PathBuf {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools");
    fs::create_dir_all(&tools).unwrap();
    // Tests may come here at the same time.
    let lock = File::create(tools.join("tokio-console.lock")).unwrap();
    lock.lock().unwrap();
    let program = tools.join("bin/tokio-console");
    if !program.exists() {
        eprintln!("installing tokio-console {VERSION} into target/tools, once: that takes a few minutes …");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .args(["install", "tokio-console", "--version", VERSION, "--locked", "--root"])
            .arg(&tools)
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS")
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .status()
            .unwrap();
        assert!(status.success(), "tokio-console {VERSION} cannot be installed ({status}); cargo says why above");
    }
    program
}
