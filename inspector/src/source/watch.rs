//! Attached for as long as somebody listens.
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender};

use super::{Address, Event, SourceError, open};

const SHORTEST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// Attaches to a target and tells everything it says; reconnects by itself, after 250 ms at first and 5 s at most, or
/// at once when `retry` says so. Ends when nobody listens to `events` any more.
pub async fn watch(address: Address, events: Sender<Event>, mut retry: Receiver<()>) {
    let mut wait = SHORTEST;
    let mut attempt = 0;
    loop {
        attempt += 1;
        // What was asked for before this attempt is answered by it.
        while retry.try_recv().is_ok() {}
        if events.send(Event::Connecting { attempt }).await.is_err() {
            return;
        }
        let mut told = false;
        let session = tokio::select! {
            session = session(&address, &events, &mut told) => session,
            // A retry in mid-connection starts over.
            Some(()) = retry.recv() => { attempt = 0; continue; }
            () = events.closed() => return,
        };
        let Some(error) = session else { return };
        if told {
            attempt = 0;
            wait = SHORTEST;
        }
        let retry_in = jittered(wait);
        wait = (wait * 2).min(LONGEST);
        if events.send(Event::Lost { error, retry_in }).await.is_err() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(retry_in) => {}
            Some(()) = retry.recv() => wait = SHORTEST,
            () = events.closed() => return,
        }
    }
}

/// One connection, from greeting to end. `None` when nobody listens any more. `told` becomes true once data has come: a
/// target that greets and then fails each time is not to be asked four times a second.
async fn session(address: &Address, events: &Sender<Event>, told: &mut bool) -> Option<SourceError> {
    let mut connection = match open(address).await {
        Ok(connection) => connection,
        Err(error) => return Some(error),
    };
    events.send(Event::Connected(Box::new(connection.target.clone()))).await.ok()?;
    loop {
        match connection.next().await {
            Ok(batch) => {
                events.send(Event::Update(Box::new(batch))).await.ok()?;
                *told = true;
            }
            Err(error) => return Some(error),
        }
    }
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
}
