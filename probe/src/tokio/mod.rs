//! tokio's API, watched: every path of the `tokio` crate, with what can be watched wrapped.
//!
//! An item of this module that is also tokio's does what tokio's does; its documentation here says only what is watched.
//! What owns what it wraps turns into tokio's own type by `into_inner()` or `From`, for APIs that insist on that (but a
//! [`JoinSet`](task::JoinSet), whose tasks return more than their results, and guards and permits, which are of a lock of the
//! drop-in's); the whole of tokio is reachable as [`raw`]. One limit: a `select!` of more than 50 branches needs a
//! `#![recursion_limit]` above the usual 128.
//!
//! The features `watch-tasks`, `watch-locks`, `watch-channels` and `watch-time`, which are on by default, each wrap a
//! group; without one, that group is tokio's own. Without `watch-tasks` the runtime is tokio's too, so the probe starts
//! with the first lock or channel that is used, or where the program says so: see [`start_from_environment`](crate::start_from_environment) and [`Builder`](crate::Builder).
#[cfg(feature = "watch-tasks")]
pub mod runtime;
#[cfg(feature = "watch-locks")]
mod select;
pub mod sync;
#[cfg(feature = "watch-tasks")]
pub mod task;
#[cfg(test)]
mod tests;
#[cfg(feature = "watch-time")]
pub mod time;

pub use ::tokio::*;
#[cfg(feature = "watch-tasks")]
pub use task::spawn;

#[cfg(feature = "watch-locks")]
pub use crate::__async_inspect_select as select;
/// For the macro.
#[cfg(feature = "watch-locks")]
#[doc(hidden)]
pub use select::Branch as __SelectBranch;

/// tokio itself, unwatched, for APIs that insist on its own types.
pub use ::tokio as raw;
