//! Asynchronous green-threads: tokio's [`task`](raw::task) module, with tasks watched.
//!
//! Of each task: where it was spawned, its polls and wakes, what it waits for, and what became of its result.
#[cfg(doc)]
use crate::tokio::raw;

mod abort_handle;
#[cfg(all(tokio_unstable, feature = "tracing"))]
mod builder;
mod join_handle;
#[cfg(not(tokio_unstable))]
mod join_set;
#[cfg(tokio_unstable)]
pub mod join_set;
mod local;
mod set_name;
mod spawn;
pub(crate) mod watch;

pub use ::tokio::task::*;
pub use abort_handle::AbortHandle;
#[cfg(all(tokio_unstable, feature = "tracing"))]
pub use builder::Builder;
pub use join_handle::JoinHandle;
pub use join_set::JoinSet;
#[cfg(feature = "tokio-util-rt")]
pub(crate) use join_set::SetAwaited;
pub use local::{LocalSet, spawn_local};
#[cfg(feature = "tokio-util-rt")]
pub(crate) use set_name::SetName;
pub use spawn::block_in_place;
pub use spawn::{spawn, spawn_blocking, yield_now};
