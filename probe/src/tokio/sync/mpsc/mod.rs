//! A multi-producer, single-consumer channel: tokio's [`mpsc`](raw::sync::mpsc) module, watched.
//!
//! Watched: how many messages went in and came out, who waits for room and for how long, when the receiver last asked and
//! from which line, and how many handles there are. A channel that was made before anything recorded is not seen.
#[cfg(doc)]
use crate::tokio::raw;

mod bounded;
mod permit;
mod receiver;
mod unbounded;
mod watch;

pub use ::tokio::sync::mpsc::*;
pub use bounded::{Sender, WeakSender, channel};
pub use permit::{OwnedPermit, Permit, PermitIterator};
pub use receiver::{Receiver, UnboundedReceiver};
pub use unbounded::{UnboundedSender, WeakUnboundedSender, unbounded_channel};
#[cfg(feature = "tokio-util")]
pub(crate) use watch::PolledSend;

crate::named::names_slot! {
    Sender: side.0;
    UnboundedSender: side.0;
    Receiver: side.channel;
    UnboundedReceiver: side.channel;
}
