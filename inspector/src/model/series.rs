//! The last minute of a figure, one point a second.
use std::collections::VecDeque;

/// Points of the last minute, oldest first; no more than [`Series::POINTS`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series(VecDeque<f64>);

impl Series {
    /// One a second, for a minute.
    pub const POINTS: usize = 60;

    /// Adds the newest point.
    pub fn push(&mut self, value: f64) {
        if self.0.len() == Self::POINTS {
            self.0.pop_front();
        }
        self.0.push_back(value);
    }

    /// Adds the points of another to these, the newest to the newest.
    pub(crate) fn add(&mut self, other: &Series) {
        for _ in self.0.len()..other.0.len() {
            self.0.push_front(0.0);
        }
        for (sum, point) in self.0.iter_mut().rev().zip(other.0.iter().rev()) {
            *sum += point;
        }
    }

    /// Forgets all points.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Forgets all points but this one.
    pub(super) fn begin(&mut self, value: f64) {
        self.clear();
        self.push(value);
    }

    /// Points, oldest first.
    pub fn points(&self) -> impl ExactSizeIterator<Item = f64> + DoubleEndedIterator + '_ {
        self.0.iter().copied()
    }

    /// The newest point.
    pub fn last(&self) -> Option<f64> {
        self.0.back().copied()
    }

    /// Sum of the newest `n` points.
    pub fn recent_sum(&self, n: usize) -> f64 {
        self.0.iter().rev().take(n).sum()
    }

    /// Mean of the newest `n` points, or of those that there are.
    pub fn recent_mean(&self, n: usize) -> f64 {
        self.recent_sum(n) / self.0.len().clamp(1, n.max(1)) as f64
    }
}

/// The last minute of the target as a whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Live tasks.
    pub tasks: Series,
    /// Polls per second.
    pub polls: Series,
    /// Wakes per second.
    pub wakes: Series,
    /// Lock acquisitions that had to wait, per second.
    pub lock_waits: Series,
    /// Messages in all channels.
    pub channel_depth: Series,
}
