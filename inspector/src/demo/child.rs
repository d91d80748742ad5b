//! The service of a demo, as a child process that cannot outlive this one.
use std::{
    collections::VecDeque,
    io,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_inspect_zoo::LEASH;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{ChildStdin, Command},
    time::sleep,
};

use super::DemoError;
use crate::{
    source::{self, Address},
    text::{self, fit},
};

/// How long a service is given to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of what it wrote is kept, in bytes.
const KEPT: usize = 16 * 1024;
/// How much of that is shown, in lines.
const SHOWN: usize = 20;

/// A child process that dies with this one: `kill_on_drop` on the ways out that run destructors, and the end of its
/// standard input on those that do not.
#[derive(Debug)]
pub(super) struct Child {
    process: tokio::process::Child,
    log: Log,
    _leash: Option<ChildStdin>,
}

impl Child {
    /// Runs a program of the zoo with its probe on `listen`.
    pub(super) fn start(program: &str, listen: &str) -> io::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["zoo-program", program])
            .env("ASYNC_INSPECT", listen)
            .env(LEASH, "1")
            // The dashboard is there already.
            .env("ASYNC_INSPECT_NOTICE", "off")
            // A backtrace takes a tenth of a second: the demo's panics shall not look like long polls as well.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let log = Log::default();
        if let Some(stdout) = process.stdout.take() {
            tokio::spawn(log.clone().keep(stdout));
        }
        if let Some(stderr) = process.stderr.take() {
            tokio::spawn(log.clone().keep(stderr));
        }
        let leash = process.stdin.take();
        Ok(Self { process, log, _leash: leash })
    }

    /// Waits until its own probe answers at `address`; false when another one does, which took the port before it.
    pub(super) async fn until_watched(&mut self, address: &Address) -> Result<bool, DemoError> {
        let started = Instant::now();
        loop {
            let answer = source::open(address).await;
            self.still_runs().await?;
            if let Ok(connection) = answer {
                return Ok(Some(connection.target.pid) == self.process.id());
            }
            if started.elapsed() > PATIENCE {
                let (address, seconds) = (address.to_string(), PATIENCE.as_secs());
                return Err(DemoError::Silent { address, seconds, log: self.log.tail() });
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn still_runs(&mut self) -> Result<(), DemoError> {
        match self.process.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => {
                // Its last words may still be in the pipes.
                sleep(Duration::from_millis(50)).await;
                Err(DemoError::Ended { status: status.to_string(), log: self.log.tail() })
            }
            Err(error) => Err(DemoError::Start(error)),
        }
    }

    /// Kills it and waits for its end; an error when it had ended before.
    pub(super) async fn end(&mut self) -> Result<(), DemoError> {
        self.still_runs().await?;
        // It may end between the question and the order, which is all the same now.
        let _ = self.process.kill().await;
        Ok(())
    }
}

/// The last of what a process wrote.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<VecDeque<u8>>>);

impl Log {
    async fn keep(self, mut from: impl AsyncRead + Unpin) {
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut chunk).await {
            let mut bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            bytes.extend(&chunk[..read]);
            let surplus = bytes.len().saturating_sub(KEPT);
            bytes.drain(..surplus);
        }
    }

    /// The last lines, without control characters.
    fn tail(&self) -> String {
        let bytes: Vec<u8> = self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        let last = &lines[lines.len().saturating_sub(SHOWN)..];
        last.iter().map(|line| format!("  {}", text::head(&fit::clean(line), 200))).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_log_keeps_the_last_lines_and_no_more() {
        let log = Log::default();
        let written: String =
            (0..10_000).flat_map(|line| ["line ".to_owned(), line.to_string(), "\n".to_owned()]).collect();
        log.clone().keep(written.as_bytes()).await;
        assert!(log.0.lock().unwrap().len() <= KEPT);
        let tail = log.tail();
        assert_eq!(tail.lines().count(), SHOWN);
        assert!(tail.ends_with("  line 9999"), "{tail}");
    }

    #[tokio::test]
    async fn a_log_of_odd_bytes_is_shown_without_control_characters() {
        let log = Log::default();
        log.clone().keep(&b"\xff\xfe \x1b[31mred\x07\n"[..]).await;
        assert!(!log.tail().chars().any(char::is_control), "{:?}", log.tail());
    }
}
