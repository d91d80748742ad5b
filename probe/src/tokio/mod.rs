//! tokio's API, watched: every path of the `tokio` crate, with what can be watched wrapped.
//!
//! An item of this module that is also tokio's does what tokio's does; its documentation here says only what is watched.
//! Each wrapper turns into tokio's own type by `into_inner()` or `From`, for APIs that insist on that; the whole of tokio
//! is reachable as [`raw`].
pub mod runtime;
pub mod sync;
pub mod task;
#[cfg(test)]
mod tests;
pub mod time;

pub use ::tokio::*;
pub use task::spawn;

/// tokio itself, unwatched, for APIs that insist on its own types.
pub use ::tokio as raw;
