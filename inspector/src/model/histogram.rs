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

    /// What the `q`-quantile (`q` from 0 to 1) is no longer than, where none was longer than `longest`: the upper bound of its
    /// bucket, or `longest`, unless that is 0 for want of one; `None` when empty. Off by a factor of two at most, but in the
    /// last bucket, and never too low there where the longest is known.
    pub fn quantile(&self, q: f64, longest: Duration) -> Option<Duration> {
        let total = self.count();
        let rank = ((total as f64 * q).ceil() as u64).clamp(1, total.max(1));
        let mut seen = 0;
        let bucket = self.0.iter().position(|&n| {
            seen += u64::from(n);
            seen >= rank
        })?;
        let (at_least, bound) = (bucket.checked_sub(1).map_or(Duration::ZERO, Self::bound), Self::bound(bucket));
        Some(match longest {
            // Not known, or read before the last that was counted.
            longest if longest.is_zero() || longest < at_least => bound,
            longest if bucket + 1 == HISTOGRAM_BUCKETS => longest,
            longest => longest.min(bound),
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_no_longer_than_the_longest_and_of_what_has_no_bound_the_longest_itself() {
        let mut waits = Histogram::default();
        waits.record_times(Duration::from_secs(10), 100);
        assert_eq!(waits.quantile(0.99, Duration::from_secs(31)), Some(Duration::from_secs(31)));
        let mut holds = Histogram::default();
        holds.record(Duration::from_millis(402));
        assert_eq!(holds.quantile(0.99, Duration::from_millis(402)), Some(Duration::from_millis(402)));
        assert_eq!(holds.quantile(0.99, Duration::from_secs(9)), Some(Duration::from_nanos(HISTOGRAM_FIRST_NS << 13)));
        for unknown in [Duration::ZERO, Duration::from_millis(1)] {
            assert_eq!(holds.quantile(0.99, unknown), Some(Duration::from_nanos(HISTOGRAM_FIRST_NS << 13)));
        }
        assert_eq!(Histogram::default().quantile(0.5, Duration::MAX), None);
    }
}
