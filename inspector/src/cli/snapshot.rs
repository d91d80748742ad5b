//! `async-inspect snapshot`, and what the dashboard's commands print where there is no terminal for it.
use std::time::Duration;

use super::args::{Format, Snapshot};
use super::failure::{Failure, INTERRUPTED};
use super::observe::{Judging, Observation, observe};
use super::{interrupted, print, stdout};
use crate::config::Config;
use crate::report;
use crate::source::Address;

pub(super) async fn run(args: Snapshot) -> Result<u8, Failure> {
    show(&args.target, args.rules.judging(&Config::load()?)?, args.span, args.format).await
}

/// Several, one after the other.
pub(super) async fn show_all(targets: &[Address], judging: &Judging, span: Duration) -> Result<u8, Failure> {
    let mut first = 0;
    for (n, target) in targets.iter().enumerate() {
        if n > 0 {
            print("\n")?;
        }
        let code = match show(target, judging.clone(), span, Format::Text).await {
            Ok(INTERRUPTED) => return Ok(INTERRUPTED),
            Ok(code) => code,
            // The others are shown all the same.
            Err(failure) => {
                failure.tell();
                failure.code()
            }
        };
        first = if first == 0 { code } else { first };
    }
    Ok(first)
}

pub(super) async fn show(target: &Address, judging: Judging, span: Duration, format: Format) -> Result<u8, Failure> {
    let mut stopped = false;
    let interrupt = async {
        interrupted().await;
        stopped = true;
    };
    let observation = observe(target, judging, span, interrupt).await?;
    let Observation { model, findings, silenced, .. } = &observation;
    match format {
        Format::Text => print(&report::snapshot_text(model, findings, silenced))?,
        Format::Json => stdout(|out| report::snapshot_json(model, findings, silenced, out))?,
    }
    observation.end()?;
    Ok(if stopped { INTERRUPTED } else { 0 })
}
