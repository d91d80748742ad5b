//! `async-inspect export`.
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};

use super::args::{Export, ExportFormat};
use super::failure::{Failure, INTERRUPTED};
use super::interrupted;
use super::observe::{Judging, Observation, observe_each};
use crate::config::Config;
use crate::report::Trace;

pub(super) async fn run(args: Export) -> Result<u8, Failure> {
    let judging = args.rules.judging(&Config::load()?)?;
    let out: Box<dyn Write> = match &args.output {
        Some(path) => Box::new(File::create_new(path).map_err(|error| match (path.display(), error) {
            (path, error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Failure::usage(format!("{path}: there is such a file already"), "name a new one, or remove it")
            }
            (path, error) => Failure::usage(format!("{path}: {error}"), "name a new file in a folder of yours"),
        })?),
        None => Box::new(io::stdout()),
    };
    let exported = export(&args, judging, out).await;
    if let (Err(_), Some(path)) = (&exported, &args.output) {
        // What is in it is no whole trace, and would be in the way of the next attempt.
        let _ = fs::remove_file(path);
    }
    let (observation, stopped) = exported?;
    observation.end()?;
    Ok(if stopped { INTERRUPTED } else { 0 })
}

/// Writes a whole trace; says whether the operator stopped it.
async fn export(args: &Export, judging: Judging, out: Box<dyn Write>) -> Result<(Observation, bool), Failure> {
    let ExportFormat::Perfetto = args.format;
    let mut trace = Trace::new(BufWriter::new(out))?;
    let mut written = Ok(());
    let mut stopped = false;
    let interrupt = async {
        interrupted().await;
        stopped = true;
    };
    let observation = observe_each(&args.target, judging, args.span, interrupt, |model| {
        if written.is_ok() {
            written = trace.note(model);
        }
    })
    .await?;
    written.and_then(|()| trace.finish(&observation.model, &observation.findings)).or_else(reader_is_gone)?;
    Ok((observation, stopped))
}

/// A reader that has seen enough, as `head` has, is no error.
fn reader_is_gone(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}
