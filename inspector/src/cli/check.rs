//! `async-inspect check`.
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::args::{Check, ReportFormat};
use super::failure::{FOUND, Failure, INTERRUPTED};
use super::observe::{Observation, observe};
use super::{interrupted, print};
use crate::config::Config;
use crate::lints::Severity;
use crate::report::{self, Watched};
use crate::source::{Address, SourceError};

/// Watches all targets at the same time, then prints them in the order they were given.
pub(super) async fn run(args: Check) -> Result<u8, Failure> {
    let judging = args.rules.judging(&Config::load()?)?;
    let interrupt = CancellationToken::new();
    let watches = args.targets.iter().map(|target| observe(target, judging.clone(), args.span, interrupt.cancelled()));
    let mut watches = std::pin::pin!(join_all(watches));
    let seen = tokio::select! {
        seen = &mut watches => seen,
        () = interrupted() => {
            interrupt.cancel();
            watches.await
        }
    };

    let limit: Severity = args.fail_on.into();
    print_all(&args.targets, &seen, limit, args.format, args.verbose)?;
    let found = seen.iter().flatten().any(|observation| observation.report().any_at_least(limit));
    let failures: Vec<Failure> = seen
        .into_iter()
        .filter_map(|observation| observation.map_or_else(|error| Some(error.into()), |seen| seen.end().err()))
        .collect();
    for failure in &failures {
        failure.tell();
    }
    // A target that was not watched to the end may have had anything: that comes before what the others showed.
    Ok(match failures.first() {
        _ if interrupt.is_cancelled() => INTERRUPTED,
        Some(failure) => failure.code(),
        None if found => FOUND,
        None => 0,
    })
}

fn print_all(
    targets: &[Address],
    seen: &[Result<Observation, SourceError>],
    limit: Severity,
    format: ReportFormat,
    verbose: bool,
) -> Result<(), Failure> {
    if matches!(format, ReportFormat::Sarif | ReportFormat::Junit) {
        let watched: Vec<Watched> = targets.iter().zip(seen).map(|(target, seen)| watched(target, seen)).collect();
        let document =
            if format == ReportFormat::Sarif { report::sarif(&watched) } else { report::junit(&watched, limit) };
        return Ok(print(&document)?);
    }
    for (at, observation) in seen.iter().flatten().enumerate() {
        let report = observation.report();
        match format {
            ReportFormat::Json => print(&report.json())?,
            ReportFormat::Ndjson => print(&report.ndjson())?,
            _ if at > 0 => print(&format!("\n{}", report.text(verbose)))?,
            _ => print(&report.text(verbose))?,
        }
    }
    Ok(())
}

/// What became of one target, for a document that tells of all.
fn watched<'a>(target: &Address, seen: &'a Result<Observation, SourceError>) -> Watched<'a> {
    let failure = match seen {
        Ok(observation) => observation.cut_short.as_ref(),
        Err(error) => Some(error),
    };
    Watched {
        address: target.to_string(),
        report: seen.as_ref().ok().map(Observation::report),
        failure: failure.map(ToString::to_string),
    }
}
