//! The driver's side of `child.rs`.
use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Bare,
    Dormant,
    Started,
    Attached,
    Console,
}

impl Mode {
    pub(crate) const ALL: [Self; 5] = [Self::Bare, Self::Dormant, Self::Started, Self::Attached, Self::Console];

    /// One round: what `measure` says of each mode, by the order of [`Mode::ALL`]. Each round begins with another mode, so
    /// that none is always measured right after the heaviest.
    pub(crate) fn round<T: Copy>(round: usize, mut measure: impl FnMut(Self) -> Option<T>) -> [Option<T>; 5] {
        let mut measured = [None; 5];
        for turn in 0..5 {
            let mode = Self::ALL[(round + turn) % 5];
            measured[mode as usize] = measure(mode);
        }
        measured
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Dormant => "dormant",
            Self::Started => "started",
            Self::Attached => "attached",
            Self::Console => "console",
        }
    }
}

/// A process that does one job.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    fn start(program: &Path, args: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(args)
            .env_remove(async_inspect_probe::ENVIRONMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { stdin: child.stdin.take(), child, stdout }
    }

    /// Another process of this program.
    pub(crate) fn own(job: &str, args: &[&str]) -> Self {
        Self::start(&std::env::current_exe().unwrap(), &[&["--child", job], args].concat())
    }

    /// The next line's words.
    fn words(&mut self) -> Vec<String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        line.split_whitespace().map(str::to_owned).collect()
    }

    /// Waits for `ready`; what comes after it.
    pub(crate) fn ready(&mut self) -> Vec<String> {
        let mut words = self.words();
        assert!(words.first().is_some_and(|word| word == "ready"), "the child ended before it was ready: {words:?}");
        words.split_off(1)
    }

    pub(crate) fn go(&mut self) {
        self.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    /// Ends its stdin.
    pub(crate) fn finish(&mut self) {
        self.stdin = None;
    }

    /// The next line, of numbers.
    pub(crate) fn figures(&mut self) -> Vec<f64> {
        let words = self.words();
        assert!(!words.is_empty(), "the child ended without its figures");
        words.iter().map(|word| word.parse().unwrap()).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A measured process, ready, with a subscriber on it where the mode says so.
pub(crate) struct Measured {
    pub(crate) process: Process,
    /// What it said after `ready`.
    pub(crate) said: Vec<String>,
    _subscriber: Option<Process>,
}

impl Measured {
    /// Starts `job` in `mode`; `None` for a console-subscriber that was not built.
    pub(crate) fn start(mode: Mode, job: &str, args: &[&str], console: Result<&PathBuf, &String>) -> Option<Self> {
        let mut process = match mode {
            Mode::Console => Process::start(console.ok()?, &[&[job], args].concat()),
            mode => Process::own(job, &[&[mode.name()], args].concat()),
        };
        let said = process.ready();
        let subscriber = (mode == Mode::Attached).then(|| {
            let mut subscriber = Process::own("subscriber", &[&said[0]]);
            subscriber.ready();
            subscriber
        });
        Some(Self { process, said, _subscriber: subscriber })
    }
}
