//! Attached for as long as somebody listens.
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::{Receiver, Sender};

use super::connect::{Memory, open_again};
use super::{Address, Connection, Event, Pace, SourceError, replay};
use crate::model::TaskId;

/// Before the second attempt.
pub(super) const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// Answers about tasks that may be under way at once; what is asked beyond is not asked.
const ASKED: usize = 4;

/// What the listener may ask of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// Do not wait for the next attempt: connect now. Means nothing while connected.
    Reconnect,
    /// A replay stands still, or goes on. Means nothing to a live target.
    Pause(bool),
    /// What the target does not stream of every task; answered by [`Event::TaskDetails`], if at all.
    TaskDetails(TaskId),
}

/// Attaches to a target and tells everything it says; reconnects by itself, after 250 ms at first and 5 s at most, or
/// at once when a request says so. Ends when nobody listens to `events` any more.
///
/// A recording is replayed at this pace, once, and again when a request to reconnect comes.
pub async fn watch(address: Address, pace: Pace, events: Sender<Event>, mut requests: Receiver<Request>) {
    if let Some(path) = address.file() {
        return replay::replay(&address, path, pace, &events, &mut requests).await;
    }
    let mut wait = SHORTEST;
    let mut attempt = 0;
    let mut memory = Memory::default();
    loop {
        attempt += 1;
        // What was asked for before this attempt is answered by it.
        while requests.try_recv().is_ok() {}
        if events.send(Event::Connecting { attempt }).await.is_err() {
            return;
        }
        let opened = tokio::select! {
            opened = open_again(&address, &mut memory) => opened,
            // A retry in mid-connection starts over.
            () = asked_to_reconnect(&mut requests) => { attempt = 0; continue; }
            () = events.closed() => return,
        };
        let mut told = false;
        let error = match opened {
            Ok(mut connection) => match session(&mut connection, &events, &mut requests, &mut told).await {
                Some(error) => {
                    memory = connection.into_memory();
                    error
                }
                None => return,
            },
            Err(error) => error,
        };
        if told {
            attempt = 0;
            wait = SHORTEST;
        }
        let retry_in = back_off(&mut wait);
        if events.send(Event::Lost { error, retry_in }).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(retry_in) => {}
            () = asked_to_reconnect(&mut requests) => wait = SHORTEST,
            () = events.closed() => return,
        }
    }
}

pub(super) async fn asked_to_reconnect(requests: &mut Receiver<Request>) {
    loop {
        match requests.recv().await {
            Some(Request::Reconnect) => return,
            Some(Request::TaskDetails(_) | Request::Pause(_)) => {}
            None => std::future::pending().await,
        }
    }
}

/// One connection, from greeting to end. `None` when nobody listens any more. `told` becomes true once data has come: a
/// target that greets and then fails each time is not to be asked four times a second.
async fn session(
    connection: &mut Connection,
    events: &Sender<Event>,
    requests: &mut Receiver<Request>,
    told: &mut bool,
) -> Option<SourceError> {
    events.send(Event::Connected(Box::new(connection.target.clone()))).await.ok()?;
    let mut answers = FuturesUnordered::new();
    loop {
        tokio::select! {
            batch = connection.next() => match batch {
                Ok(batch) => {
                    events.send(Event::Update(Box::new(batch))).await.ok()?;
                    *told = true;
                    // All of what has come may be decoded without a wait, and others live on this thread.
                    tokio::task::yield_now().await;
                }
                Err(error) => return Some(error),
            },
            Some(request) = requests.recv() => {
                if let Request::TaskDetails(task) = request
                    && answers.len() < ASKED
                {
                    let answer = connection.task_details(task);
                    answers.push(async move { Event::TaskDetails { task, details: answer.await } });
                }
            }
            Some(answer) = answers.next(), if !answers.is_empty() => events.send(answer).await.ok()?,
            () = events.closed() => return None,
        }
    }
}

/// The time to the attempt after one that failed, and the time to the one after that.
pub(super) fn back_off(wait: &mut Duration) -> Duration {
    let now = jittered(*wait);
    *wait = (*wait * 2).min(LONGEST);
    now
}

/// Between 0.8 and 1.2 of `wait`, and no more than [`LONGEST`], so that many inspectors of one restarted target do not
/// come all at once.
fn jittered(wait: Duration) -> Duration {
    let random = RandomState::new().hash_one(()) as f64 / u64::MAX as f64;
    wait.mul_f64(0.8 + 0.4 * random).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_differ_and_stay_within_bounds() {
        let waits: Vec<Duration> = (0..100).map(|_| jittered(Duration::from_secs(1))).collect();
        assert!(waits.iter().all(|wait| (0.8..=1.2).contains(&wait.as_secs_f64())));
        assert!(waits.iter().any(|wait| wait != &waits[0]));
        assert!(jittered(LONGEST) <= LONGEST);
    }

    #[test]
    fn each_wait_is_twice_the_one_before_and_five_seconds_at_most() {
        let mut wait = SHORTEST;
        for about in [0.25, 0.5, 1.0, 2.0, 4.0, 5.0, 5.0, 5.0] {
            let now = back_off(&mut wait).as_secs_f64();
            assert!((about * 0.8..=(about * 1.2_f64).min(5.0)).contains(&now), "{now} instead of about {about}");
        }
    }
}
