//! Ways to spawn: tokio-util's [`task`](::tokio_util::task) module, watched.
mod abort_on_drop;
#[cfg(feature = "tokio-util-join-map")]
mod join_map;
mod join_queue;
mod local_pool;
pub mod task_tracker;

#[allow(unused_imports, unreachable_pub, reason = "whether anything is left depends on the features")]
pub use ::tokio_util::task::*;
pub use abort_on_drop::{AbortOnDrop, AbortOnDropHandle};
#[cfg(feature = "tokio-util-join-map")]
pub use join_map::JoinMap;
pub use join_queue::JoinQueue;
pub use local_pool::LocalPoolHandle;
pub use task_tracker::TaskTracker;
