//! Counts of durations by powers of two.
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use async_inspect_proto::{HISTOGRAM_BUCKETS, HISTOGRAM_FIRST_NS};

use super::clock;

/// Bucket `i` counts durations below `HISTOGRAM_FIRST_NS << i`, the last one everything longer. Counts wrap.
#[repr(transparent)]
pub(crate) struct Histogram([AtomicU32; HISTOGRAM_BUCKETS]);

/// `HISTOGRAM_FIRST_NS` in ticks; the same for all histograms. Zero until the clock started.
static FIRST_TICKS: AtomicU64 = AtomicU64::new(0);

impl Histogram {
    /// Counts a duration. Only one thread at a time may call this on one histogram; a second one loses counts, no more.
    #[inline]
    pub(crate) fn record(&self, ticks: u64) {
        let bucket = &self.0[bucket(ticks, first_ticks())];
        bucket.store(bucket.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Counts a duration, from any thread.
    pub(crate) fn record_shared(&self, ticks: u64) {
        self.0[bucket(ticks, first_ticks())].fetch_add(1, Relaxed);
    }

    /// All counts.
    pub(crate) fn counts(&self) -> [u32; HISTOGRAM_BUCKETS] {
        std::array::from_fn(|i| self.0[i].load(Relaxed))
    }

    /// Forgets everything.
    pub(crate) fn reset(&self) {
        self.0.iter().for_each(|count| count.store(0, Relaxed));
    }
}

#[inline]
fn first_ticks() -> u64 {
    let first = FIRST_TICKS.load(Relaxed);
    if first == 0 { first_ticks_cold() } else { first }
}

#[cold]
fn first_ticks_cold() -> u64 {
    let first = clock::ticks_in_ns(HISTOGRAM_FIRST_NS).max(1);
    FIRST_TICKS.store(first, Relaxed);
    first
}

#[inline]
fn bucket(ticks: u64, first: u64) -> usize {
    // Nearly all durations are below the first bound; the division is for the others.
    if ticks < first {
        return 0;
    }
    let times = ticks / first;
    ((64 - times.leading_zeros()) as usize).min(HISTOGRAM_BUCKETS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bucket_ends_where_its_bound_says() {
        for i in 0..HISTOGRAM_BUCKETS - 1 {
            let bound = 1000_u64 << i;
            assert_eq!(bucket(bound - 1, 1000), i, "just below bound {i}");
            assert_eq!(bucket(bound, 1000), i + 1, "at bound {i}");
        }
        assert_eq!(bucket(u64::MAX, 1000), HISTOGRAM_BUCKETS - 1);
        assert_eq!(bucket(0, 1000), 0);
    }
}
