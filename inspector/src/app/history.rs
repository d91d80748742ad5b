//! What was wrong in the last minutes, second by second: what the timeline shows.
use std::collections::{HashSet, VecDeque};
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
    /// Since the first: by the target's clock, and by the dashboard's own from one process of it to the next.
    pub(crate) at: Duration,
    /// On the target's.
    pub(crate) now: Stamp,
    pub(crate) instance: u64,
    pub(crate) pid: u32,
    /// The worst of those that lasted then, [`FINDINGS`] at most. Shared between the seconds in which nothing changed.
    pub(crate) findings: Arc<Vec<Finding>>,
    /// How many there were.
    pub(crate) found: usize,
    /// The rules had judged for long enough to have said what they can.
    pub(crate) judged: bool,
    /// Tasks, polls/s, waits for locks/s, messages in channels.
    pub(crate) figures: [f64; 4],
}

impl Moment {
    /// The worst of that second.
    pub(crate) fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|f| f.severity).max()
    }
}

/// Findings that are kept of one second, a screen full: of each second for a quarter of an hour, all would be too many.
const FINDINGS: usize = 32;

/// The last minutes, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    moments: VecDeque<Moment>,
    /// When the newest was taken in, on the dashboard's own clock.
    taken: Duration,
}

impl History {
    /// What the figures of a moment are called.
    pub(crate) const FIGURES: [&'static str; 4] = ["tasks", "polls/s", "lock waits/s", "in channels"];

    /// Takes the newest state in, once a second of the target's: a recording that is replayed ten times as fast has as
    /// many moments as the night that it is of. `findings` are those that last and are not muted, `judged` whether they can
    /// be all.
    pub(crate) fn record<'a>(
        &mut self,
        clock: Duration,
        model: &Model,
        judged: bool,
        findings: impl Iterator<Item = &'a Finding>,
    ) {
        let instance = model.target.instance;
        let at = match self.moments.back() {
            None => Duration::ZERO,
            Some(last) => {
                let same = last.instance == instance && last.now <= model.now;
                let passed = if same { model.now.since(last.now) } else { clock.saturating_sub(self.taken) };
                if passed < STEP {
                    return;
                }
                last.at + passed
            }
        };
        self.taken = clock;
        let mut findings = findings.peekable();
        let kept: Vec<Finding> = findings.by_ref().take(FINDINGS).cloned().collect();
        let found = kept.len() + findings.count();
        let findings = match self.moments.back() {
            Some(last) if *last.findings == kept => Arc::clone(&last.findings),
            _ => Arc::new(kept),
        };
        let last = |series: &crate::model::Series| series.last().unwrap_or(0.0);
        let totals = &model.totals;
        self.moments.push_back(Moment {
            at,
            now: model.now,
            instance,
            pid: model.target.pid,
            findings,
            found,
            judged,
            figures: [
                model.live_tasks() as f64,
                last(&totals.polls),
                last(&totals.lock_waits),
                last(&totals.channel_depth),
            ],
        });
        if self.moments.len() > KEPT {
            self.moments.pop_front();
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.moments.len()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Moment> {
        self.moments.get(index)
    }

    /// The moment that was at that time, or the first after it.
    pub(crate) fn at(&self, at: Duration) -> Option<usize> {
        let index = self.moments.partition_point(|m| m.at < at);
        (index < self.moments.len()).then_some(index)
    }

    /// The moment that was at that very time, if it is still kept.
    pub(crate) fn exactly(&self, at: Duration) -> Option<&Moment> {
        self.at(at).and_then(|index| self.get(index)).filter(|moment| moment.at == at)
    }

    /// Whether other findings lasted at that moment than at the one before it, or another process ran.
    pub(crate) fn changed(&self, index: usize) -> bool {
        let (Some(before), Some(now)) = (index.checked_sub(1).and_then(|n| self.get(n)), self.get(index)) else {
            return false;
        };
        let keys = |moment: &Moment| moment.findings.iter().map(Finding::key).collect::<HashSet<_>>();
        before.instance != now.instance || !Arc::ptr_eq(&before.findings, &now.findings) && keys(before) != keys(now)
    }

    /// How long ago a moment was, at `clock` of the dashboard's.
    pub(crate) fn ago(&self, moment: &Moment, clock: Duration) -> Duration {
        let newest = self.moments.back().map_or(moment.at, |last| last.at);
        newest.saturating_sub(moment.at) + clock.saturating_sub(self.taken)
    }
}
