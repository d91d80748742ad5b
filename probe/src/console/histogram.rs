//! A task's poll durations, as the stock client reads them: an `HdrHistogram` in its V2 format.
use async_inspect_proto::{HISTOGRAM_BUCKETS, HISTOGRAM_FIRST_NS};
use console_api::tasks::DurationHistogram;
use hdrhistogram::{
    Histogram,
    serialization::{Serializer, V2Serializer},
};

/// Digits that are kept of a duration; ours double from one bucket to the next anyway.
const DIGITS: u8 = 2;

/// From counts of durations below `HISTOGRAM_FIRST_NS << i`, and the longest one in nanoseconds, which is exact. Any other
/// duration is told as the longest that its bucket has, so a percentile is never told better than it was.
pub(super) fn of_counts(counts: &[u32; HISTOGRAM_BUCKETS], longest_ns: u64) -> Option<DurationHistogram> {
    let mut histogram = Histogram::<u64>::new(DIGITS).ok()?;
    let longest_ns = longest_ns.max(1);
    for (i, &count) in counts.iter().enumerate() {
        let last = i + 1 == HISTOGRAM_BUCKETS;
        let bound = if last { longest_ns } else { (HISTOGRAM_FIRST_NS << i) - 1 };
        histogram.record_n(bound.min(longest_ns), count.into()).ok()?;
    }
    let mut raw_histogram = Vec::new();
    V2Serializer::new().serialize(&histogram, &mut raw_histogram).ok()?;
    Some(DurationHistogram { raw_histogram, max_value: histogram.max(), high_outliers: 0, highest_outlier: None })
}

#[cfg(test)]
mod tests {
    use hdrhistogram::serialization::Deserializer;

    use super::*;

    fn read(counts: &[u32; HISTOGRAM_BUCKETS], longest_ns: u64) -> Histogram<u64> {
        let told = of_counts(counts, longest_ns).unwrap();
        Deserializer::new().deserialize(&mut told.raw_histogram.as_slice()).unwrap()
    }

    #[test]
    fn percentiles_are_the_buckets_bounds_and_the_longest_is_exact() {
        let mut counts = [0; HISTOGRAM_BUCKETS];
        counts[0] = 900;
        counts[3] = 99;
        counts[HISTOGRAM_BUCKETS - 1] = 1;
        let histogram = read(&counts, 3_000_000_000);
        assert_eq!(histogram.len(), 1000);
        let near = |value: u64, wanted: u64| value.abs_diff(wanted) * 50 < wanted;
        assert!(near(histogram.value_at_quantile(0.5), HISTOGRAM_FIRST_NS));
        assert!(near(histogram.value_at_quantile(0.99), HISTOGRAM_FIRST_NS << 3));
        assert!(near(histogram.max(), 3_000_000_000));
    }

    #[test]
    fn no_bucket_is_told_as_longer_than_the_longest_poll() {
        let mut counts = [0; HISTOGRAM_BUCKETS];
        counts[0] = 10;
        assert!(read(&counts, 5_000).max() <= 5_100);
        assert_eq!(read(&[0; HISTOGRAM_BUCKETS], 0).len(), 0);
    }
}
