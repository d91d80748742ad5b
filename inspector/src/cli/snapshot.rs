//! `async-inspect snapshot`, and what the dashboard's commands print where there is no terminal for it.
use std::time::Duration;

use super::args::{Format, Snapshot};
use super::failure::{Failure, INTERRUPTED};
use super::observe::observe;
use super::{interrupted, print, stdout};
use crate::config::Config;
use crate::lints::Settings;
use crate::report;
use crate::source::Address;

pub(super) async fn run(args: Snapshot) -> Result<u8, Failure> {
    show(&args.target, args.rules.settings(&Config::load()?)?, args.span, args.format).await
}

pub(super) async fn show(target: &Address, settings: Settings, span: Duration, format: Format) -> Result<u8, Failure> {
    let mut stopped = false;
    let interrupt = async {
        interrupted().await;
        stopped = true;
    };
    let observation = observe(target, settings, span, interrupt).await?;
    let (model, findings) = (&observation.model, &observation.findings);
    match format {
        Format::Text => print(&report::snapshot_text(model, findings))?,
        Format::Json => stdout(|out| report::snapshot_json(model, findings, out))?,
    }
    observation.end()?;
    Ok(if stopped { INTERRUPTED } else { 0 })
}
