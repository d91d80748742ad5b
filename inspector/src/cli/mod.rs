//! The command line: what it says, what it prints, and how it ends.

mod args;
mod check;
mod config;
mod explain;
mod export;
mod failure;
mod observe;
mod record;
mod snapshot;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use clap_mangen::roff::{self, Roff};

use args::{Cli, Command, Connect, Demo, Format, Replay};
use clap_complete::Shell;
use failure::{Failure, INTERRUPTED};

use crate::app;
use crate::config::Config;
use crate::dashboard::{self, Exit};
use crate::demo;
use crate::source::{self, Address, Pace};

/// How long the text that stands in for a dashboard watches first.
const GLANCE: Duration = Duration::from_secs(5);

/// The whole program: reads the arguments, does what they say, and returns the exit code.
pub fn main() -> ExitCode {
    let command = Cli::parse().command;
    // A program of the zoo builds its own runtime, as any service does.
    if let Command::ZooProgram { name, healthy } = command {
        let ran = async_inspect_zoo::run(&name, healthy);
        return failure::exit(
            ran.map(|()| 1).map_err(|error| Failure::usage(error, "async-inspect demo --list-faults")),
        );
    }
    let runtime = match command {
        // Ten times a second, threads that wake each other take more than what they are woken for. Whatever comes over the
        // network, the dashboard has its turn after a few messages at the latest.
        Command::Connect(_) | Command::Demo(_) | Command::Replay(_) => {
            tokio::runtime::Builder::new_current_thread().event_interval(4).enable_all().build()
        }
        _ => tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build(),
    };
    failure::exit(match runtime {
        Ok(runtime) => runtime.block_on(run(command)),
        Err(error) => Err(error.into()),
    })
}

async fn run(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Demo(args) => demo(args).await,
        Command::Connect(args) => connect(args).await,
        Command::Check(args) => check::run(args).await,
        Command::Snapshot(args) => snapshot::run(args).await,
        Command::Record(args) => record::run(args).await,
        Command::Replay(args) => replay(args).await,
        Command::Export(args) => export::run(args).await,
        Command::Explain(args) => explain::run(&args),
        Command::Config { what } => config::run(what),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "async-inspect", &mut script);
            if shell == Shell::Bash {
                // clap_complete names what it looks up and what it finds in two ways, where a program's name has a hyphen.
                let text = String::from_utf8_lossy(&script).replace("async__subcmd__inspect", "async__inspect");
                script = text.into_bytes();
            }
            stdout(|out| out.write_all(&script))?;
            Ok(0)
        }
        Command::Man => {
            stdout(man)?;
            Ok(0)
        }
        Command::ZooProgram { .. } => unreachable!("has a runtime of its own"),
    }
}

async fn demo(args: Demo) -> Result<u8, Failure> {
    if args.list_faults {
        print(&demo::list_faults())?;
        return Ok(0);
    }
    let config = Config::load()?;
    let judging = args.rules.judging(&config)?;
    if !has_terminal() {
        let demo = demo::Demo::start(&args.fault).await?;
        let code = snapshot::show(demo.address(), judging, GLANCE, Format::Text).await?;
        demo.end().await?;
        return Ok(code);
    }
    Ok(exit_code(demo::run(&args.fault, args.look.options(&config, judging.settings)?).await?))
}

async fn connect(args: Connect) -> Result<u8, Failure> {
    let config = Config::load()?;
    let judging = args.rules.judging(&config)?;
    if !has_terminal() {
        return snapshot::show_all(&args.targets, &judging, GLANCE).await;
    }
    Ok(exit_code(dashboard::run(args.targets, Pace::default(), args.look.options(&config, judging.settings)?).await?))
}

async fn replay(args: Replay) -> Result<u8, Failure> {
    let config = Config::load()?;
    let judging = args.rules.judging(&config)?;
    let target = Address::recording(&args.file);
    if !has_terminal() {
        return snapshot::show(&target, judging, GLANCE, Format::Text).await;
    }
    let pace = Pace { speed: args.speed, from: args.from };
    // What cannot be replayed at all needs no dashboard to say so.
    source::open(&target).await?;
    Ok(exit_code(dashboard::run(vec![target], pace, args.look.options(&config, judging.settings)?).await?))
}

fn exit_code(exit: Exit) -> u8 {
    match exit {
        Exit::Quit => 0,
        Exit::Interrupted => INTERRUPTED,
    }
}

/// Whether there is a terminal to draw on and to read keys from.
fn has_terminal() -> bool {
    io::stdout().is_terminal()
        && io::stdin().is_terminal()
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

fn man(out: &mut dyn Write) -> io::Result<()> {
    let command = Cli::command();
    clap_mangen::Man::new(command.clone()).render(out)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let name = format!("async-inspect {}", sub.get_name());
        // Sections of one page: each command with its own synopsis and options.
        let man = clap_mangen::Man::new(sub.clone().display_name(name.clone()).bin_name(name));
        man.render_synopsis_section(out)?;
        man.render_description_section(out)?;
        man.render_options_section(out)?;
    }
    keys_section(out)
}

/// The keys of the dashboard, from the table that it heeds itself.
fn keys_section(out: &mut dyn Write) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", ["KEYS OF THE DASHBOARD"]);
    for (keys, what, place) in app::keys() {
        let place = place.map_or_else(String::new, |place| format!(" ({place})"));
        roff.control("TP", []);
        roff.text([roff::bold(keys)]);
        roff.text([roff::roman(format!("{what}{place}"))]);
    }
    roff.to_writer(out)
}

fn print(text: &str) -> io::Result<()> {
    stdout(|out| out.write_all(text.as_bytes()))
}

/// Writes to standard output. A reader that has seen enough, as `head` has, is no error.
fn stdout(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // What is left in the buffer has nowhere to go.
            drop(out.into_parts());
            Ok(())
        }
        done => done,
    }
}

/// Ctrl-c, or SIGTERM.
async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
