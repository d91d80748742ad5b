//! Why a demo does not run, and what to do about it.
use std::io;

use thiserror::Error;

use super::FaultError;

/// Why a demo does not run.
#[derive(Debug, Error)]
pub enum DemoError {
    /// There is no fault of that name, or not together with others.
    #[error(transparent)]
    Fault(#[from] FaultError),
    /// The service cannot be started.
    #[error("cannot start the demo's service: {0}")]
    Start(io::Error),
    /// The service runs, and its probe does not answer.
    #[error("the demo's service runs, but its probe does not answer at {address} within {seconds} s{}", said(.log))]
    Silent {
        /// Where it should listen.
        address: String,
        /// How long it was given.
        seconds: u64,
        /// The last of what the service wrote.
        log: String,
    },
    /// The service ended by itself.
    #[error("the demo's service ended by itself ({status}){}", said(.log))]
    Ended {
        /// How it ended.
        status: String,
        /// The last of what it wrote.
        log: String,
    },
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Terminal(io::Error),
}

fn said(log: &str) -> String {
    if log.is_empty() { ", and wrote nothing".to_owned() } else { format!("; the last it wrote:\n{log}") }
}

impl DemoError {
    /// What to do next.
    pub fn next_step(&self) -> &'static str {
        match self {
            Self::Fault(_) => "async-inspect demo --list-faults",
            Self::Start(_) | Self::Silent { .. } => {
                "check that this program may start itself and listen on 127.0.0.1, then run the demo again"
            }
            Self::Ended { .. } => "run the demo again; if it ends again, its last words above say why",
            Self::Terminal(_) => "run it in a terminal",
        }
    }

    /// The exit code that says it to a script: 2 usage, 3 cannot connect, 5 lost on the way, 1 anything else.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Fault(_) => 2,
            Self::Start(_) | Self::Silent { .. } => 3,
            Self::Ended { .. } => 5,
            Self::Terminal(_) => 1,
        }
    }
}
