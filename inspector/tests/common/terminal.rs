//! A real pseudo-terminal: a program in it, keys in, and what a person would see out.
#![allow(dead_code, reason = "each test binary uses its part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// How long a test waits for something to appear before it says what is there instead.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The binary under test, when the test is built by cargo.
pub(crate) const ASYNC_INSPECT: &str = env!("CARGO_BIN_EXE_async-inspect");

/// A program in a terminal of its own; killed when dropped.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    seen: Arc<Seen>,
}

/// What the program has written so far.
struct Seen {
    parser: Mutex<vt100::Parser>,
    /// Grows with every piece of output.
    news: Condvar,
    bytes: Mutex<Vec<u8>>,
    /// Nobody can write any more, and all that was written is here.
    ended: AtomicBool,
}

impl Seen {
    fn parser(&self) -> MutexGuard<'_, vt100::Parser> {
        self.parser.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Terminal {
    /// Starts `program` with `args` in a terminal of `columns` x `rows`.
    pub(crate) fn start(program: &str, args: &[&str], columns: u16, rows: u16) -> Self {
        Self::start_with(program, args, &[], columns, rows)
    }

    /// The same with variables in its environment.
    pub(crate) fn start_with(program: &str, args: &[&str], env: &[(&str, &str)], columns: u16, rows: u16) -> Self {
        let pair = native_pty_system().openpty(size(columns, rows)).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(std::env::current_dir().unwrap());
        command.env("TERM", "xterm-256color");
        command.env("LC_ALL", "C.UTF-8");
        for unwanted in ["NO_COLOR", "ASYNC_INSPECT", "RUST_BACKTRACE"] {
            command.env_remove(unwanted);
        }
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        // The reader sees the end of the output only when no writer is left.
        drop(pair.slave);
        let seen = Arc::new(Seen {
            parser: Mutex::new(vt100::Parser::new(rows, columns, 0)),
            news: Condvar::new(),
            bytes: Mutex::default(),
            ended: AtomicBool::new(false),
        });
        let mut reader = pair.master.try_clone_reader().unwrap();
        let taken = Arc::clone(&seen);
        thread::spawn(move || {
            let mut buffer = [0; 1 << 14];
            while let Ok(n) = reader.read(&mut buffer) {
                if n == 0 {
                    break;
                }
                // Together, for whoever looks at both.
                let mut parser = taken.parser();
                taken.bytes().extend_from_slice(&buffer[..n]);
                parser.process(&buffer[..n]);
                drop(parser);
                taken.news.notify_all();
            }
            taken.ended.store(true, Ordering::Release);
            taken.news.notify_all();
        });
        let writer = pair.master.take_writer().unwrap();
        Self { child, master: pair.master, writer, seen }
    }

    /// Presses keys: text as it is, `\x1b` for Esc, `\r` for Enter, `\t` for Tab, `\x03` for Ctrl-c…
    pub(crate) fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Makes the terminal `columns` x `rows`.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) {
        self.seen.parser().screen_mut().set_size(rows, columns);
        self.master.resize(size(columns, rows)).unwrap();
    }

    /// What is on the screen.
    pub(crate) fn text(&self) -> String {
        self.seen.parser().screen().contents()
    }

    /// Waits until `text` is on the screen; returns the whole screen then.
    ///
    /// # Panics
    /// After [`PATIENCE`], with what is there instead.
    pub(crate) fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Waits until `text` is no longer on the screen.
    pub(crate) fn wait_gone(&self, text: &str) -> String {
        self.wait_until(&format!("no {text:?}"), |screen| !screen.contains(text))
    }

    /// Waits until the screen is as `wanted` says.
    pub(crate) fn wait_until(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.wait_within(PATIENCE, what, wanted)
    }

    /// The same for as long as `patience`.
    pub(crate) fn wait_within(&self, patience: Duration, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + patience;
        let mut parser = self.seen.parser();
        loop {
            let screen = parser.screen().contents();
            if wanted(&screen) && self.is_whole() {
                return screen;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "waited for {what}, but the screen is\n{screen}");
            parser = self.seen.news.wait_timeout(parser, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether what has come is no part of a frame, of a program that says where each begins and ends.
    fn is_whole(&self) -> bool {
        let bytes = self.seen.bytes();
        let last = |mark: &[u8]| bytes.windows(mark.len()).rposition(|window| window == mark);
        last(b"\x1b[?2026h") <= last(b"\x1b[?2026l")
    }

    /// Bytes that the program has written so far.
    pub(crate) fn written(&self) -> usize {
        self.seen.bytes().len()
    }

    /// How often these bytes were written.
    pub(crate) fn count(&self, bytes: &[u8]) -> usize {
        self.seen.bytes().windows(bytes.len()).filter(|window| *window == bytes).count()
    }

    /// Whether these bytes were written at any time.
    pub(crate) fn wrote(&self, bytes: &[u8]) -> bool {
        self.seen.bytes().windows(bytes.len()).any(|window| window == bytes)
    }

    /// Whether the alternate screen is shown, as full-screen programs do.
    pub(crate) fn alternate_screen(&self) -> bool {
        self.seen.parser().screen().alternate_screen()
    }

    /// Whether the cursor is hidden.
    pub(crate) fn cursor_hidden(&self) -> bool {
        self.seen.parser().screen().hide_cursor()
    }

    /// The modes of the terminal's line discipline (echo, line by line, signals by keys), as text to compare.
    #[cfg(unix)]
    pub(crate) fn modes(&self) -> String {
        self.master.get_termios().map_or_else(String::new, |modes| format!("{:?}", modes.local_flags))
    }

    /// Asserts that the shell has its terminal as it was, with these modes of an untouched one.
    #[cfg(unix)]
    pub(crate) fn is_given_back(&self, modes: &str) {
        assert!(!self.alternate_screen(), "the alternate screen is left");
        assert!(!self.cursor_hidden(), "the cursor is shown");
        assert_eq!(self.modes(), modes, "echo and lines are as before");
    }

    /// Process id of the program.
    pub(crate) fn pid(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Sends a signal to the program, by its name: `TERM`, `HUP`, `CONT`…
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill").args(["-s", name, &self.pid().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits until the program has ended and all that it wrote is here.
    ///
    /// # Panics
    /// When it does not within [`PATIENCE`].
    pub(crate) fn wait_exit(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap()
                && self.seen.ended.load(Ordering::Acquire)
            {
                return status;
            }
            assert!(Instant::now() < end, "it does not end; the screen is\n{}", self.text());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The modes of a terminal that no program has changed.
#[cfg(unix)]
pub(crate) fn untouched() -> String {
    Terminal::start("sleep", &["60"], 80, 24).modes()
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}
