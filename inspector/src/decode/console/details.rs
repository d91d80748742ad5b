//! What is told of one task when it is asked about: how long its polls took, and how late they came.
use console_api::tasks::TaskDetails as Told;
use console_api::tasks::task_details::PollTimesHistogram;
use hdrhistogram::serialization::Deserializer;

use crate::model::{Histogram, TaskDetails};

/// The head of a histogram as `HdrHistogram` writes it, version 2: a cookie, the length of the counts, an offset, digits that
/// are told apart (4 bytes each), the bounds (8 each) and a ratio (8).
const HEAD: usize = 4 * 4 + 3 * 8;
const COOKIE: u32 = 0x1c84_9303 | 0x10;
/// Memory for its counts is by its digits, whatever is in it. A subscriber tells two apart.
const MAX_DIGITS: u32 = 3;
/// As long as it can be with so many digits: nine bytes a count.
const MAX_BYTES: usize = 1 << 20;

/// The answer of a console-subscriber; `None` where it holds no histogram that can be read.
pub fn task_details(told: &Told) -> Option<TaskDetails> {
    let polls = match told.poll_times_histogram.as_ref()? {
        PollTimesHistogram::LegacyHistogram(raw) => raw,
        PollTimesHistogram::Histogram(histogram) => &histogram.raw_histogram,
    };
    let delays = told.scheduled_times_histogram.as_ref();
    Some(TaskDetails {
        polls: histogram(polls)?,
        delays: delays.and_then(|delays| histogram(&delays.raw_histogram)),
        ..TaskDetails::default()
    })
}

/// Counts of nanoseconds, off by the hundredth that the subscriber's own buckets are.
fn histogram(raw: &[u8]) -> Option<Histogram> {
    let word = |at: usize| Some(u32::from_be_bytes(raw.get(at..at + 4)?.try_into().ok()?));
    let length = raw.len().checked_sub(HEAD).filter(|_| raw.len() <= MAX_BYTES)?;
    // Nothing is set aside for what is not there.
    if word(0)? != COOKIE || word(4)? as usize != length || word(12)? > MAX_DIGITS {
        return None;
    }
    let told = Deserializer::new().deserialize::<u64, _>(&mut &*raw).ok()?;
    let mut counts = Histogram::default();
    for bucket in told.iter_recorded() {
        let span = std::time::Duration::from_nanos(bucket.value_iterated_to());
        counts.record_times(span, bucket.count_at_value());
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use console_api::tasks::DurationHistogram;
    use hdrhistogram::serialization::{Serializer, V2Serializer};
    use proptest::prelude::*;

    use super::*;

    fn raw(nanos: &[u64]) -> Vec<u8> {
        let mut histogram = hdrhistogram::Histogram::<u64>::new_with_max(1_000_000_000, 2).unwrap();
        for &nanos in nanos {
            histogram.record(nanos).unwrap();
        }
        let mut raw = Vec::new();
        V2Serializer::new().serialize(&histogram, &mut raw).unwrap();
        raw
    }

    #[test]
    fn durations_are_counted_as_a_probe_counts_them() {
        let nanos = [100, 30_000, 70_000, 70_000, 20_000_000, 999_000_000];
        let delays = DurationHistogram { raw_histogram: raw(&[5_000_000]), ..DurationHistogram::default() };
        let told = Told {
            poll_times_histogram: Some(PollTimesHistogram::LegacyHistogram(raw(&nanos))),
            scheduled_times_histogram: Some(delays),
            ..Told::default()
        };
        let details = task_details(&told).unwrap();
        let mut expected = Histogram::default();
        for nanos in nanos {
            expected.record(Duration::from_nanos(nanos));
        }
        assert_eq!(details.polls, expected);
        assert_eq!(
            details.delays.map(|delays| (delays.count(), delays.quantile(0.5, Duration::MAX))),
            Some((1, Some(Duration::from_micros(8192))))
        );
        assert_eq!(task_details(&Told::default()), None);
    }

    proptest! {
        #[test]
        fn whatever_comes_it_is_counted_or_refused(
            nanos in prop::collection::vec(0_u64..1_000_000_000, 0..8),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
            more in prop::collection::vec(any::<u8>(), 0..32),
        ) {
            let mut bytes = raw(&nanos);
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.extend(more);
            histogram(&bytes);
            // As long as it says that it is.
            let length = (bytes.len() - HEAD) as u32;
            bytes[4..8].copy_from_slice(&length.to_be_bytes());
            histogram(&bytes);
        }
    }
}
