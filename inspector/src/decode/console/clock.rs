//! The subscriber's wall clock, as stamps. Every time in an update comes from it, and no other clock is asked.
use std::time::Duration;

use console_api::instrument::Update;

use super::DecodeError;
use crate::model::Stamp;

/// What began earlier than that before the first update did so at an unknown time.
const OLDEST: i128 = 10 * 365 * 24 * 3600 * SECOND;
const SECOND: i128 = 1_000_000_000;

/// From timestamps to stamps. Stamp 0 is when the oldest entity of the first update was made.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Nanoseconds since 1970 at stamp 0.
    origin: Option<i128>,
    /// The time of the newest update; it never goes back.
    pub(super) now: Stamp,
}

impl Clock {
    /// Goes on to the time of an update.
    pub(super) fn advance(&mut self, update: &Update) -> Result<(), DecodeError> {
        let now = update.now.as_ref().and_then(nanos).ok_or(DecodeError::Missing { field: "Update.now" })?;
        let origin = *self.origin.get_or_insert_with(|| {
            let tasks = update.task_update.iter().flat_map(|tasks| tasks.stats_update.values());
            let resources = update.resource_update.iter().flat_map(|resources| resources.stats_update.values());
            let made = tasks.map(|stats| &stats.created_at).chain(resources.map(|stats| &stats.created_at));
            let oldest = made.flatten().filter_map(nanos).min().unwrap_or(now);
            oldest.clamp(now.saturating_sub(OLDEST), now)
        });
        self.now = self.now.max(stamp(now, origin));
        Ok(())
    }

    /// Whether an update is older than the newest.
    pub(super) fn has_passed(&self, update: &Update) -> bool {
        let at = update.now.as_ref().and_then(nanos);
        at.zip(self.origin).is_some_and(|(at, origin)| stamp(at, origin) < self.now)
    }

    /// A moment within the time that is known: no earlier than stamp 0, no later than the newest update.
    pub(super) fn stamp(&self, at: Option<&prost_types::Timestamp>) -> Option<Stamp> {
        Some(stamp(at.and_then(nanos)?, self.origin?).min(self.now))
    }
}

fn stamp(at: i128, origin: i128) -> Stamp {
    Stamp(u64::try_from(at.saturating_sub(origin).max(0)).unwrap_or(u64::MAX))
}

/// Nanoseconds since 1970; none where the parts make no time.
fn nanos(at: &prost_types::Timestamp) -> Option<i128> {
    (0..1_000_000_000).contains(&at.nanos).then(|| i128::from(at.seconds) * SECOND + i128::from(at.nanos))
}

/// A duration; none is negative.
pub(super) fn duration(span: Option<&prost_types::Duration>) -> Duration {
    let Some(span) = span else { return Duration::ZERO };
    match (u64::try_from(span.seconds), u32::try_from(span.nanos)) {
        (Ok(seconds), Ok(nanos)) => Duration::new(seconds, nanos.min(999_999_999)),
        _ => Duration::ZERO,
    }
}
