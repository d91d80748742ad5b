//! What is left of a poll's cooperative budget, by which one poll is told from the next.
//!
//! tokio gives each poll 128 operations on its own types. Nobody shows how many are left, but each can be asked for, and
//! given back. Both functions run in the signal handler, between two instructions of the poll: they touch one cell of the
//! thread's own, which tokio has set up before it polls anything, and neither allocate nor lock. Should the poll be just
//! about to write that cell, its write wins, and the mark is gone: then nothing is said of that poll.
use std::task::{Context, Poll, Waker};

use ::tokio::task::coop::{self, RestoreOnPending};

/// What tokio gives to a poll.
const FULL: u32 = 128;
/// A poll with fewer operations left is not marked: they are left to it.
const FEW: u32 = 8;

/// Lowers what is left to the poll in progress on this thread to a number that `seed` picks from its upper three quarters, or
/// leaves it as it is where there are few. Tells what there was before and after; `None` outside of any poll, where it may
/// block (`block_in_place`), and where there is no limit.
pub(super) fn mark(seed: u32) -> Option<(u32, u32)> {
    let before = left()?;
    if before < FEW {
        return Some((before, before));
    }
    let lowest = before / 4;
    let after = lowest + seed % (before - lowest);
    for _ in after..before {
        take()?.made_progress();
    }
    Some((before, after))
}

/// The operations that are left.
pub(super) fn left() -> Option<u32> {
    // Given back when it is dropped, and with it what is taken after it.
    let _first = take()?;
    let mut left = 1;
    while let Some(operation) = take() {
        operation.made_progress();
        left += 1;
        if left > FULL {
            return None;
        }
    }
    Some(left)
}

fn take() -> Option<RestoreOnPending> {
    // Asked first, since tokio would wake the task for a budget that is spent.
    if !coop::has_budget_remaining() {
        return None;
    }
    match coop::poll_proceed(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(operation) => Some(operation),
        Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_read_without_taking_it_and_lowered_by_a_mark() {
        assert_eq!((left(), mark(1)), (None, None), "no poll");
        let runtime = ::tokio::runtime::Builder::new_current_thread().build().unwrap();
        let polled = async {
            assert_eq!((left(), left()), (Some(FULL), Some(FULL)));
            assert_eq!(mark(68), Some((FULL, 100)));
            assert_eq!(left(), Some(100));
            assert_eq!(mark(0), Some((100, 25)));
            assert_eq!(mark(0), Some((25, 6)));
            assert_eq!(mark(0), Some((6, 6)), "few");
            ::tokio::task::yield_now().await;
            assert_eq!(left(), Some(FULL), "each poll has its own");
            coop::unconstrained(async { assert_eq!((left(), mark(1)), (None, None)) }).await;
            assert_eq!(left(), Some(FULL));
            while coop::has_budget_remaining() {
                coop::consume_budget().await;
            }
            assert_eq!((left(), mark(1)), (None, None), "spent");
        };
        runtime.block_on(async { ::tokio::spawn(polled).await.unwrap() });
    }
}
