//! Synchronization primitives: tokio's [`sync`](raw::sync) module, with locks and channels watched.
#[cfg(doc)]
use crate::tokio::raw;

mod coop;
mod lock_watch;
pub mod mpsc;
mod mutex;
mod rwlock;
mod semaphore;

pub use ::tokio::sync::*;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockMappedWriteGuard,
    RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
