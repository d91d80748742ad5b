//! The answer about one task.

use async_inspect_proto::v1::TaskDetailsResponse;

use crate::model::Histogram;

/// How long the polls of a task took; `None` when the target does not know it, or answers something else.
pub fn poll_histogram(answer: &TaskDetailsResponse) -> Option<Histogram> {
    let buckets = answer.poll_buckets.as_slice().try_into().ok()?;
    answer.known.then_some(Histogram(buckets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_histogram_of_a_known_task_is_taken() {
        let answer = |known, buckets: usize| TaskDetailsResponse { known, poll_buckets: vec![1; buckets] };
        assert_eq!(poll_histogram(&answer(true, 16)), Some(Histogram([1; 16])));
        for (known, buckets) in [(false, 16), (true, 0), (true, 15), (true, 17)] {
            assert_eq!(poll_histogram(&answer(known, buckets)), None);
        }
    }
}
