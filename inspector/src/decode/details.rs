//! The answer about one task.

use async_inspect_proto::v1::{self, TaskDetailsResponse};

use super::text;
use crate::model::{Frame, Histogram, Suspension, TaskDetails};
use crate::text::place;

/// Places in which one task may be suspended, and calls of each, at most; what is beyond is left out.
const MAX_SUSPENSIONS: usize = 16;
const MAX_CALLS: usize = 256;

/// What is told of a task; `None` when the target does not know it, or answers something else.
pub fn task_details(answer: TaskDetailsResponse) -> Option<TaskDetails> {
    // There was no room to count the polls of some tasks, of which all else is known.
    let polls = match answer.poll_buckets.as_slice() {
        [] => Histogram::default(),
        buckets => Histogram(buckets.try_into().ok()?),
    };
    let delays = answer.sched_buckets.as_slice().try_into();
    let suspensions = answer.suspensions.into_iter().take(MAX_SUSPENSIONS);
    answer.known.then(|| TaskDetails {
        polls,
        delays: delays.ok().map(Histogram),
        suspensions: suspensions.map(suspension).collect(),
        suspended_polls: answer.suspended_polls,
        only_waits: answer.only_waits,
    })
}

fn suspension(suspension: v1::Suspension) -> Suspension {
    let call = |v1::Call { function, file, line, column, user }| Frame {
        function: text::owned(function),
        location: place::written(&text::clean(&file), line, column),
        user,
    };
    Suspension { calls: suspension.calls.into_iter().take(MAX_CALLS).map(call).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_histogram_or_none_of_a_known_task_is_taken() {
        let answer = |known, buckets: usize| TaskDetailsResponse {
            known,
            poll_buckets: vec![1; buckets],
            ..TaskDetailsResponse::default()
        };
        let taken = task_details(answer(true, 16)).unwrap();
        assert_eq!((taken.polls, taken.delays), (Histogram([1; 16]), None));
        let with_delays = TaskDetailsResponse { sched_buckets: vec![2; 16], ..answer(true, 16) };
        assert_eq!(task_details(with_delays).unwrap().delays, Some(Histogram([2; 16])));
        assert_eq!(task_details(answer(true, 0)).unwrap().polls.count(), 0);
        for (known, buckets) in [(false, 16), (false, 0), (true, 15), (true, 17)] {
            assert_eq!(task_details(answer(known, buckets)), None);
        }
    }

    #[test]
    fn where_it_is_suspended_is_cleaned_and_cut() {
        let call = v1::Call { function: "a\u{1b}[2J".into(), file: "x\n.rs".into(), line: 3, column: 5, user: true };
        let suspension = v1::Suspension { calls: vec![call; MAX_CALLS + 1] };
        let answer = TaskDetailsResponse {
            known: true,
            poll_buckets: vec![0; 16],
            suspensions: vec![suspension; MAX_SUSPENSIONS + 1],
            suspended_polls: 7,
            sched_buckets: Vec::new(),
            only_waits: None,
        };
        let suspensions = task_details(answer).unwrap().suspensions;
        assert_eq!((suspensions.len(), suspensions[0].calls.len()), (MAX_SUSPENSIONS, MAX_CALLS));
        let call = &suspensions[0].calls[0];
        assert_eq!((call.function.as_str(), call.location.as_str()), ("a␛[2J", "x␊.rs:3:5"));
    }
}
