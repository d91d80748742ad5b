//! What is new in an update: a row says what an entity is, another how it fares, and either may be of one that is known,
//! or of one that has long ended.
use std::collections::HashMap;

use console_api::{Id, resources, tasks};
use prost_types::Timestamp;

use super::clock::Clock;
use super::fields::FieldNames;
use super::places::Places;
use super::tasks::Seen;
use crate::model::Stamp;

/// A row that says what an entity is.
pub(super) trait Row {
    fn id(&self) -> Option<&Id>;
}

/// A row that says how an entity fares.
pub(super) trait Stats {
    fn created_at(&self) -> Option<&Timestamp>;
    fn dropped_at(&self) -> Option<&Timestamp>;
}

/// Entities of one kind, by the number of their span.
pub(super) trait Entities {
    type Row: Row;
    type Stats: Stats;

    /// So many are known at a time.
    const MOST: usize;

    fn len(&self) -> usize;

    /// Whether what goes by that number is the one that was made then; `None` where nothing goes by it.
    fn is_same(&self, span: u64, created: Option<Stamp>) -> Option<bool>;

    /// What goes by that number has ended.
    fn end(&mut self, span: u64);

    /// When the newest was made.
    fn newest(&mut self) -> &mut Stamp;

    /// How many are not shown.
    fn lost(&mut self) -> &mut u64;

    fn enter(&mut self, span: u64, row: &Self::Row, cx: (&Clock, &FieldNames, &mut Places));
}

/// Enters those that are new. Of `stats`, what is of entities that are not to be known is taken away.
pub(super) fn enter<T: Entities>(
    known: &mut T,
    rows: Vec<T::Row>,
    stats: &mut HashMap<u64, T::Stats>,
    cx: (&Clock, &FieldNames, &mut Places),
    seen: Seen,
) {
    let (clock, names, places) = cx;
    let mut lost = 0_u64;
    for row in rows {
        let Some(span) = row.id().map(|id| id.id).filter(|&span| span != 0) else { continue };
        let created = stats.get(&span).and_then(|stats| clock.stamp(stats.created_at()));
        match known.is_same(span, created) {
            // Said again.
            Some(true) => continue,
            // The span's number went on, and the end of the one before was not told.
            Some(false) => known.end(span),
            None => {}
        }
        let ended = stats.get(&span).and_then(|stats| clock.stamp(stats.dropped_at()));
        if ended.is_some_and(|at| seen.is_old(at)) {
            stats.remove(&span);
            continue;
        }
        if known.len() >= T::MOST {
            lost += 1;
            stats.remove(&span);
            continue;
        }
        *known.newest() = (*known.newest()).max(created.unwrap_or_default());
        known.enter(span, &row, (clock, names, places));
    }
    count_lost(known.lost(), lost, seen);
}

/// So many were told of in an update that there was no room for. A whole state tells of those again that were counted before.
pub(super) fn count_lost(all: &mut u64, lost: u64, seen: Seen) {
    *all = if seen.whole { lost.max(*all) } else { all.saturating_add(lost) };
}

macro_rules! rows {
    ($($row:ty, $stats:ty;)*) => {$(
        impl Row for $row {
            fn id(&self) -> Option<&Id> {
                self.id.as_ref()
            }
        }

        impl Stats for $stats {
            fn created_at(&self) -> Option<&Timestamp> {
                self.created_at.as_ref()
            }

            fn dropped_at(&self) -> Option<&Timestamp> {
                self.dropped_at.as_ref()
            }
        }
    )*};
}

rows! {
    tasks::Task, tasks::Stats;
    resources::Resource, resources::Stats;
}
