//! `async-inspect check`.
use futures_util::future::join_all;
use tokio_util::sync::CancellationToken;

use super::args::{Check, Format};
use super::failure::{FOUND, Failure, INTERRUPTED};
use super::observe::observe;
use super::{interrupted, print};
use crate::config::Config;

/// Watches all targets at the same time, then prints them in the order they were given.
pub(super) async fn run(args: Check) -> Result<u8, Failure> {
    let settings = args.rules.settings(&Config::load()?)?;
    let interrupt = CancellationToken::new();
    let watches = args.targets.iter().map(|target| observe(target, settings.clone(), args.span, interrupt.cancelled()));
    let mut watches = std::pin::pin!(join_all(watches));
    let seen = tokio::select! {
        seen = &mut watches => seen,
        () = interrupted() => {
            interrupt.cancel();
            watches.await
        }
    };

    let mut found = false;
    let mut failures = Vec::new();
    for (at, observation) in seen.into_iter().enumerate() {
        let observation = match observation {
            Ok(observation) => observation,
            Err(error) => {
                failures.push(Failure::from(error));
                continue;
            }
        };
        let report = observation.report();
        found |= report.any_at_least(args.fail_on.into());
        match args.format {
            Format::Text if at > 0 => print(&format!("\n{}", report.text()))?,
            Format::Text => print(&report.text())?,
            Format::Json => print(&report.json())?,
        }
        failures.extend(observation.end().err());
    }
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
