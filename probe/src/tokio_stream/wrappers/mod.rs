//! Streams of what tokio gives one by one: tokio-stream's [`wrappers`](::tokio_stream::wrappers) module, for the drop-in's
//! types.
#[cfg(all(feature = "watch-channels", feature = "tokio-stream-sync"))]
mod broadcast;
#[cfg(all(feature = "watch-time", feature = "tokio-stream-time"))]
mod interval;
#[cfg(all(feature = "watch-tasks", feature = "tokio-stream-rt"))]
mod join_set;
#[cfg(feature = "watch-channels")]
mod mpsc;
#[cfg(feature = "tokio-stream-time")]
mod timeout_repeating;
#[cfg(all(feature = "watch-channels", feature = "tokio-stream-sync"))]
mod watch;

pub use ::tokio_stream::wrappers::*;
#[cfg(all(feature = "watch-channels", feature = "tokio-stream-sync"))]
pub use broadcast::BroadcastStream;
#[cfg(all(feature = "watch-time", feature = "tokio-stream-time"))]
pub use interval::IntervalStream;
#[cfg(all(feature = "watch-tasks", feature = "tokio-stream-rt"))]
pub use join_set::JoinSetStream;
#[cfg(feature = "watch-channels")]
pub use mpsc::{ReceiverStream, UnboundedReceiverStream};
#[cfg(all(feature = "watch-channels", feature = "tokio-stream-sync"))]
pub use watch::WatchStream;
