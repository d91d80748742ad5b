//! tokio-util's API, watched: every path of the `tokio-util` crate, for the types of [`crate::tokio`].
//!
//! An item of this module that is also tokio-util's does what tokio-util's does; its documentation here says only what is
//! watched. What takes or gives a type of tokio's that is wrapped takes or gives the wrapper; the whole of tokio-util is
//! reachable as [`raw`].
#[cfg(all(feature = "watch-tasks", feature = "tokio-util-rt"))]
pub mod context;
// Of two groups: it takes tokens, and gives timeouts.
#[cfg(any(feature = "watch-tasks", feature = "watch-time"))]
pub mod future;
#[cfg(all(feature = "watch-tasks", feature = "tokio-util-io-util"))]
pub mod io;
pub mod sync;
#[cfg(all(feature = "watch-tasks", feature = "tokio-util-rt"))]
pub mod task;
#[cfg(all(any(feature = "watch-tasks", feature = "watch-time"), feature = "tokio-util-time"))]
pub mod time;

pub use ::tokio_util::*;

/// tokio-util itself, unwatched, for APIs that insist on its own types.
pub use ::tokio_util as raw;
