//! Counts of durations by powers of two, as the probe keeps them.
use std::time::Duration;

use async_inspect_proto::{HISTOGRAM_BUCKETS, HISTOGRAM_FIRST_NS};

/// Counts of durations: bucket `i` has those below `64 us << i`, the last one everything longer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Histogram(pub [u32; HISTOGRAM_BUCKETS]);

impl Histogram {
    /// All counts together.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|&n| u64::from(n)).sum()
    }

    /// Counts one more duration.
    pub fn record(&mut self, span: Duration) {
        self.record_times(span, 1);
    }

    /// Counts as many more of the same duration.
    pub fn record_times(&mut self, span: Duration, times: u64) {
        let steps = span.as_nanos() / u128::from(HISTOGRAM_FIRST_NS);
        let bucket = (u128::BITS - steps.leading_zeros()) as usize;
        let count = &mut self.0[bucket.min(HISTOGRAM_BUCKETS - 1)];
        *count = count.wrapping_add(times as u32);
    }

    /// Upper bound of the bucket in which the `q`-quantile falls (`q` from 0 to 1); `None` when empty. Off by a factor
    /// of two at most, and never too low.
    pub fn quantile(&self, q: f64) -> Option<Duration> {
        let total = self.count();
        let rank = ((total as f64 * q).ceil() as u64).clamp(1, total.max(1));
        let mut seen = 0;
        let bucket = self.0.iter().position(|&n| {
            seen += u64::from(n);
            seen >= rank
        })?;
        Some(Self::bound(bucket))
    }

    /// What the durations in a bucket are below; of the last one, in which they have no bound, that of the one before,
    /// doubled.
    pub fn bound(bucket: usize) -> Duration {
        Duration::from_nanos(HISTOGRAM_FIRST_NS << bucket.min(HISTOGRAM_BUCKETS - 1))
    }

    /// These and `others` together.
    #[must_use]
    pub fn with(&self, others: &Histogram) -> Histogram {
        let mut out = *self;
        for (count, more) in out.0.iter_mut().zip(others.0) {
            *count = count.saturating_add(more);
        }
        out
    }

    /// The counts that came after `earlier`; the probe's counters wrap, so does the difference.
    #[must_use]
    pub fn since(&self, earlier: &Histogram) -> Histogram {
        let mut out = *self;
        for (count, before) in out.0.iter_mut().zip(earlier.0) {
            *count = count.wrapping_sub(before);
        }
        out
    }
}
