//! Counts of durations by powers of two.
//!
//! Nearly all polls, holds and waits are shorter than the first bound. Those are a plain count at whoever owns the
//! histogram; the counts of longer ones are made with the first of them.
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use async_inspect_proto::{HISTOGRAM_BUCKETS, HISTOGRAM_FIRST_NS};

use super::clock;

/// All counts: bucket `i` has durations below `HISTOGRAM_FIRST_NS << i`, the last one everything longer. Counts wrap.
pub(crate) type Counts = [u32; HISTOGRAM_BUCKETS];

/// Counts of durations that are [long](is_long), from the second bucket on.
#[repr(transparent)]
pub(crate) struct LongCounts([AtomicU32; HISTOGRAM_BUCKETS - 1]);

/// `HISTOGRAM_FIRST_NS` in ticks. Zero until the clock started.
static FIRST_TICKS: AtomicU64 = AtomicU64::new(0);

/// Finds out how many ticks the first bound is.
pub(super) fn start() {
    FIRST_TICKS.store(clock::ticks_in_ns(HISTOGRAM_FIRST_NS).max(1), Relaxed);
}

/// Whether a duration is beyond the first bucket.
#[inline]
pub(crate) fn is_long(ticks: u64) -> bool {
    ticks >= FIRST_TICKS.load(Relaxed)
}

impl LongCounts {
    /// Counts a duration that is long. Only one thread at a time may call this on one histogram; a second one loses
    /// counts, no more.
    pub(crate) fn record(&self, ticks: u64) {
        let bucket = self.bucket(ticks);
        bucket.store(bucket.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// Takes back what [`LongCounts::record`] counted.
    #[cfg(feature = "layer")]
    pub(crate) fn forget(&self, ticks: u64) {
        let bucket = self.bucket(ticks);
        bucket.store(bucket.load(Relaxed).wrapping_sub(1), Relaxed);
    }

    /// Counts a duration that is long, from any thread.
    pub(crate) fn record_shared(&self, ticks: u64) {
        self.bucket(ticks).fetch_add(1, Relaxed);
    }

    fn bucket(&self, ticks: u64) -> &AtomicU32 {
        &self.0[bucket(ticks, FIRST_TICKS.load(Relaxed)).max(1) - 1]
    }

    /// All counts, with that many short ones.
    pub(crate) fn counts(&self, short: u32) -> Counts {
        std::array::from_fn(|i| i.checked_sub(1).map_or(short, |i| self.0[i].load(Relaxed)))
    }

    /// How many long ones there are.
    pub(crate) fn sum(&self) -> u32 {
        self.0.iter().fold(0, |sum, count| sum.wrapping_add(count.load(Relaxed)))
    }

    /// Forgets everything.
    pub(crate) fn reset(&self) {
        self.0.iter().for_each(|count| count.store(0, Relaxed));
    }
}

/// All counts of a histogram that has no long durations.
pub(crate) fn only_short(short: u32) -> Counts {
    let mut counts = Counts::default();
    counts[0] = short;
    counts
}

#[inline]
fn bucket(ticks: u64, first: u64) -> usize {
    let times = ticks / first.max(1);
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

    #[test]
    fn long_durations_are_counted_beside_the_short_ones() {
        crate::recorder::start(crate::recorder::DEFAULT_LIMIT_BYTES);
        let counts = LongCounts(std::array::from_fn(|_| AtomicU32::new(0)));
        let first = clock::ticks_in_ns(HISTOGRAM_FIRST_NS);
        assert!(!is_long(first - 1) && is_long(first));
        counts.record(first);
        counts.record_shared(first * 3);
        counts.record_shared(u64::MAX);
        let all = counts.counts(7);
        assert_eq!((all[0], all[1], all[2], all[15]), (7, 1, 1, 1));
        assert_eq!(counts.sum(), 3);
        assert_eq!(only_short(7)[0], 7);
    }
}
