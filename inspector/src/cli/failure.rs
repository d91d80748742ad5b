//! What went wrong, its likely cause, what to do next, and the exit code that says it.
use std::fmt::{self, Display};
use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::config::ConfigError;
use crate::demo::DemoError;
use crate::lints::SettingError;
use crate::source::SourceError;

/// Interrupted by Ctrl-c or SIGTERM.
pub(super) const INTERRUPTED: u8 = 130;
/// Findings at or above the limit.
pub(super) const FOUND: u8 = 1;
const USAGE: u8 = 2;

/// Why a command failed.
#[derive(Debug)]
pub(super) struct Failure {
    what: String,
    cause: Option<String>,
    next_step: Option<String>,
    code: u8,
}

impl Failure {
    /// A mistake on the command line.
    pub(super) fn usage(what: impl Display, next_step: &str) -> Self {
        Self { what: what.to_string(), cause: None, next_step: Some(next_step.to_owned()), code: USAGE }
    }

    /// Says it on standard error.
    pub(super) fn tell(&self) {
        say(format_args!("async-inspect: {}", self.what));
        if let Some(cause) = &self.cause {
            say(format_args!("  likely cause: {cause}"));
        }
        if let Some(next_step) = &self.next_step {
            say(format_args!("  what to do:   {next_step}"));
        }
    }

    /// The number of its exit code.
    pub(super) fn code(&self) -> u8 {
        self.code
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self {
            what: error.to_string(),
            cause: Some(error.cause()),
            next_step: Some(error.next_step()),
            code: error.exit_code(),
        }
    }
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Self {
        let next_step = Some(error.next_step().to_owned());
        Self { what: error.to_string(), cause: None, next_step, code: error.exit_code() }
    }
}

impl From<SettingError> for Failure {
    fn from(error: SettingError) -> Self {
        Self::usage(error, "async-inspect explain lists the rules, explain RULE the limits of one")
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::usage(error, "async-inspect config default prints every setting with what it means")
    }
}

impl From<io::Error> for Failure {
    /// Of the terminal, or of standard output.
    fn from(error: io::Error) -> Self {
        Self { what: format!("cannot write: {error}"), cause: None, next_step: None, code: 1 }
    }
}

/// Says a line on standard error. What it leads to may be gone or full: then nobody hears it, and the exit code still tells.
pub(super) fn say(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// The end of a command.
pub(super) fn exit(outcome: Result<u8, Failure>) -> ExitCode {
    ExitCode::from(outcome.unwrap_or_else(|failure| {
        failure.tell();
        failure.code()
    }))
}
