//! What is compared, and a process in which it is measured.
use std::path::PathBuf;

use crate::{apart, options::Options, process::Process};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Bare,
    Dormant,
    Started,
    Attached,
    /// With tokio's `tracing` and a registry without a layer: what is paid before anybody looks.
    Registry,
    /// With these and a layer that is told of polls and wakes, and does nothing: what no layer goes below.
    Idle,
    /// By the `tracing` layer of ours, nobody attached.
    Layer,
    Console,
    Dial9,
    /// Bare once more: so much do two differ that are the same.
    Again,
}

/// How many there are.
pub(crate) const MODES: usize = 10;

impl Mode {
    pub(crate) const ALL: [Self; MODES] = [
        Self::Bare,
        Self::Dormant,
        Self::Started,
        Self::Attached,
        Self::Registry,
        Self::Idle,
        Self::Layer,
        Self::Console,
        Self::Dial9,
        Self::Again,
    ];

    /// One round: what `measure` says of each mode, by the order of [`Mode::ALL`]. Each round begins with another mode, so
    /// that none is always measured right after the heaviest.
    pub(crate) fn round<T: Copy>(round: usize, mut measure: impl FnMut(Self) -> Option<T>) -> [Option<T>; MODES] {
        let mut measured = [None; MODES];
        for turn in 0..MODES {
            let mode = Self::ALL[(round + turn) % MODES];
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
            Self::Registry => "registry",
            Self::Idle => "idle",
            Self::Layer => "layer",
            Self::Console => "console",
            Self::Dial9 => "dial9",
            Self::Again => "bare again",
        }
    }

    /// What a process of this program is told to be.
    fn argument(self) -> &'static str {
        if self == Self::Again { Self::Bare.name() } else { self.name() }
    }
}

/// The programs that are built apart; an error says why there is no such column.
pub(crate) struct Programs {
    /// With console-subscriber, with our layer, with one that does nothing, and with a registry only.
    console: Result<PathBuf, String>,
    dial9: Result<PathBuf, String>,
}

impl Programs {
    pub(crate) fn build(options: &Options) -> Self {
        let build = |name| {
            if options.others { apart::build(name) } else { Err("left out by --no-others".to_owned()) }
        };
        Self { console: build("console"), dial9: build("dial9") }
    }

    /// The program of a mode and the arguments that it begins with; `None` for one that was not built.
    fn of(&self, mode: Mode) -> Option<(PathBuf, Vec<&'static str>)> {
        match mode {
            Mode::Console => Some((self.console.clone().ok()?, Vec::new())),
            Mode::Registry => Some((self.console.clone().ok()?, vec!["registry"])),
            Mode::Idle => Some((self.console.clone().ok()?, vec!["idle"])),
            Mode::Layer => Some((self.console.clone().ok()?, vec!["layer"])),
            Mode::Dial9 => Some((self.dial9.clone().ok()?, Vec::new())),
            Mode::Bare | Mode::Dormant | Mode::Started | Mode::Attached | Mode::Again => None,
        }
    }

    /// Says why columns are empty, if they are.
    pub(crate) fn say(&self) {
        for (what, program) in
            [("console-subscriber, the layers and the registry", &self.console), ("dial9", &self.dial9)]
        {
            if let Err(why) = program {
                println!("Not measured: {what}: {why}.");
            }
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
    /// Starts `job` in `mode`; `None` for a program that was not built.
    pub(crate) fn start(mode: Mode, job: &str, args: &[&str], programs: &Programs) -> Option<Self> {
        let mut process = match mode {
            Mode::Registry | Mode::Idle | Mode::Layer | Mode::Console | Mode::Dial9 => {
                let (program, first) = programs.of(mode)?;
                Process::start(&program, &[&first[..], &[job], args].concat())
            }
            mode => Process::own(job, &[&[mode.argument()], args].concat()),
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
