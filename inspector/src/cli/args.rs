//! The command line: one definition for the parser, the help, the man page and the completions.
#![allow(clippy::doc_markdown, reason = "these comments are what people read in a terminal")]
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::observe::Judging;
use crate::app::{ColorChoice, Options, ThemeChoice};
use crate::config::{Config, ConfigError};
use crate::lints::{RULES, SettingError, Settings, Severity};
use crate::source::Address;
use crate::text;

/// What is wrong inside this async service right now, where in the code, and what to change.
///
/// The service needs the probe: one line in its Cargo.toml, and ASYNC_INSPECT=127.0.0.1:6670 in its environment.
#[derive(Debug, Parser)]
#[command(name = "async-inspect", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 clean, 1 findings at or above --fail-on, 2 usage, 3 cannot connect, 4 incompatible or not a probe, \
5 connection lost before the end, 130 interrupted. Results go to stdout, everything else to stderr.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Open the dashboard on a real faulty service that runs inside
    Demo(Demo),
    /// Open the dashboard on a service
    Connect(Connect),
    /// Watch a service for a while, print what is wrong with it, and say so with the exit code
    Check(Check),
    /// Print the whole state of a service, once
    Snapshot(Snapshot),
    /// Record what a service says, to look at it later: all others that take a TARGET take the file too
    Record(Record),
    /// Open the dashboard on a recording
    Replay(Replay),
    /// Write what a service does over a while, or a recording, for other programs to show
    Export(Export),
    /// Say what a rule means, why it hurts, and what wrong and right code look like
    Explain(Explain),
    /// The file with your own theme, keys and rules
    Config {
        /// What to print
        #[arg(value_enum)]
        what: ConfigWhat,
    },
    /// Print completions for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
    /// Run a program of the zoo, as `demo` does in a process of its own
    #[command(hide = true)]
    ZooProgram {
        /// A faulty program by its rule, a healthy one by its name, or `shop:RULE,RULE`
        name: String,
        /// Its version without the fault
        #[arg(long)]
        healthy: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ConfigWhat {
    /// Where the file is, or would be
    Path,
    /// A file to begin with: every setting, its default and what it means
    Default,
    /// What is in force
    Show,
}

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Show this fault (more than once for several); without it, an incident of five
    #[arg(long, value_name = "NAME")]
    pub(super) fault: Vec<String>,
    /// Where people write a fault at first
    #[arg(hide = true, value_name = "NAME", value_parser = misplaced)]
    misplaced: Option<String>,
    /// List the faults there are, each with its file and line
    #[arg(long)]
    pub(super) list_faults: bool,
    #[command(flatten)]
    pub(super) look: Look,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
}

/// What listens, and what a target may be beside.
macro_rules! target {
    ($($beside:literal)?) => {
        concat!(
            "Where the probe listens: http://host:port, host:port or unix:/path; console:host:port is a stock \
             console-subscriber",
            $($beside)?
        )
    };
}
const LIVE: &str = target!();
const TARGET: &str = target!("; or the file of a recording");

#[derive(Debug, Args)]
pub(super) struct Connect {
    #[arg(value_name = "TARGET", default_values_t = [Address::default()], num_args = 0.., help = TARGET)]
    pub(super) targets: Vec<Address>,
    #[command(flatten)]
    pub(super) look: Look,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[arg(required = true, value_name = "TARGET", help = TARGET)]
    pub(super) targets: Vec<Address>,
    /// How long to watch, once attached
    #[arg(long = "for", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(super) span: Duration,
    /// The mildest finding that makes the exit code 1
    #[arg(long, value_name = "SEVERITY", default_value = "warn")]
    pub(super) fail_on: FailOn,
    /// How to print what was found
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ReportFormat,
    /// In text, say all that is not visible in the target, why, and what would change it
    #[arg(short, long)]
    pub(super) verbose: bool,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
}

#[derive(Debug, Args)]
pub(super) struct Snapshot {
    #[arg(help = TARGET)]
    pub(super) target: Address,
    /// How long to watch before, so that there are rates and findings
    #[arg(long = "for", value_name = "DURATION", default_value = "3s", value_parser = duration)]
    pub(super) span: Duration,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
}

#[derive(Debug, Args)]
pub(super) struct Record {
    #[arg(help = LIVE)]
    pub(super) target: Address,
    /// The new file
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: PathBuf,
    /// Write over the file if there is one
    #[arg(long)]
    pub(super) force: bool,
    /// How long to record; without it, until Ctrl-c
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(super) span: Option<Duration>,
    /// How large the file may grow, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub(super) max_size: u64,
}

#[derive(Debug, Args)]
pub(super) struct Export {
    #[arg(help = TARGET)]
    pub(super) target: Address,
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ExportFormat,
    /// The new file; without it, to standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// How long to watch; a recording is taken whole
    #[arg(long = "for", value_name = "DURATION", default_value = "10s", value_parser = duration)]
    pub(super) span: Duration,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum ExportFormat {
    /// A trace for ui.perfetto.dev and other readers of Chrome's JSON: findings, long polls, holds of locks, figures
    #[default]
    Perfetto,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The recording
    pub(super) file: PathBuf,
    /// Times as fast as it was
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, value_parser = speed)]
    pub(super) speed: f64,
    /// Begin so far into it
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = offset)]
    pub(super) from: Duration,
    #[command(flatten)]
    pub(super) look: Look,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
}

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The rule; without it, a line on each
    #[arg(value_parser = RuleName, hide_possible_values = true)]
    pub(super) rule: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// One document a target, for programs
    Json,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ReportFormat {
    /// For people
    #[default]
    Text,
    /// One document a target, for programs
    Json,
    /// A line for each target and each finding
    Ndjson,
    /// SARIF 2.1.0, for code hosts and editors: one document
    Sarif,
    /// JUnit's XML, for build servers: one document, a suite for each target and a case for each rule
    Junit,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum FailOn {
    /// Anything
    Info,
    /// What hurts or soon will
    Warn,
    /// What is broken now
    Crit,
}

impl From<FailOn> for Severity {
    fn from(given: FailOn) -> Self {
        match given {
            FailOn::Info => Self::Info,
            FailOn::Warn => Self::Warn,
            FailOn::Crit => Self::Crit,
        }
    }
}

/// How the dashboard looks.
#[derive(Debug, Args)]
#[command(next_help_heading = "Looks")]
pub(super) struct Look {
    /// For which background
    #[arg(long, value_enum)]
    theme: Option<ThemeChoice>,
    /// Whether to use colours; `always` even if NO_COLOR is set
    #[arg(long, value_enum, value_name = "WHEN")]
    color: Option<ColorChoice>,
    /// Draw with ASCII only, as in a locale that is not UTF-8
    #[arg(long)]
    ascii: bool,
    /// Leave the mouse to the terminal, which selects text with it
    #[arg(long)]
    no_mouse: bool,
}

impl Look {
    /// What the config file says, and the command line over it.
    ///
    /// # Errors
    ///
    /// When the file binds keys as they cannot be bound.
    pub(super) fn options(&self, config: &Config, settings: Settings) -> Result<Options, ConfigError> {
        let said = config.options(settings)?;
        Ok(Options {
            theme: self.theme.unwrap_or(said.theme),
            color_asked: self.color,
            ascii: if self.ascii { Some(true) } else { said.ascii },
            mouse: !self.no_mouse && said.mouse,
            ..said
        })
    }
}

/// What is changed about the rules.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub(super) struct RuleArgs {
    /// Switch a rule off
    #[arg(long, value_name = "RULE", value_parser = RuleName, hide_possible_values = true)]
    off: Vec<String>,
    /// Change a limit, as in long-poll.once=100ms, or the worst that a rule says, as in long-poll.severity=info;
    /// `explain RULE` lists its limits
    #[arg(long, value_name = "RULE.LIMIT=VALUE", value_parser = setting)]
    set: Vec<Setting>,
}

/// The name of a rule: what shells complete. Whether there is such a rule is said by whoever looks for it, with the nearest.
#[derive(Debug, Clone, Copy)]
struct RuleName;

impl TypedValueParser for RuleName {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(RULES.iter().map(|rule| PossibleValue::new(rule.id))))
    }
}

#[derive(Debug, Clone)]
struct Setting {
    rule: String,
    name: String,
    value: String,
}

impl RuleArgs {
    /// How targets are judged: by these rules, and without what the config file mutes.
    ///
    /// # Errors
    ///
    /// As [`RuleArgs::settings`].
    pub(super) fn judging(&self, config: &Config) -> Result<Judging, SettingError> {
        Ok(Judging { settings: self.settings(config)?, mutes: config.mutes.clone() })
    }

    /// # Errors
    ///
    /// When a rule or a limit does not exist, or a value cannot be read.
    fn settings(&self, config: &Config) -> Result<Settings, SettingError> {
        let mut settings = config.settings.clone();
        for rule in &self.off {
            settings.switch_off(rule)?;
        }
        for Setting { rule, name, value } in &self.set {
            match (name.as_str(), FailOn::from_str(value, true)) {
                ("severity", Ok(severity)) => settings.set_severity(rule, severity.into())?,
                _ => settings.set_limit(rule, name, value)?,
            }
        }
        Ok(settings)
    }
}

fn setting(given: &str) -> Result<Setting, &'static str> {
    let parts = given.split_once('=').and_then(|(key, value)| Some((key.split_once('.')?, value)));
    let ((rule, name), value) = parts.ok_or("it has the form RULE.LIMIT=VALUE, as in long-poll.once=100ms")?;
    Ok(Setting { rule: rule.trim().into(), name: name.trim().into(), value: value.trim().into() })
}

fn misplaced(given: &str) -> Result<String, String> {
    Err(format!("a fault is named as in --fault {given}"))
}

fn speed(given: &str) -> Result<f64, &'static str> {
    let speed = given.trim_end_matches('x').parse().ok().filter(|speed| (0.1..=1000.0).contains(speed));
    speed.ok_or("a number from 0.1 to 1000")
}

/// How far into a recording; zero is fine.
fn offset(given: &str) -> Result<Duration, &'static str> {
    text::parse_duration(given).ok_or("a number and a unit, as in 500ms, 10s, 2m")
}

fn duration(given: &str) -> Result<Duration, String> {
    match text::parse_duration(given) {
        Some(span) if !span.is_zero() && span <= LONGEST => Ok(span),
        Some(_) => Err("between 1 ms and 24 h".into()),
        None => Err("a number and a unit, as in 500ms, 10s, 2m".into()),
    }
}

const LONGEST: Duration = Duration::from_hours(24);

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_have_units_and_bounds() {
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        for wrong in ["10", "0s", "25h", "-1s", "soon", ""] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn settings_of_rules_are_checked() {
        let given = |args: &[&str]| match Cli::try_parse_from([&["async-inspect", "connect"], args].concat()) {
            Ok(Cli { command: Command::Connect(connect) }) => {
                connect.rules.settings(&Config::default()).map_err(|e| e.to_string())
            }
            other => Err(format!("{other:?}")),
        };
        assert!(given(&["--off", "long-poll", "--set", "blocked-worker.running=1s"]).is_ok());
        assert!(given(&["--set", "long-poll.severity=info"]).is_ok());
        assert!(given(&["--off", "long-pool"]).unwrap_err().contains("long-poll"));
        assert!(given(&["--set", "long-poll.severity=bad"]).is_err());
        assert!(given(&["--set", "long-poll"]).is_err());
    }
}
