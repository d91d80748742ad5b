//! Watching a target for a while without a dashboard.
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::failure::Failure;
use crate::app::Mute;
use crate::lints::{Finding, Settings};
use crate::model::Model;
use crate::report::{Observed, Report, Silenced};
use crate::source::{self, Address, SourceError};
use crate::watch::Watch;

/// How long a target may take to send its whole state once.
const SNAPSHOT_PATIENCE: Duration = Duration::from_secs(20);
/// A target that was silent for so long at the end of a watch was not watched.
const SILENCE: Duration = Duration::from_secs(3);
/// Longer than any recording takes to read.
const WHOLE: Duration = Duration::from_hours(24);

/// How a target is judged.
#[derive(Debug, Clone, Default)]
pub(super) struct Judging {
    pub(super) settings: Settings,
    /// Findings that are not spoken of.
    pub(super) mutes: Vec<Mute>,
}

/// What was seen of a target.
pub(super) struct Observation {
    pub(super) model: Model,
    pub(super) findings: Vec<Finding>,
    pub(super) silenced: Silenced,
    span: Duration,
    /// How it ended before its time.
    pub(super) cut_short: Option<SourceError>,
}

impl Observation {
    pub(super) fn report(&self) -> Report<'_> {
        Report { model: &self.model, observed: self.span, findings: self.findings.clone(), silenced: &self.silenced }
    }

    /// The exit code, when nothing else counts: 0, or why it was cut short, which is said.
    pub(super) fn end(self) -> Result<(), Failure> {
        self.cut_short.map_or(Ok(()), |error| Err(error.into()))
    }
}

/// Watches `address` for `span`, or until the connection is lost or `interrupt` ends; then what was seen until then is
/// returned all the same.
///
/// # Errors
///
/// When the target cannot be attached to, or is lost or interrupted before its first snapshot is whole.
pub(super) async fn observe(
    address: &Address,
    judging: Judging,
    span: Duration,
    interrupt: impl Future<Output = ()>,
) -> Result<Observation, SourceError> {
    observe_each(address, judging, span, interrupt, |_| ()).await
}

/// The same; `each` sees the state after every update, from the first whole one on.
///
/// # Errors
///
/// As [`observe`].
pub(super) async fn observe_each(
    address: &Address,
    judging: Judging,
    span: Duration,
    interrupt: impl Future<Output = ()>,
    mut each: impl FnMut(&Model),
) -> Result<Observation, SourceError> {
    let mut watched = Watched::open(address, judging).await?;
    tokio::pin!(interrupt);
    let patience = Instant::now() + SNAPSHOT_PATIENCE;
    while !watched.watch.judged.model.complete {
        let step = tokio::select! {
            step = timeout_at(patience, watched.step()) => step,
            () = &mut interrupt => return Ok(watched.seen(Duration::ZERO, None)),
        };
        step.map_err(|_| SourceError::Timeout { target: address.to_string(), seconds: SNAPSHOT_PATIENCE.as_secs() })??;
    }

    each(&watched.watch.judged.model);
    let first = watched.watch.judged.model.now;
    let began = Instant::now();
    // A recording is looked at whole, however long that takes.
    let deadline = began + if address.is_recording() { WHOLE } else { span };
    let mut heard = began;
    let cut_short = loop {
        let step = tokio::select! {
            step = timeout_at(deadline, watched.step()) => step,
            () = &mut interrupt => break None,
        };
        match step {
            Ok(Ok(())) => {
                heard = Instant::now();
                each(&watched.watch.judged.model);
                // What is read from a file never waits: others get their turn, and Ctrl-c is heard.
                if address.is_recording() {
                    tokio::task::yield_now().await;
                }
            }
            // All that there is was seen.
            Ok(Err(SourceError::Ended { cut_short: false, .. })) => break None,
            Ok(Err(error)) => break Some(error),
            Err(_) if heard.elapsed() > SILENCE => {
                let why = format!("it has sent nothing for the last {} s", heard.elapsed().as_secs());
                break Some(SourceError::Lost { target: address.to_string(), why });
            }
            Err(_) => break None,
        }
    };
    // A night is read in a second.
    let span = if address.is_recording() { watched.watch.judged.model.now.since(first) } else { began.elapsed() };
    Ok(watched.seen(span, cut_short))
}

/// A target with what is reported of it.
struct Watched {
    watch: Watch,
    observed: Observed,
    mutes: Vec<Mute>,
    off: Vec<&'static str>,
}

impl Watched {
    async fn open(address: &Address, judging: Judging) -> Result<Self, SourceError> {
        let connection = source::open(address).await?;
        let Judging { settings, mutes } = judging;
        let off = settings.off();
        Ok(Self { watch: Watch::new(connection, settings), observed: Observed::new(), mutes, off })
    }

    async fn step(&mut self) -> Result<(), SourceError> {
        self.watch.step().await?;
        self.observed.note(&self.watch.judged.engine);
        Ok(())
    }

    fn seen(self, span: Duration, cut_short: Option<SourceError>) -> Observation {
        let mut findings = self.observed.findings();
        let all = findings.len();
        findings.retain(|finding| !self.mutes.iter().any(|mute| mute.matches(finding)));
        let silenced = Silenced { off: self.off, muted: all - findings.len() };
        Observation { findings, silenced, model: self.watch.judged.model, span, cut_short }
    }
}
