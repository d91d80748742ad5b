//! Counts of durations by powers of two.
//!
//! Nearly all polls, holds and waits are shorter than the first bound. Those are a plain count at whoever owns the
//! histogram; the counts of longer ones are made with the first of them. A task that waits for its worker is in time within
//! a millisecond, the grain of tokio's timers: shorter delays are a plain count too, the polls that were not late.
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

use async_inspect_proto::{HISTOGRAM_BUCKETS, HISTOGRAM_FIRST_NS};

use super::clock;

/// All counts: bucket `i` has durations below `HISTOGRAM_FIRST_NS << i`, the last one everything longer. Counts wrap.
pub(crate) type Counts = [u32; HISTOGRAM_BUCKETS];

/// Buckets of durations that are [long](is_long): all but the first.
pub(super) const LONG: usize = HISTOGRAM_BUCKETS - 1;
/// Buckets of delays that are [late](is_late): those below 1.024 ms are left out.
pub(super) const LATE: usize = HISTOGRAM_BUCKETS - 1 - LATE_SHIFT;
const LATE_SHIFT: usize = 4;

/// Counts of durations in the last `N` buckets.
#[repr(transparent)]
pub(crate) struct LongCounts<const N: usize = LONG>([AtomicU32; N]);

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

/// Whether a task was polled that long after it was woken that its delay is counted apart.
#[inline]
pub(crate) fn is_late(ticks: u64) -> bool {
    ticks >> LATE_SHIFT >= FIRST_TICKS.load(Relaxed)
}

impl<const N: usize> LongCounts<N> {
    /// The first of its buckets.
    const FIRST: usize = HISTOGRAM_BUCKETS - N;

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
        &self.0[bucket(ticks, FIRST_TICKS.load(Relaxed)).max(Self::FIRST) - Self::FIRST]
    }

    /// All counts, with that many short ones in the bucket before.
    pub(crate) fn counts(&self, short: u32) -> Counts {
        let mut counts = only_short::<N>(short);
        for (count, long) in counts[Self::FIRST..].iter_mut().zip(&self.0) {
            *count = long.load(Relaxed);
        }
        counts
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

/// All counts of a histogram that has no durations in its last `N` buckets.
pub(crate) fn only_short<const N: usize>(short: u32) -> Counts {
    let mut counts = Counts::default();
    counts[HISTOGRAM_BUCKETS - N - 1] = short;
    counts
}

/// The bucket in which the 99th of a hundred falls, the shortest first; `None` of none.
pub(crate) fn p99(counts: &Counts) -> Option<usize> {
    let total: u64 = counts.iter().map(|&n| u64::from(n)).sum();
    let longer = total / 100;
    let mut seen = 0;
    counts.iter().rposition(|&n| {
        seen += u64::from(n);
        seen > longer
    })
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
        let counts: LongCounts = LongCounts(std::array::from_fn(|_| AtomicU32::new(0)));
        let first = clock::ticks_in_ns(HISTOGRAM_FIRST_NS);
        assert!(!is_long(first - 1) && is_long(first));
        counts.record(first);
        counts.record_shared(first * 3);
        counts.record_shared(u64::MAX);
        let all = counts.counts(7);
        assert_eq!((all[0], all[1], all[2], all[15]), (7, 1, 1, 1));
        assert_eq!(counts.sum(), 3);
        assert_eq!(only_short::<LONG>(7)[0], 7);
    }

    #[test]
    fn delays_are_counted_from_a_millisecond_on() {
        crate::recorder::start(crate::recorder::DEFAULT_LIMIT_BYTES);
        let counts = LongCounts::<LATE>(std::array::from_fn(|_| AtomicU32::new(0)));
        let first = clock::ticks_in_ns(HISTOGRAM_FIRST_NS).max(1) << LATE_SHIFT;
        assert!(!is_late(first - 1) && is_late(first));
        counts.record(first);
        counts.record(u64::MAX);
        let all = counts.counts(7);
        assert_eq!((all[LATE_SHIFT], all[LATE_SHIFT + 1], all[15]), (7, 1, 1));
        assert_eq!(all.iter().sum::<u32>(), 9);
    }

    #[test]
    fn one_of_a_hundred_is_beyond_the_99th_percentile() {
        let mut counts = Counts::default();
        assert_eq!(p99(&counts), None);
        (counts[4], counts[9]) = (99, 1);
        assert_eq!(p99(&counts), Some(4));
        counts[9] = 2;
        assert_eq!(p99(&counts), Some(9));
        counts[4] = u32::MAX;
        assert_eq!(p99(&counts), Some(4));
    }
}
