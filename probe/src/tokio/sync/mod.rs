//! Synchronization primitives: tokio's [`sync`](raw::sync) module, with locks and channels watched.
#[cfg(doc)]
use crate::tokio::raw;

mod coop;
pub mod mpsc;
mod mutex;

pub use ::tokio::sync::*;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
