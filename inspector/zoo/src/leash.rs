//! A child process that must not outlive the one that started it.
use std::{io::Read, thread};

/// Name of the environment variable that makes a program of the zoo exit as soon as its standard input closes: the
/// parent keeps the other end of the pipe, and however it dies, the system closes that end. It needs no signal, so it
/// works everywhere.
pub const LEASH: &str = "ASYNC_INSPECT_ZOO_LEASH";

/// Starts to watch standard input, if [`LEASH`] is set.
pub(crate) fn heed() {
    if std::env::var_os(LEASH).is_none() {
        return;
    }
    thread::spawn(|| {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
        std::process::exit(0);
    });
}
