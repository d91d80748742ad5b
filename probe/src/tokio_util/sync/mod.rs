//! Synchronization primitives: tokio-util's [`sync`](::tokio_util::sync) module, watched.
#[cfg(feature = "watch-tasks")]
mod cancellation_token;
#[cfg(feature = "watch-locks")]
mod poll_semaphore;
#[cfg(feature = "watch-channels")]
mod poll_sender;

pub use ::tokio_util::sync::*;
#[cfg(feature = "watch-tasks")]
pub use cancellation_token::{
    CancellationToken, DropGuard, DropGuardRef, WaitForCancellationFuture, WaitForCancellationFutureOwned,
};
#[cfg(feature = "watch-locks")]
pub use poll_semaphore::PollSemaphore;
#[cfg(feature = "watch-channels")]
pub use poll_sender::PollSender;
