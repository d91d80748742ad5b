//! Synchronization primitives: tokio's [`sync`](raw::sync) module, with locks and channels watched.
#[cfg(doc)]
use crate::tokio::raw;

mod barrier;
pub mod broadcast;
mod coop;
mod lock_watch;
pub mod mpsc;
mod mutex;
mod notify;
mod once_cell;
pub mod oneshot;
mod rwlock;
mod semaphore;
mod set_once;
pub mod watch;

pub use ::tokio::sync::*;
pub use barrier::Barrier;
pub use mutex::{MappedMutexGuard, Mutex, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};
pub use notify::Notify;
pub use once_cell::OnceCell;
pub use rwlock::{
    OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock, RwLockMappedWriteGuard,
    RwLockReadGuard, RwLockWriteGuard,
};
pub use semaphore::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
pub use set_once::SetOnce;

/// Named futures: tokio's [`sync::futures`](raw::sync::futures) module, watched.
pub mod futures {
    pub use super::notify::{Notified, OwnedNotified};
}
