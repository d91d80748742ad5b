//! What is compared, and a process in which it is measured.
use std::path::PathBuf;

use crate::process::Process;

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
