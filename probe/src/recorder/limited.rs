//! What became of futures with a limit of time, at the place that gives it: how many came to an end, and how many were
//! given up in the middle of what they did. A place is known from the first that was given up.
use std::{any::type_name, panic::Location};

use super::{
    active,
    site::{SiteInfo, SiteKind},
    thread,
    totals::Total,
    wait::{self, WaitKind},
};

/// A future that was given its time at `made` came to its end, or did not `in_time`; called in the poll that found it so.
#[inline]
pub(crate) fn ended<F>(made: &'static Location<'static>, in_time: bool) {
    let Some(recorder) = active() else { return };
    let info = SiteInfo::of_thing(SiteKind::Timeout, made, type_name::<F>());
    if in_time {
        if let Some(site) = recorder.sites.known(&info) {
            site.add(Total::Finished, 1);
        }
    } else if !waits()
        && let Some(site) = recorder.sites.get(&info)
    {
        site.add(Total::Aborted, 1);
        site.add(Total::Finished, 1);
    }
}

/// Whether the task in poll waits for something that is watched, and not for a moment alone. Who gives that up has lost
/// nothing but the wait, and what comes too late there is told of it.
fn waits() -> bool {
    thread::current_task().is_some_and(|task| {
        let kinds = task.waits().iter().filter_map(|entry| Some(wait::read(entry, task.polls())?.kind));
        kinds.into_iter().any(|kind| kind != WaitKind::Timer as u8)
    })
}
