//! What was wrong in the last minutes, second by second: what the timeline shows.
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::lints::{Finding, Severity};
use crate::model::{Model, Stamp};

/// Seconds that are kept.
const KEPT: usize = 15 * 60;
/// Time between two moments.
const STEP: Duration = Duration::from_millis(950);

/// One second of the target.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// On the dashboard's own clock, which goes on when the target is restarted.
    pub(crate) clock: Duration,
    /// On the target's.
    pub(crate) now: Stamp,
    pub(crate) pid: u32,
    /// Those that lasted then, the worst first. Shared between the seconds in which nothing changed.
    pub(crate) findings: Arc<Vec<Finding>>,
    /// Tasks, polls/s, waits for locks/s, messages in channels.
    pub(crate) figures: [f64; 4],
}

impl Moment {
    /// The worst of that second.
    pub(crate) fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|f| f.severity).max()
    }
}

/// The last minutes, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct History(VecDeque<Moment>);

impl History {
    /// What the figures of a moment are called.
    pub(crate) const FIGURES: [&'static str; 4] = ["tasks", "polls/s", "lock waits/s", "in channels"];

    /// Takes the newest state in, once a second. `findings` are those that last and are not muted.
    pub(crate) fn record<'a>(&mut self, clock: Duration, model: &Model, findings: impl Iterator<Item = &'a Finding>) {
        if self.0.back().is_some_and(|last| clock.saturating_sub(last.clock) < STEP) {
            return;
        }
        let findings: Vec<Finding> = findings.cloned().collect();
        let findings = match self.0.back() {
            Some(last) if *last.findings == findings => Arc::clone(&last.findings),
            _ => Arc::new(findings),
        };
        let last = |series: &crate::model::Series| series.last().unwrap_or(0.0);
        let totals = &model.totals;
        self.0.push_back(Moment {
            clock,
            now: model.now,
            pid: model.target.pid,
            findings,
            figures: [
                model.tasks.len() as f64,
                last(&totals.polls),
                last(&totals.lock_waits),
                last(&totals.channel_depth),
            ],
        });
        if self.0.len() > KEPT {
            self.0.pop_front();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Moment> {
        self.0.get(index)
    }

    /// The moment at that time of the dashboard's clock, or the first after it.
    pub(crate) fn at(&self, clock: Duration) -> Option<usize> {
        let at = self.0.partition_point(|m| m.clock < clock);
        (at < self.0.len()).then_some(at)
    }
}
