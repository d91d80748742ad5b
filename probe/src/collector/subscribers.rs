//! Who is attached, and how far each has read. A subscriber that does not keep up loses updates, which it counts by the gaps
//! in their numbers, and is given a fresh snapshot when it has caught up; it never makes the probe buffer more than
//! [`QUEUE`] messages.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ::tokio::sync::{Notify, mpsc};
use async_inspect_proto::EncodedUpdate;

use super::SnapshotCursor;
#[cfg(feature = "console")]
use crate::console::Consoles;

/// Messages that wait for one subscriber.
const QUEUE: usize = 32;
/// Of these: kept free for deltas while a snapshot goes out.
const FOR_DELTAS: usize = 8;
/// Subscribers at once.
const MAX: usize = 16;

struct Subscriber {
    tx: mpsc::Sender<EncodedUpdate>,
    /// The snapshot under way.
    snapshot: Option<SnapshotCursor>,
    /// It missed something, and gets a new snapshot when its queue is empty.
    behind: bool,
}

impl Subscriber {
    /// Before the first piece of a snapshot there is nothing that a delta could change.
    fn takes_deltas(&self) -> bool {
        !self.behind && !self.snapshot.as_ref().is_some_and(SnapshotCursor::untouched)
    }
}

/// All subscribers. Used on the probe's thread only, so the lock is never waited for; the server's types ask for it.
#[derive(Clone, Default)]
pub(crate) struct Subscribers {
    all: Arc<Mutex<Vec<Subscriber>>>,
    joined: Arc<Notify>,
    /// Who is told in another tongue, and not by messages of ours.
    #[cfg(feature = "console")]
    consoles: Consoles,
}

/// A new subscriber's end.
pub(crate) type Joined = mpsc::Receiver<EncodedUpdate>;

/// There are as many subscribers as there may be.
#[derive(Debug, thiserror::Error)]
#[error("{MAX} inspectors are attached already, which is the limit; close one of them")]
pub(crate) struct TooMany;

impl Subscribers {
    fn all(&self) -> MutexGuard<'_, Vec<Subscriber>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a subscriber, who gets a snapshot first.
    pub(crate) fn join(&self) -> Result<Joined, TooMany> {
        self.forget_closed();
        let mut all = self.all();
        if all.len() == MAX {
            return Err(TooMany);
        }
        let (tx, rx) = mpsc::channel(QUEUE);
        all.push(Subscriber { tx, snapshot: Some(SnapshotCursor::default()), behind: false });
        self.joined.notify_one();
        Ok(rx)
    }

    /// The same, together with these.
    #[cfg(feature = "console")]
    pub(crate) fn with_consoles(self, consoles: Consoles) -> Self {
        Self { consoles, ..self }
    }

    /// Makes the collector tick, for a console that joined.
    #[cfg(feature = "console")]
    pub(crate) fn call_collector(&self) {
        self.joined.notify_one();
    }

    /// Resolves when somebody joined.
    pub(crate) async fn joined(&self) {
        self.joined.notified().await;
    }

    /// Whether anybody is attached.
    pub(crate) fn any(&self) -> bool {
        #[cfg(feature = "console")]
        if self.consoles.any() {
            return true;
        }
        self.count() > 0
    }

    /// How many are attached.
    pub(crate) fn count(&self) -> usize {
        self.all().len()
    }

    /// Drops those who went.
    pub(crate) fn forget_closed(&self) {
        self.all().retain(|subscriber| !subscriber.tx.is_closed());
    }

    /// Whether a snapshot is under way or due.
    pub(crate) fn wants_snapshot(&self) -> bool {
        self.all().iter().any(|subscriber| subscriber.snapshot.is_some() || subscriber.behind)
    }

    /// Whether anybody takes the messages of a tick.
    pub(crate) fn take_deltas(&self) -> bool {
        self.all().iter().any(Subscriber::takes_deltas)
    }

    /// Hands the messages of one tick to everyone who has kept up.
    pub(crate) fn send(&self, messages: &[EncodedUpdate]) {
        for subscriber in self.all().iter_mut() {
            if !subscriber.takes_deltas() {
                continue;
            }
            if subscriber.tx.capacity() < messages.len() {
                subscriber.behind = true;
                subscriber.snapshot = None;
                continue;
            }
            for message in messages {
                let _ = subscriber.tx.try_send(message.clone());
            }
        }
    }

    /// Fills the queues with pieces of the snapshots that are under way; who is at the same place gets the same ones.
    pub(crate) fn snapshots(&self, mut piece: impl FnMut(&mut SnapshotCursor) -> Vec<EncodedUpdate>) {
        let mut made: Vec<Piece> = Vec::new();
        for subscriber in self.all().iter_mut() {
            if subscriber.behind && subscriber.tx.capacity() == QUEUE {
                subscriber.behind = false;
                subscriber.snapshot = Some(SnapshotCursor::default());
            }
            let Some(cursor) = &mut subscriber.snapshot else { continue };
            let mut complete = true;
            while complete && !cursor.done() && subscriber.tx.capacity() > FOR_DELTAS {
                let known = made.iter().position(|made| made.from == *cursor).unwrap_or_else(|| {
                    let from = cursor.clone();
                    let messages = piece(cursor);
                    made.push(Piece { from, messages, to: cursor.clone() });
                    made.len() - 1
                });
                let piece = &made[known];
                cursor.clone_from(&piece.to);
                for message in &piece.messages {
                    complete &= subscriber.tx.try_send(message.clone()).is_ok();
                }
            }
            if !complete {
                subscriber.behind = true;
                subscriber.snapshot = None;
            } else if cursor.done() {
                subscriber.snapshot = None;
            }
        }
    }
}

/// A piece of a snapshot.
struct Piece {
    from: SnapshotCursor,
    messages: Vec<EncodedUpdate>,
    to: SnapshotCursor,
}
